// spacing: commits single requests at random intervals and measures, for each, when the provider was asked and when its
// answer could be read.
//
//   spacing --port MOCK_PORT [--count 200] [--widest_ms 50] [--model instant] [--readers 4]
//
// Readers wait in chat.llm_result. Prints percentiles of: dispatch, from the answer to COMMIT to the request's arrival
// at the provider (committing_…: from sending COMMIT, an upper bound), and visible, from the request's arrival (the
// provider answers at once) to the reader's return.
#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <random>
#include <thread>

#include "measure.hpp"
#include "mock_log.hpp"

using namespace bench;

namespace {

struct Request {
    std::string key;
    std::string id;
    int64_t committing = 0;
    int64_t committed = 0;
    int64_t visible = 0;
};

// Requests on their way from the submitter to the readers; a null pointer ends a reader.
class Queue {
public:
    void push(Request* request) {
        const std::lock_guard lock(mutex_);
        requests_.push_back(request);
        changed_.notify_one();
    }
    Request* pop() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return !requests_.empty(); });
        Request* const request = requests_.front();
        requests_.pop_front();
        return request;
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Request*> requests_;
};

void read_answers(Queue& queue, std::exception_ptr& failure) {
    try {
        const Connection connection = connect();
        while (Request* const request = queue.pop()) {
            const Result answer =
                run(connection, "SELECT chat.llm_result($1, 20000) ->> 'status'", {request->id.c_str()});
            request->visible = now_ns();
            if (std::string(PQgetvalue(answer.get(), 0, 0)) != "complete") throw std::runtime_error("a request failed");
        }
    } catch (...) {
        failure = std::current_exception();
    }
}

void submit(const Connection& connection, Request& request, const std::string& model) {
    run(connection, "BEGIN");
    const Result id = run(connection, "SELECT chat.llm_submit($1, $2)", {request.key.c_str(), model.c_str()});
    request.id = PQgetvalue(id.get(), 0, 0);
    request.committing = now_ns();
    run(connection, "COMMIT");
    request.committed = now_ns();
}

// Ends the readers whatever happens, so that their threads can be joined.
struct Ending {
    Queue& queue;
    size_t readers;
    ~Ending() {
        for (size_t i = 0; i < readers; ++i) queue.push(nullptr);
    }
};

void submit_all(std::vector<Request>& requests, Queue& queue, const Options& options) {
    const std::string model = options.text("model", "instant");
    std::mt19937 random(20240229);
    std::uniform_int_distribution<int> gap_us(0, options.number("widest_ms", 50) * 1000);
    const Connection connection = connect();
    const std::string run_id = std::to_string(now_ns());
    for (size_t i = 0; i < requests.size(); ++i) {
        requests[i].key = "key:" + run_id + "-" + std::to_string(i);
        submit(connection, requests[i], model);
        queue.push(&requests[i]);
        std::this_thread::sleep_for(std::chrono::microseconds(gap_us(random)));
    }
}

void print_percentiles(const char* name, const std::vector<double>& ms, const char* end) {
    std::printf(R"("%s_p50_ms":%.2f,"%s_p99_ms":%.2f,"%s_max_ms":%.2f%s)", name, percentile(ms, 0.5), name,
                percentile(ms, 0.99), name, percentile(ms, 1), end);
}

void print(const std::vector<Request>& requests, const std::unordered_map<std::string, Seen>& seen) {
    std::vector<double> dispatch, committing, visible;
    for (const Request& request : requests) {
        const int64_t arrived = seen.at(request.key).requested;
        dispatch.push_back(std::max(0.0, static_cast<double>(arrived - request.committed) / 1e6));
        committing.push_back(static_cast<double>(arrived - request.committing) / 1e6);
        visible.push_back(static_cast<double>(request.visible - arrived) / 1e6);
    }
    std::printf(R"({"requests":%zu,)", requests.size());
    print_percentiles("dispatch", dispatch, ",");
    print_percentiles("committing", committing, ",");
    print_percentiles("visible", visible, "}\n");
}

void spacing(const Options& options) {
    std::vector<Request> requests(static_cast<size_t>(options.number("count", 200)));
    Queue queue;
    std::vector<std::exception_ptr> failures(static_cast<size_t>(options.number("readers", 4)));
    {
        std::vector<std::jthread> threads;
        const Ending ending{queue, failures.size()};
        for (std::exception_ptr& failure : failures) threads.emplace_back([&] { read_answers(queue, failure); });
        submit_all(requests, queue, options);
    }
    for (const std::exception_ptr& failure : failures)
        if (failure) std::rethrow_exception(failure);
    print(requests, seen_requests(options.text("port"), requests.size()));
}

}  // namespace

int main(int argc, char** argv) {
    return guarded_main(argc, argv, spacing);
}
