#include "core/llm/turn_check.hpp"

#include <algorithm>
#include <string>

#include "core/error.hpp"
#include "core/text/blank.hpp"

namespace pgchat {
namespace {

constexpr std::ptrdiff_t longest_key = 255;

bool begins_character(char byte) noexcept {
    return (static_cast<unsigned char>(byte) & 0xC0) != 0x80;
}

}  // namespace

void check_content(std::string_view content, std::size_t max_bytes, bool has_files) {
    if (!has_files && is_blank_text(content))
        throw Error(ErrorCode::empty_content, "the message is empty", "A message needs some text.");
    if (content.size() > max_bytes)
        throw Error(ErrorCode::content_too_long,
                    "the message has " + std::to_string(content.size()) + " bytes, and " + std::to_string(max_bytes) +
                        " are allowed",
                    "Shorten it, or have an administrator raise pgchat.max_message_bytes.");
}

void check_idempotency_key(std::string_view key) {
    if (key.empty() || std::count_if(key.begin(), key.end(), begins_character) > longest_key)
        throw Error(ErrorCode::invalid_argument, "idempotency_key must have 1 to 255 characters",
                    "NULL stands for no key.");
}

}  // namespace pgchat
