// The operator's list of hosts for which plain http and private addresses are allowed (`pgchat.trusted_hosts`).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/http/ip_address.hpp"

namespace pgchat {

inline constexpr std::string_view default_trusted_hosts = "localhost,127.0.0.0/8,::1";

class TrustedHosts {
public:
    // Reads a comma-separated list of host names, IP addresses, blocks ("10.0.0.0/8") and suffixes ("*.internal",
    // which does not stand for "internal" itself). White space around an entry and empty entries are ignored; case does
    // not matter. Throws Error: invalid_argument, naming the entry, for anything else.
    explicit TrustedHosts(std::string_view list);

    // Whether a host, as ParsedUrl has it, is on the list. A name is never looked up: a name that resolves to a listed
    // address is not trusted by that, for whoever owns the name chooses the address.
    bool contains(std::string_view host) const;

private:
    void add(std::string_view entry);

    std::vector<std::string> names_;
    std::vector<std::string> suffixes_;  // with the leading dot
    std::vector<IpBlock> blocks_;
};

}  // namespace pgchat
