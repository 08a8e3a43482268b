// Keeps what pgchat sends to a provider in secret out of what the provider says back to a user.
#pragma once

#include "core/error.hpp"
#include "core/llm/provider.hpp"

namespace pgchat {

// The error with "[redacted]" in its texts for the provider's key, also as it stands in a URL, for the values of its
// headers and for the query of its base URL; those of fewer than eight characters, which are no secrets, stay.
Error without_secrets(const Error& error, const ProviderConfig& provider);

}  // namespace pgchat
