// The public keys of OpenID providers: fetched when they are first needed, kept, and fetched again when a token names
// one that is not among them.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/http/transport.hpp"
#include "core/http/trusted_hosts.hpp"
#include "core/jose/jwk.hpp"
#include "core/jose/jws.hpp"

namespace pgchat {

// Where a provider's keys are.
struct OidcSource {
    std::string issuer;
    std::string jwks_url;  // empty: what the discovery document of the issuer says

    auto operator<=>(const OidcSource&) const = default;
};

class OidcKeys {
public:
    // The key for a token; or null and why there is none: invalid_token where the provider has no such key, else what
    // kept its keys from being read. The key is valid during the call.
    using Found = std::function<void(const JoseKey* key, const std::optional<Error>& error)>;

    OidcKeys(const Clock& clock, Transport& transport);
    ~OidcKeys();
    OidcKeys(const OidcKeys&) = delete;
    OidcKeys& operator=(const OidcKeys&) = delete;

    // Which hosts may be reached by plain http and at private addresses, from the next fetch on.
    void set_trusted_hosts(const TrustedHosts& hosts) { trusted_hosts_ = hosts; }

    // Calls `found` once, now or, where something must be fetched, from the transport's run(). Keys are kept for an
    // hour, and where they cannot be fetched again for a day. A token with an unknown key makes them be fetched again,
    // at most once a minute; after a failure nothing is asked for ten seconds.
    void find(const OidcSource& source, const CompactJws& token, const std::vector<JoseAlgorithm>& algorithms,
              Found found);

private:
    class Fetch;
    struct Waiting {
        JoseAlgorithm algorithm;
        std::string kid;
        std::vector<JoseAlgorithm> algorithms;
        Found found;
    };
    struct Entry {
        std::vector<NamedKey> keys;
        std::optional<TimePoint> fetched_at;
        std::optional<TimePoint> asked_at;
        std::optional<Error> error;  // of the last fetch
        std::unique_ptr<Fetch> fetch;
        std::vector<Waiting> waiting;
    };

    const JoseKey* usable_key(const Entry& entry, const Waiting& token) const;
    bool may_ask(const Entry& entry) const;
    void answer(const Entry& entry, const Waiting& token) const;
    void finish(Entry& entry, std::vector<NamedKey> keys, std::optional<Error> error);

    const Clock& clock_;
    Transport& transport_;
    TrustedHosts trusted_hosts_{""};
    std::map<OidcSource, Entry> entries_;
};

}  // namespace pgchat
