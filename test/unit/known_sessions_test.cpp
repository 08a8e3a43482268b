// Which sessions a set of the cache knows, and which of them it gives up.
#include "core/crypto/known_sessions.hpp"

#include <gtest/gtest.h>

namespace pgchat {
namespace {

constexpr std::uint32_t a_database = 5;

KnownSession known(int token, std::int64_t valid_until_us, std::uint64_t revocations = 7) {
    KnownSession session{};
    session.token_hash[0] = static_cast<std::uint8_t>(token);
    session.database = a_database;
    session.valid_until_us = valid_until_us;
    session.revocations = revocations;
    return session;
}

bool knows(const KnownSessions& set, int token) {
    return set.find(a_database, known(token, 0).token_hash) != nullptr;
}

KnownSessions set_of_four() {
    KnownSessions set{};
    for (int token = 1; token <= 4; ++token) set.keep(known(token, 1000 + token), 0);
    return set;
}

TEST(KnownSessions, AreFoundByDatabaseAndToken) {
    const KnownSessions set = set_of_four();
    for (int token = 1; token <= 4; ++token) EXPECT_TRUE(knows(set, token));
    EXPECT_FALSE(knows(set, 5));
    EXPECT_EQ(set.find(a_database + 1, known(1, 0).token_hash), nullptr);
}

TEST(KnownSessions, OneHasOnePlace) {
    KnownSessions set = set_of_four();
    set.keep(known(2, 2000), 0);
    for (int token = 1; token <= 4; ++token) EXPECT_TRUE(knows(set, token));
    EXPECT_EQ(set.find(a_database, known(2, 0).token_hash)->valid_until_us, 2000);
}

TEST(KnownSessions, TheOneThatIsValidShortestGivesWay) {
    KnownSessions set = set_of_four();
    set.keep(known(5, 3000), 0);
    EXPECT_FALSE(knows(set, 1));
    for (int token = 2; token <= 5; ++token) EXPECT_TRUE(knows(set, token));
}

TEST(KnownSessions, WhatCountsForNothingGivesWayFirst) {
    KnownSessions set = set_of_four();
    set.keep(known(3, 9000, 6), 0);
    set.keep(known(5, 3000), 0);
    EXPECT_FALSE(knows(set, 3)) << "of before a revocation";
    set.keep(known(6, 4000), 1003);
    EXPECT_FALSE(knows(set, 1)) << "expired";
}

TEST(KnownSession, CountsUntilItExpiresOrOneIsRevoked) {
    const KnownSession session = known(1, 100);
    EXPECT_TRUE(session.counts(7, 99));
    EXPECT_FALSE(session.counts(7, 100));
    EXPECT_FALSE(session.counts(8, 99));
    EXPECT_FALSE(KnownSession{}.counts(0, 0));
}

}  // namespace
}  // namespace pgchat
