// What the measuring clients share: the clock, percentiles, connections that close themselves, and their options.
#pragma once

#include <libpq-fe.h>
#include <time.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <initializer_list>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace bench {

// CLOCK_REALTIME, as the mock provider's stamps are.
inline int64_t now_ns() {
    timespec t{};
    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec * 1'000'000'000LL + t.tv_nsec;
}

// The value below which the fraction `q` of the values lies (nearest rank); not a number where there are none.
inline double percentile(std::vector<double> values, double q) {
    if (values.empty()) return std::nan("");
    std::sort(values.begin(), values.end());
    const auto rank = static_cast<size_t>(std::ceil(q * static_cast<double>(values.size())));
    return values[std::clamp<size_t>(rank, 1, values.size()) - 1];
}

struct CloseResult {
    void operator()(PGresult* result) const { PQclear(result); }
};
struct CloseConnection {
    void operator()(PGconn* connection) const { PQfinish(connection); }
};
using Result = std::unique_ptr<PGresult, CloseResult>;
using Connection = std::unique_ptr<PGconn, CloseConnection>;

// Connects as the environment says, as `user` where it is not null. Throws std::runtime_error.
inline Connection connect(const char* user = nullptr) {
    const char* const keywords[] = {"user", nullptr};
    const char* const values[] = {user, nullptr};
    Connection connection(PQconnectdbParams(keywords, values, 0));
    if (PQstatus(connection.get()) != CONNECTION_OK) throw std::runtime_error(PQerrorMessage(connection.get()));
    return connection;
}

// Throws where the result is an error.
inline Result checked(PGresult* result) {
    Result owned(result);
    const ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_SINGLE_TUPLE &&
        status != PGRES_PIPELINE_SYNC)
        throw std::runtime_error(std::string("statement failed: ") + PQresultErrorMessage(result));
    return owned;
}

inline Result run(const Connection& connection, const std::string& statement,
                  std::initializer_list<const char*> parameters = {}) {
    return checked(PQexecParams(connection.get(), statement.c_str(), static_cast<int>(parameters.size()), nullptr,
                                parameters.begin(), nullptr, nullptr, 0));
}

// The next result of a pipeline, which is not one that tells of an error.
inline Result take(PGconn* connection) {
    PGresult* const result = PQgetResult(connection);
    if (result == nullptr) throw std::runtime_error("a result is missing");
    return checked(result);
}

// The one result of a statement in a pipeline, after which there is a null pointer.
inline Result take_statement(PGconn* connection) {
    Result result = take(connection);
    if (PQgetResult(connection) != nullptr) throw std::runtime_error("one result was expected");
    return result;
}

// The options of a command line `--name value …`.
class Options {
public:
    Options(int argc, char** argv) {
        for (int i = 1; i + 1 < argc; i += 2) values_[std::string(argv[i]).substr(2)] = argv[i + 1];
        if (argc % 2 == 0) throw std::runtime_error("options come as --name value");
    }
    std::string text(const std::string& name) const {
        const auto found = values_.find(name);
        if (found == values_.end()) throw std::runtime_error("--" + name + " is missing");
        return found->second;
    }
    std::string text(const std::string& name, const std::string& otherwise) const {
        return values_.contains(name) ? text(name) : otherwise;
    }
    int number(const std::string& name) const { return std::stoi(text(name)); }
    int number(const std::string& name, int otherwise) const {
        return values_.contains(name) ? number(name) : otherwise;
    }

private:
    std::map<std::string, std::string> values_;
};

// A main function: prints what goes wrong.
template <typename Body>
int guarded_main(int argc, char** argv, Body body) {
    try {
        body(Options(argc, argv));
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s: %s\n", argv[0], error.what());
        return 1;
    }
}

}  // namespace bench
