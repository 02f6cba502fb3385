"""The paths stream: every path is the one that `naive` walks, bit for bit, however the work is divided."""

from __future__ import annotations

import hashlib
import json
import math
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import randwalk as rw
from randwalk.kernels import cpu
from randwalk.kernels.philox import STREAM_VERSION
from randwalk.model.start import MASS_BITS
from randwalk.run import host, jump, paths
from randwalk.run.results import Displacements, Histogram, Passages
from randwalk.tables.step_law import StepLaw
from randwalk.tables.table import StepTable
from randwalk.tables.window import table_for

from . import naive

ABSORB, REFLECT = rw.Absorbing(), rw.Reflecting()


def tilted(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return 0.3 + 0.2 * np.tanh(x)


def pulsed(t: NDArray[np.float64]) -> NDArray[np.float64]:
    return 0.35 + 0.3 * np.sin(5 * t)


def travelling(x: NDArray[np.float64], t: NDArray[np.float64]) -> NDArray[np.float64]:
    return 0.4 + 0.3 * np.sin(x - 3 * t)


# Every kernel family × domain × wall × dependence of the probabilities at least once.
WALKS: dict[str, Callable[[], rw.LatticeWalk]] = {
    "coin": lambda: rw.LatticeWalk(0.5, 0.5, dx=1.0, start=0.0),
    "never moves": lambda: rw.LatticeWalk(0.0, 0.0, dx=1.0, start=0.0),
    "always right": lambda: rw.LatticeWalk(1.0, 0.0, dx=1.0, start=0.0),
    "always left": lambda: rw.LatticeWalk(0.0, 1.0, dx=1.0, start=0.0),
    "quarters": lambda: rw.LatticeWalk(0.25, 0.5, dx=0.1, dt=0.01, start=rw.Normal(0.3, 0.2)),
    "seven digits": lambda: rw.LatticeWalk(37 / 128, 1 / 128, dx=1.0, start=rw.Sites([0, 3], [0.4, 0.6])),
    "ties": lambda: rw.LatticeWalk(1 / 3, 1 / 3, dx=1.0, start=rw.Uniform(-3, 5)),
    "tiny": lambda: rw.LatticeWalk(2.0**-31, 0.7 + 2.0**-20, dx=1.0, start=rw.Point(0.5)),
    "nothing left": lambda: rw.LatticeWalk(0.3, 0.7, dx=1.0),
    "killed on the line": lambda: rw.LatticeWalk(0.3, 0.5, dx=1.0, killing=0.02),
    "p(t)": lambda: rw.LatticeWalk(pulsed, 0.3, dx=1.0, dt=0.05),
    "p(x) on the line": lambda: rw.LatticeWalk(tilted, 0.4, dx=0.5, start=0.2),
    "p(x, t) on the line": lambda: rw.LatticeWalk(travelling, 0.2, dx=0.5, dt=0.01, killing=lambda x: 0.1 * x**2),
    "absorbing": lambda: rw.LatticeWalk(0.4, 0.35, sites=9, domain=rw.Interval(0, 10, ABSORB, ABSORB), start=4.3),
    "reflecting": lambda: rw.LatticeWalk(0.5, 0.5, sites=7, domain=rw.Interval(0, 7, REFLECT, REFLECT), start=3.5),
    "mixed": lambda: rw.LatticeWalk(
        tilted, 0.45, sites=11, domain=rw.Interval(-1, 1, REFLECT, ABSORB), start=rw.Uniform(-0.9, 1.0)
    ),
    "one site": lambda: rw.LatticeWalk(0.1, 0.2, sites=1, domain=rw.Interval(-1, 1, ABSORB, ABSORB)),
    "two sites": lambda: rw.LatticeWalk(0.2, 0.3, sites=2, domain=rw.Interval(0, 3, REFLECT, ABSORB), start=0.6),
    "robin": lambda: rw.LatticeWalk.from_drift(
        0.5, 0.5, sites=12,
        domain=rw.Interval(0, 1, rw.PartiallyAbsorbing(2.0), rw.PartiallyAbsorbing(0.7)), start=0.5,
    ),
    "half line": lambda: rw.LatticeWalk(0.4, 0.5, dx=0.5, domain=rw.Interval(0, math.inf, ABSORB), start=2.0),
    "other half line": lambda: rw.LatticeWalk(tilted, 0.2, dx=0.5, domain=rw.Interval(-math.inf, 0, None, REFLECT), start=-1.25),
    "ring": lambda: rw.LatticeWalk(0.6, 0.4, sites=6, domain=rw.Ring(0, 1), start=rw.Point(0.95)),
    "ring of one": lambda: rw.LatticeWalk(0.3, 0.3, sites=1, domain=rw.Ring(0, 1)),
    "killed on a ring": lambda: rw.LatticeWalk(travelling, 0.1, sites=9, dt=0.1, domain=rw.Ring(0, 3), killing=0.3),
    "array": lambda: rw.LatticeWalk(
        np.linspace(0.1, 0.6, 8), np.linspace(0.4, 0.0, 8), sites=8, domain=rw.Interval(0, 9, ABSORB, ABSORB), start=4.0,
        killing=np.linspace(0.0, 0.1, 8),
    ),
    "Ornstein-Uhlenbeck": lambda: rw.LatticeWalk.from_drift(rw.Affine(slope=-1.0), 0.5, dx=0.2, start=1.0, dt=0.01),
}  # fmt: skip
STEPS = 137  # two words of 64 steps and a bit; 17 blocks of 8 and a bit
WALKERS = range(2**32 - 5, 2**32 + 7)  # across the two counter words that hold a walker's number
SEED = 20


@pytest.fixture(scope="module")
def naive_paths() -> Callable[[str], list[list[naive.Place]]]:
    kept: dict[str, list[list[naive.Place]]] = {}

    def paths_of(name: str) -> list[list[naive.Place]]:
        if name not in kept:
            walk = WALKS[name]()
            kept[name] = [naive.path(walk, walker, STEPS, SEED) for walker in WALKERS]
        return kept[name]

    return paths_of


def where(walk: rw.LatticeWalk, places: list[list[naive.Place]], steps: list[int]) -> NDArray[np.float64]:
    return np.array([[naive.position(walk, places[w][n]) for w in range(len(places))] for n in steps])


@pytest.mark.parametrize("name", WALKS)
def test_paths_are_the_naive_ones(name: str, naive_paths: Callable[[str], list[list[naive.Place]]]) -> None:
    """Positions step by step, and at recorded times that cut the blocks of 8 and the words of 64 anywhere."""
    walk, places = WALKS[name](), naive_paths(name)
    for steps in ([*range(18), *range(62, 67), 126, 127, 128, 129], [0, 1, 7, 9, 63, 66, 128, STEPS], [STEPS]):
        got = rw.simulate(walk, WALKERS, np.array(steps) * walk.dt, seed=SEED, method="paths", record=[rw.Positions()])
        np.testing.assert_array_equal(got[rw.Positions()].x, where(walk, places, steps))


def test_long_strides_are_those_of_walkers_followed_one_by_one() -> None:
    """Words of steps are compared many at a time, in runs of words; who is followed is stepped alone."""
    for walk in (rw.LatticeWalk(0.3, 0.4, dx=1.0), rw.LatticeWalk(0.25, 0.5, dx=1.0), rw.LatticeWalk(0.5, 0.5, dx=1.0)):
        for times in ([70.0, 3001.0], [2500.0]):
            together = rw.simulate(walk, 75, times, seed=SEED, method="paths")
            alone = rw.simulate(walk, 75, times, seed=SEED, method="paths", record=[rw.Maximum()])
            assert np.array_equal(together.counts, alone.counts)


@pytest.mark.parametrize("name", WALKS)
def test_counts_and_functionals_are_the_naive_ones(
    name: str, naive_paths: Callable[[str], list[list[naive.Place]]]
) -> None:
    walk, places = WALKS[name](), naive_paths(name)
    lattice = walk.lattice
    levels: tuple[int, ...] = (
        (0, 1, 2) if lattice.sites is None else (0, -1, lattice.sites, lattice.sites + 1)
    )  # at walls and beyond
    if lattice.periodic:
        levels = (0, lattice.sites - 1 if lattice.sites else 0)
    steps = [3, 64, 70, STEPS]
    at = [float(lattice.x(k)) for k in levels]
    records: list[rw.run.record.Record] = [rw.FirstPassage(), rw.Maximum()]
    records += [rw.LastVisit(x) for x in dict.fromkeys(at)] + [rw.TimePositive(x) for x in dict.fromkeys(at)]
    if not lattice.periodic:
        records.append(rw.SquaredDisplacement())
    got = rw.simulate(walk, WALKERS, np.array(steps) * walk.dt, seed=SEED, method="paths", record=records)

    for row, n in enumerate(steps):
        alive = [p[n] for p in places if isinstance(p[n], int)]
        for k, count in zip(
            np.rint((got.sites - lattice.origin) / lattice.dx).astype(int).tolist(),
            got.counts[row].tolist(),
            strict=True,
        ):
            assert count == alive.count(k)
        ways = [[p[n] for p in places].count(way) for way in ("left", "right", "killed")]
        assert got.gone[row].tolist() == ways and got.leaked[row] == 0
        for x, k in zip(at, levels, strict=True):
            visits = [naive.last_visit(walk, p[: n + 1], k) * walk.dt for p in places]
            above = [naive.time_positive(walk, p[: n + 1], k) * walk.dt for p in places]
            came = [v for v in visits if v >= 0.0]
            never = [math.nan] * (len(visits) - len(came))
            for record, values in ((rw.LastVisit(x), [*never, *sorted(came)]), (rw.TimePositive(x), sorted(above))):
                assert histogram(got[record], row) == pytest.approx(values, abs=1e-9 * walk.dt, nan_ok=True)
        tops = [naive.maximum(walk, p[: n + 1]) for p in places]
        assert histogram(got[rw.Maximum()], row) == pytest.approx(sorted(tops), abs=1e-9 * walk.dx)
        if not lattice.periodic:
            shifts = [naive.position(walk, p[n]) - naive.position(walk, p[0]) for p in places if isinstance(p[n], int)]
            assert histogram(got[rw.SquaredDisplacement()], row) == pytest.approx(sorted(shifts), abs=1e-9 * walk.dx)
    passages = np.zeros((STEPS + 1, 3), dtype=np.int64)
    for p in places:
        if left := naive.first_passage(p):
            passages[left[0], ("left", "right", "killed").index(left[1])] += 1
    np.testing.assert_array_equal(got[rw.FirstPassage()].counts, passages)


def histogram(result: rw.run.record.Histogram, row: int) -> list[float]:
    return np.repeat(result.values, result.counts[row]).tolist()


def test_both_families_and_the_digits_are_covered() -> None:
    """The list above has table walks and constant walks of 1, 2, 7 and 8 digits, with and without ties."""
    assert {naive.digits(make()) for make in WALKS.values()} >= {0, 1, 2, 7, 8}
    for name, make in WALKS.items():
        walk = make()
        table = StepTable(walk, ((0, 1 if walk.lattice.sites is None else walk.lattice.sites),))
        assert table.digits == naive.digits(walk), name


def test_starts_are_the_naive_ones() -> None:
    """Many walkers, so that every site of a spread start is drawn, the outermost with small masses too."""
    for name in ("quarters", "ties", "mixed", "ring"):
        walk, walkers = WALKS[name](), range(7, 1500)
        got = rw.trajectories(walk, walkers, [0.0], seed=SEED)
        expected = [naive.position(walk, naive.start(walk, w, SEED)) for w in walkers]
        np.testing.assert_array_equal(got.x[0], expected)


def read(cells: NDArray[np.uint64], rests: NDArray[np.uint32]) -> list[tuple[int, int]]:
    """(parts of the cell that mean the cell, what the others mean) of every cell."""
    assert (rests < 2**21).all()
    halves = (divmod(cell, 2**32) for cell in cells.tolist())
    return [(cut * 2**21 + rest, alias) for (cut, alias), rest in zip(halves, rests.tolist(), strict=True)]


def test_alias_tables_hold_the_quantised_law_exactly() -> None:
    """Whole numbers throughout: the cells of a value sum to its mass, 2⁵³ in all."""
    laws = (
        (1, (0.25, 0.5, 0.25)),
        (50, (0.5, 0.0, 0.5)),
        (300, (0.1, 0.2, 0.7)),
        (5, (0.0, 0.0, 1.0)),
        (1, (0.0, 0.5, 0.5)),
    )
    for n, probabilities in laws:
        begin, pmf = StepLaw(-1, probabilities).power(n)
        first, bits, cells, rests = jump._alias(begin, pmf)
        capacity = 2 ** (MASS_BITS - bits)
        mass: dict[int, int] = {}
        for cell, (low, other) in enumerate(read(cells, rests)):
            assert 0 <= low <= capacity
            mass[first + cell] = mass.get(first + cell, 0) + low
            mass[first + other] = mass.get(first + other, 0) + capacity - low
        assert sum(mass.values()) == 2**MASS_BITS
        for value, p in enumerate(pmf.tolist(), start=begin):
            # half a unit of rounding, half a unit of the sum of the pmf; the largest takes what is left of all roundings
            allowed = pmf.size if p == pmf.max() else 1.0 + 2**MASS_BITS * abs(float(pmf.sum()) - 1.0)
            assert abs(mass.get(value, 0) - p * 2.0**MASS_BITS) <= allowed


def naive_jumps(
    walk: rw.LatticeWalk, walkers: range, seed: int, stride: jump.Jumps, steps: list[int]
) -> list[list[float]]:
    rows = []
    places = [naive.start(walk, walker, seed) for walker in walkers]
    for row, n in enumerate(np.diff([0, *steps]).tolist()):
        first, bits, cells, rests = stride._tables[0][n]
        table = read(cells, rests)
        for w, walker in enumerate(walkers):
            place = places[w]
            assert isinstance(place, int)
            cell, part = divmod(naive.jump_uniform(walker, row, seed), 2 ** (53 - bits))
            cut, alias = table[cell]
            places[w] = place + first + (cell if part < cut else alias)
        rows.append([naive.position(walk, place) for place in places])
    return rows


@pytest.mark.parametrize("begin", [0, 1, 2, 3, 2**34 + 5])
def test_jumps_are_the_naive_ones(begin: int) -> None:
    """Four walkers share a block: whichever of them comes first, and if some come alone."""
    walk, steps = WALKS["ties"](), [5, 40, 41]
    walkers = range(begin, begin + 1100)  # more than twice what is drawn together
    got = rw.simulate(walk, walkers, np.array(steps) * walk.dt, seed=SEED, method="jump", record=[rw.Positions()])
    np.testing.assert_array_equal(
        got[rw.Positions()].x, naive_jumps(walk, walkers, SEED, jump.Jumps(got.table, steps), steps)
    )


@pytest.mark.parametrize("before", [0, 1, 2, 1023])
def test_jumps_that_tie_are_settled_by_more_bits(before: int) -> None:
    """Ties are rare, so tables are made in which a walker's draw ties: its high bits are the cut. Others run before it."""
    walkers, bits, interval = range(1030, 1070), 1, 2
    words = [naive.block(w // 4, interval, naive.JUMP, SEED)[w % 4] for w in walkers]
    k0, k1 = naive.key(SEED)
    settled = set()
    for w, word in zip(walkers, words, strict=True):
        cell, high = divmod(word, 2 ** (32 - bits))
        low = naive.block(w, interval, naive.JUMP_TIES, SEED)[0] >> 11
        for rest in (low, low + 1):
            cells, rests = np.array([high << 32 | 7, high << 32 | 9], np.uint64), np.full(2, rest, np.uint32)
            site = np.zeros(before + 1, np.int32)
            cpu.jump(site, w - before, interval, 0, (100, bits, cells, rests), (np.uint64(k0), np.uint64(k1)))
            assert site[before] == 100 + (cell if low < rest else (7, 9)[cell])
            settled.add(low < rest)
    assert settled == {False, True}


# ---------------------------------------------------------------- however the work is divided

DIGEST = """
import hashlib, json, sys
import randwalk as rw
walks = {
    "coin": rw.LatticeWalk(0.5, 0.5, dx=1.0),
    "ties": rw.LatticeWalk(0.3, 0.4, dx=1.0, start=rw.Uniform(-3, 5)),
    "walls": rw.LatticeWalk(
        0.3, 0.4, sites=30, domain=rw.Interval(0, 30, rw.Reflecting(), rw.Absorbing()), start=12.3, killing=0.001
    ),
}
def digest(walk, method, threads, record=()):
    times = [10.0, 77.0, 130.0]
    e = rw.simulate(walk, WALKERS, times, seed=5, method=method, record=record, threads=threads)
    data = e.counts.tobytes() + e.gone.tobytes() + b"".join(r.counts.tobytes() for r in e.records.values())
    return hashlib.sha256(data).hexdigest()
records = [rw.FirstPassage(), rw.LastVisit(1.0), rw.TimePositive(2.0), rw.Maximum()]
def all_digests(threads):
    out = {f"{name} {how}": digest(walk, how, threads) for name, walk in walks.items() for how in ("paths", "occupation")}
    out |= {f"{name} records": digest(walk, "paths", threads, records) for name, walk in walks.items()}
    out |= {f"{name} jump": digest(walks[name], "jump", threads) for name in ("coin", "ties")}
    return out
"""


def digests_here(threads: int, walkers: int) -> dict[str, str]:
    scope: dict[str, Callable[[int], dict[str, str]]] = {}
    exec(f"WALKERS = {walkers}\n" + DIGEST, scope)
    return scope["all_digests"](threads)


def test_bits_do_not_depend_on_the_number_of_threads() -> None:
    shared = "from randwalk.run import host\nhost.ALONE, host.PIECE = 0, 4\n"  # threads even for a run of this size
    code = "WALKERS = 3001\n" + shared + DIGEST + "print(json.dumps([all_digests(k) for k in (1, 2, 3, 7)]))"
    environment = {**os.environ, "NUMBA_NUM_THREADS": "7"}
    ran = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    results = json.loads(ran.stdout)
    assert len(results[0]) == 11
    here = digests_here(1, 3001)
    for result in results:
        assert result == here


def test_bits_do_not_depend_on_the_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[list[range]] = []
    batches = host.Host.batches

    def watched(self: host.Host, *arguments: Any) -> Any:
        done.append([])
        for batch, result in batches(self, *arguments):
            done[-1].append(batch)
            yield batch, result

    monkeypatch.setattr(host.Host, "batches", watched)
    monkeypatch.setattr(host, "ALONE", 2**62)
    whole = digests_here(1, 20_011)
    assert {len(run) for run in done} == {1}
    monkeypatch.setattr(host, "ALONE", 0)
    for threads, batch, least in ((2, 1 << 18, 2), (3, 1 << 18, 3), (2, 1, 2)):  # the smallest batch is 2¹⁴ walkers
        done.clear()
        monkeypatch.setattr(paths, "BATCH", batch)
        assert digests_here(threads, 20_011) == whole
        assert min(len(run) for run in done) >= least


def test_a_table_made_in_pieces_is_the_same_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """Coefficients that depend on time are tabulated some steps at a time."""
    walk = WALKS["p(x, t) on the line"]()

    def runs() -> list[rw.Ensemble]:
        times = [10 * walk.dt, 77 * walk.dt]
        how: list[tuple[str, list[rw.run.record.Record]]] = [
            ("paths", []), ("paths", [rw.FirstPassage()]), ("paths", [rw.Maximum()]), ("occupation", [])
        ]  # fmt: skip
        return [rw.simulate(walk, 700, times, seed=5, method=method, record=record) for method, record in how]

    whole = runs()
    monkeypatch.setattr("randwalk.tables.table.CHUNK", 1000)
    assert len(list(whole[0].table.chunks(0, 77))) > 4
    for one, other in zip(whole, runs(), strict=True):
        same(one, other)


RECORDS: list[rw.run.record.Record] = [
    rw.FirstPassage(),
    rw.LastVisit(1.0),
    rw.TimePositive(2.0),
    rw.Maximum(),
    rw.SquaredDisplacement(),
    rw.Positions(),
]


@pytest.mark.parametrize("name", ["ties", "mixed", "killed on the line", "coin"])
@pytest.mark.parametrize("method", ["paths", "jump"])
def test_a_run_is_the_sum_of_its_ranges(name: str, method: str) -> None:
    walk = WALKS[name]()
    if method == "jump" and not naive.digits(walk):
        with pytest.raises(ValueError, match="whole line"):
            rw.simulate(walk, 10, [walk.dt], method="jump")
        return
    records: list[rw.run.record.Record] = RECORDS if method == "paths" else [rw.Positions(), rw.SquaredDisplacement()]
    times = np.array([1, 30, 100]) * walk.dt

    def part(walkers: range) -> rw.Ensemble:
        return rw.simulate(walk, walkers, times, seed=3, method=method, record=records)

    whole = part(range(1000))
    merged = part(range(0, 1)).merge(part(range(1, 257))).merge(part(range(257, 1000)))
    same(whole, merged)
    backwards = part(range(257, 1000)).merge(part(range(0, 257)))
    np.testing.assert_array_equal(whole.counts, backwards.counts)
    assert merged.parts == backwards.parts == (range(0, 1000),)
    same(whole, part(range(0, 400)).extend(1000))


def same(one: rw.Ensemble, other: rw.Ensemble) -> None:
    np.testing.assert_array_equal(one.raw, other.raw)
    assert list(one.records) == list(other.records)
    for a, b in zip(one.records.values(), other.records.values(), strict=True):
        if isinstance(a, rw.run.record.Paths):
            assert isinstance(b, rw.run.record.Paths)
            np.testing.assert_array_equal(a.x, b.x)
        else:
            assert not isinstance(a, Displacements) and isinstance(b, (Histogram, Passages))
            np.testing.assert_array_equal(a.counts, b.counts)
            assert a.walkers == b.walkers == one.walkers


@pytest.mark.parametrize("name", ["ties", "p(x) on the line", "mixed", "p(x, t) on the line"])
def test_resuming_leaves_the_past_unchanged(name: str) -> None:
    walk = WALKS[name]()
    records: list[rw.run.record.Record] = [rw.LastVisit(0.2), rw.Maximum(), rw.FirstPassage()]
    early = rw.simulate(walk, 500, np.array([5, 70]) * walk.dt, seed=3, method="paths", record=records)
    late = early.resume(np.array([71, 140]) * walk.dt)
    at_once = rw.simulate(walk, 500, np.array([5, 70, 71, 140]) * walk.dt, seed=3, method="paths", record=records)
    same(late, at_once)
    for t in early.times:
        x, y = early.density(t), late.density(t)
        old = dict(zip(x.x.tolist(), x.value.tolist(), strict=True))
        new = dict(zip(y.x.tolist(), y.value.tolist(), strict=True))  # the window may be wider
        assert {k: v for k, v in new.items() if v} == {k: v for k, v in old.items() if v}


def test_what_is_recorded_does_not_change_the_paths() -> None:
    for name in ("ties", "coin", "mixed"):
        walk = WALKS[name]()
        times = np.array([33, 100]) * walk.dt
        plain = rw.simulate(walk, 3000, times, seed=4, method="paths")
        np.testing.assert_array_equal(
            plain.raw, rw.simulate(walk, 3000, times, seed=4, method="paths", record=RECORDS).raw
        )
        other_times = rw.simulate(walk, 3000, np.array([1, 2, 33, 50, 64, 65, 100]) * walk.dt, seed=4, method="paths")
        np.testing.assert_array_equal(plain.raw, other_times.raw[[2, 6]])


def test_occupation_and_jump_repeat_and_their_parts_add() -> None:
    for method in ("occupation", "jump"):
        walk = WALKS["ties"]()
        run = rw.simulate(walk, 10_000, [10.0, 50.0], seed=9, method=method)
        np.testing.assert_array_equal(run.raw, rw.simulate(walk, 10_000, [10.0, 50.0], seed=9, method=method).raw)
        assert (run.raw != rw.simulate(walk, 10_000, [10.0, 50.0], seed=10, method=method).raw).any()
        more = run.extend(15_000)
        part = rw.simulate(walk, range(10_000, 15_000), [10.0, 50.0], seed=9, method=method)
        np.testing.assert_array_equal(more.raw, run.raw + part.raw)
        assert more.walkers == 15_000 and (more.raw.sum(axis=1) == 15_000).all()
        later = run.resume([60.0])
        np.testing.assert_array_equal(
            later.counts[:2, later.counts[:2].any(axis=0)], run.counts[:, run.counts.any(axis=0)]
        )


# ---------------------------------------------------------------- committed answers of this version of the stream

ANSWERS = Path(__file__).parent / "stream_answers.json"
ANSWERED = ("coin", "quarters", "ties", "mixed", "p(x, t) on the line", "robin", "ring", "array")


def answers_of(name: str) -> list[list[int | str]]:
    """Where walkers 0 … 3 and 2³³ + 1 of seed 7 are after 1, 10, 64 and 100 steps."""
    walk = WALKS[name]()
    walkers = [0, 1, 2, 3, 2**33 + 1]
    return [[naive.path(walk, w, 100, 7)[n] for w in walkers] for n in (1, 10, 64, 100)]


JUMPS = [7, 1000]  # the steps of the jumps that are answered


def jump_answers(name: str) -> list[list[float]]:
    """Where the same walkers are after jumps of 7 and 993 steps."""
    walk = WALKS[name]()
    stride = jump.Jumps(table_for(walk, JUMPS[-1]), JUMPS)
    walkers = [*range(4), 2**33 + 1]
    columns = [naive_jumps(walk, range(w, w + 1), 7, stride, JUMPS) for w in walkers]
    return [[column[row][0] for column in columns] for row in range(len(JUMPS))]


def test_known_answers_of_the_stream() -> None:
    """If this fails, files of old runs no longer describe what the program does: raise STREAM_VERSION and write new answers."""
    data = json.loads(ANSWERS.read_text())
    assert data["stream"] == STREAM_VERSION
    assert set(data["sites"]) == set(ANSWERED) and set(data["jumps"]) == {"coin", "ties"}
    ranges = range(0, 4), range(2**33 + 1, 2**33 + 2)
    for name, rows in data["sites"].items():
        walk = WALKS[name]()
        steps = np.array([1, 10, 64, 100]) * walk.dt
        got = [rw.trajectories(walk, walkers, steps, seed=7).x for walkers in ranges]
        expected = [[naive.position(walk, place) for place in row] for row in rows]
        np.testing.assert_array_equal(np.hstack(got), expected)
    for name, places in data["jumps"].items():
        walk = WALKS[name]()
        times = np.array(JUMPS) * walk.dt
        runs = [
            rw.simulate(walk, walkers, times, seed=7, method="jump", record=[rw.Positions()])[rw.Positions()].x
            for walkers in ranges
        ]
        np.testing.assert_array_equal(np.hstack(runs), places)


def test_known_answers_are_long_enough_to_tell() -> None:
    """The digest of the file is here too, so that it is not rewritten by accident."""
    digest = hashlib.sha256(json.dumps(json.loads(ANSWERS.read_text()), sort_keys=True).encode()).hexdigest()
    assert digest[:16] == "56987824665d23ae"
