// Test support: calls to providers that need no network, and what such providers send.
#pragma once

#include <cstring>
#include <memory>
#include <string>

#include "core/engine/call.hpp"

namespace pgchat {

inline Uuid numbered_uuid(std::uint64_t number) {
    Uuid id;
    std::memcpy(id.bytes.data() + 8, &number, sizeof number);
    id.bytes[0] = 1;
    return id;
}

inline std::shared_ptr<const ModelEntry> fake_model(ProviderKind kind = ProviderKind::openai) {
    auto provider = std::make_shared<ProviderConfig>();
    provider->name = "acme";
    provider->kind = kind;
    if (kind != ProviderKind::echo) provider->base_url = "https://llm.example/v1";
    auto model = std::make_shared<ModelEntry>();
    model->name = "small";
    model->provider_model = "small-1";
    model->provider = provider;
    model->input_price = 1'000'000;  // 1 per million tokens
    model->cached_price = 100'000;
    model->output_price = 2'000'000;
    return model;
}

inline CallSpec fake_spec(std::uint64_t number, bool stream = true, ProviderKind kind = ProviderKind::openai) {
    CallSpec spec;
    spec.request_id = numbered_uuid(number);
    spec.message_id = numbered_uuid(1'000'000'000 + number);
    spec.user_id = numbered_uuid(2'000'000'000);
    spec.stream = stream;
    spec.model = fake_model(kind);
    ChatMessage message;
    message.content = "Hello, you";
    spec.request.messages.push_back(message);
    return spec;
}

// Events of OpenAI's stream.
inline std::string openai_event(const Json& delta, const Json& finish_reason = nullptr) {
    const Json choice{{"index", 0}, {"delta", delta}, {"finish_reason", finish_reason}};
    return "data: " + Json{{"choices", Json::array({choice})}}.dump() + "\n\n";
}
inline std::string openai_content(const std::string& text) {
    return openai_event(Json{{"content", text}});
}
inline std::string openai_thinking(const std::string& text) {
    return openai_event(Json{{"reasoning_content", text}});
}
inline std::string openai_usage(int input, int output, int cached = 0) {
    const Json usage{{"prompt_tokens", input},
                     {"completion_tokens", output},
                     {"prompt_tokens_details", Json{{"cached_tokens", cached}}}};
    return "data: " + Json{{"choices", Json::array()}, {"usage", usage}}.dump() + "\n\n";
}
inline std::string openai_done() {
    return openai_event(Json::object(), "stop") + "data: [DONE]\n\n";
}

}  // namespace pgchat
