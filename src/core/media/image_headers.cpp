#include "core/media/image_headers.hpp"

#include <algorithm>

namespace pgchat {
namespace {

// Reads a file from its start; a read past the end gives zeros and is remembered.
class ByteReader {
public:
    explicit ByteReader(std::string_view bytes) noexcept : bytes_(bytes) {}

    bool is_good() const noexcept { return good_; }
    bool at_end() const noexcept { return at_ >= bytes_.size(); }
    std::size_t rest() const noexcept { return bytes_.size() - at_; }

    void skip(std::size_t count) noexcept {
        good_ = good_ && count <= rest();
        at_ += std::min(count, rest());
    }
    std::string_view take(std::size_t count) noexcept {
        const std::size_t from = at_;
        skip(count);
        return bytes_.substr(from, at_ - from);
    }
    std::uint32_t little(std::size_t count) noexcept {
        std::uint32_t value = 0;
        const std::string_view part = take(count);
        for (std::size_t i = part.size(); i > 0; --i) value = value << 8 | static_cast<unsigned char>(part[i - 1]);
        return good_ ? value : 0;
    }
    std::uint32_t big(std::size_t count) noexcept {
        std::uint32_t value = 0;
        for (const char c : take(count)) value = value << 8 | static_cast<unsigned char>(c);
        return good_ ? value : 0;
    }

private:
    std::string_view bytes_;
    std::size_t at_ = 0;
    bool good_ = true;
};

ImageSize larger(const ImageSize& a, const ImageSize& b) noexcept {
    return {std::max(a.width, b.width), std::max(a.height, b.height)};
}

// Of the markers from C0 to CF, those of tables and arithmetic conditioning begin no frame.
bool begins_frame(std::uint32_t marker) noexcept {
    return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}

// Markers that have no length and no content.
bool stands_alone(std::uint32_t marker) noexcept {
    return marker <= 0x01 || (marker >= 0xD0 && marker <= 0xD7);
}

void skip_color_table(ByteReader& reader, std::uint32_t flags) noexcept {
    if ((flags & 0x80) != 0) reader.skip(std::size_t{3} << ((flags & 7) + 1));
}

void skip_sub_blocks(ByteReader& reader) noexcept {
    while (const std::uint32_t size = reader.little(1)) reader.skip(size);
}

std::optional<ImageSize> lossy_size(std::string_view data) noexcept {
    ByteReader reader(data);
    reader.skip(3);
    if (reader.take(3) != "\x9d\x01\x2a") return std::nullopt;
    const std::uint32_t width = reader.little(2) & 0x3FFF, height = reader.little(2) & 0x3FFF;
    if (!reader.is_good()) return std::nullopt;
    return ImageSize{width, height};
}

std::optional<ImageSize> lossless_size(std::string_view data) noexcept {
    ByteReader reader(data);
    if (reader.little(1) != 0x2F) return std::nullopt;
    const std::uint32_t bits = reader.little(4);
    if (!reader.is_good()) return std::nullopt;
    return ImageSize{(bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1};
}

std::optional<ImageSize> canvas_size(std::string_view data) noexcept {
    ByteReader reader(data);
    reader.skip(4);
    const std::uint32_t width = reader.little(3) + 1, height = reader.little(3) + 1;
    if (!reader.is_good()) return std::nullopt;
    return ImageSize{width, height};
}

}  // namespace

std::optional<ImageSize> png_size(std::string_view bytes) noexcept {
    ByteReader reader(bytes);
    reader.skip(8);
    if (reader.big(4) != 13 || reader.take(4) != "IHDR") return std::nullopt;
    const std::uint32_t width = reader.big(4), height = reader.big(4);
    reader.skip(5 + 4);  // depth, color, compression, filter, interlace; CRC
    if (!reader.is_good()) return std::nullopt;
    return ImageSize{width, height};
}

std::optional<ImageSize> jpeg_size(std::string_view bytes) noexcept {
    ByteReader reader(bytes);
    reader.skip(2);
    while (reader.is_good() && !reader.at_end()) {
        // What is between segments is passed over, as decoders do.
        if (reader.big(1) != 0xFF) continue;
        std::uint32_t marker = reader.big(1);
        while (marker == 0xFF) marker = reader.big(1);  // fill bytes
        if (stands_alone(marker)) continue;
        // The scan or the end before any frame.
        if (!reader.is_good() || marker == 0xD9 || marker == 0xDA) return std::nullopt;
        const std::uint32_t length = reader.big(2);
        if (length < 2) return std::nullopt;
        ByteReader segment(reader.take(length - 2));
        if (!reader.is_good()) return std::nullopt;
        if (!begins_frame(marker)) continue;
        segment.skip(1);  // precision
        const std::uint32_t height = segment.big(2), width = segment.big(2);
        if (!segment.is_good()) return std::nullopt;
        return ImageSize{width, height};
    }
    return std::nullopt;
}

std::optional<ImageSize> gif_size(std::string_view bytes) noexcept {
    ByteReader reader(bytes);
    reader.skip(6);
    ImageSize size;
    size.width = reader.little(2);
    size.height = reader.little(2);
    const std::uint32_t flags = reader.little(1);
    reader.skip(2);
    skip_color_table(reader, flags);
    bool has_frame = false;
    // What follows the first frame may be cut off: it is shown as far as it goes.
    while (reader.is_good() && !reader.at_end()) {
        const std::uint32_t kind = reader.little(1);
        if (kind == 0x21) {
            reader.skip(1);
        } else if (kind == 0x2C) {
            const std::uint32_t left = reader.little(2), top = reader.little(2);
            const std::uint32_t width = reader.little(2), height = reader.little(2);
            const std::uint32_t frame_flags = reader.little(1);
            if (!reader.is_good() || width == 0 || height == 0) break;
            size = larger(size, {left + width, top + height});
            has_frame = true;
            skip_color_table(reader, frame_flags);
            reader.skip(1);
        } else {
            break;
        }
        skip_sub_blocks(reader);
    }
    if (!has_frame) return std::nullopt;
    return size;
}

std::optional<ImageSize> webp_size(std::string_view bytes) noexcept {
    ByteReader reader(bytes);
    reader.skip(4);
    const std::uint32_t riff_size = reader.little(4);
    reader.skip(4);
    if (!reader.is_good() || riff_size > bytes.size() - 8) return std::nullopt;
    std::optional<ImageSize> size;
    while (reader.is_good() && !reader.at_end()) {
        const std::string_view kind = reader.take(4);
        const std::uint32_t length = reader.little(4);
        const std::string_view data = reader.take(length);
        if (!reader.is_good()) return size;
        std::optional<ImageSize> told;
        if (kind == "VP8X")
            told = canvas_size(data);
        else if (kind == "VP8 ")
            told = lossy_size(data);
        else if (kind == "VP8L")
            told = lossless_size(data);
        // Frames of an animation have the size of the canvas at most.
        else if (!size)
            return std::nullopt;
        if (kind.starts_with("VP8")) {
            if (!told || told->width == 0 || told->height == 0) return std::nullopt;
            size = larger(size.value_or(ImageSize{}), *told);
        }
        if (length % 2 != 0 && !reader.at_end()) reader.skip(1);
    }
    return size;
}

}  // namespace pgchat
