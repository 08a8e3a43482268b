#include "core/llm/schema_forms.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "core/llm/json_field.hpp"

namespace pgchat {
namespace {

constexpr std::array maps_of_schemas{"properties", "$defs", "definitions"};
constexpr std::array lists_of_schemas{"anyOf", "allOf", "oneOf", "prefixItems"};

bool is_object_schema(const Json& schema) {
    const Json& type = json_member(schema, "type");
    const bool may_be = type.is_array() && std::find(type.begin(), type.end(), "object") != type.end();
    return type == "object" || may_be || schema.contains("properties");
}

// Calls `visit` with every schema directly within; stops where it returns false.
template <class Schema, class Visit>
bool for_each_part(Schema& schema, Visit&& visit) {
    for (const char* name : maps_of_schemas)
        if (const auto found = schema.find(name); found != schema.end() && found->is_object())
            for (auto& part : *found)
                if (!visit(part)) return false;
    for (const char* name : lists_of_schemas)
        if (const auto found = schema.find(name); found != schema.end() && found->is_array())
            for (auto& part : *found)
                if (!visit(part)) return false;
    const auto items = schema.find("items");
    return items == schema.end() || !items->is_object() || visit(*items);
}

bool requires_all(const Json& schema) {
    const Json& properties = json_member(schema, "properties");
    const Json& required = json_member(schema, "required");
    if (properties.is_null()) return true;
    if (!properties.is_object() || !required.is_array()) return properties.empty();
    for (const auto& [name, part] : properties.items())
        if (std::find(required.begin(), required.end(), Json(name)) == required.end()) return false;
    return true;
}

// A definition that refers to another one may be part of itself.
bool refers(const Json& schema) {
    if (!schema.is_object()) return false;
    return schema.contains("$ref") || !for_each_part(schema, [](const Json& part) { return !refers(part); });
}

bool has_closed_form(const Json& schema) {
    if (!schema.is_object()) return false;
    const Json& reference = json_member(schema, "$ref");
    if (reference.is_string()) {
        const std::string& target = reference.get_ref<const std::string&>();
        if (!target.starts_with("#/$defs/") && !target.starts_with("#/definitions/")) return false;
    }
    for (const char* name : {"$defs", "definitions"})
        if (const Json& parts = json_member(schema, name); parts.is_object())
            for (const Json& part : parts)
                if (refers(part)) return false;
    if (is_object_schema(schema)) {
        const Json& properties = json_member(schema, "properties");
        const Json& others = json_member(schema, "additionalProperties");
        if (!properties.is_object() || properties.empty() || others == true || others.is_object()) return false;
    }
    return for_each_part(schema, has_closed_form);
}

bool is_unknown_limit(const std::string& name, const Json& value) {
    constexpr std::array limits{"minimum",     "maximum",       "exclusiveMinimum", "exclusiveMaximum",
                                "multipleOf",  "minLength",     "maxLength",        "maxItems",
                                "uniqueItems", "minProperties", "maxProperties",    "pattern"};
    if (name == "minItems") return value != 0 && value != 1;
    return std::find(limits.begin(), limits.end(), name) != limits.end();
}

void close(Json& schema) {
    std::string limits;
    Json closed = Json::object();
    for (auto& [name, value] : schema.items()) {
        if (is_unknown_limit(name, value))
            limits.append(limits.empty() ? "" : ", ").append(name).append(": ").append(value.dump());
        else
            closed[name == "oneOf" ? "anyOf" : name] = std::move(value);
    }
    if (!limits.empty()) {
        const Json& given = json_member(closed, "description");
        const std::string before = given.is_string() ? given.get<std::string>() + " " : "";
        closed["description"] = before + "(" + limits + ")";
    }
    if (is_object_schema(closed)) closed["additionalProperties"] = false;
    for_each_part(closed, [](Json& part) {
        close(part);
        return true;
    });
    schema = std::move(closed);
}

}  // namespace

bool is_strict_schema(const Json& schema) {
    if (!schema.is_object()) return false;
    if (is_object_schema(schema) && (json_member(schema, "additionalProperties") != false || !requires_all(schema)))
        return false;
    return for_each_part(schema, is_strict_schema);
}

std::optional<Json> closed_schema(const Json& schema) {
    if (!has_closed_form(schema)) return std::nullopt;
    Json closed = schema;
    close(closed);
    return closed;
}

}  // namespace pgchat
