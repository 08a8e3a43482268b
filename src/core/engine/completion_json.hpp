// A finished call as the JSON that chat.llm_complete_json returns.
#pragma once

#include <cstdint>
#include <string>

#include "core/engine/frames.hpp"

namespace pgchat {

// {content, thinking, tool_calls, finish_reason, model, usage {input_tokens, output_tokens, cached_tokens}, cost,
// latency_ms, request_id}; what is unknown is null. The cost is an exact decimal. Where the content `is_json`, which
// the engine has checked, there is a member json with its value: null where tools are called instead.
std::string completion_json(const CompleteReply& reply, const Uuid& request_id, bool is_json);

// {code, sqlstate, message, hint}, as chat.messages and chat.llm_complete_batch show an error; no hint where there is
// none.
std::string error_json(const Error& error);

// 10^-12 units as a decimal number, without an exponent: 1500000 is "0.0000015".
std::string decimal_cost(std::int64_t pico_units);

}  // namespace pgchat
