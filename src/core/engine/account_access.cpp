#include "core/engine/account_access.hpp"

#include "core/text/utf8.hpp"

namespace pgchat {

void check_access(const Uuid& user_id, const AccountAccess& access, const ModelEntry& model) {
    if (user_id == Uuid{} || access.allows(model)) return;
    throw Error(
        ErrorCode::permission_denied,
        "model \"" + std::string(truncate_text(model.name, 100)) + "\" is not open to this user",
        "chat.list_models() lists the models you may use; an administrator gives one with chat.admin_grant_model.");
}

}  // namespace pgchat
