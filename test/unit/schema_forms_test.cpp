#include "core/llm/schema_forms.hpp"

#include <gtest/gtest.h>

namespace pgchat {
namespace {

bool is_strict(const char* schema) {
    return is_strict_schema(Json::parse(schema));
}

std::string closed(const char* schema) {
    const auto form = closed_schema(Json::parse(schema));
    return form ? form->dump() : "none";
}

TEST(SchemaForms, StrictIsWhereEveryObjectIsClosedAndRequiresAll) {
    EXPECT_TRUE(is_strict(R"json({"type":"string"})json"));
    EXPECT_TRUE(is_strict(
        R"json({"type":"object","properties":{"a":{"type":"null"}},"required":["a"],"additionalProperties":false})json"));
    EXPECT_FALSE(is_strict(R"json({"type":"object","properties":{"a":{}},"required":["a"]})json"));
    EXPECT_FALSE(is_strict(R"json({"type":"object","properties":{"a":{}},"additionalProperties":false})json"));
    EXPECT_FALSE(is_strict(R"json({"type":"array","items":{"type":"object"}})json"));
    EXPECT_FALSE(is_strict(R"json({"$ref":"#/$defs/a","$defs":{"a":{"type":["object","null"]}}})json"));
    EXPECT_FALSE(is_strict(R"json({"anyOf":[{"type":"object"},{"type":"null"}]})json"));
    EXPECT_FALSE(is_strict("true"));
}

TEST(SchemaForms, AClosedFormHasClosedObjectsAndTellsTheLimitsInWords) {
    EXPECT_EQ(
        closed(
            R"json({"type":"object","properties":{"a":{"type":"string","description":"Name.","minLength":2,"maxLength":3}},"required":["a"]})json"),
        R"json({"type":"object","properties":{"a":{"type":"string","description":"Name. (minLength: 2, maxLength: 3)"}},"required":["a"],"additionalProperties":false})json");
    EXPECT_EQ(
        closed(
            R"json({"type":"array","minItems":1,"items":{"oneOf":[{"const":1},{"type":"object","properties":{"b":{}}}]}})json"),
        R"json({"type":"array","minItems":1,"items":{"anyOf":[{"const":1},{"type":"object","properties":{"b":{}},"additionalProperties":false}]}})json");
    EXPECT_EQ(
        closed(
            R"json({"type":"array","minItems":2,"items":{"$ref":"#/$defs/n"},"$defs":{"n":{"type":"number","maximum":5}}})json"),
        R"json({"type":"array","items":{"$ref":"#/$defs/n"},"$defs":{"n":{"type":"number","description":"(maximum: 5)"}},"description":"(minItems: 2)"})json");
}

TEST(SchemaForms, WhatCannotBeClosedHasNoSuchForm) {
    for (const char* schema :
         {R"json({"type":"object"})json", R"json({"type":"object","properties":{}})json",
          R"json({"type":"object","properties":{"a":{}},"additionalProperties":true})json",
          R"json({"type":"object","properties":{"a":{"type":"object"}}})json",
          R"json({"type":"object","properties":{"a":{}},"additionalProperties":{"type":"string"}})json",
          R"json({"type":"object","properties":{"next":{"$ref":"#"}}})json",
          R"json({"$ref":"https://example.com/schema"})json",
          R"json({"$ref":"#/$defs/a","$defs":{"a":{"type":"array","items":{"$ref":"#/$defs/a"}}}})json", "true"})
        EXPECT_EQ(closed(schema), "none") << schema;
}

}  // namespace
}  // namespace pgchat
