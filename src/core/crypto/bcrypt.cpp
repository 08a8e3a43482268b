// bcrypt over libxcrypt's reentrant functions; the C library's buffers are wiped after each use.
#include "core/crypto/bcrypt.hpp"

#include <crypt.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include "core/crypto/random_bytes.hpp"
#include "core/crypto/secret_memory.hpp"
#include "core/error.hpp"

namespace pgchat {
namespace {

constexpr std::size_t hash_size = 60;     // "$2b$12$", 22 characters of salt, 31 of checksum
constexpr std::size_t setting_size = 29;  // the same without the checksum
constexpr std::size_t salt_bytes = 16;
constexpr int min_cost = 4;
constexpr int max_cost = 31;

bool is_bcrypt_character(char c) noexcept {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '/';
}

bool is_usable(std::string_view password) noexcept {
    return password.size() <= bcrypt_max_password_bytes && password.find('\0') == std::string_view::npos;
}

// One run of bcrypt; everything it leaves in memory is wiped when it goes out of scope.
class BcryptRun {
public:
    BcryptRun(std::string_view password, const char* setting) {
        std::memcpy(password_.data(), password.data(), password.size());
        const char* hash = crypt_rn(password_.data(), setting, &data_, sizeof data_);
        if (hash == nullptr || std::strlen(hash) != hash_size)
            throw Error(ErrorCode::internal, "could not compute bcrypt");
        hash_ = hash;
    }
    ~BcryptRun() {
        secure_zero(password_.data(), password_.size());
        secure_zero(&data_, sizeof data_);
    }
    BcryptRun(const BcryptRun&) = delete;
    BcryptRun& operator=(const BcryptRun&) = delete;

    std::string_view hash() const noexcept { return {hash_, hash_size}; }

private:
    std::array<char, bcrypt_max_password_bytes + 1> password_{};
    crypt_data data_{};
    const char* hash_ = nullptr;
};

}  // namespace

std::string bcrypt_hash(std::string_view password, int cost) {
    if (cost < min_cost || cost > max_cost)
        throw Error(ErrorCode::invalid_argument, "bcrypt cost must be between 4 and 31");
    if (password.size() > bcrypt_max_password_bytes)
        throw Error(ErrorCode::invalid_argument, "password is longer than 72 bytes", "Choose a shorter password.");
    if (!is_usable(password)) throw Error(ErrorCode::invalid_argument, "password contains a NUL byte");

    std::array<std::uint8_t, salt_bytes> salt;
    random_bytes(salt);
    std::array<char, CRYPT_GENSALT_OUTPUT_SIZE> setting{};
    if (crypt_gensalt_rn("$2b$", static_cast<unsigned long>(cost), reinterpret_cast<const char*>(salt.data()),
                         salt_bytes, setting.data(), setting.size()) == nullptr)
        throw Error(ErrorCode::internal, "could not make a bcrypt salt");
    return std::string(BcryptRun(password, setting.data()).hash());
}

bool bcrypt_verify(std::string_view password, std::string_view hash) {
    if (!bcrypt_cost(hash))
        throw Error(ErrorCode::invalid_argument, "malformed bcrypt hash",
                    "A bcrypt hash has 60 characters and begins with $2a$, $2b$ or $2y$.");
    if (!is_usable(password)) return false;
    std::array<char, setting_size + 1> setting{};
    std::copy_n(hash.data(), setting_size, setting.data());
    const BcryptRun run(password, setting.data());
    // The checksums only: some implementations leave the unused low bits of the salt's last character set.
    return constant_time_equal(run.hash().substr(setting_size), hash.substr(setting_size));
}

std::optional<int> bcrypt_cost(std::string_view hash) noexcept {
    if (hash.size() != hash_size || hash[0] != '$' || hash[1] != '2' || hash[3] != '$' || hash[6] != '$')
        return std::nullopt;
    if (hash[2] != 'a' && hash[2] != 'b' && hash[2] != 'y') return std::nullopt;
    if (hash[4] < '0' || hash[4] > '9' || hash[5] < '0' || hash[5] > '9') return std::nullopt;
    if (!std::all_of(hash.begin() + 7, hash.end(), is_bcrypt_character)) return std::nullopt;
    const int cost = (hash[4] - '0') * 10 + (hash[5] - '0');
    if (cost < min_cost || cost > max_cost) return std::nullopt;
    return cost;
}

}  // namespace pgchat
