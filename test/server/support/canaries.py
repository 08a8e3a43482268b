"""Where a secret that somebody types must never be found: dumps, WAL, table files, the server's log, statistics views."""

import os
import pathlib
import subprocess

from support.database import rows, value

# For support.cluster.private: all that a server can be told to write down, but for the values of bound parameters. Creating
# the extension alone runs thousands of statements, which must not push others out.
SETTINGS = {"shared_preload_libraries": "pgchat,pg_stat_statements", "pg_stat_statements.track": "all", "pg_stat_statements.max": 50000, "log_statement": "all",
            "log_parameter_max_length": 0, "log_parameter_max_length_on_error": 0, "log_min_duration_statement": 0,
            "log_error_verbosity": "verbose", "log_min_messages": "debug1"}


def places(admin, data, activity):
    """What is written in each place, by its name; `data` is the cluster's data directory, `activity` was read from
    pg_stat_activity while the secrets' owner was connected."""
    admin.execute("CHECKPOINT")
    value(admin, "SELECT pg_switch_wal()")
    bindir = subprocess.run([os.environ.get("PG_CONFIG") or "pg_config", "--bindir"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    found = {"dump": subprocess.run([f"{bindir}/pg_dumpall"], check=True, stdout=subprocess.PIPE, timeout=60).stdout,
             "log": pathlib.Path(os.environ["PGCHAT_SERVER_LOG"]).read_bytes(), "pg_stat_activity": activity.encode(),
             "wal": b"".join(path.read_bytes() for path in (data / "pg_wal").iterdir() if path.is_file()),
             "tables": b"".join(path.read_bytes() for path in (data / "base").rglob("*") if path.is_file())}
    if value(admin, "SELECT to_regclass('pg_stat_statements')"):
        found["pg_stat_statements"] = "\n".join(text for text, in rows(admin, "SELECT query FROM pg_stat_statements")).encode()
    return found


def activity_of_others(admin):
    return "\n".join(query for query, in rows(admin, "SELECT query FROM pg_stat_activity WHERE query IS NOT NULL"))


def check_absent(found, secrets, signs):
    """Fails where a place holds one of the secrets, or lacks its sign: that it is the right place and was looked at."""
    for place, content in found.items():
        assert signs[place] in content, f"{place} does not hold what it should"
        for number, secret in enumerate(secrets):
            assert secret not in content, f"{place} holds secret number {number}"
