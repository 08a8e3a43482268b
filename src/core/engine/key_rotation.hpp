// Seals anew what older master keys have sealed, page by page beside the engine's other work, until nothing needs the
// older keys any more. May be broken off at any point: whatever is left is found again from the stored secrets.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/crypto/secret_vault.hpp"

namespace pgchat {

// Where the sealed secrets are; each function is a short transaction of its own.
class SealedStore {
public:
    // The secret to be stored in place of the one given; nullopt leaves it.
    using Reseal = std::function<std::optional<std::string>(const SealPlace& place, std::string_view sealed)>;
    enum class Page { more, last, failed };

    virtual ~SealedStore() = default;
    // Whether no transaction is left that may be about to store what was sealed before this call.
    virtual bool is_quiet() = 0;
    // Begins at the first secret again.
    virtual void rewind() = 0;
    // Gives the next secrets to `reseal` and stores what it returns, all of the page or none.
    virtual Page next_page(const Reseal& reseal) = 0;
    struct Counts {
        std::int64_t with_old_keys = 0;
        std::int64_t with_other_keys = 0;  // with none of those given
    };
    // How many secrets are not sealed with the first of these keys; nullopt where that cannot be told now.
    virtual std::optional<Counts> count(const std::vector<std::string>& key_ids) = 0;
    // Whether there are any secrets; nullopt where that cannot be told now.
    virtual std::optional<bool> holds_secrets() = 0;
    // Makes known that all secrets of this database are sealed with the key. Returns whether that is so of every
    // database that shares the keys.
    virtual bool all_sealed_with(std::string_view key_id) = 0;
    // The keys have changed: whoever else has read them is to read them again.
    virtual void announce() = 0;
};

struct RotationProgress {
    std::string key_id;           // of the key that seals
    std::size_t old_keys = 0;     // how many are kept beside it
    std::int64_t resealed = 0;    // secrets, since the keys were last changed or this process began
    std::int64_t left = 0;        // still to be sealed anew
    std::int64_t unreadable = 0;  // sealed with a key that is not here, or with an older one that does not open them
    bool is_finished = false;     // there is nothing left to do here
    std::string to_json() const;
};

class KeyRotation {
public:
    KeyRotation(const Clock& clock, SecretVault& vault, SealedStore& store)
        : clock_(clock), vault_(vault), store_(store) {}

    // Puts a new master key in place, unless an earlier change is not finished, which then goes on. Throws Error:
    // master_key_unavailable.
    void begin();
    // Has the keys read again: another process has changed them, or the settings say that they are elsewhere.
    void keys_changed();
    // Throws Error: master_key_unavailable; engine_unavailable where the secrets cannot be counted now.
    RotationProgress progress();

    // Does one page of what there is to do.
    void run();
    // When run() has something to do; nullopt where it has not.
    std::optional<TimePoint> next_run() const;

private:
    enum class Phase { waiting, sealing, counting, done };

    void adopt_keys();
    void seal_page();
    void count();
    void finish();
    void pause(Milliseconds delay) { not_before_ = clock_.now() + delay; }

    const Clock& clock_;
    SecretVault& vault_;
    SealedStore& store_;
    std::vector<std::string> key_ids_;  // those that all below is about, the current one first
    Phase phase_ = Phase::waiting;
    TimePoint not_before_{};
    std::int64_t resealed_ = 0;
    std::int64_t unreadable_ = 0;  // found in this pass
};

}  // namespace pgchat
