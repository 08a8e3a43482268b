#include "core/engine/token_estimate.hpp"

#include <gtest/gtest.h>

namespace pgchat {
namespace {

TEST(TokenEstimateTest, EverythingThatIsSentCounts) {
    ChatRequest request;
    EXPECT_EQ(estimated_input_tokens(request), 0);
    request.system_prompt = std::string(30, 'a');
    request.messages.push_back({Role::user, std::string(31, 'b'), {}, {}, {}});
    EXPECT_EQ(estimated_input_tokens(request), 21);
    request.options.tools = Json::parse(R"([{"type":"function"}])");
    EXPECT_EQ(estimated_input_tokens(request), 21 + 7);
    request.options.images.push_back({"image/png", std::string(1'000'000, 'A'), ""});
    request.messages[0].images.push_back({"", "", "https://example.com/x.png"});
    EXPECT_EQ(estimated_input_tokens(request), 21 + 7 + 4'000) << "an image is no text";
}

TEST(TokenEstimateTest, ARequestMayLimitItsReply) {
    ChatOptions options;
    EXPECT_FALSE(estimated_output_tokens(options).is_limit);
    EXPECT_EQ(estimated_output_tokens(options).tokens, 4'096);
    options.max_tokens = 10;
    EXPECT_TRUE(estimated_output_tokens(options).is_limit);
    EXPECT_EQ(estimated_output_tokens(options).tokens, 10);
}

TEST(TokenEstimateTest, ThoughtComesOnTop) {
    ChatOptions options;
    options.thinking = Json::parse(R"({"budget_tokens": 1000000})");
    EXPECT_TRUE(estimated_output_tokens(options).is_limit);
    EXPECT_EQ(estimated_output_tokens(options).tokens, 1'004'096);
    EXPECT_EQ(estimated_output_tokens(options, 20'000).tokens, 1'020'000) << "to what the provider is asked for";
    EXPECT_EQ(estimated_output_tokens(options, 100).tokens, 1'004'096);
    options.max_tokens = 10;
    EXPECT_EQ(estimated_output_tokens(options, 20'000).tokens, 10);
}

TEST(TokenEstimateTest, WhatExtraPutsInItsPlaceCounts) {
    ChatOptions options;
    options.max_tokens = 10;
    const auto tokens_with = [&](const char* extra) {
        options.extra = Json::parse(extra);
        return estimated_output_tokens(options).tokens;
    };
    EXPECT_EQ(tokens_with(R"({"max_completion_tokens": 5000})"), 5'000);
    EXPECT_EQ(tokens_with(R"({"options": {"num_predict": 700}})"), 700);
    EXPECT_EQ(tokens_with(R"({"thinking": {"type": "enabled", "budget_tokens": 900}})"), 900);
    EXPECT_EQ(tokens_with(R"({"n": 8})"), 80);
    EXPECT_EQ(tokens_with(R"({"max_tokens": 5000.0})"), 5'000) << "however it is written";
    EXPECT_EQ(tokens_with(R"({"max_tokens": "5000"})"), 5'000);
    EXPECT_EQ(tokens_with(R"({"max_tokens": 18446744073709551615})"), 10'000'000);
    EXPECT_EQ(tokens_with(R"({"max_tokens": "1e999"})"), 10'000'000);
    EXPECT_EQ(tokens_with(R"({"n": "8"})"), 80);
    EXPECT_EQ(tokens_with(R"({"max_tokens": "many"})"), 10);
    EXPECT_EQ(tokens_with(R"({"n": 8, "max_tokens": 20})"), 160);
    EXPECT_EQ(tokens_with(R"({"max_tokens": 3, "user": "n"})"), 10) << "it may count for nothing";
    EXPECT_EQ(tokens_with(R"({"max_tokens": 99999999999999})"), 10'000'000);
    EXPECT_EQ(tokens_with(R"({"max_tokens": -5, "n": -1})"), 10);
}

}  // namespace
}  // namespace pgchat
