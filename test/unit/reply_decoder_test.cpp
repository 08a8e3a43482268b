#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/llm/provider.hpp"
#include "fixture_reader.hpp"
#include "reply_fixtures.hpp"
#include "reply_recorder.hpp"

namespace pgchat {
namespace {

constexpr auto openai = ProviderKind::openai;
constexpr auto anthropic = ProviderKind::anthropic;
constexpr auto ollama = ProviderKind::ollama;

std::string decode(const ReplyFixture& fixture, const std::vector<std::string_view>& pieces) {
    ReplyRecorder recorder;
    const auto decoder = provider_for(fixture.kind).decoder(fixture.stream);
    for (const std::string_view piece : pieces) {
        // A copy of its own, so that a sanitizer sees any view that outlives the call.
        const std::string copy(piece);
        if (!decoder->feed(copy, recorder)) break;
    }
    decoder->finish(recorder);
    return describe(recorder, decoder->info());
}

std::string with_crlf(const std::string& text) {
    std::string out;
    for (const char c : text) out += c == '\n' ? std::string("\r\n") : std::string(1, c);
    return out;
}

std::vector<std::string_view> byte_by_byte(std::string_view text) {
    std::vector<std::string_view> pieces;
    for (std::size_t i = 0; i < text.size(); ++i) pieces.push_back(text.substr(i, 1));
    return pieces;
}

class ReplyDecoderTest : public testing::TestWithParam<ReplyFixture> {};

TEST_P(ReplyDecoderTest, ReadsTheWholeBody) {
    EXPECT_EQ(decode(GetParam(), {read_fixture(GetParam().file)}), GetParam().expected);
}

TEST_P(ReplyDecoderTest, ReadsTheSameWhereverTheBodyIsSplit) {
    const std::string body = read_fixture(GetParam().file);
    const std::string_view view = body;
    EXPECT_EQ(decode(GetParam(), byte_by_byte(view)), GetParam().expected);
    for (std::size_t at = 1; at < body.size(); ++at)
        ASSERT_EQ(decode(GetParam(), {view.substr(0, at), view.substr(at)}), GetParam().expected) << "split at " << at;
}

TEST_P(ReplyDecoderTest, ReadsTheSameWithOtherLineEnds) {
    const std::string body = with_crlf(read_fixture(GetParam().file));
    const std::string_view view = body;
    EXPECT_EQ(decode(GetParam(), {view}), GetParam().expected);
    EXPECT_EQ(decode(GetParam(), byte_by_byte(view)), GetParam().expected);
    for (std::size_t at = 1; at < body.size(); ++at)
        ASSERT_EQ(decode(GetParam(), {view.substr(0, at), view.substr(at)}), GetParam().expected) << "split at " << at;
}

std::string test_name(const testing::TestParamInfo<ReplyFixture>& info) {
    std::string name = std::string(info.param.file) + (info.param.stream ? "_streamed" : "_whole");
    for (char& c : name)
        if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
    return name;
}

INSTANTIATE_TEST_SUITE_P(Fixtures, ReplyDecoderTest, testing::ValuesIn(reply_fixtures()), test_name);

TEST(ReplyDecoder, RefusesAnEventBeyondTheCap) {
    const std::string line = "data: \"" + std::string(2u << 20, 'x');
    for (const ProviderKind kind : {openai, anthropic, ollama}) {
        ReplyRecorder recorder;
        const auto decoder = provider_for(kind).decoder(true);
        EXPECT_FALSE(decoder->feed(line, recorder));
        decoder->finish(recorder);
        ASSERT_TRUE(decoder->info().error.has_value());
        EXPECT_EQ(decoder->info().error->code(), ErrorCode::provider_bad_response);
    }
}

TEST(ReplyDecoder, RefusesEndlesslyManyToolCalls) {
    std::string body;
    for (int i = 0; i < 2000; ++i)
        body += "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":" + std::to_string(i) + "}]}}]}\n\n";
    ReplyRecorder recorder;
    const auto decoder = provider_for(openai).decoder(true);
    EXPECT_FALSE(decoder->feed(body, recorder));
    ASSERT_TRUE(decoder->info().error.has_value());
    EXPECT_EQ(decoder->info().error->code(), ErrorCode::provider_bad_response);
}

TEST(ReplyDecoder, AnEmptyBodyIsUnreadable) {
    for (const ProviderKind kind : {openai, anthropic, ollama})
        for (const bool stream : {true, false}) {
            ReplyRecorder recorder;
            const auto decoder = provider_for(kind).decoder(stream);
            decoder->finish(recorder);
            ASSERT_TRUE(decoder->info().error.has_value());
            EXPECT_EQ(decoder->info().error->code(), ErrorCode::provider_bad_response);
            EXPECT_FALSE(decoder->info().ended);
        }
}

TEST(ReplyDecoder, DeepNestingDoesNoHarm) {
    const std::string deep = std::string(200'000, '[') + std::string(200'000, ']');
    const std::string event = "{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"x\",\"odd\":" + deep + "}}]}";
    ReplyRecorder recorder;
    const auto decoder = provider_for(openai).decoder(true);
    EXPECT_TRUE(decoder->feed("data: " + event + "\n\n", recorder));
    decoder->finish(recorder);
    EXPECT_EQ(recorder.content, "x");
}

}  // namespace
}  // namespace pgchat
