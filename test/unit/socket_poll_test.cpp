// Interest in sockets: what is reported, what is dropped, and numbers that are used again.
#include "core/http/socket_poll.hpp"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace pgchat {
namespace {

class SocketPollTest : public testing::Test {
protected:
    SocketPollTest() { EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends_), 0); }
    ~SocketPollTest() override {
        if (ends_[0] >= 0) ::close(ends_[0]);
        ::close(ends_[1]);
    }
    void send_byte() { EXPECT_EQ(write(ends_[1], "x", 1), 1); }
    bool wakes() {
        pollfd entry{sockets_.fd(), POLLIN, 0};
        return poll(&entry, 1, 0) == 1;
    }

    SocketPoll sockets_;
    int ends_[2] = {-1, -1};
};

TEST_F(SocketPollTest, ReportsWhatIsWatched) {
    sockets_.adopt(ends_[0]);
    EXPECT_TRUE(sockets_.watch(ends_[0], EPOLLIN));
    EXPECT_TRUE(sockets_.ready().empty());
    send_byte();
    EXPECT_TRUE(wakes());
    ASSERT_EQ(sockets_.ready().size(), 1u);
    EXPECT_EQ(sockets_.ready()[0].fd, ends_[0]);
    EXPECT_EQ(sockets_.ready()[0].events, static_cast<std::uint32_t>(EPOLLIN));
    EXPECT_TRUE(sockets_.watch(ends_[0], EPOLLIN | EPOLLOUT, 7));
    EXPECT_EQ(sockets_.ready()[0].owner, 7u);
    EXPECT_EQ(sockets_.ready()[0].events, static_cast<std::uint32_t>(EPOLLIN | EPOLLOUT));
}

TEST_F(SocketPollTest, SilencesASocketThatNobodyWatches) {
    sockets_.adopt(ends_[0]);
    sockets_.watch(ends_[0], EPOLLIN);
    sockets_.watch(ends_[0], 0);
    EXPECT_FALSE(wakes());
    send_byte();
    EXPECT_TRUE(sockets_.ready().empty());
    EXPECT_FALSE(wakes()) << "taken out at the first event";
    sockets_.watch(ends_[0], EPOLLIN);
    EXPECT_EQ(sockets_.ready().size(), 1u) << "and back in";
}

TEST_F(SocketPollTest, WatchesAgainAfterADrop) {
    sockets_.adopt(ends_[0]);
    sockets_.watch(ends_[0], EPOLLIN);
    sockets_.watch(ends_[0], 0);
    sockets_.watch(ends_[0], EPOLLIN);
    send_byte();
    EXPECT_EQ(sockets_.ready().size(), 1u);
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
    const int number = ends_[0];
    sockets_.close(number);
    ::close(ends_[1]);
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends_), 0);
    ASSERT_EQ(ends_[0], number);
    sockets_.adopt(ends_[0]);
    send_byte();
    EXPECT_FALSE(wakes());
    EXPECT_TRUE(sockets_.watch(ends_[0], EPOLLIN));
    EXPECT_TRUE(wakes());
}

}  // namespace
}  // namespace pgchat
