#include "core/llm/branch.hpp"

#include <gtest/gtest.h>

namespace pgchat {
namespace {

constexpr std::int64_t ample = 500'000;

Uuid numbered(std::uint8_t number) {
    Uuid id;
    id.bytes[15] = number;
    return id;
}

// A message whose parent is the one of a number; 0: it has none.
BranchMessage message(std::uint8_t number, std::uint8_t parent, std::string_view role, std::string_view content) {
    return {numbered(number), parent == 0 ? std::nullopt : std::optional(numbered(parent)), role, content, 0, true};
}

TEST(Branch, TellsFromTheRootToTheLeaf) {
    Branch branch(numbered(3), ample);
    branch.add(message(1, 0, "user", "Hi"));
    branch.add(message(2, 1, "assistant", "Hello"));
    branch.add(message(3, 2, "user", "What?"));
    EXPECT_EQ(branch.messages(), R"([{"role":"user","content":"Hi"},{"role":"assistant","content":"Hello"},)"
                                 R"({"role":"user","content":"What?"}])");
}

TEST(Branch, TakesMessagesInAnyOrderAndLeavesOtherBranchesOut) {
    Branch branch(numbered(4), ample);
    branch.add(message(4, 2, "user", "d"));
    branch.add(message(3, 2, "user", "other"));
    branch.add(message(1, 0, "user", "a"));
    branch.add(message(5, 4, "assistant", "below"));
    branch.add(message(2, 1, "assistant", "b"));
    EXPECT_EQ(branch.messages(),
              R"([{"role":"user","content":"a"},{"role":"assistant","content":"b"},{"role":"user","content":"d"}])");
}

TEST(Branch, LeavesEmptyAnswersOutButNotOtherEmptyMessages) {
    Branch branch(numbered(3), ample);
    branch.add(message(1, 0, "system", ""));
    branch.add(message(2, 1, "assistant", ""));
    branch.add(message(3, 2, "user", "a"));
    EXPECT_EQ(branch.messages(), R"([{"role":"system","content":""},{"role":"user","content":"a"}])");
    Branch none(numbered(1), ample);
    none.add(message(1, 0, "assistant", ""));
    EXPECT_EQ(none.messages(), "[]");
}

TEST(Branch, EscapesWhatJsonNeeds) {
    Branch branch(numbered(1), ample);
    branch.add(message(1, 0, "user", "\"\\\n\x01\xC3\xA9\x7F"));
    EXPECT_EQ(branch.messages(), "[{\"role\":\"user\",\"content\":\"\\\"\\\\\\n\\u0001\xC3\xA9\x7F\"}]");
}

TEST(Branch, HasNoAnswerWhereAMessageIsMissing) {
    EXPECT_EQ(Branch(numbered(1), ample).messages(), std::nullopt);
    Branch without_root(numbered(2), ample);
    without_root.add(message(2, 1, "user", "a"));
    EXPECT_EQ(without_root.messages(), std::nullopt);
    Branch without_leaf(numbered(2), ample);
    without_leaf.add(message(1, 0, "user", "a"));
    EXPECT_EQ(without_leaf.messages(), std::nullopt);
}

TEST(Branch, HasNoAnswerWhereParentsGoInACircle) {
    Branch branch(numbered(1), ample);
    branch.add(message(1, 2, "user", "a"));
    branch.add(message(2, 1, "user", "b"));
    EXPECT_EQ(branch.messages(), std::nullopt);
}

TEST(Branch, HasNoAnswerWhereAMessageOfItIsNotPlain) {
    for (const bool is_on_it : {true, false}) {
        Branch branch(numbered(2), ample);
        branch.add(message(1, 0, "user", "a"));
        BranchMessage with_file = message(is_on_it ? 2 : 3, 1, "user", "b");
        with_file.is_plain = false;
        branch.add(with_file);
        branch.add(message(is_on_it ? 3 : 2, 1, "user", "c"));
        EXPECT_EQ(branch.messages().has_value(), !is_on_it);
    }
}

// 276 bytes are 92 tokens by their size, and 8 are added for each message.
TEST(Branch, CountsATokenForThreeBytes) {
    const std::string content(276, 'x');
    for (const std::int64_t room : {100, 99, -1}) {
        Branch branch(numbered(1), room);
        branch.add(message(1, 0, "user", content));
        EXPECT_EQ(branch.messages().has_value(), room == 100) << room;
    }
}

TEST(Branch, CountsAProvidersTokensWhereTheyAreMoreButNoMoreThanBytes) {
    const std::string content(276, 'x');
    const auto fits = [&](std::int64_t output_tokens, std::int64_t room) {
        Branch branch(numbered(1), room);
        BranchMessage counted = message(1, 0, "assistant", content);
        counted.output_tokens = output_tokens;
        branch.add(counted);
        return branch.messages().has_value();
    };
    EXPECT_TRUE(fits(150, 158));
    EXPECT_FALSE(fits(150, 157));
    EXPECT_TRUE(fits(5000, 284));
    EXPECT_FALSE(fits(5000, 283));
}

TEST(Branch, HasNoAnswerAmongTooMuchElse) {
    const std::string content(276, 'x');
    Branch branch(numbered(1), 100);
    branch.add(message(1, 0, "user", content));
    for (std::uint8_t other = 2; other <= Branch::most_rooms; ++other)
        branch.add(message(other, 1, "assistant", content));
    EXPECT_FALSE(branch.is_full());
    EXPECT_TRUE(branch.messages());
    branch.add(message(99, 1, "assistant", ""));
    EXPECT_TRUE(branch.is_full());
    EXPECT_EQ(branch.messages(), std::nullopt);
}

}  // namespace
}  // namespace pgchat
