// epoll, told only what it must know.
#include "core/http/socket_poll.hpp"

#include <unistd.h>

#include "core/error.hpp"

namespace pgchat {

SocketPoll::SocketPoll() : epoll_(epoll_create1(EPOLL_CLOEXEC)) {
    if (epoll_ < 0) throw Error(ErrorCode::internal, "could not create an epoll descriptor");
}

SocketPoll::~SocketPoll() {
    ::close(epoll_);
}

SocketPoll::State& SocketPoll::state(int fd) {
    const auto index = static_cast<std::size_t>(fd);
    if (index >= states_.size()) states_.resize(index + 1);
    return states_[index];
}

void SocketPoll::adopt(int fd) {
    state(fd) = State{0, 0, true};
}

void SocketPoll::close(int fd) noexcept {
    if (static_cast<std::size_t>(fd) < states_.size()) states_[fd] = State{};
    ::close(fd);
}

bool SocketPoll::watch(int fd, std::uint32_t events, std::uint32_t owner) {
    State& state = this->state(fd);
    state.watched = events;
    if (events == state.registered || (events == 0 && state.adopted)) return true;
    epoll_event event{};
    event.events = events;
    event.data.u64 = std::uint64_t{owner} << 32 | static_cast<std::uint32_t>(fd);
    const int operation = events == 0 ? EPOLL_CTL_DEL : state.registered == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
    const bool done = epoll_ctl(epoll_, operation, fd, &event) == 0;
    state.registered = done ? events : 0;
    return done;
}

std::span<const SocketPoll::Event> SocketPoll::ready() {
    const int count = epoll_wait(epoll_, raw_events_.data(), batch_size, 0);
    std::size_t kept = 0;
    for (int i = 0; i < count; ++i) {
        const std::uint64_t data = raw_events_[i].data.u64;
        const int fd = static_cast<int>(static_cast<std::uint32_t>(data));
        State& state = this->state(fd);
        if (state.watched != 0) {
            events_[kept++] = {fd, raw_events_[i].events, static_cast<std::uint32_t>(data >> 32)};
        } else {
            epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
            state.registered = 0;
        }
    }
    return {events_.data(), kept};
}

}  // namespace pgchat
