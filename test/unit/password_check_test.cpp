#include "core/crypto/password_check.hpp"

#include <gtest/gtest.h>
#include <time.h>

#include <algorithm>
#include <string>
#include <vector>

#include "core/crypto/bcrypt.hpp"
#include "core/error.hpp"

namespace pgchat {
namespace {

// CPU time, which a busy machine does not stretch, in milliseconds; the least of five.
double least_milliseconds(std::string_view password, std::string_view hash, int cost) {
    double least = 1e9;
    for (int i = 0; i < 5; ++i) {
        timespec begin, end;
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &begin);
        check_password_evenly(password, hash, cost);
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
        least = std::min(least, (end.tv_sec - begin.tv_sec) * 1e3 + (end.tv_nsec - begin.tv_nsec) / 1e6);
    }
    return least;
}

TEST(PasswordCheck, TellsRightFromWrong) {
    const std::string hash = bcrypt_hash("correct-horse", 4);
    EXPECT_TRUE(check_password_evenly("correct-horse", hash, 4));
    EXPECT_TRUE(check_password_evenly("correct-horse", hash, 6));
    EXPECT_FALSE(check_password_evenly("wrong-horse", hash, 6));
    EXPECT_FALSE(check_password_evenly("", hash, 4));
}

TEST(PasswordCheck, NoHashFitsNoPassword) {
    EXPECT_FALSE(check_password_evenly("", "", 4));
    EXPECT_FALSE(check_password_evenly("anything", "", 4));
}

TEST(PasswordCheck, HashesOfAllOriginsAreKnown) {
    const std::string made = bcrypt_hash("correct-horse", 4);
    for (const char letter : {'a', 'b', 'y'}) {
        std::string hash = made;
        hash[2] = letter;
        EXPECT_TRUE(check_password_evenly("correct-horse", hash, 5)) << letter;
    }
}

TEST(PasswordCheck, RefusesWhatIsNoHash) {
    EXPECT_THROW(check_password_evenly("x", "md5abc", 4), Error);
}

TEST(PasswordCheck, TakesTheTimeOfOneHashWhateverIsThere) {
    const double whole = least_milliseconds("wrong", bcrypt_hash("right", 9), 9);
    for (const std::string& hash :
         {std::string(), bcrypt_hash("right", 8), bcrypt_hash("right", 4), bcrypt_hash("wrong", 5)})
        EXPECT_NEAR(least_milliseconds("wrong", hash, 9) / whole, 1.0, 0.1) << hash.substr(0, 7);
}

}  // namespace
}  // namespace pgchat
