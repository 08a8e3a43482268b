// Interest in sockets: what is reported, what is dropped, and numbers that are used again.
#include "core/http/socket_poll.hpp"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <vector>

namespace pgchat {
namespace {

class SocketPollTest : public testing::Test {
protected:
    SocketPollTest() { EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends_), 0); }
    ~SocketPollTest() override {
        if (ends_[0] >= 0) ::close(ends_[0]);
        ::close(ends_[1]);
    }
    // Closes the socket, and adopts another one that has its number.
    void open_again() {
        const int number = ends_[0];
        sockets_.close(number);
        ::close(ends_[1]);
        ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends_), 0);
        ASSERT_EQ(ends_[0], number);
        sockets_.adopt(number);
    }
    void send_byte() { EXPECT_EQ(write(ends_[1], "x", 1), 1); }
    bool wakes() {
        pollfd entry{sockets_.fd(), POLLIN, 0};
        return poll(&entry, 1, 0) == 1;
    }

    SocketPoll sockets_;
    TimePoint now_{};
    int ends_[2] = {-1, -1};
};

TEST_F(SocketPollTest, ReportsWhatIsWatched) {
    sockets_.adopt(ends_[0]);
    EXPECT_TRUE(sockets_.watch(ends_[0], EPOLLIN));
    EXPECT_TRUE(sockets_.ready(now_).empty());
    send_byte();
    EXPECT_TRUE(wakes());
    ASSERT_EQ(sockets_.ready(now_).size(), 1u);
    EXPECT_EQ(sockets_.ready(now_)[0].fd, ends_[0]);
    EXPECT_EQ(sockets_.ready(now_)[0].events, static_cast<std::uint32_t>(EPOLLIN));
    EXPECT_TRUE(sockets_.watch(ends_[0], EPOLLIN | EPOLLOUT, 7));
    EXPECT_EQ(sockets_.ready(now_)[0].owner, 7u);
    EXPECT_EQ(sockets_.ready(now_)[0].events, static_cast<std::uint32_t>(EPOLLIN | EPOLLOUT));
}

TEST_F(SocketPollTest, SilencesASocketThatNobodyWatches) {
    sockets_.adopt(ends_[0]);
    sockets_.watch(ends_[0], EPOLLIN);
    sockets_.watch(ends_[0], 0);
    EXPECT_FALSE(wakes());
    send_byte();
    EXPECT_TRUE(sockets_.ready(now_).empty());
    EXPECT_FALSE(wakes()) << "taken out at the first event";
    sockets_.watch(ends_[0], EPOLLIN);
    EXPECT_EQ(sockets_.ready(now_).size(), 1u) << "and back in";
}

TEST_F(SocketPollTest, WatchesAgainAfterADrop) {
    sockets_.adopt(ends_[0]);
    sockets_.watch(ends_[0], EPOLLIN);
    sockets_.watch(ends_[0], 0);
    sockets_.watch(ends_[0], EPOLLIN);
    send_byte();
    EXPECT_EQ(sockets_.ready(now_).size(), 1u);
}

TEST_F(SocketPollTest, DropsDescriptorsOfOthersAtOnce) {
    sockets_.watch(ends_[0], EPOLLIN);
    sockets_.watch(ends_[0], 0);
    send_byte();
    EXPECT_FALSE(wakes());
    EXPECT_TRUE(sockets_.watch(ends_[0], EPOLLIN));
    EXPECT_TRUE(wakes());
}

TEST_F(SocketPollTest, ANumberUsedAgainIsANewSocket) {
    sockets_.adopt(ends_[0]);
    sockets_.watch(ends_[0], EPOLLIN);
    ASSERT_NO_FATAL_FAILURE(open_again());
    send_byte();
    EXPECT_FALSE(wakes());
    EXPECT_TRUE(sockets_.watch(ends_[0], EPOLLIN));
    EXPECT_TRUE(wakes());
}

class PatientSocketsTest : public testing::Test {
protected:
    static constexpr std::size_t count = SocketPoll::batch_size * 5 / 4;

    PatientSocketsTest() {
        for (auto& pair : pairs_) {
            EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair.data()), 0);
            sockets_.adopt(pair[0]);
            sockets_.watch(pair[0], EPOLLIN);
            SocketUse use = sockets_.begin_use(pair[0]);
            sockets_.read_on(use, Milliseconds{0});
            EXPECT_EQ(write(pair[1], "x", 1), 1);
        }
    }
    ~PatientSocketsTest() override {
        for (auto& pair : pairs_) {
            sockets_.close(pair[0]);
            ::close(pair[1]);
        }
    }

    SocketPoll sockets_;
    TimePoint now_{};
    std::array<std::array<int, 2>, count> pairs_{};
};

TEST_F(PatientSocketsTest, WaitTheirTurnInOrder) {
    std::vector<int> order;
    for (int round = 0; round < 2; ++round) {
        const auto ready = sockets_.ready(now_);
        EXPECT_EQ(sockets_.has_more(), round == 0);
        for (const auto& event : ready) {
            order.push_back(event.fd);
            char byte;
            EXPECT_EQ(read(event.fd, &byte, 1), 1);
        }
    }
    ASSERT_EQ(order.size(), count);
    for (std::size_t i = 0; i < count; ++i) EXPECT_EQ(order[i], pairs_[i][0]);
    EXPECT_TRUE(sockets_.ready(now_).empty());
}

TEST_F(PatientSocketsTest, AnImpatientOneGoesFirst) {
    EXPECT_EQ(sockets_.ready(now_).size(), SocketPoll::batch_size);
    const int last = pairs_[count - 1][0];
    sockets_.close(last);
    ::close(pairs_[count - 1][1]);
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pairs_[count - 1].data()), 0);
    const int opened = pairs_[count - 1][0];
    EXPECT_EQ(opened, last) << "the number is used again, while its old entry waits";
    sockets_.adopt(opened);
    sockets_.watch(opened, EPOLLIN);
    EXPECT_EQ(write(pairs_[count - 1][1], "x", 1), 1);
    const auto ready = sockets_.ready(now_);
    EXPECT_EQ(ready.front().fd, opened);
    EXPECT_EQ(std::count_if(ready.begin(), ready.end(), [&](const auto& event) { return event.fd == opened; }), 1);
}

TEST_F(PatientSocketsTest, ADropTakesEffectInTheQueue) {
    const int second = pairs_[SocketPoll::batch_size][0];
    sockets_.ready(now_);
    sockets_.watch(second, 0);
    for (const auto& event : sockets_.ready(now_)) EXPECT_NE(event.fd, second);
}

class RestingSocketTest : public SocketPollTest {
protected:
    static constexpr Milliseconds rest{25};

    RestingSocketTest() {
        sockets_.adopt(ends_[0]);
        sockets_.watch(ends_[0], EPOLLIN);
        use_ = sockets_.begin_use(ends_[0]);
    }
    // Reads on from the first event, as a transport does.
    void read_on(bool is_full = false) {
        send_byte();
        ASSERT_EQ(sockets_.ready(now_).size(), 1u) << "the beginning does not rest";
        sockets_.read_on(use_, rest);
        take(is_full);
    }
    void take(bool is_full = false) {
        char bytes[8];
        EXPECT_GT(read(ends_[0], bytes, sizeof bytes), 0);
        sockets_.acted({ends_[0], EPOLLIN, 0}, now_, is_full, false);
    }

    // Something comes while it rests, which is read.
    void become_steady() {
        read_on();
        send_byte();
        EXPECT_TRUE(sockets_.ready(now_).empty());
        now_ += rest;
        EXPECT_EQ(sockets_.ready(now_).size(), 1u);
        take();
    }

    SocketUse use_;
};

TEST_F(RestingSocketTest, IsReadOnceForWhatComesMeanwhile) {
    read_on();
    EXPECT_FALSE(sockets_.next_due());
    send_byte();
    EXPECT_TRUE(sockets_.ready(now_).empty());
    EXPECT_EQ(sockets_.next_due(), now_ + rest);
    EXPECT_FALSE(wakes()) << "epoll says nothing more of it";
    now_ += Milliseconds{10};
    send_byte();
    EXPECT_TRUE(sockets_.ready(now_).empty());
    now_ += Milliseconds{15};
    EXPECT_EQ(sockets_.ready(now_).size(), 1u);
    take();
}

TEST_F(RestingSocketTest, IsReadAfterEachRestUnasked) {
    become_steady();
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(sockets_.next_due(), now_ + rest);
        send_byte();
        EXPECT_FALSE(wakes());
        EXPECT_TRUE(sockets_.ready(now_ + rest - Milliseconds{1}).empty());
        now_ += rest;
        EXPECT_EQ(sockets_.ready(now_).size(), 1u);
        take();
    }
}

TEST_F(RestingSocketTest, IsHeardOfAgainWhereNothingCame) {
    become_steady();
    now_ += rest;
    EXPECT_EQ(sockets_.ready(now_).size(), 1u);
    sockets_.acted({ends_[0], EPOLLIN, 0}, now_, false, true);
    EXPECT_FALSE(sockets_.next_due());
    now_ += rest;
    EXPECT_TRUE(sockets_.ready(now_).empty());
    send_byte();
    EXPECT_TRUE(wakes());
    EXPECT_EQ(sockets_.ready(now_).size(), 1u) << "it has rested";
}

TEST_F(RestingSocketTest, OneThatIsDroppedIsNotReadUnasked) {
    become_steady();
    sockets_.watch(ends_[0], 0);
    EXPECT_TRUE(sockets_.ready(now_ + rest).empty());
    sockets_.watch(ends_[0], EPOLLIN);
    send_byte();
    EXPECT_TRUE(wakes());
}

TEST_F(RestingSocketTest, RestsOnceForEachRestAlsoWhereOtherCallsBegin) {
    become_steady();
    for (int i = 0; i < 5; ++i) {
        SocketUse other = sockets_.begin_use(ends_[0]);
        send_byte();
        EXPECT_EQ(sockets_.ready(now_).size(), 1u);
        sockets_.end_use(other);
        take();
        send_byte();
        EXPECT_TRUE(sockets_.ready(now_).empty());
    }
    now_ += rest;
    EXPECT_EQ(sockets_.ready(now_).size(), 1u) << "the entries of before count for nothing";
}

TEST_F(RestingSocketTest, AnEntryOfBeforeDoesNotStandForASocketWithTheSameNumber) {
    become_steady();
    ASSERT_NO_FATAL_FAILURE(open_again());
    sockets_.watch(ends_[0], EPOLLIN, 7);
    use_ = sockets_.begin_use(ends_[0]);
    now_ += rest / 2;
    read_on();
    send_byte();
    EXPECT_TRUE(sockets_.ready(now_).empty());
    EXPECT_TRUE(sockets_.ready(now_ + rest / 2).empty());
    const auto ready = sockets_.ready(now_ + rest);
    ASSERT_EQ(ready.size(), 1u);
    EXPECT_EQ(ready.front().owner, 7u);
}

TEST_F(RestingSocketTest, ACallThatBeginsOnASteadyOneIsHeardAtOnce) {
    become_steady();
    SocketUse other = sockets_.begin_use(ends_[0]);
    send_byte();
    EXPECT_TRUE(wakes());
    EXPECT_EQ(sockets_.ready(now_).size(), 1u);
    sockets_.end_use(other);
}

TEST_F(RestingSocketTest, ACallThatEndsUnansweredLeavesItToRest) {
    become_steady();
    SocketUse other = sockets_.begin_use(ends_[0]);
    sockets_.end_use(other);
    send_byte();
    EXPECT_TRUE(sockets_.ready(now_).empty());
    EXPECT_TRUE(sockets_.ready(now_).empty());
    EXPECT_FALSE(wakes()) << "epoll says nothing more of it";
    now_ += rest;
    EXPECT_EQ(sockets_.ready(now_).size(), 1u);
}

TEST_F(RestingSocketTest, RestsLongerWhereRestsAreStretched) {
    read_on();
    sockets_.stretch_rests(1.6);
    send_byte();
    EXPECT_TRUE(sockets_.ready(now_).empty());
    EXPECT_EQ(sockets_.next_due(), now_ + Milliseconds{40});
    sockets_.stretch_rests(1);
    EXPECT_TRUE(sockets_.ready(now_ + Milliseconds{39}).empty()) << "what has begun stays as it is";
    EXPECT_EQ(sockets_.ready(now_ + Milliseconds{40}).size(), 1u);
}

TEST_F(RestingSocketTest, DoesNotRestWhileThereIsMuch) {
    read_on(true);
    send_byte();
    EXPECT_EQ(sockets_.ready(now_).size(), 1u);
    take(false);
    send_byte();
    EXPECT_TRUE(sockets_.ready(now_).empty()) << "and does again";
}

TEST_F(RestingSocketTest, DoesNotRestForACallThatWaitsOnIt) {
    read_on();
    SocketUse other = sockets_.begin_use(ends_[0]);
    sockets_.acted({ends_[0], EPOLLIN, 0}, now_, false, false);
    send_byte();
    EXPECT_EQ(sockets_.ready(now_).size(), 1u);
    sockets_.end_use(other);
    take();
    send_byte();
    EXPECT_TRUE(sockets_.ready(now_).empty());
}

TEST_F(RestingSocketTest, TheNextCallOnItIsHeardAtOnce) {
    read_on();
    send_byte();
    EXPECT_TRUE(sockets_.ready(now_).empty());
    sockets_.end_use(use_);
    sockets_.watch(ends_[0], 0);
    EXPECT_TRUE(sockets_.ready(now_ + rest).empty()) << "nobody cares";
    EXPECT_TRUE(sockets_.watch(ends_[0], EPOLLIN));
    EXPECT_EQ(sockets_.ready(now_ + rest).size(), 1u);
}

TEST_F(RestingSocketTest, AUseOfASocketThatWasClosedChangesNoOther) {
    ASSERT_NO_FATAL_FAILURE(open_again());
    sockets_.watch(ends_[0], EPOLLIN);
    sockets_.read_on(use_, rest);
    sockets_.end_use(use_);
    send_byte();
    EXPECT_EQ(sockets_.ready(now_).size(), 1u);
}

}  // namespace
}  // namespace pgchat
