"""What a process uses, from /proc."""

import os


def rss_kib(pid):
    """Resident memory in KiB, without the pages it shares with files and other processes."""
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("RssAnon:"))


def cpu_seconds(pid):
    """User and system time so far."""
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
