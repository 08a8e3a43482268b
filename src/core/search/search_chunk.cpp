#include "core/search/search_chunk.hpp"

#include <algorithm>
#include <limits>

#include "core/error.hpp"

namespace pgchat {
namespace {

// Numbers are little-endian.
constexpr std::size_t counts_size = 8;
constexpr std::size_t message_size = 20;

void append_number(std::string& out, std::uint64_t value, unsigned bytes) {
    for (unsigned i = 0; i < bytes; ++i) out.push_back(static_cast<char>(value >> (8 * i)));
}

std::uint32_t number_at(std::string_view bytes, std::size_t at, unsigned size) noexcept {
    std::uint32_t value = 0;
    for (unsigned i = 0; i < size; ++i)
        value |= static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[at + i])) << (8 * i);
    return value;
}

}  // namespace

ChunkHead decode_head(std::string_view bytes) {
    const std::size_t count = bytes.size() / message_size;
    if (bytes.size() != counts_size + count * message_size || count > chunk_messages)
        throw Error(ErrorCode::invalid_argument, "this is no head of a search chunk");
    ChunkHead head;
    head.word_terms = number_at(bytes, 0, 4);
    head.gram_terms = number_at(bytes, 4, 4);
    head.messages.resize(count);
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t at = counts_size + i * message_size;
        FiledMessage& message = head.messages[i];
        std::memcpy(message.id.bytes.data(), bytes.data() + at, message.id.bytes.size());
        message.conversation = static_cast<std::uint8_t>(bytes[at + 16]);
        message.role = bytes[at + 17];
        message.word_count = static_cast<std::uint16_t>(number_at(bytes, at + 18, 2));
    }
    return head;
}

void ChunkBuilder::add(FiledMessage message, std::string_view text) {
    const std::size_t ordinal = head_.messages.size();
    std::size_t count = 0;
    for_each_word(text, [&](std::string_view word, WordSpan) {
        ++count;
        const std::string_view form = forms_.form_of(word);
        if (!form.empty()) words_.add(term_of(form), ordinal);
    });
    for_each_gram(text, [&](std::uint32_t term, std::size_t) { grams_.add(term, ordinal); });
    message.word_count =
        static_cast<std::uint16_t>(std::min<std::size_t>(count, std::numeric_limits<std::uint16_t>::max()));
    head_.messages.push_back(message);
}

ChunkBuilder::Encoded ChunkBuilder::encode() {
    Encoded encoded;
    encoded.words = words_.encode();
    encoded.grams = grams_.encode();
    append_number(encoded.head, words_.term_count(), 4);
    append_number(encoded.head, grams_.term_count(), 4);
    for (const FiledMessage& message : head_.messages) {
        encoded.head.append(reinterpret_cast<const char*>(message.id.bytes.data()), message.id.bytes.size());
        encoded.head.push_back(static_cast<char>(message.conversation));
        encoded.head.push_back(message.role);
        append_number(encoded.head, message.word_count, 2);
    }
    return encoded;
}

}  // namespace pgchat
