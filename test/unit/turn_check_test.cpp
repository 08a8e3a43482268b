#include "core/llm/turn_check.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"

namespace pgchat {
namespace {

ErrorCode code_of(auto&& check) {
    try {
        check();
    } catch (const Error& error) {
        return error.code();
    }
    return ErrorCode::internal;
}

std::string repeated(std::string_view text, int count) {
    std::string all;
    for (int i = 0; i < count; ++i) all += text;
    return all;
}

TEST(TurnCheck, TakesTextUpToTheLimit) {
    EXPECT_NO_THROW(check_content("hello", 5));
    EXPECT_EQ(code_of([] { check_content("hello", 4); }), ErrorCode::content_too_long);
}

TEST(TurnCheck, RefusesBlankTextHoweverLong) {
    EXPECT_EQ(code_of([] { check_content("", 5); }), ErrorCode::empty_content);
    EXPECT_EQ(code_of([] { check_content(" \u3000\n", 5); }), ErrorCode::empty_content);
    EXPECT_EQ(code_of([] { check_content(std::string(100, ' '), 5); }), ErrorCode::empty_content);
}

TEST(TurnCheck, TakesBlankTextWithFiles) {
    EXPECT_NO_THROW(check_content("", 5, true));
    EXPECT_EQ(code_of([] { check_content("hello", 4, true); }), ErrorCode::content_too_long);
}

TEST(TurnCheck, SaysHowLongTheTextIs) {
    try {
        check_content("hello", 4);
        FAIL();
    } catch (const Error& error) {
        EXPECT_STREQ(error.what(), "the message has 5 bytes, and 4 are allowed");
        EXPECT_NE(error.hint().find("pgchat.max_message_bytes"), std::string::npos);
    }
}

TEST(TurnCheck, CountsTheCharactersOfAKey) {
    EXPECT_NO_THROW(check_idempotency_key(repeated("é", 255)));
    EXPECT_EQ(code_of([] { check_idempotency_key(repeated("é", 256)); }), ErrorCode::invalid_argument);
    EXPECT_EQ(code_of([] { check_idempotency_key(""); }), ErrorCode::invalid_argument);
}

}  // namespace
}  // namespace pgchat
