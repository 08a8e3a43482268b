#include "core/llm/schema_check.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace pgchat {
namespace {

std::string fault(const char* schema, const char* value) {
    return schema_fault(SortedJson::parse(schema), SortedJson::parse(value)).value_or("");
}

constexpr const char* invoice = R"({"type": "object", "required": ["id", "lines"], "additionalProperties": false,
    "properties": {"id": {"type": "integer", "minimum": 1}, "note": {"type": ["string", "null"], "maxLength": 3},
        "lines": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/line"}}},
    "$defs": {"line": {"type": "object", "required": ["price"], "properties": {"price": {"type": "number",
        "exclusiveMinimum": 0, "multipleOf": 0.01}, "unit": {"enum": ["kg", "m"]}}}}})";

TEST(SchemaCheck, AcceptsWhatFits) {
    EXPECT_EQ(fault(invoice,
                    R"({"id": 1, "note": "äöü", "lines": [{"price": 19.99, "unit": "kg"}, {"price": 2, "more": 1}]})"),
              "");
    EXPECT_EQ(fault(invoice, R"({"id": 2.0, "note": null, "lines": [{"price": 0.07}]})"), "");
}

TEST(SchemaCheck, NamesThePlaceAndTheRule) {
    EXPECT_EQ(fault(invoice, "[]"), "$: must be of type \"object\"");
    EXPECT_EQ(fault(invoice, R"({"id": 1})"), "$: lacks \"lines\"");
    EXPECT_EQ(fault(invoice, R"({"id": 0, "lines": [{"price": 1}]})"), "$.id: must be at least 1");
    EXPECT_EQ(fault(invoice, R"({"id": 1.5, "lines": [{"price": 1}]})"), "$.id: must be of type \"integer\"");
    EXPECT_EQ(fault(invoice, R"({"id": 1, "note": "long", "lines": [{"price": 1}]})"),
              "$.note: must have at most 3 characters");
    EXPECT_EQ(fault(invoice, R"({"id": 1, "lines": []})"), "$.lines: must have at least 1 elements");
    EXPECT_EQ(fault(invoice, R"({"id": 1, "lines": [{"price": 1}, {"price": 0}]})"),
              "$.lines[1].price: must be greater than 0");
    EXPECT_EQ(fault(invoice, R"({"id": 1, "lines": [{"price": 0.005}]})"),
              "$.lines[0].price: must be a multiple of 0.01");
    EXPECT_EQ(fault(invoice, R"({"id": 1, "lines": [{"price": 1, "unit": "lb"}]})"),
              "$.lines[0].unit: must be one of [\"kg\",\"m\"]");
    EXPECT_EQ(fault(invoice, R"({"id": 1, "lines": [{"price": 1}], "x": 1})"), "$.x: must not be there");
}

struct Case {
    const char* schema;
    const char* good;
    const char* bad;
};

TEST(SchemaCheck, EachKeywordRefusesAndAccepts) {
    for (const Case& one : {
             Case{R"({"const": {"a": 1}})", R"({"a": 1.0})", R"({"a": 2})"},
             Case{R"({"maximum": 3})", "3", "4"},
             Case{R"({"exclusiveMaximum": 3})", "2.9", "3"},
             Case{R"({"minimum": 3})", "\"text\"", "2"},
             Case{R"({"minLength": 2})", "\"ää\"", "\"ä\""},
             Case{R"({"maxItems": 1})", "[1]", "[1, 2]"},
             Case{R"({"uniqueItems": true})", "[1, \"1\", [1]]", "[1, 2, 1.0]"},
             Case{R"({"minProperties": 1})", R"({"a": 1})", "{}"},
             Case{R"({"maxProperties": 1})", R"({"a": 1})", R"({"a": 1, "b": 2})"},
             Case{R"({"additionalProperties": {"type": "string"}})", R"({"a": "b"})", R"({"a": 1})"},
             Case{R"({"prefixItems": [{"type": "string"}], "items": false})", R"(["a"])", R"(["a", 1])"},
             Case{R"({"items": [{"type": "string"}], "additionalItems": {"type": "null"}})", R"(["a", null])",
                  R"(["a", 1])"},
             Case{R"({"allOf": [{"minimum": 1}, {"maximum": 2}]})", "2", "3"},
             Case{R"({"anyOf": [{"type": "string"}, {"maximum": 2}]})", "2", "3"},
             Case{R"({"oneOf": [{"minimum": 1}, {"maximum": 2}]})", "3", "1"},
             Case{R"({"not": {"type": "string"}})", "1", "\"a\""},
             Case{R"({"if": {"type": "string"}, "then": {"minLength": 1}, "else": {"minimum": 1}})", "\"a\"", "0"},
             Case{R"({"if": {"type": "string"}, "then": {"minLength": 1}, "else": {"minimum": 1}})", "1", "\"\""},
             Case{R"({"type": "boolean"})", "false", "0"},
             Case{R"({"type": ["null", "array"]})", "[]", "{}"},
             Case{"true", "1", nullptr},
             Case{R"({"pattern": "(a+)+$", "format": "email", "$ref": "https://example.com/x", "unknown": 7})",
                  "\"aab\"", nullptr},
             Case{R"({"type": "strange", "required": 3, "properties": [], "enum": {}, "minimum": "x"})", "{}", nullptr},
             Case{R"({"patternProperties": {"^x": {}}, "additionalProperties": false})", R"({"x1": 1})", nullptr},
             Case{R"({"$ref": "#anchor"})", "1", nullptr},
             Case{R"({"$ref": "#/nowhere"})", "1", nullptr},
         }) {
        EXPECT_EQ(fault(one.schema, one.good), "") << one.schema << " with " << one.good;
        if (one.bad == nullptr) continue;
        EXPECT_NE(fault(one.schema, one.bad), "") << one.schema << " with " << one.bad;
    }
    EXPECT_EQ(fault("false", "1"), "$: must not be there");
}

TEST(SchemaCheck, ARecursiveSchemaIsCheckedToItsDepth) {
    constexpr const char* tree = R"({"type": "object", "required": ["n"], "properties":
        {"n": {"type": "integer"}, "children": {"type": "array", "items": {"$ref": "#"}}}})";
    EXPECT_EQ(fault(tree, R"({"n": 1, "children": [{"n": 2, "children": [{"n": 3}]}]})"), "");
    EXPECT_EQ(fault(tree, R"({"n": 1, "children": [{"n": 2, "children": [{"n": "3"}]}]})"),
              "$.children[0].children[0].n: must be of type \"integer\"");
}

TEST(SchemaCheck, ASchemaThatNeverEndsOrBranchesWithoutEndIsGivenUpInTime) {
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(fault(R"({"$ref": "#"})", "1"), "$: the schema takes too long to check");
    std::string doubling = R"({"$ref": "#/$defs/0", "$defs": {)";
    for (int i = 0; i < 60; ++i) {
        const std::string next = R"({"$ref": "#/$defs/)" + std::to_string(i + 1) + "\"}";
        doubling += '"' + std::to_string(i) + R"(": {"anyOf": [)" + next + ", " + next + "]}, ";
    }
    doubling += R"("60": false}})";
    EXPECT_EQ(fault(doubling.c_str(), "1"), "$: the schema takes too long to check");
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
}

TEST(SchemaCheck, AnObjectOfManyMembersIsCheckedInTime) {
    std::string large = "{";
    for (int i = 0; i < 100'000; ++i)
        large += (i == 0 ? "\"k" : ",\"k") + std::to_string(i) + "\":" + std::to_string(i);
    large += "}";
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(fault(R"({"additionalProperties": {"type": "integer"}})", large.c_str()), "");
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20))
        << "comparing every member with all others takes minutes";
}

TEST(SchemaCheck, LargeValuesOfASchemaAreNotShownWhole) {
    SortedJson schema{{"$defs", {{"c", {{"const", std::string(1 << 20, 'x')}}}}}, {"anyOf", SortedJson::array()}};
    for (int i = 0; i < 3000; ++i) schema["anyOf"].push_back({{"$ref", "#/$defs/c"}});
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(schema_fault(schema, "y"), "$: fits no part of anyOf");
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(500));
    EXPECT_LT(schema_fault(schema["$defs"]["c"], "y")->size(), 120u);
    const SortedJson many{{"enum", SortedJson(std::vector<int>(100'000, 7))}};
    EXPECT_EQ(schema_fault(many, 8)->substr(0, 28), "$: must be one of [7,7,7,7,7");
    EXPECT_LT(schema_fault(many, 8)->size(), 120u);
}

}  // namespace
}  // namespace pgchat
