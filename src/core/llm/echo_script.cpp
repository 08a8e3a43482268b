#include "core/llm/echo_script.hpp"

#include <algorithm>
#include <array>

#include "core/llm/echo_embedding.hpp"
#include "core/llm/json_field.hpp"
#include "core/llm/json_parse.hpp"

namespace pgchat {
namespace {

constexpr int script_nesting = 128;  // a valid request's, and the body around it
constexpr double highest_rate = 1e6;
constexpr int highest_status = 599;
constexpr int lowest_status = 200;
constexpr std::size_t most_dimensions = 16'384;

std::int64_t not_negative(const Json& value, const JsonField& field) {
    const std::int64_t result = field.integer(value);
    if (result < 0) field.fail("must not be negative");
    return result;
}

int parse_status(const Json& value, const JsonField& field) {
    const std::int64_t status = field.integer(value);
    if (status < lowest_status || status > highest_status) field.fail("must be from 200 to 599");
    return static_cast<int>(status);
}

struct ScriptMember {
    std::string_view name;
    void (*parse)(EchoScript& script, const Json& value, const JsonField& field);
};

EchoAnswer parse_answer(const Json& answer, const JsonField& field) {
    EchoAnswer result;
    for (const auto& [name, value] : field.object(answer).items()) {
        const JsonField member = field.member(name);
        if (name == "when")
            result.when = member.texts(value);
        else if (name == "reply")
            result.reply = member.text(value);
        else if (name == "thinking")
            result.thinking = member.text(value);
        else if (name == "tool_calls")
            result.tool_calls = member.array(value);
        else
            field.fail("unknown setting \"" + name + '"');
    }
    if (result.when.empty()) field.member("when").fail("must name a text to look for");
    return result;
}

std::vector<EchoAnswer> parse_answers(const Json& answers, const JsonField& field) {
    std::vector<EchoAnswer> result;
    for (std::size_t i = 0; i < field.array(answers).size(); ++i)
        result.push_back(parse_answer(answers[i], field.at(i)));
    return result;
}

constexpr std::array script_members{
    ScriptMember{"latency_ms", [](auto& script, auto& value,
                                  auto& field) { script.latency = Milliseconds(not_negative(value, field)); }},
    ScriptMember{"tokens_per_second",
                 [](auto& script, auto& value, auto& field) {
                     script.tokens_per_second = field.number(value, 0, highest_rate);
                 }},
    ScriptMember{"reply", [](auto& script, auto& value, auto& field) { script.reply = field.text(value); }},
    ScriptMember{"thinking", [](auto& script, auto& value, auto& field) { script.thinking = field.text(value); }},
    ScriptMember{"tool_calls", [](auto& script, auto& value, auto& field) { script.tool_calls = field.array(value); }},
    ScriptMember{"answers",
                 [](auto& script, auto& value, auto& field) { script.answers = parse_answers(value, field); }},
    ScriptMember{"status", [](auto& script, auto& value, auto& field) { script.status = parse_status(value, field); }},
    ScriptMember{"retry_after", [](auto& script, auto& value, auto& field) { script.retry_after = field.text(value); }},
    ScriptMember{"fail_times",
                 [](auto& script, auto& value, auto& field) { script.fail_times = not_negative(value, field); }},
    ScriptMember{"key", [](auto& script, auto& value, auto& field) { script.key = field.text(value); }},
    ScriptMember{"truncate_after",
                 [](auto& script, auto& value, auto& field) {
                     script.truncate_after = static_cast<std::size_t>(not_negative(value, field));
                 }},
    ScriptMember{"hang", [](auto& script, auto& value, auto& field) { script.hang = field.boolean(value); }},
    ScriptMember{"refuse", [](auto& script, auto& value, auto& field) { script.refuse = field.boolean(value); }},
};

bool is_space(char c) {
    return std::string_view(" \t\r\n\f\v").find(c) != std::string_view::npos;
}

// Appends `text` and where its tokens end; white space after the last word belongs to the last token.
void append_tokens(EchoRequest& request, std::string_view text) {
    const std::size_t offset = request.text.size();
    const std::size_t tokens_before = request.token_ends.size();
    request.text.append(text);
    for (std::size_t at = 0; at < text.size();) {
        while (at < text.size() && is_space(text[at])) ++at;
        const bool is_trailing_space = at == text.size() && request.token_ends.size() > tokens_before;
        while (at < text.size() && !is_space(text[at])) ++at;
        if (is_trailing_space)
            request.token_ends.back() = offset + at;
        else
            request.token_ends.push_back(offset + at);
    }
}

std::int64_t count_words(std::string_view text) {
    std::int64_t words = 0;
    bool in_word = false;
    for (const char c : text) {
        if (!is_space(c) && !in_word) ++words;
        in_word = !is_space(c);
    }
    return words;
}

std::string content_text(const Json& message) {
    const Json& content = json_member(message, "content");
    if (content.is_string()) return content.get<std::string>();
    std::string text;
    for (const Json& part : content)
        if (part.is_object() && json_member(part, "text").is_string()) text += part.at("text").get<std::string>();
    return text;
}

// Has the first answer that applies take the place of what the script says; `told` is what the request says.
void choose_answer(EchoScript& script, std::string_view told) {
    for (EchoAnswer& answer : script.answers) {
        const auto occurs = [told](const std::string& text) { return told.find(text) != std::string_view::npos; };
        if (!std::all_of(answer.when.begin(), answer.when.end(), occurs)) continue;
        if (answer.reply) script.reply = std::move(answer.reply);
        if (answer.thinking) script.thinking = std::move(*answer.thinking);
        if (answer.tool_calls) script.tool_calls = std::move(*answer.tool_calls);
        return;
    }
}

// The name of the schema that the reply is to follow; empty where there is none.
std::string schema_name(const Json& body) {
    const Json& format = json_member(body, "response_format");
    const Json& schema = format.is_object() ? json_member(format, "json_schema") : format;
    const Json& name = schema.is_object() ? json_member(schema, "name") : schema;
    return name.is_string() ? name.get<std::string>() : std::string();
}

void cut_to_max_tokens(EchoRequest& request, const Json& body) {
    const Json& current = json_member(body, "max_completion_tokens");
    const Json& limit = current.is_null() ? json_member(body, "max_tokens") : current;
    if (!limit.is_number_unsigned() || limit.get<std::uint64_t>() >= request.token_ends.size()) return;
    request.token_ends.resize(limit.get<std::size_t>());
    request.thinking_tokens = std::min(request.thinking_tokens, request.token_ends.size());
    request.length_reached = true;
}

}  // namespace

EchoScript parse_echo_script(const Json& echo) {
    const JsonField field(ErrorCode::malformed_options, "echo");
    EchoScript script;
    for (const auto& [name, value] : field.object(echo).items()) {
        bool known = false;
        for (const ScriptMember& member : script_members) {
            if (member.name != name) continue;
            known = true;
            if (!value.is_null()) member.parse(script, value, field.member(name));
        }
        if (!known) field.fail("unknown setting \"" + name + '"');
    }
    return script;
}

EchoRequest parse_echo_request(std::string_view text) {
    const JsonField field(ErrorCode::malformed_options, "body");
    Json body;
    try {
        body = parse_json(text, script_nesting);
    } catch (const JsonError& error) {
        field.fail(error.what());
    }
    field.object(body);
    EchoRequest request;
    request.script = parse_echo_script(body.value("echo", Json::object()));
    request.stream = json_member(body, "stream") == true;
    const Json& stream_options = json_member(body, "stream_options");
    request.include_usage = stream_options.is_object() && json_member(stream_options, "include_usage") == true;
    request.model = field.member("model").text(json_member(body, "model"));
    if (const Json& inputs = json_member(body, "input"); !inputs.is_null()) {
        const Json& dimensions = json_member(body, "dimensions");
        const auto size = dimensions.is_null()
                              ? echo_dimensions
                              : static_cast<std::size_t>(field.member("dimensions").positive_integer(dimensions));
        if (size > most_dimensions)
            field.member("dimensions").fail("there are at most " + std::to_string(most_dimensions));
        request.embeddings = echo_embeddings(field.member("input").array(inputs), size, request.model);
        return request;
    }
    std::string last_user_text;
    std::string told = request.model + '\n' + schema_name(body);
    for (const Json& message : field.member("messages").array(json_member(body, "messages"))) {
        std::string content = content_text(field.member("messages").object(message));
        request.input_tokens += count_words(content);
        if (!request.script.answers.empty()) told.append("\n").append(content);
        if (json_member(message, "role") == "user") last_user_text = std::move(content);
    }
    choose_answer(request.script, told);
    append_tokens(request, request.script.thinking);
    request.thinking_tokens = request.token_ends.size();
    append_tokens(request, request.script.reply.value_or(last_user_text));
    cut_to_max_tokens(request, body);
    return request;
}

}  // namespace pgchat
