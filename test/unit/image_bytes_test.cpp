#include "core/llm/image_bytes.hpp"

#include <gtest/gtest.h>

#include "encode_support.hpp"

namespace pgchat {
namespace {

std::string bytes_shown(std::string_view hex) {
    const auto image = image_from_hex(hex);
    return image ? image->media_type + ' ' + image->base64 : "none";
}

TEST(ImageBytes, KnowsTheFormatsByHowTheyBegin) {
    EXPECT_EQ(bytes_shown("89504e470d0a1a0a"), "image/png iVBORw0KGgo=");
    EXPECT_EQ(bytes_shown("89504E470D0A1A0A00"), "image/png iVBORw0KGgoA");
    EXPECT_EQ(bytes_shown("ffd8ffe0"), "image/jpeg /9j/4A==");
    EXPECT_EQ(bytes_shown("474946383961"), "image/gif R0lGODlh");
    EXPECT_EQ(bytes_shown("52494646000000005745425000"), "image/webp UklGRgAAAABXRUJQAA==");
    for (const char* other : {"", "89", "895", "zz", "52494646", "25504446"})
        EXPECT_EQ(bytes_shown(other), "none") << other;
}

TEST(ImageBytes, ABytesTextIsAnImageOfTheOptions) {
    const ChatRequest request = chat(hello, R"({"images":["\\x89504e470d0a1a0a"]})");
    ASSERT_EQ(request.options.images.size(), 1u);
    EXPECT_EQ(request.options.images[0].media_type, "image/png");
    EXPECT_THROW(chat(hello, R"({"images":["\\x1234"]})"), Error);
}

}  // namespace
}  // namespace pgchat
