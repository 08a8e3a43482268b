// burst: commits one transaction that queues requests, and measures how long it takes until a condition holds.
//
//   burst --submit STATEMENT --done QUERY
//
// QUERY returns one boolean; it is asked each 5 ms, in transactions of its own. Prints commit_ms, from sending COMMIT
// to its answer, and done_ms, from that answer to the first true.
#include <chrono>
#include <thread>

#include "measure.hpp"

using namespace bench;

namespace {

constexpr std::chrono::milliseconds poll_interval{5};
constexpr int64_t give_up_ns = 120'000'000'000;

void burst(const Options& options) {
    const std::string done = options.text("done");
    const Connection submitter = connect();
    const Connection poller = connect();
    checked(PQprepare(poller.get(), "done", done.c_str(), 0, nullptr));
    run(submitter, "BEGIN");
    run(submitter, options.text("submit"));
    const int64_t committing = now_ns();
    run(submitter, "COMMIT");
    const int64_t committed = now_ns();
    for (;;) {
        const Result answer = checked(PQexecPrepared(poller.get(), "done", 0, nullptr, nullptr, nullptr, 0));
        if (PQgetvalue(answer.get(), 0, 0)[0] == 't') break;
        if (now_ns() - committed > give_up_ns) throw std::runtime_error("not done after two minutes");
        std::this_thread::sleep_for(poll_interval);
    }
    std::printf(R"({"commit_ms":%.2f,"done_ms":%.2f})"
                "\n",
                static_cast<double>(committed - committing) / 1e6, static_cast<double>(now_ns() - committed) / 1e6);
}

}  // namespace

int main(int argc, char** argv) {
    return guarded_main(argc, argv, burst);
}
