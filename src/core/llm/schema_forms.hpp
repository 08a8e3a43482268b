// What a JSON Schema must be for a provider to enforce it: each enforces only a part of the standard.
#pragma once

#include <optional>

#include "core/llm/json.hpp"

namespace pgchat {

// Whether OpenAI's API takes it as strict: every object lists all its properties as required and allows no others.
bool is_strict_schema(const Json& schema);

// The schema in the form that Anthropic's API enforces: objects are closed, and limits that it does not know become
// part of a description. What fits it fits `schema`, but for those limits. nullopt where there is no such form: for
// objects whose members are not named, and for schemas that contain themselves.
std::optional<Json> closed_schema(const Json& schema);

}  // namespace pgchat
