"""What blocks of a page run in: one process for each language and role, which lives as long as the page and does one block after the other."""

import dataclasses
import os
import queue
import re
import shutil
import signal
import subprocess
import threading
import time
import uuid

SECONDS = 60


@dataclasses.dataclass
class Result:
    """failed: NULL or what went wrong. sqlstate: of the error, '00000' without one. ended: the process is no more."""

    output: str
    sqlstate: str = "00000"
    failed: str = None
    ended: bool = False


class Session:
    """A process that is told to go on by lines on its standard input, and prints a mark after each block."""

    # Whether what it says on standard error is part of the output.
    merged = False

    def __init__(self, command, environment, folder):
        self._mark = f"--{uuid.uuid4().hex}--"
        environment = {**environment, "SNIPPETS_MARK": self._mark}
        self._errors = open(os.path.join(folder, f"errors-{uuid.uuid4().hex}"), "w+", encoding="utf-8")
        self._process = subprocess.Popen(
            command, env=environment, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8",
            errors="replace", stderr=subprocess.STDOUT if self.merged else self._errors, start_new_session=True)
        self._printed = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self._process.stdout:
            self._printed.put(line)
        self._printed.put(None)

    def _tell(self, text):
        try:
            self._process.stdin.write(text)
            self._process.stdin.flush()
        except BrokenPipeError:
            pass

    def _until_mark(self):
        """(what was printed, the words after the mark, or None where the process has ended first)."""
        lines, deadline = [], time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            try:
                line = self._printed.get(timeout=0.2)
            except queue.Empty:
                # What it has started may keep the pipe open.
                if self._process.poll() is not None:
                    return "".join(lines), None
                continue
            if line is None:
                self._process.wait(SECONDS)
                return "".join(lines), None
            if self._mark in line:
                before, _, words = line.partition(self._mark)
                return "".join(lines) + before, words.split()
            lines.append(line)
        self.close()
        return "".join(lines), ["timeout"]

    def _outcome(self):
        printed, words = self._until_mark()
        if words is None:
            status = f"it ended with status {self._process.returncode}\n{self._said()}"
            return Result(printed, self._sqlstate_said(printed), status, True)
        if words == ["timeout"]:
            return Result(printed, "", f"it was not done after {SECONDS} s", True)
        return Result(printed, words[0], None if words[0] == "00000" else f"it failed with {words[0]}\n{self._said()}")

    def _said(self):
        if self.merged:
            return ""
        with open(self._errors.name, encoding="utf-8", errors="replace") as said:
            text = said.read()
        # A compiler's first error is the cause of others; a program's last is why it ended.
        return text if len(text) < 6000 else f"{text[:3000]}\n…\n{text[-3000:]}"

    def _sqlstate_said(self, _printed):
        return ""

    def close(self):
        """Ends the process, and what it has started and left in its group."""
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self._process.wait()
        self._errors.close()


class Psql(Session):
    """psql, in which variables, settings and transactions live on from block to block. Errors stop it, unless the block is to fail."""

    merged = True

    def __init__(self, _blocks, environment, folder):
        super().__init__(["psql", "-X", "-q"], environment, folder)
        self._tell("\\pset pager off\n\\set SHOW_CONTEXT never\n")

    @staticmethod
    def missing():
        return None if shutil.which("psql") else "there is no psql"

    def run(self, block):
        last = re.sub(r"(^|\s)--.*$", "", [line for line in block.text.splitlines() if line.split("--")[0].strip()][-1])
        if not last.rstrip().endswith(";") and "\\" not in last:
            return Result("", "", "the last statement has no end", True)
        # A block that is to fail may go on with what comes after the error, such as ROLLBACK.
        self._tell(f"\\set ON_ERROR_STOP {'off' if block.fails else 'on'}\n\\set LAST_ERROR_SQLSTATE 00000\n{block.text}\n"
                   f"\\echo\n\\echo {self._mark} :LAST_ERROR_SQLSTATE\n")
        return self._outcome()


class Shell(Session):
    """bash, in which variables, functions and background jobs live on. A command that fails ends it, unless the block is to fail."""

    merged = True

    def __init__(self, _blocks, environment, folder):
        super().__init__(["bash", "--noprofile", "--norc"], environment, folder)
        self._folder, self._number = folder, 0

    @staticmethod
    def missing():
        return None if shutil.which("bash") else "there is no bash"

    def run(self, block):
        self._number += 1
        path = os.path.join(self._folder, f".block-{os.getpid()}-{self._number}.sh")
        with open(path, "w", encoding="utf-8") as written:
            written.write(block.text + "\n")
        if block.fails:
            # The SQLSTATE is where the programs say it, if they do.
            self._tell(f"(set -e; . {path}) </dev/null; test $? -eq 0 && s=00000 || s=failed; rm {path}; printf '\\n%s %s\\n' '{self._mark}' $s\n")
            result = self._outcome()
            if result.sqlstate == "failed":
                result.sqlstate = self._sqlstate_said(result.output, block.fails)
            return result
        self._tell(f"set -e; . {path} </dev/null; set +e; rm {path}; printf '\\n%s %s\\n' '{self._mark}' 00000\n")
        return self._outcome()

    def _sqlstate_said(self, printed, wanted=None):
        return wanted if wanted and re.search(rf"\b{wanted}\b", printed) else "an error without the SQLSTATE in its output"


class Files:
    """What the reader is told to write into a file of the working directory."""

    def __init__(self, _blocks, _environment, folder):
        self._folder = folder

    @staticmethod
    def missing():
        return None

    def run(self, block):
        with open(os.path.join(self._folder, block.attributes["file"]), "w", encoding="utf-8") as written:
            written.write(block.text + "\n")
        return Result("")

    def close(self):
        pass


class Program(Session):
    """All blocks of a language as one program, which waits on its standard input before each."""

    def run(self, _block):
        self._tell("go\n")
        return self._outcome()
