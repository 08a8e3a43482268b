#include "core/llm/sse.hpp"

#include <gtest/gtest.h>

#include <string>

namespace pgchat {
namespace {

class SseRecorder final : public SseHandler {
public:
    bool on_event(std::string_view name, std::string_view data, bool complete) override {
        log.append(name).append("=").append(data).append(complete ? ";" : "?");
        last_data = data.data();
        return data != "stop";
    }
    std::string log;
    const char* last_data = nullptr;
};

std::string parse(std::string_view text, std::size_t piece) {
    SseParser parser;
    SseRecorder recorder;
    for (std::size_t at = 0; at < text.size(); at += piece)
        if (!parser.feed(std::string(text.substr(at, piece)), recorder)) break;
    parser.finish(recorder);
    return recorder.log;
}

struct SseCase {
    std::string text;
    std::string events;
};

// The grammar and the examples of the WHATWG HTML standard, section 9.2.6.
const std::vector<SseCase> sse_cases{
    {"data: a\n\ndata: b\n\n", "=a;=b;"},
    {"data: a\r\rdata: b\r\r", "=a;=b;"},
    {"data: a\r\n\r\ndata: b\r\n\r\n", "=a;=b;"},
    {"data: a\r\n\rdata: b\n\r\n", "=a;=b;"},
    {"data: YHOO\ndata: +2\ndata: 10\n\n", "=YHOO\n+2\n10;"},
    {": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n",
     "=first event;=second event;= third event;"},
    {"data\n\ndata\ndata\n\n", "=;=\n;"},
    {"data:test\n\ndata: test\n\n", "=test;=test;"},
    {"event: add\ndata: 1\n\nevent: gone\n\ndata: 2\n\n", "add=1;=2;"},
    {"\xEF\xBB\xBF"
     "data: a\n\n",
     "=a;"},
    {"\xEF\xBB"
     "data: a\n\ndata: b\n\n",
     "=b;"},
    {"data: a\n\ndata: cut", "=a;=cut?"},
    {"data: a\n\ndata: cut\n", "=a;=cut?"},
    {"unknown: x\nDATA: y\n\n", ""},
    {"data: a\n\n\n\n\ndata: b\n\n", "=a;=b;"},
    {"data: stop\n\ndata: b\n\n", "=stop;"},
};

TEST(Sse, ParsesTheSameWhateverTheSplit) {
    for (const SseCase& c : sse_cases)
        for (std::size_t piece = 1; piece <= c.text.size(); ++piece)
            EXPECT_EQ(parse(c.text, piece), c.events) << "pieces of " << piece;
}

TEST(Sse, HandsOnAnEventInPlace) {
    const std::string text = "event: x\ndata: in place\n\n";
    SseParser parser;
    SseRecorder recorder;
    EXPECT_TRUE(parser.feed(text, recorder));
    EXPECT_EQ(recorder.last_data, text.data() + text.find("in place"));
}

TEST(Sse, CapsLinesAndEvents) {
    const std::string fits = "data:" + std::string(95, 'x') + "\n\n";
    for (const std::string& text :
         {"data:" + std::string(96, 'x'), "data:" + std::string(96, 'x') + "\n\n", ':' + std::string(100, 'x'),
          "data:" + std::string(60, 'x') + "\ndata:" + std::string(60, 'x')})
        for (const std::size_t piece : {std::size_t{1}, text.size()}) {
            SseParser parser(100);
            SseRecorder recorder;
            bool go_on = parser.feed(fits, recorder);
            EXPECT_TRUE(go_on);
            for (std::size_t at = 0; at < text.size() && go_on; at += piece)
                go_on = parser.feed(std::string_view(text).substr(at, piece), recorder);
            parser.finish(recorder);
            EXPECT_TRUE(parser.too_long()) << text;
            EXPECT_EQ(recorder.log, '=' + std::string(95, 'x') + ';');
        }
}

TEST(Sse, TellsWhetherItIsAnEventStream) {
    SseRecorder recorder;
    SseParser page;
    page.feed("<html>\n<body>\n", recorder);
    EXPECT_FALSE(page.recognised());
    SseParser comments;
    comments.feed(": alive\n\n", recorder);
    EXPECT_TRUE(comments.recognised());
}

}  // namespace
}  // namespace pgchat
