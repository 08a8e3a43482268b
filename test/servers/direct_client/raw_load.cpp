// The load over raw sockets and epoll: the least that a client can spend.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <deque>
#include <stdexcept>
#include <system_error>

#include "load.hpp"

namespace direct {
namespace {

[[noreturn]] void fail(const char* what) {
    throw std::system_error(errno, std::generic_category(), what);
}

// Finds the end of a reply in its bytes as they come, without keeping the body.
class ReplyEnd {
public:
    void begin() { *this = {}; }
    // True when the reply is complete. Of a chunked body only the last bytes matter, since nothing follows it.
    bool feed(std::string_view bytes) {
        if (!head_done_ && !feed_head(bytes)) return false;
        if (!chunked_) {
            left_ -= static_cast<long>(bytes.size());
            return left_ <= 0;
        }
        tail_.append(bytes.substr(bytes.size() - std::min<size_t>(bytes.size(), 7)));
        if (tail_.size() > 7) tail_.erase(0, tail_.size() - 7);
        return tail_ == "\r\n0\r\n\r\n";
    }
    bool ok() const { return ok_; }

private:
    // Takes the head; `bytes` becomes what follows it. False until it is whole.
    bool feed_head(std::string_view& bytes) {
        head_.append(bytes);
        const size_t end = head_.find("\r\n\r\n");
        if (end == std::string::npos) return false;
        bytes.remove_prefix(bytes.size() - (head_.size() - end - 4));
        head_done_ = true;
        ok_ = head_.starts_with("HTTP/1.1 200");
        const size_t length = head_.find("Content-Length: ");
        chunked_ = length > end;
        if (!chunked_) std::from_chars(&head_[length + 16], head_.data() + end, left_);
        return true;
    }

    std::string head_;
    std::string tail_;
    long left_ = 0;
    bool head_done_ = false;
    bool chunked_ = false;
    bool ok_ = false;
};

struct Client {
    int fd = -1;
    int64_t begun = 0;
    bool busy = false;
    ReplyEnd end;
};

int connect_to(const Load& load) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(load.port));
    if (fd < 0) fail("socket");
    if (inet_pton(AF_INET, load.host.c_str(), &address.sin_addr) != 1)
        throw std::runtime_error("--host is not an IPv4 address");
    if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) fail("connect");
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

std::string request_bytes(const Load& load) {
    const std::string body = load.body();
    return "POST " + load.path + " HTTP/1.1\r\nHost: mock\r\nContent-Type: application/json\r\n" +
           (load.key.empty() ? "" : "Authorization: Bearer " + load.key + "\r\n") +
           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

void begin(Client& client, const std::string& request, Measure& measure) {
    client.busy = measure.begin_call();
    if (!client.busy) return;
    client.begun = nanos(CLOCK_MONOTONIC);
    client.end.begin();
    if (send(client.fd, request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size()))
        fail("send");
}

void on_readable(Client& client, const std::string& request, Measure& measure) {
    static char buffer[256 * 1024];
    const ssize_t count = recv(client.fd, buffer, sizeof buffer, MSG_DONTWAIT);
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) throw std::runtime_error("the server closed a connection");
    const std::string_view bytes(buffer, static_cast<size_t>(count));
    measure.received(bytes);
    if (!client.end.feed(bytes)) return;
    measure.end_call(client.begun, client.end.ok());
    begin(client, request, measure);
}

}  // namespace

void run_raw(const Load& load, Measure& measure) {
    const std::string request = request_bytes(load);
    const int epoll = epoll_create1(EPOLL_CLOEXEC);
    std::deque<Client> clients(static_cast<size_t>(load.clients));
    for (Client& client : clients) {
        client.fd = connect_to(load);
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.ptr = &client;
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, client.fd, &event) != 0) fail("epoll_ctl");
    }
    for (Client& client : clients) begin(client, request, measure);
    epoll_event events[512];
    while (!measure.all_done()) {
        const int count = epoll_wait(epoll, events, std::size(events), 1000);
        if (count < 0 && errno != EINTR) fail("epoll_wait");
        for (int i = 0; i < count; ++i) on_readable(*static_cast<Client*>(events[i].data.ptr), request, measure);
    }
    for (const Client& client : clients) close(client.fd);
    close(epoll);
}

}  // namespace direct
