// How long the engine keeps finished calls.
#include <gtest/gtest.h>

#include "support/fake_engine.hpp"

namespace pgchat {
namespace {

using EngineRetentionTest = FakeEngineTest;

TEST_F(EngineRetentionTest, AFinishedCallIsKeptForItsRetention) {
    limits.retention = Milliseconds(1'000);
    engine.set_limits(limits);
    submit(1);
    engine.cancel(*find(1));
    run_at(900);
    EXPECT_NE(find(1), nullptr) << "a call is kept until its end is published";
    listener.settle(engine);
    EXPECT_EQ(engine.next_deadline(), begin + Milliseconds(1'900));
    run_at(1'899);
    EXPECT_NE(find(1), nullptr);
    EXPECT_EQ(engine.find_by_message(numbered_uuid(1'000'000'001)), find(1));
    run_at(1'900);
    EXPECT_EQ(find(1), nullptr);
    EXPECT_EQ(engine.find_by_message(numbered_uuid(1'000'000'001)), nullptr);
    EXPECT_EQ(engine.next_deadline(), std::nullopt);
}

TEST_F(EngineRetentionTest, AReaderThatIsBehindKeepsACall) {
    limits.retention = Milliseconds(0);
    engine.set_limits(limits);
    submit(1);
    engine.cancel(*find(1));
    listener.settle(engine);
    listener.kept.insert(numbered_uuid(1));
    engine.run();
    ASSERT_NE(find(1), nullptr);
    EXPECT_EQ(listener.asked, 1);
    EXPECT_EQ(engine.next_deadline(), begin + Milliseconds(1'000)) << "it must not be asked without pause";
    listener.kept.clear();
    run_at(1'000);
    EXPECT_EQ(find(1), nullptr);
}

class RetainedBytesTest : public EngineRetentionTest {
protected:
    static constexpr std::size_t size = 100'000;

    // Ends `count` calls of about `size` bytes each.
    void finish_large(std::uint64_t count, const std::string& event) {
        for (std::uint64_t i = 1; i <= count; ++i) {
            const auto id = begin_reply(i);
            network.body(id, event + openai_done());
            network.end(id);
            engine.run();
        }
        listener.settle(engine);
    }
    std::size_t kept() {
        std::size_t count = 0;
        engine.for_each([&](Call&) { ++count; });
        return count;
    }
};

TEST_F(RetainedBytesTest, TheOldestGoFirst) {
    limits.max_retained_bytes = 5 * size;
    engine.set_limits(limits);
    finish_large(10, openai_content(std::string(size, 'x')));
    engine.run();
    EXPECT_LE(kept(), 5u);
    EXPECT_GE(kept(), 2u);
    EXPECT_EQ(find(1), nullptr);
    EXPECT_NE(find(10), nullptr);
}

TEST_F(RetainedBytesTest, ToolCallsCountToo) {
    limits.max_retained_bytes = 5 * size;
    engine.set_limits(limits);
    const Json function{{"name", "f"}, {"arguments", std::string(size, 'x')}};
    const Json call{{"index", 0}, {"id", "c"}, {"type", "function"}, {"function", function}};
    finish_large(10, openai_event(Json{{"tool_calls", Json::array({call})}}));
    engine.run();
    EXPECT_LE(kept(), 4u);
}

TEST_F(RetainedBytesTest, ReadersThatAreBehindDoNotMakeEachRunLookAtAll) {
    limits.max_retained_bytes = 0;
    engine.set_limits(limits);
    for (std::uint64_t i = 1; i <= 100; ++i) listener.kept.insert(numbered_uuid(i));
    finish_large(100, openai_content("x"));
    listener.asked = 0;
    for (int i = 0; i < 10; ++i) engine.run();
    EXPECT_EQ(listener.asked, 10);
    listener.kept.clear();
    engine.run();
    EXPECT_EQ(kept(), 0u);
}

TEST_F(RetainedBytesTest, AReleasedCallIsNotCountedAnyMore) {
    limits.max_retained_bytes = 3 * size;
    engine.set_limits(limits);
    finish_large(2, openai_content(std::string(size, 'x')));
    engine.release(*find(1));
    engine.release(*find(2));
    for (std::uint64_t i = 3; i <= 4; ++i) begin_reply(i);
    finish_large(0, "");
    for (std::uint64_t i = 3; i <= 4; ++i) engine.cancel(*find(i));
    listener.settle(engine);
    engine.run();
    EXPECT_EQ(kept(), 2u);
}

TEST_F(EngineRetentionTest, AnIdMayComeAgainOnceItsCallIsReleased) {
    submit(1);
    engine.cancel(*find(1));
    listener.settle(engine);
    engine.release(*find(1));
    listener.ended.clear();
    submit(1);
    run_at(60'000);
    ASSERT_NE(find(1), nullptr) << "the earlier call's retention is over, not this one's";
    EXPECT_FALSE(find(1)->is_finished());
}

TEST_F(EngineRetentionTest, ReleasedCallsAreNotToldOfAnyMore) {
    const auto id = begin_reply(1);
    feed(id, openai_content("a"));
    feed(id, openai_content("b"));
    engine.cancel(*find(1));
    listener.released.insert(numbered_uuid(1));
    engine.release(*find(1));
    run_at(100'000);
    EXPECT_EQ(engine.next_deadline(), std::nullopt);
}

}  // namespace
}  // namespace pgchat
