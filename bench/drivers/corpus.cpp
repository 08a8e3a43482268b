// corpus: a history of conversations as COPY reads it: words by Zipf's law, code, and Chinese.
//
//   corpus --what conversations|messages|queries --messages 5000000 [--heavy 50000] [--until_s now] < ids of the people
//
// Person by person: the last one has --heavy messages in conversations of 50, the others as many as the rest makes in
// conversations of 10, made in the year until until_s (since 1970). queries: a kind and a text in each line, all of
// them of words and pieces that this history has.
#include <algorithm>
#include <array>
#include <iostream>
#include <random>

#include "measure.hpp"

using namespace bench;

namespace {

constexpr int vocabulary_size = 50'000;
constexpr int distinct_characters = 3'000;
constexpr int64_t year_ms = 365LL * 24 * 3600 * 1000;

using Random = std::mt19937_64;

// The word of a rank: its number in syllables, shuffled, so that neighbours are not alike; a third are inflected.
std::string word(int rank) {
    static constexpr char consonants[] = "bdfghjklmnprstvw", vowels[] = "aeiou";
    auto number = static_cast<unsigned>(rank) * 7919U % 512'009U;
    std::string text;
    for (int i = 0; i < (rank < 100 ? 1 : 2) || number > 0; ++i, number /= 80) {
        text += consonants[number % 80 / 5];
        text += vowels[number % 5];
    }
    return text + (rank % 2 == 0 ? "n" : "");
}

int zipf(Random& random, int size) {
    const double u = std::uniform_real_distribution<>()(random);
    return std::min(size - 1, static_cast<int>(std::exp(u * std::log(size))) - 1);
}

int between(Random& random, int low, int high) {
    return std::uniform_int_distribution<>(low, high)(random);
}

std::string character(int rank) {
    const unsigned code = 0x4E00U + static_cast<unsigned>(rank) * 5U;
    return {static_cast<char>(0xE0 | (code >> 12)), static_cast<char>(0x80 | (code >> 6 & 0x3F)),
            static_cast<char>(0x80 | (code & 0x3F))};
}

std::string words(Random& random, int count) {
    static constexpr std::array suffixes{"", "", "", "", "s", "ing", "ed"};
    std::string text;
    for (int i = 0; i < count; ++i) {
        if (i > 0) text += i % 11 == 0 ? ". " : " ";
        text += word(zipf(random, vocabulary_size)) + suffixes[static_cast<size_t>(between(random, 0, 6))];
    }
    return text;
}

std::string name(Random& random) {
    return word(zipf(random, vocabulary_size)) + "_" + word(zipf(random, vocabulary_size));
}

std::string code(Random& random) {
    return "def " + name(random) + "(" + word(zipf(random, vocabulary_size)) + "): return self." + name(random) + "[" +
           std::to_string(between(random, 0, 9999)) + "] != 0x" + std::to_string(between(random, 10, 9999)) + ";";
}

std::string chinese(Random& random, int count) {
    std::string text;
    for (int i = 0; i < count; ++i) text += character(zipf(random, distinct_characters));
    return text;
}

std::string content(Random& random, bool is_reply) {
    std::string text = words(random, is_reply ? between(random, 30, 120) : between(random, 5, 40));
    const int kind = between(random, 0, 19);
    if (kind < 2) text += " " + code(random);
    if (kind == 2) text += " " + chinese(random, between(random, 10, 60));
    return text;
}

std::string timestamp(int64_t ms) {
    const time_t seconds = ms / 1000;
    tm parts{};
    gmtime_r(&seconds, &parts);
    char text[40];
    strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S+00", &parts);
    return text;
}

// A version 7 UUID of this time; `number` makes it the only one.
std::string id(int64_t ms, int64_t number, char kind) {
    char text[40];
    std::snprintf(text, sizeof text, "%08llx-%04llx-7%c%02llx-8%03llx-%012llx",
                  static_cast<unsigned long long>(ms >> 16), static_cast<unsigned long long>(ms & 0xFFFF), kind,
                  static_cast<unsigned long long>(number >> 40 & 0xFF), 0ULL,
                  static_cast<unsigned long long>(number & 0xFFFFFFFFFFLL));
    return text;
}

struct Shape {
    int64_t messages;
    int64_t each;  // messages of a conversation
};

struct History {
    std::vector<std::string> people;
    int64_t messages, heavy, start_ms;

    Shape of(size_t person) const {
        if (person + 1 == people.size()) return {heavy, 50};
        return {(messages - heavy) / static_cast<int64_t>(people.size() - 1), 10};
    }
    int64_t time(const Shape& shape, int64_t n) const {
        return start_ms + year_ms * n / std::max<int64_t>(shape.messages, 1);
    }
};

void print_person(const History& history, size_t person, bool conversations) {
    const Shape shape = history.of(person);
    Random random(person);
    const auto base = static_cast<int64_t>(person) << 20;
    std::string conversation, parent;
    for (int64_t n = 0; n < shape.messages; ++n) {
        const int64_t ms = history.time(shape, n);
        if (n % shape.each == 0) {
            conversation = id(ms, base + n, 'a');
            parent = "\\N";
            const int64_t last = std::min(n + shape.each, shape.messages) - 1;
            if (conversations)
                std::printf("%s\t%s\t%s\t%s\t%s\n", history.people[person].c_str(), conversation.c_str(),
                            words(random, 4).c_str(), timestamp(history.time(shape, last)).c_str(),
                            id(history.time(shape, last), base + last, 'b').c_str());
        }
        if (conversations) continue;
        const bool is_reply = n % 2 == 1;
        const std::string own = id(ms, base + n, 'b');
        std::printf("%s\t%s\t%s\t%s\t%s\t%s\t%s\n", history.people[person].c_str(), own.c_str(), conversation.c_str(),
                    parent.c_str(), is_reply ? "assistant" : "user", content(random, is_reply).c_str(),
                    timestamp(ms).c_str());
        parent = own;
    }
}

// Pieces of texts of their kind, which are made as those of the history are.
void print_queries() {
    Random random(1);
    const auto print = [](const char* kind, const std::string& text) { std::printf("%s\t%s\n", kind, text.c_str()); };
    for (int i = 0; i < 40; ++i) print("rare word", word(between(random, 10'000, vocabulary_size - 1)));
    for (int i = 0; i < 30; ++i) print("middle word", word(between(random, 200, 2'000)));
    for (int i = 0; i < 30; ++i) print("common word", word(between(random, 0, 30)));
    for (int i = 0; i < 20; ++i)
        print("two words", word(between(random, 0, 100)) + " " + word(between(random, 100, 2'000)));
    for (int i = 0; i < 20; ++i)
        print("phrase", "\"" + word(between(random, 0, 40)) + " " + word(between(random, 0, 200)) + "\"");
    for (int i = 0; i < 20; ++i) {
        const std::string line = code(random);
        print("code",
              line.substr(static_cast<size_t>(between(random, 0, 20)), static_cast<size_t>(between(random, 4, 14))));
    }
    for (int i = 0; i < 20; ++i) print("identifier", name(random));
    for (int i = 0; i < 20; ++i) print("Chinese", chinese(random, 1 + i % 3));
}

void corpus(const Options& options) {
    History history;
    for (std::string line; std::getline(std::cin, line);) history.people.push_back(line);
    history.messages = options.number("messages", 5'000'000);
    history.heavy = options.number("heavy", 50'000);
    history.start_ms = std::stoll(options.text("until_s", std::to_string(now_ns() / 1'000'000'000))) * 1000 - year_ms;
    const std::string what = options.text("what");
    if (what == "queries") return print_queries();
    if (history.people.size() < 2) throw std::runtime_error("at least two people are needed");
    for (size_t person = 0; person < history.people.size(); ++person)
        print_person(history, person, what == "conversations");
}

}  // namespace

int main(int argc, char** argv) {
    return guarded_main(argc, argv, corpus);
}
