// Recovery codes: how they look, how many there can be, and what may be typed for one.
#include "core/crypto/recovery_code.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <regex>
#include <set>

namespace pgchat {
namespace {

const Uuid user = *parse_uuid("017f22e2-79b0-7cc3-98c4-dc0c0c07398f");

TEST(RecoveryCode, HasFourGroupsOfCharactersThatDoNotLookAlike) {
    const std::regex form("[0-9a-hjkmnp-tv-z]{4}(-[0-9a-hjkmnp-tv-z]{4}){3}");
    std::set<std::string> codes;
    std::array<std::set<char>, 19> seen;
    for (int i = 0; i < 1000; ++i) {
        const std::string code = generate_recovery_code();
        ASSERT_TRUE(std::regex_match(code, form)) << code;
        codes.insert(code);
        for (std::size_t place = 0; place < seen.size(); ++place) seen[place].insert(code[place]);
    }
    EXPECT_EQ(codes.size(), 1000u);
    // Of 1,000 codes a character is missing at one of the places in one of 10^11 runs: each carries five bits.
    EXPECT_EQ(std::count_if(seen.begin(), seen.end(), [](const std::set<char>& any) { return any.size() == 32; }), 16);
}

TEST(RecoveryCode, HashesWhatWasMeant) {
    const auto hash = recovery_code_hash(user, "0123-4567-89ab-cdef");
    ASSERT_TRUE(hash.has_value());
    for (const char* typed : {"0123456789abcdef", "0123 4567 89AB CDEF", "oi23-4567-89ab-cdef", "OL23456789ABCDEF",
                              " -0123-4567-89ab-cdef- "})
        EXPECT_EQ(recovery_code_hash(user, typed), hash) << typed;
    EXPECT_NE(recovery_code_hash(user, "0123-4567-89ab-cdeg"), hash);
    EXPECT_NE(recovery_code_hash(Uuid{}, "0123-4567-89ab-cdef"), hash) << "the same code of another user";
    // python3: hashlib.sha256(uuid.UUID("017f22e2-79b0-7cc3-98c4-dc0c0c07398f").bytes + b"0123456789abcdef")
    EXPECT_EQ((*hash)[0], 0xbc);
    EXPECT_EQ((*hash)[31], 0xdd);
}

TEST(RecoveryCode, KnowsWhatCannotBeACode) {
    for (const std::string& typed :
         {std::string(), std::string("0123-4567-89ab-cde"), std::string("0123-4567-89ab-cdef0"),
          std::string("u123-4567-89ab-cdef"), std::string("0123_4567_89ab_cdef"), std::string("287082"),
          std::string(16, '\0'), std::string(1000000, '0')})
        EXPECT_FALSE(recovery_code_hash(user, typed).has_value());
}

}  // namespace
}  // namespace pgchat
