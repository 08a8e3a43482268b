#include "core/llm/json_parse.hpp"

#include <gtest/gtest.h>

#include <string>

namespace pgchat {
namespace {

std::string parse_complaint(std::string_view text, int max_nesting = 4) {
    try {
        parse_json(text, max_nesting);
    } catch (const JsonError& error) {
        return error.what();
    }
    return "none";
}

TEST(JsonParse, ReadsJson) {
    EXPECT_EQ(parse_json(R"({"b":[1,2.5,"ü"],"a":null})", 2).dump(), R"({"b":[1,2.5,"ü"],"a":null})");
}

TEST(JsonParse, BoundsNesting) {
    EXPECT_EQ(parse_complaint("[[[[1]]]]"), "none");
    EXPECT_EQ(parse_complaint("[[[[[1]]]]]"), "nested deeper than 4 levels");
    EXPECT_EQ(parse_complaint(R"({"a":{"a":{"a":{"a":{}}}}})"), "nested deeper than 4 levels");
    EXPECT_EQ(parse_complaint(std::string(5'000'000, '[')), "nested deeper than 4 levels");
}

TEST(JsonParse, RefusesWhatIsNotText) {
    EXPECT_EQ(parse_complaint(R"(["a\u0000b"])"), "a string contains U+0000");
    EXPECT_EQ(parse_complaint(R"({"\u0000":1})"), "a string contains U+0000");
    EXPECT_EQ(parse_complaint(R"(["\ud800"])"), "not valid JSON at byte 9");
    EXPECT_EQ(parse_complaint("[\"\xFF\"]"), "not valid JSON at byte 3");
    EXPECT_EQ(parse_complaint("[1e999]"), "a number is out of range");
    EXPECT_EQ(parse_complaint("[1] 2"), "not valid JSON at byte 5");
    EXPECT_EQ(parse_complaint(""), "not valid JSON at byte 1");
}

}  // namespace
}  // namespace pgchat
