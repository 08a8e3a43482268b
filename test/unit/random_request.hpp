// Test support: chat requests at random, with everything that a request may hold, also what is not valid text.
#pragma once

#include <array>
#include <cstddef>
#include <random>
#include <string>
#include <string_view>

#include "core/llm/chat_request.hpp"

namespace pgchat {

class RandomRequests {
public:
    explicit RandomRequests(unsigned seed) : random_(seed) {}

    ChatRequest next() {
        ChatRequest request;
        if (chance(2)) request.system_prompt = text();
        for (std::size_t left = below(8); left > 0; --left) request.messages.push_back(message());
        if (chance(4)) request.response_format = one_of(formats());
        if (chance(2)) request.options = options();
        return request;
    }

    bool chance(std::size_t one_in) { return below(one_in) == 0; }

    std::string text() {
        static const std::array<std::string, 20> pieces{"word ",
                                                        "a longer run of plain words without anything special in it",
                                                        "\"quoted\"",
                                                        "\\",
                                                        "\n",
                                                        "\b\f\r\t",
                                                        std::string(1, '\0'),
                                                        "\x01\x1f ",
                                                        "\x7f",
                                                        "</b>",
                                                        "\u00e9",
                                                        "\u6f22\u5b57",
                                                        "\U0001F600",
                                                        "\u2028",
                                                        "\uFFFD",
                                                        "\xC0\xAF",
                                                        "\xE2\x82",
                                                        "\xED\xA0\x80",
                                                        "\xF4\x90\x80\x80",
                                                        "\xFF"};
        std::string result;
        // Half of the texts are valid, as all are in practice.
        const std::size_t kinds = chance(2) ? pieces.size() : 15;
        for (std::size_t left = below(7); left > 0; --left) result += pieces[below(kinds)];
        return result;
    }

private:
    std::size_t below(std::size_t bound) { return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random_); }

    template <typename Values>
    typename Values::value_type one_of(const Values& values) {
        return values[below(values.size())];
    }

    static std::array<Json, 3> formats() {
        return {Json{{"type", "json_object"}},
                Json::parse(R"({"type":"object","properties":{"a\"":{"type":"string"}}})"),
                Json::parse(R"({"type":"json_schema","json_schema":{"name":"n","schema":{}}})")};
    }

    ImagePart image() { return {"image/png", "QUJD" + std::string(below(9), 'A'), {}}; }

    Json tool_calls() {
        Json calls = Json::array();
        for (std::size_t left = below(3); left > 0; --left) {
            const std::string arguments = chance(2) ? Json{{"n", below(9)}}.dump() : text();
            calls.push_back(
                {{"id", text()}, {"type", "function"}, {"function", {{"name", text()}, {"arguments", arguments}}}});
        }
        return calls;
    }

    ChatMessage message() {
        ChatMessage message;
        message.role = one_of(std::array{Role::system, Role::user, Role::user, Role::assistant, Role::tool});
        if (!chance(5)) message.content = text();
        if (message.role == Role::user && chance(4)) message.images.push_back(image());
        if (message.role == Role::assistant && chance(3)) message.tool_calls = tool_calls();
        if (message.role == Role::tool) message.tool_call_id = text();
        return message;
    }

    Json tools() {
        Json schema = {{"type", "object"}, {"properties", Json::object()}, {"required", Json::array()}};
        Json function = {{"name", text()}, {"description", text()}};
        if (chance(2)) function["parameters"] = std::move(schema);
        return Json::array({Json{{"type", "function"}, {"function", std::move(function)}}});
    }

    Json extra() {
        Json extra = Json::object();
        if (chance(2)) extra[text()] = {text(), -7, below(1000), 0.1, 1e300, true, nullptr, Json::object()};
        if (chance(3)) extra["temperature"] = nullptr;
        if (chance(6)) extra["messages"] = {text()};
        if (chance(6)) extra["model"] = text();
        return extra;
    }

    ChatOptions options() {
        ChatOptions options;
        if (chance(2)) options.temperature = static_cast<double>(below(100)) / 99;
        if (chance(3)) options.top_p = static_cast<double>(below(10)) / 10;
        if (chance(2)) options.max_tokens = static_cast<std::int64_t>(1 + below(100'000));
        if (chance(3)) options.seed = static_cast<std::int64_t>(below(1000)) - 500;
        if (chance(3)) options.stop = {text(), text()};
        if (chance(3)) options.tools = tools();
        if (chance(6)) options.tool_choice = "none";
        if (chance(5)) options.thinking = one_of(std::array{Json(true), Json(false), Json{{"budget_tokens", 5000}}});
        if (chance(5)) options.images.push_back(image());
        if (chance(2)) options.extra = extra();
        return options;
    }

    std::mt19937 random_;
};

}  // namespace pgchat
