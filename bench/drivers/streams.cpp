// streams: starts many streams by chat.send_message, reads all of them through one chat.stream_gateway() and some
// through attached readers too, and measures what that costs the server and how late each token is.
//
//   streams --port MOCK_PORT --round N --model NAME --tokens N [--readers 0] [--senders 4] [--over_ms 2000]
//           [--before_compare STATEMENT]
//
// One stream for each conversation of the round, begun evenly over over_ms, each with one round trip. The readers'
// sessions are of a pool's kind: each has read a reply before, where its person has one. The model's tokens are
// "<i>:<CLOCK_REALTIME ns> ". Prints one JSON object; `broken` counts streams, of gateway and readers alike, in which
// anything is lost, out of order or other than the stored row. "over" figures are from the answer that the message is
// committed, less the provider's own time.
#include <sys/epoll.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <exception>
#include <mutex>
#include <thread>
#include <unordered_map>

#include "measure.hpp"
#include "mock_log.hpp"
#include "process.hpp"
#include "stream_tape.hpp"

using namespace bench;

namespace {

constexpr int64_t give_up_ns = 60'000'000'000;
constexpr int wait_ms = 2;
constexpr int most_ready = 64;

struct Stream {
    std::string token;
    std::string conversation;
    std::string key;
    std::string message;
    int64_t committed = 0;
    std::atomic<bool> is_sent{false};
};

// A connection that receives events row by row.
struct Reader {
    Connection connection;
    std::unordered_map<std::string, StreamTape> tapes;  // by message
    std::vector<double> ages_ms;
    Stream* stream = nullptr;  // the one it attaches to; null: the gateway
    bool is_attached = false;
    size_t ended = 0;   // streams read to their end
    size_t events = 0;  // rows
};

std::string uuid_text(const char* bytes) {
    std::string text;
    char pair[3];
    for (int i = 0; i < 16; ++i) {
        std::snprintf(pair, sizeof pair, "%02x", static_cast<unsigned char>(bytes[i]));
        if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
        text += pair;
    }
    return text;
}

std::string_view value(const PGresult* row, int column) {
    return {PQgetvalue(row, 0, column), static_cast<size_t>(PQgetlength(row, 0, column))};
}

void begin_reading(Reader& reader, const std::string& query, const char* parameter) {
    const int count = parameter == nullptr ? 0 : 1;
    if (PQsendQueryParams(reader.connection.get(), query.c_str(), count, nullptr, &parameter, nullptr, nullptr, 1) !=
            1 ||
        PQsetSingleRowMode(reader.connection.get()) != 1)
        throw std::runtime_error(PQerrorMessage(reader.connection.get()));
    reader.is_attached = true;
}

// Takes the rows that have come. Columns: message_id, seq, kind, delta.
void read_rows(Reader& reader) {
    PGconn* const connection = reader.connection.get();
    if (PQconsumeInput(connection) != 1) throw std::runtime_error(PQerrorMessage(connection));
    const int64_t now = now_ns();
    while (PQisBusy(connection) == 0) {
        PGresult* const raw = PQgetResult(connection);
        if (raw == nullptr) break;
        const Result row = checked(raw);
        if (PQntuples(raw) == 0) continue;
        uint32_t seq;
        std::memcpy(&seq, PQgetvalue(raw, 0, 1), sizeof seq);
        StreamTape& tape = reader.tapes[std::string(value(raw, 0))];
        reader.ended -= tape.ended();
        tape.take(now, static_cast<int>(__builtin_bswap32(seq)), value(raw, 2), value(raw, 3), reader.ages_ms);
        reader.ended += tape.ended();
        ++reader.events;
    }
}

// Whose rows have come. As a client of many connections waits: asking about all of them each time would cost this
// program, on the same cores, more than reading does.
class ReadyReaders {
public:
    ReadyReaders() : epoll_(epoll_create1(EPOLL_CLOEXEC)) {
        if (epoll_ < 0) throw std::runtime_error("epoll_create1 failed");
    }
    ~ReadyReaders() { close(epoll_); }
    ReadyReaders(const ReadyReaders&) = delete;
    ReadyReaders& operator=(const ReadyReaders&) = delete;

    void add(Reader& reader) {
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.ptr = &reader;
        if (epoll_ctl(epoll_, EPOLL_CTL_ADD, PQsocket(reader.connection.get()), &event) != 0)
            throw std::runtime_error("epoll_ctl failed");
    }
    void read() {
        epoll_event events[most_ready];
        const int count = epoll_wait(epoll_, events, most_ready, wait_ms);
        for (int i = 0; i < count; ++i) read_rows(*static_cast<Reader*>(events[i].data.ptr));
    }

private:
    int epoll_;
};

class Run {
public:
    explicit Run(const Options& options) : options_(options), control_(connect()), tokens_(options.number("tokens")) {
        load_streams();
        gateway().connection = connect();
        for (int i = 0; i < options.number("readers", 0); ++i) add_reader(streams_.at(static_cast<size_t>(i)));
        const Result pid = run(control_, "SELECT pid FROM chat.engine_status()");
        engine_ = std::stoi(PQgetvalue(pid.get(), 0, 0));
    }

    void measure() {
        begin_reading(gateway(),
                      "SELECT (g).message_id, (g).seq, (g).kind, (g).delta "
                      "FROM (SELECT chat.stream_gateway() AS g OFFSET 0) s",
                      nullptr);
        std::this_thread::sleep_for(std::chrono::milliseconds(300));  // the gateway is open
        idle_kb_ = rss_anon_kb(engine_);
        const std::vector<double> before = costs();
        send_and_read();
        const std::vector<double> after = costs();
        for (size_t i = 0; i < before.size(); ++i) cost_us_.push_back(after[i] - before[i]);
        if (const std::string statement = options_.text("before_compare", ""); !statement.empty())
            run(control_, statement);
        compare();
    }

    void print() const;

private:
    Reader& gateway() { return readers_.front(); }
    const Reader& gateway() const { return readers_.front(); }

    size_t senders() const { return static_cast<size_t>(options_.number("senders", 4)); }

    void load_streams() {
        const Result rows = run(control_,
                                "SELECT p.token, c.id FROM bench.conversations c JOIN bench.people p USING (user_id) "
                                "WHERE c.round = $1::int ORDER BY c.turn, c.client",
                                {options_.text("round").c_str()});
        streams_ = std::vector<Stream>(static_cast<size_t>(PQntuples(rows.get())));
        const std::string run_id = std::to_string(now_ns());
        for (size_t i = 0; i < streams_.size(); ++i) {
            streams_[i].token = PQgetvalue(rows.get(), static_cast<int>(i), 0);
            streams_[i].conversation = PQgetvalue(rows.get(), static_cast<int>(i), 1);
            streams_[i].key = "key:" + run_id + "-" + std::to_string(i);
        }
    }

    void add_reader(Stream& stream) {
        Reader reader;
        reader.connection = connect("bench_app");
        reader.stream = &stream;
        run(reader.connection, "SELECT chat.authenticate($1, false)", {stream.token.c_str()});
        run(reader.connection,
            "SELECT chat.stream_message(m.id, 1) FROM (SELECT t.id FROM chat.messages t WHERE t.role = 'assistant' "
            "AND t.status = 'complete' ORDER BY t.id DESC LIMIT 1) m");
        readers_.push_back(std::move(reader));
    }

    // CPU in µs of the engine, of the gateway's backend, of the other readers' backends.
    std::vector<double> costs() const {
        std::vector<int> pids;
        for (size_t i = 1; i < readers_.size(); ++i) pids.push_back(PQbackendPID(readers_[i].connection.get()));
        return {cpu_us({engine_}), cpu_us({PQbackendPID(gateway().connection.get())}), cpu_us(pids)};
    }

    // Sends every `step`-th stream from `first` on, at its time.
    void send(size_t first, size_t step, int64_t start, int64_t over_ns, std::exception_ptr& failure) {
        try {
            const Connection connection = connect("bench_app");
            checked(PQprepare(connection.get(), "authenticate", "SELECT chat.authenticate($1)", 0, nullptr));
            checked(PQprepare(connection.get(), "send",
                              "SELECT assistant_message_id FROM chat.send_message($1, $2, model => $3)", 0, nullptr));
            if (PQenterPipelineMode(connection.get()) != 1) throw std::runtime_error("no pipeline mode");
            const std::string model = options_.text("model");
            for (size_t i = first; i < streams_.size(); i += step) {
                const int64_t due = start + over_ns * static_cast<int64_t>(i) / static_cast<int64_t>(streams_.size());
                std::this_thread::sleep_for(std::chrono::nanoseconds(std::max<int64_t>(0, due - now_ns())));
                send_one(connection.get(), streams_[i], model);
            }
        } catch (...) {
            failure = std::current_exception();
        }
    }

    // Both statements were prepared; the pipeline is one round trip and one transaction.
    static void send_one(PGconn* connection, Stream& stream, const std::string& model) {
        const char* const token = stream.token.c_str();
        const char* const turn[] = {stream.conversation.c_str(), stream.key.c_str(), model.c_str()};
        PQsendQueryPrepared(connection, "authenticate", 1, &token, nullptr, nullptr, 0);
        PQsendQueryPrepared(connection, "send", 3, turn, nullptr, nullptr, 0);
        PQpipelineSync(connection);
        take_statement(connection);
        stream.message = PQgetvalue(take_statement(connection).get(), 0, 0);
        take(connection);
        stream.committed = now_ns();
        stream.is_sent = true;
    }

    void send_and_read() {
        std::vector<std::exception_ptr> failures(senders());
        const int64_t start = now_ns();
        std::vector<std::jthread> threads;
        for (size_t s = 0; s < senders(); ++s)
            threads.emplace_back(
                [&, s] { send(s, senders(), start, options_.number("over_ms", 2000) * 1'000'000LL, failures[s]); });
        std::exception_ptr failure;
        try {
            read_until_ended(start, failures);
        } catch (...) {
            failure = std::current_exception();
        }
        threads.clear();
        if (failure) std::rethrow_exception(failure);
    }

    void read_until_ended(int64_t start, const std::vector<std::exception_ptr>& failures) {
        ReadyReaders ready;
        ready.add(gateway());
        size_t attached = 1;  // in the order in which the streams are sent, nearly
        int64_t next_look = start;
        while (!all_ended()) {
            for (size_t i = attached; i < std::min(attached + senders(), readers_.size()); ++i)
                attach(readers_[i], ready);
            while (attached < readers_.size() && readers_[attached].is_attached) ++attached;
            ready.read();
            if (now_ns() < next_look) continue;
            next_look = now_ns() + 50'000'000;
            look_at_memory();
            for (const std::exception_ptr& failure : failures)
                if (failure) std::rethrow_exception(failure);
            if (now_ns() - start > give_up_ns) throw std::runtime_error("the streams did not end in a minute");
        }
    }

    static void attach(Reader& reader, ReadyReaders& ready) {
        if (reader.is_attached || !reader.stream->is_sent) return;
        begin_reading(reader,
                      "SELECT (e).request_id, (e).seq, (e).kind, (e).delta "
                      "FROM (SELECT chat.stream_message($1) AS e OFFSET 0) s",
                      reader.stream->message.c_str());
        ready.add(reader);
    }

    bool all_ended() const {
        if (gateway().ended < streams_.size()) return false;
        return std::all_of(readers_.begin() + 1, readers_.end(),
                           [](const Reader& reader) { return reader.ended == 1; });
    }

    // Keeps the engine's memory at the time when most streams were open.
    void look_at_memory() {
        size_t open = 0;
        for (const auto& [id, tape] : gateway().tapes) open += tape.begun() && !tape.ended();
        if (open <= most_open_) return;
        most_open_ = open;
        open_kb_ = rss_anon_kb(engine_);
    }

    void compare() {
        const Result rows = run(control_,
                                "SELECT m.id, m.content FROM bench.conversations c JOIN chat.messages m "
                                "ON m.user_id = c.user_id AND m.conversation_id = c.id AND m.role = 'assistant' "
                                "WHERE c.round = $1::int",
                                {options_.text("round").c_str()});
        std::unordered_map<std::string, std::string> stored;
        for (int i = 0; i < PQntuples(rows.get()); ++i)
            stored[PQgetvalue(rows.get(), i, 0)] = PQgetvalue(rows.get(), i, 1);
        const auto seen = seen_streams(options_.text("port"), streams_.size());
        std::unordered_map<std::string, const Stream*> sent;
        for (const Stream& stream : streams_) sent[stream.message] = &stream;
        for (const Reader& reader : readers_)
            for (const auto& [id, tape] : reader.tapes) {
                const Stream* const stream = reader.stream != nullptr ? reader.stream : sent.at(uuid_text(id.data()));
                broken_ += !tape.is_whole(stored[stream->message], tokens_);
                note(tape, *stream, seen.at(stream->key), reader.stream != nullptr);
            }
    }

    void note(const StreamTape& tape, const Stream& stream, const Seen& seen, bool is_attached) {
        const auto over = [&](int64_t at, int64_t own_end) {
            return static_cast<double>((at - stream.committed) - (own_end - seen.requested)) / 1e6;
        };
        first_over_[is_attached].push_back(std::max(over(tape.first_at(), seen.first_token), tape.first_age_ms()));
        total_over_[is_attached].push_back(over(tape.ended_at(), seen.last_token));
        if (!is_attached) until_request_.push_back(static_cast<double>(seen.requested - stream.committed) / 1e6);
        received_[is_attached] += tape.tokens();
    }

    const Options& options_;
    Connection control_;
    long tokens_;
    int engine_ = 0;
    std::vector<Stream> streams_;
    std::vector<Reader> readers_ = std::vector<Reader>(1);
    double idle_kb_ = 0;
    double open_kb_ = 0;
    size_t most_open_ = 0;
    std::vector<double> cost_us_;
    // By whether the reader was attached to one stream, or the gateway.
    std::vector<double> first_over_[2], total_over_[2];
    std::vector<double> until_request_;  // from that answer to the request at the provider, ms
    long received_[2] = {0, 0};
    int broken_ = 0;
};

void Run::print() const {
    const auto tokens = static_cast<double>(tokens_) * static_cast<double>(streams_.size());
    std::printf(R"({"streams":%zu,"broken":%d,"received":%ld,"attached_received":%ld,"events":%zu,)", streams_.size(),
                broken_, received_[0], received_[1], gateway().events);
    std::printf(R"("engine_us":%.2f,"gateway_us":%.2f,"readers_us":%.2f,"all_us":%.2f,)", cost_us_[0] / tokens,
                cost_us_[1] / tokens, cost_us_[2] / tokens, (cost_us_[0] + cost_us_[1] + cost_us_[2]) / tokens);
    std::printf(R"("open":%zu,"kb_per_stream":%.2f,)", most_open_,
                (open_kb_ - idle_kb_) / static_cast<double>(std::max<size_t>(most_open_, 1)));
    std::printf(R"("request_p50_ms":%.2f,"request_p99_ms":%.2f,)", percentile(until_request_, 0.5),
                percentile(until_request_, 0.99));
    std::printf(R"("age_p50_ms":%.2f,"age_p99_ms":%.2f,)", percentile(gateway().ages_ms, 0.5),
                percentile(gateway().ages_ms, 0.99));
    for (const bool attached : {false, true}) {
        if (first_over_[attached].empty()) continue;
        const char* const name = attached ? "attached_" : "";
        std::printf(R"("%sfirst_p50_ms":%.2f,"%sfirst_p99_ms":%.2f,)", name, percentile(first_over_[attached], 0.5),
                    name, percentile(first_over_[attached], 0.99));
        std::printf(R"("%stotal_p50_ms":%.2f,"%stotal_p99_ms":%.2f,)", name, percentile(total_over_[attached], 0.5),
                    name, percentile(total_over_[attached], 0.99));
    }
    std::printf("\"tokens\":%.0f}\n", tokens);
}

void streams(const Options& options) {
    Run run(options);
    run.measure();
    run.print();
}

}  // namespace

int main(int argc, char** argv) {
    return guarded_main(argc, argv, streams);
}
