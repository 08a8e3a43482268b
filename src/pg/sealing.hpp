// A backend's way to the master key, which only the engine holds: sealing secrets, and checking codes and signatures
// against sealed ones.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/crypto/sealed_secret.hpp"
#include "core/crypto/totp.hpp"

namespace pgchat::pg {

// The secret as a table may hold it. Opened only in the engine, and only at the same place. Takes a lock that lasts
// until the transaction ends, by which nobody_seals() knows of it. Throws Error: master_key_unavailable;
// engine_unavailable; read_only_server on a standby.
std::string seal(const SealPlace& place, std::string_view secret);

// The step of real time that the code of a sealed TOTP key belongs to; nullopt for a wrong code. The caller must see to
// it that each step is accepted once. Throws Error: as above, and unsealing_failed.
std::optional<std::int64_t> check_totp_code(const Uuid& user_id, const Uuid& factor_id, const TotpScheme& scheme,
                                            std::string_view sealed_key, std::string_view code);

// The name of the WebhookVerdict on a webhook's header and body under a sealed secret. `tolerance` in seconds.
// Throws Error: as above.
std::string check_webhook(const Uuid& row_id, std::string_view sealed_secret, std::string_view header,
                          std::string_view body, std::int64_t tolerance);

// In the engine: whether no other transaction is left in which seal() was called before.
bool nobody_seals();

// What the engine says of the master key, in JSON (RotationProgress). `rotate`: puts a new one in place first.
// Throws Error: master_key_unavailable, configuration_error, engine_unavailable, read_only_server.
std::string master_key_state(bool rotate);

}  // namespace pgchat::pg
