// The SVG of a QR code: one path, a quiet zone, and the modules that libqrencode gives.
#include "core/text/qr_svg.hpp"

#include <gtest/gtest.h>
#include <qrencode.h>

#include <memory>
#include <string_view>
#include <vector>

#include "core/error.hpp"

namespace pgchat {
namespace {

const std::string uri =
    "otpauth://totp/ACME%20Co:john.doe%40email.com?secret=HXDMVJECJJWSRB3HWIZR4IFUGFTMXBOZ&issuer=ACME%20Co";

struct Image {
    int side = 0;
    std::vector<std::string> rows;  // '#' for dark
};

// Takes `part` off the front; false when it is not there.
bool take(std::string_view& text, std::string_view part) {
    if (!text.starts_with(part)) return false;
    text.remove_prefix(part.size());
    return true;
}

std::size_t take_number(std::string_view& text) {
    std::size_t number = 0;
    for (; !text.empty() && text[0] >= '0' && text[0] <= '9'; text.remove_prefix(1))
        number = number * 10 + static_cast<std::size_t>(text[0] - '0');
    return number;
}

// One rectangle of the path, "Mx yhWv1h-Wz", drawn into the rows.
bool take_rectangle(std::string_view& text, std::vector<std::string>& rows) {
    if (!take(text, "M")) return false;
    const std::size_t x = take_number(text);
    if (!take(text, " ")) return false;
    std::string& row = rows.at(take_number(text));
    if (!take(text, "h")) return false;
    const std::size_t width = take_number(text);
    row.replace(x, width, width, '#');
    return take(text, "v1h-") && take_number(text) == width && take(text, "z");
}

// Reads the only form that qr_svg writes.
Image image_of(std::string_view svg) {
    Image image;
    EXPECT_TRUE(take(svg, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 "));
    image.side = static_cast<int>(take_number(svg));
    const std::string side = std::to_string(image.side);
    EXPECT_TRUE(take(svg, " " + side + "\" shape-rendering=\"crispEdges\">"));
    EXPECT_TRUE(take(svg, "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/><path fill=\"#000\" d=\""));
    image.rows.assign(static_cast<std::size_t>(image.side), std::string(static_cast<std::size_t>(image.side), '.'));
    while (svg.starts_with('M'))
        if (!take_rectangle(svg, image.rows)) break;
    EXPECT_EQ(svg, "\"/></svg>");
    return image;
}

TEST(QrSvg, DrawsTheModulesInsideAQuietZone) {
    const Image image = image_of(qr_svg(uri));
    const std::unique_ptr<QRcode, void (*)(QRcode*)> code(QRcode_encodeString8bit(uri.c_str(), 0, QR_ECLEVEL_M),
                                                          QRcode_free);
    ASSERT_EQ(image.side, code->width + 8);
    for (int y = 0; y < image.side; ++y)
        for (int x = 0; x < image.side; ++x) {
            const int column = x - 4, row = y - 4;
            const bool inside = column >= 0 && row >= 0 && column < code->width && row < code->width;
            const bool dark = inside && (code->data[row * code->width + column] & 1) != 0;
            ASSERT_EQ(image.rows[static_cast<std::size_t>(y)][static_cast<std::size_t>(x)], dark ? '#' : '.')
                << x << "," << y;
        }
}

TEST(QrSvg, TakesTextsOfAnyLengthThatFits) {
    EXPECT_EQ(image_of(qr_svg("x")).side, 21 + 8);
    EXPECT_EQ(image_of(qr_svg(std::string(2331, 'x'))).side, 177 + 8);
}

TEST(QrSvg, RefusesWhatAQrCodeCannotHold) {
    for (const std::string& text : {std::string(), std::string(2332, 'x'), std::string("a\0b", 3)}) {
        try {
            qr_svg(text);
            ADD_FAILURE() << text.size();
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
        }
    }
}

}  // namespace
}  // namespace pgchat
