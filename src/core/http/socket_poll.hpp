// The sockets of all calls behind one epoll descriptor, with as few system calls as they can be kept with.
//
// libcurl drops its interest in a socket whenever a response ends, and takes it up again with the next request on the
// same connection. The drop is therefore only noted: the socket stays registered, and is taken out of epoll when it
// becomes ready while nobody cares. A kept-alive call then costs no epoll_ctl at all.
//
// Sockets in the middle of a response may wait in a queue, first come, first served: where a thousand streams keep a
// core busy, a connection that is being made or a response that begins would otherwise wait for all of them, each time.
// Where the reader has no use for every piece at once, they also rest between reads, so that what comes meanwhile is
// read with it: most of what a streamed token costs is the read. A socket on which something came in each rest is read
// at the end of the next one without being asked for: epoll, which would tell of every piece, hears of it no more.
#pragma once

#include <sys/epoll.h>

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <vector>

#include "core/clock.hpp"

namespace pgchat {

// What one call has to do with a socket, which calls of HTTP/2 share.
struct SocketUse {
    enum class Stage : std::uint8_t { none, waiting, reading };

    int fd = -1;
    std::uint64_t opening = 0;  // which of the sockets that have had this number
    Stage stage = Stage::none;
};

class SocketPoll {
public:
    // Throws Error: internal when the descriptor cannot be made.
    SocketPoll();
    ~SocketPoll();
    SocketPoll(const SocketPoll&) = delete;
    SocketPoll& operator=(const SocketPoll&) = delete;

    int fd() const noexcept { return epoll_; }

    // Multiplies each rest that begins from now on.
    void stretch_rests(double factor) noexcept { stretch_ = factor; }

    // How many descriptors have been adopted so far.
    std::uint64_t adopted() const noexcept { return adopted_; }

    // Tells of a descriptor that was just opened and will be closed through close(). For others, interest is dropped
    // at once, because they may be closed, and their number used again, without a word.
    void adopt(int fd);
    void close(int fd) noexcept;

    // Which of EPOLLIN and EPOLLOUT matter from now on; 0 for neither. `owner` comes back with each event, and stays
    // the same while a descriptor is open. False when the kernel refused.
    bool watch(int fd, std::uint32_t events, std::uint32_t owner = 0);

    // Tells that a call now waits for the beginning of a response on an adopted descriptor, reads the rest of one, or
    // is over (stage none). While all calls on it read, its events may wait for those of others, and it is not read
    // again before it has rested for `rest`.
    SocketUse begin_use(int fd) noexcept;
    void read_on(SocketUse& use, Milliseconds rest) noexcept;
    void end_use(SocketUse& use) noexcept;

    struct Event {
        int fd;
        std::uint32_t events;
        std::uint32_t owner;
    };
    // Watched descriptors that are ready: the impatient ones first, then of the patient ones at most one batch. Valid
    // until the next call.
    std::span<const Event> ready(TimePoint now);
    // To be called when an event has been acted on. `is_full`: so much was read that there is likely more, which then
    // does not rest. `is_empty`: nothing was read.
    void acted(const Event& event, TimePoint now, bool is_full, bool is_empty);
    // Whether ready() has left some for its next call.
    bool has_more() const noexcept { return has_more_; }
    // When the first of the resting ones has rested.
    std::optional<TimePoint> next_due() const noexcept;
    static constexpr std::size_t batch_size = 32;

private:
    struct State {
        std::uint32_t watched = 0;
        std::uint32_t registered = 0;  // what epoll knows
        std::uint32_t owner = 0;
        std::uint64_t opening = 0;  // 0: not adopted
        std::uint32_t waiting = 0;  // calls in that stage; so too
        std::uint32_t reading = 0;
        Milliseconds rest{0};
        TimePoint read_at{};
        bool is_silenced = false;  // reported once, and not again before it is registered anew
        bool is_full = false;      // as acted() was told
        bool is_steady = false;    // something came while it last rested
        std::uint64_t ticket = 0;  // of its entry in a queue; 0: it has none

        bool is_patient() const noexcept { return reading > 0 && waiting == 0; }
    };
    // Counts for nothing once the socket has another ticket, or none.
    struct Entry {
        int fd;
        std::uint64_t ticket;
        std::uint32_t events;
        TimePoint until;
    };

    State& state(int fd);
    State* state_of(const SocketUse& use) noexcept;
    bool register_watched(State& state, int fd);
    TimePoint::duration rest_of(const State& state) const noexcept;
    Entry entry(State& state, int fd, std::uint32_t events, TimePoint until) noexcept;
    void sort(const epoll_event& raw, TimePoint now);
    void take_rested(TimePoint now);
    void take_from_queue();

    static constexpr std::size_t most_at_once = 384;

    int epoll_;
    std::vector<State> states_;  // by descriptor
    std::array<epoll_event, most_at_once> raw_events_;
    std::vector<Event> events_;
    std::deque<Entry> queue_;  // of patient descriptors that are ready
    std::deque<Entry> resting_;
    std::uint64_t tickets_ = 0;
    double stretch_ = 1;
    bool has_more_ = false;
    std::uint64_t adopted_ = 0;
};

}  // namespace pgchat
