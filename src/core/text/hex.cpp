#include "core/text/hex.hpp"

namespace pgchat {

std::string hex_of(std::string_view bytes) {
    std::string text(2 * bytes.size(), '\0');
    char* to = text.data();
    for (const char byte : bytes) to = write_hex(static_cast<unsigned char>(byte), to);
    return text;
}

}  // namespace pgchat
