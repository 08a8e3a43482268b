#include "core/crypto/sealed_secret.hpp"

#include <array>
#include <cstdint>

#include "core/crypto/aead.hpp"
#include "core/crypto/random_bytes.hpp"
#include "core/error.hpp"

namespace pgchat {
namespace {

constexpr char version = 1;
constexpr std::size_t header_bytes = 1 + master_key_id_bytes;

// What is bound to the ciphertext: each part has a fixed size but the last, so no two places give the same bytes.
std::string associated_data(std::string_view header, const SealPlace& place) {
    std::string data(header);
    data.append(place.user_id.bytes.begin(), place.user_id.bytes.end());
    data.append(place.row_id.bytes.begin(), place.row_id.bytes.end());
    return data.append(place.purpose);
}

}  // namespace

std::string seal_secret(const MasterKey& key, const SealPlace& place, std::string_view secret) {
    std::array<std::uint8_t, aead_nonce_bytes> nonce_bytes;
    random_bytes(nonce_bytes);
    const std::string_view nonce(reinterpret_cast<const char*>(nonce_bytes.data()), nonce_bytes.size());
    std::string sealed(1, version);
    sealed.append(key.id());
    const std::string ciphertext = aead_encrypt(key.sealing_key(), nonce, associated_data(sealed, place), secret);
    return sealed.append(nonce).append(ciphertext);
}

SecretBytes open_secret(const MasterKey& key, const SealPlace& place, std::string_view sealed) {
    if (sealing_key_id(sealed).empty())
        throw Error(ErrorCode::unsealing_failed, "the sealed secret is not in a known form",
                    "It was changed outside pgchat; set the secret anew.");
    const std::string_view header = sealed.substr(0, header_bytes);
    if (header.substr(1) != key.id())
        throw Error(
            ErrorCode::unsealing_failed, "the secret was sealed with another master key",
            "Put the key it was sealed with back in place (pgchat.master_key_file, pgchat.master_key_command).");
    const std::string_view nonce = sealed.substr(header_bytes, aead_nonce_bytes);
    std::optional<SecretBytes> secret = aead_decrypt(key.sealing_key(), nonce, associated_data(header, place),
                                                     sealed.substr(header_bytes + aead_nonce_bytes));
    if (!secret)
        throw Error(ErrorCode::unsealing_failed, "the sealed secret is damaged, or belongs to another row",
                    "It was changed outside pgchat; set the secret anew.");
    return std::move(*secret);
}

std::string_view sealing_key_id(std::string_view sealed) noexcept {
    const bool is_known = sealed.size() >= header_bytes + aead_nonce_bytes + aead_tag_bytes && sealed[0] == version;
    return is_known ? sealed.substr(1, master_key_id_bytes) : std::string_view();
}

}  // namespace pgchat
