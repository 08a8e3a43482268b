// The signature algorithms that tokens may have: a short list, fixed here, from which every key has exactly one.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace pgchat {

enum class JoseAlgorithm : std::uint8_t { hs256, eddsa, es256, rs256 };

inline constexpr std::array jose_algorithms{JoseAlgorithm::hs256, JoseAlgorithm::eddsa, JoseAlgorithm::es256,
                                            JoseAlgorithm::rs256};

// The name of RFC 7518 and RFC 8037 ("HS256", "EdDSA", "ES256", "RS256"); static storage.
std::string_view jose_algorithm_name(JoseAlgorithm algorithm) noexcept;

// The inverse, as exact as the RFCs: nullopt for "none", for another case, and for everything unknown.
std::optional<JoseAlgorithm> jose_algorithm_from_name(std::string_view name) noexcept;

}  // namespace pgchat
