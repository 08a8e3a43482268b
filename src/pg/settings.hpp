// The server parameters `pgchat.*`, in one table (settings.cpp), documented in docs/configuration.md.
#pragma once

namespace pgchat::pg {

// In the data directory. Made by the engine when it is needed; any other file must be there.
inline constexpr const char default_master_key_file[] = "pgchat_master.key";

struct Settings {
    int max_calls;
    int max_response_kb;
    int max_message_kb;
    int connect_timeout_ms;
    int idle_timeout_ms;
    int request_timeout_ms;
    int flush_interval_ms;
    int checkpoint_interval_ms;
    int stream_retention_s;
    int max_retries;
    int breaker_failures;
    int breaker_pause_ms;
    int cache_max_kb;
    int cache_ttl_s;
    bool cache_shared;
    int max_engines;
    int max_cached_sessions;
    int bcrypt_cost;
    int max_concurrent_hashes;
    bool trust_jwt_claims;
    char* trusted_hosts;
    char* ca_file;
    char* api_key_variables;
    char* master_key_file;
    char* master_key_command;
};

// The values in force in this process.
extern Settings settings;

// Defines every parameter. Called once, from _PG_init.
void define_settings() noexcept;

}  // namespace pgchat::pg
