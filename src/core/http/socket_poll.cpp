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

SocketPoll::State* SocketPoll::state_of(const SocketUse& use) noexcept {
    if (use.stage == SocketUse::Stage::none) return nullptr;
    State& state = states_[static_cast<std::size_t>(use.fd)];
    return state.opening == use.opening ? &state : nullptr;
}

void SocketPoll::adopt(int fd) {
    state(fd) = State{};
    state(fd).opening = ++adopted_;
}

void SocketPoll::close(int fd) noexcept {
    if (static_cast<std::size_t>(fd) < states_.size()) states_[fd] = State{};
    ::close(fd);
}

bool SocketPoll::watch(int fd, std::uint32_t events, std::uint32_t owner) {
    State& state = this->state(fd);
    state.watched = events;
    state.owner = owner;
    if (events == 0 && state.opening != 0) return true;
    return register_watched(state, fd);
}

// What rests is reported once, as epoll would else report it again and again until it is read.
bool SocketPoll::register_watched(State& state, int fd) {
    const bool may_rest = state.watched != 0 && state.is_patient() && state.rest > Milliseconds{0};
    const std::uint32_t wanted = state.watched | (may_rest ? std::uint32_t{EPOLLONESHOT} : 0);
    if (wanted == state.registered && !state.is_silenced) return true;
    epoll_event event{};
    event.events = wanted;
    event.data.fd = fd;
    const int operation = wanted == 0 ? EPOLL_CTL_DEL : state.registered == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
    const bool done = epoll_ctl(epoll_, operation, fd, &event) == 0;
    state.registered = done ? wanted : 0;
    state.is_silenced = false;
    return done;
}

SocketUse SocketPoll::begin_use(int fd) noexcept {
    if (fd < 0 || static_cast<std::size_t>(fd) >= states_.size() || states_[fd].opening == 0) return {};
    State& state = states_[fd];
    ++state.waiting;
    // Its answer must not be heard only when the others' have rested.
    if (state.is_silenced && state.watched != 0) register_watched(state, fd);
    return {fd, state.opening, SocketUse::Stage::waiting};
}

void SocketPoll::read_on(SocketUse& use, Milliseconds rest) noexcept {
    State* const state = state_of(use);
    if (state == nullptr || use.stage != SocketUse::Stage::waiting) return;
    use.stage = SocketUse::Stage::reading;
    --state->waiting;
    ++state->reading;
    state->rest = rest;
}

void SocketPoll::end_use(SocketUse& use) noexcept {
    if (State* const state = state_of(use))
        --(use.stage == SocketUse::Stage::waiting ? state->waiting : state->reading);
    use = {};
}

std::span<const SocketPoll::Event> SocketPoll::ready(TimePoint now) {
    const int count = epoll_wait(epoll_, raw_events_.data(), most_at_once, 0);
    events_.clear();
    for (int i = 0; i < count; ++i) sort(raw_events_[i], now);
    take_rested(now);
    take_from_queue();
    has_more_ = !queue_.empty() || count == static_cast<int>(most_at_once);
    return events_;
}

// epoll reports what waits in the queue again and again, until it is read, unless it may rest.
void SocketPoll::sort(const epoll_event& raw, TimePoint now) {
    const int fd = raw.data.fd;
    State& state = this->state(fd);
    state.is_silenced = (state.registered & EPOLLONESHOT) != 0;
    if (state.watched == 0) {
        epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
        state.registered = 0;
        state.is_silenced = false;
        return;
    }
    if (!state.is_patient() || (raw.events & EPOLLOUT) != 0) {
        state.ticket = 0;
        events_.push_back({fd, raw.events, state.owner});
        return;
    }
    if (state.ticket != 0) {
        // It was to be heard at once for a call that has ended since.
        if (!state.is_silenced) register_watched(state, fd);
        return;
    }
    state.is_steady = state.is_silenced && !state.is_full && now - state.read_at < rest_of(state);
    if (state.is_steady)
        resting_.push_back(entry(state, fd, raw.events, now + rest_of(state)));
    else
        queue_.push_back(entry(state, fd, raw.events, now));
}

TimePoint::duration SocketPoll::rest_of(const State& state) const noexcept {
    return std::chrono::duration_cast<TimePoint::duration>(state.rest * stretch_);
}

SocketPoll::Entry SocketPoll::entry(State& state, int fd, std::uint32_t events, TimePoint until) noexcept {
    state.ticket = ++tickets_;
    return {fd, state.ticket, events, until};
}

void SocketPoll::acted(const Event& event, TimePoint now, bool is_full, bool is_empty) {
    State& state = this->state(event.fd);
    state.is_full = is_full;
    state.is_steady = state.is_steady && !is_full && !is_empty;
    state.read_at = now;
    if (state.watched == 0) return;
    if (state.is_steady && state.is_silenced && state.is_patient() && state.watched == EPOLLIN)
        resting_.push_back(entry(state, event.fd, EPOLLIN, now + rest_of(state)));
    else
        register_watched(state, event.fd);
}

// In the order in which they came, as the rest is the same for nearly all.
void SocketPoll::take_rested(TimePoint now) {
    for (; !resting_.empty() && resting_.front().until <= now; resting_.pop_front()) queue_.push_back(resting_.front());
}

std::optional<TimePoint> SocketPoll::next_due() const noexcept {
    if (resting_.empty()) return std::nullopt;
    return resting_.front().until;
}

void SocketPoll::take_from_queue() {
    for (std::size_t taken = 0; taken < batch_size && !queue_.empty(); queue_.pop_front()) {
        const Entry& next = queue_.front();
        State& state = this->state(next.fd);
        if (state.ticket != next.ticket) continue;
        state.ticket = 0;
        if (state.watched == 0) continue;
        events_.push_back({next.fd, next.events, state.owner});
        ++taken;
    }
}

}  // namespace pgchat
