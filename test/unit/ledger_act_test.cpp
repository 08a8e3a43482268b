#include "core/engine/ledger_act.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace pgchat {
namespace {

TEST(LedgerAct, EachHasANameAndANumberOfItsOwn) {
    std::set<std::string> names;
    int count = 0;
    for (int number = 0; number < 256; ++number) {
        const std::optional<LedgerAct> act = ledger_act_from_number(static_cast<std::uint8_t>(number));
        if (!act) continue;
        ++count;
        names.insert(ledger_act_name(*act));
        EXPECT_EQ(ledger_act_from_name(ledger_act_name(*act)), act);
    }
    EXPECT_EQ(ledger_act_name(LedgerAct::audit), std::string("audit"));
    EXPECT_GE(count, 7);
    EXPECT_EQ(names.size(), static_cast<std::size_t>(count));
}

TEST(LedgerAct, TheStatementNamesTheFunction) {
    EXPECT_EQ(ledger_act_statement(LedgerAct::audit), "SELECT chat_private.ledger_audit($1::jsonb)::text");
}

TEST(LedgerAct, WhatIsNoneIsRefused) {
    EXPECT_FALSE(ledger_act_from_name("forge"));
    EXPECT_FALSE(ledger_act_from_name(""));
    EXPECT_FALSE(ledger_act_from_number(255));
}

}  // namespace
}  // namespace pgchat
