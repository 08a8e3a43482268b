"""The sessions of program languages: psycopg, node and JDBC. A page's blocks of one language are one program that shares its names."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

from sessions import Program

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("PGCHAT_BUILD", ROOT / "build")) / "snippets"
JARS = pathlib.Path("/usr/share/java")


def _can(command):
    return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode == 0


class Psycopg(Program):
    """Python; each block is executed in the same module."""

    DRIVER = """
import json, os, sys, traceback
blocks, names = json.load(open(sys.argv[1])), {"__name__": "__main__"}
for path, line, text in blocks:
    sys.stdin.readline()
    sqlstate = "00000"
    try:
        exec(compile("\\n" * (line - 1) + text, path, "exec"), names)
    except BaseException as error:
        traceback.print_exc()
        sqlstate = getattr(error, "sqlstate", None) or "an-error-without-SQLSTATE"
    print("\\n" + os.environ["SNIPPETS_MARK"], sqlstate, flush=True)
sys.stdin.readline()
"""

    def __init__(self, blocks, environment, folder):
        path = pathlib.Path(folder, "program.json")
        path.write_text(json.dumps([(str(ROOT / block.page), block.line, block.text) for block in blocks]), encoding="utf-8")
        super().__init__([sys.executable, "-c", self.DRIVER, str(path)], environment, folder)

    @staticmethod
    def missing():
        return None if _can([sys.executable, "-c", "import psycopg, psycopg_pool"]) else "there is no python3-psycopg-pool"


class Node(Program):
    """An ES module; a block that is to fail has names of its own."""

    HEAD = """import { createInterface as __interface } from "node:readline";
const __lines = __interface({ input: process.stdin })[Symbol.asyncIterator]();
const __done = (state) => process.stdout.write(`\\n${process.env.SNIPPETS_MARK} ${state}\\n`);
"""

    def __init__(self, blocks, environment, folder):
        parts = [self.HEAD]
        for block in blocks:
            where = f"\n// {block.name}\nawait __lines.next();\n"
            if block.fails:
                parts.append(where + "try {\n" + block.text + "\n__done('00000');\n} catch (error) {\nconsole.error(error);\n"
                             "__done(error.code ?? 'an-error-without-code');\n}\n")
            else:
                parts.append(where + block.text + "\n__done('00000');\n")
        folder_of_modules = BUILD / "node"
        path = folder_of_modules / (re.sub(r"\W+", "-", blocks[0].page) + ".mjs")
        path.write_text("".join(parts) + "await __lines.next();\nprocess.exit(0);\n", encoding="utf-8")
        super().__init__(["node", str(path)], environment, folder)

    @staticmethod
    def missing():
        """Installs what the lock file names, the first time."""
        if not shutil.which("npm") or not shutil.which("node"):
            return "npm is not installed"
        source, folder = ROOT / "test/snippets/node", BUILD / "node"
        lock = (source / "package-lock.json").read_text(encoding="utf-8")
        installed = folder / "installed-lock.json"
        if installed.exists() and installed.read_text(encoding="utf-8") == lock:
            return None
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(source / name, folder / name)
        done = subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=180, check=False)
        if done.returncode:
            return "npm cannot install what the snippets use: " + (done.stdout.strip().splitlines() or ["?"])[-1]
        installed.write_text(lock, encoding="utf-8")
        return None


class Jdbc(Program):
    """One class, compiled and run in one go: imports, types and static members of the blocks are its own, other lines one method."""

    CLASS_PATH = ("postgresql.jar", "HikariCP.jar", "slf4j-api.jar", "slf4j-nop.jar")
    MEMBER = re.compile(r"(?:@\w+\s+)*(?:static|record|enum|interface|sealed|final class|abstract class|class)\b")
    WORD = re.compile(r'"""[\s\S]*?"""|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'|//[^\n]*|/\*[\s\S]*?\*/')

    HEAD = """public class Page {
static final java.io.BufferedReader lines__ = new java.io.BufferedReader(new java.io.InputStreamReader(System.in));
static void next__() throws java.io.IOException { lines__.readLine(); }
static void done__(String state) { System.out.print("\\n" + System.getenv("SNIPPETS_MARK") + " " + state + "\\n"); System.out.flush(); }
"""

    def __init__(self, blocks, environment, folder):
        imports, members, body = [], [], []
        for block in blocks:
            more_imports, more_members, statements = self.split(block.text)
            imports += [line for line in more_imports if line not in imports]
            members += more_members
            body.append(f"// {block.name}\nnext__();")
            if block.fails:
                body.append("try {\n" + statements + '\ndone__("00000");\n} catch (java.sql.SQLException error) {\n'
                            "error.printStackTrace();\ndone__(error.getSQLState());\n}")
            else:
                body.append(statements + '\ndone__("00000");')
        path = pathlib.Path(folder, "Page.java")
        path.write_text("\n".join(imports) + "\n" + self.HEAD + "\n".join(members) + "\npublic static void main(String[] arguments__) throws Exception {\n"
                        + "\n".join(body) + "\nnext__();\nSystem.exit(0);\n}\n}\n", encoding="utf-8")
        class_path = ":".join(str(JARS / name) for name in self.CLASS_PATH)
        super().__init__(["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Dfile.encoding=UTF-8", "-Dstdout.encoding=UTF-8", "-cp", class_path,
                          str(path)], environment, folder)

    @classmethod
    def split(cls, text):
        """(imports, members, statements) of a block: a member begins at the margin, and ends where its brackets do."""
        imports, members, statements, member, depth = [], [], [], [], 0
        blanked = cls.WORD.sub(lambda found: re.sub(r"[^\n]", " ", found.group()), text).splitlines()
        for line, code in zip(text.splitlines(), blanked):
            if not member and code.startswith("import "):
                imports.append(line)
            elif member or cls.MEMBER.match(code):
                member.append(line)
                depth += sum(code.count(left) for left in "([{") - sum(code.count(right) for right in ")]}")
                if depth == 0 and code.rstrip().endswith((";", "}")):
                    members.append(re.sub(r"^((?:final |abstract |sealed )*class)\b", r"static \1", "\n".join(member)))
                    member = []
            else:
                statements.append(line)
        return imports, members, "\n".join(statements)

    @classmethod
    def missing(cls):
        if not shutil.which("java") or not shutil.which("javac"):
            return "there is no Java compiler"
        absent = [name for name in cls.CLASS_PATH if not (JARS / name).exists()]
        return f"{JARS} has no {', '.join(absent)}" if absent else None
