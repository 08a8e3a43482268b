// The scripted server's loop: one thread, poll, as many connections as descriptors.
#include "support/test_http_server.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <stdexcept>
#include <utility>

namespace pgchat {
namespace {

using SteadyTime = std::chrono::steady_clock;

void require(bool ok, const char* what) {
    if (!ok) throw std::runtime_error(what);
}

std::size_t content_length(const std::string& head) {
    const std::size_t at = head.find("Content-Length: ");
    return at == std::string::npos ? 0 : std::strtoul(head.c_str() + at + 16, nullptr, 10);
}

}  // namespace

std::string http_response(const std::string& body, const std::string& status, const std::string& headers) {
    return "HTTP/1.1 " + status + "\r\n" + headers + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
           body;
}

std::string http_chunk(const std::string& bytes) {
    char size[20];
    snprintf(size, sizeof size, "%zx\r\n", bytes.size());
    return size + bytes + "\r\n";
}

TestHttpServer::TestHttpServer(ReplyScript script) : script_(std::move(script)) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    require(bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0, "bind");
    require(listen(listener_, 4096) == 0, "listen");
    socklen_t size = sizeof address;
    require(getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0, "getsockname");
    port_ = ntohs(address.sin_port);
    require(pipe(wake_) == 0, "pipe");
    thread_ = std::thread([this] { serve(); });
}

TestHttpServer::~TestHttpServer() {
    ::close(wake_[1]);
    thread_.join();
    for (const auto& [fd, connection] : open_connections_) ::close(fd);
    ::close(wake_[0]);
    ::close(listener_);
}

std::string TestHttpServer::url(const std::string& path, const std::string& scheme) const {
    return scheme + "://127.0.0.1:" + std::to_string(port_) + path;
}

void TestHttpServer::accept_all() {
    for (int fd; (fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
        const int on = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        open_connections_[fd].number = ++connections_;
        ++open_;
    }
}

void TestHttpServer::parse(Connection& connection) {
    const std::size_t end = connection.input.find("\r\n\r\n");
    if (end == std::string::npos) return;
    ServedRequest request{connection.number, connection.requests + 1, connection.input.substr(0, end + 2), {}, {}};
    const std::size_t length = content_length(request.head);
    if (connection.input.size() < end + 4 + length) return;
    request.body = connection.input.substr(end + 4, length);
    connection.input.erase(0, end + 4 + length);
    const std::size_t path = request.head.find(' ') + 1;
    request.path = request.head.substr(path, request.head.find(' ', path) - path);
    ++connection.requests;
    ++requests_;
    const bool idle = connection.steps.empty();
    for (ReplyStep& step : script_(request)) connection.steps.push_back(std::move(step));
    if (idle && !connection.steps.empty()) connection.ready = SteadyTime::now() + connection.steps.front().after;
}

bool TestHttpServer::read_from(int fd, Connection& connection) {
    char buffer[16384];
    const ssize_t count = recv(fd, buffer, sizeof buffer, 0);
    if (count == 0 || (count < 0 && errno != EAGAIN)) return false;
    if (count > 0) connection.input.append(buffer, static_cast<std::size_t>(count));
    parse(connection);
    return true;
}

// False when the connection has ended.
bool TestHttpServer::write_to(int fd, Connection& connection) {
    while (!connection.steps.empty() && connection.ready <= SteadyTime::now()) {
        ReplyStep& step = connection.steps.front();
        while (connection.written < step.bytes.size()) {
            const ssize_t count =
                send(fd, step.bytes.data() + connection.written, step.bytes.size() - connection.written, MSG_NOSIGNAL);
            if (count < 0) return errno == EAGAIN;
            connection.written += static_cast<std::size_t>(count);
        }
        connection.written = 0;
        if (step.reset) {
            const linger at_once{1, 0};
            setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        }
        if (step.close || step.reset) return false;
        if (step.endless) return true;
        connection.steps.pop_front();
        if (!connection.steps.empty()) connection.ready = SteadyTime::now() + connection.steps.front().after;
    }
    return true;
}

// `now` is the moment by which it was decided who may write, so that no step falls between the two.
int TestHttpServer::milliseconds_to_next_step(SteadyTime::time_point now) const {
    auto wait = std::chrono::milliseconds(1000);
    for (const auto& [fd, connection] : open_connections_)
        if (!connection.steps.empty() && connection.ready > now)
            wait = std::min(wait, std::chrono::ceil<std::chrono::milliseconds>(connection.ready - now));
    return static_cast<int>(wait.count());
}

void TestHttpServer::serve() {
    std::vector<pollfd> polled;
    while (true) {
        const auto now = SteadyTime::now();
        polled = {{wake_[0], POLLIN, 0}, {listener_, POLLIN, 0}};
        for (const auto& [fd, connection] : open_connections_) {
            const bool writes = !connection.steps.empty() && connection.ready <= now;
            polled.push_back({fd, static_cast<short>(writes ? POLLIN | POLLOUT : POLLIN), 0});
        }
        poll(polled.data(), polled.size(), milliseconds_to_next_step(now));
        if (polled[0].revents != 0) return;
        for (std::size_t i = 2; i < polled.size(); ++i)
            open_connections_[polled[i].fd].readable = (polled[i].revents & (POLLIN | POLLHUP | POLLERR)) != 0;
        if (polled[1].revents != 0) accept_all();
        for (auto it = open_connections_.begin(); it != open_connections_.end();) {
            auto& [fd, connection] = *it;
            if ((std::exchange(connection.readable, false) && !read_from(fd, connection)) ||
                !write_to(fd, connection)) {
                ::close(fd);
                --open_;
                it = open_connections_.erase(it);
            } else {
                ++it;
            }
        }
    }
}

}  // namespace pgchat
