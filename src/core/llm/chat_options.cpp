#include "core/llm/chat_options.hpp"

#include <algorithm>
#include <array>

#include "core/llm/content_parts.hpp"
#include "core/llm/extra_members.hpp"
#include "core/llm/json_field.hpp"
#include "core/llm/json_parse.hpp"
#include "core/text/utf8.hpp"

namespace pgchat {
namespace {

constexpr double highest_temperature = 2.0;
constexpr double highest_top_p = 1.0;
constexpr std::int64_t longest_cache_ttl_s = 31'536'000;
constexpr std::size_t most_fallback_models = 10;

Json parse_tools(const Json& value, const JsonField& field) {
    field.array(value);
    for (std::size_t i = 0; i < value.size(); ++i) {
        const JsonField place = field.at(i);
        const Json& tool = place.object(value[i]);
        if (json_member(tool, "type") != "function") place.member("type").fail("must be \"function\"");
        const JsonField function_place = place.member("function");
        const Json& function = function_place.object(json_member(tool, "function"));
        function_place.member("name").non_empty_text(json_member(function, "name"));
        const Json& parameters = json_member(function, "parameters");
        if (!parameters.is_null()) function_place.member("parameters").object(parameters);
    }
    return value.empty() ? Json() : value;
}

Json parse_tool_choice(const Json& value, const JsonField& field) {
    if (value == "auto" || value == "none" || value == "required") return value;
    if (!value.is_object()) field.fail("must be \"auto\", \"none\", \"required\" or a function to call");
    if (json_member(value, "type") != "function") field.member("type").fail("must be \"function\"");
    const JsonField place = field.member("function");
    const Json& function = place.object(json_member(value, "function"));
    place.member("name").non_empty_text(json_member(function, "name"));
    return value;
}

Json parse_thinking(const Json& value, const JsonField& field) {
    if (value.is_boolean()) return value;
    constexpr const char* hint =
        R"(Give true, false, {"budget_tokens": n} or {"effort": "minimal" | "low" | "medium" | "high" | "xhigh" | "max"}.)";
    constexpr std::array efforts{"minimal", "low", "medium", "high", "xhigh", "max"};
    if (!value.is_object() || value.size() != 1) field.fail("is not a thinking setting", hint);
    const Json& budget = json_member(value, "budget_tokens");
    const Json& effort = json_member(value, "effort");
    if (!budget.is_null())
        field.member("budget_tokens").positive_integer(budget);
    else if (std::find(efforts.begin(), efforts.end(), effort) == efforts.end())
        field.fail("is not a thinking setting", hint);
    return value;
}

void parse_images(ChatOptions& options, const Json& value, const JsonField& field) {
    field.array(value);
    for (std::size_t i = 0; i < value.size(); ++i) options.images.push_back(parse_image(value[i], field.at(i)));
}

void parse_cache(ChatOptions& options, const Json& value, const JsonField& field) {
    if (value.is_boolean()) {
        options.cache = value.get<bool>();
        return;
    }
    if (!value.is_object() || value.size() != 1)
        field.fail("is not a cache setting", R"(Give true, false or {"ttl_s": n}.)");
    const JsonField place = field.member("ttl_s");
    options.cache_ttl_s = place.positive_integer(json_member(value, "ttl_s"));
    if (*options.cache_ttl_s > longest_cache_ttl_s) place.fail("must be at most 31536000, a year");
    options.cache = true;
}

void parse_fallback_models(ChatOptions& options, const Json& value, const JsonField& field) {
    options.fallback_models = field.texts(value);
    if (options.fallback_models.size() > most_fallback_models) field.fail("has more than 10 models");
}

struct Member {
    std::string_view name;
    void (*parse)(ChatOptions& options, const Json& value, const JsonField& field);
};

constexpr std::array members{
    Member{"temperature", [](auto& options, auto& value,
                             auto& field) { options.temperature = field.number(value, 0, highest_temperature); }},
    Member{"top_p",
           [](auto& options, auto& value, auto& field) { options.top_p = field.number(value, 0, highest_top_p); }},
    Member{"max_tokens",
           [](auto& options, auto& value, auto& field) { options.max_tokens = field.positive_integer(value); }},
    Member{"stop", [](auto& options, auto& value, auto& field) { options.stop = field.texts(value); }},
    Member{"seed", [](auto& options, auto& value, auto& field) { options.seed = field.integer(value); }},
    Member{"tools", [](auto& options, auto& value, auto& field) { options.tools = parse_tools(value, field); }},
    Member{"tool_choice",
           [](auto& options, auto& value, auto& field) { options.tool_choice = parse_tool_choice(value, field); }},
    Member{"thinking",
           [](auto& options, auto& value, auto& field) { options.thinking = parse_thinking(value, field); }},
    Member{"images", parse_images},
    Member{"cache", parse_cache},
    Member{"fallback_models", parse_fallback_models},
    Member{"extra", [](auto& options, auto& value, auto& field) { options.extra = extra_members(value, field); }},
};

std::string known_members() {
    std::string list = "Known options: ";
    for (const Member& member : members) list.append(member.name).append(&member == &members.back() ? "." : ", ");
    return list;
}

void parse_member(ChatOptions& options, const std::string& name, const Json& value, const JsonField& field) {
    for (const Member& member : members) {
        if (member.name != name) continue;
        if (!value.is_null()) member.parse(options, value, field.member(name));
        return;
    }
    constexpr std::size_t shown = 60;
    field.fail("unknown option \"" + std::string(truncate_text(name, shown)) + '"', known_members());
}

Json parse_argument(std::string_view text, int max_nesting, const JsonField& field) {
    if (text.empty()) return nullptr;
    try {
        return parse_json(text, max_nesting);
    } catch (const JsonError& error) {
        field.fail(error.what());
    }
}

}  // namespace

ChatOptions parse_chat_options(std::string_view text, int max_nesting) {
    const JsonField field(ErrorCode::malformed_options, "options");
    ChatOptions options;
    if (text == "{}") return options;
    const Json document = parse_argument(text, max_nesting, field);
    if (document.is_null()) return options;
    for (const auto& [name, value] : field.object(document).items()) parse_member(options, name, value, field);
    return options;
}

Json parse_response_format(std::string_view text, int max_nesting) {
    const JsonField field(ErrorCode::malformed_options, "response_format");
    Json document = parse_argument(text, max_nesting, field);
    if (!document.is_null()) field.object(document);
    return document;
}

}  // namespace pgchat
