#include "core/crypto/secret_vault.hpp"

#include "core/crypto/key_file.hpp"

namespace pgchat {
namespace {

constexpr Milliseconds command_pause{10'000};

}  // namespace

void SecretVault::set_source(KeySource source) {
    source_ = std::move(source);
    forget_keys();
}

void SecretVault::forget_keys() {
    keys_.reset();
    command_error_.reset();
}

std::string SecretVault::seal(const SealPlace& place, std::string_view secret) {
    return seal_secret(keys(KeyNeed::to_seal).current(), place, secret);
}

SecretBytes SecretVault::open(const SealPlace& place, std::string_view sealed) {
    const KeyRing& ring = keys(KeyNeed::to_open);
    const MasterKey* const key = ring.find(sealing_key_id(sealed));
    return open_secret(key != nullptr ? *key : ring.current(), place, sealed);
}

std::optional<std::string> SecretVault::reseal(const SealPlace& place, std::string_view sealed) {
    const KeyRing& ring = keys(KeyNeed::to_open);
    const MasterKey* const key = ring.find(sealing_key_id(sealed));
    if (key == nullptr || key == &ring.current()) return std::nullopt;
    return seal_secret(ring.current(), place, open_secret(*key, place, sealed).view());
}

void SecretVault::look() {
    if (keys_ || !source_.command.empty()) return;
    try {
        keys(KeyNeed::to_open);
    } catch (const Error&) {
        // Told to whoever needs a key.
        keys_.reset();
    }
}

std::string SecretVault::current_key_id() {
    return std::string(keys(KeyNeed::to_open).current().id());
}

void SecretVault::rotate() {
    if (source_.command.empty()) {
        keys(KeyNeed::to_open);
        add_key_to_file(source_.file);
    }
    forget_keys();
    if (!keys(KeyNeed::to_open).has_old_keys() && !source_.command.empty())
        throw Error(ErrorCode::configuration_error, "pgchat.master_key_command prints one key only",
                    "Have it print the new key on the first line and the old one on the next.");
}

std::vector<std::string> SecretVault::key_ids() const {
    std::vector<std::string> ids = old_key_ids();
    if (keys_) ids.emplace(ids.begin(), keys_->current().id());
    return ids;
}

bool SecretVault::drop_old_keys() {
    if (!source_.command.empty()) return false;
    const bool changed = drop_old_keys_of_file(source_.file, current_key_id());
    forget_keys();
    return changed;
}

const KeyRing& SecretVault::keys(KeyNeed need) {
    if (keys_) return *keys_;
    if (command_error_ && clock_.now() < next_command_) throw *command_error_;
    try {
        const auto was_used = [&] { return files_read_.count(source_.file) != 0 || secrets_are_stored_(); };
        keys_ = load_master_keys(source_, need, was_used);
        if (source_.command.empty()) files_read_.insert(source_.file);
        return *keys_;
    } catch (const Error& error) {
        if (!source_.command.empty()) {
            command_error_ = error;
            next_command_ = clock_.now() + command_pause;
        }
        throw;
    }
}

}  // namespace pgchat
