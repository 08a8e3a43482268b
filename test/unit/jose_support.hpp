// Keys and tokens for the tests of core/jose.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "core/crypto/base64url.hpp"
#include "core/error.hpp"
#include "core/jose/jwk.hpp"
#include "core/jose/jws.hpp"

namespace pgchat {

inline std::string unbase64url(std::string_view text) {
    return base64url_decode(text).value();
}

// A token with these parts, whatever they are, signed by the key.
inline std::string token_of(std::string_view header, std::string_view payload, const JoseKey& key) {
    const std::string input = base64url_encode(header) + '.' + base64url_encode(payload);
    return input + '.' + base64url_encode(key.sign(input));
}

// The public half alone.
inline JoseKey public_half(const JoseKey& key) {
    return read_jwk(public_jwk(key));
}

// Whether `action` ends in the one error that every bad token gets.
template <class Action>
testing::AssertionResult is_refused(Action&& action) {
    try {
        action();
    } catch (const Error& error) {
        if (error.code() == ErrorCode::invalid_token && std::string_view(error.what()) == "the token is not valid")
            return testing::AssertionSuccess();
        return testing::AssertionFailure() << error.what();
    }
    return testing::AssertionFailure() << "accepted";
}

}  // namespace pgchat
