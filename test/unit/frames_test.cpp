#include "core/engine/frames.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "support/fake_calls.hpp"
#include "support/fake_clock.hpp"
#include "support/fake_transport.hpp"

namespace pgchat {
namespace {

// Every shorter frame must be refused: read past the end of an exactly sized copy would be found by a sanitizer.
void expect_no_prefix_is_read(const std::string& frame, const std::function<void(FrameReader&)>& read) {
    for (std::size_t size = 0; size < frame.size(); ++size) {
        const std::vector<char> part(frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(size));
        try {
            FrameReader reader({part.data(), part.size()});
            read(reader);
            FAIL() << "read " << size << " of " << frame.size() << " bytes";
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), ErrorCode::internal);
        }
    }
    FrameReader whole(frame);
    read(whole);
    EXPECT_TRUE(whole.at_end());
}

TEST(Frames, ValuesComeBackInOrder) {
    FrameWriter writer(ReplyKind::events, 0xfffffffe);
    writer.u8(255).u32(4'000'000'000).i64(std::numeric_limits<std::int64_t>::min()).uuid(numbered_uuid(9));
    writer.text("").text(std::string_view("a\0b", 3));
    EXPECT_EQ(writer.size(), 5u + 1 + 4 + 8 + 16 + 4 + 4 + 3);
    const std::string frame = writer.take();
    const auto read = [](FrameReader& reader) {
        EXPECT_EQ(reader.kind(), static_cast<std::uint8_t>(ReplyKind::events));
        EXPECT_EQ(reader.request_number(), 0xfffffffe);
        EXPECT_EQ(reader.u8(), 255);
        EXPECT_EQ(reader.u32(), 4'000'000'000);
        EXPECT_EQ(reader.i64(), std::numeric_limits<std::int64_t>::min());
        EXPECT_EQ(reader.uuid(), numbered_uuid(9));
        EXPECT_EQ(reader.text(), "");
        EXPECT_EQ(reader.text(), std::string_view("a\0b", 3));
    };
    expect_no_prefix_is_read(frame, read);
}

TEST(Frames, ALengthBeyondTheEndIsRefused) {
    const std::string frame = FrameWriter(ReplyKind::events, 1).u32(0xffffffff).take() + "abc";
    FrameReader reader(frame);
    EXPECT_THROW(reader.text(), Error);
}

TEST(Frames, Complete) {
    CompleteRequest request;
    request.request_id = numbered_uuid(1);
    request.user_id = numbered_uuid(2);
    request.message_id = numbered_uuid(3);
    request.conversation_id = numbered_uuid(4);
    request.stream = true;
    request.timeout_ms = 5;
    request.model = "m";
    request.text = {"prompt", "messages", "system", "format", "options"};
    const std::string frame = write_complete(7, request);
    expect_no_prefix_is_read(frame, [&](FrameReader& reader) {
        const CompleteRequest read = read_complete(reader);
        EXPECT_EQ(reader.kind(), static_cast<std::uint8_t>(RequestKind::complete));
        EXPECT_EQ(reader.request_number(), 7u);
        EXPECT_EQ(read.request_id, request.request_id);
        EXPECT_EQ(read.user_id, request.user_id);
        EXPECT_EQ(read.message_id, request.message_id);
        EXPECT_EQ(read.conversation_id, request.conversation_id);
        EXPECT_TRUE(read.stream);
        EXPECT_EQ(read.timeout_ms, 5);
        EXPECT_EQ(read.model, "m");
        EXPECT_EQ(read.text.prompt, "prompt");
        EXPECT_EQ(read.text.messages, "messages");
        EXPECT_EQ(read.text.system_prompt, "system");
        EXPECT_EQ(read.text.response_format, "format");
        EXPECT_EQ(read.text.options, "options");
    });
}

TEST(Frames, AttachAndItsReply) {
    expect_no_prefix_is_read(write_attach(8, {numbered_uuid(3), 17, true}), [](FrameReader& reader) {
        const AttachRequest read = read_attach(reader);
        EXPECT_EQ(reader.kind(), static_cast<std::uint8_t>(RequestKind::attach));
        EXPECT_EQ(read.message_id, numbered_uuid(3));
        EXPECT_EQ(read.after_seq, 17u);
        EXPECT_TRUE(read.wait);
    });
    expect_no_prefix_is_read(write_attach_reply(8, {true, 18, numbered_uuid(5)}), [](FrameReader& reader) {
        const AttachReply read = read_attach_reply(reader);
        EXPECT_EQ(reader.kind(), static_cast<std::uint8_t>(ReplyKind::flag));
        EXPECT_TRUE(read.live);
        EXPECT_EQ(read.last_seq, 18u);
        EXPECT_EQ(read.request_id, numbered_uuid(5));
    });
}

TEST(Frames, LedgerAndItsAnswer) {
    const std::string payload("{\"a\":\"b\0c\"}", 11);
    const std::string asked = write_ledger(12, LedgerAct::settle_login, payload);
    expect_no_prefix_is_read(asked, [&](FrameReader& reader) {
        EXPECT_EQ(reader.kind(), static_cast<std::uint8_t>(RequestKind::ledger));
        EXPECT_EQ(reader.request_number(), 12u);
        const LedgerFrame read = read_ledger(reader);
        EXPECT_EQ(read.act, LedgerAct::settle_login);
        EXPECT_EQ(read.payload, payload);
    });
    const std::string answer = write_answer(12, "true");
    expect_no_prefix_is_read(answer, [&](FrameReader& reader) {
        EXPECT_EQ(reader.kind(), static_cast<std::uint8_t>(ReplyKind::answer));
        EXPECT_EQ(read_answer(reader), "true");
    });
}

TEST(Frames, AnActThereIsNotIsRefused) {
    const std::string frame = FrameWriter(RequestKind::ledger, 1).u8(200).text("{}").take();
    FrameReader reader(frame);
    EXPECT_THROW(read_ledger(reader), Error);
}

TEST(Frames, Flag) {
    for (const bool value : {true, false})
        expect_no_prefix_is_read(write_flag(9, value), [&](FrameReader& reader) {
            EXPECT_EQ(reader.kind(), static_cast<std::uint8_t>(ReplyKind::flag));
            EXPECT_EQ(read_flag(reader), value);
        });
}

TEST(Frames, ErrorWithItsHint) {
    const Error error(ErrorCode::unknown_model, "no such model", "look again");
    expect_no_prefix_is_read(write_error(10, error), [](FrameReader& reader) {
        EXPECT_EQ(reader.kind(), static_cast<std::uint8_t>(ReplyKind::error));
        const Error read = read_error(reader);
        EXPECT_EQ(read.code(), ErrorCode::unknown_model);
        EXPECT_STREQ(read.what(), "no such model");
        EXPECT_EQ(read.hint(), "look again");
    });
}

class SilentObserver final : public CallObserver {
public:
    void text_arrived(Call&) noexcept override {}
    void provider_answered(Call&) noexcept override {}
    void attempt_failed(Call&, ProviderHealth, bool) noexcept override {}
    void attempt_ended(Call&, const Attempt&) noexcept override {}
    bool fall_back(Call&) noexcept override { return false; }
    void retry_wanted(Call&, Milliseconds) noexcept override {}
    void finished(Call&) noexcept override {}
};

TEST(Frames, ResultOfACompleteCall) {
    FakeClock clock;
    FakeTransport network;
    SilentObserver observer;
    Call call(fake_spec(1), {}, clock, observer);
    call.start(network);
    clock.advance(Milliseconds(30));
    network.answer(1, 200, openai_thinking("hm") + openai_content("Hi") + openai_usage(5, 2, 1) + openai_done());
    network.run();
    expect_no_prefix_is_read(write_result(11, call), [](FrameReader& reader) {
        const CompleteReply read = read_result(reader);
        EXPECT_EQ(reader.kind(), static_cast<std::uint8_t>(ReplyKind::result));
        EXPECT_EQ(read.status, CallStatus::complete);
        EXPECT_EQ(read.content, "Hi");
        EXPECT_EQ(read.thinking, "hm");
        EXPECT_EQ(read.tool_calls, "");
        EXPECT_EQ(read.finish_reason, "stop");
        EXPECT_EQ(read.model, "small");
        EXPECT_EQ(read.input_tokens, 5);
        EXPECT_EQ(read.output_tokens, 2);
        EXPECT_EQ(read.cached_tokens, 1);
        EXPECT_EQ(read.cost, 4 * 1'000'000 + 100'000 + 2 * 2'000'000);
        EXPECT_EQ(read.latency_ms, 30);
        EXPECT_EQ(read.first_token_ms, 30);
        EXPECT_FALSE(read.error.has_value());
    });
}

TEST(Frames, ResultOfACallWithAKeptReply) {
    FakeClock clock;
    SilentObserver observer;
    Call call(fake_spec(1), {}, clock, observer);
    call.complete_with({"Hi", "hm", "", "stop", false});
    expect_no_prefix_is_read(write_result(13, call), [](FrameReader& reader) {
        const CompleteReply read = read_result(reader);
        EXPECT_EQ(read.status, CallStatus::complete);
        EXPECT_EQ(read.content, "Hi");
        EXPECT_EQ(read.thinking, "hm");
        EXPECT_TRUE(read.cached);
        EXPECT_EQ(read.cost, 0);
        EXPECT_EQ(read.output_tokens, 0);
    });
}

TEST(Frames, ResultOfACallThatWasNotSent) {
    FakeClock clock;
    SilentObserver observer;
    Call call(fake_spec(1), {}, clock, observer);
    call.stop(CallStatus::cancelled, Error(ErrorCode::cancelled, "stopped", "hint"));
    expect_no_prefix_is_read(write_result(12, call), [](FrameReader& reader) {
        const CompleteReply read = read_result(reader);
        EXPECT_EQ(read.status, CallStatus::cancelled);
        EXPECT_EQ(read.input_tokens, -1);
        EXPECT_EQ(read.output_tokens, -1);
        EXPECT_EQ(read.cached_tokens, -1);
        EXPECT_EQ(read.first_token_ms, -1);
        ASSERT_TRUE(read.error.has_value());
        EXPECT_EQ(read.error->code(), ErrorCode::cancelled);
        EXPECT_STREQ(read.error->what(), "stopped");
        EXPECT_EQ(read.error->hint(), "hint");
    });
}

}  // namespace
}  // namespace pgchat
