#include "core/text/json_text.hpp"

#include <gtest/gtest.h>

#include "core/llm/json.hpp"

namespace pgchat {
namespace {

std::string written(std::string_view text) {
    std::string json = "[";
    append_json_string(json, text);
    return json;
}

TEST(JsonText, AppendsAString) {
    EXPECT_EQ(written(""), "[\"\"");
    EXPECT_EQ(written("plain, \xC3\xA9 and \xF0\x9F\x98\x80"), "[\"plain, \xC3\xA9 and \xF0\x9F\x98\x80\"");
}

TEST(JsonText, EscapesQuotesBackslashesAndControlCharacters) {
    EXPECT_EQ(written("a\"b\\c/"), R"(["a\"b\\c/")");
    EXPECT_EQ(written("\b\f\n\r\t\x01\x1F"), R"(["\b\f\n\r\t\u0001\u001f")");
}

TEST(JsonText, IsReadAsTheSameText) {
    std::string every_byte;
    for (int byte = 1; byte < 0x80; ++byte) every_byte += static_cast<char>(byte);
    EXPECT_EQ(Json::parse(written(every_byte) + "]").at(0).get<std::string>(), every_byte);
}

}  // namespace
}  // namespace pgchat
