#include "core/crypto/password_check.hpp"

#include "core/crypto/bcrypt.hpp"
#include "core/error.hpp"

namespace pgchat {
namespace {

// Spends the time of one hash; what belongs to no password fits none.
void spend(int cost) {
    std::string hash = "$2b$00$" + std::string(53, '.');
    hash[4] = static_cast<char>('0' + cost / 10);
    hash[5] = static_cast<char>('0' + cost % 10);
    bcrypt_verify({}, hash);
}

}  // namespace

bool check_password_evenly(std::string_view password, std::string_view hash, int cost) {
    if (hash.empty()) {
        spend(cost);
        return false;
    }
    const bool fits = bcrypt_verify(password, hash);
    // 2^c + (2^c + 2^(c+1) + … + 2^(cost-1)) = 2^cost.
    for (int missing = *bcrypt_cost(hash); missing < cost; ++missing) spend(missing);
    return fits;
}

}  // namespace pgchat
