// One model call from submission to its final result: attempts, retries, decoding and classification of failures.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/crypto/sha256.hpp"
#include "core/engine/attempt.hpp"
#include "core/engine/catalog.hpp"
#include "core/engine/circuit_breaker.hpp"
#include "core/engine/fallback.hpp"
#include "core/engine/response_cache.hpp"
#include "core/engine/retry_policy.hpp"
#include "core/engine/spending.hpp"
#include "core/engine/stream_log.hpp"
#include "core/llm/provider.hpp"

namespace pgchat {

struct CallSpec {
    Uuid request_id;
    Uuid user_id;          // nil for a trusted backend without a user
    Uuid message_id;       // nil where the reply belongs to no message
    Uuid conversation_id;  // likewise
    bool durable = false;  // its result is stored by the engine
    bool stream = false;   // ask the provider for tokens as they come
    ChatRequest request;
    std::shared_ptr<const ModelEntry> model;
    // How the model is reached, with the key that is to be used; null: as model->provider says.
    std::shared_ptr<const ProviderConfig> provider;
    bool own_key = false;  // that key is the user's own
    bool may_wait =
        false;  // for a call of the same user to end, where only so many may run at once; else it is refused
    // Asked in this order in place of the model.
    std::vector<std::shared_ptr<const ModelEntry>> fallbacks;
    Milliseconds timeout{600'000};  // from submission, waiting and retries included
};

// The status as stored in chat.messages.status; static storage.
const char* call_status_name(CallStatus status) noexcept;

struct CallResult {
    CallStatus status = CallStatus::error;
    std::string finish_reason;
    std::string tool_calls;  // JSON, empty where there are none
    Usage usage;             // of all attempts together
    bool estimated = false;  // some of usage was not told by the provider
    bool cached = false;     // the reply of an identical call, which cost nothing
    bool sanitized = false;
    std::optional<Error> error;  // why status is not complete
    std::int64_t cost = 0;       // 10^-12 of the currency
    std::vector<Attempt> attempts;
    std::optional<Milliseconds> first_token;
    Milliseconds latency{0};
};

// Limits of one attempt, in force when it begins.
struct CallLimits {
    Milliseconds connect_timeout{10'000};
    Milliseconds idle_timeout{60'000};
    std::size_t max_response_bytes = 64u << 20;
    RetryPolicy retry;
};

// Where in the engine a call is.
enum class CallStage {
    parked,     // until its user's account is known
    held,       // until a call of the same user ends
    following,  // an identical call, for its reply
    waiting,    // for room
    admitted
};

class Call;

// Who is told of a call's progress; called from within Transport::run().
class CallObserver {
public:
    virtual ~CallObserver() = default;
    virtual void text_arrived(Call& call) noexcept = 0;
    // An attempt is over, whatever comes next; called before retry_wanted() and finished().
    virtual void attempt_ended(Call& call, const Attempt& attempt) noexcept = 0;
    // The provider has answered the attempt, with whatever status below 500.
    virtual void provider_answered(Call& call) noexcept = 0;
    // The attempt failed, which says this of its provider. is_last: it is not tried again with this model.
    // retry_wanted(), fall_back() or finished() follows.
    virtual void attempt_failed(Call& call, ProviderHealth health, bool is_last) noexcept = 0;
    // The attempt was the last with this model, and another one may be asked: start() is to be called for that; false:
    // there is none.
    virtual bool fall_back(Call& call) noexcept = 0;
    // The attempt failed; start() is to be called again after the delay.
    virtual void retry_wanted(Call& call, Milliseconds delay) noexcept = 0;
    virtual void finished(Call& call) noexcept = 0;
};

class Call final : public HttpHandler, private ReplySink {
public:
    Call(CallSpec spec, const CallLimits& limits, Clock& clock, CallObserver& observer);
    // Ends an attempt in progress.
    ~Call() override;
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;

    // What the next attempt asks: the model, how it is reached and whether the key is the user's own.
    void use(std::shared_ptr<const ModelEntry> model, std::shared_ptr<const ProviderConfig> provider, bool own_key);
    // Begins the next attempt. A request that cannot be written ends the call at once.
    void start(Transport& transport) noexcept;
    // Ends the call where it stands, keeping the text that has arrived.
    void stop(CallStatus status, Error reason) noexcept;
    // Completes a call that has not begun with the reply of an identical one.
    void complete_with(const CachedReply& reply) noexcept;

    const CallSpec& spec() const noexcept { return spec_; }
    StreamLog& log() noexcept { return log_; }
    const StreamLog& log() const noexcept { return log_; }
    bool has_text() const noexcept { return !log_.content().empty() || !log_.thinking().empty(); }
    // Whether a request is with the provider, so that what became of it is unknown if the call is stopped now.
    bool is_in_progress() const noexcept { return attempt_id_ != 0; }
    bool is_finished() const noexcept { return result_.has_value(); }
    const CallResult& result() const noexcept { return *result_; }
    int attempts() const noexcept { return attempts_; }
    // The next model to ask where the one in use does not serve, once each; null where there is no further one.
    std::shared_ptr<const ModelEntry> next_fallback() noexcept;
    // How many of the fallback models were asked or passed over.
    std::size_t fallbacks_used() const noexcept { return fallbacks_used_; }
    TimePoint submitted_at() const noexcept { return submitted_at_; }
    // What the next attempt may use.
    Estimate estimate() const;
    TimePoint deadline() const noexcept { return submitted_at_ + spec_.timeout; }

    // Marks of the engine that owns the call.
    std::uint64_t number = 0;  // in order of submission
    bool is_running = false;   // counted as one of its account's
    Charge set_aside;          // for the attempt that is under way
    CallStage stage = CallStage::parked;
    bool flush_scheduled = false;
    std::optional<TimePoint> timer;
    std::size_t retained_bytes = 0;
    CircuitBreaker::Permit permit = 0;      // of the attempt that is under way
    std::optional<Sha256Digest> reply_key;  // while it leads or follows identical calls
    Milliseconds reply_ttl{0};
    std::size_t reply_fallback = 0;  // which of the fallback models that reply is of; 0: the first model
    // For the listener of that engine.
    bool checkpoint_scheduled = false;
    void* attachment = nullptr;

    bool on_head(const HttpResponseHead& head) noexcept override;
    bool on_body(std::string_view bytes) noexcept override;
    void on_finished(const HttpResult& result) noexcept override;

private:
    void on_content(std::string_view text) override;
    void on_thinking(std::string_view text) override;

    void text_arrived(EventKind kind, std::string_view text);
    void attempt_succeeded();
    void attempt_failed(const HttpResult& result);
    Error error_of(const HttpResult& result) const;
    void finish(CallStatus status, std::optional<Error> error);
    void conclude(CallStatus status, std::optional<Error> error, CallResult result);
    void end_attempt(CallStatus status, const std::optional<Error>& error);
    void complete_usage(Attempt& attempt, bool reply_ended) const;
    void guess_usage(Attempt& attempt) const;

    CallSpec spec_;
    CallLimits limits_;
    Clock& clock_;
    CallObserver& observer_;
    TimePoint submitted_at_;
    Transport* transport_ = nullptr;
    Transport::Id attempt_id_ = 0;  // 0 between attempts
    int attempts_ = 0;
    int attempts_with_model_ = 0;
    std::size_t fallbacks_used_ = 0;
    bool attempt_is_open_ = false;
    bool request_may_be_sent_ = false;  // of the attempt: until it is known not to be, where it is cut off
    TimePoint attempt_began_at_{};
    std::optional<Milliseconds> attempt_first_token_;
    std::vector<Attempt> ended_attempts_;
    HttpResponseHead head_;
    std::string error_body_;  // of a response that is not 2xx
    std::unique_ptr<ReplyDecoder> decoder_;
    std::optional<Error> failure_;  // of this side, while a body arrived
    StreamLog log_;
    std::optional<Milliseconds> first_token_;
    std::optional<CallResult> result_;
};

}  // namespace pgchat
