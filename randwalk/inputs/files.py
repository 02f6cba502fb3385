"""Reading files that users name: only regular files of bounded size."""

from __future__ import annotations

import os
import stat
from pathlib import Path

KINDS = (
    (stat.S_ISDIR, "a directory"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def check_regular(path: Path, largest: int | None = None) -> None:
    """Refuse a path that is no regular file, or a file of more than `largest` bytes, without opening it.

    Raises
    ------
    ValueError
        for a directory, a pipe, a device, a file that is too large or a name that no file can have; the message starts
        with the path.
    OSError
        for a file that is missing, or in a folder that this user may not read.
    """
    try:
        status = os.stat(path)
    except ValueError as error:  # a name with a null character
        raise ValueError(f"{str(path)!r} cannot be a file: {error}") from None
    if not stat.S_ISREG(status.st_mode):
        kind = next((name for is_kind, name in KINDS if is_kind(status.st_mode)), "not a regular file")
        raise ValueError(f"{path} is {kind}: give a regular file")
    if largest is not None and status.st_size > largest:
        raise ValueError(f"{path} has {status.st_size:,} bytes: at most {largest:,} are read")


def read_text(path: Path, largest: int) -> str:
    """The text of a regular UTF-8 file of at most `largest` bytes, without a byte-order mark, its lines ended by ``\\n``.

    Raises
    ------
    ValueError, OSError
        as :func:`check_regular`; ValueError with the line of the first byte that is not UTF-8.
    """
    check_regular(path, largest)
    with path.open("rb") as file:
        content = file.read(largest + 1)  # the file may have grown, and files under /proc report the size 0
    if len(content) > largest:
        raise ValueError(f"{path} has more than {largest:,} bytes, which is all that are read")
    try:
        return plain(content.decode("utf-8"))
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ValueError(
            f"{path}, line {line}: the byte 0x{content[error.start]:02x} is not UTF-8 text: save the file as UTF-8"
        ) from None


def plain(text: str) -> str:
    """Text without a byte-order mark, its lines ended by ``\\n``."""
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
