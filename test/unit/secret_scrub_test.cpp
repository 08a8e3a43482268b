#include "core/llm/secret_scrub.hpp"

#include <gtest/gtest.h>

namespace pgchat {
namespace {

TEST(SecretScrub, RemovesTheKeyWhereverItStands) {
    EXPECT_EQ(scrub_secrets("no xyzzy here, xyzzyxyzzy", "xyzzy"), "no [redacted] here, [redacted][redacted]");
    EXPECT_EQ(scrub_secrets("nothing", ""), "nothing");
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
