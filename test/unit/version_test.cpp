// Versions are ordered by their numbers, not as texts.
#include "core/version.hpp"

#include <gtest/gtest.h>

namespace pgchat {
namespace {

TEST(Version, IsOrderedByItsNumbers) {
    EXPECT_TRUE(is_older_version("0.1.0", "2.0.0"));
    EXPECT_TRUE(is_older_version("2.9.0", "2.10.0"));
    EXPECT_TRUE(is_older_version("2.0", "2.0.1"));
    EXPECT_FALSE(is_older_version("2.0.0", "2.0.0"));
    EXPECT_FALSE(is_older_version("2.0.0", "2.0.0-rc1"));
    EXPECT_FALSE(is_older_version("10.0.0", "9.9.9"));
}

TEST(Version, CountsWhatIsNoNumberAsZero) {
    EXPECT_TRUE(is_older_version("", "0.0.1"));
    EXPECT_TRUE(is_older_version("x.y", "0.0.1"));
    EXPECT_FALSE(is_older_version("0.0.1", "unknown"));
}

}  // namespace
}  // namespace pgchat
