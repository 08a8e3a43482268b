// One-time codes against the RFCs' vectors, and which codes are taken when.
#include "core/crypto/totp.hpp"

#include <gtest/gtest.h>

#include <set>

#include "core/crypto/base32.hpp"
#include "core/error.hpp"

namespace pgchat {
namespace {

const std::string sha1_key = "12345678901234567890";
const std::string sha256_key = "12345678901234567890123456789012";
const std::string sha512_key = "1234567890123456789012345678901234567890123456789012345678901234";

template <class Function>
void expect_refused(Function&& function) {
    try {
        function();
        ADD_FAILURE() << "not refused";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
        EXPECT_FALSE(error.hint().empty());
    }
}

// RFC 4226 appendix D.
TEST(Totp, HotpMatchesPublishedVectors) {
    const char* codes[] = {"755224", "287082", "359152", "969429", "338314",
                           "254676", "287922", "162583", "399871", "520489"};
    for (std::uint64_t counter = 0; counter < std::size(codes); ++counter)
        EXPECT_EQ(hotp(sha1_key, counter, {}), codes[counter]) << counter;
}

// RFC 6238 appendix B; the keys of the longer hashes are those of its reference program (erratum 2866).
TEST(Totp, MatchesPublishedVectors) {
    struct Vector {
        std::int64_t time;
        const char* sha1;
        const char* sha256;
        const char* sha512;
    };
    const Vector vectors[] = {
        {59, "94287082", "46119246", "90693936"},         {1111111109, "07081804", "68084774", "25091201"},
        {1111111111, "14050471", "67062674", "99943326"}, {1234567890, "89005924", "91819424", "93441116"},
        {2000000000, "69279037", "90698825", "38618901"}, {20000000000, "65353130", "77737706", "47863826"},
    };
    for (const Vector& vector : vectors) {
        EXPECT_EQ(totp(sha1_key, vector.time, {HashAlgorithm::sha1, 8}), vector.sha1);
        EXPECT_EQ(totp(sha256_key, vector.time, {HashAlgorithm::sha256, 8}), vector.sha256);
        EXPECT_EQ(totp(sha512_key, vector.time, {HashAlgorithm::sha512, 8}), vector.sha512);
        EXPECT_EQ(totp(sha1_key, vector.time, {}), std::string(vector.sha1).substr(2)) << "six digits are the last six";
    }
}

TEST(Totp, StepsAreThirtySecondsFromTheEpoch) {
    EXPECT_EQ(totp_step(0), 0);
    EXPECT_EQ(totp_step(29), 0);
    EXPECT_EQ(totp_step(30), 1);
    EXPECT_EQ(totp_step(-1), -1);
    EXPECT_EQ(totp_step(-30), -1);
    EXPECT_EQ(totp_step(-31), -2);
}

TEST(Totp, TellsTheStepThatMatchedWithinTheSkew) {
    const std::int64_t now = 1111111111;
    for (int skew = 0; skew <= totp_max_skew; ++skew)
        for (int offset = -12; offset <= 12; ++offset) {
            const std::string code = totp(sha1_key, now + offset * totp_period_seconds, {});
            const auto step = totp_check(sha1_key, code, now, skew, {});
            if (offset >= -skew && offset <= skew)
                EXPECT_EQ(step, totp_step(now) + offset) << skew << " " << offset;
            else
                EXPECT_FALSE(step.has_value()) << skew << " " << offset;
        }
}

TEST(Totp, TakesNoCodeButTheRightOne) {
    const std::int64_t now = 59;
    EXPECT_EQ(totp_check(sha1_key, "287 082", now, 0, {}), 1);
    EXPECT_EQ(totp_check(sha1_key, " 287082 ", now, 0, {}), 1);
    for (const char* code :
         {"", " ", "287083", "28708", "2870820", "94287082", "0287082", "28708x", "-287082", "２87082"})
        EXPECT_FALSE(totp_check(sha1_key, code, now, 0, {}).has_value()) << code;
    EXPECT_FALSE(totp_check(sha256_key, "287082", now, 0, {}).has_value()) << "another key";
    EXPECT_FALSE(totp_check(sha1_key, "287082", now, 0, {HashAlgorithm::sha256, 6}).has_value()) << "another algorithm";
    EXPECT_FALSE(totp_check(sha1_key, "287082", now, 0, {HashAlgorithm::sha1, 8}).has_value()) << "another length";
}

TEST(Totp, RefusesArgumentsOutOfRange) {
    expect_refused([] { totp_check(sha1_key, "287082", 59, -1, {}); });
    expect_refused([] { totp_check(sha1_key, "287082", 59, 11, {}); });
    for (const int digits : {-6, 0, 5, 7, 9, 10}) expect_refused([&] { totp_scheme("SHA1", digits); });
    for (const char* name : {"", "MD5", "SHA224"}) expect_refused([&] { totp_scheme(name, 6); });
    EXPECT_EQ(totp_scheme("sha512", 8).algorithm, HashAlgorithm::sha512);
    EXPECT_EQ(totp_scheme("sha512", 8).digits, 8);
}

TEST(Totp, ReadsSecretsInBase32) {
    EXPECT_EQ(totp_key("GEZD GNBV gy3t qojq GEZD GNBV GY3T QOJQ"), sha1_key);
    for (const char* secret : {"", "   ", "GEZDGNBV1", "not base32!"}) expect_refused([&] { totp_key(secret); });
}

TEST(Totp, NewKeysAreAsLongAsTheDigestAndDiffer) {
    EXPECT_EQ(generate_totp_key(HashAlgorithm::sha1).size(), 20u);
    EXPECT_EQ(generate_totp_key(HashAlgorithm::sha256).size(), 32u);
    EXPECT_EQ(generate_totp_key(HashAlgorithm::sha512).size(), 64u);
    std::set<std::string> keys;
    for (int i = 0; i < 100; ++i) keys.insert(generate_totp_key(HashAlgorithm::sha1));
    EXPECT_EQ(keys.size(), 100u);
}

}  // namespace
}  // namespace pgchat
