#include "core/crypto/password_check.hpp"

#include <gtest/gtest.h>
#include <time.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "core/crypto/bcrypt.hpp"
#include "core/error.hpp"

namespace pgchat {
namespace {

// CPU time, which a busy machine stretches little, in milliseconds.
double milliseconds(std::string_view password, std::string_view hash, int cost) {
    timespec begin, end;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &begin);
    check_password_evenly(password, hash, cost);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
    return (end.tv_sec - begin.tv_sec) * 1e3 + (end.tv_nsec - begin.tv_nsec) / 1e6;
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

// In turns, of which each kind's least counts: what else the machine does only adds time.
TEST(PasswordCheck, TakesTheTimeOfOneHashWhateverIsThere) {
    constexpr int cost = 9;
    const std::vector<std::string> hashes{bcrypt_hash("right", cost), "", bcrypt_hash("right", 8),
                                          bcrypt_hash("right", 4), bcrypt_hash("wrong", 5)};
    std::vector<double> least(hashes.size(), 1e9);
    const auto furthest = [&] {
        double distance = 0;
        for (const double time : least) distance = std::max(distance, std::abs(time / least.front() - 1));
        return distance;
    };
    for (int round = 0; round < 30 && (round < 5 || furthest() > 0.1); ++round)
        for (std::size_t kind = 0; kind < hashes.size(); ++kind)
            least[kind] = std::min(least[kind], milliseconds("wrong", hashes[kind], cost));
    for (std::size_t kind = 0; kind < hashes.size(); ++kind)
        EXPECT_NEAR(least[kind] / least.front(), 1.0, 0.1) << hashes[kind].substr(0, 7);
}

}  // namespace
}  // namespace pgchat
