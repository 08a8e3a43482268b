#include "core/crypto/otpauth_uri.hpp"

#include "core/crypto/base32.hpp"
#include "core/error.hpp"
#include "core/text/percent.hpp"

namespace pgchat {
namespace {

void check_label(std::string_view text, const char* what) {
    if (text.empty() || text.find(':') != std::string_view::npos)
        throw Error(ErrorCode::invalid_argument,
                    std::string("the ") + what + " of an otpauth URI is empty or has a colon",
                    "An authenticator app shows issuer and account, which a colon divides.");
}

}  // namespace

std::string otpauth_uri(std::string_view issuer, std::string_view account, std::string_view key,
                        const TotpScheme& scheme) {
    check_label(issuer, "issuer");
    check_label(account, "account");
    const std::string encoded_issuer = percent_encoded(issuer);
    return "otpauth://totp/" + encoded_issuer + ":" + percent_encoded(account) + "?secret=" + base32_encode(key) +
           "&issuer=" + encoded_issuer + "&algorithm=" + name_of(scheme.algorithm) +
           "&digits=" + std::to_string(scheme.digits) + "&period=" + std::to_string(totp_period_seconds);
}

}  // namespace pgchat
