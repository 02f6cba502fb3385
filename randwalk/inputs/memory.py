"""How much memory this machine has, and requests that cannot fit, refused before anything runs."""

from __future__ import annotations

import os
from pathlib import Path

UNKNOWN = 2.0**34  # bytes assumed where the system does not say
SHARE = 0.5  # of what is available may be taken by one request
_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")  # of a container


def available() -> float:
    """Bytes of memory that this process could still have: what the system calls available, within a container's limit."""
    try:
        size = float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (AttributeError, ValueError, OSError):  # not on every system
        size = UNKNOWN
    for line in _text("/proc/meminfo").splitlines():
        if line.startswith("MemAvailable:"):
            size = min(size, 1024.0 * float(line.split()[1]))
    for path in _LIMITS:
        limit = _text(path).strip()
        if limit.isdigit():
            size = min(size, float(limit))
    return size


def require(size: float, what: str, remedy: str) -> None:
    """Refuse what takes `size` bytes, more than half of what this machine has.

    Raises
    ------
    MemoryError
        with the size, that of the machine, and the `remedy`.
    """
    most = SHARE * available()
    if size > most:
        raise MemoryError(
            f"{what} needs {_gib(size)} of memory and this machine has {_gib(most)} to give to it: {remedy}"
        )


def _gib(size: float) -> str:
    return f"{size / 2**30:.3g} GiB"


def _text(path: str) -> str:
    """The text of a file of the system; nothing where there is none."""
    try:
        return Path(path).read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        return ""
