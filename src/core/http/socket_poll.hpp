// The sockets of all calls behind one epoll descriptor, with as few system calls as they can be kept with.
//
// libcurl drops its interest in a socket whenever a response ends, and takes it up again with the next request on the
// same connection. The drop is therefore only noted: the socket stays registered, and is taken out of epoll when it
// becomes ready while nobody cares. A kept-alive call then costs no epoll_ctl at all.
//
// Sockets in the middle of a response may wait in a queue, first come, first served: where a thousand streams keep a
// core busy, a connection that is being made or a response that begins would otherwise wait for all of them, each time.
#pragma once

#include <sys/epoll.h>

#include <array>
#include <cstdint>
#include <deque>
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

    // How many descriptors have been adopted so far.
    std::uint64_t adopted() const noexcept { return adopted_; }

    // Tells of a descriptor that was just opened and will be closed through close(). For others, interest is dropped
    // at once, because they may be closed, and their number used again, without a word.
    void adopt(int fd);
    void close(int fd) noexcept;

    // Which of EPOLLIN and EPOLLOUT matter from now on; 0 for neither. `owner` comes back with each event, and stays
    // the same while a descriptor is open. False when the kernel refused.
    bool watch(int fd, std::uint32_t events, std::uint32_t owner = 0);

    // Whether the descriptor's events may wait for those of others; not so when it is opened.
    void set_patient(int fd, bool patient) noexcept;

    struct Event {
        int fd;
        std::uint32_t events;
        std::uint32_t owner;
    };
    // Watched descriptors that are ready: the impatient ones first, then of the patient ones at most one batch. Valid
    // until the next call.
    std::span<const Event> ready();
    // Whether ready() has left some for its next call.
    bool has_more() const noexcept { return has_more_; }
    static constexpr std::size_t batch_size = 128;

private:
    struct State {
        std::uint32_t watched = 0;
        std::uint32_t registered = 0;  // what epoll knows
        bool adopted = false;
        bool patient = false;
        bool queued = false;
    };

    State& state(int fd);
    void sort(const epoll_event& raw);
    void take_from_queue();

    static constexpr std::size_t most_at_once = 384;

    int epoll_;
    std::vector<State> states_;  // by descriptor
    std::array<epoll_event, most_at_once> raw_events_;
    std::vector<Event> events_;
    std::deque<Event> queue_;  // of patient descriptors that are ready
    bool has_more_ = false;
    std::uint64_t adopted_ = 0;
};

}  // namespace pgchat
