"""The memory of this machine. Requests that do not fit are refused before anything runs."""

from __future__ import annotations

import os
from pathlib import Path

UNKNOWN = 2.0**34  # bytes assumed where the system does not report its memory
SHARE = 0.5  # the part of the available memory that one request may take
SMALL = 2.0**20  # bytes that every system has
_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")  # of a container


def available() -> float:
    """The bytes of memory that this process can still get: the available memory of the system, at most the limit of a
    container."""
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
    """Refuse a request (`what`, for the message) of `size` bytes if that is more than half of the available memory.

    Raises
    ------
    MemoryError
        with both sizes and the `remedy`.
    """
    if size <= SMALL:  # to ask the system takes longer than a short run
        return
    most = SHARE * available()
    if size > most:
        raise MemoryError(
            f"{what} needs {_gib(size)} of memory and this machine has {_gib(most)} to give to it: {remedy}"
        )


def _gib(size: float) -> str:
    return f"{size / 2**30:.3g} GiB"


def _text(path: str) -> str:
    """The text of a system file; empty where there is none."""
    try:
        return Path(path).read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        return ""
