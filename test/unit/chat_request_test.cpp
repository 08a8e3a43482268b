#include "core/llm/chat_request.hpp"

#include <gtest/gtest.h>

#include <string>

#include "core/error.hpp"

namespace pgchat {
namespace {

ChatRequest parse_messages(std::string_view messages) {
    ChatRequestText text;
    text.messages = messages;
    return parse_chat_request(text);
}

std::string request_complaint(const ChatRequestText& text, const ChatRequestLimits& limits = {}) {
    try {
        parse_chat_request(text, limits);
    } catch (const Error& error) {
        return std::string(error_name(error.code())) + ": " + error.what();
    }
    return "none";
}

std::string messages_complaint(std::string_view messages) {
    ChatRequestText text;
    text.messages = messages;
    return request_complaint(text);
}

TEST(ChatRequest, APromptIsOneUserMessage) {
    ChatRequestText text;
    text.prompt = "Hello \xFF";
    text.system_prompt = "Be kind";
    text.response_format = R"({"type":"json_object"})";
    const ChatRequest request = parse_chat_request(text);
    ASSERT_EQ(request.messages.size(), 1u);
    EXPECT_EQ(request.messages[0].role, Role::user);
    EXPECT_EQ(request.messages[0].content, "Hello �");
    EXPECT_EQ(request.system_prompt, "Be kind");
    EXPECT_EQ(request.response_format.dump(), R"({"type":"json_object"})");
}

TEST(ChatRequest, ReadsEveryRole) {
    const ChatRequest request = parse_messages(R"([
        {"role":"system","content":"S"},
        {"role":"user","content":[{"type":"text","text":"Look: "},{"type":"text","text":"this"},
            {"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA","detail":"low"}},
            {"type":"image_url","image_url":{"url":"https://example.com/a.png"}}]},
        {"role":"assistant","tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":{"a":1}}}]},
        {"role":"tool","tool_call_id":"c1","content":"42"},
        {"role":"assistant","content":"done","name":"ignored"}])");
    ASSERT_EQ(request.messages.size(), 5u);
    EXPECT_EQ(request.messages[0].role, Role::system);
    EXPECT_EQ(request.messages[1].content, "Look: this");
    ASSERT_EQ(request.messages[1].images.size(), 2u);
    EXPECT_EQ(request.messages[1].images[0].media_type, "image/png");
    EXPECT_EQ(request.messages[1].images[0].base64, "AAAA");
    EXPECT_EQ(request.messages[1].images[1].url, "https://example.com/a.png");
    EXPECT_EQ(request.messages[2].tool_calls.dump(),
              R"([{"id":"c1","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}])");
    EXPECT_EQ(request.messages[3].role, Role::tool);
    EXPECT_EQ(request.messages[3].tool_call_id, "c1");
    EXPECT_EQ(request.messages[4].content, "done");
}

TEST(ChatRequest, RefusesEmptyContent) {
    ChatRequestText text;
    EXPECT_EQ(request_complaint(text), "empty_content: the prompt is empty");
    text.prompt = " \n\t";
    EXPECT_EQ(request_complaint(text), "empty_content: the prompt is empty");
    EXPECT_EQ(messages_complaint(R"([{"role":"user","content":""}])"), "empty_content: a user message is empty");
    text.messages = R"([{"role":"user","content":"x"}])";
    EXPECT_EQ(request_complaint(text), "empty_content: the prompt is empty");
}

TEST(ChatRequest, APromptComesAfterTheMessages) {
    ChatRequestText text;
    text.messages = R"([{"role":"user","content":"x"},{"role":"assistant","content":"y"}])";
    text.prompt = "z";
    const ChatRequest request = parse_chat_request(text);
    ASSERT_EQ(request.messages.size(), 3u);
    EXPECT_EQ(request.messages[2].role, Role::user);
    EXPECT_EQ(request.messages[2].content, "z");
}

TEST(ChatRequest, NamesTheMessageThatIsWrong) {
    struct Case {
        const char* messages;
        const char* complaint;
    };
    for (const Case& c : {
             Case{"{}", "messages: must be an array"},
             Case{"[]", "messages: must not be empty"},
             Case{"[1", "messages: not valid JSON at byte 3"},
             Case{"[7]", "messages[0]: must be an object"},
             Case{R"([{"role":"user","content":"a"},{"role":"robot","content":"b"}])",
                  "messages[1].role: unknown role"},
             Case{R"([{"content":"a"}])", "messages[0].role: must be a string"},
             Case{R"([{"role":"user"}])", "messages[0].content: must be a string or an array of parts"},
             Case{R"([{"role":"user","content":5}])", "messages[0].content: must be a string or an array of parts"},
             Case{R"([{"role":"assistant","content":null}])",
                  "messages[0].content: must be a string or an array of parts"},
             Case{R"([{"role":"user","content":[{"type":"video"}]}])",
                  "messages[0].content[0]: type must be text or image_url"},
             Case{R"([{"role":"user","content":[{"type":"text","text":1}]}])",
                  "messages[0].content[0].text: must be a string"},
             Case{R"([{"role":"user","content":[{"type":"image_url","image_url":{"url":"http://x/y.png"}}]}])",
                  "messages[0].content[0].image_url.url: must be a bytea, an https URL or a data URL"},
             Case{R"([{"role":"user","content":[{"type":"image_url","image_url":"data:text/html;base64,AAAA"}]}])",
                  "messages[0].content[0].image_url: must be an image"},
             Case{R"([{"role":"user","content":[{"type":"image_url","image_url":"data:image/png;base64,A!"}]}])",
                  "messages[0].content[0].image_url: is not valid base64"},
             Case{R"([{"role":"tool","content":"x"}])", "messages[0].tool_call_id: must be a string"},
             Case{R"([{"role":"assistant","tool_calls":{}}])", "messages[0].tool_calls: must be an array"},
             Case{R"([{"role":"assistant","tool_calls":[{"id":"a"}]}])",
                  "messages[0].tool_calls[0].function: must be an object"},
             Case{R"([{"role":"user","content":"a\u0000"}])", "messages: a string contains U+0000"},
         })
        EXPECT_EQ(messages_complaint(c.messages), std::string("malformed_messages: ") + c.complaint);
}

TEST(ChatRequest, SurvivesDeepNesting) {
    const std::string deep = std::string(3'000'000, '[') + std::string(3'000'000, ']');
    EXPECT_EQ(messages_complaint(deep), "malformed_messages: messages: nested deeper than 64 levels");
    ChatRequestText text;
    text.prompt = "x";
    text.response_format = deep;
    EXPECT_EQ(request_complaint(text), "malformed_options: response_format: nested deeper than 64 levels");
}

TEST(ChatRequest, HoldsToTheLimits) {
    ChatRequestLimits limits;
    limits.max_content_bytes = 10;
    limits.max_messages = 2;
    ChatRequestText text;
    text.prompt = "12345678901";
    EXPECT_EQ(request_complaint(text, limits), "content_too_long: the prompt is longer than 10 bytes");
    text = {};
    text.messages = R"([{"role":"user","content":"123456"},{"role":"assistant","content":"12345"}])";
    EXPECT_EQ(request_complaint(text, limits), "content_too_long: the messages are longer than 10 bytes together");
    text.messages = R"([{"role":"user","content":"1"},{"role":"user","content":"2"},{"role":"user","content":"3"}])";
    EXPECT_EQ(request_complaint(text, limits), "content_too_long: more than 2 messages in one request");
    const std::string padded = R"([{"role":"user","content":"1"}])" + std::string(5'000, ' ');
    text.messages = padded;
    EXPECT_EQ(request_complaint(text, limits), "content_too_long: messages are too long");
}

TEST(ChatRequest, CountsImagesApartFromTexts) {
    const std::string image =
        R"({"type":"image_url","image_url":{"url":"data:image/png;base64,)" + std::string(40, 'A') + R"("}})";
    const std::string messages =
        R"([{"role":"user","content":[{"type":"text","text":"12345"},)" + image + "," + image + "]}]";
    ChatRequestLimits limits;
    limits.max_content_bytes = 10;
    limits.max_image_bytes = 80;
    ChatRequestText text;
    text.messages = messages;
    EXPECT_EQ(parse_chat_request(text, limits).messages[0].images.size(), 2u);
    limits.max_image_bytes = 79;
    EXPECT_EQ(request_complaint(text, limits),
              "content_too_long: the images have more than 79 bytes together in base64");
}

TEST(ChatRequest, ImagesInOptionsNeedAUserMessage) {
    ChatRequestText text;
    text.messages = R"([{"role":"system","content":"x"}])";
    text.options = R"({"images":["https://example.com/a.png"]})";
    EXPECT_EQ(request_complaint(text),
              "malformed_options: options.images: there is no user message to attach images to");
}

}  // namespace
}  // namespace pgchat
