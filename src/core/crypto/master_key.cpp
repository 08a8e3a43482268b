#include "core/crypto/master_key.hpp"

#include "core/crypto/aead.hpp"
#include "core/crypto/hmac.hpp"
#include "core/crypto/random_bytes.hpp"
#include "core/error.hpp"
#include "core/text/ascii.hpp"
#include "core/text/hex.hpp"

namespace pgchat {
namespace {

constexpr std::size_t key_bytes = 32;

[[noreturn]] void refuse() {
    throw Error(ErrorCode::master_key_unavailable, "the master key is malformed",
                "It has 64 hexadecimal digits, as \"openssl rand -hex 32\" prints them.");
}

unsigned digit_value(char c) {
    const int value = hex_value(c);
    if (value < 0) refuse();
    return static_cast<unsigned>(value);
}

// The labels keep what is derived for one use from being of any use for another.
std::string derived(const SecretBytes& key, std::string_view label) {
    return hmac(HashAlgorithm::sha256, key.view(), label);
}

}  // namespace

MasterKey MasterKey::parse(std::string_view text) {
    const std::string_view digits = trimmed(text);
    if (digits.size() != 2 * key_bytes) refuse();
    SecretBytes key(key_bytes);
    for (std::size_t i = 0; i < key_bytes; ++i)
        key.data()[i] = static_cast<unsigned char>(digit_value(digits[2 * i]) << 4 | digit_value(digits[2 * i + 1]));
    std::string sealing_key = derived(key, "pgchat 1 sealing");
    static_assert(aead_key_bytes == 32, "the size of an HMAC-SHA-256");
    MasterKey result(derived(key, "pgchat 1 key id").substr(0, master_key_id_bytes), SecretBytes(sealing_key));
    secure_zero(sealing_key.data(), sealing_key.size());
    return result;
}

SecretBytes MasterKey::generate_text() {
    SecretBytes key(key_bytes);
    random_bytes({key.data(), key.size()});
    SecretBytes text(2 * key_bytes + 1);
    char* to = reinterpret_cast<char*>(text.data());
    for (std::size_t i = 0; i < key_bytes; ++i) to = write_hex(key.data()[i], to);
    *to = '\n';
    return text;
}

}  // namespace pgchat
