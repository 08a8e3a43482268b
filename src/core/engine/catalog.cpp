#include "core/engine/catalog.hpp"

#include <algorithm>
#include <limits>

#include "core/text/utf8.hpp"

namespace pgchat {

void Catalog::add_provider(std::shared_ptr<const ProviderConfig> provider) {
    const Uuid id = provider->id;
    providers_.insert_or_assign(id, std::move(provider));
}

void Catalog::add_unusable_provider(const Uuid& id, const Error& reason) {
    unusable_providers_.insert_or_assign(id, reason);
}

std::shared_ptr<const ProviderConfig> Catalog::find_provider(const Uuid& id) const {
    if (const auto found = providers_.find(id); found != providers_.end()) return found->second;
    if (const auto found = unusable_providers_.find(id); found != unusable_providers_.end()) throw found->second;
    throw Error(ErrorCode::not_found, "the engine does not know this provider",
                "Commit its registration first, and see that it is active.");
}

void Catalog::add(ModelEntry entry, bool is_default) {
    auto shared = std::make_shared<const ModelEntry>(std::move(entry));
    if (is_default) default_ = shared;
    models_.insert_or_assign(shared->name, shared);
}

void Catalog::add_unusable(const std::string& name, const Error& reason, bool is_default) {
    unusable_.insert_or_assign(name, reason);
    if (is_default) unusable_default_ = name;
}

std::shared_ptr<const ModelEntry> Catalog::find(std::string_view name) const {
    if (name.empty()) {
        if (default_) return default_;
        if (!unusable_default_.empty()) throw unusable_.at(unusable_default_);
        throw Error(ErrorCode::no_default_model, "no model was named and there is no default model",
                    "An operator sets one with chat.admin_set_default_model(model).");
    }
    if (const auto found = models_.find(name); found != models_.end()) return found->second;
    if (const auto found = unusable_.find(name); found != unusable_.end()) throw found->second;
    throw Error(ErrorCode::unknown_model,
                "model \"" + std::string(truncate_text(name, 100)) + "\" does not exist or is not active",
                "chat.list_models() lists the models; an operator adds one with chat.admin_register_model.");
}

std::shared_ptr<const ModelEntry> Catalog::find_usable(const std::string& name) const {
    return unusable_.contains(name) && !models_.contains(name) ? nullptr : find(name);
}

std::vector<std::string> Catalog::models_of(const std::vector<std::string>& providers) const {
    std::vector<std::string> names;
    if (providers.empty()) return names;
    for (const auto& [name, model] : models_)
        if (std::find(providers.begin(), providers.end(), model->provider->name) != providers.end())
            names.push_back(name);
    return names;
}

std::int64_t cost_of(const ModelEntry& model, const Usage& usage) noexcept {
    const std::int64_t input = usage.input_tokens.value_or(0);
    const std::int64_t cached =
        std::clamp<std::int64_t>(usage.cached_tokens.value_or(0), 0, std::max<std::int64_t>(input, 0));
    const auto total = static_cast<__int128>(input - cached) * model.input_price +
                       static_cast<__int128>(cached) * model.cached_price +
                       static_cast<__int128>(usage.output_tokens.value_or(0)) * model.output_price;
    constexpr __int128 largest = std::numeric_limits<std::int64_t>::max();
    return static_cast<std::int64_t>(std::clamp<__int128>(total, 0, largest));
}

}  // namespace pgchat
