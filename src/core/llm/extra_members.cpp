#include "core/llm/extra_members.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace pgchat {

const Json& extra_members(const Json& value, const JsonField& field) {
    constexpr std::array<std::string_view, 8> reserved{"model",  "models", "messages", "input",
                                                       "prompt", "system", "stream",   "stream_options"};
    for (const auto& [name, member] : field.object(value).items())
        if (std::find(reserved.begin(), reserved.end(), name) != reserved.end())
            field.fail("must not hold \"" + name + '"', "Give it as an argument of the call, where it is one.");
    return value;
}

}  // namespace pgchat
