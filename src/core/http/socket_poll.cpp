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
    state(fd) = State{};
    state(fd).adopted = true;
    ++adopted_;
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

void SocketPoll::set_patient(int fd, bool patient) noexcept {
    if (static_cast<std::size_t>(fd) < states_.size()) states_[fd].patient = patient;
}

std::span<const SocketPoll::Event> SocketPoll::ready() {
    const int count = epoll_wait(epoll_, raw_events_.data(), most_at_once, 0);
    events_.clear();
    for (int i = 0; i < count; ++i) sort(raw_events_[i]);
    take_from_queue();
    has_more_ = !queue_.empty() || count == static_cast<int>(most_at_once);
    return events_;
}

// epoll reports what waits in the queue again and again, until it is read.
void SocketPoll::sort(const epoll_event& raw) {
    const int fd = static_cast<int>(static_cast<std::uint32_t>(raw.data.u64));
    State& state = this->state(fd);
    if (state.watched == 0) {
        epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
        state.registered = 0;
        return;
    }
    if (state.queued) return;
    const Event event{fd, raw.events, static_cast<std::uint32_t>(raw.data.u64 >> 32)};
    if (state.patient) {
        queue_.push_back(event);
        state.queued = true;
    } else {
        events_.push_back(event);
    }
}

// An entry of a descriptor that was closed since counts for nothing, even where its number is used again.
void SocketPoll::take_from_queue() {
    for (std::size_t taken = 0; taken < batch_size && !queue_.empty(); queue_.pop_front()) {
        const Event& event = queue_.front();
        State& state = this->state(event.fd);
        if (!state.queued) continue;
        state.queued = false;
        if (state.watched == 0) continue;
        events_.push_back(event);
        ++taken;
    }
}

}  // namespace pgchat
