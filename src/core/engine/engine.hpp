// All calls of one database: admission up to the limit, timers, delta coalescing, and the logs that readers attach to.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <unordered_map>
#include <vector>

#include "core/engine/account_book.hpp"
#include "core/engine/admission.hpp"
#include "core/engine/reply_sharing.hpp"

namespace pgchat {

struct EngineLimits {
    std::size_t max_calls = 5000;
    Milliseconds flush_interval{25};
    Milliseconds retention{60'000};
    std::size_t max_retained_bytes = 32u << 20;
    std::size_t max_held_of_one = 16;  // durable calls of a user that wait for another one's end
    CallLimits call;
    BreakerPolicy breaker;
    SharingPolicy sharing;
};

// Told of what happens, from within Engine::run(), submit() and cancel(). None may destroy a call.
class EngineListener {
public:
    virtual ~EngineListener() = default;
    // The call's log has events that readers have not seen.
    virtual void events_ready(Call& call) noexcept = 0;
    // The result is final. publish_end() or release() must follow, after it has been stored.
    virtual void call_finished(Call& call) noexcept = 0;
    // The call is about to be destroyed. False keeps it for another retention period, for a reader that is behind.
    virtual bool may_release(Call& call) noexcept = 0;
};

struct EngineCounters {
    std::uint64_t submitted = 0;
    std::uint64_t completed = 0;
    std::uint64_t failed = 0;  // incomplete, error and cancelled
    std::uint64_t retried = 0;
    // Refused before they were sent.
    std::uint64_t refused_by_rate = 0;
    std::uint64_t refused_by_concurrency = 0;
    std::uint64_t refused_by_tokens = 0;
    std::uint64_t refused_by_budget = 0;
};

class Engine final : private CallObserver {
public:
    // `echo` serves providers of that kind, `network` all others.
    Engine(Clock& clock, Transport& network, Transport& echo, EngineListener& listener);
    ~Engine() override;

    void set_limits(const EngineLimits& limits);
    void set_catalog(std::shared_ptr<const Catalog> catalog) { catalog_ = std::move(catalog); }
    const Catalog& catalog() const noexcept { return *catalog_; }

    // Takes a call; it begins in run(), once its user's account is known and there is room. What the account does not
    // allow ends at once. Throws Error internal for a request id that is there already.
    Call& submit(CallSpec spec);
    AccountBook& accounts() noexcept { return accounts_; }
    // The users whose accounts must be read before their calls go on; the nil user among them where the installation's
    // own must be.
    std::vector<Uuid> missing_accounts();
    bool has_parked() const noexcept { return !parked_.empty(); }
    // These accounts have been put into the book: their calls go on.
    void accounts_loaded(const std::vector<Uuid>& user_ids);
    // Users, in order, who have so many calls waiting for one of their own to end that further ones are better left in
    // the queue.
    std::vector<Uuid> saturated_users() const;
    // To be called once for each finished call, when the database has its usage or will never have it.
    void usage_settled(const Uuid& user_id) noexcept { accounts_.unpin(user_id); }
    Call* find(const Uuid& request_id) noexcept;
    Call* find_by_message(const Uuid& message_id) noexcept;
    // Ends a call that is not finished; its text is kept.
    void cancel(Call& call);
    // Calls `visit` with every call, finished ones that are still kept included.
    void for_each(const std::function<void(Call&)>& visit);
    // Ends every call that is not finished, because the engine stops.
    void interrupt_all();
    // Adds the terminal event of a finished call, for its readers, and keeps its log for a while.
    void publish_end(Call& call);
    // Destroys a finished call, at once.
    void release(Call& call);

    // Does all that is ready, without waiting.
    void run();
    std::optional<TimePoint> next_deadline() const;

    // Calls admitted and not finished, waiting between attempts included.
    std::size_t in_flight() const noexcept { return in_flight_; }
    std::size_t waiting() const noexcept { return admission_.size() + following_.size() + parked_count_ + held_count_; }
    // How many more calls could begin now.
    std::size_t room() const noexcept;
    // How many durable calls may be brought: as many as there is room for, and where immediate ones wait for all of
    // that, one that takes its turn among them. No other is brought before it can begin, as one that has been is not
    // found in the queue after a crash.
    std::size_t room_for_durable() const noexcept;
    // Models whose providers have no room for the calls that wait for them already, by name and in order.
    std::vector<std::string> full_models() const;
    const Admission& admission() const noexcept { return admission_; }
    const EngineCounters& counters() const noexcept { return counters_; }

private:
    struct Due {
        TimePoint at;
        Uuid request_id;
    };
    struct Retained {
        TimePoint until;
        Uuid request_id;
        std::uint64_t number;
    };
    using Timer =
        std::pair<TimePoint, std::uint64_t>;  // the number of a call, which keeps those of one moment in order

    void text_arrived(Call& call) noexcept override;
    void provider_answered(Call& call) noexcept override { admission_.attempt_answered(call); }
    void attempt_failed(Call& call, ProviderHealth health, bool is_last) noexcept override;
    bool fall_back(Call& call) noexcept override;
    void attempt_ended(Call& call, const Attempt& attempt) noexcept override;
    void retry_wanted(Call& call, Milliseconds delay) noexcept override;
    void finished(Call& call) noexcept override;

    void set_timer(Call& call, TimePoint at);
    void clear_timer(Call& call) noexcept;
    void park(Call& call);
    void let_in(Call& call, Account& account);
    void check_in(Call& call, Account& account);
    void enqueue(Call& call, Account& account);
    void leave_stage(Call& call);
    void wait_for_room(Call& call);
    bool share(Call& call);
    void end_sharing(Call& call);
    void go_on(Call& call, bool may_share);
    static void use_model(Call& call, Account& account, std::shared_ptr<const ModelEntry> model);
    static std::shared_ptr<const ModelEntry> usable_model(Call& call, const Account& account);
    static std::shared_ptr<const ModelEntry> next_fallback(Call& call, const Account& account);
    void stop_running(const Uuid& user_id) noexcept;
    void release_held(const Uuid& user_id);
    void set_aside_for(Call& call);
    void count_refusal(ErrorCode code) noexcept;
    void admit();
    void begin(Call& call);
    void run_timers(TimePoint now);
    void flush_due(TimePoint now);
    void flush(const Uuid& request_id, TimePoint now);
    void drop_expired(TimePoint now);
    static std::size_t retained_size(const Call& call) noexcept;

    Clock& clock_;
    Transport& network_;
    Transport& echo_;
    EngineListener& listener_;
    EngineLimits limits_;
    std::shared_ptr<const Catalog> catalog_ = std::make_shared<Catalog>();
    std::unordered_map<Uuid, std::unique_ptr<Call>, UuidHash> calls_;
    std::unordered_map<Uuid, Call*, UuidHash> by_message_;
    AccountBook accounts_;
    std::unordered_map<Uuid, std::map<std::uint64_t, Call*>, UuidHash> parked_;  // by user and number
    std::size_t parked_count_ = 0;
    Admission admission_;
    ReplySharing sharing_;
    std::unordered_map<std::uint64_t, Call*> following_;                       // by number
    std::unordered_map<Uuid, std::map<std::uint64_t, Call*>, UuidHash> held_;  // likewise
    std::size_t held_count_ = 0;
    std::map<Timer, Call*> timers_;  // deadlines of calls that wait for room, next attempts of others
    std::vector<Uuid> due_flushes_;  // calls with text whose readers have heard nothing for an interval
    std::deque<Due> flushes_;        // of the others, none of which waits for longer than an interval
    std::deque<Retained> retained_;
    std::size_t retained_bytes_ = 0;
    std::size_t in_flight_ = 0;
    EngineCounters counters_;
};

}  // namespace pgchat
