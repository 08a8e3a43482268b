#include "core/engine/response_cache.hpp"

#include <gtest/gtest.h>

#include "support/fake_clock.hpp"

namespace pgchat {
namespace {

constexpr Milliseconds minute{60'000};

class ResponseCacheTest : public testing::Test {
protected:
    ResponseCacheTest() { cache.set_max_bytes(1u << 20); }

    static Sha256Digest key(const std::string& text) { return sha256(text); }
    void put(const std::string& name, std::size_t size = 10, Milliseconds ttl = minute) {
        auto reply = std::make_shared<CachedReply>();
        reply->content = std::string(size, name[0]);
        cache.put(key(name), std::move(reply), clock.time, ttl);
    }
    bool has(const std::string& name, Milliseconds max_age = minute) {
        const auto reply = cache.find(key(name), clock.time, max_age);
        return reply && reply->content[0] == name[0];
    }

    FakeClock clock;
    ResponseCache cache;
};

TEST_F(ResponseCacheTest, FindsWhatWasPut) {
    put("a");
    put("b");
    EXPECT_TRUE(has("a"));
    EXPECT_TRUE(has("b"));
    EXPECT_FALSE(has("c"));
    EXPECT_EQ(cache.size(), 2u);
}

TEST_F(ResponseCacheTest, NothingIsOlderThanEitherTime) {
    put("a");
    clock.advance(Milliseconds(30'000));
    EXPECT_TRUE(has("a", Milliseconds(30'001)));
    EXPECT_FALSE(has("a", Milliseconds(30'000)));
    EXPECT_TRUE(has("a")) << "it is kept for those who take it";
    clock.advance(Milliseconds(29'999));
    EXPECT_TRUE(has("a", 2 * minute));
    clock.advance(Milliseconds(1));
    EXPECT_FALSE(has("a", 2 * minute));
    EXPECT_EQ(cache.size(), 0u);
    EXPECT_EQ(cache.bytes(), 0u);
}

TEST_F(ResponseCacheTest, ANewReplyReplacesTheOld) {
    put("a", 1000);
    const std::size_t bytes = cache.bytes();
    clock.advance(minute / 2);
    put("a", 10);
    EXPECT_EQ(cache.size(), 1u);
    EXPECT_LT(cache.bytes(), bytes);
    clock.advance(minute / 2);
    EXPECT_TRUE(has("a"));
}

TEST_F(ResponseCacheTest, TheLeastUsedGoFirst) {
    cache.set_max_bytes(40'000);
    put("a", 10'000);
    put("b", 10'000);
    put("c", 10'000);
    EXPECT_TRUE(has("a"));
    put("d", 10'000);
    EXPECT_FALSE(has("b"));
    EXPECT_TRUE(has("a") && has("c") && has("d"));
    EXPECT_LE(cache.bytes(), 40'000u);
}

TEST_F(ResponseCacheTest, WhatIsLargerThanTheBoundIsNotKept) {
    cache.set_max_bytes(10'000);
    put("a", 5'000);
    put("b", 10'000);
    EXPECT_TRUE(has("a")) << "and takes nothing else away";
    EXPECT_FALSE(has("b"));
}

TEST_F(ResponseCacheTest, ALowerBoundDropsWhatIsTooMuch) {
    put("a", 10'000);
    put("b", 10'000);
    cache.set_max_bytes(15'000);
    EXPECT_EQ(cache.size(), 1u);
    cache.set_max_bytes(0);
    EXPECT_EQ(cache.bytes(), 0u);
    put("c");
    EXPECT_EQ(cache.size(), 0u);
}

TEST_F(ResponseCacheTest, WithoutTimeNothingIsKept) {
    put("a", 10, Milliseconds(0));
    EXPECT_EQ(cache.size(), 0u);
}

TEST_F(ResponseCacheTest, AReplyOutlivesItsPlace) {
    put("a");
    const auto reply = cache.find(key("a"), clock.time, minute);
    cache.set_max_bytes(0);
    EXPECT_EQ(reply->content, "aaaaaaaaaa");
}

}  // namespace
}  // namespace pgchat
