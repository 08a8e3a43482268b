#include "core/search/postings.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace pgchat {
namespace {

constexpr std::size_t head_size = 8;
constexpr std::size_t set_bytes = chunk_messages / 8;

void append_u32(std::string& out, std::uint32_t value) {
    for (unsigned shift = 0; shift < 32; shift += 8) out.push_back(static_cast<char>(value >> shift));
}

std::uint32_t u32_at(std::string_view bytes, std::size_t at) noexcept {
    std::uint32_t value = 0;
    for (unsigned i = 0; i < 4; ++i)
        value |= static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[at + i])) << (8 * i);
    return value;
}

void append_set(std::string& out, const MessageSet& messages) {
    for (const std::uint64_t part : messages.bits)
        for (unsigned shift = 0; shift < 64; shift += 8) out.push_back(static_cast<char>(part >> shift));
}

// By radix, which keeps the order of the ordinals and takes a third of the time of a comparing sort, of which most of
// the time of filing was made.
void sort_by_term(std::vector<std::uint64_t>& occurrences) {
    constexpr unsigned digit_bits = 11;
    std::vector<std::uint64_t> sorted(occurrences.size());
    for (unsigned shift = 8; shift < 40; shift += digit_bits) {
        std::array<std::size_t, 1U << digit_bits> starts{};
        const auto digit = [&](std::uint64_t value) { return (value >> shift) & (starts.size() - 1); };
        for (const std::uint64_t value : occurrences) ++starts[digit(value)];
        std::size_t start = 0;
        for (std::size_t& place : starts) start += std::exchange(place, start);
        for (const std::uint64_t value : occurrences) sorted[starts[digit(value)]++] = value;
        occurrences.swap(sorted);
    }
}

void add_ordinal(Posting& posting, unsigned char ordinal, std::uint8_t count) noexcept {
    if (ordinal >= chunk_messages) return;
    posting.messages.add(ordinal);
    posting.counts[ordinal] = count;
}

}  // namespace

MessageSet MessageSet::first(std::size_t count) noexcept {
    MessageSet set;
    for (std::size_t i = 0; i < std::min(count, chunk_messages); ++i) set.add(i);
    return set;
}

MessageSet MessageSet::operator&(const MessageSet& other) const noexcept {
    return {{bits[0] & other.bits[0], bits[1] & other.bits[1]}};
}

MessageSet MessageSet::operator|(const MessageSet& other) const noexcept {
    return {{bits[0] | other.bits[0], bits[1] | other.bits[1]}};
}

MessageSet MessageSet::without(const MessageSet& other) const noexcept {
    return {{bits[0] & ~other.bits[0], bits[1] & ~other.bits[1]}};
}

std::string PostingsBuilder::encode() {
    sort_by_term(occurrences_);
    std::string heads, entries;
    term_count_ = 0;
    for (auto at = occurrences_.begin(); at != occurrences_.end(); ++term_count_) {
        const auto term = static_cast<std::uint32_t>(*at >> 8);
        std::string list;
        MessageSet set;
        while (at != occurrences_.end() && (*at >> 8) == term) {
            const auto next = std::find_if(at, occurrences_.end(), [&](std::uint64_t other) { return other != *at; });
            const auto ordinal = static_cast<std::uint8_t>(*at & 0xFF);
            list.push_back(static_cast<char>(ordinal));
            if (kind_ == PostingKind::counted)
                list.push_back(static_cast<char>(std::min<std::ptrdiff_t>(next - at, 255)));
            set.add(ordinal);
            at = next;
        }
        if (kind_ == PostingKind::set && list.size() >= set_bytes)
            append_set(entries, set);
        else
            entries += list;
        append_u32(heads, term);
        append_u32(heads, static_cast<std::uint32_t>(entries.size()));
    }
    return heads + entries;
}

// The window holds the term's head and the one before it, whose end is where its entries begin.
bool PostingsReader::locate(std::uint32_t term, std::size_t& begin, std::size_t& end) const {
    const auto expected = static_cast<std::size_t>((static_cast<std::uint64_t>(term) * term_count_) >> 32);
    // Four standard deviations; where that is too little, the next window is as wide as needed.
    auto margin = static_cast<std::size_t>(2 * std::sqrt(static_cast<double>(term_count_))) + 8;
    for (;; margin *= 8) {
        const std::size_t first = expected - std::min(expected, margin);
        const std::size_t last = std::min(term_count_, expected + margin);
        const std::string_view heads = fetch_(first * head_size, (last - first) * head_size);
        const std::size_t count = heads.size() / head_size;
        if (count == 0) return false;
        std::size_t low = 0, high = count;
        while (low < high) {
            const std::size_t middle = (low + high) / 2;
            if (u32_at(heads, middle * head_size) < term)
                low = middle + 1;
            else
                high = middle;
        }
        const bool is_whole = margin >= term_count_;
        if (!is_whole && ((low == 0 && first > 0) || (low == count && last < term_count_))) continue;
        if (low == count || u32_at(heads, low * head_size) != term) return false;
        begin = low == 0 ? 0 : u32_at(heads, (low - 1) * head_size + 4);
        end = u32_at(heads, low * head_size + 4);
        return end > begin;
    }
}

bool PostingsReader::find(std::uint32_t term, Posting& posting) const {
    posting = {};
    std::size_t begin = 0, end = 0;
    if (term_count_ == 0 || !locate(term, begin, end)) return false;
    const std::string_view entries = fetch_(term_count_ * head_size + begin, end - begin);
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(entries[i]); };
    if (kind_ == PostingKind::counted) {
        for (std::size_t i = 0; i + 1 < entries.size(); i += 2) add_ordinal(posting, byte(i), byte(i + 1));
    } else if (entries.size() == set_bytes) {
        for (std::size_t i = 0; i < set_bytes; ++i)
            posting.messages.bits[i / 8] |= static_cast<std::uint64_t>(byte(i)) << (8 * (i % 8));
    } else {
        for (std::size_t i = 0; i < entries.size(); ++i) add_ordinal(posting, byte(i), 0);
    }
    return !posting.messages.empty();
}

}  // namespace pgchat
