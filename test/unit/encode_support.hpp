// Test support: a request that uses everything, and comparison of whole bodies.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "core/llm/chat_request.hpp"
#include "core/llm/provider.hpp"

namespace pgchat {

inline ChatRequest chat(std::string_view messages, std::string_view options = {}, std::string_view system = {},
                        std::string_view format = {}) {
    ChatRequestText text;
    text.messages = messages;
    text.options = options;
    text.system_prompt = system;
    text.response_format = format;
    return parse_chat_request(text);
}

inline constexpr std::string_view hello = R"([{"role":"user","content":"Hi"}])";

// A conversation with every role, two tool results in a row and an image.
inline constexpr std::string_view long_talk = R"([
    {"role":"system","content":"Rules"},
    {"role":"user","content":"One"},
    {"role":"user","content":"Two"},
    {"role":"assistant","content":null,"tool_calls":[
        {"id":"c1","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}},
        {"id":"c2","type":"function","function":{"name":"g","arguments":"not json"}}]},
    {"role":"tool","tool_call_id":"c1","content":"r1"},
    {"role":"tool","tool_call_id":"c2","content":"r2"},
    {"role":"assistant","content":"So"},
    {"role":"user","content":[{"type":"text","text":"See"},
        {"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]}])";

inline constexpr std::string_view all_options = R"({"temperature":0.5,"top_p":0.9,"max_tokens":100,"seed":7,
    "stop":["X","Y"],"tools":[{"type":"function","function":{"name":"f","description":"does f",
    "parameters":{"type":"object","properties":{}}}},{"type":"function","function":{"name":"g"}}],
    "tool_choice":"required"})";

inline void expect_body(const HttpRequest& request, std::string_view expected) {
    EXPECT_EQ(Json::parse(request.body).dump(1), Json::parse(expected).dump(1));
}

}  // namespace pgchat
