// Response heads line by line.
#include "core/http/head_reader.hpp"

#include <gtest/gtest.h>

namespace pgchat {
namespace {

using State = HeadReader::State;

State feed_all(HeadReader& reader, std::initializer_list<std::string_view> lines) {
    State state = State::reading;
    for (const std::string_view line : lines) state = reader.feed(line);
    return state;
}

TEST(HeadReader, KeepsWhatCallersAskFor) {
    HeadReader reader;
    EXPECT_EQ(feed_all(reader, {"HTTP/1.1 503 Service Unavailable\r\n", "CONTENT-type:  Application/JSON \r\n",
                                "retry-after: Sun, 06 Nov 1994 08:49:37 GMT\r\n", "Server: x\r\n"}),
              State::reading);
    EXPECT_EQ(reader.feed("\r\n"), State::complete);
    EXPECT_EQ(reader.head().status, 503);
    EXPECT_EQ(reader.head().content_type, "application/json");
    EXPECT_EQ(reader.head().retry_after, "Sun, 06 Nov 1994 08:49:37 GMT");
    EXPECT_EQ(reader.feed("Content-Type: trailer/ignored\r\n"), State::complete);
    EXPECT_EQ(reader.head().content_type, "application/json");
}

TEST(HeadReader, StartsAnewAfterAnInformationalHead) {
    HeadReader reader;
    EXPECT_EQ(feed_all(reader, {"HTTP/1.1 103 Early Hints\r\n", "Content-Type: a/b\r\n", "\r\n"}), State::reading);
    EXPECT_EQ(feed_all(reader, {"HTTP/2 200 \r\n", "\r\n"}), State::complete);
    EXPECT_EQ(reader.head().status, 200);
    EXPECT_EQ(reader.head().content_type, "");
    reader.reset();
    EXPECT_EQ(reader.state(), State::reading);
    EXPECT_EQ(reader.head().status, 0);
}

TEST(HeadReader, RefusesEncodedBodies) {
    for (const char* line :
         {"Content-Encoding: gzip\r\n", "content-encoding: br\r\n", "Transfer-Encoding: gzip, chunked\r\n"}) {
        HeadReader reader;
        EXPECT_EQ(feed_all(reader, {"HTTP/1.1 200 OK\r\n", line, "\r\n"}), State::encoded) << line;
    }
    HeadReader reader;
    EXPECT_EQ(feed_all(reader, {"HTTP/1.1 200 OK\r\n", "Content-Encoding: identity\r\n",
                                "Transfer-Encoding: Chunked\r\n", "\r\n"}),
              State::complete);
}

TEST(HeadReader, CountsEveryByte) {
    HeadReader reader;
    reader.feed("HTTP/1.1 200 OK\r\n");
    const std::string line = "X: " + std::string(1019, 'x') + "\r\n";
    for (std::size_t bytes = 17 + line.size(); bytes <= HeadReader::max_bytes; bytes += line.size())
        ASSERT_EQ(reader.feed(line), State::reading);
    EXPECT_EQ(reader.feed(line), State::too_large);
}

}  // namespace
}  // namespace pgchat
