#include "core/llm/provider_error.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "core/llm/json_parse.hpp"
#include "core/llm/json_repair.hpp"
#include "core/llm/secret_scrub.hpp"
#include "core/text/ascii.hpp"
#include "core/text/utf8.hpp"

namespace pgchat {
namespace {

// More than this of a body is neither parsed nor scrubbed: a message shows 300 bytes of it.
constexpr std::size_t largest_body_read = 64u << 10;
constexpr int error_nesting = 32;

struct Complaint {
    std::string message;
    std::string type;  // "rate_limit_error"
    std::string code;  // "context_length_exceeded"
    int status = 0;    // an HTTP status given as the code
};

std::string string_member(const Json& object, const char* name) {
    const auto found = object.find(name);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::optional<Complaint> parse_complaint(std::string_view body) {
    std::string repaired;
    append_repaired_json(repaired, body);
    Json document;
    try {
        document = parse_json(repaired, error_nesting);
    } catch (const JsonError&) {
        return std::nullopt;  // not JSON: the caller shows the body itself
    }
    if (document.is_array() && document.size() == 1) document = Json(document[0]);
    if (!document.is_object()) return std::nullopt;
    const auto found = document.find("error");
    const Json error = found == document.end() ? document : *found;
    if (error.is_string()) return Complaint{error.get<std::string>(), {}, {}, 0};
    if (!error.is_object()) return std::nullopt;
    Complaint complaint{string_member(error, "message"), string_member(error, "type"), string_member(error, "code"), 0};
    const auto code = error.find("code");
    if (code != error.end() && code->is_number_integer()) complaint.status = code->get<int>();
    return complaint;
}

bool is_too_long_prompt(const Complaint& complaint) {
    const auto names_it = [](std::string_view word) {
        return word == "context_length_exceeded" || word == "exceed_context_size_error";
    };
    // Anthropic gives this case no code of its own, only the words.
    return names_it(complaint.code) || names_it(complaint.type) || complaint.message.starts_with("prompt is too long");
}

ErrorCode code_of_status(int status) {
    switch (status) {
        case 400:
        case 404:
        case 405:
        case 413:
        case 415:
        case 422:
            return ErrorCode::provider_rejected_request;
        case 401:
        case 403:
            return ErrorCode::provider_rejected_key;
        case 429:
            return ErrorCode::provider_rate_limited;
        default:
            return ErrorCode::provider_failed;
    }
}

struct NamedCode {
    std::string_view name;
    ErrorCode code;
};

constexpr std::array named_codes{
    NamedCode{"invalid_request_error", ErrorCode::provider_rejected_request},
    NamedCode{"not_found_error", ErrorCode::provider_rejected_request},
    NamedCode{"request_too_large", ErrorCode::provider_rejected_request},
    NamedCode{"model_not_found", ErrorCode::provider_rejected_request},
    NamedCode{"authentication_error", ErrorCode::provider_rejected_key},
    NamedCode{"permission_error", ErrorCode::provider_rejected_key},
    NamedCode{"invalid_api_key", ErrorCode::provider_rejected_key},
    NamedCode{"rate_limit_error", ErrorCode::provider_rate_limited},
    NamedCode{"rate_limit_exceeded", ErrorCode::provider_rate_limited},
    NamedCode{"insufficient_quota", ErrorCode::provider_rate_limited},
};

ErrorCode code_of_names(const Complaint& complaint) {
    for (const NamedCode& entry : named_codes)
        if (complaint.code == entry.name || complaint.type == entry.name) return entry.code;
    return ErrorCode::provider_failed;
}

std::string hint_for(ErrorCode code, int status, bool lacks_key = false) {
    if (code == ErrorCode::context_length_exceeded)
        return "Shorten the conversation, or choose a model with a larger context window.";
    if (code == ErrorCode::provider_rejected_key && lacks_key)
        return "No key was sent: set one with chat.set_api_key or chat.admin_set_provider_key.";
    if (code == ErrorCode::provider_rejected_key)
        return "Check that the provider's API key is valid and may use this model.";
    if (code == ErrorCode::provider_rate_limited)
        return "Wait and try again, or raise the rate limit or quota with the provider.";
    if (status == 404) return "Check the provider's base_url and the model's name.";
    if (status >= 300 && status < 400)
        return "Redirects are not followed; set the provider's base_url to the final address.";
    return {};
}

bool is_control_or_space(char c) {
    return c == ' ' || is_ascii_control(c);
}

}  // namespace

std::string provider_excerpt(std::string_view text, std::string_view api_key, std::size_t max_bytes) {
    const std::string clean = scrub_secrets(clean_text(text.substr(0, largest_body_read)), api_key);
    std::string line;
    for (const char c : clean) {
        if (!is_control_or_space(c))
            line += c;
        else if (!line.empty() && line.back() != ' ')
            line += ' ';
    }
    while (!line.empty() && line.back() == ' ') line.pop_back();
    constexpr std::string_view ellipsis = "…";
    if (line.size() <= max_bytes) return line;
    return std::string(truncate_text(line, max_bytes - ellipsis.size())).append(ellipsis);
}

Error provider_status_error(const ProviderConfig& config, int status, std::string_view body) {
    body = body.substr(0, largest_body_read);
    const std::optional<Complaint> complaint = parse_complaint(body);
    ErrorCode code = code_of_status(status);
    if (complaint && code == ErrorCode::provider_rejected_request && is_too_long_prompt(*complaint))
        code = ErrorCode::context_length_exceeded;
    const bool has_words = complaint && !complaint->message.empty();
    const std::string words =
        provider_excerpt(has_words ? std::string_view(complaint->message) : body, config.api_key.view());
    std::string message = "provider " + config.name + " answered " + std::to_string(status);
    if (!words.empty()) message += ": " + words;
    const bool lacks_key = config.auth != AuthType::none && config.api_key.empty();
    return Error(code, message, hint_for(code, status, lacks_key));
}

Error provider_reply_error(std::string_view json) {
    const std::optional<Complaint> complaint = parse_complaint(json.substr(0, largest_body_read));
    if (!complaint)
        return Error(ErrorCode::provider_failed, "the provider reported an error: " + provider_excerpt(json));
    ErrorCode code = is_too_long_prompt(*complaint) ? ErrorCode::context_length_exceeded : code_of_names(*complaint);
    if (code == ErrorCode::provider_failed && complaint->status >= 400) code = code_of_status(complaint->status);
    std::string words = provider_excerpt(complaint->message);
    if (words.empty()) words = provider_excerpt(json);
    return Error(code, "the provider reported an error: " + words, hint_for(code, complaint->status));
}

Error unreadable_reply_error(std::string_view text) {
    constexpr std::size_t shown = 120;
    const std::string words = provider_excerpt(text, {}, shown);
    return Error(ErrorCode::provider_bad_response,
                 words.empty() ? "the provider sent an empty reply" : "the provider sent an unreadable reply: " + words,
                 "Check that the provider's base_url leads to its API.");
}

Error oversized_event_error() {
    return Error(ErrorCode::provider_bad_response, "the provider sent an event that is too long");
}

}  // namespace pgchat
