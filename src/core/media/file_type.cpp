#include "core/media/file_type.hpp"

#include <algorithm>
#include <optional>

#include "core/error.hpp"
#include "core/media/image_headers.hpp"
#include "core/text/ascii.hpp"
#include "core/text/utf8.hpp"

namespace pgchat {
namespace {

constexpr std::size_t max_media_type_bytes = 255;

[[noreturn]] void refuse(const std::string& message, const char* hint) {
    throw Error(ErrorCode::invalid_argument, message, hint);
}

// A token of RFC 6838, of which a media type has two.
bool is_name(std::string_view text) noexcept {
    const auto fits = [](char c) {
        return is_ascii_alnum(c) || std::string_view("!#$&-^_.+").find(c) != std::string_view::npos;
    };
    return !text.empty() && is_ascii_alnum(text.front()) && std::all_of(text.begin(), text.end(), fits);
}

std::string normalized(std::string_view claimed) {
    claimed = claimed.substr(0, claimed.find(';'));
    while (!claimed.empty() && claimed.front() == ' ') claimed.remove_prefix(1);
    while (!claimed.empty() && claimed.back() == ' ') claimed.remove_suffix(1);
    std::string type(claimed);
    std::transform(type.begin(), type.end(), type.begin(), ascii_lower);
    return type == "image/jpg" ? "image/jpeg" : type;
}

// Formats that begin in a way of their own, so that what does not begin so is none.
bool is_told_by_signature(std::string_view type) noexcept {
    constexpr FileFormat formats[] = {FileFormat::png, FileFormat::jpeg, FileFormat::gif, FileFormat::webp,
                                      FileFormat::pdf};
    return std::any_of(std::begin(formats), std::end(formats),
                       [&](FileFormat format) { return type == media_type_of(format); });
}

bool may_be_text(std::string_view type) noexcept {
    if (type == "image/svg+xml") return true;
    for (const std::string_view never : {"image/", "audio/", "video/", "font/"})
        if (type.starts_with(never)) return false;
    return !is_told_by_signature(type);
}

bool fits(FileFormat format, std::string_view type) noexcept {
    if (format == FileFormat::text) return may_be_text(type);
    if (format == FileFormat::other) return !type.starts_with("text/") && !is_told_by_signature(type);
    return type == media_type_of(format);
}

}  // namespace

FileFormat format_by_signature(std::string_view bytes) noexcept {
    if (bytes.starts_with("\x89PNG\r\n\x1a\n")) return FileFormat::png;
    if (bytes.starts_with("\xff\xd8\xff")) return FileFormat::jpeg;
    if (bytes.starts_with("GIF87a") || bytes.starts_with("GIF89a")) return FileFormat::gif;
    if (bytes.starts_with("RIFF") && bytes.substr(0, 12).ends_with("WEBP")) return FileFormat::webp;
    if (bytes.starts_with("%PDF-")) return FileFormat::pdf;
    return FileFormat::other;
}

const char* media_type_of(FileFormat format) noexcept {
    switch (format) {
        case FileFormat::png:
            return "image/png";
        case FileFormat::jpeg:
            return "image/jpeg";
        case FileFormat::gif:
            return "image/gif";
        case FileFormat::webp:
            return "image/webp";
        case FileFormat::pdf:
            return "application/pdf";
        case FileFormat::text:
            return "text/plain";
        case FileFormat::other:
            break;
    }
    return "application/octet-stream";
}

bool is_image(FileFormat format) noexcept {
    return format == FileFormat::png || format == FileFormat::jpeg || format == FileFormat::gif ||
           format == FileFormat::webp;
}

ImageSize image_size(FileFormat format, std::string_view bytes) {
    std::optional<ImageSize> size;
    if (format == FileFormat::png) size = png_size(bytes);
    if (format == FileFormat::jpeg) size = jpeg_size(bytes);
    if (format == FileFormat::gif) size = gif_size(bytes);
    if (format == FileFormat::webp) size = webp_size(bytes);
    if (!size || size->width == 0 || size->height == 0)
        refuse("the file begins as an image and is none: its header is damaged or cut off",
               "Check that the whole file was sent, byte by byte.");
    return *size;
}

FileType file_type(std::string_view bytes, const ImageLimits& limits) {
    if (bytes.empty()) refuse("the file is empty", "Check that the whole file was sent.");
    FileType type;
    type.format = format_by_signature(bytes);
    if (type.format == FileFormat::other && is_clean_text(bytes)) type.format = FileFormat::text;
    if (!is_image(type.format)) return type;
    type.size = image_size(type.format, bytes);
    const std::uint64_t pixels = std::uint64_t{type.size.width} * type.size.height;
    if (std::max(type.size.width, type.size.height) > limits.max_side || pixels > limits.max_pixels)
        throw Error(ErrorCode::content_too_long,
                    "the image has " + std::to_string(type.size.width) + " x " + std::to_string(type.size.height) +
                        " pixels, and " + std::to_string(limits.max_side) + " a side and " +
                        std::to_string(limits.max_pixels) + " together are allowed",
                    "Scale it down, or have an administrator raise the settings image_max_dimension and "
                    "image_max_pixels.");
    return type;
}

std::string agreed_media_type(FileFormat format, std::string_view claimed) {
    const std::string type = normalized(claimed);
    if (claimed.empty() || type == media_type_of(FileFormat::other)) return media_type_of(format);
    const std::size_t slash = type.find('/');
    if (type.size() > max_media_type_bytes || slash == type.npos || !is_name(type.substr(0, slash)) ||
        !is_name(type.substr(slash + 1)))
        refuse("media_type is no media type", "For example image/png or text/csv; NULL has it told from the bytes.");
    if (!fits(format, type))
        refuse("the bytes are not " + type + " but " + media_type_of(format),
               format == FileFormat::other ? "A text must be UTF-8; NULL has the type told from the bytes."
                                           : "Give the type that it is, or NULL, which has it told from the bytes.");
    return type;
}

}  // namespace pgchat
