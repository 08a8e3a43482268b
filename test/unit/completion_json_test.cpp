#include "core/engine/completion_json.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "core/llm/json.hpp"
#include "support/fake_calls.hpp"

namespace pgchat {
namespace {

TEST(DecimalCost, IsExactAndWithoutExponent) {
    EXPECT_EQ(decimal_cost(0), "0");
    EXPECT_EQ(decimal_cost(1), "0.000000000001");
    EXPECT_EQ(decimal_cost(1'500'000), "0.0000015");
    EXPECT_EQ(decimal_cost(1'000'000'000'000), "1");
    EXPECT_EQ(decimal_cost(12'340'000'000'000), "12.34");
    EXPECT_EQ(decimal_cost(std::numeric_limits<std::int64_t>::max()), "9223372.036854775807");
}

TEST(CompletionJson, HasAllMembers) {
    CompleteReply reply;
    reply.status = CallStatus::complete;
    reply.content = "say \"hi\"\n";
    reply.thinking = "hm";
    reply.tool_calls = R"([{"id":"c"}])";
    reply.finish_reason = "stop";
    reply.model = "small";
    reply.input_tokens = 3;
    reply.output_tokens = 4;
    reply.cached_tokens = 0;
    reply.cost = 2'500'000'000'000;
    reply.latency_ms = 17;
    const Json json = Json::parse(completion_json(reply, numbered_uuid(1), false));
    EXPECT_EQ(json, Json::parse(R"({"content":"say \"hi\"\n","thinking":"hm","tool_calls":[{"id":"c"}],
        "finish_reason":"stop","model":"small","usage":{"input_tokens":3,"output_tokens":4,"cached_tokens":0},
        "cost":2.5,"latency_ms":17,"request_id":"01000000-0000-0000-0100-000000000000"})"));
}

TEST(CompletionJson, WhatIsUnknownIsNull) {
    CompleteReply reply;
    reply.model = "small";
    const Json json = Json::parse(completion_json(reply, Uuid{}, false));
    EXPECT_EQ(json, Json::parse(R"({"content":"","thinking":null,"tool_calls":null,"finish_reason":null,"model":"small",
        "usage":{"input_tokens":null,"output_tokens":null,"cached_tokens":null},"cost":0,"latency_ms":0,
        "request_id":"00000000-0000-0000-0000-000000000000"})"));
}

TEST(CompletionJson, BytesThatAreNoTextDoNotBreakIt) {
    CompleteReply reply;
    reply.content =
        "a\xff"
        "b\x01";
    reply.model = "m";
    EXPECT_EQ(Json::parse(completion_json(reply, Uuid{}, false))["content"],
              "a\xEF\xBF\xBD"
              "b\x01");
}

TEST(CompletionJson, JsonIsThereWhereItWasAskedFor) {
    CompleteReply reply;
    reply.content = R"({"a": [1, 2]})";
    EXPECT_EQ(Json::parse(completion_json(reply, Uuid{}, true))["json"], Json::parse(reply.content));
    EXPECT_FALSE(Json::parse(completion_json(reply, Uuid{}, false)).contains("json"));
    reply.content = "";
    reply.tool_calls = "[]";
    EXPECT_EQ(Json::parse(completion_json(reply, Uuid{}, true))["json"], nullptr);
}

TEST(CompletionJson, AnErrorHasItsHintWhereThereIsOne) {
    EXPECT_EQ(Json::parse(error_json(Error(ErrorCode::unknown_model, "no", "yes"))),
              Json::parse(R"({"code": "unknown_model", "sqlstate": "42704", "message": "no", "hint": "yes"})"));
    EXPECT_FALSE(Json::parse(error_json(Error(ErrorCode::unknown_model, "no"))).contains("hint"));
}

}  // namespace
}  // namespace pgchat
