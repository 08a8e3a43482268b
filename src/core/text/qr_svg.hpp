// A QR code as an SVG image, which a web page can show as it is.
#pragma once

#include <string>
#include <string_view>

namespace pgchat {

// An SVG document of one path, black on white, with the quiet zone of four modules (ISO/IEC 18004), error correction
// level M, in the smallest size that holds the text. It has no size of its own but its viewBox, one unit a module.
// Throws Error: invalid_argument for a text that is empty, holds a NUL byte, or is too long for a QR code (2,331
// bytes).
std::string qr_svg(std::string_view text);

}  // namespace pgchat
