// What the decoders of all providers share: reading one JSON event, and telling unreadable replies from cut ones.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/llm/json_reader.hpp"
#include "core/llm/provider.hpp"
#include "core/llm/tool_call_assembler.hpp"

namespace pgchat {

// A base for decoders. One event is first extracted whole, then applied, so that an event whose text must be
// repaired, and is therefore read twice, acts once.
class EventDecoder : public ReplyDecoder {
public:
    const ReplyInfo& info() const noexcept override { return info_; }

protected:
    // A piece of the reply's text, valid while its event is applied.
    struct Piece {
        bool is_thinking;
        std::string_view text;
    };

    // Reads the event into this object's members and pieces_, fragments_, has_error_. May throw simdjson_error.
    virtual void extract(ondemand::object event) = 0;
    // Acts on what was extracted: info_, calls_. The pieces have gone to the sink already.
    virtual void apply() = 0;

    // One event in JSON. An unreadable one is an error, or, where it `may_be_cut`, nothing. False after an error.
    bool decode_event(std::string_view json, ReplySink& sink, bool may_be_cut);
    void add_piece(bool is_thinking, std::string_view text);
    void set_model(std::string_view model);
    // Sets info_.error; returns false.
    bool fail(Error error);
    void assemble_tool_calls();

    ReplyInfo info_;
    ToolCallAssembler calls_;
    std::vector<Piece> pieces_;
    std::vector<ToolCallFragment> fragments_;
    bool has_error_ = false;
    bool read_any_ = false;  // an event was read
};

}  // namespace pgchat
