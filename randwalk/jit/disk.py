"""The disk cache of compiled kernels: its folder, and the checks of its files.

Numba unpickles the files of a cache, and a pickle can run any code. So a folder is used only if no other user can write to
it, and a file only if it belongs to this user. Every file begins with the SHA-256 of the rest: a truncated, emptied or otherwise
damaged file counts as absent, and the kernel is compiled again. Without a folder that can be written to, kernels are compiled in
every process.
"""

from __future__ import annotations

import hashlib
import inspect
import logging
import os
import pickle
import secrets
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numba
from numba.core.compiler import CompileResult
from numba.core.serialize import dumps

from .called import give, names_in

rebuild: Any = CompileResult._rebuild
PACKAGE = Path(__file__).parents[1]
DIGEST = hashlib.sha256().digest_size
REMEDY = "set RANDWALK_CACHE_DIR to a folder that only you can write to"


@cache
def cache_place() -> tuple[Path | None, str]:
    """The folder of compiled kernels and "", or None and why there is none.

    It is $RANDWALK_CACHE_DIR if given, else beside the package, else in the user's cache directory. Its name has a hash of all
    kernel sources, because Numba does not notice a change in another file of a function that a kernel calls.
    """
    sources = (path for folder in ("jit", "kernels") for path in sorted((PACKAGE / folder).rglob("*.py")))
    version = numba.__version__.encode()
    digest = hashlib.sha256(b"".join([version, *(path.read_bytes() for path in sources)])).hexdigest()[:16]
    reasons = []
    for place in _places():
        try:
            directory = place.resolve() / f"numba-{digest}"
            reason = others_can_write(directory)
            if reason is None:
                _make(directory)
                with tempfile.TemporaryFile(dir=directory):
                    reason = others_can_write(directory)
        except (OSError, RuntimeError) as error:  # RuntimeError: a circle of symbolic links
            reason = f"{place}: {getattr(error, 'strerror', None) or error}"
        if reason is None:
            return directory, ""
        reasons.append(reason)
    return None, "; ".join(reasons)


def _places() -> Iterator[Path]:
    if given := os.environ.get("RANDWALK_CACHE_DIR"):
        yield Path(given)
        return
    yield PACKAGE / "kernels" / "__pycache__"
    user = os.environ.get("XDG_CACHE_HOME", "")
    if os.path.isabs(user):  # the XDG specification says to ignore relative paths
        yield Path(user) / "randwalk"
        return
    try:
        yield Path.home() / ".cache" / "randwalk"
    except RuntimeError:  # a user without a home
        return


def _make(directory: Path) -> None:
    """Make a folder, and missing folders above it, for this user alone."""
    for place in reversed([directory, *directory.parents]):
        if not place.exists():
            place.mkdir(mode=0o700, exist_ok=True)


def others_can_write(directory: Path) -> str | None:
    """The other users who could put files into a folder (which need not exist yet), in words; None if there are none but root.

    Then the folder belongs to this user, folders above it to this user or root, and no other user can write to them. Folders
    above may be sticky, as /tmp is, where users cannot rename the files of others.
    """
    if not hasattr(os, "geteuid"):  # Windows, where a profile belongs to one user
        return None
    user = os.geteuid()
    for place in (directory, *directory.parents):
        try:
            found = place.stat()
        except FileNotFoundError:
            continue
        if found.st_uid != user and (place == directory or found.st_uid != 0):
            return f"{place} belongs to another user"
        sticky = place != directory and found.st_mode & stat.S_ISVTX
        if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and not sticky:
            return f"{place} can be written to by other users"
    return None


def write_whole(path: str, content: bytes) -> None:
    """Write a file, with its checksum, whole or not at all."""
    temporary = f"{path}.{secrets.token_hex(4)}.tmp"
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        with open(os.open(temporary, flags, 0o600), "wb") as file:
            file.write(hashlib.sha256(content).digest() + content)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def read_whole(path: str) -> bytes:
    """The content of a file of :func:`write_whole`; OSError if the file is damaged, missing or of another user."""
    flags = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
    with open(os.open(path, flags), "rb") as file:
        found = os.fstat(file.fileno())
        if hasattr(os, "geteuid") and (found.st_uid != os.geteuid() or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)):
            raise OSError(f"{path} is not this user's alone")
        content = file.read()
    if hashlib.sha256(content[DIGEST:]).digest() != content[:DIGEST]:
        raise OSError(f"{path} is damaged")
    return content[DIGEST:]


class KernelCache:
    """Numba's cache of one kernel, a file for each type of its arguments, in the folder of :func:`cache_place`. No failure of it
    stops a run. A file's name has a hash of all that its code depends on."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.cache_path = str(cache_place()[0])
        self._name = f"{function.__module__}.{function.__qualname__}"
        self._source = Path(inspect.getfile(function)).read_bytes(), function.__code__.co_code

    def holds(self, signature: Any, target: Any) -> bool:
        """Whether there is a file for these types of arguments."""
        return os.path.exists(self._path(signature, target.codegen()))

    def load_overload(self, signature: Any, target: Any) -> Any:
        target.refresh()
        try:
            names, code = pickle.loads(read_whole(self._path(signature, target.codegen())))
            for name, leads in names.items():
                give(name, *leads)
            return rebuild(target, *code)
        except Exception:  # missing, damaged, of what is called otherwise now, or not for this Numba: compile again
            return None

    def save_overload(self, signature: Any, compiled: Any) -> None:
        try:
            content = dumps((names_in(compiled.library), compiled._reduce()))
            write_whole(self._path(signature, compiled.codegen), content)
        except OSError as error:
            _say_once(f"randwalk: compiled kernels cannot be kept in {self.cache_path} ({error.strerror or error})")

    def _path(self, signature: Any, codegen: Any) -> str:
        told = (self._source, str(signature), codegen.magic_tuple(), sys.implementation.cache_tag)
        return os.path.join(self.cache_path, f"{self._name}-{hashlib.sha256(repr(told).encode()).hexdigest()[:24]}")


@cache
def _say_once(message: str) -> None:
    logging.getLogger("randwalk").warning(message)
