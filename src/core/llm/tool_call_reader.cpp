#include "core/llm/tool_call_reader.hpp"

namespace pgchat {
namespace {

using Type = ondemand::json_type;

void read_function(ondemand::object function, ToolCallFragment& fragment) {
    for (auto field : function) {
        const ondemand::raw_json_string key = field.key();
        ondemand::value value = field.value();
        if (key == "name") fragment.name = json_text_or_empty(value);
        if (key != "arguments") continue;
        fragment.is_whole_value = value.type() == Type::object;
        if (fragment.is_whole_value)
            fragment.arguments = simdjson::to_json_string(value);
        else
            fragment.arguments = json_text_or_empty(value);
    }
}

}  // namespace

ToolCallFragment read_tool_call(ondemand::object call) {
    ToolCallFragment fragment;
    for (auto field : call) {
        const ondemand::raw_json_string key = field.key();
        ondemand::value value = field.value();
        if (key == "index") fragment.index = json_count(value);
        if (key == "id") fragment.id = json_text_or_empty(value);
        if (key == "function" && value.type() == Type::object) read_function(value.get_object(), fragment);
    }
    return fragment;
}

}  // namespace pgchat
