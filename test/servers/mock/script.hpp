// The tokens of one reply, in order: thinking, text, tool calls; each a fragment of JSON string text.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "scenario.hpp"

namespace mock {

enum class TokenKind { kThinking, kText, kToolStart, kToolArgs };

struct Token {
    TokenKind kind;
    long tool_call;  // the index of the tool call, for the tool kinds
};

class Script {
public:
    // `last_user` is raw JSON string text; it is the reply when the scenario says echo.
    Script(const Scenario& scenario, std::string_view last_user);

    long total() const { return total_; }  // LONG_MAX when endless
    long thinking() const { return thinking_; }
    long tool_calls() const { return tool_calls_; }
    Token token(long index) const;

    // Appends the text of token `index`, escaped for the inside of a JSON string; nothing for kToolStart.
    void append(long index, std::string& out) const;

    // The text of token `index` of badutf8 replies that is to be cut between two TCP segments.
    static std::string_view split_character();

private:
    void append_text(long index, std::string& out) const;

    std::vector<std::string> pieces_;       // the text, where it is given
    std::vector<std::string> tool_pieces_;  // the arguments of each tool call
    long thinking_;
    long text_;
    long tool_calls_;
    long total_;
    bool stamp_;
    bool badutf8_;
    std::string_view odd_second_token_;
};

}  // namespace mock
