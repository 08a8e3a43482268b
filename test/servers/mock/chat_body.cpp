// Walks the request body once, from the outside in.
#include "chat_body.hpp"

#include <charconv>

#include "json_scan.hpp"

namespace mock {
namespace {

using std::string_view;

// Calls `visit` with the raw text of a content value: a string, or the "text" of each part of an array.
template <typename Visit>
bool each_text(string_view content, Visit&& visit) {
    if (json::is_string(content)) visit(json::inside(content));
    if (!json::is_array(content)) return true;
    bool ok = true;
    const bool whole = json::elements(content, [&](string_view part) {
        if (!json::is_object(part)) return;
        ok &= json::members(part, [&](string_view name, string_view value) {
            if (name == "text" && json::is_string(value)) visit(json::inside(value));
        });
    });
    return ok && whole;
}

bool read_message(string_view message, ChatBody& body) {
    string_view role;
    string_view content;
    const bool ok = json::members(message, [&](string_view name, string_view value) {
        if (name == "role" && json::is_string(value)) role = json::inside(value);
        if (name == "content") content = value;
    });
    if (!ok) return false;
    const bool from_user = role == "user";
    if (from_user) {
        body.user_content = {};
        body.user_parts.clear();
    }
    const bool texts_ok = each_text(content, [&](string_view text) {
        body.prompt_words += json::count_words(text);
        if (!from_user) return;
        if (json::is_array(content)) {
            body.user_parts += text;
        } else {
            body.user_content = text;
        }
    });
    return texts_ok;
}

bool read_messages(string_view messages, ChatBody& body) {
    bool ok = true;
    const bool whole = json::elements(messages, [&](string_view message) { ok &= read_message(message, body); });
    return ok && whole;
}

string_view string_member(string_view object, string_view wanted) {
    string_view found;
    if (json::is_object(object)) {
        json::members(object, [&](string_view name, string_view value) {
            if (name == wanted && json::is_string(value)) found = json::inside(value);
        });
    }
    return found;
}

bool has_true_member(string_view object, string_view wanted) {
    bool found = false;
    if (json::is_object(object)) {
        json::members(object, [&](string_view name, string_view value) { found |= name == wanted && value == "true"; });
    }
    return found;
}

size_t words_of(string_view value) {
    size_t words = 0;
    if (json::is_string(value)) return json::count_words(json::inside(value));
    if (!json::is_array(value)) return 0;
    json::elements(
        value, [&](string_view item) { words += json::is_string(item) ? json::count_words(json::inside(item)) : 1; });
    return words;
}

}  // namespace

bool read_chat_body(string_view text, bool stream_default, ChatBody& body) {
    body = {};
    body.stream = stream_default;
    bool ok = true;
    const bool whole = json::members(text, [&](string_view name, string_view value) {
        if (name == "model" && json::is_string(value)) body.model = json::inside(value);
        if (name == "stream") body.stream = value == "true";
        if (name == "stream_options") body.include_usage = has_true_member(value, "include_usage");
        if (name == "messages") ok &= read_messages(value, body);
        if (name == "system")
            ok &= each_text(value, [&](string_view part) { body.prompt_words += json::count_words(part); });
        if (name == "metadata") body.metadata_key = string_member(value, "key");
        if (name == "user" && json::is_string(value)) body.user = json::inside(value);
        if (name == "input") {
            body.embedding_input = value;
            body.prompt_words += words_of(value);
        }
        if (name == "dimensions") std::from_chars(value.data(), value.data() + value.size(), body.dimensions);
    });
    return ok && whole;
}

}  // namespace mock
