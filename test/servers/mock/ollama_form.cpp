// Ollama chat (docs/api.md, "Generate a chat completion"): a JSON object a line.
#include <ctime>

#include "json_scan.hpp"
#include "wire_form.hpp"

namespace mock {
namespace {

std::string line_head(const ReplyFacts& f) {
    char time[32];
    tm parts{};
    const time_t created = f.created;
    strftime(time, sizeof time, "%FT%TZ", gmtime_r(&created, &parts));
    return R"({"model":")" + f.model + R"(","created_at":")" + time + R"(","message":{"role":"assistant",)";
}

std::string tool_calls_json(const ReplyFacts& f, long first, long count) {
    std::string name;
    json::escape(name, f.scenario->tool_name);
    std::string out = R"(,"tool_calls":[)";
    for (long call = first; call < first + count; ++call) {
        if (call > first) out += ',';
        out += R"({"function":{"name":")" + name + R"(","arguments":)" + f.scenario->tool_args + "}}";
    }
    return out + ']';
}

std::string ending(const ReplyFacts& f) {
    const std::string reason = f.scenario->finish.empty() ? "stop" : f.scenario->finish;
    std::string out = R"(,"done":true,"done_reason":")" + reason + R"(","total_duration":1000000,"load_duration":1000)";
    if (f.scenario->usage) {
        out += R"(,"prompt_eval_count":)" + std::to_string(f.prompt_tokens) +
               R"(,"prompt_eval_duration":1000,"eval_count":)" + std::to_string(f.sent) + R"(,"eval_duration":1000)";
    }
    return out + '}';
}

class OllamaForm final : public WireForm {
public:
    std::string_view stream_content_type() const override { return "application/x-ndjson"; }

    void open(EventWriter&, ReplyFacts& f) const override { f.token_prefix = line_head(f); }

    // A tool call comes whole, as Ollama sends it; its argument tokens write nothing more.
    void token(EventWriter& out, ReplyFacts& f, Token token, std::string_view fragment) const override {
        switch (token.kind) {
            case TokenKind::kThinking:
                return out.line({f.token_prefix, R"("content":"","thinking":")", fragment, R"("},"done":false})"});
            case TokenKind::kText:
                return out.line({f.token_prefix, R"("content":")", fragment, R"("},"done":false})"});
            case TokenKind::kToolStart:
                return out.line(
                    {f.token_prefix, R"("content":"")", tool_calls_json(f, token.tool_call, 1), R"(},"done":false})"});
            case TokenKind::kToolArgs:
                return;
        }
    }

    void close(EventWriter& out, ReplyFacts& f) const override {
        if (f.scenario->done) out.line({f.token_prefix, R"("content":""})", ending(f)});
    }

    void error_event(EventWriter& out) const override { out.line({R"({"error":"the mock failed in the middle"})"}); }

    size_t whole(std::string& out, const ReplyFacts& f, const WholeText& text) const override {
        out += line_head(f);
        if (!text.thinking.empty()) out += R"("thinking":")" + text.thinking + "\",";
        out += R"("content":")" + text.text;
        const size_t text_end = out.size();
        out += '"';
        if (f.script->tool_calls() > 0) out += tool_calls_json(f, 0, f.script->tool_calls());
        out += '}' + ending(f);
        return text_end;
    }

    void error_body(std::string& out, int, std::string_view message) const override {
        out += R"({"error":")";
        json::escape(out, message);
        out += "\"}";
    }
};

}  // namespace

const WireForm& ollama_form() {
    static const OllamaForm form;
    return form;
}

}  // namespace mock
