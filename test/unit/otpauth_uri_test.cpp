// The URI of a TOTP secret, in the form that authenticator apps read.
#include "core/crypto/otpauth_uri.hpp"

#include <gtest/gtest.h>

#include "core/crypto/base32.hpp"
#include "core/error.hpp"

namespace pgchat {
namespace {

// The first is the example of the Key URI Format's documentation, with the parameters in our order.
TEST(OtpauthUri, HasTheDocumentedForm) {
    EXPECT_EQ(otpauth_uri("ACME Co", "john.doe@email.com", *base32_decode("HXDMVJECJJWSRB3HWIZR4IFUGFTMXBOZ"), {}),
              "otpauth://totp/ACME%20Co:john.doe%40email.com?secret=HXDMVJECJJWSRB3HWIZR4IFUGFTMXBOZ&issuer=ACME%20Co"
              "&algorithm=SHA1&digits=6&period=30");
    EXPECT_EQ(otpauth_uri("a", "b", "foobar", {HashAlgorithm::sha512, 8}),
              "otpauth://totp/a:b?secret=MZXW6YTBOI&issuer=a&algorithm=SHA512&digits=8&period=30");
}

TEST(OtpauthUri, EncodesEverythingThatIsNotUnreserved) {
    EXPECT_EQ(otpauth_uri("a&b=c?d#e/f%g", "Иван~x_y-z.", "foobar", {}),
              "otpauth://totp/a%26b%3Dc%3Fd%23e%2Ff%25g:%D0%98%D0%B2%D0%B0%D0%BD~x_y-z.?secret=MZXW6YTBOI"
              "&issuer=a%26b%3Dc%3Fd%23e%2Ff%25g&algorithm=SHA1&digits=6&period=30");
}

TEST(OtpauthUri, RefusesLabelsThatCannotBeToldApart) {
    const std::pair<const char*, const char*> labels[] = {{"a:b", "c"}, {"a", "b:c"}, {"", "b"}, {"a", ""}};
    for (const auto& [issuer, account] : labels) {
        try {
            otpauth_uri(issuer, account, "foobar", {});
            ADD_FAILURE() << issuer << " " << account;
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
        }
    }
}

}  // namespace
}  // namespace pgchat
