#include "core/engine/call.hpp"

#include <array>

#include "core/engine/jitter.hpp"
#include "core/engine/token_estimate.hpp"
#include "core/http/retry_after.hpp"
#include "core/llm/embedding_decoder.hpp"
#include "core/llm/error_scrub.hpp"
#include "core/llm/provider_http.hpp"
#include "core/llm/structured_reply.hpp"

namespace pgchat {
namespace {

constexpr std::size_t max_error_body_bytes = 64u << 10;

bool is_success(int status) noexcept {
    return status >= 200 && status <= 299;
}

Milliseconds since(TimePoint begin, TimePoint end) noexcept {
    return std::chrono::duration_cast<Milliseconds>(end - begin);
}

// How fast a model writes that answers as a whole, and was left before: faster than most.
constexpr std::int64_t guessed_tokens_per_second = 100;

void add(std::optional<std::int64_t>& total, const std::optional<std::int64_t>& part) noexcept {
    if (part) total = total.value_or(0) + *part;
}

}  // namespace

const char* call_status_name(CallStatus status) noexcept {
    constexpr std::array names{"complete", "incomplete", "error", "cancelled"};
    return names[static_cast<std::size_t>(status)];
}

Call::Call(CallSpec spec, const CallLimits& limits, Clock& clock, CallObserver& observer)
    : spec_(std::move(spec)), limits_(limits), clock_(clock), observer_(observer), submitted_at_(clock.now()) {
    if (!spec_.provider && spec_.model) spec_.provider = spec_.model->provider;
}

Call::~Call() {
    if (attempt_id_ != 0) transport_->cancel(attempt_id_);
}

void Call::use(std::shared_ptr<const ModelEntry> model, std::shared_ptr<const ProviderConfig> provider, bool own_key) {
    spec_.model = std::move(model);
    spec_.provider = std::move(provider);
    spec_.own_key = own_key;
    attempts_with_model_ = 0;
}

std::shared_ptr<const ModelEntry> Call::next_fallback() noexcept {
    return fallbacks_used_ < spec_.fallbacks.size() ? spec_.fallbacks[fallbacks_used_++] : nullptr;
}

Estimate Call::estimate() const {
    const Json& configured = provider_option(*spec_.provider, "default_max_tokens");
    const std::int64_t standard = configured.is_number_integer() ? configured.get<std::int64_t>() : 0;
    const OutputEstimate reply =
        spec_.request.embeds ? OutputEstimate{0, true} : estimated_output_tokens(spec_.request.options, standard);
    Usage usage;
    usage.input_tokens = estimated_input_tokens(spec_.request);
    Estimate estimate;
    estimate.is_limit = reply.is_limit;
    estimate.least = {*usage.input_tokens, cost_of(*spec_.model, usage)};
    usage.output_tokens = reply.tokens;
    estimate.most = {*usage.input_tokens + reply.tokens, cost_of(*spec_.model, usage)};
    return estimate;
}

void Call::start(Transport& transport) noexcept {
    try {
        const Milliseconds left = since(clock_.now(), deadline());
        if (left <= Milliseconds{0}) {
            stop(CallStatus::error,
                 Error(ErrorCode::request_timeout, "the call's time was up before it could be sent"));
            return;
        }
        const Provider& provider = provider_for(spec_.provider->kind);
        const std::string& model = spec_.model->provider_model;
        HttpRequest request = spec_.request.embeds
                                  ? provider.encode_embeddings(*spec_.provider, model, spec_.request)
                                  : provider.encode(*spec_.provider, model, spec_.request, spec_.stream);
        request.connect_timeout = std::min(limits_.connect_timeout, left);
        request.idle_timeout = limits_.idle_timeout;
        request.total_timeout = left;
        request.max_response_bytes = limits_.max_response_bytes;
        if (spec_.stream) request.read_rest = limits_.read_rest;
        decoder_ = spec_.request.embeds ? std::make_unique<EmbeddingDecoder>(spec_.request.messages.size())
                                        : provider.decoder(spec_.stream);
        head_ = {};
        error_body_.clear();
        ++attempts_;
        ++attempts_with_model_;
        attempt_is_open_ = true;
        request_may_be_sent_ = true;
        attempt_began_at_ = clock_.now();
        attempt_first_token_.reset();
        transport_ = &transport;
        attempt_id_ = transport.start(std::move(request), *this);
    } catch (const Error& error) {
        finish(CallStatus::error, error);
    } catch (const std::exception& error) {
        finish(CallStatus::error, Error(ErrorCode::internal, error.what()));
    }
}

void Call::stop(CallStatus status, Error reason) noexcept {
    if (is_finished()) return;
    if (attempt_id_ != 0) transport_->cancel(attempt_id_);
    attempt_id_ = 0;
    finish(status, std::move(reason));
}

void Call::complete_with(const CachedReply& reply) noexcept {
    try {
        first_token_ = since(submitted_at_, clock_.now());
        log_.append(EventKind::thinking, reply.thinking);
        log_.append(EventKind::content, reply.content);
        CallResult result;
        result.finish_reason = reply.finish_reason;
        result.tool_calls = reply.tool_calls;
        result.sanitized = reply.sanitized;
        result.cached = true;
        Attempt attempt;
        attempt.model = spec_.model;
        attempt.provider = spec_.provider;
        attempt.own_key = spec_.own_key;
        attempt.is_cached = true;
        attempt.status = CallStatus::complete;
        attempt.usage = {0, 0, 0};
        attempt.first_token = first_token_;
        attempt.latency = *first_token_;
        ended_attempts_.push_back(attempt);
        conclude(CallStatus::complete, std::nullopt, std::move(result));
    } catch (const std::exception& error) {
        finish(CallStatus::error, Error(ErrorCode::internal, error.what()));
    }
}

bool Call::on_head(const HttpResponseHead& head) noexcept {
    head_ = head;
    if (head.status < 500) observer_.provider_answered(*this);
    return true;
}

bool Call::on_body(std::string_view bytes) noexcept {
    // No memory for one large reply must not end the process, and with it all other calls.
    try {
        if (is_success(head_.status)) return decoder_->feed(bytes, *this);
        error_body_.append(bytes.substr(0, max_error_body_bytes - std::min(max_error_body_bytes, error_body_.size())));
        return true;
    } catch (const std::exception& error) {
        failure_.emplace(ErrorCode::internal, error.what());
        return false;
    }
}

void Call::on_finished(const HttpResult& result) noexcept {
    attempt_id_ = 0;
    request_may_be_sent_ = result.request_sent;
    try {
        if (failure_) return finish(has_text() ? CallStatus::incomplete : CallStatus::error, std::move(failure_));
        if (is_success(head_.status)) decoder_->finish(*this);
        const ReplyInfo& info = decoder_->info();
        const bool decoder_refused = result.outcome == HttpOutcome::aborted && info.error;
        // A reply that is whole stays so when its connection then breaks or is left open.
        const bool whole = info.ended && !info.error;
        if (whole || decoder_refused || (result.outcome == HttpOutcome::ok && is_success(result.status)))
            attempt_succeeded();
        else
            attempt_failed(result);
    } catch (const std::exception& error) {
        finish(CallStatus::error, Error(ErrorCode::internal, error.what()));
    }
}

void Call::on_content(std::string_view text) {
    text_arrived(EventKind::content, text);
}

void Call::on_thinking(std::string_view text) {
    text_arrived(EventKind::thinking, text);
}

void Call::text_arrived(EventKind kind, std::string_view text) {
    if (!first_token_) first_token_ = since(submitted_at_, clock_.now());
    if (!attempt_first_token_) attempt_first_token_ = since(attempt_began_at_, clock_.now());
    log_.append(kind, text);
    observer_.text_arrived(*this);
}

void Call::attempt_succeeded() {
    const ReplyInfo& info = decoder_->info();
    if (info.error) {
        finish(has_text() ? CallStatus::incomplete : CallStatus::error, info.error);
    } else if (!info.ended) {
        finish(CallStatus::incomplete,
               Error(ErrorCode::incomplete_response, "the reply broke off before its end",
                     "What arrived of it is kept; the provider is not asked again unless you do."));
    } else if (const auto fault = info.tool_calls.is_null()
                                      ? structured_reply_fault(spec_.request.response_format, log_.content())
                                      : std::nullopt) {
        reply_invalid(*fault);
    } else {
        embeddings_ = info.embeddings;
        finish(CallStatus::complete, std::nullopt);
    }
}

// Asks once more, showing the model what is wrong, unless readers have the text already or it would end the same way.
void Call::reply_invalid(const std::string& fault) {
    const std::string& reason = decoder_->info().finish_reason;
    const bool was_cut = reason == "length";
    if (spec_.stream || repairing_ || was_cut || reason == "content_filter" || clock_.now() >= deadline()) {
        finish(has_text() ? CallStatus::incomplete : CallStatus::error,
               Error(ErrorCode::invalid_structured_reply, "the reply is not what response_format asks for: " + fault,
                     was_cut ? "It was cut off at its longest: raise max_tokens."
                             : "Simplify the schema, or take a model that is better at it."));
        return;
    }
    const Error reason_to_repair(ErrorCode::invalid_structured_reply, fault);
    end_attempt(CallStatus::error, reason_to_repair);
    ask_for_repair(spec_.request, log_.content(), fault);
    repairing_ = true;
    attempts_with_model_ = 0;
    log_ = {};
    first_token_.reset();
    decoder_.reset();
    observer_.retry_wanted(*this, Milliseconds{0});
}

void Call::attempt_failed(const HttpResult& result) {
    FailedAttempt attempt;
    attempt.number = attempts_with_model_;
    attempt.outcome = result.outcome;
    attempt.status = result.status;
    attempt.request_sent = result.request_sent;
    attempt.has_text = has_text();
    attempt.retry_after =
        parse_retry_after(head_.retry_after, std::chrono::system_clock::now(), std::chrono::hours(24));
    const std::optional<Milliseconds> delay = retry_delay(limits_.retry, attempt, random_fraction());
    const bool tries_again = delay && clock_.now() + *delay < deadline();
    observer_.attempt_failed(*this, provider_health(attempt, since(attempt_began_at_, clock_.now())), !tries_again);
    Error error = error_of(result);
    const CallStatus status = has_text() ? CallStatus::incomplete : CallStatus::error;
    end_attempt(status, error);
    if (tries_again)
        observer_.retry_wanted(*this, *delay);
    else if (!may_fall_back(attempt) || !observer_.fall_back(*this))
        finish(status, std::move(error));
}

Error Call::error_of(const HttpResult& result) const {
    const std::string provider = "provider " + spec_.provider->name + ": ";
    switch (result.outcome) {
        case HttpOutcome::ok:
            return provider_for(spec_.provider->kind).error_from_response(*spec_.provider, result.status, error_body_);
        case HttpOutcome::invalid_request:
            return Error(ErrorCode::configuration_error, provider + result.message);
        case HttpOutcome::address_refused:
            return Error(ErrorCode::provider_address_refused, provider + result.message,
                         "An operator allows private addresses and plain http by host in pgchat.trusted_hosts.");
        case HttpOutcome::resolve_failed:
        case HttpOutcome::connect_failed:
        case HttpOutcome::connect_timeout:
        case HttpOutcome::tls_failed:
            return Error(ErrorCode::provider_unreachable, provider + result.message,
                         "Check the provider's base_url and that the server can reach it.");
        case HttpOutcome::idle_timeout:
        case HttpOutcome::total_timeout:
            return Error(ErrorCode::request_timeout, provider + result.message,
                         "Give the call a longer timeout_ms, or see pgchat.idle_timeout and pgchat.request_timeout.");
        case HttpOutcome::broken:
            if (has_text() || is_success(head_.status))
                return Error(
                    ErrorCode::incomplete_response, "the reply broke off before its end",
                    "What arrived of it, if anything, is kept; the provider is not asked again unless you do.");
            return Error(ErrorCode::outcome_unknown, provider + "the connection broke after the request was sent",
                         "The provider may have done the work; it is not repeated unless you ask again.");
        case HttpOutcome::too_large:
            return Error(ErrorCode::response_too_large,
                         provider + "the response is larger than pgchat.max_response_bytes");
        case HttpOutcome::protocol_error:
        case HttpOutcome::aborted:
            break;
    }
    return Error(ErrorCode::provider_bad_response, provider + result.message);
}

// What an attempt used is told by its provider, else estimated. Nothing is charged where the provider refused, or was
// not reached.
void Call::end_attempt(CallStatus status, const std::optional<Error>& error) {
    if (!std::exchange(attempt_is_open_, false)) return;
    Attempt attempt;
    attempt.number = attempts_;
    attempt.model = spec_.model;
    attempt.provider = spec_.provider;
    attempt.own_key = spec_.own_key;
    attempt.status = status;
    if (error) attempt.error = error->code();
    attempt.first_token = attempt_first_token_;
    attempt.latency = since(attempt_began_at_, clock_.now());
    if (decoder_) {
        const ReplyInfo& info = decoder_->info();
        attempt.usage = info.usage;
        if (is_success(head_.status))
            complete_usage(attempt, info.ended);
        else if (head_.status == 0 && request_may_be_sent_)
            guess_usage(attempt);
    }
    attempt.cost = cost_of(*spec_.model, attempt.usage);
    ended_attempts_.push_back(attempt);
    observer_.attempt_ended(*this, attempt);
}

// Estimates what the provider did not tell. Counts told before the reply's end are only those up to then (Anthropic's
// message_start has a first output_tokens), so that a call stopped midway is not accounted by them alone.
void Call::complete_usage(Attempt& attempt, bool reply_ended) const {
    Usage& usage = attempt.usage;
    if (!usage.input_tokens) {
        usage.input_tokens = estimated_input_tokens(spec_.request);
        attempt.estimated = true;
    }
    if (spec_.request.embeds) usage.output_tokens = 0;
    if (usage.output_tokens && reply_ended) return;
    const Json& tool_calls = decoder_->info().tool_calls;
    const std::size_t tool_bytes =
        tool_calls.is_null() ? 0 : tool_calls.dump(-1, ' ', false, Json::error_handler_t::replace).size();
    const std::int64_t estimate = estimated_tokens(log_.content().size() + log_.thinking().size() + tool_bytes);
    if (usage.output_tokens && *usage.output_tokens >= estimate) return;
    usage.output_tokens = estimate;
    attempt.estimated = true;
}

// The request went out and nothing came back: the provider may have read it, and where it does not stream, have written
// as much as fits into the time.
void Call::guess_usage(Attempt& attempt) const {
    attempt.usage.input_tokens = estimated_input_tokens(spec_.request);
    const std::int64_t written = attempt.latency.count() * guessed_tokens_per_second / 1000;
    attempt.usage.output_tokens =
        spec_.stream ? 0 : std::min(written, estimated_output_tokens(spec_.request.options).tokens);
    attempt.estimated = true;
}

void Call::finish(CallStatus status, std::optional<Error> error) {
    end_attempt(status, error);
    CallResult result;
    if (decoder_) {
        const ReplyInfo& info = decoder_->info();
        result.finish_reason = info.finish_reason;
        result.sanitized = info.sanitized;
        if (!info.tool_calls.is_null())
            result.tool_calls = info.tool_calls.dump(-1, ' ', false, Json::error_handler_t::replace);
    }
    conclude(status, std::move(error), std::move(result));
}

void Call::conclude(CallStatus status, std::optional<Error> error, CallResult result) {
    result.status = status;
    if (error) result.error = without_secrets(*error, *spec_.provider);
    result.latency = since(submitted_at_, clock_.now());
    result.first_token = first_token_;
    for (const Attempt& attempt : ended_attempts_) {
        add(result.usage.input_tokens, attempt.usage.input_tokens);
        add(result.usage.output_tokens, attempt.usage.output_tokens);
        add(result.usage.cached_tokens, attempt.usage.cached_tokens);
        result.estimated = result.estimated || attempt.estimated;
        result.cost = saturated_sum(result.cost, attempt.cost);
    }
    result.attempts = std::move(ended_attempts_);
    result_ = std::move(result);
    decoder_.reset();
    spec_.request = {};
    error_body_ = {};
    observer_.finished(*this);
}

}  // namespace pgchat
