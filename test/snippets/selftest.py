"""Proves that the runner finds what is wrong in a page, and nothing where all is well."""

from programs import Jdbc, Node, Psycopg

RIGHT = """
```sql run as=my_app
SELECT session_user AS me, 7 AS n \\gset
SELECT 'any' AS a, 1 / 1 AS b;
```

```text output
  a  | b
…
 a…y | 1
(1 row)
```

```sql run as=my_app fails=22012
SELECT 1 / 0;
```

```text output
ERROR:  division by zero
```

```sql run as=my_app
SELECT :'me' || :n AS kept;
```

```text output
…
 my_app7
…
```

```ini file=settings.conf
port = 1
```
```sh run
test "$(cat settings.conf)$((PORT > 0))" = 'port = 11'
```
```sh run
here=1; cd /tmp
```
```sh run
test $here$PWD = 1/tmp
```
```sh run fails=22012
psql -v VERBOSITY=sqlstate -c 'SELECT 1 / 0'
```
```ruby
neither here nor there
```
"""

# What is wrong, the page, and what is said of it; a complete page each.
WRONG = [
    ("another output", "```sql run\nSELECT 2;\n```\n```text output\n?column?\n…\n        3\n…\n```", "not what the page says"),
    ("more output than is shown", "```sh run\necho a; echo b\n```\n```text output\na\n```", "not what the page says"),
    ("no output where some is shown", "```sh run\ntrue\n```\n```text output\na\n```", "not what the page says"),
    ("a statement that fails", "```sql run\nSELECT 1;\nSELECT 1 / 0;\nSELECT 2;\n```", "ended with status 3"),
    ("a command that fails", "```sh run\nfalse\ntrue\n```", "ended with status 1"),
    ("a statement without its end", "```sql run\nSELECT 1\n```", "has no end"),
    ("a file of another folder", "```ini file=../settings.conf\n```", "names a file of the working directory"),
    ("a file that is run, too", "```sh run file=settings.conf\n```", "file goes without run"),
    ("no failure where one is meant", "```sql run fails=22012\nSELECT 1;\n```", "it did not fail"),
    ("another failure than is meant", "```sql run fails=22023\nSELECT 1 / 0;\n```", "failed with 22012"),
    ("no failure of a command where one is meant", "```sh run fails=22012\necho 22012\n```", "it did not fail"),
    ("a failure of a command that does not say which", "```sh run fails=22012\nfalse\n```", "without the SQLSTATE"),
    ("a block that has no label", "```sql\nSELECT 1;\n```", "neither run nor norun"),
    ("a block that has no label, by another name of its language", "```bash\ntrue\n```", "write sh for bash"),
    ("norun without a reason", "```sql norun\nSELECT 1;\n```", "without a reason"),
    ("output of nothing", "```sql run\nSELECT 1;\n```\nAnd then:\n```text output\n1\n```", "follows no block"),
    ("an attribute that is not known", "```sql run fail=22012\nSELECT 1 / 0;\n```", "unknown attribute"),
    ("a language that nothing runs", "```ruby run\nputs 1\n```", "nothing is known"),
    ("a session that there is not", "```sh run=fish\ntrue\n```", "no session"),
]
# Of each language: what prints `n`, what keeps a name, what uses it, what divides by zero in the database.
PYTHON = ("python run=psycopg", "print('one')", "import psycopg\nkept = 1", "print(kept)", "psycopg.connect().execute('SELECT 1 / 0')")
NODE = ("javascript run=node", "console.log('one')", "import pg from 'pg';\nconst kept = 1", "console.log(kept)",
        "await new pg.Pool({ connectionString: process.env.DATABASE_URL }).query('SELECT 1 / 0')")
JAVA = ("java run=jdbc", 'System.out.println("one");', "import java.sql.*;\nstatic int twice(int n) {\n    return 2 * n;\n}\nvar kept = 1;",
        "System.out.println(twice(kept) / 2);",
        'try (var c = DriverManager.getConnection(System.getenv("JDBC_URL")); var s = c.createStatement()) {\n    s.execute("SELECT 1 / 0");\n}')


def _program(info, prints, keeps, uses, divides):
    return f"```{info}\n{prints}\n```\n```text output\none\n```\n```{info}\n{keeps}\n```\n```{info} fails=22012\n{divides}\n```\n" \
           f"```{info}\n{uses}\n```\n```text output\n1\n```\n"


def run(report, page, ground):
    """report.add(what, fault, skipped) for each case; page: the class that runs one, ground: the class of what it needs."""
    with ground("selftest.md") as shared:
        shared.make("")

        def faults(content):
            case = page("selftest.md", content, True)
            case.run(shared)
            return [f"{what}: {fault}" for what, fault, _ in case.outcomes if fault]

        def finds(what, found, said):
            report.add(what, None if len(found) == 1 and said in found[0] else f"said: {found}")

        report.add("a page in which all is well", "\n".join(faults(RIGHT)) or None)
        for what, content, said in WRONG:
            finds(f"finds {what}", faults(content), said)
        found = faults("```sql run\nSELECT 1 / 0;\n```\n```sh run\ntrue\n```")
        finds("does not go on in a page after a failure", found[1:], "not run, because")
        for kind, language in ((Psycopg, PYTHON), (Node, NODE), (Jdbc, JAVA)):
            what, missing = language[0], kind.missing()
            if missing:
                report.add(f"finds what is wrong in {what}", None, missing)
                continue
            # The last block prints 1. All before it is right, or there would be two faults.
            right = _program(*language)
            finds(f"finds another output of {what}", faults(right.removesuffix("1\n```\n") + "2\n```\n"), "not what the page says")
            if kind is not Jdbc:   # which ends as node does
                found = faults(right.replace(" fails=22012", ""))
                finds(f"finds a failure of {what}", found[:1], "it failed with 22012" if kind is Psycopg else "ended with status 1")
