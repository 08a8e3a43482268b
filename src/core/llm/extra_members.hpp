// `options.extra`: members that go to the provider as they are, but for those that are pgchat's to set.
#pragma once

#include "core/llm/json_field.hpp"

namespace pgchat {

// The object. Throws Error: malformed_options where it is none, or holds what says whom to ask, what is asked, or how
// the reply is sent: with these a call would get round who may use a model, what it may cost, and how it is accounted.
const Json& extra_members(const Json& value, const JsonField& field);

}  // namespace pgchat
