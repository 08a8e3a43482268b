// The sockets of all calls behind one epoll descriptor, with as few system calls as they can be kept with.
//
// libcurl drops its interest in a socket whenever a response ends, and takes it up again with the next request on the
// same connection. The drop is therefore only noted: the socket stays registered, and is taken out of epoll when it
// becomes ready while nobody cares. A kept-alive call then costs no epoll_ctl at all.
#pragma once

#include <sys/epoll.h>

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace pgchat {

class SocketPoll {
public:
    // Throws Error: internal when the descriptor cannot be made.
    SocketPoll();
    ~SocketPoll();
    SocketPoll(const SocketPoll&) = delete;
    SocketPoll& operator=(const SocketPoll&) = delete;

    int fd() const noexcept { return epoll_; }

    // Tells of a descriptor that was just opened and will be closed through close(). For others, interest is dropped
    // at once, because they may be closed, and their number used again, without a word.
    void adopt(int fd);
    void close(int fd) noexcept;

    // Which of EPOLLIN and EPOLLOUT matter from now on; 0 for neither. `owner` comes back with each event, and stays
    // the same while a descriptor is open. False when the kernel refused.
    bool watch(int fd, std::uint32_t events, std::uint32_t owner = 0);

    struct Event {
        int fd;
        std::uint32_t events;
        std::uint32_t owner;
    };
    // The watched descriptors that are ready now, at most one batch; valid until the next call.
    std::span<const Event> ready();
    static constexpr std::size_t batch_size = 256;

private:
    struct State {
        std::uint32_t watched = 0;
        std::uint32_t registered = 0;  // what epoll knows
        bool adopted = false;
    };

    State& state(int fd);

    int epoll_;
    std::vector<State> states_;  // by descriptor
    std::array<epoll_event, batch_size> raw_events_;
    std::array<Event, batch_size> events_;
};

}  // namespace pgchat
