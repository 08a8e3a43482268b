// Reading the list of trusted hosts, and matching a host against it.
#include "core/http/trusted_hosts.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "core/text/ascii.hpp"

namespace pgchat {
namespace {

std::string lower_case(std::string_view text) {
    std::string result(text);
    for (char& c : result) c = ascii_lower(c);
    return result;
}

std::string_view without_brackets(std::string_view text) noexcept {
    if (text.size() >= 2 && text.front() == '[' && text.back() == ']') return text.substr(1, text.size() - 2);
    return text;
}

// Letters, digits, '-' and '_' between single dots, with at least one letter: "127.1" is no name but a misspelt
// address.
bool is_host_name(std::string_view name) noexcept {
    char last = '.';
    bool letter = false;
    for (const char c : name) {
        const bool digit = c >= '0' && c <= '9';
        const bool other = (c >= 'a' && c <= 'z') || c == '-' || c == '_';
        if (!digit && !other && (c != '.' || last == '.')) return false;
        letter = letter || other;
        last = c;
    }
    return letter && last != '.';
}

}  // namespace

TrustedHosts::TrustedHosts(std::string_view list) {
    while (true) {
        const std::size_t comma = list.find(',');
        const std::string_view entry = trimmed(list.substr(0, comma));
        if (!entry.empty()) add(entry);
        if (comma == std::string_view::npos) return;
        list.remove_prefix(comma + 1);
    }
}

void TrustedHosts::add(std::string_view entry) {
    if (const auto block = parse_ip_block(without_brackets(entry))) {
        blocks_.push_back(*block);
        return;
    }
    const std::string name = lower_case(entry);
    if (name.starts_with("*.") && is_host_name(std::string_view(name).substr(2)))
        suffixes_.push_back(name.substr(1));
    else if (is_host_name(name))
        names_.push_back(name);
    else
        throw Error(ErrorCode::invalid_argument, "\"" + std::string(entry) + "\" is not a host",
                    "List host names, IP addresses, blocks such as 10.0.0.0/8, and suffixes such as *.internal, "
                    "separated by commas.");
}

bool TrustedHosts::contains(std::string_view host) const {
    if (const auto address = parse_ip_address(host))
        return std::any_of(blocks_.begin(), blocks_.end(),
                           [&](const IpBlock& block) { return block.contains(*address); });
    const auto is_end_of_host = [&](const std::string& suffix) {
        return host.size() > suffix.size() && host.ends_with(suffix);
    };
    return std::find(names_.begin(), names_.end(), host) != names_.end() ||
           std::any_of(suffixes_.begin(), suffixes_.end(), is_end_of_host);
}

}  // namespace pgchat
