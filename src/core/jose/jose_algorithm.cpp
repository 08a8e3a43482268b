#include "core/jose/jose_algorithm.hpp"

namespace pgchat {

std::string_view jose_algorithm_name(JoseAlgorithm algorithm) noexcept {
    constexpr std::string_view names[] = {"HS256", "EdDSA", "ES256", "RS256"};
    return names[static_cast<std::size_t>(algorithm)];
}

std::optional<JoseAlgorithm> jose_algorithm_from_name(std::string_view name) noexcept {
    for (const JoseAlgorithm algorithm : jose_algorithms)
        if (name == jose_algorithm_name(algorithm)) return algorithm;
    return std::nullopt;
}

}  // namespace pgchat
