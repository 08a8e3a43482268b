// OpenAI chat completions (API reference: "Create chat completion", "The chat completion chunk object").
#include "json_scan.hpp"
#include "wire_form.hpp"

namespace mock {
namespace {

std::string usage_json(const ReplyFacts& f) {
    const auto prompt = static_cast<long>(f.prompt_tokens);
    return R"({"prompt_tokens":)" + std::to_string(prompt) + R"(,"completion_tokens":)" + std::to_string(f.sent) +
           R"(,"total_tokens":)" + std::to_string(prompt + f.sent) +
           R"(,"prompt_tokens_details":{"cached_tokens":0},"completion_tokens_details":{"reasoning_tokens":)" +
           std::to_string(std::min(f.sent, f.script->thinking())) + "}}";
}

std::string_view finish_reason(const ReplyFacts& f) {
    if (!f.scenario->finish.empty()) return f.scenario->finish;
    return f.script->tool_calls() > 0 ? "tool_calls" : "stop";
}

std::string tool_head(const ReplyFacts& f, long call) {
    std::string name;
    json::escape(name, f.scenario->tool_name);
    return R"("id":"call_)" + f.id + "_" + std::to_string(call) + R"(","type":"function","function":{"name":")" + name +
           '"';
}

class OpenAiForm final : public WireForm {
public:
    void open(EventWriter& out, ReplyFacts& f) const override {
        f.token_prefix = R"({"id":"chatcmpl-)" + f.id + R"(","object":"chat.completion.chunk","created":)" +
                         std::to_string(f.created) + R"(,"model":")" + f.model + R"(","choices":[)";
        out.sse({},
                {f.token_prefix, R"({"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]})"});
        f.token_prefix += R"({"index":0,"delta":{")";
    }

    void token(EventWriter& out, ReplyFacts& f, Token token, std::string_view fragment) const override {
        static constexpr std::string_view kEnd = R"("},"finish_reason":null}]})";
        static constexpr std::string_view kToolEnd = R"("}}]},"finish_reason":null}]})";
        switch (token.kind) {
            case TokenKind::kThinking:
                return out.sse({}, {f.token_prefix, R"(reasoning_content":")", fragment, kEnd});
            case TokenKind::kText:
                return out.sse({}, {f.token_prefix, R"(content":")", fragment, kEnd});
            case TokenKind::kToolStart:
                return out.sse({}, {f.token_prefix, R"(tool_calls":[{"index":)", std::to_string(token.tool_call), ",",
                                    tool_head(f, token.tool_call), R"(,"arguments":")", kToolEnd});
            case TokenKind::kToolArgs:
                return out.sse({}, {f.token_prefix, R"(tool_calls":[{"index":)", std::to_string(token.tool_call),
                                    R"(,"function":{"arguments":")", fragment, kToolEnd});
        }
    }

    void close(EventWriter& out, ReplyFacts& f) const override {
        const std::string_view prefix = std::string_view(f.token_prefix).substr(0, f.token_prefix.rfind("{\"index\""));
        out.sse({}, {prefix, R"({"index":0,"delta":{},"finish_reason":")", finish_reason(f), R"("}]})"});
        if (f.include_usage && f.scenario->usage) out.sse({}, {prefix, R"(],"usage":)", usage_json(f), "}"});
        if (f.scenario->done) out.sse({}, {"[DONE]"});
    }

    void error_event(EventWriter& out) const override {
        out.sse(
            {},
            {R"({"error":{"message":"the mock failed in the middle","type":"server_error","param":null,"code":500}})"});
    }

    size_t whole(std::string& out, const ReplyFacts& f, const WholeText& text) const override {
        out += R"({"id":"chatcmpl-)" + f.id + R"(","object":"chat.completion","created":)" + std::to_string(f.created) +
               R"(,"model":")" + f.model + R"(","choices":[{"index":0,"message":{"role":"assistant",)";
        if (!text.thinking.empty()) out += R"("reasoning_content":")" + text.thinking + R"(",)";
        const bool no_text = text.text.empty() && f.script->tool_calls() > 0;
        out += no_text ? R"("content":null)" : R"("content":")" + text.text;
        const size_t text_end = out.size();
        if (!no_text) out += '"';
        for (long call = 0; call < f.script->tool_calls(); ++call) {
            out += call == 0 ? R"(,"tool_calls":[{)" : ",{";
            out += tool_head(f, call) + R"(,"arguments":")" + text.tool_args + "\"}}";
        }
        if (f.script->tool_calls() > 0) out += ']';
        out.append(R"(},"finish_reason":")").append(finish_reason(f)).append("\"}]");
        if (f.scenario->usage) out.append(R"(,"usage":)").append(usage_json(f));
        out += '}';
        return text_end;
    }

    void error_body(std::string& out, int status, std::string_view message) const override {
        const std::string_view type = status == 429   ? "rate_limit_exceeded"
                                      : status == 401 ? "invalid_api_key"
                                      : status >= 500 ? "server_error"
                                                      : "invalid_request_error";
        out += R"({"error":{"message":")";
        json::escape(out, message);
        out.append(R"(","type":")").append(type).append(R"(","param":null,"code":")").append(type).append("\"}}");
    }
};

}  // namespace

const WireForm& openai_form() {
    static const OpenAiForm form;
    return form;
}

}  // namespace mock
