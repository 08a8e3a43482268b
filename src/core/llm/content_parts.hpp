// The content of a message in OpenAI's form: a string, or an array of text and image parts.
#pragma once

#include "core/llm/chat_request.hpp"
#include "core/llm/json_field.hpp"

namespace pgchat {

// An image from "data:image/<kind>;base64,<data>" (RFC 2397) or an https URL. Fails at `field` for anything else.
ImagePart parse_image_url(const std::string& url, const JsonField& field);

// An image as options.images lists it: a URL as above, {"url": …}, or {"type":"image_url","image_url":{"url": …}}.
ImagePart parse_image(const Json& value, const JsonField& field);

// Reads `value`, a string or parts, into message.content (texts joined as they are) and message.images.
void parse_content(const Json& value, const JsonField& field, ChatMessage& message);

// The URL form of an image: its https URL, or a data URL.
std::string image_url(const ImagePart& image);

}  // namespace pgchat
