#include "core/llm/json_parse.hpp"

#include <string>

namespace pgchat {
namespace {

template <class Document>
Document parse(std::string_view text, int max_nesting) {
    using Event = typename Document::parse_event_t;
    const auto check = [max_nesting](int depth, Event event, Document& parsed) {
        const bool opens = event == Event::object_start || event == Event::array_start;
        if (opens && depth >= max_nesting)
            throw JsonError("nested deeper than " + std::to_string(max_nesting) + " levels");
        if (parsed.is_string() && parsed.template get_ref<const std::string&>().find('\0') != std::string::npos)
            throw JsonError("a string contains U+0000");
        return true;
    };
    try {
        return Document::parse(text, check);
    } catch (const typename Document::parse_error& error) {
        throw JsonError("not valid JSON at byte " + std::to_string(error.byte));
    } catch (const typename Document::out_of_range&) {
        throw JsonError("a number is out of range");
    }
}

}  // namespace

Json parse_json(std::string_view text, int max_nesting) {
    return parse<Json>(text, max_nesting);
}

SortedJson parse_sorted_json(std::string_view text, int max_nesting) {
    return parse<SortedJson>(text, max_nesting);
}

}  // namespace pgchat
