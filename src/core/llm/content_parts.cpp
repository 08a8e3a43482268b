#include "core/llm/content_parts.hpp"

#include <algorithm>

#include "core/llm/image_bytes.hpp"
#include "core/text/ascii.hpp"

namespace pgchat {
namespace {

constexpr const char* image_hint = "Give a bytea, an https URL, or a data URL such as data:image/png;base64,….";

bool is_base64(std::string_view text) {
    const std::size_t end = std::min(text.find('='), text.size());
    const std::string_view padding = text.substr(end);
    const auto is_digit = [](char c) { return is_ascii_alnum(c) || c == '+' || c == '/'; };
    return !text.empty() && text.size() % 4 == 0 && (padding == "" || padding == "=" || padding == "==") &&
           std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(end), is_digit);
}

bool is_media_type(std::string_view text) {
    constexpr std::string_view prefix = "image/";
    const auto is_token = [](char c) {
        return is_ascii_alnum(c) || std::string_view("+-.").find(c) != std::string_view::npos;
    };
    return text.starts_with(prefix) && text.size() > prefix.size() &&
           std::all_of(text.begin() + prefix.size(), text.end(), is_token);
}

bool has_control_or_space(std::string_view text) {
    return std::any_of(text.begin(), text.end(), [](char c) { return c == ' ' || is_ascii_control(c); });
}

}  // namespace

ImagePart parse_image_url(const std::string& url, const JsonField& field) {
    if (url.starts_with("https://")) {
        if (has_control_or_space(url)) field.fail("is not a valid URL", image_hint);
        return {{}, {}, url};
    }
    if (url.starts_with("\\x")) {
        if (auto image = image_from_hex(std::string_view(url).substr(2))) return *std::move(image);
        field.fail("is not the bytea of a PNG, JPEG, GIF or WebP image", image_hint);
    }
    if (!url.starts_with("data:")) field.fail("must be a bytea, an https URL or a data URL", image_hint);
    constexpr std::string_view marker = ";base64,";
    const std::size_t media_at = 5;
    const std::size_t marker_at = url.find(marker);
    if (marker_at == std::string::npos) field.fail("must be a base64 data URL", image_hint);
    ImagePart image{url.substr(media_at, marker_at - media_at), url.substr(marker_at + marker.size()), {}};
    if (!is_media_type(image.media_type)) field.fail("must be an image", image_hint);
    if (!is_base64(image.base64)) field.fail("is not valid base64", image_hint);
    return image;
}

ImagePart parse_image(const Json& value, const JsonField& field) {
    if (value.is_string()) return parse_image_url(value.get_ref<const std::string&>(), field);
    field.object(value);
    if (json_member(value, "type") == "image_url") {
        const JsonField place = field.member("image_url");
        return parse_image(json_member(value, "image_url"), place);
    }
    const JsonField place = field.member("url");
    return parse_image_url(place.text(json_member(value, "url")), place);
}

void parse_content(const Json& value, const JsonField& field, ChatMessage& message) {
    if (value.is_string()) {
        message.content = value.get_ref<const std::string&>();
        return;
    }
    if (!value.is_array()) field.fail("must be a string or an array of parts");
    for (std::size_t i = 0; i < value.size(); ++i) {
        const Json& part = value[i];
        const JsonField place = field.at(i);
        const Json& type = json_member(place.object(part), "type");
        if (type == "text")
            message.content += place.member("text").text(json_member(part, "text"));
        else if (type == "image_url")
            message.images.push_back(parse_image(part, place));
        else
            place.fail("type must be text or image_url");
    }
}

std::string image_url(const ImagePart& image) {
    if (!image.url.empty()) return image.url;
    return "data:" + image.media_type + ";base64," + image.base64;
}

}  // namespace pgchat
