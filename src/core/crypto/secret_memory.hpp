// Comparing and wiping secrets so that neither timing nor freed memory gives them away.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

namespace pgchat {

// Whether both hold the same bytes, in a time that depends on the length alone (CRYPTO_memcmp(3)).
bool constant_time_equal(std::string_view a, std::string_view b) noexcept;

// Overwrites `size` bytes at `data` with zeros; never optimised away (OPENSSL_cleanse(3)).
void secure_zero(void* data, std::size_t size) noexcept;

// Bytes that are wiped when their owner is done with them; never copied, and moved without leaving a copy.
class SecretBytes {
public:
    explicit SecretBytes(std::size_t size);
    explicit SecretBytes(std::string_view bytes);

    unsigned char* data() noexcept { return bytes_.get(); }
    std::size_t size() const noexcept { return bytes_.get_deleter().size; }
    std::string_view view() const noexcept { return {reinterpret_cast<const char*>(bytes_.get()), size()}; }

private:
    struct Wipe {
        std::size_t size = 0;
        void operator()(unsigned char* bytes) const noexcept;
    };

    std::unique_ptr<unsigned char[], Wipe> bytes_;
};

}  // namespace pgchat
