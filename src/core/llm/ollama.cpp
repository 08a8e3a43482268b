#include "core/llm/ollama.hpp"

#include "core/llm/embedding_request.hpp"
#include "core/llm/json_field.hpp"
#include "core/llm/json_write.hpp"
#include "core/llm/message_list.hpp"
#include "core/llm/ollama_decoder.hpp"
#include "core/llm/provider_error.hpp"
#include "core/llm/provider_http.hpp"
#include "core/llm/request_messages.hpp"
#include "core/llm/response_schema.hpp"

namespace pgchat {
namespace {

Json tool_calls_of(const Json& tool_calls) {
    Json result = Json::array();
    for (const Json& call : tool_calls)
        result.push_back(
            {{"function", {{"name", call.at("function").at("name")}, {"arguments", arguments_object(call)}}}});
    return result;
}

// The name of the function whose result a tool message brings, which Ollama wants instead of the call's id.
std::string tool_name_of(const ChatRequest& request, std::size_t index) {
    const std::string& id = request.messages[index].tool_call_id;
    for (std::size_t i = index; i > 0; --i)
        for (const Json& call : request.messages[i - 1].tool_calls)
            if (call.at("id") == id) return call.at("function").at("name").get<std::string>();
    return id;
}

Json images_in_base64(const ChatRequest& request, std::size_t index, std::size_t last_user) {
    Json result = Json::array();
    for (const ImagePart* image : images_of(request, index, last_user)) {
        if (!image->url.empty())
            throw Error(ErrorCode::unsupported_by_provider, "this provider takes no image URLs",
                        "Give the image itself, as a bytea or a data URL.");
        result.push_back(image->base64);
    }
    return result;
}

Json ollama_message(const ChatRequest& request, std::size_t index, std::size_t last_user) {
    const ChatMessage& message = request.messages[index];
    Json entry{{"role", role_name(message.role)}, {"content", message.content}};
    Json images = images_in_base64(request, index, last_user);
    if (!images.empty()) entry["images"] = std::move(images);
    if (!message.tool_calls.is_null()) entry["tool_calls"] = tool_calls_of(message.tool_calls);
    if (message.role == Role::tool) entry["tool_name"] = tool_name_of(request, index);
    return entry;
}

std::string ollama_messages(const ChatRequest& request) {
    return message_list(request, ollama_message);
}

Json options_of(const ChatOptions& options) {
    Json result = Json::object();
    if (options.temperature) result["temperature"] = *options.temperature;
    if (options.top_p) result["top_p"] = *options.top_p;
    if (options.max_tokens) result["num_predict"] = *options.max_tokens;
    if (options.seed) result["seed"] = *options.seed;
    if (!options.stop.empty()) result["stop"] = options.stop;
    return result;
}

// The API knows no choice of tools: to offer none is all that can be done.
Json ollama_tools(const ChatOptions& options) {
    const Json& choice = options.tool_choice;
    if (options.tools.is_null() || choice == "none") return nullptr;
    if (choice == "required" || choice.is_object())
        throw Error(ErrorCode::unsupported_by_provider, "this provider cannot be made to call a tool",
                    "Leave options.tool_choice out, or give \"auto\" or \"none\".");
    Json tools = options.tools;
    for (Json& tool : tools) {
        Json& function = tool["function"];
        if (json_member(function, "parameters").is_null())
            function["parameters"] = {{"type", "object"}, {"properties", Json::object()}};
    }
    return tools;
}

// "think" is a bool or an effort.
Json think_of(const Json& thinking) {
    if (!thinking.is_object()) return thinking;
    if (!thinking.contains("effort")) return true;
    const Json& effort = thinking.at("effort");
    if (effort == "minimal") return "low";
    return effort == "xhigh" ? Json("max") : effort;
}

// All but the messages, in whose place a json_placeholder() is.
Json ollama_body(std::string_view model, const ChatRequest& request, bool stream) {
    Json body;
    body["model"] = model;
    body["messages"] = json_placeholder();
    body["stream"] = stream;
    Json options = options_of(request.options);
    if (!options.empty()) body["options"] = std::move(options);
    const ResponseShape shape = response_shape(request.response_format);
    if (shape.kind == ResponseShape::Kind::any_json) body["format"] = "json";
    if (shape.kind == ResponseShape::Kind::schema) body["format"] = shape.schema;
    if (Json tools = ollama_tools(request.options); !tools.is_null()) body["tools"] = std::move(tools);
    Json think = think_of(request.options.thinking);
    if (!think.is_null()) body["think"] = std::move(think);
    return body;
}

// extra.options joins the options that are there instead of replacing them.
void merge_extra(Json& body, const Json& extra) {
    if (!extra.is_object()) return;
    for (const auto& [name, value] : extra.items()) {
        if (name == "options" && value.is_object() && body.contains("options"))
            body["options"].update(value);
        else
            body[name] = value;
    }
}

}  // namespace

std::string_view OllamaProvider::default_base_url() const noexcept {
    return "http://127.0.0.1:11434";
}

HttpRequest OllamaProvider::encode(const ProviderConfig& config, std::string_view model, const ChatRequest& request,
                                   bool stream) const {
    check_provider_input(config, model);
    const std::string messages = ollama_messages(request);
    Json body = ollama_body(model, request, stream);
    merge_extra(body, request.options.extra);
    return provider_post(config, versioned_endpoint_url(base_url(config), "/api", "/chat"), {},
                         dump_body(body, messages), stream ? "application/x-ndjson" : "application/json");
}

HttpRequest OllamaProvider::encode_embeddings(const ProviderConfig& config, std::string_view model,
                                              const ChatRequest& request) const {
    check_provider_input(config, model);
    Json body{{"model", model}, {"input", embedding_inputs(request)}};
    if (request.options.dimensions) body["dimensions"] = *request.options.dimensions;
    merge_extra(body, request.options.extra);
    return provider_post(config, versioned_endpoint_url(base_url(config), "/api", "/embed"), {}, dump_body(body),
                         "application/json");
}

std::unique_ptr<ReplyDecoder> OllamaProvider::decoder(bool stream) const {
    return std::make_unique<OllamaDecoder>(stream);
}

Error OllamaProvider::error_from_response(const ProviderConfig& config, int status, std::string_view body) const {
    return provider_status_error(config, status, body);
}

}  // namespace pgchat
