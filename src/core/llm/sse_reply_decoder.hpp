// Reads a reply that is either an event stream or one JSON document, by what the body turns out to be: some servers
// ignore "stream", and report errors as a plain document.
#pragma once

#include <string>
#include <string_view>

#include "core/llm/event_decoder.hpp"
#include "core/llm/sse.hpp"

namespace pgchat {

class SseReplyDecoder : public EventDecoder, private SseHandler {
public:
    bool feed(std::string_view bytes, ReplySink& sink) override;
    void finish(ReplySink& sink) override;

protected:
    // Handles data that is not JSON ("[DONE]"); true when it did.
    virtual bool take_marker(std::string_view) { return false; }
    // The body has ended without an error: the last chance to complete info_.
    virtual void conclude() = 0;

    bool is_document() const noexcept { return form_ == Form::document; }

private:
    enum class Form { unknown, events, document };

    bool on_event(std::string_view name, std::string_view data, bool complete) override;
    bool feed_events(std::string_view bytes);
    void finish_events();

    Form form_ = Form::unknown;
    SseParser parser_;
    std::string document_;
    std::string head_;           // how the body begins, for a message
    ReplySink* sink_ = nullptr;  // during feed() and finish()
};

}  // namespace pgchat
