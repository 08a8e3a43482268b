// A place in a user's JSON, so that every complaint names it: "messages[2].content: must be a string".
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"
#include "core/llm/json.hpp"

namespace pgchat {

class JsonField {
public:
    JsonField(ErrorCode code, std::string path) : code_(code), path_(std::move(path)) {}

    JsonField at(std::size_t index) const { return {code_, path_ + '[' + std::to_string(index) + ']'}; }
    JsonField member(std::string_view name) const { return {code_, path_ + '.' + std::string(name)}; }
    ErrorCode code() const noexcept { return code_; }

    // Throws Error with the field's code and "<path>: <reason>"; the hint is by default an example of the whole.
    [[noreturn]] void fail(const std::string& reason, std::string hint = {}) const;

    // Each returns the value as its type, or fails.
    const std::string& text(const Json& value) const;
    const std::string& non_empty_text(const Json& value) const;
    std::int64_t integer(const Json& value) const;
    std::int64_t positive_integer(const Json& value) const;
    double number(const Json& value, double low, double high) const;
    bool boolean(const Json& value) const;
    const Json& object(const Json& value) const;
    const Json& array(const Json& value) const;
    // A string or an array of strings, none of them empty.
    std::vector<std::string> texts(const Json& value) const;

private:
    ErrorCode code_;
    std::string path_;
};

// The member `name` of `object`; null (JSON's) where there is none.
const Json& json_member(const Json& object, const char* name);

}  // namespace pgchat
