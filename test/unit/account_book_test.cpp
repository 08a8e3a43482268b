#include "core/engine/account_book.hpp"

#include <gtest/gtest.h>

#include "support/fake_calls.hpp"

namespace pgchat {
namespace {

Account used(std::int64_t cost) {
    Account account;
    account.usage.cost = cost;
    return account;
}

TEST(AccountBookTest, AnAccountOfAnEarlierGenerationIsReadAnewAndKeepsItsUsage) {
    AccountBook book;
    const Uuid user = numbered_uuid(1);
    EXPECT_EQ(book.find(user), nullptr);
    book.put(user, used(5), 0);
    ASSERT_NE(book.find(user), nullptr);
    book.find(user)->usage.cost = 7;
    book.set_generation(1);
    EXPECT_EQ(book.find(user), nullptr);
    ASSERT_NE(book.find_any(user), nullptr);
    Account anew = used(5);
    anew.role = "guest";
    book.put(user, std::move(anew), 1);
    EXPECT_EQ(book.find(user)->usage.cost, 7);
    EXPECT_EQ(book.find(user)->role, "guest");
}

TEST(AccountBookTest, WhatWasReadBeforeAChangeIsOutOfDateAtOnce) {
    AccountBook book;
    book.set_generation(3);
    book.put(numbered_uuid(1), {}, 2);
    EXPECT_EQ(book.find(numbered_uuid(1)), nullptr);
    EXPECT_NE(book.find_any(numbered_uuid(1)), nullptr);
}

TEST(AccountBookTest, TheIdlestGoButForThosePinned) {
    AccountBook book(3);
    for (std::uint64_t i = 1; i <= 3; ++i) book.put(numbered_uuid(i), used(1), 0);
    book.pin(numbered_uuid(2));
    book.find(numbered_uuid(1));
    book.put(numbered_uuid(4), {}, 0);
    EXPECT_EQ(book.find(numbered_uuid(3)), nullptr);
    EXPECT_NE(book.find(numbered_uuid(2)), nullptr);
    for (std::uint64_t i = 5; i <= 50; ++i) book.put(numbered_uuid(i), {}, 0);
    EXPECT_EQ(book.size(), 3u);
    EXPECT_EQ(book.find(numbered_uuid(2))->usage.cost, 1);
    book.unpin(numbered_uuid(2));
    for (std::uint64_t i = 5; i <= 50; ++i) book.put(numbered_uuid(i), {}, 0);
    EXPECT_EQ(book.find(numbered_uuid(2)), nullptr);
}

TEST(AccountBookTest, APinnedAccountThatIsNotThereIsStillToBeRead) {
    AccountBook book(2);
    book.pin(numbered_uuid(1));
    EXPECT_EQ(book.find(numbered_uuid(1)), nullptr);
    EXPECT_EQ(book.find_any(numbered_uuid(1)), nullptr);
    book.put(numbered_uuid(1), used(2), 0);
    EXPECT_EQ(book.find(numbered_uuid(1))->usage.cost, 2) << "nothing was used yet that the database does not know of";
    book.unpin(numbered_uuid(1));
    book.unpin(numbered_uuid(1));
    book.unpin(numbered_uuid(9));
    book.put(numbered_uuid(2), {}, 0);
    book.put(numbered_uuid(3), {}, 0);
    EXPECT_EQ(book.find(numbered_uuid(1)), nullptr);
}

}  // namespace
}  // namespace pgchat
