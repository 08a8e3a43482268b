#include "core/llm/json_reader.hpp"

namespace pgchat {
namespace {

constexpr std::size_t smallest_buffer = 8u << 10;
constexpr std::size_t largest_kept_buffer = 1u << 20;

}  // namespace

JsonReader& JsonReader::for_this_thread() {
    thread_local JsonReader reader;
    return reader;
}

simdjson::padded_string_view JsonReader::padded(std::string_view text) {
    const std::size_t needed = text.size() + simdjson::SIMDJSON_PADDING;
    if (buffer_.size() > largest_kept_buffer && needed <= largest_kept_buffer) {
        buffer_ = std::string();
        parser_ = ondemand::parser();
    }
    if (buffer_.size() < needed) {
        buffer_.resize(std::max(smallest_buffer, needed + needed / 2));
        if (const auto error = parser_.allocate(buffer_.size())) throw simdjson::simdjson_error(error);
    }
    std::memcpy(buffer_.data(), text.data(), text.size());
    return simdjson::padded_string_view(buffer_.data(), text.size(), buffer_.size());
}

std::optional<std::int64_t> json_count(ondemand::value value) {
    std::int64_t count = 0;
    if (value.type() != ondemand::json_type::number || value.get_int64().get(count) || count < 0) return std::nullopt;
    return count;
}

}  // namespace pgchat
