// The providers and models that can be called, as the engine last read them, so that no call needs a query to find
// them.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/llm/provider.hpp"
#include "core/uuid.hpp"

namespace pgchat {

struct ModelEntry {
    Uuid id;
    std::string name;            // as users know it
    std::string provider_model;  // as the provider knows it
    std::shared_ptr<const ProviderConfig> provider;
    bool is_open = true;  // to everybody; else to those whose account was given it
    // Prices in 10^-12 of the currency per token, which is 10^-6 per million tokens.
    std::int64_t input_price = 0;
    std::int64_t output_price = 0;
    std::int64_t cached_price = 0;
};

class Catalog {
public:
    void add_provider(std::shared_ptr<const ProviderConfig> provider);
    // A provider that is there but cannot be asked, such as one at an address that is refused.
    void add_unusable_provider(const Uuid& id, const Error& reason);
    // Throws Error: not_found, or the reason why the provider is unusable.
    std::shared_ptr<const ProviderConfig> find_provider(const Uuid& id) const;

    void add(ModelEntry entry, bool is_default);
    // A model that is there but cannot be called, such as one whose provider is unusable.
    void add_unusable(const std::string& name, const Error& reason, bool is_default);

    // The model of that name, or the default one for an empty name. Throws Error: unknown_model, no_default_model, or
    // the reason why the model is unusable.
    std::shared_ptr<const ModelEntry> find(std::string_view name) const;

    // The model of that name; null where it is unusable. Throws Error unknown_model.
    std::shared_ptr<const ModelEntry> find_usable(const std::string& name) const;

    // The names of the models that these providers serve, in order.
    std::vector<std::string> models_of(const std::vector<std::string>& providers) const;

    std::size_t size() const noexcept { return models_.size(); }

private:
    std::map<Uuid, std::shared_ptr<const ProviderConfig>> providers_;
    std::map<Uuid, Error> unusable_providers_;
    std::map<std::string, std::shared_ptr<const ModelEntry>, std::less<>> models_;
    std::map<std::string, Error, std::less<>> unusable_;
    std::shared_ptr<const ModelEntry> default_;
    std::string unusable_default_;
};

// The price of a call in 10^-12 of the currency; tokens served from the provider's cache cost cached_price instead of
// input_price. Unknown counts cost nothing. Saturates at the largest value.
std::int64_t cost_of(const ModelEntry& model, const Usage& usage) noexcept;

}  // namespace pgchat
