// The API forms the mock speaks, behind one interface: how a reply's tokens look on the wire.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "event_writer.hpp"
#include "scenario.hpp"
#include "script.hpp"

namespace mock {

// What a form needs to know about the reply it writes.
struct ReplyFacts {
    const Scenario* scenario = nullptr;
    const Script* script = nullptr;
    std::string model;         // as the request named it, raw JSON string text
    std::string id;            // unique per reply
    long created = 0;          // seconds since 1970
    size_t prompt_tokens = 0;  // words in the request
    long sent = 0;             // tokens sent so far; of a whole reply, all
    bool include_usage = false;
    std::string token_prefix;     // kept by the form between tokens
    std::string_view open_block;  // Anthropic: the content block that is open
    long blocks = 0;              // Anthropic: content blocks begun
};

// The parts of a reply that is sent whole, as raw JSON string text; `tool_args` are those of each call.
struct WholeText {
    std::string thinking;
    std::string text;
    std::string tool_args;
};

class WireForm {
public:
    virtual ~WireForm() = default;

    virtual std::string_view stream_content_type() const { return "text/event-stream"; }
    // What comes with the head, before the first token.
    virtual void open(EventWriter& out, ReplyFacts& facts) const = 0;
    // One token; `fragment` is raw JSON string text.
    virtual void token(EventWriter& out, ReplyFacts& facts, Token token, std::string_view fragment) const = 0;
    // What comes after the last token.
    virtual void close(EventWriter& out, ReplyFacts& facts) const = 0;
    virtual void error_event(EventWriter& out) const = 0;
    // Appends the body of a reply that does not stream; returns the offset just behind the text in it.
    virtual size_t whole(std::string& out, const ReplyFacts& facts, const WholeText& text) const = 0;
    // Appends the body of an error reply.
    virtual void error_body(std::string& out, int status, std::string_view message) const = 0;
};

const WireForm& openai_form();
const WireForm& anthropic_form();
const WireForm& ollama_form();

}  // namespace mock
