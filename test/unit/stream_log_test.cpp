#include "core/engine/stream_log.hpp"

#include <gtest/gtest.h>

#include <random>

#include "support/fake_listener.hpp"

namespace pgchat {
namespace {

using EventTexts = std::vector<std::string>;

TEST(StreamLog, TextIsAnEventOnceFlushed) {
    StreamLog log;
    EXPECT_FALSE(log.flush());
    log.append(EventKind::content, "Hel");
    log.append(EventKind::content, "lo");
    EXPECT_TRUE(log.has_pending());
    EXPECT_EQ(log.size(), 0u);
    EXPECT_EQ(log.content(), "Hello");
    EXPECT_TRUE(log.flush());
    EXPECT_FALSE(log.flush());
    EXPECT_FALSE(log.has_pending());
    log.append(EventKind::content, " you");
    EXPECT_TRUE(log.flush());
    EXPECT_EQ(events_of(log), (EventTexts{"content:Hello", "content: you"}));
}

TEST(StreamLog, AChangeOfKindSealsWhatWasPending) {
    StreamLog log;
    log.append(EventKind::thinking, "a");
    log.append(EventKind::content, "b");
    log.append(EventKind::thinking, "c");
    EXPECT_EQ(events_of(log), (EventTexts{"thinking:a", "content:b"}));
    log.flush();
    log.append(EventKind::content, "d");
    log.flush();
    EXPECT_EQ(events_of(log), (EventTexts{"thinking:a", "content:b", "thinking:c", "content:d"}));
    EXPECT_EQ(log.content(), "bd");
    EXPECT_EQ(log.thinking(), "ac");
}

TEST(StreamLog, ClosingAddsToolCallsAndTheEnd) {
    StreamLog log;
    log.append(EventKind::content, "x");
    log.close("[1]", EventKind::incomplete, "broke off");
    EXPECT_TRUE(log.closed());
    EXPECT_EQ(events_of(log), (EventTexts{"content:x", "tool_calls:[1]", "incomplete:broke off"}));
    StreamLog empty;
    empty.close("", EventKind::done, "");
    EXPECT_EQ(events_of(empty), (EventTexts{"done:"}));
}

TEST(StreamLog, NamesAndTerminalKinds) {
    EXPECT_STREQ(event_kind_name(EventKind::content), "content");
    EXPECT_STREQ(event_kind_name(EventKind::snapshot), "snapshot");
    for (const EventKind kind : {EventKind::done, EventKind::incomplete, EventKind::cancelled, EventKind::error})
        EXPECT_TRUE(is_terminal(kind));
    for (const EventKind kind : {EventKind::content, EventKind::thinking, EventKind::tool_calls, EventKind::snapshot})
        EXPECT_FALSE(is_terminal(kind));
}

TEST(StreamLog, TellsItsMemory) {
    StreamLog log;
    log.append(EventKind::content, std::string(10'000, 'x'));
    log.append(EventKind::thinking, std::string(20'000, 'x'));
    log.close(std::string(30'000, 'x'), EventKind::done, "");
    EXPECT_GE(log.memory_size(), 60'000u);
}

// Whatever the interleaving: events that were there stay as they are, and joined they are the text.
TEST(StreamLog, WhatOneReaderSawIsWhatEveryReaderSees) {
    for (unsigned seed = 0; seed < 50; ++seed) {
        std::mt19937 random(seed);
        StreamLog log;
        std::string text[2];
        EventTexts early;
        for (int step = 0; step < 300; ++step) {
            const unsigned kind = random() % 2;
            const std::string piece = std::to_string(random() % 1000);
            log.append(kind == 0 ? EventKind::content : EventKind::thinking, piece);
            text[kind] += piece;
            if (random() % 3 == 0) log.flush();
            for (auto i = static_cast<std::uint32_t>(early.size()); i < log.size(); ++i)
                early.push_back(event_text(log.event(i)));
        }
        log.close("", EventKind::done, "");
        const EventTexts late = events_of(log);
        ASSERT_LT(early.size(), late.size());
        EXPECT_TRUE(std::equal(early.begin(), early.end(), late.begin())) << seed;
        std::string joined[2];
        for (std::uint32_t i = 0; i + 1 < log.size(); ++i) {
            EXPECT_FALSE(log.event(i).text.empty());
            joined[log.event(i).kind == EventKind::content ? 0 : 1] += log.event(i).text;
        }
        EXPECT_EQ(joined[0], text[0]);
        EXPECT_EQ(joined[1], text[1]);
    }
}

}  // namespace
}  // namespace pgchat
