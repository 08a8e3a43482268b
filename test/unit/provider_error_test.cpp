#include "core/llm/provider_error.hpp"

#include <gtest/gtest.h>

#include "core/text/utf8.hpp"

namespace pgchat {
namespace {

ProviderConfig config() {
    ProviderConfig result;
    result.name = "acme";
    result.api_key = SecretText("topsecretkey");
    return result;
}

Error provider_error_of(int status, std::string_view body, ProviderKind kind = ProviderKind::openai) {
    return provider_for(kind).error_from_response(config(), status, body);
}

TEST(ProviderError, FollowsTheStatus) {
    struct Case {
        int status;
        ErrorCode code;
    };
    for (const ProviderKind kind :
         {ProviderKind::openai, ProviderKind::anthropic, ProviderKind::ollama, ProviderKind::echo})
        for (const Case& c :
             {Case{400, ErrorCode::provider_rejected_request}, Case{401, ErrorCode::provider_rejected_key},
              Case{403, ErrorCode::provider_rejected_key}, Case{404, ErrorCode::provider_rejected_request},
              Case{408, ErrorCode::provider_failed}, Case{413, ErrorCode::provider_rejected_request},
              Case{422, ErrorCode::provider_rejected_request}, Case{429, ErrorCode::provider_rate_limited},
              Case{500, ErrorCode::provider_failed}, Case{529, ErrorCode::provider_failed},
              Case{302, ErrorCode::provider_failed}}) {
            const Error error = provider_error_of(c.status, "", kind);
            EXPECT_EQ(error.code(), c.code) << c.status;
            EXPECT_EQ(std::string(error.what()), "provider acme answered " + std::to_string(c.status));
        }
}

TEST(ProviderError, QuotesTheProvider) {
    EXPECT_STREQ(provider_error_of(400, R"({"error":{"message":"No such\nmodel","type":"x"}})").what(),
                 "provider acme answered 400: No such model");
    EXPECT_STREQ(provider_error_of(404, R"({"error":"model \"m\" not found"})", ProviderKind::ollama).what(),
                 "provider acme answered 404: model \"m\" not found");
    EXPECT_STREQ(
        provider_error_of(529, R"({"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}})").what(),
        "provider acme answered 529: Overloaded");
    EXPECT_STREQ(provider_error_of(502, "<html>\r\n <b>Bad</b>\x07 Gateway</html>\n").what(),
                 "provider acme answered 502: <html> <b>Bad</b> Gateway</html>");
    EXPECT_STREQ(provider_error_of(400, R"({"message":"plain"})").what(), "provider acme answered 400: plain");
    EXPECT_STREQ(provider_error_of(400, R"({"detail":"odd"})").what(),
                 R"(provider acme answered 400: {"detail":"odd"})");
    EXPECT_STREQ(provider_error_of(500,
                                   "a\xFF"
                                   "b")
                     .what(),
                 "provider acme answered 500: a�b");
    EXPECT_STREQ(provider_error_of(500, R"({"error":{"message":"a\ud800"}})").what(), "provider acme answered 500: a�");
}

TEST(ProviderError, KnowsAPromptThatIsTooLong) {
    for (const char* body :
         {R"({"error":{"message":"m","code":"context_length_exceeded"}})",
          R"({"error":{"code":400,"message":"m","type":"exceed_context_size_error"}})",
          R"({"error":{"type":"invalid_request_error","message":"prompt is too long: 9 tokens > 8"}})"}) {
        const Error error = provider_error_of(400, body);
        EXPECT_EQ(error.code(), ErrorCode::context_length_exceeded);
        EXPECT_NE(error.hint(), "");
    }
}

TEST(ProviderError, NeverShowsAKey) {
    const Error error =
        provider_error_of(401, R"({"error":{"message":"bad key topsecretkey, also sk-0123456789abcdef"}})");
    EXPECT_STREQ(error.what(), "provider acme answered 401: bad key [redacted], also [redacted]");
    EXPECT_NE(error.hint(), "");
    // A cut must not leave the first half of a key behind.
    const std::string body = std::string(295, 'x') + " topsecretkey";
    EXPECT_EQ(std::string(provider_error_of(500, body).what()).find("tops"), std::string::npos);
}

TEST(ProviderError, SaysWhereNoKeyWasSent) {
    const auto hint_of = [](AuthType auth, const char* key) {
        ProviderConfig asked = config();
        asked.auth = auth;
        asked.api_key = SecretText(std::string_view(key));
        return provider_status_error(asked, 401, "").hint();
    };
    const std::string check_it = "Check that the provider's API key is valid and may use this model.";
    EXPECT_EQ(hint_of(AuthType::bearer, ""),
              "No key was sent: set one with chat.set_api_key or chat.admin_set_provider_key.");
    EXPECT_EQ(hint_of(AuthType::bearer, "topsecretkey"), check_it);
    EXPECT_EQ(hint_of(AuthType::none, ""), check_it);
}

TEST(ProviderError, CutsLongBodies) {
    std::string body;
    for (int i = 0; i < 100'000; ++i) body += "é";
    const std::string message = provider_error_of(500, body).what();
    EXPECT_LE(message.size(), std::string("provider acme answered 500: ").size() + 300);
    EXPECT_TRUE(message.ends_with("é…"));
    EXPECT_TRUE(is_clean_text(message));
}

TEST(ProviderError, ReadsErrorsInsideReplies) {
    EXPECT_EQ(provider_reply_error(R"({"error":{"type":"rate_limit_error","message":"m"}})").code(),
              ErrorCode::provider_rate_limited);
    EXPECT_EQ(provider_reply_error(R"({"error":{"code":503,"message":"m"}})").code(), ErrorCode::provider_failed);
    EXPECT_EQ(provider_reply_error(R"({"error":{"code":401,"message":"m"}})").code(), ErrorCode::provider_rejected_key);
    EXPECT_EQ(provider_reply_error(R"({"error":[1]})").code(), ErrorCode::provider_failed);
}

}  // namespace
}  // namespace pgchat
