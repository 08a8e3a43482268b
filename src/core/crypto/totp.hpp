// One-time codes of authenticator apps: HOTP (RFC 4226) and TOTP (RFC 6238) with steps of 30 seconds.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/crypto/hmac.hpp"

namespace pgchat {

// What secret and app agree on. The first values are what every app takes.
struct TotpScheme {
    HashAlgorithm algorithm = HashAlgorithm::sha1;
    int digits = 6;
};

inline constexpr int totp_period_seconds = 30;
inline constexpr int totp_max_skew = 10;

// The scheme of an algorithm's name and a number of digits. Throws Error: invalid_argument for a name other than SHA1,
// SHA256 and SHA512, and digits other than 6 and 8.
TotpScheme totp_scheme(std::string_view algorithm, int digits);

// The key that a secret written in base32 stands for. Throws Error: invalid_argument when it is not base32, or empty.
std::string totp_key(std::string_view base32_secret);

// A new key with as many random bytes as the algorithm's digest has (RFC 4226 section 4, R6).
std::string generate_totp_key(HashAlgorithm algorithm);

// The HOTP value of a counter: `scheme.digits` decimal digits, leading zeros included.
std::string hotp(std::string_view key, std::uint64_t counter, const TotpScheme& scheme);

// The step that a time, in seconds since 1970, lies in; negative before.
std::int64_t totp_step(std::int64_t unix_seconds) noexcept;

// The code of that time.
std::string totp(std::string_view key, std::int64_t unix_seconds, const TotpScheme& scheme);

// Which step the code belongs to, of the step at `unix_seconds` and `skew` steps before and after it, so that a caller
// can refuse it the second time; nullopt for a wrong code. Blanks in the code are ignored. All steps are computed and
// compared in constant time, whichever matches. Throws Error: invalid_argument for a skew outside 0..totp_max_skew.
std::optional<std::int64_t> totp_check(std::string_view key, std::string_view code, std::int64_t unix_seconds, int skew,
                                       const TotpScheme& scheme);

}  // namespace pgchat
