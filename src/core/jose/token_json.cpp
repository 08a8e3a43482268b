#include "core/jose/token_json.hpp"

#include <string>
#include <unordered_set>
#include <vector>

#include "core/llm/json_parse.hpp"

namespace pgchat {
namespace {

constexpr int max_nesting = 16;

// Notes the names of each object that is open.
class MemberNames {
public:
    void handle(Json::parse_event_t event, const Json& parsed) {
        if (event == Json::parse_event_t::object_start)
            open_.emplace_back();
        else if (event == Json::parse_event_t::object_end)
            open_.pop_back();
        else if (event == Json::parse_event_t::key && !open_.back().insert(parsed.get<std::string>()).second)
            throw JsonError("a member is repeated");
    }

private:
    std::vector<std::unordered_set<std::string>> open_;
};

}  // namespace

Json parse_token_json(std::string_view text) {
    MemberNames names;
    const auto check = [&](int depth, Json::parse_event_t event, Json& parsed) {
        const bool opens = event == Json::parse_event_t::object_start || event == Json::parse_event_t::array_start;
        if (opens && depth >= max_nesting) throw JsonError("nested too deep");
        if (parsed.is_string() && parsed.get_ref<const std::string&>().find('\0') != std::string::npos)
            throw JsonError("a string contains U+0000");
        names.handle(event, parsed);
        return true;
    };
    try {
        Json json = Json::parse(text, check);
        if (!json.is_object()) throw JsonError("not an object");
        return json;
    } catch (const Json::exception&) {
        throw JsonError("not valid JSON");
    }
}

}  // namespace pgchat
