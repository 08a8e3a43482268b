// One request to a provider, as it is charged and recorded: a call has several where it is tried again or elsewhere.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "core/engine/catalog.hpp"

namespace pgchat {

enum class CallStatus { complete, incomplete, error, cancelled };

struct Attempt {
    int number = 1;  // within the call, from 1
    std::shared_ptr<const ModelEntry> model;
    std::shared_ptr<const ProviderConfig> provider;
    bool own_key = false;    // it went with a key of the user's own
    bool is_cached = false;  // no provider was asked: an earlier reply was given again
    CallStatus status = CallStatus::error;
    std::optional<ErrorCode> error;  // why status is not complete
    Usage usage;
    bool estimated = false;  // some of usage was not told by the provider
    std::int64_t cost = 0;   // 10^-12 of the currency
    std::optional<Milliseconds> first_token;
    Milliseconds latency{0};  // of this attempt alone
};

}  // namespace pgchat
