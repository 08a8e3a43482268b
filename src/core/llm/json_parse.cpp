#include "core/llm/json_parse.hpp"

#include <string>

namespace pgchat {

Json parse_json(std::string_view text, int max_nesting) {
    const auto check = [max_nesting](int depth, Json::parse_event_t event, Json& parsed) {
        const bool opens = event == Json::parse_event_t::object_start || event == Json::parse_event_t::array_start;
        if (opens && depth >= max_nesting)
            throw JsonError("nested deeper than " + std::to_string(max_nesting) + " levels");
        if (parsed.is_string() && parsed.get_ref<const std::string&>().find('\0') != std::string::npos)
            throw JsonError("a string contains U+0000");
        return true;
    };
    try {
        return Json::parse(text, check);
    } catch (const Json::parse_error& error) {
        throw JsonError("not valid JSON at byte " + std::to_string(error.byte));
    } catch (const Json::out_of_range&) {
        throw JsonError("a number is out of range");
    }
}

}  // namespace pgchat
