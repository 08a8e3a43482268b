// A chunk: up to 128 messages of one user filed together, written once and small enough to be made in milliseconds.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/search/postings.hpp"
#include "core/search/search_terms.hpp"
#include "core/uuid.hpp"

namespace pgchat {

// What is known of a filed message without reading it.
struct FiledMessage {
    Uuid id;
    std::uint8_t conversation = 0;  // an index of the chunk's conversations
    char role = 0;                  // the first letter of its name
    std::uint16_t word_count = 0;   // at most 65535
};

// A word that so many messages of a chunk have is common there. Where two such words follow each other is filed, too,
// so that a phrase of common words is found without reading each message that has them.
inline constexpr std::size_t common_messages = 8;

struct ChunkHead {
    std::size_t word_terms = 0;
    std::size_t gram_terms = 0;
    std::size_t pair_terms = 0;
    std::size_t pairs_begin = 0;  // where in Encoded::words the pairs are
    std::vector<FiledMessage> messages;
};

// Throws Error invalid_argument where `bytes` are none that encode() gave.
ChunkHead decode_head(std::string_view bytes);

class ChunkBuilder {
public:
    explicit ChunkBuilder(WordForms& forms) noexcept : forms_(forms) {}

    // Call at most chunk_messages times.
    void add(FiledMessage message, std::string_view text);

    struct Encoded {
        std::string head;
        std::string words;  // postings that are counted, and after them those of pairs, which are sets
        std::string grams;  // postings that are sets
    };
    Encoded encode();

private:
    struct Pair {
        std::uint32_t first;
        std::uint32_t second;
        std::uint32_t distance;
        std::uint32_t ordinal;
    };

    PostingsBuilder common_pairs(std::string_view words) const;

    WordForms& forms_;
    ChunkHead head_;
    PostingsBuilder words_{PostingKind::counted};
    PostingsBuilder grams_{PostingKind::set};
    std::vector<Pair> pairs_;  // of all words that are filed and the next one
};

}  // namespace pgchat
