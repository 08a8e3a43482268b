#include "core/search/search_ranking.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/error.hpp"

namespace pgchat {
namespace {

Uuid message_id(unsigned number) {
    Uuid id;
    id.bytes[0] = static_cast<std::uint8_t>(number);
    return id;
}

ChunkBuilder::Encoded file(const std::vector<std::string>& texts) {
    PlainForms forms;
    ChunkBuilder builder(forms);
    for (unsigned i = 0; i < texts.size(); ++i) builder.add({message_id(i), 0, 'u', 0}, texts[i]);
    return builder.encode();
}

std::vector<Candidate> search(const std::vector<std::string>& texts, std::string_view text,
                              SearchMode mode = SearchMode::words) {
    PlainForms forms;
    const ChunkBuilder::Encoded chunk = file(texts);
    const ChunkHead head = decode_head(chunk.head);
    const SearchQuery query(text, mode, forms);
    const std::string& bytes = mode == SearchMode::words ? chunk.words : chunk.grams;
    const auto fetch = [&](std::size_t offset, std::size_t length) {
        return offset > bytes.size() ? std::string_view() : std::string_view(bytes).substr(offset, length);
    };
    const PostingsReader postings(mode == SearchMode::words ? PostingKind::counted : PostingKind::set,
                                  mode == SearchMode::words ? head.word_terms : head.gram_terms, fetch);
    const PostingsReader pairs(PostingKind::set, head.pair_terms, [&](std::size_t offset, std::size_t length) {
        return fetch(head.pairs_begin + offset, length);
    });
    SearchRanking ranking(query);
    ranking.add_chunk(head.messages, MessageSet::first(head.messages.size()), postings, pairs);
    std::vector<Candidate> found;
    ranking.append_to(found);
    std::sort(found.begin(), found.end());
    return found;
}

std::vector<unsigned> numbers(const std::vector<Candidate>& candidates) {
    std::vector<unsigned> numbers;
    for (const Candidate& candidate : candidates) numbers.push_back(candidate.id.bytes[0]);
    return numbers;
}

TEST(SearchRanking, RanksByCountAndLength) {
    const auto found = search({"cat and many other words", "cat cat", "dog", "cat"}, "cat");
    EXPECT_EQ(numbers(found), (std::vector<unsigned>{1, 3, 0}));
    EXPECT_GT(found[0].rank, found[2].rank);
}

TEST(SearchRanking, RareWordsCountMore) {
    EXPECT_EQ(numbers(search({"cat", "cat", "cat", "dog", "cat"}, "cat or dog"))[0], 3U);
}

TEST(SearchRanking, EvaluatesTheQueryOnPostings) {
    const std::vector<std::string> texts{"red cat", "cat", "red dog", "bird"};
    EXPECT_EQ(numbers(search(texts, "red cat")), (std::vector<unsigned>{0}));
    EXPECT_EQ(numbers(search(texts, "cat -red")), (std::vector<unsigned>{1}));
    EXPECT_EQ(search(texts, "bird or \"red dog\"").size(), 2U);
    EXPECT_EQ(search(texts, "nothing").size(), 0U);
    EXPECT_EQ(numbers(search(texts, "-cat")), (std::vector<unsigned>{3, 2}));
}

TEST(SearchRanking, KnowsWhereCommonWordsFollowEachOther) {
    std::vector<std::string> texts;
    for (unsigned i = 0; i < chunk_messages; ++i)
        texts.push_back(i % 32 == 5 ? "red big cat" : i % 2 == 0 ? "cat red big " : "big cat then red");
    EXPECT_EQ(numbers(search(texts, "\"red big cat\"")), (std::vector<unsigned>{101, 69, 37, 5}));
    EXPECT_EQ(search(texts, "\"cat red\"").size(), chunk_messages / 2);
    EXPECT_EQ(search(texts, "\"cat then red\"").size(), chunk_messages / 2 - 4);
    EXPECT_EQ(search(texts, "\"red then cat\"").size(), 0U);
    EXPECT_EQ(search(texts, "red big cat").size(), chunk_messages);
    // Of words that are rare in the chunk, all that have them are candidates.
    EXPECT_EQ(search({"one two", "two one"}, "\"one two\"").size(), 2U);
}

TEST(SearchRanking, FindsEverySubstringOfAFullChunk) {
    std::vector<std::string> texts;
    for (unsigned i = 0; i < chunk_messages; ++i)
        texts.push_back("common text 数据 number " + std::to_string(i * 7919) + ";");
    for (unsigned i = 0; i < chunk_messages; ++i) {
        const auto found = numbers(search(texts, "number " + std::to_string(i * 7919) + ";", SearchMode::substring));
        EXPECT_NE(std::find(found.begin(), found.end(), i), found.end());
    }
    EXPECT_EQ(search(texts, "mmon te", SearchMode::substring).size(), chunk_messages);
    EXPECT_EQ(search(texts, "数", SearchMode::substring).size(), chunk_messages);
    EXPECT_EQ(search(texts, "数据", SearchMode::substring).size(), chunk_messages);
    EXPECT_EQ(search(texts, "据数", SearchMode::substring).size(), 0U);
    EXPECT_EQ(numbers(search(texts, "x", SearchMode::substring)).front(), chunk_messages - 1)
        << "no n-gram: all, the newest first";
}

TEST(SearchChunk, KeepsWhatItWasGiven) {
    const ChunkHead head = decode_head(file({"one two", "three"}).head);
    ASSERT_EQ(head.messages.size(), 2U);
    EXPECT_EQ(head.messages[1].id, message_id(1));
    EXPECT_EQ(head.messages[0].word_count, 2);
    EXPECT_EQ(head.messages[0].role, 'u');
    EXPECT_EQ(head.word_terms, 3U);
    EXPECT_THROW(decode_head("something else"), Error);
}

TEST(Postings, DamagedBytesGiveNoCrash) {
    std::string bytes(400, '\xFF');
    Posting posting;
    for (const PostingKind kind : {PostingKind::counted, PostingKind::set}) {
        const PostingsReader reader(kind, 50, [&](std::size_t offset, std::size_t length) {
            return offset > bytes.size() ? std::string_view() : std::string_view(bytes).substr(offset, length);
        });
        for (const std::uint32_t term : {0U, 0x80000000U, 0xFFFFFFFFU}) reader.find(term, posting);
    }
    EXPECT_LE(posting.messages.size(), chunk_messages);
}

}  // namespace
}  // namespace pgchat
