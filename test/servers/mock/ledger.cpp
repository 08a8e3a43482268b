// Counting, and the JSON the admin endpoints answer with.
#include "ledger.hpp"

#include <sys/resource.h>

#include <algorithm>

#include "json_scan.hpp"

namespace mock {
namespace {

constexpr size_t kMaxRecordedBytes = 256 * 1024 * 1024;

int64_t cpu_us() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1'000'000LL + usage.ru_utime.tv_usec +
           usage.ru_stime.tv_usec;
}

void append_string(std::string& out, std::string_view value) {
    out += '"';
    json::escape(out, value);
    out += '"';
}

void append_number(std::string& out, std::string_view name, int64_t value) {
    out.append(",\"").append(name).append("\":").append(std::to_string(value));
}

std::string_view outcome_name(Outcome outcome) {
    switch (outcome) {
        case Outcome::kCompleted:
            return "completed";
        case Outcome::kCut:
            return "cut";
        case Outcome::kAborted:
            return "aborted";
    }
    return {};
}

}  // namespace

Ledger::Ledger() : cpu_us_at_reset_(cpu_us()) {}

void Ledger::begin_request(const HttpRequest& request, std::string_view key) {
    ++requests_;
    const uint64_t now_in_flight = ++in_flight_;
    uint64_t seen = max_in_flight_.load(std::memory_order_relaxed);
    while (now_in_flight > seen && !max_in_flight_.compare_exchange_weak(seen, now_in_flight)) {
    }
    const std::lock_guard lock(mutex_);
    if (!key.empty()) ++by_key_[std::string(key)];
    if (recorded_bytes_ > kMaxRecordedBytes) {
        recorded_.clear();
        recorded_bytes_ = 0;
    }
    Recorded& slot = recorded_.push();
    recorded_bytes_ -= slot.head.size() + slot.body.size();
    slot.head = request.head;
    slot.body = request.body;
    slot.time = real_now();
    recorded_bytes_ += slot.head.size() + slot.body.size();
}

void Ledger::finish_request(Outcome outcome) {
    --in_flight_;
    ++(outcome == Outcome::kCompleted ? completed_ : outcome == Outcome::kCut ? cut_ : aborted_);
}

void Ledger::add_timing(StreamTiming timing) {
    const std::lock_guard lock(mutex_);
    timings_.push() = std::move(timing);
}

bool Ledger::take_failure(const std::string& key, long times) {
    const std::lock_guard lock(mutex_);
    return failures_[key]++ < times;
}

std::string Ledger::stats() {
    const std::lock_guard lock(mutex_);
    const int64_t cpu = cpu_us() - cpu_us_at_reset_;
    std::string out = "{\"requests\":" + std::to_string(requests_);
    append_number(out, "in_flight", static_cast<int64_t>(in_flight_.load()));
    append_number(out, "max_in_flight", static_cast<int64_t>(max_in_flight_.load()));
    append_number(out, "completed", static_cast<int64_t>(completed_.load()));
    append_number(out, "cut_by_scenario", static_cast<int64_t>(cut_.load()));
    append_number(out, "aborted_by_client", static_cast<int64_t>(aborted_.load()));
    append_number(out, "tokens_sent", static_cast<int64_t>(tokens_.load()));
    append_number(out, "connections", static_cast<int64_t>(connections_.load()));
    append_number(out, "cpu_us", cpu);
    const uint64_t tokens = tokens_;
    out += ",\"cpu_us_per_token\":" +
           (tokens == 0 ? std::string("null") : std::to_string(static_cast<double>(cpu) / static_cast<double>(tokens)));
    out += ",\"by_key\":{";
    for (const auto& [key, count] : by_key_) {
        if (out.back() != '{') out += ',';
        append_string(out, key);
        out += ':' + std::to_string(count);
    }
    return out + "}}";
}

std::string Ledger::last_requests(size_t count) {
    const std::lock_guard lock(mutex_);
    const size_t size = recorded_.slots.size();
    std::string out = "[";
    for (size_t i = size - std::min(count, size); i < size; ++i) {
        const Recorded& request = recorded_.from_oldest(i);
        const std::string_view head = request.head;
        const size_t method_end = head.find(' ');
        out += out.size() > 1 ? ",{\"method\":" : "{\"method\":";
        append_string(out, head.substr(0, method_end));
        out += ",\"target\":";
        append_string(out, head.substr(method_end + 1, head.find(' ', method_end + 1) - method_end - 1));
        append_number(out, "time_ns", request.time);
        out += ",\"headers\":[";
        Headers headers;
        parse_headers(head, headers);
        for (const auto& [name, value] : headers) {
            out += out.back() == '[' ? "[" : ",[";
            append_string(out, name);
            out += ',';
            append_string(out, value);
            out += ']';
        }
        out += "],\"body\":";
        append_string(out, request.body);
        out += '}';
    }
    return out + ']';
}

std::string Ledger::last_timings(size_t count) {
    const std::lock_guard lock(mutex_);
    const size_t size = timings_.slots.size();
    std::string out = "[";
    for (size_t i = size - std::min(count, size); i < size; ++i) {
        const StreamTiming& timing = timings_.from_oldest(i);
        out += out.size() > 1 ? ",{\"key\":" : "{\"key\":";
        append_string(out, timing.key);
        append_number(out, "requested_ns", timing.requested);
        append_number(out, "head_ns", timing.head);
        append_number(out, "first_token_ns", timing.first_token);
        append_number(out, "last_token_ns", timing.last_token);
        append_number(out, "tokens", timing.tokens);
        out.append(",\"outcome\":\"").append(outcome_name(timing.outcome)).append("\"}");
    }
    return out + ']';
}

void Ledger::reset() {
    const std::lock_guard lock(mutex_);
    requests_ = completed_ = cut_ = aborted_ = tokens_ = connections_ = 0;
    max_in_flight_ = in_flight_.load();
    by_key_.clear();
    failures_.clear();
    recorded_.clear();
    recorded_bytes_ = 0;
    timings_.clear();
    cpu_us_at_reset_ = cpu_us();
}

}  // namespace mock
