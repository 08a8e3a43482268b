#include "core/media/file_type.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "core/error.hpp"
#include "core/media/image_headers.hpp"

namespace pgchat {
namespace {

std::string little(std::uint32_t value, int count) {
    std::string out;
    for (int i = 0; i < count; ++i) out += static_cast<char>(value >> (8 * i));
    return out;
}

std::string big(std::uint32_t value, int count) {
    std::string out;
    for (int i = count; i > 0; --i) out += static_cast<char>(value >> (8 * (i - 1)));
    return out;
}

std::string png(std::uint32_t width, std::uint32_t height, std::uint32_t length = 13) {
    return std::string("\x89PNG\r\n\x1a\n") + big(length, 4) + "IHDR" + big(width, 4) + big(height, 4) +
           std::string("\x08\x02\0\0\0", 5) + "crc?" + "more";
}

std::string segment(int marker, const std::string& content) {
    return std::string("\xff") + static_cast<char>(marker) + big(static_cast<std::uint32_t>(content.size() + 2), 2) +
           content;
}

std::string jpeg(std::uint32_t width, std::uint32_t height, int frame = 0xC0) {
    return "\xff\xd8" + segment(0xE0, "JFIF....") + "\xff\xff\xff" + segment(0xC4, std::string(30, '\0')).substr(1) +
           segment(frame, "\x08" + big(height, 2) + big(width, 2) + "\x03") + segment(0xDA, "scan") + "data";
}

std::string gif_frame(std::uint32_t left, std::uint32_t top, std::uint32_t width, std::uint32_t height) {
    return std::string("\x2c") + little(left, 2) + little(top, 2) + little(width, 2) + little(height, 2) +
           std::string("\0\x02\x02xx\0", 6);
}

std::string gif(std::uint32_t width, std::uint32_t height, const std::string& frames) {
    return "GIF89a" + little(width, 2) + little(height, 2) + std::string("\x80\0\0", 3) + std::string(6, 'c') +
           std::string("\x21\xf9\x04....\0", 8) + frames + ";";
}

std::string riff(const std::string& chunks) {
    return "RIFF" + little(static_cast<std::uint32_t>(chunks.size() + 4), 4) + "WEBP" + chunks;
}

std::string chunk(const char* kind, const std::string& data) {
    return kind + little(static_cast<std::uint32_t>(data.size()), 4) + data + std::string(data.size() % 2, '\0');
}

std::string lossy(std::uint32_t width, std::uint32_t height) {
    return chunk("VP8 ", std::string("\0\0\0\x9d\x01\x2a", 6) + little(width, 2) + little(height, 2) + "frame");
}

std::string lossless(std::uint32_t width, std::uint32_t height) {
    return chunk("VP8L", "\x2f" + little((width - 1) | (height - 1) << 14, 4) + "frame");
}

std::string extended(std::uint32_t width, std::uint32_t height) {
    return chunk("VP8X", std::string(4, '\0') + little(width - 1, 3) + little(height - 1, 3));
}

std::string shown(std::string_view bytes) {
    try {
        const FileType type = file_type(bytes, {});
        std::string text = media_type_of(type.format);
        if (is_image(type.format))
            text += ' ' + std::to_string(type.size.width) + 'x' + std::to_string(type.size.height);
        return text;
    } catch (const Error& error) {
        return sqlstate(error.code());
    }
}

const std::vector<std::string>& samples() {
    static const std::vector<std::string> files = {
        png(640, 480),
        jpeg(640, 480),
        jpeg(640, 480, 0xC2),
        gif(640, 480, gif_frame(0, 0, 640, 480)),
        gif(16, 16, gif_frame(0, 0, 16, 16) + gif_frame(600, 400, 40, 80)),
        riff(lossy(640, 480)),
        riff(lossless(640, 480)),
        riff(extended(640, 480) + chunk("ALPH", "abc") + lossy(640, 480)),
        riff(extended(640, 480) + chunk("ANIM", "......") + chunk("ANMF", std::string(40, 'x'))),
    };
    return files;
}

TEST(FileType, TellsTheSizeOfEachFormat) {
    const char* const expected[] = {"image/png 640x480",  "image/jpeg 640x480", "image/jpeg 640x480",
                                    "image/gif 640x480",  "image/gif 640x480",  "image/webp 640x480",
                                    "image/webp 640x480", "image/webp 640x480", "image/webp 640x480"};
    for (std::size_t i = 0; i < samples().size(); ++i) EXPECT_EQ(shown(samples()[i]), expected[i]) << i;
}

TEST(FileType, TellsOtherFiles) {
    EXPECT_EQ(shown("%PDF-1.7\n\x80"), "application/pdf");
    EXPECT_EQ(shown("a,b\n\xc3\xa4,2\n"), "text/plain");
    EXPECT_EQ(shown("PK\x03\x04\x80"), "application/octet-stream");
    EXPECT_EQ(shown(std::string_view("a\0b", 3)), "application/octet-stream") << "no text can hold it";
    EXPECT_EQ(shown(""), "22023");
}

TEST(FileType, RefusesHeadersThatLie) {
    const std::string files[] = {
        png(0, 480),
        png(640, 0),
        png(640, 480, 12),
        png(640, 480, 0xFFFFFFFF),
        jpeg(0, 480),
        jpeg(640, 0),
        "\xff\xd8\xff\xd9",
        "\xff\xd8" + segment(0xDA, "scan before any frame"),
        "\xff\xd8\xff\xe0" + big(1, 2) + "length below two",
        "\xff\xd8\xff\xe0" + big(0xFFFF, 2) + "length past the end",
        "\xff\xd8" + segment(0xC0, "\x08"),
        gif(640, 480, ""),
        gif(640, 480, gif_frame(0, 0, 0, 480)),
        gif(0, 0, gif_frame(0, 0, 0, 0)),
        riff(""),
        riff(chunk("EXIF", "no frame")),
        riff(lossy(0, 480)),
        riff(chunk("VP8 ", "no start code")),
        riff(chunk("VP8L", "no signature")),
        riff(chunk("VP8X", "short")),
        "RIFF" + little(0xFFFFFFFF, 4) + "WEBP" + lossy(640, 480),
    };
    for (std::size_t i = 0; i < std::size(files); ++i) EXPECT_EQ(shown(files[i]), "22023") << i;
}

TEST(FileType, RefusesImagesBeyondTheLimits) {
    EXPECT_EQ(shown(png(8192, 10)), "image/png 8192x10");
    EXPECT_EQ(shown(png(8193, 10)), "54000");
    EXPECT_EQ(shown(png(8000, 8000)), "54000") << "each side may be, but not all of it";
    EXPECT_EQ(shown(png(0x7FFFFFFF, 0x7FFFFFFF)), "54000");
    EXPECT_EQ(shown(png(0xFFFFFFFF, 0xFFFFFFFF)), "54000");
    EXPECT_EQ(shown(gif(1, 1, gif_frame(65535, 65535, 65535, 65535))), "54000") << "a frame beyond the screen";
    EXPECT_EQ(shown(riff(extended(16, 16) + lossy(16383, 16383))), "54000") << "a frame beyond the canvas";
}

// Whatever is cut off or changed, there is a size or an error, and no byte outside is read: each file is its own
// allocation, so that a sanitizer sees it.
TEST(FileType, SurvivesTruncation) {
    for (const std::string& whole : samples())
        for (std::size_t size = 0; size <= whole.size(); ++size) {
            const std::vector<char> exact(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
            const std::string result = shown({exact.data(), exact.size()});
            EXPECT_TRUE(result == "22023" || result == "text/plain" || result == "application/octet-stream" ||
                        result.starts_with("image/"))
                << result;
        }
    EXPECT_EQ(shown(png(640, 480).substr(0, 24)), "22023");
}

TEST(FileType, SurvivesRandomChanges) {
    std::mt19937 random(20260101);
    for (int round = 0; round < 20'000; ++round) {
        const std::string& whole = samples()[random() % samples().size()];
        std::vector<char> bytes(whole.begin(), whole.end());
        for (unsigned changes = random() % 4 + 1; changes > 0; --changes)
            bytes[8 + random() % (bytes.size() - 8)] = static_cast<char>(random());
        bytes.resize(random() % 2 == 0 ? bytes.size() : 8 + random() % (bytes.size() - 8));
        const std::string_view view(bytes.data(), bytes.size());
        const FileFormat format = format_by_signature(view);
        if (!is_image(format)) continue;
        try {
            const ImageSize size = image_size(format, view);
            ASSERT_GT(size.width, 0u);
            ASSERT_GT(size.height, 0u);
        } catch (const Error& error) {
            ASSERT_EQ(error.code(), ErrorCode::invalid_argument);
        }
    }
}

std::string agreed(FileFormat format, std::string_view claimed) {
    try {
        return agreed_media_type(format, claimed);
    } catch (const Error& error) {
        EXPECT_FALSE(error.hint().empty());
        return sqlstate(error.code());
    }
}

TEST(FileType, AClaimIsKeptWhereTheBytesLeaveItOpen) {
    EXPECT_EQ(agreed(FileFormat::png, ""), "image/png");
    EXPECT_EQ(agreed(FileFormat::png, "IMAGE/PNG; x=y"), "image/png");
    EXPECT_EQ(agreed(FileFormat::png, "application/octet-stream"), "image/png");
    EXPECT_EQ(agreed(FileFormat::jpeg, "image/jpg"), "image/jpeg");
    EXPECT_EQ(agreed(FileFormat::text, "text/csv; charset=utf-8"), "text/csv");
    EXPECT_EQ(agreed(FileFormat::text, "application/json"), "application/json");
    EXPECT_EQ(agreed(FileFormat::text, "image/svg+xml"), "image/svg+xml");
    EXPECT_EQ(agreed(FileFormat::other, "application/zip"), "application/zip");
    EXPECT_EQ(agreed(FileFormat::other, ""), "application/octet-stream");
}

TEST(FileType, AClaimThatContradictsTheBytesIsRefused) {
    EXPECT_EQ(agreed(FileFormat::png, "image/jpeg"), "22023");
    EXPECT_EQ(agreed(FileFormat::pdf, "text/plain"), "22023");
    EXPECT_EQ(agreed(FileFormat::text, "image/png"), "22023");
    EXPECT_EQ(agreed(FileFormat::text, "application/pdf"), "22023");
    EXPECT_EQ(agreed(FileFormat::text, "audio/mpeg"), "22023");
    EXPECT_EQ(agreed(FileFormat::other, "text/plain"), "22023");
    EXPECT_EQ(agreed(FileFormat::other, "image/webp"), "22023");
}

TEST(FileType, AClaimMustBeAMediaType) {
    for (const char* claimed : {"png", "image/", "/png", "image/p ng", "a/b/c", "image/png\n", "<b>/x", " "})
        EXPECT_EQ(agreed(FileFormat::other, claimed), "22023") << claimed;
    EXPECT_EQ(agreed(FileFormat::other, "a/" + std::string(254, 'b')), "22023");
    EXPECT_EQ(agreed(FileFormat::other, "a/" + std::string(253, 'b')), "a/" + std::string(253, 'b'));
}

}  // namespace
}  // namespace pgchat
