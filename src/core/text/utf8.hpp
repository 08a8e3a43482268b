// Text that PostgreSQL can store, whatever bytes a provider sends: valid UTF-8 without U+0000.
//
// Invalid sequences are replaced by U+FFFD one maximal subpart at a time (The Unicode Standard, chapter 3,
// "U+FFFD Substitution of Maximal Subparts"); U+0000 is replaced too, as PostgreSQL's text cannot hold it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace pgchat {

inline constexpr std::string_view replacement_character = "\xEF\xBF\xBD";

// True where `text` is valid UTF-8 without U+0000.
bool is_clean_text(std::string_view text) noexcept;

// Appends `text` to `out` with everything that is not clean replaced; true when something was replaced.
bool append_clean_text(std::string& out, std::string_view text);

// The same as a value.
std::string clean_text(std::string_view text);

// The longest prefix of valid `text` that has at most `max_bytes` bytes and splits no character.
std::string_view truncate_text(std::string_view text, std::size_t max_bytes) noexcept;

// How many characters valid `text` has.
std::size_t character_count(std::string_view text) noexcept;

// Cleans a text that arrives in pieces, split anywhere. Feeding the same bytes in other pieces gives the same text.
class Utf8Sanitizer {
public:
    // The clean text that `bytes` completes. The view is into `bytes` where nothing had to change, else into this
    // object; it is valid until the next call. A sequence that is still incomplete is held back.
    std::string_view feed(std::string_view bytes);
    // Call at the end of the text: what was held back, replaced. Leaves the sanitizer ready for another text.
    std::string_view finish();
    // True once anything was replaced.
    bool replaced() const noexcept { return replaced_; }

private:
    std::string held_;  // the start of a sequence, at most three bytes
    std::string joined_;
    std::string out_;
    bool replaced_ = false;
};

}  // namespace pgchat
