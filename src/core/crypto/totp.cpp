#include "core/crypto/totp.hpp"

#include <array>
#include <span>

#include "core/crypto/base32.hpp"
#include "core/crypto/random_bytes.hpp"
#include "core/crypto/secret_memory.hpp"
#include "core/error.hpp"

namespace pgchat {
namespace {

// The dynamic truncation of RFC 4226 section 5.3.
std::uint32_t truncated(std::string_view digest) noexcept {
    const auto byte = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(digest[i])); };
    const std::size_t offset = byte(digest.size() - 1) & 15;
    return (byte(offset) & 127) << 24 | byte(offset + 1) << 16 | byte(offset + 2) << 8 | byte(offset + 3);
}

std::string without_blanks(std::string_view code) {
    std::string result;
    for (const char c : code)
        if (c != ' ') result += c;
    return result;
}

}  // namespace

TotpScheme totp_scheme(std::string_view algorithm, int digits) {
    const std::optional<HashAlgorithm> known = hash_algorithm_from_name(algorithm);
    if (!known)
        throw Error(ErrorCode::invalid_argument, "the algorithm of a one-time code must be SHA1, SHA256 or SHA512",
                    "Most authenticator apps know SHA1 only.");
    if (digits != 6 && digits != 8)
        throw Error(ErrorCode::invalid_argument, "a one-time code must have 6 or 8 digits",
                    "Most authenticator apps show 6.");
    return {*known, digits};
}

std::string totp_key(std::string_view base32_secret) {
    std::optional<std::string> key = base32_decode(base32_secret);
    if (!key || key->empty())
        throw Error(ErrorCode::invalid_argument, "the secret is not base32",
                    "A secret has the letters A to Z and the digits 2 to 7.");
    return std::move(*key);
}

std::string generate_totp_key(HashAlgorithm algorithm) {
    std::string key(digest_size(algorithm), '\0');
    random_bytes(std::span(reinterpret_cast<std::uint8_t*>(key.data()), key.size()));
    return key;
}

std::string hotp(std::string_view key, std::uint64_t counter, const TotpScheme& scheme) {
    std::array<char, 8> big_endian;
    for (std::size_t i = 0; i < big_endian.size(); ++i) big_endian[i] = static_cast<char>(counter >> (56 - 8 * i));
    std::string digest = hmac(scheme.algorithm, key, {big_endian.data(), big_endian.size()});
    std::uint32_t value = truncated(digest);
    std::string code(static_cast<std::size_t>(scheme.digits), '0');
    for (auto digit = code.rbegin(); digit != code.rend(); ++digit, value /= 10)
        *digit = static_cast<char>('0' + value % 10);
    return code;
}

std::int64_t totp_step(std::int64_t unix_seconds) noexcept {
    const std::int64_t step = unix_seconds / totp_period_seconds;
    return step - (unix_seconds % totp_period_seconds < 0);
}

std::string totp(std::string_view key, std::int64_t unix_seconds, const TotpScheme& scheme) {
    return hotp(key, static_cast<std::uint64_t>(totp_step(unix_seconds)), scheme);
}

std::optional<std::int64_t> totp_check(std::string_view key, std::string_view code, std::int64_t unix_seconds, int skew,
                                       const TotpScheme& scheme) {
    if (skew < 0 || skew > totp_max_skew)
        throw Error(ErrorCode::invalid_argument, "skew must be from 0 to 10",
                    "It is a number of steps of 30 seconds before and after.");
    const std::string given = without_blanks(code);
    const std::int64_t now = totp_step(unix_seconds);
    std::optional<std::int64_t> matched;
    for (std::int64_t step = now - skew; step <= now + skew; ++step)
        if (constant_time_equal(hotp(key, static_cast<std::uint64_t>(step), scheme), given)) matched = step;
    return matched;
}

}  // namespace pgchat
