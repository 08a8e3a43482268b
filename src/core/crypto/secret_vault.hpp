// Seals and opens secrets with the master keys, which it fetches when they are first needed and keeps.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/crypto/key_source.hpp"
#include "core/crypto/sealed_secret.hpp"
#include "core/error.hpp"

namespace pgchat {

class SecretVault {
public:
    // `secrets_are_stored` is asked before a key file is made: none is where there are any, or where this process has
    // read a key from it before, which may have sealed what is about to be stored.
    SecretVault(Clock& clock, std::function<bool()> secrets_are_stored)
        : clock_(clock), secrets_are_stored_(std::move(secrets_are_stored)) {}

    // Where the keys come from. Forgets those it has, which may have been replaced.
    void set_source(KeySource source);
    // Has the keys read again when they are next needed.
    void forget_keys();

    // As seal_secret() and open_secret(), and as load_master_keys(); each secret is opened with the key that sealed it.
    // After a command failed, its error is repeated for a while in place of running it again, as a slow one would hold
    // up everything else that this process does.
    std::string seal(const SealPlace& place, std::string_view secret);
    SecretBytes open(const SealPlace& place, std::string_view sealed);
    // The same secret sealed with the current key; nullopt where it is already, or with a key that is not here.
    // Throws as open() does.
    std::optional<std::string> reseal(const SealPlace& place, std::string_view sealed);

    // Reads a file of keys now, where there is one that can be read: so that what is said below is known early.
    void look();
    // Whether older keys are there beside the one that seals, as far as they have been read.
    bool has_old_keys() const noexcept { return keys_ && keys_->has_old_keys(); }
    std::vector<std::string> old_key_ids() const { return keys_ ? keys_->old_ids() : std::vector<std::string>(); }
    // The ids of all keys, the current one first; none where they have not been read.
    std::vector<std::string> key_ids() const;
    // The id of the key that seals. Throws as open() does.
    std::string current_key_id();

    // Puts a new key before the one there is, in the file; where older ones are there already, an earlier change goes
    // on and nothing is made. Where a command gives the keys, they are fetched anew. Throws as open() does, and
    // configuration_error where the command has no older key to give.
    void rotate();
    // Leaves only the current key in the file; keys of a command stay. Returns whether anything was changed. Throws as
    // open() does.
    bool drop_old_keys();

private:
    const KeyRing& keys(KeyNeed need);

    Clock& clock_;
    std::function<bool()> secrets_are_stored_;
    std::set<std::string> files_read_;  // those that have given a key
    KeySource source_;
    std::optional<KeyRing> keys_;
    std::optional<Error> command_error_;
    TimePoint next_command_{};
};

}  // namespace pgchat
