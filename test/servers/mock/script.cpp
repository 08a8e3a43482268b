// Cuts given texts into tokens and makes up the others.
#include "script.hpp"

#include <climits>

#include "clock.hpp"
#include "json_scan.hpp"

namespace mock {
namespace {

// What badutf8 replies begin with: plain, invalid bytes, a euro sign cut into two events, a character to be cut by TCP.
constexpr std::string_view kBadPieces[] = {"ok ", "\xff\xfe", "\xe2\x82", "\xac", " \xf0\x9f\x98\x80"};
constexpr long kBadCount = sizeof kBadPieces / sizeof *kBadPieces;

// Raw JSON text may be cut at a space: no escape sequence contains one.
std::vector<std::string> split_words(std::string_view raw) {
    std::vector<std::string> pieces;
    for (size_t pos = 0; pos < raw.size();) {
        const size_t end = raw.find(' ', raw.find_first_not_of(' ', pos));
        pieces.emplace_back(raw.substr(pos, end == std::string_view::npos ? end : end - pos));
        pos += pieces.back().size();
    }
    return pieces;
}

// Cuts unescaped text into pieces of about eight bytes, never inside a character, and escapes them.
std::vector<std::string> split_bytes(std::string_view text) {
    std::vector<std::string> pieces;
    while (!text.empty()) {
        size_t size = text.size() < 8 ? text.size() : 8;
        while (size < text.size() && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80) ++size;
        json::escape(pieces.emplace_back(), text.substr(0, size));
        text.remove_prefix(size);
    }
    return pieces;
}

std::vector<std::string> given_pieces(const Scenario& scenario, std::string_view last_user) {
    if (!scenario.json.empty()) return split_bytes(scenario.json);
    if (scenario.echo) return split_words(last_user);
    std::string escaped;
    json::escape(escaped, scenario.text);
    return split_words(escaped);
}

}  // namespace

Script::Script(const Scenario& scenario, std::string_view last_user)
    : thinking_(scenario.thinking),
      text_(scenario.tokens),
      tool_calls_(scenario.tool),
      stamp_(scenario.stamp),
      badutf8_(scenario.badutf8),
      odd_second_token_(scenario.nul         ? " a\\u0000b"
                        : scenario.surrogate ? " a\\ud800b"
                                             : "") {
    if (scenario.has_text()) {
        pieces_ = given_pieces(scenario, last_user);
        text_ = static_cast<long>(pieces_.size());
    } else if (tool_calls_ > 0 && !scenario.tokens_given) {
        text_ = 0;
    }
    if (tool_calls_ > 0) tool_pieces_ = split_bytes(scenario.tool_args);
    total_ = thinking_ + text_ + tool_calls_ * (1 + static_cast<long>(tool_pieces_.size()));
    if (scenario.endless) text_ = total_ = LONG_MAX;
}

Token Script::token(long index) const {
    if (index < thinking_) return {TokenKind::kThinking, 0};
    index -= thinking_;
    if (index < text_) return {TokenKind::kText, 0};
    const long per_call = 1 + static_cast<long>(tool_pieces_.size());
    index -= text_;
    return {index % per_call == 0 ? TokenKind::kToolStart : TokenKind::kToolArgs, index / per_call};
}

void Script::append(long index, std::string& out) const {
    switch (token(index).kind) {
        case TokenKind::kThinking:
            ((out += index == 0 ? "t" : " t") += std::to_string(index));
            break;
        case TokenKind::kText:
            append_text(index - thinking_, out);
            break;
        case TokenKind::kToolStart:
            break;
        case TokenKind::kToolArgs: {
            const long per_call = 1 + static_cast<long>(tool_pieces_.size());
            out += tool_pieces_[static_cast<size_t>((index - thinking_ - text_) % per_call - 1)];
            break;
        }
    }
}

void Script::append_text(long index, std::string& out) const {
    if (badutf8_ && index < kBadCount) {
        out += kBadPieces[index];
    } else if (!odd_second_token_.empty() && index == 1) {
        out += odd_second_token_;
    } else if (stamp_) {
        (((out += std::to_string(index)) += ':') += std::to_string(real_now())) += ' ';
    } else if (static_cast<size_t>(index) < pieces_.size()) {
        out += pieces_[static_cast<size_t>(index)];
    } else {
        (out += index == 0 ? "w" : " w") += std::to_string(index);
    }
}

std::string_view Script::split_character() {
    return kBadPieces[kBadCount - 1].substr(1);
}

}  // namespace mock
