// One model call from submission to its final result: attempts, retries, decoding and classification of failures.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/engine/catalog.hpp"
#include "core/engine/retry_policy.hpp"
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

enum class CallStatus { complete, incomplete, error, cancelled };

// The status as stored in chat.messages.status; static storage.
const char* call_status_name(CallStatus status) noexcept;

struct CallResult {
    CallStatus status = CallStatus::error;
    std::string finish_reason;
    std::string tool_calls;  // JSON, empty where there are none
    Usage usage;
    bool estimated = false;  // some of usage was not told by the provider
    bool sanitized = false;
    std::optional<Error> error;  // why status is not complete
    std::int64_t cost = 0;       // 10^-12 of the currency
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
    parked,   // until its user's account is known
    held,     // until a call of the same user ends
    waiting,  // for room
    admitted
};

class Call;

// Who is told of a call's progress; called from within Transport::run().
class CallObserver {
public:
    virtual ~CallObserver() = default;
    virtual void text_arrived(Call& call) noexcept = 0;
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

    const CallSpec& spec() const noexcept { return spec_; }
    StreamLog& log() noexcept { return log_; }
    const StreamLog& log() const noexcept { return log_; }
    bool has_text() const noexcept { return !log_.content().empty() || !log_.thinking().empty(); }
    // Whether a request is with the provider, so that what became of it is unknown if the call is stopped now.
    bool is_in_progress() const noexcept { return attempt_id_ != 0; }
    // Of a complete request for embeddings, as ReplyInfo has them.
    const std::string& embeddings() const noexcept { return embeddings_; }
    bool is_finished() const noexcept { return result_.has_value(); }
    const CallResult& result() const noexcept { return *result_; }
    int attempts() const noexcept { return attempts_; }
    TimePoint submitted_at() const noexcept { return submitted_at_; }
    TimePoint deadline() const noexcept { return submitted_at_ + spec_.timeout; }

    // Marks of the engine that owns the call.
    std::uint64_t number = 0;  // in order of submission
    CallStage stage = CallStage::parked;
    bool flush_scheduled = false;
    std::optional<TimePoint> timer;
    std::size_t retained_bytes = 0;
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
    void complete_usage(CallResult& result, bool reply_ended) const;
    void reply_invalid(const std::string& fault);
    void add_spent(CallResult& result) const;

    CallSpec spec_;
    CallLimits limits_;
    Clock& clock_;
    CallObserver& observer_;
    TimePoint submitted_at_;
    Transport* transport_ = nullptr;
    Transport::Id attempt_id_ = 0;  // 0 between attempts
    int attempts_ = 0;
    HttpResponseHead head_;
    std::string error_body_;  // of a response that is not 2xx
    std::unique_ptr<ReplyDecoder> decoder_;
    std::optional<Error> failure_;  // of this side, while a body arrived
    StreamLog log_;
    std::optional<Milliseconds> first_token_;
    std::string embeddings_;
    // Of a reply that was not what response_format asks for, and is asked for once more.
    bool repairing_ = false;
    Usage spent_;
    bool spent_is_estimated_ = false;
    std::optional<CallResult> result_;
};

}  // namespace pgchat
