#include "core/llm/structured_reply.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "support/fake_engine.hpp"

namespace pgchat {
namespace {

const Json schema = Json::parse(R"({"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}})");

std::string document(const std::string& content, const std::string& finish = "stop", int input = 10, int output = 5) {
    return Json{{"choices", Json::array({Json{{"message", Json{{"content", content}}}, {"finish_reason", finish}}})},
                {"usage", Json{{"prompt_tokens", input}, {"completion_tokens", output}}}}
        .dump();
}

TEST(StructuredReply, IsCheckedInEachForm) {
    const Json any = Json::parse(R"({"type": "json_object"})");
    const Json wrapped{{"type", "json_schema"}, {"json_schema", {{"name", "x"}, {"schema", schema}}}};
    EXPECT_EQ(structured_reply_fault(nullptr, "text"), std::nullopt);
    EXPECT_EQ(structured_reply_fault(Json::parse(R"({"type": "text"})"), "text"), std::nullopt);
    EXPECT_EQ(structured_reply_fault(any, R"( {"b": 2} )"), std::nullopt);
    EXPECT_EQ(structured_reply_fault(any, "[1]"), "$: must be an object");
    EXPECT_EQ(structured_reply_fault(any, "```json\n{}\n```"), "not valid JSON at byte 1");
    EXPECT_EQ(structured_reply_fault(schema, R"({"a": 2})"), std::nullopt);
    EXPECT_EQ(structured_reply_fault(wrapped, R"({"a": "2"})"), "$.a: must be of type \"integer\"");
    EXPECT_NE(structured_reply_fault(schema, std::string(5u << 20, ' ')), std::nullopt);
    EXPECT_NE(structured_reply_fault(schema, ""), std::nullopt);
    EXPECT_FALSE(asks_for_json(""));
    EXPECT_FALSE(asks_for_json(R"({"type": "text"})"));
    EXPECT_TRUE(asks_for_json(R"({"type": "json_object"})"));
    EXPECT_TRUE(asks_for_json(schema.dump()));
    EXPECT_THROW(asks_for_json("7"), Error);
}

TEST(StructuredReply, ARepairShowsTheReplyAndKeepsImagesWithTheirMessage) {
    ChatRequest request;
    request.messages.push_back({Role::user, "What is it?", {}, {}, {}});
    request.options.images.push_back({"image/png", "AAAA", {}});
    ask_for_repair(request, "not json", "not valid JSON at byte 1");
    ASSERT_EQ(request.messages.size(), 3u);
    EXPECT_EQ(request.messages[0].images.size(), 1u);
    EXPECT_TRUE(request.options.images.empty());
    EXPECT_EQ(request.messages[1].role, Role::assistant);
    EXPECT_EQ(request.messages[1].content, "not json");
    EXPECT_EQ(request.messages[2].role, Role::user);
    EXPECT_NE(request.messages[2].content.find("not valid JSON at byte 1"), std::string::npos);
    ask_for_repair(request, " \n", "not valid JSON at byte 2");
    EXPECT_EQ(request.messages.size(), 4u) << "an empty reply is no message";
}

class StructuredCallTest : public FakeEngineTest {
protected:
    Call& begin_call(bool stream = false) {
        CallSpec spec = fake_spec(1, stream);
        spec.request.response_format = schema;
        Call& call = engine.submit(std::move(spec));
        engine.run();
        return call;
    }
    void answer(const std::string& content, const std::string& finish = "stop") {
        network.answer(network.last_id, 200, document(content, finish));
        engine.run();
    }
};

TEST_F(StructuredCallTest, AValidReplyIsTakenAsItIs) {
    Call& call = begin_call();
    answer(R"({"a": 1})");
    EXPECT_EQ(call.result().status, CallStatus::complete);
    EXPECT_EQ(network.requests.size(), 1u);
}

TEST_F(StructuredCallTest, AnInvalidReplyIsRepairedOnceAndBothAreCounted) {
    Call& call = begin_call();
    answer("It is 1.");
    ASSERT_FALSE(call.is_finished());
    ASSERT_EQ(network.requests.size(), 2u);
    const Json messages = Json::parse(network.requests[1].body)["messages"];
    ASSERT_EQ(messages.size(), 3u);
    EXPECT_EQ(messages[1], Json::parse(R"({"role": "assistant", "content": "It is 1."})"));
    answer(R"({"a": 1})");
    ASSERT_TRUE(call.is_finished());
    EXPECT_EQ(call.result().status, CallStatus::complete);
    EXPECT_EQ(call.log().content(), R"({"a": 1})");
    EXPECT_EQ(call.result().usage.input_tokens, 20);
    EXPECT_EQ(call.result().usage.output_tokens, 10);
    EXPECT_EQ(call.result().cost, 20 * 1'000'000 + 10 * 2'000'000);
    EXPECT_FALSE(call.result().estimated);
}

TEST_F(StructuredCallTest, AReplyThatStaysInvalidIsAnErrorThatKeepsTheText) {
    Call& call = begin_call();
    answer("It is 1.");
    answer(R"({"a": "1"})");
    EXPECT_EQ(network.requests.size(), 2u);
    EXPECT_EQ(call.result().status, CallStatus::incomplete);
    EXPECT_EQ(call.result().error->code(), ErrorCode::invalid_structured_reply);
    EXPECT_STREQ(sqlstate(call.result().error->code()), "PC112");
    EXPECT_NE(std::string(call.result().error->what()).find("$.a: must be of type"), std::string::npos);
    EXPECT_FALSE(call.result().error->hint().empty());
    EXPECT_EQ(call.log().content(), R"({"a": "1"})");
    EXPECT_EQ(call.result().usage.output_tokens, 10);
}

TEST_F(StructuredCallTest, ARepairThatFailsIsRetriedAsAnyCallAndItsFirstPartIsCounted) {
    Call& call = begin_call();
    answer("It is 1.");
    network.answer(network.last_id, 400, "{}");
    engine.run();
    EXPECT_EQ(call.result().status, CallStatus::error);
    EXPECT_EQ(call.result().error->code(), ErrorCode::provider_rejected_request);
    EXPECT_EQ(call.result().usage.output_tokens, 5);
    EXPECT_EQ(call.result().cost, 10 * 1'000'000 + 5 * 2'000'000);
}

TEST_F(StructuredCallTest, AReplyCutAtItsLongestIsNotRepaired) {
    Call& call = begin_call();
    answer(R"({"a": )", "length");
    EXPECT_EQ(network.requests.size(), 1u);
    EXPECT_EQ(call.result().error->code(), ErrorCode::invalid_structured_reply);
    EXPECT_NE(call.result().error->hint().find("max_tokens"), std::string::npos);
}

TEST_F(StructuredCallTest, AReplyThatWasFilteredIsNotRepaired) {
    Call& call = begin_call();
    answer("I cannot say that.", "content_filter");
    EXPECT_EQ(network.requests.size(), 1u);
    EXPECT_EQ(call.result().error->code(), ErrorCode::invalid_structured_reply);
}

TEST_F(StructuredCallTest, AStreamIsNotRepairedForItsTextIsOut) {
    Call& call = begin_call(true);
    network.answer(network.last_id, 200, openai_content("It is 1.") + openai_done());
    engine.run();
    EXPECT_EQ(network.requests.size(), 1u);
    EXPECT_EQ(call.result().status, CallStatus::incomplete);
    EXPECT_EQ(call.result().error->code(), ErrorCode::invalid_structured_reply);
}

TEST_F(StructuredCallTest, CancelledBetweenBothAttemptsTheFirstIsCounted) {
    Call& call = begin_call();
    answer("It is 1.");
    engine.cancel(call);
    EXPECT_EQ(call.result().status, CallStatus::cancelled);
    EXPECT_EQ(call.result().usage.output_tokens, 5);
}

TEST_F(StructuredCallTest, ToolCallsNeedNotBeWhatTheSchemaSays) {
    Call& call = begin_call();
    const Json tool =
        Json::parse(R"([{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}])");
    const Json message{{"content", nullptr}, {"tool_calls", tool}};
    const Json choice{{"message", message}, {"finish_reason", "tool_calls"}};
    network.answer(network.last_id, 200, Json{{"choices", Json::array({choice})}}.dump());
    engine.run();
    EXPECT_EQ(call.result().status, CallStatus::complete);
}

}  // namespace
}  // namespace pgchat
