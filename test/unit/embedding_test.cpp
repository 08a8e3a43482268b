#include <gtest/gtest.h>

#include <cstring>

#include "core/llm/embedding_decoder.hpp"
#include "core/llm/embedding_request.hpp"
#include "support/fake_engine.hpp"

namespace pgchat {
namespace {

class NoText final : public ReplySink {
    void on_content(std::string_view) override { ADD_FAILURE() << "an embedding is no text"; }
    void on_thinking(std::string_view) override { ADD_FAILURE() << "an embedding is no text"; }
};

// Feeds the body in pieces of `size` bytes.
ReplyInfo decoded(std::string_view body, std::size_t count, std::size_t size = 7) {
    EmbeddingDecoder decoder(count);
    NoText sink;
    for (std::size_t at = 0; at < body.size(); at += size) decoder.feed(body.substr(at, size), sink);
    decoder.finish(sink);
    return decoder.info();
}

std::vector<float> components(std::string_view packed) {
    std::vector<float> result(packed.size() / sizeof(float));
    std::memcpy(result.data(), packed.data(), packed.size());
    return result;
}

using Floats = std::vector<float>;

TEST(EmbeddingDecoder, ReadsOpenaiInAnyOrder) {
    const ReplyInfo info =
        decoded(R"({"object":"list","model":"m","data":[{"index":1,"object":"embedding","embedding":[3,4]},
        {"embedding":[1.5,-2],"index":0}],"usage":{"prompt_tokens":5,"total_tokens":5}})",
                2);
    EXPECT_TRUE(info.ended);
    EXPECT_EQ(components(info.embeddings), (Floats{1.5F, -2, 3, 4}));
    EXPECT_EQ(info.usage.input_tokens, 5);
    EXPECT_EQ(info.model, "m");
    EXPECT_EQ(components(decoded(R"({"data":[{"embedding":[1]},{"embedding":[2]}]})", 2).embeddings), (Floats{1, 2}));
}

TEST(EmbeddingDecoder, ReadsOllama) {
    const ReplyInfo info = decoded(R"({"model":"m","embeddings":[[1,2],[3,4]],"prompt_eval_count":8})", 2);
    EXPECT_TRUE(info.ended);
    EXPECT_EQ(components(info.embeddings), (Floats{1, 2, 3, 4}));
    EXPECT_EQ(info.usage.input_tokens, 8);
}

TEST(EmbeddingDecoder, RefusesWhatIsNotOneVectorForEachText) {
    for (const char* body :
         {R"({"data":[{"index":0,"embedding":[1]}]})",
          R"({"data":[{"index":0,"embedding":[1]},{"index":0,"embedding":[2]}]})",
          R"({"data":[{"index":0,"embedding":[1]},{"index":2,"embedding":[2]}]})",
          R"({"data":[{"index":0,"embedding":[1]},{"index":-1,"embedding":[2]}]})",
          R"({"data":[{"index":0,"embedding":[1]},{"index":1,"embedding":[2,3]}]})", R"({"embeddings":[[1],[]]})",
          R"({"embeddings":[[1],[1e99]]})", R"({"embeddings":[[1],["a"]]})", R"({"embeddings":[[1],[2],[3]]})", "{}",
          "[]", R"({"embeddings":[[1],[2]])", "<html>", ""}) {
        const ReplyInfo info = decoded(body, 2);
        ASSERT_TRUE(info.error) << body;
        EXPECT_EQ(info.error->code(), ErrorCode::provider_bad_response) << body;
        EXPECT_FALSE(info.ended);
    }
    EXPECT_EQ(decoded(R"({"error":{"message":"overloaded"}})", 1).error->code(), ErrorCode::provider_failed);
}

TEST(EmbeddingRequest, TakesTextsAndItsOwnOptions) {
    ChatRequestText text;
    text.embeds = true;
    text.messages = R"(["a","b"])";
    text.options = R"({"dimensions":3,"extra":{"x":1}})";
    const ChatRequest request = parse_chat_request(text);
    EXPECT_TRUE(request.embeds);
    EXPECT_EQ(embedding_inputs(request).dump(), text.messages);
    EXPECT_EQ(request.options.dimensions, 3);
    for (const char* wrong : {"{}", "[1]", "[", "7"}) {
        text.messages = wrong;
        EXPECT_THROW(parse_chat_request(text), Error) << wrong;
    }
    text.messages = R"(["a"," "])";
    EXPECT_THROW(parse_chat_request(text), Error);
    ChatRequestLimits limits;
    limits.max_content_bytes = 3;
    text.messages = R"(["ab","cd"])";
    EXPECT_THROW(parse_embedding_request(text, limits), Error);
    for (const char* wrong : {R"({"seed":1})", R"({"dimensions":0})", R"({"extra":[]})", "[]", "{"})
        EXPECT_THROW(check_embedding_options(wrong, 64), Error) << wrong;
}

class EmbeddingCallTest : public FakeEngineTest {
protected:
    Call& begin_call(ProviderKind kind) {
        CallSpec spec = fake_spec(1, false, kind);
        spec.request.embeds = true;
        spec.request.messages.push_back({Role::user, "more text", {}, {}, {}});
        Call& call = engine.submit(std::move(spec));
        engine.run();
        return call;
    }
};

TEST_F(EmbeddingCallTest, EndsWithTheVectorsAndCostsItsInput) {
    Call& call = begin_call(ProviderKind::openai);
    network.answer(
        network.last_id, 200,
        R"({"data":[{"index":0,"embedding":[1,2]},{"index":1,"embedding":[3,4]}],"usage":{"prompt_tokens":9}})");
    engine.run();
    EXPECT_EQ(call.result().status, CallStatus::complete);
    EXPECT_EQ(components(call.embeddings()), (Floats{1, 2, 3, 4}));
    EXPECT_EQ(call.result().usage.output_tokens, 0);
    EXPECT_EQ(call.result().cost, 9 * 1'000'000);
    EXPECT_FALSE(call.result().estimated);
}

TEST_F(EmbeddingCallTest, IsRetriedAsAnyCall) {
    Call& call = begin_call(ProviderKind::ollama);
    network.answer(network.last_id, 503, "", "1");
    engine.run();
    EXPECT_FALSE(call.is_finished());
    run_at(2'000);
    network.answer(network.last_id, 200, R"({"embeddings":[[1],[2]]})");
    engine.run();
    EXPECT_EQ(call.result().status, CallStatus::complete);
    EXPECT_TRUE(call.result().estimated) << "the provider told no tokens";
}

TEST_F(EmbeddingCallTest, EchoGivesTheSameVectorForTheSameText) {
    Call& call = begin_call(ProviderKind::echo);
    engine.run();
    ASSERT_EQ(call.result().status, CallStatus::complete);
    const Floats vectors = components(call.embeddings());
    ASSERT_EQ(vectors.size(), 32u);
    double square = 0;
    for (std::size_t i = 0; i < 16; ++i) square += vectors[i] * vectors[i];
    EXPECT_NEAR(square, 1, 1e-5);
    EXPECT_EQ(call.result().usage.input_tokens, 4);
}

}  // namespace
}  // namespace pgchat
