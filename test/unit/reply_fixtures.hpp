// Test support: the replies in test/unit/fixtures and what reading each must give.
#pragma once

#include <string>
#include <vector>

#include "core/llm/provider.hpp"

namespace pgchat {

struct ReplyFixture {
    const char* file;
    ProviderKind kind;
    bool stream;
    std::string expected;  // as describe() writes it
};

inline const std::vector<ReplyFixture>& reply_fixtures() {
    constexpr auto openai = ProviderKind::openai;
    constexpr auto anthropic = ProviderKind::anthropic;
    constexpr auto ollama = ProviderKind::ollama;
    static const std::vector<ReplyFixture> fixtures{
        {"openai/text.sse", openai, true, R"(content=The sea is größer 🌊 than you
think "now"
thinking=
ended=1 finish=stop model=gpt-test-1
usage=21/5/16
tool_calls=null
sanitized=0)"},
        {"openai/no_done.sse", openai, true, R"(content=Hi
thinking=
ended=1 finish=length model=gpt-test-1
usage=-/-/-
tool_calls=null
sanitized=0)"},
        {"openai/truncated.sse", openai, true, R"(content=Half of
thinking=
ended=0 finish= model=gpt-test-1
usage=-/-/-
tool_calls=null
sanitized=0)"},
        {"openai/thinking.sse", openai, true, R"(content=42
thinking=Let me see.
ended=1 finish=stop model=gpt-test-1
usage=-/-/-
tool_calls=null
sanitized=0)"},
        {"openai/reasoning.sse", openai, true, R"(content=7
thinking=Hm
ended=1 finish=stop model=gpt-test-1
usage=21/5/16
tool_calls=null
sanitized=0)"},
        {"openai/tools.sse", openai, true, R"(content=
thinking=
ended=1 finish=tool_calls model=gpt-test-1
usage=21/5/16
tool_calls=[{"id":"call_a","type":"function","function":{"name":"weather","arguments":"{\"city\":\"Nîmes\"}"}},{"id":"call_b","type":"function","function":{"name":"time","arguments":"{}"}}]
sanitized=0)"},
        {"openai/error_midway.sse", openai, true, R"(content=So far
thinking=
ended=0 finish= model=gpt-test-1
usage=-/-/-
tool_calls=null
sanitized=0
error=provider_failed: the provider reported an error: The server had an error)"},
        {"openai/error_rate.sse", openai, true, R"(content=
thinking=
ended=0 finish= model=
usage=-/-/-
tool_calls=null
sanitized=0
error=provider_rate_limited: the provider reported an error: Slow down)"},
        {"openai/error_document.sse", openai, true, R"(content=
thinking=
ended=0 finish= model=
usage=-/-/-
tool_calls=null
sanitized=0
error=context_length_exceeded: the provider reported an error: the request exceeds the available context size)"},
        {"openai/page.sse", openai, true, R"(content=
thinking=
ended=0 finish= model=
usage=-/-/-
tool_calls=null
sanitized=0
error=provider_bad_response: the provider sent an unreadable reply: <!DOCTYPE html> <html><head><title>Sign in</title></head> <body>Welcome</body></html>)"},
        {"openai/page.sse", openai, false, R"(content=
thinking=
ended=0 finish= model=
usage=-/-/-
tool_calls=null
sanitized=0
error=provider_bad_response: the provider sent an unreadable reply: <!DOCTYPE html> <html><head><title>Sign in</title></head> <body>Welcome</body></html>)"},
        {"openai/llama.sse", openai, true, R"(content=, there was
thinking=
ended=1 finish=stop model=stories
usage=5/2/-
tool_calls=null
sanitized=0)"},
        {"openai/escapes.sse", openai, true, R"(content=a�b 😀 � �x
thinking=
ended=1 finish=stop model=gpt-test-1
usage=-/-/-
tool_calls=null
sanitized=1)"},
        {"openai/bad_bytes.sse", openai, true, R"(content=caf� � ��� �end fine
thinking=
ended=1 finish=stop model=gpt-test-1
usage=-/-/-
tool_calls=null
sanitized=1)"},
        {"openai/not_json.sse", openai, true, R"(content=ok
thinking=
ended=0 finish= model=gpt-test-1
usage=-/-/-
tool_calls=null
sanitized=0
error=provider_bad_response: the provider sent an unreadable reply: upstream connect error)"},
        {"openai/choices.sse", openai, true, R"(content=mine
thinking=
ended=1 finish=stop model=gpt-test-1
usage=-/-/-
tool_calls=null
sanitized=0)"},
        {"openai/grammar.sse", openai, true, R"(content=two lines
thinking=
ended=1 finish=stop model=gpt-test-1
usage=-/-/-
tool_calls=null
sanitized=0)"},
        {"openai/parts.sse", openai, true, R"(content=Yes
thinking=Hm.
ended=1 finish=stop model=gpt-test-1
usage=-/-/-
tool_calls=null
sanitized=0)"},
        {"openai/text.json", openai, false, R"(content=Hello ✓
thinking=
ended=1 finish=stop model=gpt-test-1
usage=9/3/0
tool_calls=null
sanitized=0)"},
        {"openai/tools.json", openai, true, R"(content=
thinking=Which?
ended=1 finish=tool_calls model=gpt-test-1
usage=9/3/0
tool_calls=[{"id":"call_z","type":"function","function":{"name":"f","arguments":"{\"x\": 1}"}}]
sanitized=0)"},
        {"openai/cut.json", openai, false, R"(content=
thinking=
ended=0 finish= model=
usage=-/-/-
tool_calls=null
sanitized=0
error=provider_bad_response: the provider sent an unreadable reply: { "id": "c", "object": "chat.completion", "created": 1, "model": "gpt-test-1", "choices": [ { "index": 0, "message": …)"},
        {"anthropic/text.sse", anthropic, true, R"(content=Grüße, world 🌍
thinking=
ended=1 finish=stop model=claude-test-1
usage=142/15/100
tool_calls=null
sanitized=0)"},
        {"anthropic/thinking.sse", anthropic, true, R"(content=Done
thinking=Step one.
ended=1 finish=length model=claude-test-1
usage=142/9/100
tool_calls=null
sanitized=0)"},
        {"anthropic/tools.sse", anthropic, true, R"(content=Checking.
thinking=
ended=1 finish=tool_calls model=claude-test-1
usage=142/40/100
tool_calls=[{"id":"toolu_1","type":"function","function":{"name":"weather","arguments":"{\"city\": \"Paris\"}"}},{"id":"toolu_2","type":"function","function":{"name":"now","arguments":"{}"}}]
sanitized=0)"},
        {"anthropic/error_midway.sse", anthropic, true, R"(content=Grüße
thinking=
ended=0 finish= model=claude-test-1
usage=142/1/100
tool_calls=null
sanitized=0
error=provider_failed: the provider reported an error: Overloaded)"},
        {"anthropic/truncated.sse", anthropic, true, R"(content=Grüße, world 🌍
thinking=
ended=0 finish=stop model=claude-test-1
usage=142/15/100
tool_calls=null
sanitized=0)"},
        {"anthropic/unknown.sse", anthropic, true, R"(content=Start here
thinking=
ended=1 finish=content_filter model=claude-test-1
usage=142/2/100
tool_calls=null
sanitized=0)"},
        {"anthropic/message.json", anthropic, false, R"(content=Answer
thinking=Hm
ended=1 finish=tool_calls model=claude-test-1
usage=7/8/-
tool_calls=[{"id":"toolu_9","type":"function","function":{"name":"f","arguments":"{\"a\":[1,2]}"}}]
sanitized=0)"},
        {"anthropic/error.json", anthropic, false, R"(content=
thinking=
ended=0 finish= model=
usage=-/-/-
tool_calls=null
sanitized=0
error=provider_rejected_key: the provider reported an error: invalid x-api-key)"},
        {"ollama/text.ndjson", ollama, true, R"(content=Ça va 🙂
thinking=
ended=1 finish=stop model=llama-test
usage=26/298/-
tool_calls=null
sanitized=0)"},
        {"ollama/thinking.ndjson", ollama, true, R"(content=so
thinking=I think
ended=1 finish=length model=llama-test
usage=26/298/-
tool_calls=null
sanitized=0)"},
        {"ollama/tools.ndjson", ollama, true, R"(content=
thinking=
ended=1 finish=tool_calls model=llama-test
usage=26/298/-
tool_calls=[{"id":"call_0","type":"function","function":{"name":"weather","arguments":"{\"city\":\"Rome\",\"days\":2}"}},{"id":"call_q","type":"function","function":{"name":"now","arguments":"{}"}}]
sanitized=0)"},
        {"ollama/error_midway.ndjson", ollama, true, R"(content=Well
thinking=
ended=0 finish= model=llama-test
usage=-/-/-
tool_calls=null
sanitized=0
error=provider_failed: the provider reported an error: an error was encountered while running the model: unexpected EOF)"},
        {"ollama/truncated.ndjson", ollama, true, R"(content=Half
thinking=
ended=0 finish= model=llama-test
usage=-/-/-
tool_calls=null
sanitized=0)"},
        {"ollama/no_last_newline.ndjson", ollama, true, R"(content=All
thinking=
ended=1 finish=stop model=llama-test
usage=26/298/-
tool_calls=null
sanitized=0)"},
        {"ollama/page.ndjson", ollama, true, R"(content=
thinking=
ended=0 finish= model=
usage=-/-/-
tool_calls=null
sanitized=0
error=provider_bad_response: the provider sent an unreadable reply: <html>)"},
        {"ollama/bad_bytes.ndjson", ollama, true, R"(content=x�� y
thinking=
ended=1 finish=stop model=llama-test
usage=26/298/-
tool_calls=null
sanitized=1)"},
        {"ollama/text.json", ollama, false, R"(content=Whole
thinking=Once
ended=1 finish=stop model=llama-test
usage=26/298/-
tool_calls=null
sanitized=0)"},
    };
    return fixtures;
}

}  // namespace pgchat
