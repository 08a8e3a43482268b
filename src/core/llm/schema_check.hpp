// Whether a model's reply is what a JSON Schema asks for. Both come from strangers and the check runs in the engine, so
// its time is bounded and no regular expression is matched (docs/decisions/0011-schema-check.md).
#pragma once

#include <optional>
#include <string>

#include "core/llm/json.hpp"

namespace pgchat {

// What is wrong with `value`, with its place: "$.items[2].price: must be a number"; nullopt where it is valid. Checked
// are type, enum, const, properties, required, additionalProperties, minProperties, maxProperties, items, prefixItems,
// additionalItems, minItems, maxItems, uniqueItems, minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf,
// minLength, maxLength, allOf, anyOf, oneOf, not, if/then/else and $ref within the schema; other keywords are not.
// A check that takes too long ends as a fault that says so.
std::optional<std::string> schema_fault(const SortedJson& schema, const SortedJson& value);

}  // namespace pgchat
