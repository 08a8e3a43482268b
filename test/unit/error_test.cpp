#include "core/error.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <set>
#include <string>

namespace pgchat {
namespace {

TEST(Error, EveryCodeHasItsOwnSqlstateAndName) {
    std::set<std::string> states;
    for (int i = 0; i <= static_cast<int>(ErrorCode::unsealing_failed); ++i) {
        const auto code = static_cast<ErrorCode>(i);
        EXPECT_EQ(std::strlen(sqlstate(code)), 5u) << error_name(code);
        // Whoever has no valid token is not authenticated: one SQLSTATE for both.
        EXPECT_TRUE(code == ErrorCode::invalid_token || states.insert(sqlstate(code)).second)
            << "SQLSTATE used twice: " << error_name(code);
        EXPECT_EQ(error_code_from_name(error_name(code)), code);
    }
    EXPECT_STREQ(sqlstate(ErrorCode::invalid_token), sqlstate(ErrorCode::not_authenticated));
    EXPECT_FALSE(error_code_from_name("no_such_error").has_value());
}

}  // namespace
}  // namespace pgchat
