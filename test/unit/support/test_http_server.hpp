// An HTTP/1.1 server inside the test process whose every byte, pause and hang-up is scripted.
#pragma once

#include <atomic>
#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <vector>

namespace pgchat {

struct ServedRequest {
    int connection = 0;            // counted from 1 in order of acceptance
    int number_on_connection = 0;  // counted from 1
    std::string head;              // request line and headers
    std::string path;
    std::string body;
};

struct ReplyStep {
    std::string bytes;
    std::chrono::milliseconds after{0};  // pause before it
    bool endless = false;                // the bytes again and again, until the client goes
    bool close = false;                  // hang up afterwards
    bool reset = false;                  // with an RST
};

using ReplyScript = std::function<std::vector<ReplyStep>(const ServedRequest&)>;

// A whole response with a length.
std::string http_response(const std::string& body, const std::string& status = "200 OK",
                          const std::string& headers = "");
// One chunk of a chunked body; the empty one ends it.
std::string http_chunk(const std::string& bytes);

class TestHttpServer {
public:
    // Listens on 127.0.0.1, on a port of the kernel's choice, until destroyed. The script runs in the server's thread.
    explicit TestHttpServer(ReplyScript script);
    ~TestHttpServer();

    int port() const { return port_; }
    std::string url(const std::string& path, const std::string& scheme = "http") const;
    int connections() const { return connections_; }
    int requests() const { return requests_; }
    int open_connections() const { return open_; }

private:
    struct Connection {
        int number = 0;
        int requests = 0;
        bool readable = false;
        std::string input;
        std::deque<ReplyStep> steps;
        std::size_t written = 0;  // of the first step
        std::chrono::steady_clock::time_point ready{};
    };

    void serve();
    void accept_all();
    bool read_from(int fd, Connection& connection);
    void parse(Connection& connection);
    bool write_to(int fd, Connection& connection);
    int milliseconds_to_next_step(std::chrono::steady_clock::time_point now) const;

    ReplyScript script_;
    int listener_ = -1;
    int wake_[2] = {-1, -1};
    int port_ = 0;
    std::map<int, Connection> open_connections_;
    std::atomic<int> connections_{0};
    std::atomic<int> requests_{0};
    std::atomic<int> open_{0};
    std::thread thread_;
};

}  // namespace pgchat
