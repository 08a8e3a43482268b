// Takes a JSON document apart without reading it, so that a file of any size is read item by item, and one broken item
// spoils no other.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace pgchat {

// The items of a document: the elements of its array, or its values where it is one value or several, each on a line of
// its own or not; elements of several arrays likewise. An item is a view into the document, without the space around
// it. Only strings and brackets are looked at: whether an item is JSON is for its reader to tell. What is not closed at
// the end is an item, and so is what stands between two commas.
class JsonItems {
public:
    explicit JsonItems(std::string_view document) noexcept;
    std::optional<std::string_view> next() noexcept;

private:
    void skip_space() noexcept;
    std::string_view take_value() noexcept;
    std::string_view take_element() noexcept;

    std::string_view document_;
    std::size_t at_ = 0;
    bool in_array_ = false;
};

}  // namespace pgchat
