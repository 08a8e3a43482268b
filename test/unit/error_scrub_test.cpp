#include "core/llm/error_scrub.hpp"

#include <gtest/gtest.h>

namespace pgchat {
namespace {

TEST(ErrorScrub, NothingThatIsSentInSecretComesBack) {
    ProviderConfig provider;
    provider.api_key = SecretText("9f8e7d6c5b4a/ab+cd==");
    provider.base_url = "https://h/v1?sig=base-url-secret";
    provider.headers = {{"X-Secret", "header-secret-1"}, {"X-Team", "chat"}};
    const Error error(
        ErrorCode::provider_failed,
        "key 9f8e7d6c5b4a/ab+cd== in ?key=9f8e7d6c5b4a%2Fab%2Bcd%3D%3D, header-secret-1, sig=base-url-secret",
        "the chat has 9f8e7d6c5b4a/ab+cd==");
    const Error clean = without_secrets(error, provider);
    EXPECT_EQ(clean.code(), ErrorCode::provider_failed);
    EXPECT_STREQ(clean.what(), "key [redacted] in ?key=[redacted], [redacted], [redacted]");
    EXPECT_EQ(clean.hint(), "the chat has [redacted]");
}

TEST(ErrorScrub, WordsStay) {
    ProviderConfig provider;
    provider.api_key = SecretText("k");
    const Error clean = without_secrets(Error(ErrorCode::provider_failed, "the mock was asked to fail"), provider);
    EXPECT_STREQ(clean.what(), "the mock was asked to fail");
}

}  // namespace
}  // namespace pgchat
