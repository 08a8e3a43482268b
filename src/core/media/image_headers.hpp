// The headers of image files, as far as they tell an image's size.
#pragma once

#include <optional>
#include <string_view>

#include "core/media/file_type.hpp"

namespace pgchat {

// Each takes a file that begins with the signature of its format, and gives the size as it is told, even zero; nullopt
// where the header is cut off or contradicts itself.

// PNG (Third Edition), chunk IHDR.
std::optional<ImageSize> png_size(std::string_view bytes) noexcept;

// ITU-T T.81: the frame header, behind whatever segments. A height that a later DNL segment would tell is zero.
std::optional<ImageSize> jpeg_size(std::string_view bytes) noexcept;

// GIF89a: the logical screen and all frames, of which the largest extent counts.
std::optional<ImageSize> gif_size(std::string_view bytes) noexcept;

// RFC 9649: the lossy, the lossless and the extended form; the larger of canvas and frame where there are both.
std::optional<ImageSize> webp_size(std::string_view bytes) noexcept;

}  // namespace pgchat
