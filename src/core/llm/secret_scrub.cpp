#include "core/llm/secret_scrub.hpp"

#include <algorithm>
#include <array>

#include "core/text/ascii.hpp"

namespace pgchat {
namespace {

constexpr std::string_view redacted = "[redacted]";
constexpr std::array<std::string_view, 8> key_prefixes{"sk-", "sk_", "pk-", "gsk_", "xai-", "AIza", "hf_", "r8_"};
constexpr std::size_t shortest_key_rest = 8;
// Shorter ones are placeholders, such as "x" or "none": taken out of every word, they would leave no text to read.
constexpr std::size_t shortest_key = 8;

// The characters of keys and tokens, and '*', with which some providers mask the middle of a key.
bool is_key_char(char c) {
    return is_ascii_alnum(c) || std::string_view("-_.~+/=*").find(c) != std::string_view::npos;
}

std::size_t key_run(std::string_view text) {
    return static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_key_char) - text.begin());
}

// The length of the key-like word at the start of `text`; 0 where there is none.
std::size_t looks_like_key(std::string_view text) {
    for (const std::string_view prefix : key_prefixes) {
        if (!text.starts_with(prefix)) continue;
        const std::size_t rest = key_run(text.substr(prefix.size()));
        if (rest >= shortest_key_rest) return prefix.size() + rest;
    }
    return 0;
}

// The length of a bearer token at the start of `text`, without the word; 0 where there is none.
std::size_t bearer_token(std::string_view text, std::size_t& token_at) {
    constexpr std::string_view word = "bearer";
    if (!equal_ignoring_case(text.substr(0, word.size()), word)) return 0;
    token_at = std::min(text.find_first_not_of(" \t:", word.size()), text.size());
    return token_at == word.size() ? 0 : key_run(text.substr(token_at));
}

}  // namespace

std::string scrub_secrets(std::string_view text, std::string_view api_key) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        const std::string_view rest = text.substr(at);
        std::size_t token_at = 0;
        if (api_key.size() >= shortest_key && rest.starts_with(api_key)) {
            out.append(redacted);
            at += api_key.size();
            continue;
        }
        if (at == 0 || !is_ascii_alnum(text[at - 1])) {
            if (const std::size_t length = looks_like_key(rest)) {
                out.append(redacted);
                at += length;
                continue;
            }
            if (const std::size_t length = bearer_token(rest, token_at); length >= shortest_key_rest) {
                out.append(rest.substr(0, token_at)).append(redacted);
                at += token_at + length;
                continue;
            }
        }
        out += text[at++];
    }
    return out;
}

}  // namespace pgchat
