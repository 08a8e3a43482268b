#include "core/text/json_items.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace pgchat {
namespace {

std::vector<std::string> items_of(std::string_view document) {
    std::vector<std::string> found;
    JsonItems items(document);
    while (const auto item = items.next()) found.emplace_back(*item);
    return found;
}

using Items = std::vector<std::string>;

TEST(JsonItems, AreTheElementsOfAnArray) {
    EXPECT_EQ(items_of(R"([{"a": [1, 2]}, {"b": "x,]}"} , 3])"), (Items{R"({"a": [1, 2]})", R"({"b": "x,]}"})", "3"}));
    EXPECT_EQ(items_of(" [ ] "), Items{});
    EXPECT_EQ(items_of("\xEF\xBB\xBF[1]\n"), Items{"1"});
}

TEST(JsonItems, AreTheValuesOfLines) {
    EXPECT_EQ(items_of("{\"a\": \"\\\"}\"}\n\n{\"b\": {}}\r\n"), (Items{"{\"a\": \"\\\"}\"}", "{\"b\": {}}"}));
    EXPECT_EQ(items_of("{}{}"), (Items{"{}", "{}"}));
    EXPECT_EQ(items_of("[1, 2]\n[]\n[3] 4"), (Items{"1", "2", "3", "4"}));
    EXPECT_EQ(items_of(""), Items{});
    EXPECT_EQ(items_of(" \n"), Items{});
}

TEST(JsonItems, LoseNothingOfWhatIsBroken) {
    EXPECT_EQ(items_of("[1,,2,]"), (Items{"1", "", "2", ""}));
    EXPECT_EQ(items_of("[{\"a\": 1"), Items{"{\"a\": 1"});
    EXPECT_EQ(items_of("[\"a"), Items{"\"a"});
    EXPECT_EQ(items_of("[\"a\\"), Items{"\"a\\"});
    EXPECT_EQ(items_of("["), Items{});
    EXPECT_EQ(items_of("nonsense } x"), (Items{"nonsense", "}", "x"}));
    EXPECT_EQ(items_of("[}, 1]"), (Items{"}", "1"}));
}

}  // namespace
}  // namespace pgchat
