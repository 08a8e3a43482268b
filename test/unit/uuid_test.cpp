// UUID text: the one form that is written, and the forms that are refused.
#include "core/uuid.hpp"

#include <gtest/gtest.h>

namespace pgchat {
namespace {

TEST(Uuid, WritesAndReadsTheCanonicalForm) {
    // RFC 9562 appendix A.6.
    const std::string text = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f";
    const auto uuid = parse_uuid(text);
    ASSERT_TRUE(uuid.has_value());
    EXPECT_EQ(uuid->bytes[0], 0x01);
    EXPECT_EQ(uuid->bytes[1], 0x7f);
    EXPECT_EQ(uuid->bytes[6], 0x7c);
    EXPECT_EQ(uuid->bytes[15], 0x8f);
    EXPECT_EQ(to_string(*uuid), text);
    EXPECT_EQ(parse_uuid("017F22E2-79B0-7CC3-98C4-DC0C0C07398F"), uuid);
}

TEST(Uuid, RefusesEveryOtherForm) {
    for (const char* text : {"", "017f22e2-79b0-7cc3-98c4-dc0c0c07398", "017f22e2-79b0-7cc3-98c4-dc0c0c07398f0",
                             "{017f22e2-79b0-7cc3-98c4-dc0c0c07398f}", "017f22e279b07cc398c4dc0c0c07398f",
                             "017f22e27-9b0-7cc3-98c4-dc0c0c07398f", "017f22e2-79b0-7cc3-98c4-dc0c0c07398g",
                             "017f22e2_79b0-7cc3-98c4-dc0c0c07398f", " 17f22e2-79b0-7cc3-98c4-dc0c0c07398f"})
        EXPECT_FALSE(parse_uuid(text).has_value()) << text;
}

TEST(Uuid, OrdersByBytes) {
    EXPECT_LT(parse_uuid("00000000-0000-7000-8000-0000000000ff"), parse_uuid("00000000-0001-7000-8000-000000000000"));
    EXPECT_EQ(Uuid{}, parse_uuid("00000000-0000-0000-0000-000000000000"));
}

}  // namespace
}  // namespace pgchat
