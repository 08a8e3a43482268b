// The URI that an authenticator app reads from a QR code: the Key URI Format of Google Authenticator.
#pragma once

#include <string>
#include <string_view>

#include "core/crypto/totp.hpp"

namespace pgchat {

// otpauth://totp/ISSUER:ACCOUNT?secret=…&issuer=…&algorithm=…&digits=…&period=30, every part percent-encoded (RFC
// 3986). `key` is the raw key. Throws Error: invalid_argument for an issuer or account that is empty or has a colon,
// which divides the two.
std::string otpauth_uri(std::string_view issuer, std::string_view account, std::string_view key,
                        const TotpScheme& scheme);

}  // namespace pgchat
