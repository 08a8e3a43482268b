#include "core/search/search_ranking.hpp"

#include <algorithm>
#include <cmath>

namespace pgchat {
namespace {

// The usual constants of BM25.
constexpr double saturation = 1.2;
constexpr double length_weight = 0.75;

}  // namespace

SearchRanking::SearchRanking(const SearchQuery& query)
    : query_(query),
      ranks_(query.terms().size()),
      messages_with_(query.terms().size()),
      postings_(query.terms().size()),
      looked_up_(query.terms().size()),
      found_counts_(query.terms().size()) {
    for (const auto& alternative : query.alternatives())
        for (const SearchPhrase& phrase : alternative)
            for (const SearchPhrase::Word& word : phrase.words)
                if (!phrase.excluded) ranks_[word.term] = true;
}

bool SearchRanking::look_up(std::size_t term, const PostingsReader& postings) {
    if (!looked_up_[term]) {
        looked_up_[term] = true;
        postings.find(query_.terms()[term], postings_[term]);
        messages_with_[term] += postings_[term].messages.size();
    }
    return !postings_[term].messages.empty();
}

// Of the messages that have all words of the phrase, those in which the common ones among them may follow each other.
MessageSet SearchRanking::with_common_pairs(const SearchPhrase& phrase, MessageSet found,
                                            const PostingsReader& pairs) const {
    const auto is_common = [&](const SearchPhrase::Word& word) {
        return postings_[word.term].messages.size() >= common_messages;
    };
    for (std::size_t i = 1; i < phrase.words.size() && !found.empty(); ++i) {
        const SearchPhrase::Word &first = phrase.words[i - 1], &second = phrase.words[i];
        if (!is_common(first) || !is_common(second)) continue;
        Posting pair;
        pairs.find(pair_term(query_.terms()[first.term], query_.terms()[second.term], second.distance - first.distance),
                   pair);
        found = found & pair.messages;
    }
    return found;
}

// A superset: phrases are known by their words and common pairs alone, and so excluded ones of several words exclude
// nothing yet.
MessageSet SearchRanking::matching(const MessageSet& wanted, const PostingsReader& postings,
                                   const PostingsReader& pairs) {
    looked_up_.assign(looked_up_.size(), false);
    if (query_.mode() == SearchMode::substring) {
        MessageSet found = wanted;
        for (std::size_t term = 0; term < query_.terms().size() && !found.empty(); ++term) {
            look_up(term, postings);
            found = found & postings_[term].messages;
        }
        return found;
    }
    MessageSet any;
    for (const auto& alternative : query_.alternatives()) {
        MessageSet found = wanted;
        for (const SearchPhrase& phrase : alternative) {
            if (phrase.excluded && phrase.words.size() > 1) continue;
            for (const SearchPhrase::Word& word : phrase.words) {
                if (found.empty()) break;
                look_up(word.term, postings);
                const MessageSet& with = postings_[word.term].messages;
                found = phrase.excluded ? found.without(with) : found & with;
            }
            if (!phrase.excluded) found = with_common_pairs(phrase, found, pairs);
        }
        any = any | found;
    }
    return any;
}

void SearchRanking::keep(const Uuid& id, std::size_t word_count) {
    matches_.push_back({id, static_cast<std::uint16_t>(std::min<std::size_t>(word_count, 65535))});
    if (query_.mode() == SearchMode::words) counts_.insert(counts_.end(), found_counts_.begin(), found_counts_.end());
}

void SearchRanking::add_chunk(const std::vector<FiledMessage>& messages, const MessageSet& wanted,
                              const PostingsReader& postings, const PostingsReader& pairs) {
    message_count_ += messages.size();
    for (const FiledMessage& message : messages) word_count_ += message.word_count;
    const MessageSet found = matching(wanted, postings, pairs);
    if (found.empty()) return;
    for (std::size_t ordinal = 0; ordinal < messages.size(); ++ordinal) {
        if (!found.has(ordinal)) continue;
        for (std::size_t term = 0; term < found_counts_.size(); ++term)
            found_counts_[term] = looked_up_[term] ? postings_[term].counts[ordinal] : 0;
        keep(messages[ordinal].id, messages[ordinal].word_count);
    }
}

void SearchRanking::add_text(const Uuid& id, std::string_view text, WordForms& forms) {
    ++message_count_;
    std::vector<WordSpan> spans;
    if (!query_.matches(text, forms, spans)) return;
    std::size_t words = 0;
    if (query_.mode() == SearchMode::words) {
        std::fill(found_counts_.begin(), found_counts_.end(), std::uint8_t{0});
        for_each_word(text, [&](std::string_view word, WordSpan) {
            ++words;
            const std::uint32_t hash = term_of(forms.form_of(word));
            const auto found = std::find(query_.terms().begin(), query_.terms().end(), hash);
            if (found == query_.terms().end()) return;
            std::uint8_t& count = found_counts_[static_cast<std::size_t>(found - query_.terms().begin())];
            if (count < 255) ++count;
        });
        for (std::size_t term = 0; term < found_counts_.size(); ++term)
            if (found_counts_[term] > 0) ++messages_with_[term];
    }
    word_count_ += words;
    keep(id, words);
}

void SearchRanking::append_to(std::vector<Candidate>& candidates) const {
    const std::size_t terms = query_.mode() == SearchMode::words ? query_.terms().size() : 0;
    const auto total = static_cast<double>(message_count_);
    const double average = std::max(1.0, static_cast<double>(word_count_) / std::max(1.0, total));
    std::vector<double> weights(terms);
    for (std::size_t term = 0; term < terms; ++term) {
        const auto with = std::min(total, static_cast<double>(messages_with_[term]));
        weights[term] = ranks_[term] ? std::log(1 + (total - with + 0.5) / (with + 0.5)) : 0;
    }
    candidates.reserve(candidates.size() + matches_.size());
    for (std::size_t i = 0; i < matches_.size(); ++i) {
        const double length = 1 - length_weight + length_weight * matches_[i].word_count / average;
        double rank = 0;
        for (std::size_t term = 0; term < terms; ++term) {
            const double count = counts_[i * terms + term];
            if (count > 0) rank += weights[term] * count * (saturation + 1) / (count + saturation * length);
        }
        candidates.push_back({matches_[i].id, static_cast<float>(rank)});
    }
}

}  // namespace pgchat
