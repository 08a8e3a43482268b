#include "core/engine/completion_json.hpp"

#include "core/llm/json.hpp"

namespace pgchat {
namespace {

void member(std::string& json, const char* name, const std::string& value) {
    json += json.empty() ? "{\"" : ", \"";
    json += name;
    json += "\": ";
    json += value;
}

std::string json_text(std::string_view text) {
    return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string json_text_or_null(std::string_view text) {
    return text.empty() ? "null" : json_text(text);
}

std::string count_or_null(std::int64_t count) {
    return count < 0 ? "null" : std::to_string(count);
}

}  // namespace

std::string decimal_cost(std::int64_t pico_units) {
    constexpr std::int64_t unit = 1'000'000'000'000;
    std::string digits = std::to_string(pico_units % unit);
    digits.insert(0, 12 - digits.size(), '0');
    digits.erase(digits.find_last_not_of('0') + 1);
    return std::to_string(pico_units / unit) + (digits.empty() ? "" : "." + digits);
}

std::string error_json(const Error& error) {
    Json json{{"code", error_name(error.code())}, {"sqlstate", sqlstate(error.code())}, {"message", error.what()}};
    if (!error.hint().empty()) json["hint"] = error.hint();
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string completion_json(const CompleteReply& reply, const Uuid& request_id, bool is_json) {
    std::string usage;
    member(usage, "input_tokens", count_or_null(reply.input_tokens));
    member(usage, "output_tokens", count_or_null(reply.output_tokens));
    member(usage, "cached_tokens", count_or_null(reply.cached_tokens));
    std::string json;
    member(json, "content", json_text(reply.content));
    if (is_json) member(json, "json", reply.tool_calls.empty() ? std::string(reply.content) : "null");
    member(json, "thinking", json_text_or_null(reply.thinking));
    member(json, "tool_calls", reply.tool_calls.empty() ? "null" : std::string(reply.tool_calls));
    member(json, "finish_reason", json_text_or_null(reply.finish_reason));
    member(json, "model", json_text(reply.model));
    member(json, "usage", usage + "}");
    member(json, "cost", decimal_cost(reply.cost));
    member(json, "latency_ms", std::to_string(reply.latency_ms));
    if (reply.sanitized) member(json, "sanitized", "true");
    if (reply.cached) member(json, "cached", "true");
    member(json, "request_id", json_text(to_string(request_id)));
    return json + "}";
}

}  // namespace pgchat
