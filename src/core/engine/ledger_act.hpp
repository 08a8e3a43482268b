// What a backend may have the engine do in a transaction of the engine's own, by name.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pgchat {

enum class LedgerAct : std::uint8_t {
    audit,
    charge_login,
    settle_login,
    refuse_login,
    unlock_login,
    touch_session,
    use_totp_step,
    use_recovery_code,
    signing_key,
    refresh_reuse
};

// The act's name as SQL knows it ("audit"); static storage, null-terminated.
const char* ledger_act_name(LedgerAct act) noexcept;

// The statement that does the act: $1 is its payload, text in JSON; the answer is its one column.
std::string ledger_act_statement(LedgerAct act);

// The inverse of ledger_act_name; nullopt for an unknown name.
std::optional<LedgerAct> ledger_act_from_name(std::string_view name) noexcept;

// The act of that number; nullopt where there is none.
std::optional<LedgerAct> ledger_act_from_number(std::uint8_t number) noexcept;

}  // namespace pgchat
