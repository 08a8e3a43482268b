// Reads JSON by scanning, without building a tree: the mock looks at a few members of a request and must be fast.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace mock::json {

// Moves `pos` past white space.
void skip_space(std::string_view text, size_t& pos);

// Moves `pos` past the value that begins there. False where the text ends inside it. Brackets and strings are balanced;
// numbers and literals are not checked.
bool skip_value(std::string_view text, size_t& pos);

// Calls `visit(name, value)` for each member of the object `text`; both are raw text, `name` without its quotes.
// False where `text` is not a well-formed object.
template <typename Visit>
bool members(std::string_view text, Visit&& visit);

// Calls `visit(value)` for each element of the array `text`. False where `text` is not a well-formed array.
template <typename Visit>
bool elements(std::string_view text, Visit&& visit);

inline bool is_string(std::string_view value) {
    return value.size() >= 2 && value.front() == '"';
}
inline bool is_array(std::string_view value) {
    return !value.empty() && value.front() == '[';
}
inline bool is_object(std::string_view value) {
    return !value.empty() && value.front() == '{';
}

// The text between the quotes of a string value, escapes untouched.
inline std::string_view inside(std::string_view value) {
    return value.substr(1, value.size() - 2);
}

// Decodes the escapes of raw string text. A lone surrogate becomes its three-byte form, so that nothing is lost.
std::string unescape(std::string_view raw);

// Appends `bytes` escaped for the inside of a JSON string. A byte that is not part of valid UTF-8 becomes \udcXX, which
// Python decodes with errors="surrogateescape" to the original byte.
void escape(std::string& out, std::string_view bytes);

// The number of words, separated by white space (escaped or not), in raw string text.
size_t count_words(std::string_view raw);

namespace detail {
// Steps over a comma or the closing bracket. Returns 1 for more, 0 for the end, -1 for an error.
int separator(std::string_view text, size_t& pos, char close);
// Stands after `open`; true where the container is not empty, and `pos` is then on its first item.
bool enter(std::string_view text, size_t& pos, char open, char close, bool& empty);
}  // namespace detail

template <typename Visit>
bool members(std::string_view text, Visit&& visit) {
    size_t pos = 0;
    bool empty = false;
    if (!detail::enter(text, pos, '{', '}', empty)) return false;
    for (int more = !empty; more != 0;) {
        const size_t name_at = pos;
        if (pos >= text.size() || text[pos] != '"' || !skip_value(text, pos)) return false;
        const std::string_view name = inside(text.substr(name_at, pos - name_at));
        skip_space(text, pos);
        if (pos >= text.size() || text[pos++] != ':') return false;
        skip_space(text, pos);
        const size_t value_at = pos;
        if (!skip_value(text, pos)) return false;
        visit(name, text.substr(value_at, pos - value_at));
        more = detail::separator(text, pos, '}');
        if (more < 0) return false;
    }
    return true;
}

template <typename Visit>
bool elements(std::string_view text, Visit&& visit) {
    size_t pos = 0;
    bool empty = false;
    if (!detail::enter(text, pos, '[', ']', empty)) return false;
    for (int more = !empty; more != 0;) {
        const size_t value_at = pos;
        if (!skip_value(text, pos)) return false;
        visit(text.substr(value_at, pos - value_at));
        more = detail::separator(text, pos, ']');
        if (more < 0) return false;
    }
    return true;
}

}  // namespace mock::json
