// What a file is, told from its bytes, so that nobody has to be believed: the format, and the size of an image.
//
// Only headers are read. Nothing is decompressed, every read is checked against the end, and the work is at most
// proportional to the number of blocks, so that a file made to mislead costs no more than an honest one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace pgchat {

enum class FileFormat { png, jpeg, gif, webp, pdf, text, other };

struct ImageSize {
    std::uint32_t width = 0;  // pixels
    std::uint32_t height = 0;
};

struct FileType {
    FileFormat format = FileFormat::other;
    ImageSize size;  // zero where it is no image
};

struct ImageLimits {
    std::uint32_t max_side = 8192;          // pixels
    std::uint64_t max_pixels = 50'000'000;  // of the whole image
};

// How the file begins: png, jpeg, gif, webp, pdf, or other.
FileFormat format_by_signature(std::string_view bytes) noexcept;

// "image/png" …; "text/plain" for text, and "application/octet-stream" for other.
const char* media_type_of(FileFormat format) noexcept;

bool is_image(FileFormat format) noexcept;

// The size that the headers of an image tell, the largest where there are several. Throws Error invalid_argument where
// they are cut off, contradict themselves, or tell a size of zero.
ImageSize image_size(FileFormat format, std::string_view bytes);

// The format and the size. Throws Error: invalid_argument for an empty file or a damaged image; content_too_long for
// an image beyond the limits.
FileType file_type(std::string_view bytes, const ImageLimits& limits);

// The media type under which a file is kept: `claimed`, in lower case and without parameters, where the format leaves
// it open (a text may be text/csv), else the format's own; an empty claim, and application/octet-stream, claim nothing.
// Throws Error invalid_argument where `claimed` is no media type, or contradicts the format.
std::string agreed_media_type(FileFormat format, std::string_view claimed);

}  // namespace pgchat
