// The border between C++ exceptions and PostgreSQL's longjmp: the only ways to cross it, so that no destructor is
// skipped and no error loses its SQLSTATE.
//
//   entry(body)  is the whole body of every function PostgreSQL calls: no C++ exception leaves it.
//   bare_entry   the same for what must also work, or runs, where the SQL is of another version than the library.
//   call(pg)     wraps every PostgreSQL call that can error: no longjmp leaves it.
#pragma once

#include "core/error.hpp"
#include "pg/postgres.hpp"
#include "pg/sql_version.hpp"

namespace pgchat::pg {

// Thrown by call() while the server's own error stays parked on its error stack, to go on when entry() is reached.
// Not a std::exception, so that no general handler swallows it.
struct ParkedError {};

// A copy of a C++ error that owns nothing, so that a longjmp may pass over it.
struct ErrorReport {
    int sqlstate;
    char message[1024];
    char hint[512];

    void set(const Error& error) noexcept;
    void set(int sqlstate, const char* message) noexcept;
    [[noreturn]] void raise() const;
};

// Runs `function`, which calls PostgreSQL and holds only trivially destructible locals; it must not throw.
// Throws ParkedError where PostgreSQL raised an error.
template <class Function>
auto call(Function&& function) -> std::invoke_result_t<Function> {
    using Result = std::invoke_result_t<Function>;
    static_assert(std::is_trivially_destructible_v<Result> || std::is_void_v<Result>);
    MemoryContext const context = CurrentMemoryContext;
    sigjmp_buf* const outer_handler = PG_exception_stack;
    ErrorContextCallback* const outer_callbacks = error_context_stack;
    sigjmp_buf handler;
    if (sigsetjmp(handler, 0) == 0) {
        PG_exception_stack = &handler;
        if constexpr (std::is_void_v<Result>) {
            function();
            PG_exception_stack = outer_handler;
            return;
        } else {
            Result result = function();
            PG_exception_stack = outer_handler;
            return result;
        }
    }
    PG_exception_stack = outer_handler;
    error_context_stack = outer_callbacks;
    MemoryContextSwitchTo(context);
    throw ParkedError{};
}

// What became of a body; trivial, so that entry() may be left by longjmp.
enum class Failure { none, parked, reported };

// Runs `body`, storing what it threw in `report`.
template <class Body>
Failure run_guarded(Body&& body, ErrorReport& report) noexcept {
    try {
        body();
        return Failure::none;
    } catch (const ParkedError&) {
        return Failure::parked;
    } catch (const Error& error) {
        report.set(error);
    } catch (const std::bad_alloc&) {
        report.set(ERRCODE_OUT_OF_MEMORY, "out of memory");
    } catch (const std::exception& error) {
        report.set(ERRCODE_INTERNAL_ERROR, error.what());
    } catch (...) {
        report.set(ERRCODE_INTERNAL_ERROR, "unknown C++ exception");
    }
    return Failure::reported;
}

// The body of a hook, of a process, or of a function that must work with SQL of any version. `body` returns a Datum.
template <class Body>
Datum bare_entry(Body&& body) {
    ErrorReport report;
    Datum result = 0;
    const Failure failure = run_guarded([&] { result = body(); }, report);
    if (failure == Failure::parked) PG_RE_THROW();
    if (failure == Failure::reported) report.raise();
    return result;
}

// The body of an SQL-callable function, which is refused where the SQL is of another version than this library.
template <class Body>
Datum entry(Body&& body) {
    return bare_entry([&] {
        require_own_sql();
        return body();
    });
}

// Takes the parked error off the server's stack and returns it as an Error-like text for a log line, for the few
// places (the engine's loop) that go on after one. Must be called in the handler of ParkedError.
struct TakenError {
    std::string sqlstate;
    std::string message;
};
TakenError take_parked_error();

}  // namespace pgchat::pg
