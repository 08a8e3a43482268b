// Which messages may match a query, best first: found in postings alone, without reading their texts.
//
// Words are ranked by BM25 over all of the user's messages that were looked at; n-grams tell no rank, so there the
// newest come first.
#pragma once

#include <vector>

#include "core/search/search_chunk.hpp"
#include "core/search/search_query.hpp"

namespace pgchat {

struct Candidate {
    Uuid id;
    float rank = 0;

    // Better first: by rank, then the newest.
    bool operator<(const Candidate& other) const noexcept {
        return rank != other.rank ? rank > other.rank : other.id < id;
    }
};

class SearchRanking {
public:
    explicit SearchRanking(const SearchQuery& query);

    // `wanted`: those messages of the chunk that may be found at all. `pairs`: of its common words.
    void add_chunk(const std::vector<FiledMessage>& messages, const MessageSet& wanted, const PostingsReader& postings,
                   const PostingsReader& pairs);
    // A message that is not filed; it is a candidate only if it matches.
    void add_text(const Uuid& id, std::string_view text, WordForms& forms);

    // Adds all candidates, in no order.
    void append_to(std::vector<Candidate>& candidates) const;

private:
    struct Match {
        Uuid id;
        std::uint16_t word_count;
    };

    MessageSet matching(const MessageSet& wanted, const PostingsReader& postings, const PostingsReader& pairs);
    MessageSet with_common_pairs(const SearchPhrase& phrase, MessageSet found, const PostingsReader& pairs) const;
    bool look_up(std::size_t term, const PostingsReader& postings);
    void keep(const Uuid& id, std::size_t word_count);

    const SearchQuery& query_;
    std::vector<bool> ranks_;                 // by term: whether it adds to the rank
    std::vector<std::size_t> messages_with_;  // by term
    std::size_t message_count_ = 0;
    std::size_t word_count_ = 0;
    std::vector<Match> matches_;
    std::vector<std::uint8_t> counts_;  // of each term, for one match after the other
    std::vector<Posting> postings_;     // of the chunk that is looked at, by term
    std::vector<bool> looked_up_;
    std::vector<std::uint8_t> found_counts_;
};

}  // namespace pgchat
