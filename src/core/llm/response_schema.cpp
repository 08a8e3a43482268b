#include "core/llm/response_schema.hpp"

#include "core/llm/json_field.hpp"

namespace pgchat {

bool is_openai_response_format(const Json& response_format) {
    if (!response_format.is_object()) return false;
    const Json& type = json_member(response_format, "type");
    return type == "text" || type == "json_object" || type == "json_schema";
}

ResponseShape response_shape(const Json& response_format) {
    using Kind = ResponseShape::Kind;
    if (!response_format.is_object()) return {};
    if (!is_openai_response_format(response_format)) return {Kind::schema, response_format};
    const Json& type = json_member(response_format, "type");
    if (type == "text") return {};
    if (type == "json_object") return {Kind::any_json, {}};
    const Json& wrapper = json_member(response_format, "json_schema");
    const Json& schema = wrapper.is_object() ? json_member(wrapper, "schema") : wrapper;
    if (!schema.is_object()) return {Kind::any_json, {}};
    return {Kind::schema, schema};
}

}  // namespace pgchat
