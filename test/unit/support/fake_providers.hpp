// Test support: models of several providers, and calls to them by several users.
#pragma once

#include "support/fake_calls.hpp"

namespace pgchat {

inline std::shared_ptr<const ModelEntry> fake_model_of(const std::string& provider, const std::string& name,
                                                       std::size_t max_concurrent_calls = 0) {
    auto config = std::make_shared<ProviderConfig>(*fake_model()->provider);
    config->name = provider;
    config->max_concurrent_calls = max_concurrent_calls;
    auto model = std::make_shared<ModelEntry>(*fake_model());
    model->name = name;
    model->provider_model = name + "-1";
    model->provider = config;
    return model;
}

inline CallSpec fake_spec_of(std::uint64_t number, std::uint64_t user, std::shared_ptr<const ModelEntry> model) {
    CallSpec spec = fake_spec(number);
    spec.user_id = numbered_uuid(3'000'000'000 + user);
    spec.model = std::move(model);
    return spec;
}

}  // namespace pgchat
