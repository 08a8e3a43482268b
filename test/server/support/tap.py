"""Named tests that print TAP, with their figures as diagnostics."""

import contextlib
import os
import signal
import sys
import threading
import time
import traceback

_tests = []
_MOST_SECONDS = 280


class Skip(Exception):
    """Raised by a test that cannot run here, with the reason."""


def test(name):
    """Registers the decorated function as the test of that name; the tests run in the order they are written."""

    def register(function):
        _tests.append((name, function))
        return function

    return register


def diag(text):
    """Prints a diagnostic, such as a figure that was measured."""
    for line in str(text).splitlines():
        print("#", line, flush=True)


def equal(got, wanted, what=""):
    assert got == wanted, f"{what + ': ' if what else ''}got {got!r}, wanted {wanted!r}"


def skip_all(reason):
    print(f"1..0 # SKIP {reason}", flush=True)
    sys.exit(0)


def wait_until(condition, what, seconds=60.0, pause=0.01):
    """Polls until the condition is true and returns its value; fails with `what` after so many seconds."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"after {seconds:g} s, still not: {what}"
        time.sleep(pause)


class Task(threading.Thread):
    """A function that runs in a thread of its own; result() returns its value, or raises what it raised."""

    def __init__(self, function, *arguments):
        super().__init__(daemon=True)
        self._function, self._arguments = function, arguments
        self._value = self._error = None
        self.seconds = None
        self.start()

    def run(self):
        begin = time.monotonic()
        try:
            self._value = self._function(*self._arguments)
        except BaseException as error:  # result() raises it where the test can see it
            self._error = error
        self.seconds = time.monotonic() - begin

    def result(self, seconds=60.0):
        self.join(seconds)
        assert not self.is_alive(), f"after {seconds:g} s, still running: {self._function.__name__}"
        if self._error is not None:
            raise self._error
        return self._value


def _outcome(function):
    try:
        function()
    except Skip as skip:
        return "ok", f" # SKIP {skip}", ""
    except Exception:
        return "not ok", "", traceback.format_exc()
    return "ok", "", ""


def _end(number, _frame):
    raise SystemExit(f"ended by {signal.Signals(number).name}")


def run(clean_up=lambda: None, around=contextlib.nullcontext()):
    """Runs all tests, or those whose number or part of the name is an argument, and ends the process with their outcome.
    clean_up is called before, and around is a context manager that prepares what all tests need: both also when time is up."""
    for number in (signal.SIGALRM, signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)
    signal.alarm(_MOST_SECONDS)
    print(f"1..{len(_tests)}", flush=True)
    failed = 1
    try:
        with around:
            try:
                failed = _run_tests()
            finally:
                clean_up()
    except SystemExit as end:
        print(f"Bail out! {end}", flush=True)
    except Exception:
        diag(traceback.format_exc())
        print("Bail out! what the tests need could not be prepared or removed", flush=True)
        failed = 1
    sys.stdout.flush()
    # A thread that hangs in a failed test must not keep the process.
    os._exit(1 if failed else 0)


def _run_tests():
    wanted = sys.argv[1:]
    failed = 0
    for number, (name, function) in enumerate(_tests, 1):
        if wanted and not any(part == str(number) or (not part.isdigit() and part in name) for part in wanted):
            print(f"ok {number} - {name} # SKIP not asked for", flush=True)
            continue
        begin = time.monotonic()
        verdict, directive, details = _outcome(function)
        failed += verdict != "ok"
        print(f"{verdict} {number} - {name}{directive}", flush=True)
        diag(details)
        diag(f"{time.monotonic() - begin:.2f} s")
    return failed
