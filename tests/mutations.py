"""Damaged files from a seed: problem files and ensembles, each changed at random in one place or a few.

The readers must read a damaged file, or refuse it by one line of a :class:`ValueError`, a :class:`TypeError` or an
:class:`OSError` with the place.
"""

from __future__ import annotations

import hashlib
import json
import math
import random
import re
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

import randwalk as rw
from randwalk.validate import case_names
from randwalk.validate.read_measured import read_measured

Clear = (ValueError, TypeError, OSError)
CASES = Path(__file__).parents[1] / "validate" / "cases"
VALUES = [
    "nan", "inf", "-inf", "-1", "0", "1", "-0.0", "1e308", "-1e308", "1e-308", "1e999", "0.5", "1e-9", "1e9",
    "1e18", "0x7fffffffffffffff", str(2**70), "9" * 5000, "0x" + "f" * 2000, "true", "''", '"x"', '"t"', '"a*x"',
    '"1/0"', '"x**-1"', '"log(x)"', '"sqrt(x - 1)"', '"9**9**9**9"', '"exp(exp(exp(9)))"', '"((((x"',
    '"x if x else t"', '"lambda: 1"', '"1_000"', '"\\u0000"', '"tanh(1e9*x)"', '"heaviside(x)"', '"é"',
    '"absorbing"', '"reflecting"', '"fick"', '"fitted"', '"two_way"', "[]", "[[]]", "[1, 2]", "[0.0, 1.0, nan]",
    "{}", "{a = 1}", "{x = [0, 1], values = [0.2, 0.3]}", "{x = [-1e3, 1e3], values = [0.2, 0.3]}",
    "{x = [0], values = [0]}", "{x = 1, values = 2}", '{csv = "/dev/zero", x = "x", value = "v"}',
    '{csv = "/", x = "x", value = "v"}', '{csv = "no.csv", x = "x", value = "v"}', "{reactivity = 1.0}",
    "{reactivity = -1}", "{reactivity = 1e300}", "{reactivity = 'v'}", "{mean = 0.0, sd = 0.1}",
    "{low = 0.1, high = 0.2}", "{x = [0.5, 0.25], masses = [0.5, 0.5]}", "{x = [0, 1e300], masses = [0.5, 0.5]}",
    "1979-05-27", "07:32:00", "[" * 200 + "]" * 200, "'''\na = 1\n'''", "\"'\"", "1_0", "01", "+", "=", "1e",
    "0.1.2", "[1,", "{a = ", '"', "#", "\x00", "\ud7ff", "\ufeff",
]  # fmt: skip
KEYS = [
    "title", "catches", "drift", "diffusion", "right", "left", "dx", "sites", "dt", "killing", "rule",
    "convention", "low", "high", "ring", "point", "normal", "uniform", "times", "walkers", "seed", "tolerance",
    "kind", "csv", "time", "count", "width", "fold", "rows", "source", "value", "start", "wall", "error", "v", "x",
    "pi", "lambda", "a.b", '"a b"', "é", "walk.dx",
]  # fmt: skip
TABLES = [
    "[walk]", "[[walk]]", "[domain]", "[start]", "[run]", "[solve]", "[validate]", "[measured]", "[parameters]",
    "[plot]", "[start.normal]",
]  # fmt: skip


def problem_texts() -> list[str]:
    """The problem files to damage: the built-in ones, with the paths of their CSV files, and one with every key."""
    texts = [(CASES / f"{name}.toml").read_text(encoding="utf-8") for name in case_names()]
    texts = [re.sub(r'csv = "', f'csv = "{CASES.as_posix()}/', text) for text in texts]
    every = (
        '[parameters]\na = 0.5\n[walk]\ndrift = "-a*x"\ndiffusion = 0.5\ndx = 0.1\nrule = "linear"\nconvention = "ito"\n'
        "killing = 0.1\n"
        '[domain]\nlow = "-2*a"\nhigh = 1.0\nleft = "absorbing"\nright = {reactivity = "a"}\n'
        "[start]\nuniform = {low = 0.1, high = 0.5}\n[run]\ntimes = [0.5, 1.0]\nwalkers = 1000\nseed = 3\n"
        "[solve]\ntolerance = 1e-4\n[validate]\nwalkers = 10\nseed = 1\n"
    )
    plain = (
        "[walk]\nright = 0.3\nleft = 0.2\ndx = 1\ndt = 1\n[start]\npoint = 0.5\n[run]\ntimes = [10]\nwalkers = 100\n"
    )
    return [*texts, every, plain, plain.replace("point = 0.5", "sites = {x = [0, 2], masses = [0.5, 0.5]}")]


def damaged_text(text: str, choose: random.Random) -> bytes:
    """The bytes of a problem file, changed in one to three places."""
    for _ in range(choose.choice([1, 1, 1, 2, 3])):
        text = choose.choice(TEXT_CHANGES)(text, choose)
    content = text.encode("utf-8", "surrogatepass")
    if choose.random() < 0.1:
        content = _flip(content, choose)
    return content


def _value(text: str, choose: random.Random) -> str:
    """Another value of a key."""
    lines = text.split("\n")
    keyed = [i for i, line in enumerate(lines) if "=" in line] or [0]
    i = choose.choice(keyed)
    lines[i] = f"{lines[i].split('=')[0]}= {choose.choice(VALUES)}"
    return "\n".join(lines)


def _inner_value(text: str, choose: random.Random) -> str:
    """Another value of a number, wherever it stands."""
    numbers = list(re.finditer(r"(?<![\w.])\d[\d.e_]*", text))
    if not numbers:
        return text
    match = choose.choice(numbers)
    return text[: match.start()] + choose.choice(VALUES) + text[match.end() :]


def _key(text: str, choose: random.Random) -> str:
    """Another key, or one more."""
    lines = text.split("\n")
    i = choose.randrange(len(lines))
    if choose.random() < 0.5 and "=" in lines[i]:
        lines[i] = f"{choose.choice(KEYS)} ={lines[i].split('=', 1)[1]}"
    else:
        lines.insert(i, f"{choose.choice(KEYS)} = {choose.choice(VALUES)}")
    return "\n".join(lines)


def _line(text: str, choose: random.Random) -> str:
    """A line dropped, doubled, moved, or a table begun."""
    lines = text.split("\n")
    i = choose.randrange(len(lines))
    what = choose.randrange(4)
    if what == 0:
        del lines[i]
    elif what == 1:
        lines.insert(choose.randrange(len(lines) + 1), lines[i])
    elif what == 2:
        lines.insert(choose.randrange(len(lines)), lines.pop(i))
    else:
        lines.insert(i, choose.choice(TABLES))
    return "\n".join(lines)


def _character(text: str, choose: random.Random) -> str:
    """A character dropped, doubled or replaced."""
    if not text:
        return text
    i = choose.randrange(len(text))
    new = choose.choice(["", text[i] * 2, chr(choose.randrange(32, 127)), choose.choice("=[]{}\"'#.,\n\r\t\\-+e0")])
    return text[:i] + new + text[i + 1 :]


def _cut(text: str, choose: random.Random) -> str:
    """The text up to somewhere, or from somewhere."""
    i = choose.randrange(len(text) + 1)
    return text[:i] if choose.random() < 0.8 else text[i:]


TEXT_CHANGES: list[Callable[[str, random.Random], str]] = [
    _value,
    _value,
    _value,
    _inner_value,
    _inner_value,
    _key,
    _line,
    _character,
    _cut,
]


def _flip(content: bytes, choose: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(choose.randrange(1, 9)):
        if changed:
            changed[choose.randrange(len(changed))] ^= 1 << choose.randrange(8)
    return bytes(changed)


def problem_faults(folder: Path, count: int, seed: int = 1) -> list[str]:
    """The faults in reading `count` damaged problem files; none if each is read or refused in one clear line."""
    choose = random.Random(seed)
    texts, faults = problem_texts(), []
    path = folder / "damaged.toml"
    for n in range(count):
        path.write_bytes(damaged_text(choose.choice(texts), choose))
        if fault := _fault(lambda: read_problem(path), path, r"damaged\.toml(:\d+: | cannot be read: )."):
            faults.append(f"{n}: {fault}")
            (folder / f"fault{n}.toml").write_bytes(path.read_bytes())
    return faults


def read_problem(path: Path) -> None:
    """Read a problem file as the commands do before they run, and run it if it is small."""
    problem = rw.Problem.load(path)
    read_measured(problem)
    if isinstance(problem.walk, rw.ItoWalk):  # each would be compiled anew
        return
    steps = problem.walk.steps(problem.times)[-1]
    if steps * math.prod(lattice.sites or steps for lattice in problem.walk.lattices) <= 100_000:
        try:
            rw.simulate(problem.walk, 10, problem.times, seed=problem.seed)
        except (ValueError, MemoryError) as error:  # found during the run: the message has the place
            if "\n" in str(error) or not re.search(r"\d", str(error)):
                raise AssertionError(f"not clear: {error}") from None


def _fault(read: Callable[[], object], path: Path, told: str) -> str | None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            read()
        except Clear as error:
            message = str(error)
            if "\n" in message or not re.search(told, message) or "allow_pickle" in message or len(message) > 3000:
                return f"not one clear line: {type(error).__name__}: {message[:300]!r}"
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            return f"{type(error).__name__}: {str(error)[:300]}"
    return None


# ---------------------------------------------------------------- ensembles

NASTY: list[Any] = [
    None,
    True,
    -1,
    0,
    1,
    2**31,
    2**70,
    1.5,
    1e308,
    float("nan"),
    "",
    "x",
    [],
    [[]],
    {},
    [1, 2],
    [[0, 1e3]],
    "9" * 50,
]


def damaged_ensembles(path: Path, count: int, seed: int = 1) -> Iterator[Path]:
    """`count` changed copies of a saved ensemble, one after the other, in one file beside it."""
    choose = random.Random(seed)
    target = path.with_name(f"damaged{path.suffix}")
    for _ in range(count):
        if (path.suffix == ".npz" or _has_checksum(path)) and choose.random() < 0.3:  # HDF5 may hang on damaged bytes
            content = path.read_bytes()
            content = _flip(content, choose) if choose.random() < 0.7 else content[: choose.randrange(len(content))]
            target.write_bytes(content)
        elif path.suffix == ".npz":
            _change_npz(path, target, choose)
        else:
            _change_netcdf(path, target, choose)
        yield target


def _has_checksum(path: Path) -> bool:
    return b"sha256" in path.read_bytes() if path.suffix == ".nc" else "sha256" in str(np.load(path)["meta"])


def _changed_meta(text: str, choose: random.Random) -> str:
    meta = json.loads(text)
    key = choose.choice(list(meta))
    what = choose.randrange(6)
    if what == 0:
        del meta[key]
    elif what == 1:
        meta[key] = choose.choice(NASTY)
    elif what == 2 and isinstance(meta[key], list) and meta[key]:
        meta[key][choose.randrange(len(meta[key]))] = choose.choice(NASTY)
    elif what == 3:
        walk = meta["walk"].split("\n")
        walk[choose.randrange(len(walk))] = choose.choice(
            ["", "dx = 1e-9", "right = 0.1", 'right = {csv = "/dev/zero", x = "x", value = "v"}', "dt = 7"]
        )
        meta["walk"] = "\n".join(walk)
    elif what == 4:
        meta["walk"] = damaged_text(meta["walk"], choose).decode("utf-8", "replace")
    else:
        number = choose.choice(list(re.finditer(r"\d+", text)))
        return text[: number.start()] + str(choose.choice([0, 1, 7, 2**40, 10**400])) + text[number.end() :]
    return json.dumps(meta)


def _changed_array(array: Any, choose: random.Random) -> Any:
    what = choose.randrange(8)
    changed = array.copy()
    at = tuple(choose.randrange(n) for n in array.shape)
    if what == 0:
        changed[at] += choose.choice([1, -1, 10**6, -(10**6)])
    elif what == 1:
        changed[at] = choose.choice([-1, np.iinfo(np.int64).min, np.iinfo(np.int64).max])
    elif what == 2:
        changed = changed.astype(choose.choice([np.float64, np.int32, np.uint64, np.bool_, np.complex128]))
    elif what == 3:
        changed = changed[:-1]
    elif what == 4:
        changed = changed.ravel()
    elif what == 5:
        changed = changed[:, ::-1]
    elif what == 6:
        changed = np.full(array.shape, np.nan)
    else:
        changed = np.array([str(array.sum())])
    return changed


def _change_npz(path: Path, target: Path, choose: random.Random) -> None:
    with np.load(path) as data:
        arrays = {name: data[name] for name in data.files}
    name = choose.choice(list(arrays))
    what = choose.randrange(6)
    if what == 0:
        del arrays[name]
    elif what == 1:
        arrays[name] = np.array({"a": 1}, dtype=object)
    elif what == 2 and name != "meta":
        arrays[name] = _changed_array(arrays[name], choose)
    elif what == 3:
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            for key in arrays:
                archive.writestr(f"{key}.npy", b"\x93NUMPY\x01\x00" + bytes(1000) if key == name else b"")
        return
    else:
        arrays["meta"] = np.array(_changed_meta(str(arrays["meta"]), choose))
    np.savez_compressed(target, **arrays)


def _change_netcdf(path: Path, target: Path, choose: random.Random) -> None:
    import h5py  # type: ignore[import-untyped]

    content = path.read_bytes()
    ending = content.rfind(b"\nrandwalk sha256 ")
    target.write_bytes(content[:ending] if ending >= 0 else content)
    with h5py.File(target, "r+") as file:
        name = choose.choice([key for key in file if key.startswith(("raw", "record")) and "_" not in key])
        what = choose.randrange(5)
        if what == 0:
            del file[name]
        elif what == 1:
            array = _changed_array(file[name][...], choose)
            del file[name]
            file[name] = array if array.dtype.kind != "U" else array.astype("S")
        elif what == 2:
            del file[name]
            file[name] = h5py.ExternalLink("other.nc", "raw")
        else:
            file.attrs["randwalk"] = _changed_meta(file.attrs["randwalk"], choose)
    if ending >= 0 and choose.random() < 0.7:  # as if it had been saved so
        content = target.read_bytes()
        target.write_bytes(content + b"\nrandwalk sha256 " + hashlib.sha256(content).hexdigest().encode() + b"\n")


def same(first: rw.Ensemble, second: rw.Ensemble) -> bool:
    """Whether two ensembles hold the same walkers of the same run."""
    return (
        all(
            getattr(first, name) == getattr(second, name)
            for name in ("walk", "table", "seed", "method", "parts", "steps")
        )
        and np.array_equal(first.raw, second.raw)
        and list(first.records) == list(second.records)
        and all(
            np.array_equal(a.counts, b.counts)
            for a, b in zip(first.records.values(), second.records.values(), strict=True)
        )
    )


def ensemble_faults(path: Path, count: int, seed: int = 1) -> list[str]:
    """The faults in reading changed copies of a saved ensemble; with a checksum, a copy must be refused or equal."""
    whole, faults = rw.Ensemble.load(path), []
    checked = _has_checksum(path)

    def read(target: Path) -> None:
        loaded = rw.Ensemble.load(target)
        if checked and not same(loaded, whole):
            raise AssertionError("loaded with other content")
        total = loaded.counts.sum(axis=1) + loaded.gone.sum(axis=1) + loaded.leaked
        if (total != loaded.walkers).any() or loaded.raw.min() < 0:
            raise AssertionError("loaded with counts that are none")

    for n, target in enumerate(damaged_ensembles(path, count, seed)):
        if fault := _fault(lambda target=target: read(target), target, r"damaged\.(npz|nc)"):  # type: ignore[misc]
            faults.append(f"{n}: {fault}")
            target.with_name(f"fault{n}{target.suffix}").write_bytes(target.read_bytes())
    return faults
