// What a load is and what comes out of it, for the raw and the libcurl client alike.
#pragma once

#include <time.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace direct {

struct Load {
    std::string host = "127.0.0.1";
    int port = 0;
    std::string path = "/v1/chat/completions";
    std::string model = "mock";
    std::string key;     // sent as Authorization: Bearer
    int clients = 1;     // calls in flight
    double seconds = 5;  // how long new calls are begun
    long calls = 0;      // not 0: so many calls instead
    bool stream = false;
    bool curl = false;

    std::string body() const;
};

inline int64_t nanos(clockid_t id) {
    timespec t{};
    clock_gettime(id, &t);
    return t.tv_sec * 1'000'000'000LL + t.tv_nsec;
}

// Decides when to begin and collects what was measured.
class Measure {
public:
    explicit Measure(const Load& load);

    // True, and counted, where another call is to be begun.
    bool begin_call();
    void end_call(int64_t begun_ns, bool ok);
    // Counts the bytes of a reply, and takes the ages of the stamps "<i>:<CLOCK_REALTIME ns> " in them.
    void received(std::string_view bytes);
    bool all_done() const { return begun_ == ended_ && !may_begin(); }
    // One JSON object with the figures.
    std::string report() const;

private:
    bool may_begin() const;

    const Load& load_;
    int64_t start_ns_;
    int64_t start_cpu_us_;
    long begun_ = 0;
    long ended_ = 0;
    long errors_ = 0;
    long bytes_ = 0;
    std::vector<float> call_us_;
    std::vector<float> stamp_age_us_;
};

// Each runs the load until its calls have ended. Throws std::runtime_error where it cannot go on.
void run_raw(const Load& load, Measure& measure);
void run_curl(const Load& load, Measure& measure);

}  // namespace direct
