#include "core/crypto/aead.hpp"

#include <openssl/evp.h>

#include <climits>
#include <memory>

#include "core/error.hpp"

namespace pgchat {
namespace {

struct CipherContextFree {
    void operator()(EVP_CIPHER_CTX* context) const noexcept { EVP_CIPHER_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, CipherContextFree>;

enum class Direction { decrypt = 0, encrypt = 1 };

void require(bool condition) {
    if (!condition) throw Error(ErrorCode::internal, "AES-256-GCM failed");
}

const unsigned char* bytes_of(std::string_view text) noexcept {
    return reinterpret_cast<const unsigned char*>(text.data());
}

// A context with key and nonce set and the associated data taken in.
Context begin(Direction direction, std::string_view key, std::string_view nonce, std::string_view associated_data,
              std::size_t text_size) {
    require(key.size() == aead_key_bytes && nonce.size() == aead_nonce_bytes);
    require(associated_data.size() <= INT_MAX && text_size <= INT_MAX);
    Context context(EVP_CIPHER_CTX_new());
    require(context && EVP_CipherInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, bytes_of(key), bytes_of(nonce),
                                         static_cast<int>(direction)) == 1);
    int size = 0;
    require(EVP_CipherUpdate(context.get(), nullptr, &size, bytes_of(associated_data),
                             static_cast<int>(associated_data.size())) == 1);
    return context;
}

}  // namespace

std::string aead_encrypt(std::string_view key, std::string_view nonce, std::string_view associated_data,
                         std::string_view plaintext) {
    const Context context = begin(Direction::encrypt, key, nonce, associated_data, plaintext.size());
    std::string ciphertext(plaintext.size() + aead_tag_bytes, '\0');
    auto* const out = reinterpret_cast<unsigned char*>(ciphertext.data());
    int size = 0;
    require(EVP_CipherUpdate(context.get(), out, &size, bytes_of(plaintext), static_cast<int>(plaintext.size())) == 1);
    require(EVP_CipherFinal_ex(context.get(), out + size, &size) == 1);
    require(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, static_cast<int>(aead_tag_bytes),
                                out + plaintext.size()) == 1);
    return ciphertext;
}

std::optional<SecretBytes> aead_decrypt(std::string_view key, std::string_view nonce, std::string_view associated_data,
                                        std::string_view ciphertext) {
    if (ciphertext.size() < aead_tag_bytes) return std::nullopt;
    const std::string_view body = ciphertext.substr(0, ciphertext.size() - aead_tag_bytes);
    std::string tag(ciphertext.substr(body.size()));
    const Context context = begin(Direction::decrypt, key, nonce, associated_data, body.size());
    SecretBytes plaintext(body.size());
    int size = 0;
    require(EVP_CipherUpdate(context.get(), plaintext.data(), &size, bytes_of(body), static_cast<int>(body.size())) ==
            1);
    require(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, static_cast<int>(aead_tag_bytes), tag.data()) ==
            1);
    if (EVP_CipherFinal_ex(context.get(), plaintext.data() + size, &size) != 1) return std::nullopt;
    return plaintext;
}

}  // namespace pgchat
