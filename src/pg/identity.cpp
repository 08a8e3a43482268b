#include "pg/identity.hpp"

#include <cstring>

#include "pg/boundary.hpp"
#include "pg/compat.hpp"
#include "pg/preload.hpp"

namespace pgchat::pg {
namespace {

char* user_id_text;
char* role_text;
char* session_id_text;

// The parsed forms, kept by the assign hooks in step with the parameters.
const Uuid* user_id;
const Uuid* session_id;

bool check_uuid(char** value, void** extra, GucSource) noexcept {
    if ((*value)[0] == '\0') return true;
    const std::optional<Uuid> parsed = parse_uuid(*value);
    if (!parsed) {
        GUC_check_errdetail("The value must be a UUID or empty.");
        return false;
    }
    *extra = guc_extra_alloc(sizeof(Uuid));
    if (*extra == nullptr) return false;
    std::memcpy(*extra, &*parsed, sizeof(Uuid));
    return true;
}

void assign_user_id(const char*, void* extra) noexcept {
    user_id = static_cast<const Uuid*>(extra);
}

void assign_session_id(const char*, void* extra) noexcept {
    session_id = static_cast<const Uuid*>(extra);
}

void define(const char* name, const char* description, char** variable, GucStringCheckHook check,
            GucStringAssignHook assign) noexcept {
    DefineCustomStringVariable(name, description, nullptr, variable, "", PGC_SUSET, GUC_DISALLOW_IN_FILE, check, assign,
                               nullptr);
}

void set_parameter(const char* name, const char* value, bool is_local) {
    call([&] {
        set_config_option(name, value, PGC_SUSET, PGC_S_SESSION, is_local ? GUC_ACTION_LOCAL : GUC_ACTION_SET, true, 0,
                          false);
    });
}

}  // namespace

Identity current_identity() {
    require_preloaded();
    Identity identity;
    if (user_id == nullptr) return identity;
    identity.has_user = true;
    identity.user_id = *user_id;
    identity.role = role_text;
    if (session_id != nullptr) {
        identity.has_session = true;
        identity.session_id = *session_id;
    }
    return identity;
}

Identity require_identity() {
    const Identity identity = current_identity();
    if (!identity.has_user)
        throw Error(ErrorCode::not_authenticated, "no user is authenticated",
                    "Call chat.authenticate(session_token) first, in the same transaction.");
    return identity;
}

void set_identity(const Uuid* user, std::string_view role, const Uuid* session, bool is_local) {
    require_preloaded();
    const std::string user_value = user ? to_string(*user) : std::string();
    const std::string role_value(role);
    const std::string session_value = session ? to_string(*session) : std::string();
    set_parameter("app.current_user_id", user_value.c_str(), is_local);
    set_parameter("app.current_user_role", role_value.c_str(), is_local);
    set_parameter("app.current_session_id", session_value.c_str(), is_local);
}

void define_identity_parameters() noexcept {
    define("app.current_user_id", "The id of the user on whose behalf statements run; row policies read it.",
           &user_id_text, check_uuid, assign_user_id);
    define("app.current_user_role", "The in-app role of the current user.", &role_text, nullptr, nullptr);
    define("app.current_session_id", "The session through which the current user was authenticated.", &session_id_text,
           check_uuid, assign_session_id);
}

}  // namespace pgchat::pg
