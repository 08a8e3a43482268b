// What a response_format asks for, whichever way it is written.
#pragma once

#include "core/llm/json.hpp"

namespace pgchat {

struct ResponseShape {
    enum class Kind { text, any_json, schema };

    Kind kind = Kind::text;
    Json schema;  // for Kind::schema
};

// Reads null, a bare JSON Schema, or OpenAI's own {"type":"text"}, {"type":"json_object"} and
// {"type":"json_schema","json_schema":{"schema":…}}.
ResponseShape response_shape(const Json& response_format);

// True where `response_format` is already in OpenAI's own form.
bool is_openai_response_format(const Json& response_format);

}  // namespace pgchat
