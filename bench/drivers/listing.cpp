// listing: how often a second the latest conversations of a user can be read, by several connections at once.
//
//   listing --mode session|list|bare|rls|rls_and_owner|plain [--connections 8] [--seconds 3] [--people 10000]
//   [--delay_us 0]
//
// session: as an application's role, authenticate and list_conversations in one pipeline, each time another user. bare:
// as a superuser, the query itself with the user's id, each time another user. plain: the same bare query for one
// user a connection, as an application's role that bypasses row security; rls: as one with that identity, which leaves
// the user's id to the policy, and rls_and_owner, which names it too; list:
// list_conversations so, as an application's role with that identity. delay_us: a pause in each, to check the meter
// with. Prints the rate and the number of rows read, which tells that all modes did the same work.
#include <chrono>
#include <exception>
#include <random>
#include <thread>

#include "measure.hpp"

using namespace bench;

namespace {

constexpr char list_query[] = "SELECT * FROM chat.list_conversations()";
// What list_conversations does by itself: with the user's id, and with none, which leaves the owner to the policy.
constexpr char bare_query[] =
    "SELECT c.* FROM chat.conversations c WHERE c.user_id = $1::uuid AND c.is_archived = false "
    "AND (c.is_pinned, c.last_message_at) < (true, timestamptz 'infinity') "
    "ORDER BY c.is_pinned DESC, c.last_message_at DESC LIMIT 50";
constexpr char rls_query[] =
    "SELECT c.* FROM chat.conversations c WHERE c.is_archived = false "
    "AND (c.is_pinned, c.last_message_at) < (true, timestamptz 'infinity') "
    "ORDER BY c.is_pinned DESC, c.last_message_at DESC LIMIT 50";

struct Person {
    std::string id;
    std::string token;
};

struct Done {
    long calls = 0;
    long rows = 0;
    std::exception_ptr failure;
};

// Both statements were prepared; the pipeline is one round trip and one transaction.
long session_call(PGconn* connection, const Person& person) {
    const char* const token = person.token.c_str();
    PQsendQueryPrepared(connection, "authenticate", 1, &token, nullptr, nullptr, 0);
    PQsendQueryPrepared(connection, "list", 0, nullptr, nullptr, nullptr, 0);
    PQpipelineSync(connection);
    take_statement(connection);
    const long rows = PQntuples(take_statement(connection).get());
    take(connection);
    return rows;
}

// In a pipeline too, so that the client's part is the same.
long bare_call(PGconn* connection, const Person& person, int parameters) {
    const char* const id = person.id.c_str();
    PQsendQueryPrepared(connection, "bare", parameters, &id, nullptr, nullptr, 0);
    PQpipelineSync(connection);
    const long rows = PQntuples(take_statement(connection).get());
    take(connection);
    return rows;
}

void work(const Options& options, const std::vector<Person>& people, size_t number, Done& done) try {
    const std::string mode = options.text("mode");
    const bool has_identity = mode == "list" || mode == "rls" || mode == "rls_and_owner";
    const bool is_application = mode == "session" || has_identity;
    const bool is_fixed = mode == "plain" || has_identity;
    const char* const query = mode == "list" ? list_query : mode == "rls" ? rls_query : bare_query;
    const int parameters = query == bare_query ? 1 : 0;
    // From the end: other benchmarks give conversations to the first.
    const Person& own = people.at(people.size() - 1 - number);
    const Connection connection = connect(is_application ? "bench_app" : mode == "plain" ? "bench_plain" : nullptr);
    if (has_identity) run(connection, "SELECT chat.authenticate($1, false)", {own.token.c_str()});
    if (mode == "session") {
        checked(PQprepare(connection.get(), "authenticate", "SELECT chat.authenticate($1)", 0, nullptr));
        checked(PQprepare(connection.get(), "list", list_query, 0, nullptr));
    } else {
        checked(PQprepare(connection.get(), "bare", query, 0, nullptr));
    }
    if (PQenterPipelineMode(connection.get()) != 1) throw std::runtime_error("no pipeline mode");
    const std::chrono::microseconds delay(options.number("delay_us", 0));
    std::mt19937 random(static_cast<unsigned>(number));
    std::uniform_int_distribution<size_t> any(0, people.size() - 1);
    const int64_t end = now_ns() + options.number("seconds", 3) * 1'000'000'000LL;
    while (now_ns() < end) {
        const Person& person = is_fixed ? own : people[any(random)];
        done.rows += mode == "session" ? session_call(connection.get(), person)
                                       : bare_call(connection.get(), person, parameters);
        ++done.calls;
        if (delay.count() > 0) std::this_thread::sleep_for(delay);
    }
} catch (...) {
    done.failure = std::current_exception();
}

std::vector<Person> load_people(const Options& options) {
    const Result rows = run(connect(), "SELECT user_id, token FROM bench.people WHERE n <= $1::int ORDER BY n",
                            {options.text("people", "10000").c_str()});
    std::vector<Person> people;
    for (int i = 0; i < PQntuples(rows.get()); ++i)
        people.push_back({PQgetvalue(rows.get(), i, 0), PQgetvalue(rows.get(), i, 1)});
    return people;
}

void listing(const Options& options) {
    const std::vector<Person> people = load_people(options);
    std::vector<Done> done(static_cast<size_t>(options.number("connections", 8)));
    const int64_t start = now_ns();
    {
        std::vector<std::jthread> threads;
        for (size_t i = 0; i < done.size(); ++i) threads.emplace_back([&, i] { work(options, people, i, done[i]); });
    }
    const double seconds = static_cast<double>(now_ns() - start) / 1e9;
    Done all;
    for (const Done& one : done) {
        if (one.failure) std::rethrow_exception(one.failure);
        all.calls += one.calls;
        all.rows += one.rows;
    }
    std::printf("{\"calls_per_second\":%.0f,\"rows_per_call\":%.3f}\n", static_cast<double>(all.calls) / seconds,
                static_cast<double>(all.rows) / static_cast<double>(all.calls));
}

}  // namespace

int main(int argc, char** argv) {
    return guarded_main(argc, argv, listing);
}
