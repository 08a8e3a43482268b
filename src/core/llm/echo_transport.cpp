#include "core/llm/echo_transport.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "core/llm/echo.hpp"
#include "core/llm/echo_call.hpp"

namespace pgchat {
namespace {

// Keys whose attempts are remembered; beyond it all are forgotten, so that a long-lived process does not grow.
constexpr std::size_t most_attempt_keys = 10'000;
constexpr int default_error_status = 500;

bool is_acceptable(const HttpRequest& request) {
    return request.url == echo_url &&
           std::all_of(request.headers.begin(), request.headers.end(), [](const auto& header) {
               return header.find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos;
           });
}

}  // namespace

EchoTransport::EchoTransport(Clock& clock) : clock_(clock) {}

EchoTransport::~EchoTransport() = default;

Transport::Id EchoTransport::start(HttpRequest request, HttpHandler& handler) {
    const Id id = ++last_id_;
    const TimePoint now = clock_.now();
    std::unique_ptr<EchoCall> call;
    try {
        if (!is_acceptable(request)) throw Error(ErrorCode::invalid_argument, "not a request for the echo provider");
        EchoRequest script = parse_echo_request(request.body);
        if (script.script.fail_times) {
            const std::uint64_t attempt = count_attempt(script.script.key.empty() ? request.body : script.script.key);
            const bool fails = attempt <= static_cast<std::uint64_t>(*script.script.fail_times);
            script.script.status = fails ? script.script.status.value_or(default_error_status) : std::optional<int>();
        }
        call = std::make_unique<EchoCall>(std::move(script), request, handler, now);
    } catch (const Error& error) {
        call = std::make_unique<EchoCall>(error.what(), handler, now);
    }
    deadlines_.emplace(call->next_time(), id);
    calls_.emplace(id, std::move(call));
    return id;
}

std::uint64_t EchoTransport::count_attempt(const std::string& key) {
    if (attempts_.size() >= most_attempt_keys) attempts_.clear();
    return ++attempts_[key];
}

void EchoTransport::cancel(Id id) noexcept {
    const auto found = calls_.find(id);
    if (found == calls_.end()) return;
    deadlines_.erase({found->second->next_time(), id});
    calls_.erase(found);
}

// Calls that a handler starts wait for the next run(), so that a handler that always starts another cannot hold it.
void EchoTransport::run() {
    const TimePoint now = clock_.now();
    due_.clear();
    for (auto at = deadlines_.begin(); at != deadlines_.end() && at->first <= now; ++at) due_.push_back(at->second);
    for (const Id id : due_) {
        const auto found = calls_.find(id);
        if (found == calls_.end()) continue;
        deadlines_.erase({found->second->next_time(), id});
        if (found->second->play(now)) {
            deadlines_.emplace(found->second->next_time(), id);
            continue;
        }
        const std::unique_ptr<EchoCall> call = std::move(found->second);
        calls_.erase(found);
        call->tell_result();
    }
}

std::optional<TimePoint> EchoTransport::next_deadline() const {
    if (deadlines_.empty()) return std::nullopt;
    return deadlines_.begin()->first;
}

}  // namespace pgchat
