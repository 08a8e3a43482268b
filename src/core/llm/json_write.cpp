#include "core/llm/json_write.hpp"

#include <simdjson.h>

#include <charconv>
#include <cstdint>
#include <cstring>
#include <limits>
#include <utility>

#include "core/text/hex.hpp"

namespace pgchat {
namespace {

constexpr unsigned char first_printable = 0x20;

constexpr std::uint64_t in_each_byte(unsigned char byte) noexcept {
    return byte * 0x0101'0101'0101'0101u;
}

bool has_byte_below(std::uint64_t word, unsigned char bound) noexcept {
    return ((word - in_each_byte(bound)) & ~word & in_each_byte(0x80)) != 0;
}

bool has_byte(std::uint64_t word, unsigned char byte) noexcept {
    return has_byte_below(word ^ in_each_byte(byte), 1);
}

bool is_escaped(char c) noexcept {
    return static_cast<unsigned char>(c) < first_printable || c == '"' || c == '\\';
}

// How many bytes of `text` come before the first that is escaped.
std::size_t unescaped_prefix(std::string_view text) noexcept {
    std::size_t at = 0;
    for (std::uint64_t word = 0; at + sizeof word <= text.size(); at += sizeof word) {
        std::memcpy(&word, text.data() + at, sizeof word);
        if (has_byte_below(word, first_printable) || has_byte(word, '"') || has_byte(word, '\\')) break;
    }
    while (at < text.size() && !is_escaped(text[at])) ++at;
    return at;
}

void append_escaped(std::string& out, char c) {
    constexpr std::string_view named = "\"\\\b\f\n\r\t";
    constexpr std::string_view names = "\"\\bfnrt";
    out += '\\';
    if (const std::size_t at = named.find(c); at != std::string_view::npos) {
        out += names[at];
        return;
    }
    char code[] = "u00??";
    write_hex(static_cast<unsigned char>(c), code + 3);
    out += code;
}

template <typename Integer>
void append_integer(std::string& out, Integer value) {
    char digits[std::numeric_limits<Integer>::digits10 + 2];
    out.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

void append_object(std::string& out, const Json::object_t& members, std::string_view in_place) {
    out += '{';
    bool is_first = true;
    for (const auto& [name, value] : members) {
        if (!std::exchange(is_first, false)) out += ',';
        append_json_text(out, name);
        out += ':';
        append_json(out, value, in_place);
    }
    out += '}';
}

void append_array(std::string& out, const Json::array_t& elements, std::string_view in_place) {
    out += '[';
    bool is_first = true;
    for (const Json& element : elements) {
        if (!std::exchange(is_first, false)) out += ',';
        append_json(out, element, in_place);
    }
    out += ']';
}

std::string dumped(const Json& value) {
    return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

void append_json_text(std::string& out, std::string_view text) {
    if (!simdjson::validate_utf8(text.data(), text.size())) {
        out += dumped(Json(text));
        return;
    }
    out += '"';
    while (!text.empty()) {
        const std::size_t unescaped = unescaped_prefix(text);
        out.append(text.substr(0, unescaped));
        text.remove_prefix(unescaped);
        if (text.empty()) break;
        append_escaped(out, text.front());
        text.remove_prefix(1);
    }
    out += '"';
}

void append_json(std::string& out, const Json& value, std::string_view in_place) {
    switch (value.type()) {
        case Json::value_t::object:
            return append_object(out, value.get_ref<const Json::object_t&>(), in_place);
        case Json::value_t::array:
            return append_array(out, value.get_ref<const Json::array_t&>(), in_place);
        case Json::value_t::string:
            return append_json_text(out, value.get_ref<const std::string&>());
        case Json::value_t::boolean:
            out += value.get<bool>() ? "true" : "false";
            return;
        case Json::value_t::number_integer:
            return append_integer(out, value.get<std::int64_t>());
        case Json::value_t::number_unsigned:
            return append_integer(out, value.get<std::uint64_t>());
        case Json::value_t::null:
            out += "null";
            return;
        case Json::value_t::discarded:
            out += in_place;
            return;
        case Json::value_t::number_float:
        case Json::value_t::binary:
            out += dumped(value);
    }
}

}  // namespace pgchat
