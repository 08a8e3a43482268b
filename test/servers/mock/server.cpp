// epoll, accept, and the exact wake-ups.
#include "server.hpp"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace mock {
namespace {

// Under load, tokens due within this time of the last wake-up share the next one: a token is at most so much late, and
// an idle server is not late at all. Deadlines are absolute, so nothing adds up.
constexpr Nanos kSharedWakeup = 250'000;

[[noreturn]] void fail(const char* what) {
    throw std::system_error(errno, std::generic_category(), what);
}

}  // namespace

int open_listener(const std::string& host, int port) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) fail("socket");
    const int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    if (inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1) {
        errno = EINVAL;
        fail("--host");
    }
    if (bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) fail("bind");
    if (listen(fd, SOMAXCONN) != 0) fail("listen");
    return fd;
}

int bound_port(int socket) {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    if (getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0) fail("getsockname");
    return ntohs(address.sin_port);
}

Server::Server(int listener, SSL_CTX* tls, const Options& options, Ledger& ledger)
    : listener_(listener),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      tls_(tls),
      ledger_(ledger),
      router_(options, ledger),
      deaf_(options.defaults.hang == Hang::kAccept) {
    epoll_event event{};
    event.events = EPOLLIN;
    if (epoll_ < 0 || epoll_ctl(epoll_, EPOLL_CTL_ADD, listener_, &event) != 0) fail("epoll");
}

Server::~Server() {
    connections_.clear();
    ::close(epoll_);
    ::close(listener_);
}

void Server::accept_all() {
    for (;;) {
        const int fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            if (errno == EAGAIN || errno == ECONNABORTED || errno == EINTR) return;
            fail("accept");
        }
        const int on = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        auto connection = std::make_unique<Connection>(fd, tls_, router_, ledger_, timers_, deaf_);
        epoll_event event{};
        event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
        event.data.ptr = connection.get();
        if (epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) fail("epoll_ctl");
        connections_.emplace(connection.get(), std::move(connection));
    }
}

// A closed connection lives until the end of the round, because later events of the round may still name it.
void Server::bury(Connection& connection) {
    const auto found = connections_.find(&connection);
    if (found == connections_.end()) return;
    epoll_ctl(epoll_, EPOLL_CTL_DEL, connection.fd(), nullptr);
    buried_.push_back(std::move(found->second));
    connections_.erase(found);
}

void Server::fire_timers(Nanos now) {
    for (Timer* timer; (timer = timers_.first()) != nullptr && timer->deadline() <= now;) {
        auto& connection = static_cast<Connection&>(*timer);
        connection.on_timer(now);
        last_fired_ = now;
        if (connection.closed()) bury(connection);
    }
}

Nanos Server::wake_time(Nanos now) const {
    const Timer* first = timers_.first();
    if (first == nullptr) return kNever;
    return std::max(first->deadline(), std::min(last_fired_ + kSharedWakeup, now + kSharedWakeup));
}

void Server::run() {
    epoll_event events[512];
    for (;;) {
        fire_timers(monotonic_now());
        buried_.clear();
        const Nanos now = monotonic_now();
        const Nanos wake = wake_time(now);
        const Nanos wait = std::max<Nanos>(wake == kNever ? 0 : wake - now, 0);
        const timespec timeout{wait / kSecond, wait % kSecond};
        const int count = epoll_pwait2(epoll_, events, std::size(events), wake == kNever ? nullptr : &timeout, nullptr);
        if (count < 0 && errno != EINTR) fail("epoll_pwait2");
        for (int i = 0; i < count; ++i) {
            auto* connection = static_cast<Connection*>(events[i].data.ptr);
            if (connection == nullptr) {
                accept_all();
            } else if (!connection->closed()) {
                connection->on_events(events[i].events);
                if (connection->closed()) bury(*connection);
            }
        }
    }
}

}  // namespace mock
