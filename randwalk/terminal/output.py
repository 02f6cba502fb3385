"""Output files: checked before anything runs, written whole or not at all."""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TextIO

NEEDED = {".nc": ("xarray", "h5netcdf", "h5py")}
EXTRA = 'pip install "randwalk-pde[io]"'


def check_output(argument: str, path: str | Path, suffixes: Sequence[str] = ()) -> Path:
    """The path of an output file, after a test that it can be written; the test leaves no file.

    Parameters
    ----------
    argument : str
        The name of the argument in messages, such as ``--out``; the path follows it.
    path : str or Path
        An existing file is accepted: it will be replaced.
    suffixes : sequence of str
        Endings to choose from; none means any.

    Raises
    ------
    ValueError
        for another ending, a folder that is missing or cannot be written to, or a path that is a folder.
    ImportError
        for an ending that needs packages that are not installed.

    >>> check_output("--out", "run.txt", [".npz", ".nc"])
    Traceback (most recent call last):
    ...
    ValueError: --out run.txt: must end in .npz or .nc
    """
    told, place = f"{argument} {path}", Path(path)
    if suffixes and place.suffix not in suffixes:
        raise ValueError(f"{told}: must end in {' or '.join(suffixes)}")
    missing = [name for name in NEEDED.get(place.suffix, ()) if suffixes and find_spec(name) is None]
    if missing:
        raise ImportError(f"{told}: {place.suffix} needs {', '.join(missing)}: {EXTRA}, or take another ending")
    try:
        status = place.stat()
    except FileNotFoundError:
        status = None
    except (OSError, ValueError) as error:  # the name is too long or has a null character, or a folder in it is a file
        raise ValueError(f"{told}: {getattr(error, 'strerror', None) or error}; take another name") from None
    if status is not None and stat.S_ISDIR(status.st_mode):
        raise ValueError(f"{told}: this is a folder; give the name of a file")
    if status is not None and _stream(place) is not None:
        return place
    if status is not None and not stat.S_ISREG(status.st_mode):  # a pipe or a terminal is written to directly
        if not os.access(place, os.W_OK):
            raise ValueError(f"{told}: cannot be written to; take another name")
        return place
    folder = place.resolve().parent
    if not folder.is_dir():
        raise ValueError(
            f"{told}: there is no folder {place.parent}; make it (mkdir -p {place.parent}) or take another"
        )
    _try(told, folder)
    return place


def check_folder(argument: str, path: str | Path) -> Path:
    """The path of an output folder, after a test that it can be made or written to; the test leaves no file.

    Raises
    ------
    ValueError
        for a path that is a file, or that cannot be made or written to; `argument` as in :func:`check_output`.
    """
    told, folder = f"{argument} {path}", Path(path)
    try:
        nearest = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    except (OSError, ValueError) as error:
        raise ValueError(f"{told}: {getattr(error, 'strerror', None) or error}; take another folder") from None
    if not nearest.is_dir():
        raise ValueError(f"{told}: {'this' if nearest == folder else nearest} is a file, not a folder; take another")
    _try(told, nearest)
    return folder


def _try(told: str, folder: Path) -> None:
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".randwalk-"):
            pass
    except OSError as error:
        raise ValueError(
            f"{told}: cannot write to the folder {folder} ({error.strerror or error}); take another"
        ) from None


def write_text(path: str | Path, text: str) -> None:
    """Write a file as UTF-8, whole or not at all. A symbolic link is followed; a pipe or a terminal is written to directly. If
    the file is that of standard output or error (``/dev/stdout``), the text is written to that stream.

    Raises
    ------
    OSError
        if the file cannot be written (a full disk, for example), with the path as given.
    """
    stream = _stream(Path(path))
    if stream is not None:
        stream.write(text)
        stream.flush()
        return
    write_bytes(path, text.encode())


def write_bytes(path: str | Path, content: bytes) -> None:
    """Write a file, whole or not at all, as :func:`write_text` does."""
    given = Path(path)
    try:
        if given.exists() and not given.is_file():  # not resolved, because the link of a pipe is no path
            given.write_bytes(content)
            return
        place = given.resolve()
        temporary = place.with_name(f".randwalk-{os.getpid()}.part")
        try:
            temporary.write_bytes(content)
            temporary.replace(place)
        finally:
            temporary.unlink(missing_ok=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), str(path)) from None


def _stream(place: Path) -> TextIO | None:
    """Standard output or error, if `place` is its file. To replace that file would lose the output written to it so far."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if os.path.samestat(os.fstat(stream.fileno()), place.stat()):
                return stream
        except (OSError, ValueError, AttributeError):  # the path does not exist, or the stream is no file
            continue
    return None
