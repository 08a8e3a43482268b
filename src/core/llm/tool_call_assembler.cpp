#include "core/llm/tool_call_assembler.hpp"

#include <simdjson.h>

#include <algorithm>

#include "core/llm/json_repair.hpp"

namespace pgchat {
namespace {

void append_minified(std::string& out, std::string_view json) {
    const std::size_t before = out.size();
    std::size_t length = 0;
    out.resize(before + json.size());
    const auto error = simdjson::minify(json.data(), json.size(), out.data() + before, length);
    out.resize(before + (error ? 0 : length));
    if (error) out.append(json);
}

}  // namespace

ToolCallAssembler::Call* ToolCallAssembler::find(const ToolCallFragment& fragment) {
    if (calls_.empty()) return nullptr;
    if (!fragment.index) return fragment.id.empty() || fragment.id == calls_.back().id ? &calls_.back() : nullptr;
    if (calls_.back().index == fragment.index) return &calls_.back();
    const auto found =
        std::find_if(calls_.begin(), calls_.end(), [&](const Call& call) { return call.index == fragment.index; });
    return found == calls_.end() ? nullptr : &*found;
}

bool ToolCallAssembler::add(const ToolCallFragment& fragment) {
    Call* call = find(fragment);
    if (call == nullptr) {
        if (calls_.size() == most_calls) return false;
        call = &calls_.emplace_back();
        call->index = fragment.index;
    }
    if (!fragment.id.empty()) call->id = fragment.id;
    if (!fragment.name.empty()) call->name = fragment.name;
    if (fragment.is_whole_value)
        append_minified(call->arguments, fragment.arguments);
    else
        call->arguments.append(fragment.arguments);
    return true;
}

Json ToolCallAssembler::assembled(bool& sanitized) const {
    if (calls_.empty()) return nullptr;
    Json result = Json::array();
    for (const Call& call : calls_) {
        std::string arguments;
        if (append_repaired_json(arguments, call.arguments)) sanitized = true;
        Json function{{"name", call.name}, {"arguments", arguments.empty() ? "{}" : std::move(arguments)}};
        const std::string id = call.id.empty() ? "call_" + std::to_string(result.size()) : call.id;
        result.push_back(Json{{"id", id}, {"type", "function"}, {"function", std::move(function)}});
    }
    return result;
}

}  // namespace pgchat
