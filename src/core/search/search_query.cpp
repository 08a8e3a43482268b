#include "core/search/search_query.hpp"

#include <algorithm>

#include "core/error.hpp"

namespace pgchat {
namespace {

// So many n-grams leave few texts that do not match.
constexpr std::size_t max_grams = 8;
// Where a text has the same word so often, its further places change nothing.
constexpr std::size_t max_places = 10'000;

bool is_blank(char c) noexcept {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

bool is_or(std::string_view word) noexcept {
    return word.size() == 2 && (word[0] | 0x20) == 'o' && (word[1] | 0x20) == 'r';
}

struct Place {
    std::size_t position;
    WordSpan span;
};
using Places = std::vector<std::vector<Place>>;  // by term, in order

const Place* place_at(const std::vector<Place>& places, std::size_t position) noexcept {
    const auto found = std::lower_bound(places.begin(), places.end(), position,
                                        [](const Place& place, std::size_t p) { return place.position < p; });
    return found != places.end() && found->position == position ? &*found : nullptr;
}

// The words of every place at which a phrase is.
std::vector<WordSpan> places_of(const SearchPhrase& phrase, const Places& places) {
    std::vector<WordSpan> spans;
    for (const Place& first : places[phrase.words.front().term]) {
        const bool is_here = std::all_of(phrase.words.begin() + 1, phrase.words.end(), [&](const auto& word) {
            return place_at(places[word.term], first.position + word.distance) != nullptr;
        });
        if (!is_here) continue;
        for (const SearchPhrase::Word& word : phrase.words)
            spans.push_back(place_at(places[word.term], first.position + word.distance)->span);
    }
    return spans;
}

bool holds(const std::vector<SearchPhrase>& alternative, const Places& places, std::vector<WordSpan>& spans) {
    const std::size_t before = spans.size();
    for (const SearchPhrase& phrase : alternative) {
        const std::vector<WordSpan> found = places_of(phrase, places);
        if (found.empty() != phrase.excluded) {
            spans.resize(before);
            return false;
        }
        spans.insert(spans.end(), found.begin(), found.end());
    }
    return true;
}

}  // namespace

SearchQuery::SearchQuery(std::string_view query, SearchMode mode, WordForms& forms) : mode_(mode) {
    if (mode == SearchMode::words) {
        parse_words(query, forms);
        return;
    }
    needle_ = FoldedText(query).text;
    std::size_t longest = 0;
    std::vector<std::uint32_t> grams;
    // Single characters say nothing that longer n-grams do not.
    for_each_gram(query, [&](std::uint32_t, std::size_t length) { longest = std::max(longest, length); });
    for_each_gram(query, [&](std::uint32_t term, std::size_t length) {
        if (length > 1 || longest == 1) grams.push_back(term);
    });
    const std::size_t step = (grams.size() + max_grams - 1) / max_grams;
    for (std::size_t i = 0; i < grams.size(); i += step) terms_.push_back(grams[i]);
}

std::size_t SearchQuery::term_index(std::string_view form) {
    const auto found = std::find(forms_.begin(), forms_.end(), form);
    if (found != forms_.end()) return static_cast<std::size_t>(found - forms_.begin());
    if (forms_.size() == max_terms)
        throw Error(ErrorCode::content_too_long, "the query has more than 32 different words",
                    "Search for fewer words.");
    forms_.emplace_back(form);
    terms_.push_back(term_of(form));
    return forms_.size() - 1;
}

void SearchQuery::add_phrase(std::string_view text, bool excluded, WordForms& forms) {
    SearchPhrase phrase;
    phrase.excluded = excluded;
    std::size_t position = 0, first = 0;
    for_each_word(text, [&](std::string_view word, WordSpan) {
        const std::string_view form = forms.form_of(word);
        if (!form.empty()) {
            if (phrase.words.empty()) first = position;
            phrase.words.push_back({term_index(form), position - first});
        }
        ++position;
    });
    if (!phrase.words.empty()) alternatives_.back().push_back(std::move(phrase));
}

void SearchQuery::parse_words(std::string_view query, WordForms& forms) {
    alternatives_.emplace_back();
    for (std::size_t at = 0; at < query.size();) {
        if (is_blank(query[at])) {
            ++at;
            continue;
        }
        const bool excluded = query[at] == '-' && at + 1 < query.size() && !is_blank(query[at + 1]);
        if (excluded) ++at;
        if (query[at] == '"') {
            const std::size_t end = std::min(query.find('"', at + 1), query.size());
            add_phrase(query.substr(at + 1, end - at - 1), excluded, forms);
            at = end + 1;
            continue;
        }
        std::size_t end = at;
        while (end < query.size() && !is_blank(query[end]) && query[end] != '"') ++end;
        const std::string_view word = query.substr(at, end - at);
        at = end;
        if (!excluded && is_or(word)) {
            if (!alternatives_.back().empty()) alternatives_.emplace_back();
        } else {
            add_phrase(word, excluded, forms);
        }
    }
    std::erase_if(alternatives_, [](const auto& alternative) { return alternative.empty(); });
}

bool SearchQuery::matches(std::string_view text, WordForms& forms, std::vector<WordSpan>& spans) const {
    spans.clear();
    if (is_empty()) return false;
    return mode_ == SearchMode::words ? matches_words(text, forms, spans) : matches_needle(text, spans);
}

bool SearchQuery::matches_words(std::string_view text, WordForms& forms, std::vector<WordSpan>& spans) const {
    Places places(terms_.size());
    std::size_t position = 0, count = 0;
    for_each_word(text, [&](std::string_view word, WordSpan span) {
        ++position;
        const std::string_view form = forms.form_of(word);
        const auto found = std::find(forms_.begin(), forms_.end(), form);
        if (found == forms_.end() || ++count > max_places) return;
        places[static_cast<std::size_t>(found - forms_.begin())].push_back({position, span});
    });
    bool matched = false;
    for (const std::vector<SearchPhrase>& alternative : alternatives_)
        if (holds(alternative, places, spans)) matched = true;
    std::sort(spans.begin(), spans.end(), [](const WordSpan& a, const WordSpan& b) { return a.begin < b.begin; });
    const auto same = [](const WordSpan& a, const WordSpan& b) { return a.begin == b.begin; };
    spans.erase(std::unique(spans.begin(), spans.end(), same), spans.end());
    return matched;
}

bool SearchQuery::matches_needle(std::string_view text, std::vector<WordSpan>& spans) const {
    const FoldedText folded(text);
    for (std::size_t at = folded.text.find(needle_); at != std::string::npos && spans.size() < max_places;
         at = folded.text.find(needle_, at + needle_.size()))
        spans.push_back({folded.original_offset(at), folded.original_offset(at + needle_.size())});
    return !spans.empty();
}

}  // namespace pgchat
