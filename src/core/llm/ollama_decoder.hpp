// Reads replies of Ollama's chat API: one JSON object a line, or a single one.
#pragma once

#include "core/llm/event_decoder.hpp"
#include "core/llm/ndjson.hpp"

namespace pgchat {

// A reply has ended with "done": true.
class OllamaDecoder final : public EventDecoder, private NdjsonHandler {
public:
    // `stream`: a line each; otherwise the whole body is one object, however it is laid out.
    explicit OllamaDecoder(bool stream) : stream_(stream) {}

    bool feed(std::string_view bytes, ReplySink& sink) override;
    void finish(ReplySink& sink) override;

protected:
    void extract(ondemand::object event) override;
    void apply() override;

private:
    bool on_line(std::string_view line, bool complete) override;
    void extract_message(ondemand::object message);

    bool stream_;
    NdjsonParser parser_;
    std::string document_;
    ReplySink* sink_ = nullptr;  // during feed() and finish()
    std::int64_t tool_calls_seen_ = 0;

    std::string_view model_;
    std::string_view done_reason_;
    bool done_ = false;
    std::optional<std::int64_t> input_tokens_;
    std::optional<std::int64_t> output_tokens_;
};

}  // namespace pgchat
