#include "core/engine/ledger_act.hpp"

#include <array>

namespace pgchat {
namespace {

// In the order of the enum.
constexpr std::array names{"audit",         "charge_login",  "settle_login",      "refuse_login", "unlock_login",
                           "touch_session", "use_totp_step", "use_recovery_code", "signing_key",  "refresh_reuse"};
static_assert(names.size() == static_cast<std::size_t>(LedgerAct::refresh_reuse) + 1, "one name an act");

}  // namespace

const char* ledger_act_name(LedgerAct act) noexcept {
    return names[static_cast<std::size_t>(act)];
}

std::string ledger_act_statement(LedgerAct act) {
    return std::string("SELECT chat_private.ledger_") + ledger_act_name(act) + "($1::jsonb)::text";
}

std::optional<LedgerAct> ledger_act_from_name(std::string_view name) noexcept {
    for (std::size_t i = 0; i < names.size(); ++i)
        if (name == names[i]) return static_cast<LedgerAct>(i);
    return std::nullopt;
}

std::optional<LedgerAct> ledger_act_from_number(std::uint8_t number) noexcept {
    return number < names.size() ? std::optional(static_cast<LedgerAct>(number)) : std::nullopt;
}

}  // namespace pgchat
