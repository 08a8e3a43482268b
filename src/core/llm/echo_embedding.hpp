// The embeddings of the echo provider: the same text has always the same vector, and texts with words in common are
// near.
#pragma once

#include <string>

#include "core/llm/json.hpp"

namespace pgchat {

inline constexpr std::size_t echo_dimensions = 16;

// A whole reply in OpenAI's form for the texts of `inputs`, an array of strings: vectors of length 1.
std::string echo_embeddings(const Json& inputs, std::size_t dimensions, const std::string& model);

}  // namespace pgchat
