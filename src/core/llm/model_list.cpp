// The lists as their publishers describe them: OpenAI and those who speak its protocol (with what some add to it),
// Anthropic's Models API, Ollama's /api/tags.
#include "core/llm/model_list.hpp"

#include <algorithm>
#include <array>

#include "core/llm/json_field.hpp"
#include "core/llm/json_parse.hpp"
#include "core/llm/json_repair.hpp"
#include "core/llm/provider_error.hpp"
#include "core/llm/provider_http.hpp"
#include "core/text/ascii.hpp"
#include "core/text/percent.hpp"
#include "core/text/utf8.hpp"

namespace pgchat {
namespace {

constexpr int list_nesting = 32;
constexpr std::size_t most_pages = 100;
constexpr std::size_t max_name_characters = 200;
constexpr std::size_t max_shown_name_bytes = 100;
constexpr std::size_t max_display_name_bytes = 200;
constexpr std::size_t max_description_bytes = 2000;
constexpr std::string_view openai_endpoint = "/chat/completions";

// What cannot be seen, or changes how what follows is seen, beyond ASCII, as the first and the last of each range: C1
// controls, zero-width and direction marks, line separators and embeddings, invisible operators, U+FEFF, U+FFFD.
struct Range {
    std::string_view first, last;
};
constexpr std::array unprintable{Range{"\xC2\x80", "\xC2\x9F"},         Range{"\xE2\x80\x8B", "\xE2\x80\x8F"},
                                 Range{"\xE2\x80\xA8", "\xE2\x80\xAE"}, Range{"\xE2\x81\xA0", "\xE2\x81\xAF"},
                                 Range{"\xEF\xBB\xBF", "\xEF\xBB\xBF"}, Range{"\xEF\xBF\xBD", "\xEF\xBF\xBD"}};

bool is_printable(std::string_view text) noexcept {
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (is_ascii_control(text[at])) return false;
        for (const Range& range : unprintable) {
            const std::string_view here = text.substr(at, range.first.size());
            if (range.first <= here && here <= range.last) return false;
        }
    }
    return true;
}

const char* refusal_of(std::string_view name) noexcept {
    if (name.find_first_not_of(' ') == std::string_view::npos) return "it has no name";
    if (character_count(name) > max_name_characters) return "its name is longer than 200 characters";
    if (!is_printable(name)) return "its name holds characters that cannot be printed";
    return nullptr;
}

struct Capability {
    std::string_view word, ours;
};
constexpr std::array capability_words{Capability{"tools", "tools"},          Capability{"function_calling", "tools"},
                                      Capability{"vision", "vision"},        Capability{"image", "vision"},
                                      Capability{"image_input", "vision"},   Capability{"thinking", "thinking"},
                                      Capability{"reasoning", "thinking"},   Capability{"structured_outputs", "json"},
                                      Capability{"response_format", "json"}, Capability{"embedding", "embeddings"},
                                      Capability{"embeddings", "embeddings"}};

void note_capability(ListedModel& model, std::string_view word) {
    for (const Capability& known : capability_words) {
        if (known.word != word) continue;
        const std::string ours(known.ours);
        if (std::find(model.capabilities.begin(), model.capabilities.end(), ours) == model.capabilities.end())
            model.capabilities.push_back(ours);
    }
}

// An array of words, or an object of words with true or {"supported": true}.
void note_capabilities(ListedModel& model, const Json& words) {
    if (words.is_array()) {
        for (const Json& word : words)
            if (word.is_string()) note_capability(model, word.get_ref<const std::string&>());
    } else if (words.is_object()) {
        for (const auto& [word, value] : words.items())
            if (value == true || (value.is_object() && json_member(value, "supported") == true))
                note_capability(model, word);
    }
}

std::string text_member(const Json& entry, const char* name, std::size_t max_bytes) {
    const Json& value = json_member(entry, name);
    if (!value.is_string()) return {};
    std::string text = provider_excerpt(value.get_ref<const std::string&>(), {}, max_bytes);
    return is_printable(text) ? text : std::string();
}

std::optional<std::int64_t> context_window_of(const Json& entry) {
    constexpr std::int64_t largest = INT32_MAX;
    for (const char* const name :
         {"max_input_tokens", "context_length", "context_window", "max_context_length", "max_model_len"}) {
        const Json& value = json_member(entry, name);
        if (!value.is_number_integer()) continue;
        const auto tokens = value.get<std::int64_t>();
        if (tokens > 0 && tokens <= largest) return tokens;
    }
    return std::nullopt;
}

[[noreturn]] void refuse_list() {
    throw Error(ErrorCode::provider_bad_response, "the provider's list of models is not one",
                "Check that the provider's base_url leads to its API, and that it is of the kind registered.");
}

Json parse_page(std::string_view body) {
    std::string repaired;
    append_repaired_json(repaired, body);
    try {
        return parse_json(repaired, list_nesting);
    } catch (const JsonError&) {
        refuse_list();
    }
}

// The base URL without the endpoint that it may end with.
std::string openai_base(std::string_view base_url) {
    const std::size_t query_at = std::min(base_url.find('?'), base_url.size());
    std::string_view base = base_url.substr(0, query_at);
    while (base.ends_with('/')) base.remove_suffix(1);
    if (base.ends_with(openai_endpoint)) base.remove_suffix(openai_endpoint.size());
    return std::string(base).append(base_url.substr(query_at));
}

HttpRequest anthropic_request(const ProviderConfig& config, std::string_view base_url, std::string_view cursor) {
    std::string url = versioned_endpoint_url(base_url, "/v1", "/models");
    url += url.find('?') == std::string::npos ? "?limit=1000" : "&limit=1000";
    if (!cursor.empty()) url += "&after_id=" + percent_encoded(cursor);
    const Json& version = provider_option(config, "version");
    return provider_get(config, std::move(url),
                        {"anthropic-version: " + (version.is_string() ? version.get<std::string>() : "2023-06-01")});
}

}  // namespace

HttpRequest model_list_request(const ProviderConfig& config, std::string_view cursor) {
    // No model is named in this request; what else comes from the configuration must be fit to send.
    check_provider_input(config, "models");
    const std::string_view base_url = provider_for(config.kind).base_url(config);
    switch (config.kind) {
        case ProviderKind::openai:
            return provider_get(config, endpoint_url(openai_base(base_url), "/models"), {});
        case ProviderKind::anthropic:
            return anthropic_request(config, base_url, cursor);
        case ProviderKind::ollama:
            return provider_get(config, versioned_endpoint_url(base_url, "/api", "/tags"), {});
        case ProviderKind::echo:
            break;
    }
    throw Error(ErrorCode::invalid_argument, "a provider of kind echo has no list of models");
}

std::string ModelList::add_page(std::string_view body) {
    const Json page = parse_page(body);
    const Json& entries =
        page.is_object() ? json_member(page, kind_ == ProviderKind::ollama ? "models" : "data") : page;
    if (!entries.is_array()) refuse_list();
    for (const Json& entry : entries) add(entry);
    if (kind_ != ProviderKind::anthropic || !page.is_object() || json_member(page, "has_more") != true) return {};
    const Json& last = json_member(page, "last_id");
    if (!last.is_string() || last == "" || !cursors_.insert(last.get<std::string>()).second ||
        cursors_.size() >= most_pages)
        refuse_list();
    return last.get<std::string>();
}

void ModelList::add(const Json& entry) {
    ListedModel model;
    const Json& name = entry.is_object() ? json_member(entry, kind_ == ProviderKind::ollama ? "name" : "id") : entry;
    if (name.is_string()) model.name = name.get<std::string>();
    if (!names_.insert(model.name).second) return;
    if (models_.size() >= most_listed_models)
        throw Error(ErrorCode::response_too_large, "the provider lists more than 10000 models",
                    "Register those you want with chat.admin_register_model.");
    model.refusal = refusal_of(model.name);
    if (model.refusal != nullptr) {
        model.name = provider_excerpt(model.name, {}, max_shown_name_bytes);
    } else if (entry.is_object()) {
        model.display_name =
            text_member(entry, kind_ == ProviderKind::openai ? "name" : "display_name", max_display_name_bytes);
        model.description = text_member(entry, "description", max_description_bytes);
        model.context_window = context_window_of(entry);
        note_capabilities(model, json_member(entry, "capabilities"));
        note_capabilities(model, json_member(entry, "supported_parameters"));
        const Json& architecture = json_member(entry, "architecture");
        if (architecture.is_object()) note_capabilities(model, json_member(architecture, "input_modalities"));
    }
    models_.push_back(std::move(model));
}

Json ModelList::json() const {
    Json list = Json::array();
    for (const ListedModel& model : models_) {
        Json entry{{"name", model.name}, {"capabilities", model.capabilities}};
        if (!model.display_name.empty()) entry["display_name"] = model.display_name;
        if (!model.description.empty()) entry["description"] = model.description;
        if (model.context_window) entry["context_window"] = *model.context_window;
        if (model.refusal != nullptr) entry["refused"] = model.refusal;
        list.push_back(std::move(entry));
    }
    return list;
}

}  // namespace pgchat
