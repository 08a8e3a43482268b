#include "core/llm/ndjson.hpp"

#include <gtest/gtest.h>

#include <string>

namespace pgchat {
namespace {

class Recorder final : public NdjsonHandler {
public:
    bool on_line(std::string_view line, bool complete) override {
        log.append(line).append(complete ? ";" : "?");
        return line != "stop";
    }
    std::string log;
};

TEST(Ndjson, ParsesTheSameWhateverTheSplit) {
    struct Case {
        std::string text;
        std::string lines;
    };
    for (const Case& c : {Case{"{}\n[1]\n", "{};[1];"}, Case{"{}\r\n\r\n  \n 1 \r\n2", "{};1;2?"}, Case{"\n\n", ""},
                          Case{"1\nstop\n2\n", "1;stop;"}})
        for (std::size_t piece = 1; piece <= c.text.size(); ++piece) {
            NdjsonParser parser;
            Recorder recorder;
            for (std::size_t at = 0; at < c.text.size(); at += piece)
                if (!parser.feed(std::string(c.text.substr(at, piece)), recorder)) break;
            parser.finish(recorder);
            EXPECT_EQ(recorder.log, c.lines);
        }
}

TEST(Ndjson, CapsLines) {
    for (const std::size_t piece : {1, 200}) {
        const std::string text = std::string(100, 'x') + '\n' + std::string(101, 'x') + '\n';
        NdjsonParser parser(100);
        Recorder recorder;
        bool go_on = true;
        for (std::size_t at = 0; at < text.size() && go_on; at += piece)
            go_on = parser.feed(std::string_view(text).substr(at, piece), recorder);
        EXPECT_FALSE(go_on && parser.finish(recorder));
        EXPECT_TRUE(parser.too_long());
        EXPECT_EQ(recorder.log, std::string(100, 'x') + ';');
    }
}

}  // namespace
}  // namespace pgchat
