#include "pg/settings.hpp"

#include <climits>

#include "core/http/trusted_hosts.hpp"
#include "pg/postgres.hpp"

namespace pgchat::pg {

Settings settings;

namespace {

struct IntegerSetting {
    const char* name;
    const char* description;
    int* variable;
    int initial;
    int minimum;
    int maximum;
    GucContext context;
    int unit;
};

// clang-format off
const IntegerSetting integer_settings[] = {
    {"pgchat.max_calls", "Largest number of model calls in flight in one database; further ones wait.",
     &settings.max_calls, 5000, 1, 1000000, PGC_SIGHUP, 0},
    {"pgchat.max_response_bytes", "Largest response body taken from a provider; a longer one is cut and ends in error.",
     &settings.max_response_kb, 65536, 1, 262144, PGC_SIGHUP, GUC_UNIT_KB},
    {"pgchat.max_message_bytes", "Largest text of one message; a longer one is refused.",
     &settings.max_message_kb, 1024, 1, INT_MAX / 1024, PGC_SIGHUP, GUC_UNIT_KB},
    {"pgchat.connect_timeout", "Longest wait for name look-up, TCP and TLS to a provider.",
     &settings.connect_timeout_ms, 10000, 1, INT_MAX, PGC_SIGHUP, GUC_UNIT_MS},
    {"pgchat.idle_timeout", "Longest silence of a provider once its response has begun.",
     &settings.idle_timeout_ms, 60000, 1, INT_MAX, PGC_SIGHUP, GUC_UNIT_MS},
    {"pgchat.request_timeout", "Longest time for one model call, retries included, where the call sets none.",
     &settings.request_timeout_ms, 600000, 1, INT_MAX, PGC_SIGHUP, GUC_UNIT_MS},
    {"pgchat.flush_interval", "How long the tokens of one stream are gathered before they go to its readers; 0 sends each.",
     &settings.flush_interval_ms, 25, 0, 1000, PGC_SIGHUP, GUC_UNIT_MS},
    {"pgchat.checkpoint_interval", "How often the text of a live reply is saved to its message row.",
     &settings.checkpoint_interval_ms, 1000, 100, 60000, PGC_SIGHUP, GUC_UNIT_MS},
    {"pgchat.stream_retention", "How long the deltas of a finished stream can still be read one by one.",
     &settings.stream_retention_s, 60, 0, 3600, PGC_SIGHUP, GUC_UNIT_S},
    {"pgchat.max_retries", "How often a call that has not produced a token is tried again.",
     &settings.max_retries, 3, 0, 10, PGC_SIGHUP, 0},
    {"pgchat.breaker_failures", "Failures of a provider in a row after which it is not asked for a while; 0: it always is.",
     &settings.breaker_failures, 10, 0, 10000, PGC_SIGHUP, 0},
    {"pgchat.breaker_pause", "How long a provider that has failed is left alone at first; each failed try doubles it, up to five minutes.",
     &settings.breaker_pause_ms, 5000, 10, 300000, PGC_SIGHUP, GUC_UNIT_MS},
    {"pgchat.cache_max_bytes", "Memory for replies kept for calls with options.cache; 0 keeps none.",
     &settings.cache_max_kb, 16384, 0, INT_MAX / 1024, PGC_SIGHUP, GUC_UNIT_KB},
    {"pgchat.cache_ttl", "How old a kept reply may be where the call does not say.",
     &settings.cache_ttl_s, 3600, 1, 31536000, PGC_SIGHUP, GUC_UNIT_S},
    {"pgchat.max_engines", "Number of databases of this server that can have an engine.",
     &settings.max_engines, 16, 1, 1024, PGC_POSTMASTER, 0},
    {"pgchat.max_cached_sessions", "Sessions that are known for ten seconds without a look-up; 0 looks each time.",
     &settings.max_cached_sessions, 16384, 0, 1048576, PGC_POSTMASTER, 0},
    {"pgchat.bcrypt_cost", "Cost of new password hashes, as the power of two of key expansions.",
     &settings.bcrypt_cost, 12, 4, 20, PGC_SUSET, 0},
    {"pgchat.max_concurrent_hashes", "Number of sessions of this server that may hash a password at once; 0: half of its cores.",
     &settings.max_concurrent_hashes, 0, 0, 1024, PGC_SIGHUP, 0},
};
// clang-format on

struct BooleanSetting {
    const char* name;
    const char* description;
    bool* variable;
    bool initial;
    GucContext context;
};

// clang-format off
const BooleanSetting boolean_settings[] = {
    {"pgchat.cache_shared", "Whether a kept reply may be given to another user than the one it was made for.",
     &settings.cache_shared, false, PGC_SIGHUP},
    {"pgchat.trust_jwt_claims", "Whether chat.pre_request believes request.jwt.claims, which PostgREST has verified; only for roles that cannot SET it.",
     &settings.trust_jwt_claims, false, PGC_SUSET},
};
// clang-format on

bool check_trusted_hosts(char** value, void**, GucSource) noexcept {
    try {
        TrustedHosts{*value};
        return true;
    } catch (const std::exception& error) {
        GUC_check_errdetail("%s", error.what());
        return false;
    }
}

struct StringSetting {
    const char* name;
    const char* description;
    char** variable;
    const char* initial;
    GucContext context;
    GucStringCheckHook check;
};

// clang-format off
const StringSetting string_settings[] = {
    {"pgchat.trusted_hosts", "Hosts, address ranges and *.suffixes that may be reached by plain http and at private addresses.",
     &settings.trusted_hosts, "localhost,127.0.0.0/8,::1", PGC_SIGHUP, check_trusted_hosts},
    {"pgchat.ca_file", "File of certificate authorities (PEM) to verify providers with; empty: the system's.",
     &settings.ca_file, "", PGC_POSTMASTER, nullptr},
    {"pgchat.api_key_variables", "Environment variables of the server that providers may take their key from: names, and endings behind a *.",
     &settings.api_key_variables, "*_API_KEY", PGC_SIGHUP, nullptr},
    {"pgchat.master_key_file", "File of the key that secrets are sealed with; a relative path begins in the data directory.",
     &settings.master_key_file, "pgchat_master.key", PGC_SIGHUP, nullptr},
    {"pgchat.master_key_command", "Shell command that prints the key that secrets are sealed with, in place of a file.",
     &settings.master_key_command, "", PGC_SIGHUP, nullptr},
};
// clang-format on

}  // namespace

void define_settings() noexcept {
    for (const IntegerSetting& setting : integer_settings)
        DefineCustomIntVariable(setting.name, setting.description, nullptr, setting.variable, setting.initial,
                                setting.minimum, setting.maximum, setting.context, setting.unit, nullptr, nullptr,
                                nullptr);
    for (const BooleanSetting& setting : boolean_settings)
        DefineCustomBoolVariable(setting.name, setting.description, nullptr, setting.variable, setting.initial,
                                 setting.context, 0, nullptr, nullptr, nullptr);
    for (const StringSetting& setting : string_settings)
        DefineCustomStringVariable(setting.name, setting.description, nullptr, setting.variable, setting.initial,
                                   setting.context, GUC_SUPERUSER_ONLY, setting.check, nullptr, nullptr);
    MarkGUCPrefixReserved("pgchat");
}

}  // namespace pgchat::pg
