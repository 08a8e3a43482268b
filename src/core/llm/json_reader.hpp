// Reads the JSON of one provider event in place: no allocation once its buffers have grown to the events' size.
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "core/llm/json_repair.hpp"

namespace pgchat {

namespace ondemand = simdjson::ondemand;

// One per thread, shared by all decoders: a decoder keeps nothing in it from one event to the next, and thousands of
// streams then need one set of buffers.
class JsonReader {
public:
    enum class Outcome { read, repaired, unreadable };

    static JsonReader& for_this_thread();

    // Calls extract(ondemand::object) for the JSON object in `text`. Strings it obtains are valid until the next
    // read. `extract` may throw simdjson::simdjson_error (all simdjson accessors do); it is called a second time,
    // with the repaired text, where the first reading failed for text that json_repair.hpp can mend.
    template <typename Extract>
    Outcome read(std::string_view text, Extract&& extract) {
        if (try_read(text, extract)) return Outcome::read;
        repaired_.clear();
        if (!append_repaired_json(repaired_, text)) return Outcome::unreadable;
        return try_read(repaired_, extract) ? Outcome::repaired : Outcome::unreadable;
    }

    // Calls extract(ondemand::array), which tells whether it goes on to succeed, for the JSON array in `text`. False
    // where extract was false, or the text is not one valid array.
    template <typename Extract>
    bool read_array(std::string_view text, Extract&& extract) {
        try {
            ondemand::document document = parser_.iterate(padded(text));
            return extract(document.get_array()) && document.current_location().error() == simdjson::OUT_OF_BOUNDS;
        } catch (const simdjson::simdjson_error&) {
            return false;
        }
    }

private:
    template <typename Extract>
    bool try_read(std::string_view text, Extract&& extract) {
        try {
            ondemand::document document = parser_.iterate(padded(text));
            ondemand::object object = document.get_object();
            extract(object);
            return document.current_location().error() == simdjson::OUT_OF_BOUNDS;
        } catch (const simdjson::simdjson_error&) {
            return false;
        }
    }

    simdjson::padded_string_view padded(std::string_view text);

    ondemand::parser parser_;
    std::string buffer_;
    std::string repaired_;
};

// The text of a JSON string. Throws simdjson_error for another type and for text with U+0000, which asks for repair.
inline std::string_view json_text(ondemand::value value) {
    const std::string_view text = value.get_string();
    if (!text.empty() && std::memchr(text.data(), 0, text.size()) != nullptr)
        throw simdjson::simdjson_error(simdjson::STRING_ERROR);
    return text;
}

// The same; empty for any other type.
inline std::string_view json_text_or_empty(ondemand::value value) {
    return value.type() == ondemand::json_type::string ? json_text(value) : std::string_view();
}

// A count that is not negative; nullopt for anything else.
std::optional<std::int64_t> json_count(ondemand::value value);

}  // namespace pgchat
