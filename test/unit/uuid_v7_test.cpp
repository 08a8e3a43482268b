// UUID version 7: its bits, its order under every behaviour of the clock, and its uniqueness across a fork.
#include "core/crypto/uuid_v7.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <vector>

namespace pgchat {
namespace {

std::int64_t fake_now = 0;
std::int64_t fake_clock() noexcept {
    return fake_now;
}

std::uint64_t milliseconds_of(const Uuid& uuid) {
    std::uint64_t milliseconds = 0;
    for (int i = 0; i < 6; ++i) milliseconds = milliseconds << 8 | uuid.bytes[i];
    return milliseconds;
}

TEST(UuidV7, CarriesTimeVersionAndVariant) {
    // The instant of RFC 9562 appendix A.6, and a quarter of a millisecond.
    fake_now = 0x017f22e279b0 * std::int64_t{1'000'000} + 250'000;
    UuidV7Generator generator(fake_clock);
    const Uuid uuid = generator.next();
    EXPECT_EQ(to_string(uuid).substr(0, 18), "017f22e2-79b0-7400");
    EXPECT_EQ(uuid.bytes[8] >> 6, 2);
}

TEST(UuidV7, RunsOnTheSystemClock) {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    const auto before = static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
    EXPECT_GE(milliseconds_of(uuid_v7()), before);
    EXPECT_LT(milliseconds_of(uuid_v7()), before + 60'000);
}

TEST(UuidV7, AMillionAreInOrderDistinctAndWellFormed) {
    Uuid last{};
    std::vector<std::uint64_t> random_parts;
    random_parts.reserve(1'000'000);
    for (int i = 0; i < 1'000'000; ++i) {
        const Uuid uuid = uuid_v7();
        ASSERT_LT(last, uuid);
        ASSERT_EQ(uuid.bytes[6] >> 4, 7);
        ASSERT_EQ(uuid.bytes[8] >> 6, 2);
        std::uint64_t random = 0;
        for (int j = 8; j < 16; ++j) random = random << 8 | uuid.bytes[j];
        random_parts.push_back(random);
        last = uuid;
    }
    // 62 random bits: a repeat among a million has a chance of one in nine million.
    std::sort(random_parts.begin(), random_parts.end());
    EXPECT_EQ(std::adjacent_find(random_parts.begin(), random_parts.end()), random_parts.end());
}

TEST(UuidV7, NeverGoesBackWithTheClock) {
    fake_now = 1'700'000'000'000 * 1'000'000;
    UuidV7Generator generator(fake_clock);
    Uuid last = generator.next();
    for (const std::int64_t step :
         {0L, -1L, -3'600'000'000'000L, 1L, 3'600'000'000'000L, -2'000'000'000'000'000'000L}) {
        fake_now += step;
        for (int i = 0; i < 5000; ++i) {
            const Uuid uuid = generator.next();
            ASSERT_LT(last, uuid) << step;
            last = uuid;
        }
    }
    EXPECT_EQ(last.bytes[6] >> 4, 7);
}

TEST(UuidV7, AForkedChildDrawsItsOwnRandomBits) {
    fake_now = 1'700'000'000'000 * 1'000'000;
    UuidV7Generator generator(fake_clock);
    generator.next();
    int pipe_ends[2];
    ASSERT_EQ(pipe(pipe_ends), 0);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        const Uuid uuid = generator.next();
        const bool written = write(pipe_ends[1], uuid.bytes.data(), uuid.bytes.size()) == 16;
        _exit(written ? 0 : 1);
    }
    Uuid from_child;
    EXPECT_EQ(read(pipe_ends[0], from_child.bytes.data(), 16), 16);
    int status = 0;
    waitpid(child, &status, 0);
    close(pipe_ends[0]);
    close(pipe_ends[1]);
    ASSERT_EQ(status, 0);
    const Uuid from_parent = generator.next();
    EXPECT_TRUE(std::equal(from_parent.bytes.begin(), from_parent.bytes.begin() + 8, from_child.bytes.begin()));
    EXPECT_NE(from_parent, from_child);
}

}  // namespace
}  // namespace pgchat
