// Counting, percentiles and the report.
#include "load.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <charconv>
#include <cstdio>

namespace direct {
namespace {

int64_t cpu_us() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1'000'000LL + usage.ru_utime.tv_usec +
           usage.ru_stime.tv_usec;
}

std::string percentiles(std::string_view name, std::vector<float> values) {
    if (values.empty()) return {};
    std::sort(values.begin(), values.end());
    const auto at = [&](double share) {
        return values[static_cast<size_t>(share * static_cast<double>(values.size() - 1))];
    };
    char text[200];
    std::snprintf(text, sizeof text, R"(,"%.*s":{"p50":%.1f,"p99":%.1f,"max":%.1f})", static_cast<int>(name.size()),
                  name.data(), at(0.5), at(0.99), values.back());
    return text;
}

}  // namespace

std::string Load::body() const {
    return R"({"model":")" + model + R"(",)" + (stream ? R"("stream":true,)" : "") +
           R"("messages":[{"role":"user","content":"hello"}]})";
}

Measure::Measure(const Load& load) : load_(load), start_ns_(nanos(CLOCK_MONOTONIC)), start_cpu_us_(cpu_us()) {}

bool Measure::may_begin() const {
    if (load_.calls > 0) return begun_ < load_.calls;
    return static_cast<double>(nanos(CLOCK_MONOTONIC) - start_ns_) < load_.seconds * 1e9;
}

bool Measure::begin_call() {
    const bool may = may_begin();
    begun_ += may;
    return may;
}

void Measure::end_call(int64_t begun_ns, bool ok) {
    ++ended_;
    errors_ += !ok;
    call_us_.push_back(static_cast<float>(nanos(CLOCK_MONOTONIC) - begun_ns) / 1000);
}

void Measure::received(std::string_view bytes) {
    bytes_ += static_cast<long>(bytes.size());
    if (!load_.stream) return;
    constexpr size_t kDigits = 19;
    const int64_t now = nanos(CLOCK_REALTIME);
    for (size_t at = 0; (at = bytes.find(':', at)) != std::string_view::npos;) {
        const std::string_view digits = bytes.substr(++at, kDigits + 1);
        if (digits.size() <= kDigits || digits.back() != ' ' || digits.front() < '1' || digits.front() > '9') continue;
        int64_t stamp = 0;
        const auto parsed = std::from_chars(digits.data(), digits.data() + kDigits, stamp);
        if (parsed.ptr == digits.data() + kDigits) stamp_age_us_.push_back(static_cast<float>(now - stamp) / 1000);
    }
}

std::string Measure::report() const {
    const double seconds = static_cast<double>(nanos(CLOCK_MONOTONIC) - start_ns_) / 1e9;
    const auto cpu = static_cast<double>(cpu_us() - start_cpu_us_);
    const auto calls = static_cast<double>(std::max(ended_, 1L));
    char text[400];
    std::snprintf(text, sizeof text,
                  R"({"client":"%s","clients":%d,"calls":%ld,"errors":%ld,"seconds":%.3f,"calls_per_second":%.0f,)"
                  R"("cpu_us_per_call":%.2f,"bytes":%ld)",
                  load_.curl ? "curl" : "raw", load_.clients, ended_, errors_, seconds,
                  static_cast<double>(ended_) / seconds, cpu / calls, bytes_);
    std::string out = text;
    out += percentiles("call_us", call_us_);
    if (!stamp_age_us_.empty()) {
        std::snprintf(text, sizeof text, R"(,"stamps":%zu,"cpu_us_per_stamp":%.2f)", stamp_age_us_.size(),
                      cpu / static_cast<double>(stamp_age_us_.size()));
        out += text + percentiles("stamp_age_us", stamp_age_us_);
    }
    return out + '}';
}

}  // namespace direct
