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
    EXPECT_TRUE(is_strict(R"({"type":"string"})"));
    EXPECT_TRUE(is_strict(R"({"type":"object","properties":{"a":{"type":"null"}},"required":["a"],"additionalProperties":false})"));
    EXPECT_FALSE(is_strict(R"({"type":"object","properties":{"a":{}},"required":["a"]})"));
    EXPECT_FALSE(is_strict(R"({"type":"object","properties":{"a":{}},"additionalProperties":false})"));
    EXPECT_FALSE(is_strict(R"({"type":"array","items":{"type":"object"}})"));
    EXPECT_FALSE(is_strict(R"({"$ref":"#/$defs/a","$defs":{"a":{"type":["object","null"]}}})"));
    EXPECT_FALSE(is_strict(R"({"anyOf":[{"type":"object"},{"type":"null"}]})"));
    EXPECT_FALSE(is_strict("true"));
}

TEST(SchemaForms, AClosedFormHasClosedObjectsAndTellsTheLimitsInWords) {
    EXPECT_EQ(closed(R"({"type":"object","properties":{"a":{"type":"string","description":"Name.","minLength":2,"maxLength":3}},"required":["a"]})"),
              R"({"type":"object","properties":{"a":{"type":"string","description":"Name. (minLength: 2, maxLength: 3)"}},"required":["a"],"additionalProperties":false})");
    EXPECT_EQ(closed(R"({"type":"array","minItems":1,"items":{"oneOf":[{"const":1},{"type":"object","properties":{"b":{}}}]}})"),
              R"({"type":"array","minItems":1,"items":{"anyOf":[{"const":1},{"type":"object","properties":{"b":{}},"additionalProperties":false}]}})");
    EXPECT_EQ(closed(R"({"type":"array","minItems":2,"items":{"$ref":"#/$defs/n"},"$defs":{"n":{"type":"number","maximum":5}}})"),
              R"({"type":"array","items":{"$ref":"#/$defs/n"},"$defs":{"n":{"type":"number","description":"(maximum: 5)"}},"description":"(minItems: 2)"})");
}

TEST(SchemaForms, WhatCannotBeClosedHasNoSuchForm) {
    for (const char* schema :
         {R"({"type":"object"})", R"({"type":"object","properties":{}})", R"({"type":"object","properties":{"a":{}},"additionalProperties":true})",
          R"({"type":"object","properties":{"a":{"type":"object"}}})",
          R"({"type":"object","properties":{"a":{}},"additionalProperties":{"type":"string"}})",
          R"({"type":"object","properties":{"next":{"$ref":"#"}}})", R"({"$ref":"https://example.com/schema"})",
          R"({"$ref":"#/$defs/a","$defs":{"a":{"type":"array","items":{"$ref":"#/$defs/a"}}}})", "true"})
        EXPECT_EQ(closed(schema), "none") << schema;
}

}  // namespace
}  // namespace pgchat
