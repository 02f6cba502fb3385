"""Files that results are written to: tried before anything runs, written whole or not at all."""

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
    """The path of a file that can be written; nothing is left there.

    Parameters
    ----------
    argument : str
        What messages call it, such as ``--out``; the path follows as it is given here.
    path : str or Path
        A file that exists is accepted: it will be replaced.
    suffixes : sequence of str
        Endings to choose from; none means any.

    Raises
    ------
    ValueError
        for another ending, a folder that is missing or cannot be written to, or a path that is a folder.
    ImportError
        where the ending needs packages that are not installed.

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
    except (OSError, ValueError) as error:  # a name that is too long, a file in place of a folder, a null character
        raise ValueError(f"{told}: {getattr(error, 'strerror', None) or error}; take another name") from None
    if status is not None and stat.S_ISDIR(status.st_mode):
        raise ValueError(f"{told}: this is a folder; give the name of a file")
    if status is not None and _stream(place) is not None:
        return place
    if status is not None and not stat.S_ISREG(status.st_mode):  # a pipe, a terminal: written to as it is
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
    """The path of a folder that can be written to, or made; nothing is left there.

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
    """Write a whole file or none, as UTF-8. A symbolic link stays one, a pipe or a terminal is written to, and what standard
    output or error goes to gets the text after what stands there (``/dev/stdout``, whatever that is).

    Raises
    ------
    OSError
        if it cannot be written, a full disk say; with the path as it is given here.
    """
    given = Path(path)
    stream = _stream(given)
    if stream is not None:
        stream.write(text)
        stream.flush()
        return
    try:
        if given.exists() and not given.is_file():  # not resolved: the link to a pipe names no path
            given.write_text(text, encoding="utf-8")
            return
        place = given.resolve()
        temporary = place.with_name(f".randwalk-{os.getpid()}.part")
        try:
            temporary.write_text(text, encoding="utf-8")
            temporary.replace(place)
        finally:
            temporary.unlink(missing_ok=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), str(path)) from None


def _stream(place: Path) -> TextIO | None:
    """Standard output or error, if that is where `place` leads: a file that replaced theirs would take what they have written."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if os.path.samestat(os.fstat(stream.fileno()), place.stat()):
                return stream
        except (OSError, ValueError, AttributeError):  # not there, or not a file
            continue
    return None
