#include "core/search/search_chunk.hpp"

#include <algorithm>
#include <limits>
#include <unordered_map>

#include "core/error.hpp"

namespace pgchat {
namespace {

// Numbers are little-endian.
constexpr std::size_t counts_size = 16;
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
    head.pair_terms = number_at(bytes, 8, 4);
    head.pairs_begin = number_at(bytes, 12, 4);
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
    std::size_t count = 0, last_place = 0;
    std::uint32_t last_term = 0;
    for_each_word(text, [&](std::string_view word, WordSpan) {
        ++count;
        const std::string_view form = forms_.form_of(word);
        if (form.empty()) return;
        const std::uint32_t term = term_of(form);
        words_.add(term, ordinal);
        if (last_place != 0)
            pairs_.push_back(
                {last_term, term, static_cast<std::uint32_t>(count - last_place), static_cast<std::uint32_t>(ordinal)});
        last_term = term;
        last_place = count;
    });
    for_each_gram(text, [&](std::uint32_t term, std::size_t) { grams_.add(term, ordinal); });
    message.word_count =
        static_cast<std::uint16_t>(std::min<std::size_t>(count, std::numeric_limits<std::uint16_t>::max()));
    head_.messages.push_back(message);
}

PostingsBuilder ChunkBuilder::common_pairs(std::string_view words) const {
    const PostingsReader postings(
        PostingKind::counted, words_.term_count(),
        [&](std::size_t offset, std::size_t length) { return words.substr(std::min(offset, words.size()), length); });
    std::unordered_map<std::uint32_t, bool> known;
    const auto is_common = [&](std::uint32_t term) {
        const auto [found, is_new] = known.try_emplace(term, false);
        if (is_new) {
            Posting posting;
            postings.find(term, posting);
            found->second = posting.messages.size() >= common_messages;
        }
        return found->second;
    };
    PostingsBuilder pairs(PostingKind::set);
    for (const Pair& pair : pairs_)
        if (is_common(pair.first) && is_common(pair.second))
            pairs.add(pair_term(pair.first, pair.second, pair.distance), pair.ordinal);
    return pairs;
}

ChunkBuilder::Encoded ChunkBuilder::encode() {
    Encoded encoded;
    encoded.words = words_.encode();
    encoded.grams = grams_.encode();
    const std::size_t pairs_begin = encoded.words.size();
    PostingsBuilder pairs = common_pairs(encoded.words);
    encoded.words += pairs.encode();
    append_number(encoded.head, words_.term_count(), 4);
    append_number(encoded.head, grams_.term_count(), 4);
    append_number(encoded.head, pairs.term_count(), 4);
    append_number(encoded.head, pairs_begin, 4);
    for (const FiledMessage& message : head_.messages) {
        encoded.head.append(reinterpret_cast<const char*>(message.id.bytes.data()), message.id.bytes.size());
        encoded.head.push_back(static_cast<char>(message.conversation));
        encoded.head.push_back(message.role);
        append_number(encoded.head, message.word_count, 2);
    }
    return encoded;
}

}  // namespace pgchat
