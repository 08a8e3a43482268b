// What the mock saw and did: counters, the last requests verbatim, and the times of the last streams.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "clock.hpp"
#include "http_request.hpp"

namespace mock {

enum class Outcome { kCompleted, kCut, kAborted };

// Times are CLOCK_REALTIME; 0 where the event did not happen.
struct StreamTiming {
    std::string key;
    Nanos requested = 0;
    Nanos head = 0;
    Nanos first_token = 0;
    Nanos last_token = 0;
    long tokens = 0;
    Outcome outcome = Outcome::kCompleted;
};

// Shared by all threads.
class Ledger {
public:
    Ledger();

    // Notes that a connection was accepted.
    void connected() { ++connections_; }
    // Notes an API request under its key (may be empty); every call is followed by one of `finish_request`.
    void begin_request(const HttpRequest& request, std::string_view key);
    void finish_request(Outcome outcome);
    void count_tokens(long tokens) { tokens_ += static_cast<uint64_t>(tokens); }
    // Keeps the times of a stream that has ended.
    void add_timing(StreamTiming timing);
    // Counts a request under a scenario's failure key; true while it is one of the first `times`.
    bool take_failure(const std::string& key, long times);

    // The answers of the admin endpoints, as JSON.
    std::string stats();
    std::string last_requests(size_t count);
    std::string last_timings(size_t count);
    void reset();

private:
    struct Recorded {
        std::string head;
        std::string body;
        Nanos time = 0;
    };
    // The last N values; slots are reused, so that recording does not allocate.
    template <typename T, size_t N>
    struct Ring {
        std::vector<T> slots;
        size_t next = 0;
        T& push() {
            if (slots.size() < N) return slots.emplace_back();
            T& slot = slots[next];
            next = (next + 1) % N;
            return slot;
        }
        const T& from_oldest(size_t i) const { return slots[(next + i) % slots.size()]; }
        void clear() { slots.clear(), next = 0; }
    };

    std::atomic<uint64_t> requests_{0}, in_flight_{0}, max_in_flight_{0}, completed_{0}, cut_{0}, aborted_{0},
        tokens_{0}, connections_{0};
    std::mutex mutex_;  // guards what follows
    std::unordered_map<std::string, uint64_t> by_key_;
    std::unordered_map<std::string, long> failures_;
    Ring<Recorded, 4096> recorded_;
    size_t recorded_bytes_ = 0;
    Ring<StreamTiming, 65536> timings_;
    int64_t cpu_us_at_reset_ = 0;
};

}  // namespace mock
