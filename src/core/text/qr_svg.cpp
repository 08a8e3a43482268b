// The modules are libqrencode's; the path has one rectangle for each run of dark modules in a row.
#include "core/text/qr_svg.hpp"

#include <qrencode.h>

#include <memory>

#include "core/error.hpp"

namespace pgchat {
namespace {

constexpr int quiet_zone = 4;

struct QrFree {
    void operator()(QRcode* code) const noexcept { QRcode_free(code); }
};

std::string path_of(const QRcode& code) {
    const auto is_dark = [&](int x, int y) { return (code.data[y * code.width + x] & 1) != 0; };
    std::string path;
    for (int y = 0; y < code.width; ++y)
        for (int x = 0; x < code.width;) {
            const int begin = x;
            while (x < code.width && is_dark(x, y)) ++x;
            if (x == begin) {
                ++x;
                continue;
            }
            const std::string width = std::to_string(x - begin);
            path += "M" + std::to_string(begin + quiet_zone) + " " + std::to_string(y + quiet_zone);
            path += "h" + width + "v1h-" + width + "z";
        }
    return path;
}

}  // namespace

std::string qr_svg(std::string_view text) {
    const std::string copy(text);
    const bool is_possible = !text.empty() && text.find('\0') == std::string_view::npos;
    const std::unique_ptr<QRcode, QrFree> code(is_possible ? QRcode_encodeString8bit(copy.c_str(), 0, QR_ECLEVEL_M)
                                                           : nullptr);
    if (!code) throw Error(ErrorCode::invalid_argument, "the text does not fit into a QR code");
    const std::string side = std::to_string(code->width + 2 * quiet_zone);
    return "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + side + " " + side +
           "\" shape-rendering=\"crispEdges\"><rect width=\"100%\" height=\"100%\" fill=\"#fff\"/><path fill=\"#000\" "
           "d=\"" +
           path_of(*code) + "\"/></svg>";
}

}  // namespace pgchat
