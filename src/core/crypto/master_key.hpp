// The one key under which an installation's secrets are sealed: how it is written, and what is derived from it.
#pragma once

#include <string>
#include <string_view>

#include "core/crypto/secret_memory.hpp"

namespace pgchat {

inline constexpr std::size_t master_key_id_bytes = 8;

// Holds what is derived from the key, not the key itself. Wiped when destroyed.
class MasterKey {
public:
    // From 32 bytes written as 64 hexadecimal digits in either case, white space around them allowed.
    // Throws Error: master_key_unavailable, whose text says nothing of what was there.
    static MasterKey parse(std::string_view text);

    // A new key as parse() takes it: 64 digits and a line feed.
    static SecretBytes generate_text();

    // Tells keys apart; known to everybody who sees what was sealed with it.
    std::string_view id() const noexcept { return id_; }
    // For AES-256-GCM.
    std::string_view sealing_key() const noexcept { return sealing_key_.view(); }

private:
    MasterKey(std::string id, SecretBytes sealing_key) : id_(std::move(id)), sealing_key_(std::move(sealing_key)) {}

    std::string id_;
    SecretBytes sealing_key_;
};

}  // namespace pgchat
