// A provider's own list of its models: how it is asked for, page by page, and what is taken from it. The list is
// hostile input: names go into tables, into requests and before people's eyes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "core/llm/provider.hpp"

namespace pgchat {

// More models than this make no list that anybody would choose from.
inline constexpr std::size_t most_listed_models = 10'000;
inline constexpr std::size_t max_model_page_bytes = 4u << 20;

struct ListedModel {
    std::string name;  // the provider's own; where it is refused, what may be shown of it
    std::string display_name;
    std::string description;
    std::optional<std::int64_t> context_window;  // tokens
    std::vector<std::string> capabilities;       // of tools, vision, thinking, json and embeddings
    const char* refusal = nullptr;               // why the name cannot be a model's; static text
};

// The GET for one page; `cursor` is empty for the first. Throws Error: invalid_argument for a configuration that cannot
// be sent, or a provider of kind echo, which has no list.
HttpRequest model_list_request(const ProviderConfig& config, std::string_view cursor);

// Gathers the pages of one list.
class ModelList {
public:
    explicit ModelList(ProviderKind kind) : kind_(kind) {}

    // Reads a page. Returns the cursor of the next one; empty after the last. Throws Error: provider_bad_response for
    // what is no list, or one whose pages lead nowhere, or are more than 100; response_too_large beyond
    // most_listed_models.
    std::string add_page(std::string_view body);

    // Each model once, in the provider's order.
    const std::vector<ListedModel>& models() const noexcept { return models_; }
    // An array of {name, display_name, description, context_window, capabilities, refused}; what is unknown is absent,
    // but for capabilities.
    Json json() const;

private:
    void add(const Json& entry);

    ProviderKind kind_;
    std::vector<ListedModel> models_;
    std::unordered_set<std::string> names_;
    std::unordered_set<std::string> cursors_;
};

}  // namespace pgchat
