// RAND_bytes with its failure turned into an Error, so that no caller can forget to look.
#include "core/crypto/random_bytes.hpp"

#include <openssl/rand.h>

#include <algorithm>
#include <climits>

#include "core/error.hpp"

namespace pgchat {

void random_bytes(std::span<std::uint8_t> out) {
    while (!out.empty()) {
        const std::size_t part = std::min<std::size_t>(out.size(), INT_MAX);
        if (RAND_bytes(out.data(), static_cast<int>(part)) != 1)
            throw Error(ErrorCode::internal, "the random number generator failed");
        out = out.subspan(part);
    }
}

}  // namespace pgchat
