// The path of a token: once a stream runs, its chunks must not touch the heap.
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>
#include <string>

#include "core/llm/provider.hpp"

namespace {

bool counting = false;
long allocations = 0;

}  // namespace

// Not inlined: the compiler would otherwise see malloc and delete meet, and warn.
[[gnu::noinline]] void* operator new(std::size_t size) {
    if (counting) ++allocations;
    if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
    throw std::bad_alloc();
}

[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    if (counting) ++allocations;
    return std::malloc(size == 0 ? 1 : size);
}

[[gnu::noinline]] void operator delete(void* memory) noexcept {
    std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}

namespace pgchat {
namespace {

class CountingSink final : public ReplySink {
public:
    void on_content(std::string_view text) override { bytes += text.size(); }
    void on_thinking(std::string_view text) override { bytes += text.size(); }
    std::size_t bytes = 0;
};

void feed_in_two(const std::string& chunk, ReplyDecoder& decoder, CountingSink& sink) {
    const std::string_view view = chunk;
    EXPECT_TRUE(decoder.feed(view.substr(0, view.size() / 2), sink));
    EXPECT_TRUE(decoder.feed(view.substr(view.size() / 2), sink));
}

void expect_no_allocation(ProviderKind kind, const std::string& chunk) {
    allocations = 0;
    counting = true;
    const auto decoder = provider_for(kind).decoder(true);
    counting = false;
    EXPECT_GT(allocations, 0) << "allocations are not counted";
    CountingSink sink;
    for (int i = 0; i < 3; ++i) {
        decoder->feed(chunk, sink);
        feed_in_two(chunk, *decoder, sink);
    }
    allocations = 0;
    counting = true;
    for (int i = 0; i < 100; ++i) {
        decoder->feed(chunk, sink);
        feed_in_two(chunk, *decoder, sink);
    }
    counting = false;
    EXPECT_EQ(allocations, 0);
    EXPECT_EQ(sink.bytes, 206 * std::string_view("a word of text").size());
}

TEST(StreamAllocation, AChunkInSteadyStateAllocatesNothing) {
    expect_no_allocation(ProviderKind::openai,
                         R"(data: {"id":"chatcmpl-7","object":"chat.completion.chunk","created":1760000000,"model":)"
                         R"("a-model-with-a-long-name","choices":[{"index":0,"delta":{"content":"a word of text"},)"
                         R"("logprobs":null,"finish_reason":null}],"usage":null})"
                         "\n\n");
    expect_no_allocation(ProviderKind::anthropic,
                         "event: content_block_delta\n"
                         R"(data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta",)"
                         R"("text":"a word of text"}})"
                         "\n\n");
    expect_no_allocation(ProviderKind::ollama,
                         R"({"model":"a-model-with-a-long-name","created_at":"2025-10-01T10:00:00Z","message":)"
                         R"({"role":"assistant","content":"a word of text"},"done":false})"
                         "\n");
}

}  // namespace
}  // namespace pgchat
