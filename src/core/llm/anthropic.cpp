#include "core/llm/anthropic.hpp"

#include "core/llm/anthropic_decoder.hpp"
#include "core/llm/anthropic_messages.hpp"
#include "core/llm/json_field.hpp"
#include "core/llm/json_write.hpp"
#include "core/llm/provider_error.hpp"
#include "core/llm/provider_http.hpp"
#include "core/llm/response_schema.hpp"
#include "core/llm/schema_forms.hpp"

namespace pgchat {
namespace {

constexpr const char* default_version = "2023-06-01";
constexpr std::int64_t default_max_tokens = 4096;
constexpr double anthropic_highest_temperature = 1.0;
// The API can enforce many schemas, but not "any JSON object" and not any schema.
constexpr const char* any_json_instruction = "Answer with a single JSON object and nothing else.";
constexpr const char* schema_instruction =
    "Answer with a single JSON value that is valid under this JSON Schema, and nothing else: ";

Json anthropic_tools(const Json& tools) {
    Json result = Json::array();
    for (const Json& tool : tools) {
        const Json& function = tool.at("function");
        Json entry{{"name", function.at("name")}};
        if (function.contains("description")) entry["description"] = function.at("description");
        const Json& parameters = json_member(function, "parameters");
        entry["input_schema"] = parameters.is_null() ? Json{{"type", "object"}} : parameters;
        result.push_back(std::move(entry));
    }
    return result;
}

Json tool_choice_of(const Json& choice) {
    if (choice == "auto" || choice == "none") return Json{{"type", choice}};
    if (choice == "required") return Json{{"type", "any"}};
    return Json{{"type", "tool"}, {"name", choice.at("function").at("name")}};
}

std::int64_t budget_of(const Json& thinking) {
    return thinking.is_object() ? thinking.value("budget_tokens", std::int64_t{0}) : 0;
}

// The API demands a max_tokens above the thinking budget, so a default grows with it.
std::int64_t max_tokens_of(const ProviderConfig& config, const ChatOptions& options) {
    if (options.max_tokens) return *options.max_tokens;
    const Json& configured = provider_option(config, "default_max_tokens");
    const std::int64_t standard = configured.is_number_integer() ? configured.get<std::int64_t>() : default_max_tokens;
    return standard + budget_of(options.thinking);
}

void add_thinking(Json& body, const Json& thinking) {
    if (thinking.is_boolean()) {
        body["thinking"] = {{"type", thinking == true ? "adaptive" : "disabled"}};
    } else if (const std::int64_t budget = budget_of(thinking); budget > 0) {
        body["thinking"] = {{"type", "enabled"}, {"budget_tokens", budget}};
    } else if (thinking.is_object()) {
        body["thinking"] = {{"type", "adaptive"}};
        body["output_config"]["effort"] = thinking.at("effort") == "minimal" ? Json("low") : thinking.at("effort");
    }
}

void add_anthropic_options(Json& body, const ChatOptions& options) {
    if (options.temperature.value_or(0) > anthropic_highest_temperature)
        throw Error(ErrorCode::unsupported_by_provider, "this provider takes no temperature above 1",
                    "Give a temperature from 0 to 1.");
    if (options.temperature) body["temperature"] = *options.temperature;
    if (options.top_p) body["top_p"] = *options.top_p;
    if (!options.stop.empty()) body["stop_sequences"] = options.stop;
    if (!options.tools.is_null()) body["tools"] = anthropic_tools(options.tools);
    if (!options.tool_choice.is_null()) body["tool_choice"] = tool_choice_of(options.tool_choice);
    add_thinking(body, options.thinking);
}

// What the API cannot enforce is said in the system prompt.
std::string system_of(const ChatRequest& request, const ResponseShape& shape, bool is_enforced) {
    std::string system = anthropic_system(request);
    if (shape.kind == ResponseShape::Kind::text || is_enforced) return system;
    if (!system.empty()) system += "\n\n";
    if (shape.kind == ResponseShape::Kind::any_json) return system + any_json_instruction;
    return system + schema_instruction + dump_body(shape.schema);
}

// All but the messages, in whose place a json_placeholder() is.
Json anthropic_body(const ProviderConfig& config, std::string_view model, const ChatRequest& request, bool stream) {
    const ResponseShape shape = response_shape(request.response_format);
    std::optional<Json> enforced;
    if (shape.kind == ResponseShape::Kind::schema) enforced = closed_schema(shape.schema);
    std::string system = system_of(request, shape, enforced.has_value());
    Json body;
    body["model"] = model;
    body["max_tokens"] = max_tokens_of(config, request.options);
    if (!system.empty()) body["system"] = std::move(system);
    body["messages"] = json_placeholder();
    add_anthropic_options(body, request.options);
    if (enforced) body["output_config"]["format"] = {{"type", "json_schema"}, {"schema", *std::move(enforced)}};
    if (stream) body["stream"] = true;
    return body;
}

}  // namespace

std::string_view AnthropicProvider::default_base_url() const noexcept {
    return "https://api.anthropic.com";
}

HttpRequest AnthropicProvider::encode(const ProviderConfig& config, std::string_view model, const ChatRequest& request,
                                      bool stream) const {
    check_provider_input(config, model);
    const Json& version = provider_option(config, "version");
    const std::string version_text = version.is_string() ? version.get<std::string>() : default_version;
    if (!is_header_value(version_text))
        throw Error(ErrorCode::invalid_argument, "provider " + config.name + ": options.version is not valid");
    Json body = anthropic_body(config, model, request, stream);
    if (request.options.extra.is_object()) body.update(request.options.extra);
    return provider_post(config, versioned_endpoint_url(base_url(config), "/v1", "/messages"),
                         {"anthropic-version: " + version_text}, dump_body(body, anthropic_messages(request)),
                         stream ? "text/event-stream" : "application/json");
}

HttpRequest AnthropicProvider::encode_embeddings(const ProviderConfig& config, std::string_view,
                                                 const ChatRequest&) const {
    throw Error(ErrorCode::unsupported_by_provider, "provider " + config.name + ": this kind has no embeddings",
                "Take an embedding model of a provider of kind openai or ollama.");
}

std::unique_ptr<ReplyDecoder> AnthropicProvider::decoder(bool) const {
    return std::make_unique<AnthropicDecoder>();
}

Error AnthropicProvider::error_from_response(const ProviderConfig& config, int status, std::string_view body) const {
    return provider_status_error(config, status, body);
}

}  // namespace pgchat
