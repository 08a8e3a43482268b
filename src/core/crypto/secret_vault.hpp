// Seals and opens secrets with the master key, which it fetches when it is first needed and keeps.
#pragma once

#include <optional>

#include "core/crypto/key_source.hpp"
#include "core/crypto/sealed_secret.hpp"
#include "core/error.hpp"

namespace pgchat {

class SecretVault {
public:
    explicit SecretVault(Clock& clock) : clock_(clock) {}

    // Where the key comes from. Forgets the one it has, which may have been replaced.
    void set_source(KeySource source);

    // As seal_secret() and open_secret(), and as load_master_key(). After a command failed, its error is repeated for a
    // while in place of running it again, as a slow one would hold up everything else that this process does.
    std::string seal(const SealPlace& place, std::string_view secret);
    SecretBytes open(const SealPlace& place, std::string_view sealed);

private:
    const MasterKey& key(KeyNeed need);

    Clock& clock_;
    KeySource source_;
    std::optional<MasterKey> key_;
    std::optional<Error> command_error_;
    TimePoint next_command_{};
};

}  // namespace pgchat
