#include "core/crypto/secret_vault.hpp"

namespace pgchat {
namespace {

constexpr Milliseconds command_pause{10'000};

}  // namespace

void SecretVault::set_source(KeySource source) {
    source_ = std::move(source);
    key_.reset();
    command_error_.reset();
}

std::string SecretVault::seal(const SealPlace& place, std::string_view secret) {
    return seal_secret(key(KeyNeed::to_seal), place, secret);
}

SecretBytes SecretVault::open(const SealPlace& place, std::string_view sealed) {
    return open_secret(key(KeyNeed::to_open), place, sealed);
}

const MasterKey& SecretVault::key(KeyNeed need) {
    if (key_) return *key_;
    if (command_error_ && clock_.now() < next_command_) throw *command_error_;
    try {
        return key_.emplace(load_master_key(source_, need));
    } catch (const Error& error) {
        if (!source_.command.empty()) {
            command_error_ = error;
            next_command_ = clock_.now() + command_pause;
        }
        throw;
    }
}

}  // namespace pgchat
