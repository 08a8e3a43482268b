// Puts the fragments of a reply's tool calls together, in OpenAI's form, whatever form they came in.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/llm/json.hpp"

namespace pgchat {

// What one event says of one tool call; what is empty is not said.
struct ToolCallFragment {
    std::optional<std::int64_t> index;  // which call, by the provider's numbering
    std::string_view id;
    std::string_view name;
    std::string_view arguments;   // a piece of the arguments' JSON text
    bool is_whole_value = false;  // arguments is JSON as it stood in the reply: its white space has no meaning
};

class ToolCallAssembler {
public:
    static constexpr std::size_t most_calls = 1024;

    // Adds to the call the fragment belongs to: by its index; without one, a new id starts a new call and anything
    // else continues the last. False where there would be more than most_calls.
    bool add(const ToolCallFragment& fragment);
    bool empty() const noexcept { return calls_.empty(); }
    // The calls as [{"id","type":"function","function":{"name","arguments"}}]; null where there are none. A call
    // without an id gets "call_<position>", one without arguments "{}". `sanitized` is set where arguments held
    // text that had to be replaced.
    Json assembled(bool& sanitized) const;

private:
    struct Call {
        std::optional<std::int64_t> index;
        std::string id;
        std::string name;
        std::string arguments;
    };

    Call* find(const ToolCallFragment& fragment);

    std::vector<Call> calls_;
};

}  // namespace pgchat
