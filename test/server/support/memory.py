"""What processes of the server hold in memory, read from /proc."""

import contextlib
import os
import pathlib

from support.tap import Skip

CHUNK = 1 << 24


def _parts(pid):
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb") as memory:
        for line in maps:
            addresses, rights = line.split()[:2]
            if not rights.startswith("rw") or "[v" in line:
                continue
            at, end = (int(address, 16) for address in addresses.split("-"))
            with contextlib.suppress(OSError):
                while at < end:
                    memory.seek(at)
                    # Overlapping, so that nothing is cut in two.
                    yield memory.read(min(CHUNK + 4096, end - at))
                    at += CHUNK


def holds(pid, needles):
    """Which of the needles, a dictionary of bytes by name, the process can see, shared memory included; None where it has gone."""
    found, size = set(), 0
    try:
        for part in _parts(pid):
            size += len(part)
            found |= {name for name, needle in needles.items() if needle in part}
    except PermissionError:
        raise Skip("this user may not look into the server's processes") from None
    except (FileNotFoundError, ProcessLookupError):
        return None
    return sorted(found) if size > 100_000 else None


def processes_of(data):
    """The processes of the cluster with this data directory: its postmaster, and those that it started."""
    postmaster = int((pathlib.Path(data) / "postmaster.pid").read_text().split()[0])
    children = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError):
                if int(pathlib.Path(f"/proc/{entry}/stat").read_text().rsplit(")", 1)[1].split()[1]) == postmaster:
                    children.append(int(entry))
    return [postmaster, *children]
