"""Files of ensembles: what is damaged, made up or dangerous is refused in one line, and old files are read."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py  # type: ignore[import-untyped]
import numpy as np
import pytest

import randwalk as rw
from randwalk.store import TRAILER, digest

from .mutations import same

OLD = Path(__file__).parent / "data"
ABSORB, REFLECT = rw.Absorbing(), rw.Reflecting()
RECORDS: list[rw.run.record.Record] = [
    rw.FirstPassage(),
    rw.LastVisit(3.0),
    rw.TimePositive(3.0),
    rw.Maximum(),
    rw.SquaredDisplacement(),
]


def walled() -> rw.LatticeWalk:
    domain = rw.Interval(0, 10, ABSORB, REFLECT)
    return rw.LatticeWalk(0.3, 0.4, sites=15, dt=0.5, domain=domain, start=rw.Uniform(2, 6), killing=0.01)


@pytest.fixture(scope="module")
def run() -> rw.Ensemble:
    return rw.simulate(walled(), 500, [5.0, 20.0], seed=3, method="paths", record=RECORDS)


@pytest.mark.parametrize("suffix", ["npz", "nc"])
def test_files_of_the_first_releases_are_read(suffix: str, run: rw.Ensemble) -> None:
    """Written by 0.2.0 from the same run, before files had checksums. Its thresholds have more than 31 digits now."""
    old = rw.Ensemble.load(OLD / f"ensemble_0.2.0.{suffix}")
    assert same(old, run)
    with pytest.raises(ValueError, match="from version 2 of the random stream"):
        old.extend(700)


@pytest.mark.parametrize("suffix", ["npz", "nc"])
@pytest.mark.parametrize("method", ["paths", "occupation"])
@pytest.mark.parametrize("domain", [rw.Ring(0, 7), rw.Interval(0, 7, REFLECT, REFLECT), rw.Line()])
def test_who_is_killed_where_there_is_no_way_out_is_read(
    domain: rw.Line | rw.Ring | rw.Interval, method: str, suffix: str, tmp_path: Path
) -> None:
    walk = rw.LatticeWalk(0.3, 0.2, dx=1.0, domain=domain, start=2.5, killing=0.05)
    killed = rw.simulate(walk, 300, [3.0, 9.0], seed=2, method=method, record=[rw.FirstPassage()])
    assert killed.gone[-1].tolist()[:2] == [0, 0] and killed.gone[-1, 2] > 0
    killed.save(tmp_path / f"killed.{suffix}")
    assert same(rw.Ensemble.load(tmp_path / f"killed.{suffix}"), killed)


def rewrite(
    path: Path, meta: Callable[[dict[str, Any]], None], arrays: Callable[[dict[str, Any]], None], signed: bool
) -> None:
    """Change the text and the arrays of a .npz file; `signed`: with the checksum that then belongs to it."""
    with np.load(path) as file:
        held = {name: file[name] for name in file.files}
    text = json.loads(str(held.pop("meta")))
    meta(text)
    arrays(held)
    if signed:
        text["sha256"] = digest(text, held)
    np.savez_compressed(path, meta=np.array(json.dumps(text)), **held)


def nothing(_: object) -> None:
    pass


def put(key: str, value: Any) -> Callable[[dict[str, Any]], None]:
    return lambda data: data.__setitem__(key, value)


def drop(key: str) -> Callable[[dict[str, Any]], None]:
    return lambda data: data.__delitem__(key)


def at(name: str, index: tuple[int, ...], change: int) -> Callable[[dict[str, Any]], None]:
    def made(arrays: dict[str, Any]) -> None:
        arrays[name][index] += change

    return made


def moved(name: str, index: tuple[int, ...], to: tuple[int, ...]) -> Callable[[dict[str, Any]], None]:
    """A count moved to another place of the same array: the sums stay."""

    def made(arrays: dict[str, Any]) -> None:
        count = arrays[name][index]
        arrays[name][index] -= count
        arrays[name][to] += count

    return made


def as_type(name: str, kind: type) -> Callable[[dict[str, Any]], None]:
    return lambda arrays: arrays.__setitem__(name, arrays[name].astype(kind))


def in_walk(old: str, new: str) -> Callable[[dict[str, Any]], None]:
    def made(meta: dict[str, Any]) -> None:
        assert old in meta["walk"]
        meta["walk"] = meta["walk"].replace(old, new)

    return made


WRONG: list[tuple[Any, Any, str]] = [
    (put("format", 4), nothing, "has file format 4; this version reads formats 1, 2, 3"),
    (put("format", True), nothing, "format = True: must be a whole number"),
    (drop("format"), nothing, "lacks format"),
    (drop("seed"), nothing, "lacks seed"),
    (put("seed", -1), nothing, "seed = -1: must be a whole number ≥ 0"),
    (put("seed", 1.0), nothing, "seed = 1.0: must be a whole number"),
    (put("stream", 0), nothing, "stream = 0"),
    (put("method", "magic"), nothing, "method = 'magic': must be one of paths, occupation, jump"),
    (put("method", ["paths"]), nothing, "method = "),
    (put("method", "occupation"), nothing, "records = .*method occupation does not keep these"),
    (put("method", "jump"), nothing, "records = .*method jump does not keep these"),
    (put("parts", [[0, 499]]), nothing, "raw: .*(not between 0 and the 499|counts 500 walkers and parts holds 499)"),
    (put("parts", [[0, 300], [200, 400]]), nothing, "parts = .*do not overlap"),
    (put("parts", [[500, 0]]), nothing, "parts = .*not empty"),
    (put("parts", []), nothing, r"parts = \[\]: must be a list of pairs"),
    (put("parts", [[0, 2**60]]), nothing, "parts = .*from 0 to 9007199254740992"),
    (put("parts", [[-500, 0]]), nothing, "parts = "),
    (put("parts", [[0, 500.0]]), nothing, "parts = "),
    (put("steps", [10, 10]), nothing, r"steps = \[10, 10\]: must increase"),
    (put("steps", [10, 2**32]), nothing, "steps = "),
    (put("steps", []), nothing, "steps = "),
    (put("steps", [10]), nothing, r"raw has shape \(2, 18\) where \(1, 18\) is due"),
    (put("steps", [10, 41]), nothing, r"record0 has shape \(41, 3\) where \(42, 3\) is due"),
    (put("steps", [10, 4 * 10**9]), nothing, "record0 has shape"),
    (put("window", [0, 14]), nothing, "window = .*does not hold the sites 0 to 14"),
    (put("window", [1, 15]), nothing, r"window = .*reaches beyond Interval"),
    (put("window", [0, 2**40]), nothing, "window = .*must be the number of the first site"),
    (put("window", [0, None]), nothing, "window = "),
    (put("window", 15), nothing, "window = 15"),
    (put("records", [["Positions", None]]), nothing, "records = .*is no record"),
    (put("records", [["__init__", None]]), nothing, "records = .*is no record"),
    (put("records", [["FirstPassage", 1.0]]), nothing, "records = .*is no record"),
    (put("records", [["LastVisit", None]]), nothing, "records = .*is no record"),
    (put("records", [["LastVisit", float("nan")]]), nothing, "records = .*needs a place"),
    (put("records", [["FirstPassage", None]] * 2), nothing, "records = .*twice"),
    (put("records", 3), nothing, "records = 3"),
    (put("walk", 3), nothing, "walk = 3: must be a text"),
    (put("walk", "[walk]"), nothing, r": walk:1: \[walk\] needs right"),
    (in_walk("right = 0.3", 'right = {csv = "/dev/zero", x = "x", value = "v"}'), nothing, ":2: csv = .*no file may be named"),
    (in_walk("right = 0.3", "right = 0.7"), nothing, ": walk:2: right"),
    (in_walk("dx = 0.6451612903225806", "dx = 1e-9"), nothing, ": walk:5: "),
    (in_walk("[start]", "[run]\ntimes = [1]\n[start]"), nothing, ": walk:.*'run' is no part of a walk"),
    (in_walk('right = "reflecting"', 'right = "absorbing"'), nothing, ": walk:5: dx|window"),
    (nothing, drop("raw"), "lacks raw"),
    (nothing, drop("record3"), "lacks record3"),
    (nothing, as_type("raw", np.float64), "raw holds float64, not 64-bit whole numbers"),
    (nothing, as_type("raw", np.int32), "raw holds int32"),
    (nothing, as_type("record1", np.uint64), "record1 holds uint64"),
    (nothing, as_type("raw", object), "raw holds object"),
    (nothing, lambda a: a.__setitem__("raw", a["raw"][:, :-1]), r"raw has shape \(2, 17\) where \(2, 18\) is due"),
    (nothing, lambda a: a.__setitem__("raw", a["raw"].T), r"raw has shape \(18, 2\) where \(2, 18\) is due"),
    (nothing, at("raw", (0, 5), 1), "raw: row 0 counts 501 walkers and parts holds 500"),
    (nothing, at("raw", (1, 5), -(10**6)), "raw: a count is not between 0 and the 500 walkers"),
    (nothing, at("record1", (0, 5), -(10**6)), "record1: a count is negative"),
    (nothing, at("record1", (0, 5), 10**6), "record1: a row counts more than the 500 walkers"),
    (nothing, moved("raw", (1, 0), (1, -2)), "raw: walkers (that had gone come back|have gone through a wall that reflects)"),
    (nothing, moved("raw", (0, 3), (0, 0)), "(raw: walkers that had gone come back|record0: first passages)"),
    (nothing, at("record0", (3, 0), 1), "record0: first passages are not as many"),
    (nothing, at("record4", (0, 15), 1), "record4: displacements are not as many as the survivors"),
]  # fmt: skip


@pytest.mark.parametrize(("meta", "arrays", "told"), WRONG, ids=map(str, range(len(WRONG))))
def test_what_is_no_ensemble_is_refused(meta: Any, arrays: Any, told: str, run: rw.Ensemble, tmp_path: Path) -> None:
    """With a checksum that belongs to it, so that the meaning itself is checked."""
    path = tmp_path / "run.npz"
    run.save(path)
    rewrite(path, meta, arrays, signed=True)
    with pytest.raises(ValueError, match=told) as error:
        rw.Ensemble.load(path)
    message = str(error.value)
    assert message.startswith(str(path)) and "\n" not in message and "pickle" not in message


def test_any_change_of_content_is_damage(run: rw.Ensemble, tmp_path: Path) -> None:
    for change in (at("record2", (0, 0), 1), moved("raw", (1, 4), (1, 5))):
        run.save(tmp_path / "run.npz")
        rewrite(tmp_path / "run.npz", nothing, change, signed=False)
        with pytest.raises(ValueError, match=r"run\.npz is damaged: its content does not have the checksum|record2: "):
            rw.Ensemble.load(tmp_path / "run.npz")
    run.save(tmp_path / "run.npz")
    rewrite(tmp_path / "run.npz", put("seed", 4), nothing, signed=False)
    with pytest.raises(ValueError, match=r"run\.npz is damaged: its content does not have the checksum"):
        rw.Ensemble.load(tmp_path / "run.npz")


def test_the_last_line_of_a_netcdf_file_is_the_digest_of_what_comes_before(run: rw.Ensemble, tmp_path: Path) -> None:
    path = tmp_path / "run.nc"
    run.save(path)
    content, _, ending = path.read_bytes().rpartition(TRAILER)
    assert ending == hashlib.sha256(content).hexdigest().encode() + b"\n"
    for wrong in (
        content,
        content[:5000] + TRAILER + ending,
        content + TRAILER + b"0" * 64 + b"\n",
        content[:-9],
        b"",
        b"\x89HDF",
    ):
        path.write_bytes(wrong)
        with pytest.raises(ValueError, match=r"run\.nc was not written by Ensemble\.save, or is damaged"):
            rw.Ensemble.load(path)


def test_other_files_behind_a_netcdf_file_are_not_opened(run: rw.Ensemble, tmp_path: Path) -> None:
    run.save(tmp_path / "other.nc")
    for name in ("link.nc", "external.nc", "virtual.nc"):
        path = tmp_path / name
        path.write_bytes((OLD / "ensemble_0.2.0.nc").read_bytes())
        with h5py.File(path, "r+") as file:
            raw = file["raw"][...]
            del file["raw"]
            if name == "link.nc":
                file["raw"] = h5py.ExternalLink("other.nc", "raw")
            elif name == "external.nc":
                raw.tofile(tmp_path / "raw.bin")
                file.create_dataset("raw", raw.shape, raw.dtype, external=[(str(tmp_path / "raw.bin"), 0, raw.nbytes)])
            else:
                layout = h5py.VirtualLayout(raw.shape, raw.dtype)
                layout[:] = h5py.VirtualSource(str(tmp_path / "other.nc"), "raw", raw.shape)
                file.create_virtual_dataset("raw", layout)
        with pytest.raises(ValueError, match=rf"{name}: raw is not an array of this file"):
            rw.Ensemble.load(path)


def member(path: Path, name: str, content: bytes) -> None:
    """One member of a .npz file replaced."""
    with zipfile.ZipFile(path) as archive:
        held = {n: archive.read(n) for n in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for n, old in held.items():
            archive.writestr(n, content if n == name else old)


def npy(shape: str, kind: str = "'<i8'") -> bytes:
    header = f"{{'descr': {kind}, 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode()


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("raw.npy", npy("(2, 18)") + bytes(100_000_000), "raw is packed in a way|raw has 100,000,128 bytes"),
        ("raw.npy", npy("(2, 1000000000000)"), r"raw has shape \(2, 1000000000000\) where \(2, 18\) is due"),
        ("raw.npy", npy("(-2, -18)") + bytes(288), r"raw has shape \(-2, -18\)"),
        ("raw.npy", npy("(2, 18)") + bytes(280), "raw has 408 bytes where 288 and a header are due|cut short"),
        ("raw.npy", npy("(2, 18)", "'|O'") + b"cos\nsystem\n(S'true'\ntR.", "raw holds object"),
        ("raw.npy", b"", "not a readable .npz file"),
        ("raw.npy", b"\x93NUMPY\x09\x00" + bytes(100), "not a readable .npz file"),
        ("meta.npy", npy("()", "'<U400000000'"), "its text has 1,600,000,000 bytes; at most 268,435,456 are read"),
        ("meta.npy", npy("()", "'<U4'") + "[1e9".encode("utf-32-le"), "is damaged: its text is not JSON"),
        ("meta.npy", npy("()", "'<U3'") + "[1]".encode("utf-32-le"), "was not written by Ensemble.save"),
        ("meta.npy", npy("()", "'<U9000'") + ("[" * 9000).encode("utf-32-le"), "is damaged: its text is not JSON"),
    ],
    ids=[
        "raw too large", "shape too large", "shape negative", "cut short", "objects", "empty", "no version", "text too large",
        "text damaged", "text of another", "text nested",
    ],  # bytes would be named in full, 100 million of them
)  # fmt: skip
def test_sizes_are_checked_before_anything_is_unpacked(
    name: str, content: bytes, told: str, run: rw.Ensemble, tmp_path: Path
) -> None:
    run.save(tmp_path / "run.npz")
    member(tmp_path / "run.npz", name, content)
    with pytest.raises(ValueError, match=told) as error:
        rw.Ensemble.load(tmp_path / "run.npz")
    assert "pickle" not in str(error.value) and "\n" not in str(error.value)


def test_what_is_no_file_of_an_ensemble(tmp_path: Path) -> None:
    for name in ("run.npz", "run.nc"):
        path = tmp_path / name
        with pytest.raises(FileNotFoundError):
            rw.Ensemble.load(path)
        for content in (b"", b"PK\x03\x04", b"\x89HDF\r\n\x1a\n", b"PK\x05\x06" + bytes(18), b"hello" * 1000):
            path.write_bytes(content)
            with pytest.raises(ValueError, match=rf"{name} (is not a readable|was not written by)"):
                rw.Ensemble.load(path)


def test_a_table_is_saved_as_numbers_and_times_without_a_common_measure_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x,a\n-50,1\n0,0.1\n50,-1\n")
    times = (1.3464589594272631, 2.0)
    walk = rw.LatticeWalk.from_drift(rw.Table.from_csv(tmp_path / "a.csv", "x", "a"), 0.5, dx=0.1, times=times)
    run = rw.simulate(walk, 100, times, seed=1)
    (tmp_path / "a.csv").unlink()
    for suffix in ("npz", "nc"):
        run.save(tmp_path / f"run.{suffix}")
        again = rw.Ensemble.load(tmp_path / f"run.{suffix}")
        assert same(run, again) and again.times.tolist() == list(times) and same(again.extend(200), run.extend(200))


def test_parts_of_occupation_may_stand_in_any_order(tmp_path: Path) -> None:
    walk = walled()
    late, early = (
        rw.simulate(walk, part, [5.0], seed=1, method="occupation") for part in (range(100, 200), range(100))
    )
    both = late.merge(early)
    both.save(tmp_path / "run.npz")
    assert same(rw.Ensemble.load(tmp_path / "run.npz"), both) and both.walkers == 200


def test_the_fitted_rule_of_format_1_is_the_capped_one(tmp_path: Path) -> None:
    """Releases up to 0.2.0 called p + q = s fitted: their ensembles keep the walk that drew them, and go on with it."""
    walk = rw.LatticeWalk.from_drift(rw.Affine(slope=-1.0), 0.5, dx=0.1, rule=rw.Rule.CAPPED, times=[0.1])
    ensemble = rw.simulate(walk, 100, [0.1], seed=1)
    path = tmp_path / "old.npz"
    ensemble.save(path)

    def as_then(data: dict[str, Any]) -> None:
        assert 'rule = "capped"' in data["walk"]
        data["walk"] = data["walk"].replace("capped", "fitted")
        data["format"] = 1
        del data["sha256"]

    rewrite(path, as_then, nothing, signed=False)
    assert rw.Ensemble.load(path).walk == walk


FULL = """
import resource
import randwalk as rw

run = rw.Ensemble.load(SOURCE)
run.save(TARGET)
resource.setrlimit(resource.RLIMIT_FSIZE, (700, 700))
try:
    run.save(TARGET)
except OSError as error:
    print(error.filename)
"""


@pytest.mark.skipif(os.name != "posix", reason="limits as POSIX has them")
@pytest.mark.parametrize("suffix", ["npz", "nc"])
def test_a_disk_that_is_full_is_told_and_the_old_file_stays(suffix: str, tmp_path: Path) -> None:
    """In a process of its own, which the HDF5 library would end."""
    path = tmp_path / f"run.{suffix}"
    script = f"SOURCE, TARGET = {str(OLD / 'ensemble_0.2.0.npz')!r}, {str(path)!r}\n{FULL}"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, str(path)), done.stderr
    assert [left.name for left in tmp_path.iterdir()] == [path.name]
    rw.Ensemble.load(path)
