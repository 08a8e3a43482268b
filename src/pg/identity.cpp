#include "pg/identity.hpp"

#include <charconv>
#include <cstring>

#include "pg/boundary.hpp"
#include "pg/compat.hpp"
#include "pg/identity_check.hpp"
#include "pg/preload.hpp"

namespace pgchat::pg {
namespace {

char* user_id_text;
char* role_text;
char* session_id_text;
char* token_text;
char* pending_user_text;
char* pending_session_text;
char* signed_text;

// The parsed forms, kept by the assign hooks in step with the parameters.
const Uuid* user_id;
const Uuid* session_id;
const Uuid* pending_user;
const Uuid* pending_session;

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

void assign_pending_user(const char*, void* extra) noexcept {
    pending_user = static_cast<const Uuid*>(extra);
}

void assign_pending_session(const char*, void* extra) noexcept {
    pending_session = static_cast<const Uuid*>(extra);
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

Identity given_identity() {
    Identity identity;
    if (user_id == nullptr) return identity;
    identity.has_user = true;
    identity.user_id = *user_id;
    identity.role = role_text;
    identity.token = token_text;
    if (session_id != nullptr) {
        identity.has_session = true;
        identity.session_id = *session_id;
    }
    return identity;
}

Identity current_identity() {
    require_preloaded();
    return checked(given_identity());
}

Identity require_identity() {
    const Identity identity = current_identity();
    if (!identity.has_user)
        throw Error(ErrorCode::not_authenticated, "no user is authenticated",
                    "Call chat.authenticate(session_token) first, in the same transaction.");
    return identity;
}

std::optional<TokenClaims> parse_claims(const char* token) noexcept {
    TokenClaims claims;
    const char* const end = token + std::strlen(token);
    const auto version = std::from_chars(token, end, claims.version);
    if (version.ec != std::errc() || version.ptr == end || *version.ptr != ' ') return std::nullopt;
    const auto expiry = std::from_chars(version.ptr + 1, end, claims.expires_at_us);
    if (expiry.ec != std::errc() || expiry.ptr != end) return std::nullopt;
    return claims;
}

void set_identity(const Uuid* user, std::string_view role, const Uuid* session, bool is_local,
                  const TokenClaims* claims) {
    require_preloaded();
    const std::string token = claims != nullptr
                                  ? std::to_string(claims->version) + ' ' + std::to_string(claims->expires_at_us)
                                  : std::string();
    const std::string user_value = user ? to_string(*user) : std::string();
    const std::string role_value(role);
    const std::string session_value = session ? to_string(*session) : std::string();
    set_parameter("app.current_user_id", user_value.c_str(), is_local);
    set_parameter("app.current_user_role", role_value.c_str(), is_local);
    set_parameter("app.current_session_id", session_value.c_str(), is_local);
    if (token != token_text) set_parameter("app.current_token", token.c_str(), is_local);
}

std::optional<PendingIdentity> pending_identity() {
    require_preloaded();
    if (pending_user == nullptr || pending_session == nullptr) return std::nullopt;
    return PendingIdentity{*pending_user, *pending_session};
}

void set_pending_identity(const PendingIdentity* pending, bool is_local) {
    require_preloaded();
    if (pending == nullptr && pending_user == nullptr) return;
    set_parameter("app.pending_user_id", pending ? to_string(pending->user_id).c_str() : "", is_local);
    set_parameter("app.pending_session_id", pending ? to_string(pending->session_id).c_str() : "", is_local);
}

bool identity_is_signed() {
    require_preloaded();
    return signed_text[0] != '\0';
}

void set_signed_identity(bool is_signed, bool is_local) {
    if (!identity_is_signed() && !is_signed) return;
    set_parameter("app.signed_identity", is_signed ? "yes" : "", is_local);
}

void define_identity_parameters() noexcept {
    define("app.current_user_id", "The id of the user on whose behalf statements run; row policies read it.",
           &user_id_text, check_uuid, assign_user_id);
    define("app.current_user_role", "The in-app role of the current user.", &role_text, nullptr, nullptr);
    define("app.current_session_id", "The session through which the current user was authenticated.", &session_id_text,
           check_uuid, assign_session_id);
    define("app.current_token",
           "Version and expiry of the signed token through which the current user was authenticated.", &token_text,
           nullptr, nullptr);
    define("app.pending_user_id", "The user whose second factor is still to be proved.", &pending_user_text, check_uuid,
           assign_pending_user);
    define("app.pending_session_id", "The session whose second factor is still to be proved.", &pending_session_text,
           check_uuid, assign_pending_session);
    define("app.signed_identity", "Whether the current user was authenticated by a signed token; empty: not so.",
           &signed_text, nullptr, nullptr);
}

}  // namespace pgchat::pg
