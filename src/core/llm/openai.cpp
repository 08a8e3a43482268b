#include "core/llm/openai.hpp"

#include "core/llm/content_parts.hpp"
#include "core/llm/embedding_request.hpp"
#include "core/llm/json_write.hpp"
#include "core/llm/message_list.hpp"
#include "core/llm/openai_decoder.hpp"
#include "core/llm/provider_error.hpp"
#include "core/llm/provider_http.hpp"
#include "core/llm/request_messages.hpp"
#include "core/llm/response_schema.hpp"
#include "core/llm/schema_forms.hpp"

namespace pgchat {
namespace {

// From which thinking budget on, in tokens, an effort of the next level is asked for: OpenAI's API has no budget.
constexpr std::int64_t medium_effort_budget = 4'096;
constexpr std::int64_t high_effort_budget = 16'384;

Json content_of(const ChatRequest& request, std::size_t index, std::size_t last_user) {
    const ChatMessage& message = request.messages[index];
    const auto images = images_of(request, index, last_user);
    if (images.empty()) return message.content;
    Json parts = Json::array();
    if (!message.content.empty()) parts.push_back({{"type", "text"}, {"text", message.content}});
    for (const ImagePart* image : images)
        parts.push_back({{"type", "image_url"}, {"image_url", {{"url", image_url(*image)}}}});
    return parts;
}

Json openai_message(const ChatRequest& request, std::size_t index, std::size_t last_user) {
    const ChatMessage& message = request.messages[index];
    Json entry{{"role", role_name(message.role)}, {"content", content_of(request, index, last_user)}};
    if (!message.tool_calls.is_null()) {
        if (message.content.empty()) entry["content"] = nullptr;
        entry["tool_calls"] = message.tool_calls;
    }
    if (message.role == Role::tool) entry["tool_call_id"] = message.tool_call_id;
    return entry;
}

Json response_format_of(const Json& response_format) {
    if (is_openai_response_format(response_format)) return response_format;
    Json wrapper{{"name", "response"}, {"schema", response_format}, {"strict", is_strict_schema(response_format)}};
    return Json{{"type", "json_schema"}, {"json_schema", std::move(wrapper)}};
}

// reasoning_effort for a thinking setting; null where nothing is to be sent.
Json effort_of(const Json& thinking) {
    if (thinking == true) return "medium";
    if (!thinking.is_object()) return nullptr;
    if (thinking.contains("effort")) return thinking.at("effort");
    const auto budget = thinking.value("budget_tokens", std::int64_t{0});
    return budget < medium_effort_budget ? "low" : budget < high_effort_budget ? "medium" : "high";
}

void add_openai_options(Json& body, const ProviderConfig& config, const ChatOptions& options) {
    if (options.temperature) body["temperature"] = *options.temperature;
    if (options.top_p) body["top_p"] = *options.top_p;
    if (options.max_tokens) {
        const Json& field = provider_option(config, "max_tokens_field");
        body[field.is_string() ? field.get<std::string>() : "max_tokens"] = *options.max_tokens;
    }
    if (options.seed) body["seed"] = *options.seed;
    if (!options.stop.empty()) body["stop"] = options.stop;
    if (!options.tools.is_null()) body["tools"] = options.tools;
    if (!options.tool_choice.is_null()) body["tool_choice"] = options.tool_choice;
    Json effort = effort_of(options.thinking);
    if (!effort.is_null()) body["reasoning_effort"] = std::move(effort);
}

}  // namespace

Json openai_body(const ProviderConfig& config, std::string_view model, const ChatRequest& request, bool stream) {
    Json body;
    body["model"] = model;
    body["messages"] = json_placeholder();
    add_openai_options(body, config, request.options);
    if (!request.response_format.is_null()) body["response_format"] = response_format_of(request.response_format);
    if (!stream) return body;
    body["stream"] = true;
    if (provider_option(config, "include_usage") != false) body["stream_options"]["include_usage"] = true;
    return body;
}

std::string openai_messages(const ChatRequest& request) {
    return message_list(request, openai_message);
}

std::string_view OpenaiProvider::default_base_url() const noexcept {
    return "https://api.openai.com/v1";
}

HttpRequest OpenaiProvider::encode(const ProviderConfig& config, std::string_view model, const ChatRequest& request,
                                   bool stream) const {
    check_provider_input(config, model);
    Json body = openai_body(config, model, request, stream);
    if (request.options.extra.is_object()) body.update(request.options.extra);
    return provider_post(config, endpoint_url(base_url(config), "/chat/completions"), {},
                         dump_body(body, openai_messages(request)), stream ? "text/event-stream" : "application/json");
}

HttpRequest OpenaiProvider::encode_embeddings(const ProviderConfig& config, std::string_view model,
                                              const ChatRequest& request) const {
    check_provider_input(config, model);
    Json body{{"model", model}, {"input", embedding_inputs(request)}};
    if (request.options.dimensions) body["dimensions"] = *request.options.dimensions;
    if (request.options.extra.is_object()) body.update(request.options.extra);
    return provider_post(config, endpoint_url(base_url(config), "/embeddings"), {}, dump_body(body),
                         "application/json");
}

std::unique_ptr<ReplyDecoder> OpenaiProvider::decoder(bool) const {
    return std::make_unique<OpenaiDecoder>();
}

Error OpenaiProvider::error_from_response(const ProviderConfig& config, int status, std::string_view body) const {
    return provider_status_error(config, status, body);
}

}  // namespace pgchat
