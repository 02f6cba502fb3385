"""The cache of compiled kernels: whose files are believed, and what damage, full disks and read-only ones do (nothing)."""

from __future__ import annotations

import errno
import hashlib
import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from randwalk.jit import disk
from randwalk.jit.compile import device, kernel
from randwalk.kernels import bits
from randwalk.kernels.program import BITS

needs_root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files to another user"
)
posix = pytest.mark.skipif(not hasattr(os, "geteuid"), reason="modes and owners are POSIX")


def total(values):  # type: ignore[no-untyped-def]
    found = 0
    for value in values:
        found += value
    return found


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    tmp_path.chmod(0o700)
    monkeypatch.setenv("RANDWALK_CACHE_DIR", str(tmp_path))
    disk.cache_place.cache_clear()
    yield tmp_path
    disk.cache_place.cache_clear()


def hits() -> int:
    """Declare the kernel anew and run it: 1 if it came from the disk, 0 if it was compiled."""
    declared: Any = kernel(total)
    assert declared(np.arange(5)) == 10
    return sum(declared._cache_hits.values()) if disk.cache_place()[0] is not None else 0


def kept(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "emptied": lambda content: b"",
    "cut in half": lambda content: content[: len(content) // 2],
    "cut by a byte": lambda content: content[:-1],
    "a bit turned": lambda content: content[:-9] + bytes([content[-9] ^ 1]) + content[-8:],
    "noise": lambda content: np.random.default_rng(1).bytes(len(content)),
    "whole, but no pickle": lambda content: hashlib.sha256(b"no").digest() + b"no",
    "whole, another pickle": lambda content: hashlib.sha256(other := pickle.dumps(["x", 1])).digest() + other,
}


@pytest.mark.quick
@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_damaged_files_are_compiled_again(folder: Path, damage: Callable[[bytes], bytes]) -> None:
    assert [hits(), hits()] == [0, 1]
    (path,) = kept(folder)
    path.write_bytes(damage(path.read_bytes()))
    assert [hits(), hits()] == [0, 1]


def test_a_missing_file_is_compiled_again(folder: Path) -> None:
    hits()
    kept(folder)[0].unlink()
    assert [hits(), hits()] == [0, 1]


def test_kernels_of_other_types_or_sources_have_files_of_their_own(folder: Path) -> None:
    declared: Any = kernel(total)
    assert declared(np.arange(5)) == declared(np.arange(5.0)) == 10
    scope: dict[str, Any] = {}
    exec(compile("def total(values):\n    return 7 * len(values)", __file__, "exec"), {"__name__": __name__}, scope)
    assert kernel(scope["total"])(np.arange(5)) == 35
    assert len(kept(folder)) == 3 and hits() == 1


def test_scalar_functions_that_python_calls_are_kept_unless_they_hold_others(folder: Path) -> None:
    """As the simulator of CUDA calls them, in every process. Two closures of one text are two functions."""
    assert int(device(bits.spread.py_func)(1 << (BITS - 1), 0)) == 2**64 - 1
    (path,) = kept(folder)
    assert path.name.startswith("randwalk.kernels.bits.spread")

    def more(by: int) -> Any:
        return device(lambda value: value + by)

    assert (more(1)(1), more(2)(1)) == (2, 3) and kept(folder) == [path]


@posix
def test_whatever_the_umask_only_the_user_can_write(folder: Path) -> None:
    before = os.umask(0)
    try:
        hits()
    finally:
        os.umask(before)
    assert kept(folder) and all(path.stat().st_mode & 0o077 == 0 for path in folder.rglob("*"))
    assert hits() == 1


@posix
def test_files_that_others_could_write_are_not_read(folder: Path) -> None:
    hits()
    kept(folder)[0].chmod(0o666)
    assert [hits(), hits()] == [0, 1]


@needs_root
def test_planted_files_are_not_read(folder: Path) -> None:
    """A file of another user that would do as it likes when it is unpickled."""

    class Planted:
        def __reduce__(self) -> Any:
            return os.mkdir, (str(folder / "it ran"),)

    hits()
    (path,) = kept(folder)
    content = pickle.dumps(Planted())
    path.write_bytes(hashlib.sha256(content).digest() + content)
    os.chown(path, 65534, 65534)
    assert hits() == 0
    assert not (folder / "it ran").exists()


@posix
@pytest.mark.quick
@pytest.mark.parametrize("mode", [0o777, 0o770, 0o1777])
def test_a_folder_that_others_can_write_to_is_not_used(folder: Path, mode: int) -> None:
    """Not itself, and not from above, unless that is sticky."""
    shared = folder / "shared"
    shared.mkdir()
    shared.chmod(mode)
    assert "can be written to by other users" in str(disk.others_can_write(shared))
    inner = shared / "mine"
    inner.mkdir(0o700)
    assert (disk.others_can_write(inner) is None) == (mode == 0o1777)


@needs_root
def test_a_folder_of_another_user_is_not_used(folder: Path) -> None:
    theirs = folder / "theirs"
    (theirs / "inner").mkdir(parents=True)
    os.chown(theirs, 65534, 65534)
    for place in (theirs, theirs / "inner", theirs / "inner" / "to be made"):
        assert disk.others_can_write(place) == f"{theirs} belongs to another user"


def test_without_a_cache_kernels_run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "file").write_text("not a folder")
    monkeypatch.setenv("RANDWALK_CACHE_DIR", str(folder / "file"))
    disk.cache_place.cache_clear()
    assert [hits(), hits()] == [0, 0]
    place, reason = disk.cache_place()
    assert place is None and str(folder / "file") in reason


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EDQUOT])
def test_a_disk_that_takes_nothing_is_no_error(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, number: int
) -> None:
    def full(path: str, content: bytes) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(disk, "write_whole", full)
    assert [hits(), hits()] == [0, 0]
    assert kept(folder) == []
    said = [r.getMessage() for r in caplog.records if "cannot be kept" in r.getMessage()]
    assert len(said) == 1 and os.strerror(number) in said[0]


def test_no_place_is_guessable_by_others(tmp_path: Path) -> None:
    """Neither the package nor the home can be written to: no cache, and no folder under the temporary directory."""
    code = (
        "from randwalk.jit import disk; from pathlib import Path; import tempfile\n"
        "disk._places = lambda: iter([Path('/dev/null/package'), Path('/proc/home')])\n"
        "print(disk.cache_place())"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "TMPDIR": str(tmp_path)}, capture_output=True, text=True, check=True
    )  # fmt: skip
    assert ran.stdout.startswith("(None, ") and list(tmp_path.iterdir()) == []


@pytest.mark.quick
def test_without_the_compiler_simulation_is_refused_and_the_rest_runs() -> None:
    code = """
import randwalk as rw
walk = rw.LatticeWalk.from_drift(drift=rw.Affine(0, -1.0), diffusion=0.5, dx=0.2, start=1.0, times=[0.5])
form = rw.pde.closed_form(rw.pde.limit(walk))
print(abs(rw.pde.solve(form.equation, [0.5]).mean(0.5) - form.mean(0.5)) < 1e-3)
for call in (rw.simulate, rw.trajectories):
    for method in ("paths", "occupation") if call is rw.simulate else ("paths",):
        try:
            call(walk, 10, [0.5], seed=1, **({"method": method} if call is rw.simulate else {}))
        except OSError as error:
            print(error)
try:
    rw.pde.exact_law(walk, [0.5])
except OSError as error:
    print(error)
"""
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    said = ran.stdout.splitlines()
    assert said[0] == "True"
    assert len(said) == 5 and all("NUMBA_DISABLE_JIT is set" in line and "unset it" in line for line in said[1:])
