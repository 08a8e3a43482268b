#include "core/version.hpp"

#include <array>
#include <charconv>

namespace pgchat {
namespace {

using Parts = std::array<unsigned, 4>;

Parts parts_of(std::string_view version) noexcept {
    Parts parts{};
    version = version.substr(0, version.find('-'));
    for (unsigned& part : parts) {
        std::from_chars(version.data(), version.data() + version.size(), part);
        const std::size_t dot = version.find('.');
        if (dot == std::string_view::npos) break;
        version.remove_prefix(dot + 1);
    }
    return parts;
}

}  // namespace

bool is_older_version(std::string_view a, std::string_view b) noexcept {
    return parts_of(a) < parts_of(b);
}

}  // namespace pgchat
