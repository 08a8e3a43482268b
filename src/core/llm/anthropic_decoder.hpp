// Reads replies of the Anthropic Messages API, streamed (message_start … message_stop) or whole.
#pragma once

#include "core/llm/sse_reply_decoder.hpp"

namespace pgchat {

// A streamed reply has ended with message_stop. Event types and block types that are not known are skipped, as the
// API's documentation asks.
class AnthropicDecoder final : public SseReplyDecoder {
protected:
    void extract(ondemand::object event) override;
    void apply() override;
    void conclude() override;

private:
    // A content block, as content_block_start announces it or as a whole message holds it.
    struct Block {
        std::string_view type;
        std::string_view id;
        std::string_view name;
        std::string_view text;
        std::string_view thinking;
        std::string_view input;  // JSON text
    };

    void extract_message(ondemand::object message);
    void extract_member(ondemand::raw_json_string key, ondemand::value value);
    void extract_content(ondemand::array blocks);
    void extract_delta(ondemand::object delta);
    void extract_usage(ondemand::object usage);
    Block read_block(ondemand::object object) const;
    void add_block(const Block& block, std::optional<std::int64_t> index, bool is_whole);

    std::string_view type_;
    std::string_view model_;
    std::string_view stop_reason_;
    std::optional<std::int64_t> index_;
    Block block_;
    std::string_view partial_json_;
    std::optional<std::int64_t>
        open_tool_;  // the tool_use block being streamed; the server's own tools send deltas too
    // Of this event, then the latest known.
    struct Tokens {
        std::optional<std::int64_t> input;
        std::optional<std::int64_t> cache_read;
        std::optional<std::int64_t> cache_write;
        std::optional<std::int64_t> output;
    };
    Tokens seen_;
    Tokens tokens_;
};

}  // namespace pgchat
