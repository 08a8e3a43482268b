// Which messages of a chunk have a term: sorted by term, so that one look-up reads a few bytes of a large value.
//
//   term, end of its entries (both 32 bits, little-endian) for each term in their order; then the entries of all terms.
//
// Terms are hashes and so spread evenly: where one must be is known up to a small window.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace pgchat {

inline constexpr std::size_t chunk_messages = 128;

// A set of messages of one chunk, by ordinal.
struct MessageSet {
    std::array<std::uint64_t, 2> bits{};

    static MessageSet first(std::size_t count) noexcept;
    void add(std::size_t ordinal) noexcept { bits[ordinal / 64] |= std::uint64_t{1} << (ordinal % 64); }
    bool has(std::size_t ordinal) const noexcept { return ((bits[ordinal / 64] >> (ordinal % 64)) & 1U) != 0; }
    bool empty() const noexcept { return (bits[0] | bits[1]) == 0; }
    std::size_t size() const noexcept {
        return static_cast<std::size_t>(__builtin_popcountll(bits[0]) + __builtin_popcountll(bits[1]));
    }
    MessageSet operator&(const MessageSet& other) const noexcept;
    MessageSet operator|(const MessageSet& other) const noexcept;
    MessageSet without(const MessageSet& other) const noexcept;
    bool operator==(const MessageSet&) const = default;
};

// The messages that have a term, and how often each has it (0: not counted).
struct Posting {
    MessageSet messages;
    std::array<std::uint8_t, chunk_messages> counts{};
};

// counted: each entry is a message and a count; set: a list of messages, or, from sixteen on, one bit for each.
enum class PostingKind { counted, set };

class PostingsBuilder {
public:
    explicit PostingsBuilder(PostingKind kind) noexcept : kind_(kind) {}

    // A term of the message with this ordinal, which is not lower than in the call before.
    void add(std::uint32_t term, std::size_t ordinal) {
        occurrences_.push_back((static_cast<std::uint64_t>(term) << 8) | ordinal);
    }
    std::size_t term_count() const noexcept { return term_count_; }
    std::string encode();

private:
    PostingKind kind_;
    // A term and, in the last eight bits, an ordinal.
    std::vector<std::uint64_t> occurrences_;
    std::size_t term_count_ = 0;
};

class PostingsReader {
public:
    // Gives `length` bytes from `offset` on, valid until the next call; fewer at the end.
    using Fetch = std::function<std::string_view(std::size_t offset, std::size_t length)>;

    PostingsReader(PostingKind kind, std::size_t term_count, Fetch fetch)
        : kind_(kind), term_count_(term_count), fetch_(std::move(fetch)) {}

    // False, and an empty posting, where no message has the term. Damaged bytes give wrong messages, and no more.
    bool find(std::uint32_t term, Posting& posting) const;

private:
    bool locate(std::uint32_t term, std::size_t& begin, std::size_t& end) const;

    PostingKind kind_;
    std::size_t term_count_;
    Fetch fetch_;
};

}  // namespace pgchat
