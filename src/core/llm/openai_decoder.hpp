// Reads replies of the OpenAI chat completions API, streamed (chat.completion.chunk) or whole (chat.completion).
#pragma once

#include "core/llm/sse_reply_decoder.hpp"

namespace pgchat {

// A reply has ended with "data: [DONE]", or, as some servers never send that, with a finish_reason before the end
// of the body. Only the first choice is read.
class OpenaiDecoder final : public SseReplyDecoder {
protected:
    void extract(ondemand::object event) override;
    void apply() override;
    bool take_marker(std::string_view data) override;
    void conclude() override;

private:
    // A message, whole or as a delta.
    struct Delta {
        std::string_view content;
        std::string_view refusal;
        std::string_view reasoning;
    };

    void extract_choice(ondemand::object choice);
    void extract_delta(ondemand::object delta);
    void extract_content_parts(ondemand::array parts);
    void extract_tool_calls(ondemand::array calls);
    void extract_usage(ondemand::object usage);

    std::string_view model_;
    std::string_view finish_reason_;
    Usage usage_;
    bool done_ = false;
};

}  // namespace pgchat
