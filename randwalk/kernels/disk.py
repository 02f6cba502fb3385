"""The disk cache of compiled kernels: its folder, and the checks of its files.

Numba unpickles the files of a cache, and a pickle can run any code. So a folder is used only if no other user can write to
it, and a file only if it belongs to this user. Every file begins with the SHA-256 of the rest: a truncated, emptied or otherwise
damaged file counts as absent, and the kernel is compiled again. Without a folder that can be written to, kernels are compiled in
every process.
"""

from __future__ import annotations

import hashlib
import inspect
import io
import logging
import os
import pickle
import secrets
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import numba
from numba.core.caching import CompileResultCacheImpl, FunctionCache, IndexDataCacheFile, InTreeCacheLocator

DIGEST = hashlib.sha256().digest_size
REMEDY = "set RANDWALK_CACHE_DIR to a folder that only you can write to"


@cache
def cache_place() -> tuple[Path | None, str]:
    """The folder of compiled kernels and "", or None and why there is none.

    It is $RANDWALK_CACHE_DIR if given, else beside the package, else in the user's cache directory. Its name has a hash of all
    kernel sources, because Numba does not notice a change in another file of a function that a kernel calls.
    """
    sources = sorted(Path(__file__).parent.glob("*.py"))
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
    yield Path(__file__).parent / "__pycache__"
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


class _Locator(InTreeCacheLocator):
    """Tells Numba to keep every function in the folder that was checked."""

    def __init__(self, function: Callable[..., Any], file: str) -> None:
        self._py_file, self._lineno = file, function.__code__.co_firstlineno
        self._cache_path = str(cache_place()[0])

    def get_source_stamp(self) -> str:
        return hashlib.sha256(Path(self._py_file).read_bytes()).hexdigest()


class _Results(CompileResultCacheImpl):
    def __init__(self, function: Callable[..., Any]) -> None:
        file = inspect.getfile(function)
        self._lineno = function.__code__.co_firstlineno
        self._locator = _Locator(function, file)
        name = f"{Path(file).stem}.{function.__qualname__}"
        self._filename_base = self.get_filename_base(name, getattr(sys, "abiflags", ""))


class _Files(IndexDataCacheFile):
    """An index and its data, each with a checksum in front, each readable and writable by this user alone."""

    def save(self, key: Any, data: Any) -> None:
        super().save(key, (key, data))

    def load(self, key: Any) -> Any:
        """None for the data of another kernel: two processes may give two kernels the same number."""
        found = super().load(key)
        return found[1] if found is not None and found[0] == key else None

    def _load_index(self) -> dict[Any, str]:
        try:
            content = io.BytesIO(read_whole(self._index_path))
            if pickle.load(content) != self._version:
                return {}
            stamp, overloads = pickle.load(content)
            return dict(overloads) if stamp == self._source_stamp else {}
        except Exception:  # the index is missing, damaged or of another kind: a new one is begun
            return {}

    def _load_data(self, name: str) -> Any:
        return pickle.loads(read_whole(self._data_path(name)))

    @contextmanager
    def _open_for_write(self, filepath: str) -> Iterator[io.BytesIO]:
        content = io.BytesIO()
        yield content
        write_whole(filepath, content.getvalue())


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


class KernelCache(FunctionCache):
    """Numba's cache of one kernel, in the folder of :func:`cache_place`. No failure of it stops a run."""

    _impl_class = _Results

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)
        self._cache_file = _Files(
            cache_path=self._cache_path,
            filename_base=self._impl.filename_base,
            source_stamp=self._impl.locator.get_source_stamp(),
        )

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        try:
            return super().load_overload(sig, target_context)
        except Exception:  # a whole file that this Numba cannot use: compile again
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        try:
            super().save_overload(sig, data)
        except OSError as error:
            _say_once(f"randwalk: compiled kernels cannot be kept in {self._cache_path} ({error.strerror or error})")


@cache
def _say_once(message: str) -> None:
    logging.getLogger("randwalk").warning(message)
