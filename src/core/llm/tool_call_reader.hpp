// Reads one entry of "tool_calls", which OpenAI's and Ollama's replies have in almost the same form.
#pragma once

#include "core/llm/json_reader.hpp"
#include "core/llm/tool_call_assembler.hpp"

namespace pgchat {

// From {"index","id","function":{"name","arguments"}}, where arguments is JSON text, or a piece of it, or an object.
// Throws simdjson_error.
ToolCallFragment read_tool_call(ondemand::object call);

}  // namespace pgchat
