#include "core/llm/echo.hpp"

#include "core/llm/echo_script.hpp"
#include "core/llm/embedding_request.hpp"
#include "core/llm/json_field.hpp"
#include "core/llm/openai.hpp"
#include "core/llm/openai_decoder.hpp"
#include "core/llm/provider_error.hpp"
#include "core/llm/provider_http.hpp"

namespace pgchat {
namespace {

// The settings of the request's form, which are not part of the script.
bool is_openai_setting(std::string_view name) {
    return name == "include_usage" || name == "max_tokens_field";
}

void merge(Json& script, const Json& source) {
    if (!source.is_object()) return;
    for (const auto& [name, value] : source.items())
        if (!is_openai_setting(name)) script[name] = value;
}

HttpRequest echo_post(const ProviderConfig& config, Json body, std::string_view messages, const Json& extra,
                      std::string_view accept) {
    Json script = Json::object();
    merge(script, config.options);
    if (extra.is_object()) {
        body.update(extra);
        const Json& own = json_member(extra, "echo");
        const JsonField field(ErrorCode::malformed_options, "options.extra.echo");
        // They are looked for in all that is told, while the other calls wait: how many there are is the
        // administrator's choice.
        if (!own.is_null() && field.object(own).contains("answers"))
            field.member("answers").fail("is a setting of the provider's options alone");
        if (!own.is_null()) merge(script, own);
    }
    parse_echo_script(script);
    body["echo"] = std::move(script);
    return provider_post(config, std::string(echo_url), {}, dump_body(body, messages), accept);
}

}  // namespace

HttpRequest EchoProvider::encode(const ProviderConfig& config, std::string_view model, const ChatRequest& request,
                                 bool stream) const {
    check_provider_input(config, model);
    return echo_post(config, openai_body(config, model, request, stream), openai_messages(request),
                     request.options.extra, stream ? "text/event-stream" : "application/json");
}

HttpRequest EchoProvider::encode_embeddings(const ProviderConfig& config, std::string_view model,
                                            const ChatRequest& request) const {
    check_provider_input(config, model);
    Json body{{"model", model}, {"input", embedding_inputs(request)}};
    if (request.options.dimensions) body["dimensions"] = *request.options.dimensions;
    return echo_post(config, std::move(body), {}, request.options.extra, "application/json");
}

std::unique_ptr<ReplyDecoder> EchoProvider::decoder(bool) const {
    return std::make_unique<OpenaiDecoder>();
}

Error EchoProvider::error_from_response(const ProviderConfig& config, int status, std::string_view body) const {
    return provider_status_error(config, status, body);
}

}  // namespace pgchat
