#include "core/llm/secret_scrub.hpp"

#include <gtest/gtest.h>

namespace pgchat {
namespace {

TEST(SecretScrub, RemovesTheKeyWhereverItStands) {
    EXPECT_EQ(scrub_secrets("no xyzzy-42 here, xyzzy-42xyzzy-42", "xyzzy-42"),
              "no [redacted] here, [redacted][redacted]");
    EXPECT_EQ(scrub_secrets("nothing", ""), "nothing");
}

TEST(SecretScrub, LeavesKeysThatAreTooShortToBeSecrets) {
    EXPECT_EQ(scrub_secrets("none of the next exists", "x"), "none of the next exists");
    EXPECT_EQ(scrub_secrets("none of the next exists", "none"), "none of the next exists");
    EXPECT_EQ(scrub_secrets("seven77 and eight888", "seven77"), "seven77 and eight888");
    EXPECT_EQ(scrub_secrets("seven77 and eight888", "eight888"), "seven77 and [redacted]");
}

TEST(SecretScrub, RemovesWhatLooksLikeAKey) {
    EXPECT_EQ(scrub_secrets("Incorrect API key provided: sk-proj-ab****1234. See", ""),
              "Incorrect API key provided: [redacted] See");
    EXPECT_EQ(scrub_secrets("Authorization: Bearer abcdef0123456789, next", ""),
              "Authorization: Bearer [redacted], next");
    EXPECT_EQ(scrub_secrets("BEARER abcdef0123456789", ""), "BEARER [redacted]");
    EXPECT_EQ(scrub_secrets("(gsk_0123456789abcdef)", ""), "([redacted])");
}

TEST(SecretScrub, LeavesOrdinaryWords) {
    for (const char* text :
         {"risk-adjusted-returns", "task-sk", "sk-short", "bearer of news", "forbearance abcdefghijk"})
        EXPECT_EQ(scrub_secrets(text, ""), text);
}

}  // namespace
}  // namespace pgchat
