// Anthropic messages (API reference: "Messages", "Streaming messages").
#include "json_scan.hpp"
#include "wire_form.hpp"

namespace mock {
namespace {

constexpr std::string_view kSignature = "bW9jaw==";

std::string_view stop_reason(const ReplyFacts& f) {
    if (!f.scenario->finish.empty()) return f.scenario->finish;
    return f.script->tool_calls() > 0 ? "tool_use" : "end_turn";
}

std::string message_head(const ReplyFacts& f) {
    return R"({"id":"msg_)" + f.id + R"(","type":"message","role":"assistant","model":")" + f.model +
           R"(","content":[)";
}

std::string tool_block_head(const ReplyFacts& f, long call) {
    std::string name;
    json::escape(name, f.scenario->tool_name);
    return R"({"type":"tool_use","id":"toolu_)" + f.id + "_" + std::to_string(call) + R"(","name":")" + name +
           R"(","input":)";
}

class AnthropicForm final : public WireForm {
public:
    void open(EventWriter& out, ReplyFacts& f) const override {
        std::string usage;
        if (f.scenario->usage) {
            usage = R"(,"usage":{"input_tokens":)" + std::to_string(f.prompt_tokens) +
                    R"(,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":1})";
        }
        out.sse("message_start", {R"({"type":"message_start","message":)", message_head(f),
                                  R"(],"stop_reason":null,"stop_sequence":null)", usage, "}}"});
        out.sse("ping", {R"({"type":"ping"})"});
    }

    void token(EventWriter& out, ReplyFacts& f, Token token, std::string_view fragment) const override {
        switch (token.kind) {
            case TokenKind::kThinking:
                enter_block(out, f, "thinking", R"({"type":"thinking","thinking":"","signature":""})");
                return delta(out, f, R"({"type":"thinking_delta","thinking":")", fragment);
            case TokenKind::kText:
                enter_block(out, f, "text", R"({"type":"text","text":""})");
                return delta(out, f, R"({"type":"text_delta","text":")", fragment);
            case TokenKind::kToolStart:
                leave_block(out, f);
                return enter_block(out, f, "tool", tool_block_head(f, token.tool_call) + "{}}");
            case TokenKind::kToolArgs:
                return delta(out, f, R"({"type":"input_json_delta","partial_json":")", fragment);
        }
    }

    void close(EventWriter& out, ReplyFacts& f) const override {
        leave_block(out, f);
        std::string usage;
        if (f.scenario->usage) usage = R"(,"usage":{"output_tokens":)" + std::to_string(f.sent) + "}";
        out.sse("message_delta", {R"({"type":"message_delta","delta":{"stop_reason":")", stop_reason(f),
                                  R"(","stop_sequence":null})", usage, "}"});
        if (f.scenario->done) out.sse("message_stop", {R"({"type":"message_stop"})"});
    }

    void error_event(EventWriter& out) const override {
        out.sse("error",
                {R"({"type":"error","error":{"type":"overloaded_error","message":"the mock failed in the middle"}})"});
    }

    size_t whole(std::string& out, const ReplyFacts& f, const WholeText& text) const override {
        out += message_head(f);
        if (!text.thinking.empty()) {
            out.append(R"({"type":"thinking","thinking":")").append(text.thinking);
            out.append(R"(","signature":")").append(kSignature).append("\"},");
        }
        size_t text_end = out.size();
        if (!text.text.empty() || f.script->tool_calls() == 0) {
            out += R"({"type":"text","text":")" + text.text;
            text_end = out.size();
            out += "\"},";
        }
        for (long call = 0; call < f.script->tool_calls(); ++call) {
            out += tool_block_head(f, call) + f.scenario->tool_args + "},";
        }
        out.back() = ']';
        out.append(R"(,"stop_reason":")").append(stop_reason(f)).append(R"(","stop_sequence":null)");
        if (f.scenario->usage) {
            out += R"(,"usage":{"input_tokens":)" + std::to_string(f.prompt_tokens) +
                   R"(,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":)" +
                   std::to_string(f.sent) + "}";
        }
        out += '}';
        return text_end;
    }

    void error_body(std::string& out, int status, std::string_view message) const override {
        const std::string_view type = status == 429   ? "rate_limit_error"
                                      : status == 401 ? "authentication_error"
                                      : status == 404 ? "not_found_error"
                                      : status == 529 ? "overloaded_error"
                                      : status >= 500 ? "api_error"
                                                      : "invalid_request_error";
        out.append(R"({"type":"error","error":{"type":")").append(type).append(R"(","message":")");
        json::escape(out, message);
        out += "\"}}";
    }

private:
    static std::string index_of(const ReplyFacts& f) { return std::to_string(f.blocks - 1); }

    // Opens a block of this kind unless one is open.
    static void enter_block(EventWriter& out, ReplyFacts& f, std::string_view kind, std::string_view block) {
        if (f.open_block == kind) return;
        leave_block(out, f);
        f.open_block = kind;
        ++f.blocks;
        out.sse("content_block_start",
                {R"({"type":"content_block_start","index":)", index_of(f), R"(,"content_block":)", block, "}"});
        f.token_prefix = R"({"type":"content_block_delta","index":)" + index_of(f) + R"(,"delta":)";
    }

    static void leave_block(EventWriter& out, ReplyFacts& f) {
        if (f.open_block.empty()) return;
        if (f.open_block == "thinking") delta(out, f, R"({"type":"signature_delta","signature":")", kSignature);
        f.open_block = {};
        out.sse("content_block_stop", {R"({"type":"content_block_stop","index":)", index_of(f), "}"});
    }

    static void delta(EventWriter& out, const ReplyFacts& f, std::string_view head, std::string_view fragment) {
        out.sse("content_block_delta", {f.token_prefix, head, fragment, "\"}}"});
    }
};

}  // namespace

const WireForm& anthropic_form() {
    static const AnthropicForm form;
    return form;
}

}  // namespace mock
