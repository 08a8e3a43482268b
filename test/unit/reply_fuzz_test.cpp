// Mutated replies: whatever arrives, a decoder neither crashes nor lets text through that PostgreSQL cannot store.
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "core/llm/provider.hpp"
#include "fixture_reader.hpp"
#include "reply_recorder.hpp"

namespace pgchat {
namespace {

struct Seed {
    ProviderKind kind;
    const char* file;
};

const std::vector<Seed> seeds{
    {ProviderKind::openai, "openai/text.sse"},         {ProviderKind::openai, "openai/tools.sse"},
    {ProviderKind::openai, "openai/escapes.sse"},      {ProviderKind::openai, "openai/bad_bytes.sse"},
    {ProviderKind::openai, "openai/error_midway.sse"}, {ProviderKind::openai, "openai/tools.json"},
    {ProviderKind::openai, "openai/parts.sse"},        {ProviderKind::anthropic, "anthropic/tools.sse"},
    {ProviderKind::anthropic, "anthropic/text.sse"},   {ProviderKind::anthropic, "anthropic/message.json"},
    {ProviderKind::ollama, "ollama/tools.ndjson"},     {ProviderKind::ollama, "ollama/bad_bytes.ndjson"},
    {ProviderKind::ollama, "ollama/text.json"},
};

using Random = std::mt19937;

std::size_t below(Random& random, std::size_t bound) {
    return bound == 0 ? 0 : random() % bound;
}

void mutate(std::string& body, Random& random) {
    static const std::vector<std::string> splices{
        "\\u0000", "\\ud800", "\\udc00", "\"",       "\\",   "{", "]",     "null", "1e999", "-1",
        "\n\n",    "data: ",  "\r",      "\xF0\x9F", "\xFF", ":", "error", "true", "[[[[",  "\xE2\x80"};
    const std::size_t at = below(random, body.size());
    switch (random() % 5) {
        case 0:
            if (!body.empty()) body[at] = static_cast<char>(random() & 0xFF);
            break;
        case 1:
            body.insert(at, splices[below(random, splices.size())]);
            break;
        case 2:
            body.erase(at, below(random, 12));
            break;
        case 3:
            body.insert(below(random, body.size()), body.substr(at, below(random, 80)));
            break;
        default:
            if (random() % 4 == 0) body.resize(at);
    }
}

TEST(ReplyFuzz, MutatedRepliesGiveCleanTextOrAnError) {
    Random random(20'240'607);
    std::vector<std::string> bodies;
    for (const Seed& seed : seeds) bodies.push_back(read_fixture(seed.file));
    int errors = 0;
    for (int iteration = 0; iteration < 20'000; ++iteration) {
        const std::size_t chosen = below(random, seeds.size());
        std::string body = bodies[chosen];
        for (std::size_t n = 1 + below(random, 6); n > 0; --n) mutate(body, random);
        ReplyRecorder recorder;
        const auto decoder = provider_for(seeds[chosen].kind).decoder(random() % 2 == 0);
        for (std::size_t at = 0; at < body.size();) {
            const std::string piece = body.substr(at, 1 + below(random, 400));
            at += piece.size();
            if (!decoder->feed(piece, recorder)) break;
        }
        decoder->finish(recorder);
        const ReplyInfo& info = decoder->info();
        ASSERT_TRUE(is_clean_text(info.finish_reason) && is_clean_text(info.model));
        ASSERT_TRUE(is_clean_text(info.tool_calls.dump()));  // throws for invalid UTF-8
        if (info.error) {
            ++errors;
            ASSERT_FALSE(info.ended);
            ASSERT_TRUE(is_clean_text(info.error->what()));
        }
    }
    EXPECT_GT(errors, 1'000);
}

}  // namespace
}  // namespace pgchat
