// The answers that need no tokens: model lists and embeddings.
#pragma once

#include <string>

#include "chat_body.hpp"
#include "scenario.hpp"

namespace mock {

std::string openai_models();
std::string anthropic_models();
std::string ollama_tags();

// One unit vector for each input, made from the bytes of the input: equal inputs have equal vectors.
std::string embeddings(const ChatBody& body, const Scenario& scenario);

}  // namespace mock
