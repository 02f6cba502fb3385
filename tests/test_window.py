"""Windows of walks on unbounded domains: nothing leaks, however the walk drifts."""

from __future__ import annotations

import dataclasses
import itertools
import math
import time
from collections.abc import Callable

import numpy as np
import pytest

import randwalk as rw
from randwalk.kernels.program import Keys, Program, Walkers
from randwalk.model.coefficient import Floats
from randwalk.run import host, paths
from randwalk.tables.guess import Ends
from randwalk.tables.window import LEAK, table_for

from . import naive
from .test_stream import WALKS as STREAM_WALKS

ABSORB, REFLECT = rw.Absorbing(), rw.Reflecting()


def everywhere(value: float) -> Callable[[Floats], Floats]:
    return lambda x: value + 0.0 * x


WALKS: dict[str, Callable[[], rw.LatticeWalk]] = {
    "left": lambda: rw.LatticeWalk(everywhere(0.01), everywhere(0.9), dx=1.0),
    "right": lambda: rw.LatticeWalk(everywhere(0.9), everywhere(0.01), dx=1.0),
    "rare against the drift": lambda: rw.LatticeWalk(everywhere(1e-9), everywhere(1 - 1e-9), dx=1.0),
    "two-way": lambda: rw.LatticeWalk(everywhere(0.05), everywhere(0.95), dx=1.0, start=rw.Uniform(-3, 3)),
    "steep": lambda: rw.LatticeWalk(lambda x: np.where(x > 3, 0.02, 0.6), lambda x: np.where(x > -3, 0.35, 0.01), dx=1.0),
    "outwards": lambda: rw.LatticeWalk(
        lambda x: 0.45 + 0.4 * np.tanh(x), lambda x: 0.45 - 0.4 * np.tanh(x), dx=1.0
    ),
    "there and back": lambda: rw.LatticeWalk(
        lambda x, t: np.where(t < 20, 0.9, 0.01) + 0 * x, lambda x, t: np.where(t < 20, 0.01, 0.9) + 0 * x, dx=1.0
    ),
    "every other step": lambda: rw.LatticeWalk(
        lambda x, t: np.where(t % 2 < 1, 0.9, 0.05) + 0 * x, lambda x, t: np.where(t % 2 < 1, 0.05, 0.9) + 0 * x, dx=1.0
    ),
    "killed": lambda: rw.LatticeWalk(everywhere(0.01), everywhere(0.9), dx=1.0, killing=0.5),
    "away from a wall": lambda: rw.LatticeWalk(
        everywhere(0.9), everywhere(0.05), dx=1.0, domain=rw.Interval(0, math.inf, ABSORB), start=2.0
    ),
    "towards a wall": lambda: rw.LatticeWalk(
        everywhere(0.05), everywhere(0.9), dx=1.0, domain=rw.Interval(0, math.inf, REFLECT), start=20.5
    ),
    "small units": lambda: rw.LatticeWalk(everywhere(0.01), everywhere(0.9), dx=1e-9, dt=1e-12),
}  # fmt: skip


@pytest.mark.parametrize("name", WALKS)
@pytest.mark.parametrize("steps", [1, 7, 100])
def test_nothing_leaks(name: str, steps: int) -> None:
    """The law on all sites that can be reached, by dense matrices; a rounding of each of some 4 operations a step."""
    walk = WALKS[name]()
    law = rw.pde.exact_law(walk, [steps * walk.dt])
    assert law.leaked <= LEAK
    first = -steps - 4 if walk.lattice.first is None else walk.lattice.first
    chain = naive.Chain(walk, first, steps + 24)
    expected = chain.law(steps)
    at = law.table.first - first
    inside = np.zeros(chain.size - 3)
    inside[at : at + law.table.sites] = law.pmf[0]
    np.testing.assert_allclose(inside, expected[:-3], rtol=0, atol=4 * steps * 2.3e-16)
    np.testing.assert_allclose(law.gone[steps], expected[-3:], rtol=0, atol=4 * steps * 2.3e-16)
    assert int(rw.simulate(walk, 10**6, [steps * walk.dt], seed=1, method="occupation").leaked[0]) == 0
    assert int(rw.simulate(walk, 1000, [steps * walk.dt], seed=1, method="paths").leaked[0]) == 0


def test_the_window_is_no_wider_than_the_tail() -> None:
    """A free walk of variance 0.9 a step keeps 1e-18 beyond 8.7 standard deviations at the end; some more for the sum over
    steps (1e-21 a step: 9.6 standard deviations), and the same for its law by a power."""
    walk = rw.LatticeWalk(everywhere(0.45), everywhere(0.45), dx=1.0)
    table = table_for(walk, 10_000)
    half = table.sites / 2 / math.sqrt(9000.0)
    assert 8.7 < half < 10.5


def test_a_law_of_very_many_steps() -> None:
    """2³¹ steps of the coin: 2/√(2πn)/2dx at the middle (local limit theorem, relative 1/4n), in little memory."""
    n = 2**31
    law = rw.pde.exact_law(rw.LatticeWalk(0.5, 0.5, dx=1.0), [n])
    x, rho = law.density(n)
    assert rho[x == 0.0][0] == pytest.approx(1 / math.sqrt(2 * math.pi * n), rel=1e-9)
    assert law.variance(n) == pytest.approx(n, rel=1e-9) and law.survival(n) == pytest.approx(1.0, abs=1e-9)
    assert law.absorbed("killing", [0.0, n]).tolist() == [0.0, 0.0]


GUESSED: dict[str, Callable[[], rw.LatticeWalk]] = {
    name: STREAM_WALKS[name]
    for name in ("coin", "ties", "tiny", "killed on the line", "p(t)", "p(x) on the line", "p(x, t) on the line", "half line",
                 "other half line", "Ornstein-Uhlenbeck")
}  # fmt: skip
GUESSED["outwards"] = WALKS["outwards"]
NARROW, WIDE = 1, 3000  # sites on either side of the start


def guess(monkeypatch: pytest.MonkeyPatch, far: int) -> None:
    """Windows of `far` sites on either side of the start, as far as there are any."""

    def ends(walk: rw.LatticeWalk, steps: int, start: Ends, leak: float) -> Ends:
        lattice, ((first, last),) = walk.lattice, start
        low, high = first - far, last + far
        return (
            (
                low if lattice.first is None else max(low, lattice.first),
                high if lattice.last is None else min(high, lattice.last),
            ),
        )

    monkeypatch.setattr("randwalk.tables.window.guessed_ends", ends)


def on_common_bins(run: rw.Ensemble, first: int, sites: int) -> list[np.ndarray]:
    """All counts of a run, on the window of the given sites; places of walkers as they are."""
    counts = run.tally.on(dataclasses.replace(run.table, window=((first, sites),)))
    kept = [
        result.x if isinstance(result, rw.run.record.Paths) else result.counts for result in counts.records.values()
    ]
    return [counts.raw, *kept]


@pytest.mark.parametrize("name", GUESSED)
@pytest.mark.parametrize("method", ["paths", "occupation", "jump"])
def test_bits_do_not_depend_on_the_guess(name: str, method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows that are far too narrow and far too wide give the counts and the records of the guessed ones; nobody leaks."""
    walk, steps = GUESSED[name](), [0, 70, 137]
    if method == "jump" and not naive.digits(walk):
        return
    of_method: dict[str, list[rw.run.record.Record]] = {
        "paths": [rw.FirstPassage(), rw.LastVisit(2.0), rw.LastVisit(-40.0), rw.TimePositive(2.0), rw.TimePositive(-40.0),
                  rw.Maximum(), rw.SquaredDisplacement(), rw.Positions()],
        "occupation": [rw.FirstPassage()],
        "jump": [rw.SquaredDisplacement(), rw.Positions()],
    }  # fmt: skip
    records = of_method[method]
    times = np.array(steps) * walk.dt

    def runs() -> list[rw.Ensemble]:
        kept: list[list[rw.run.record.Record]] = (
            [[], records, [rw.FirstPassage()]] if method == "paths" else [[], records]
        )
        another = GUESSED[name]()  # a walk keeps its tables
        return [rw.simulate(another, 300, times, seed=5, method=method, record=record) for record in kept]

    guessed = runs()
    guess(monkeypatch, NARROW)
    narrow = runs()
    guess(monkeypatch, WIDE)
    wide = runs()
    for one, small, large in zip(guessed, narrow, wide, strict=True):
        assert small.table.sites < large.table.sites and small.table.sites > 2 * NARROW + 1
        first = min(run.table.first for run in (one, small, large))
        sites = max(run.table.first + run.table.sites for run in (one, small, large)) - first
        expected = on_common_bins(one, first, sites)
        for other in (small, large):
            assert not other.leaked.any() and (other.raw.sum(axis=1) == 300).all()
            for array, right in zip(on_common_bins(other, first, sites), expected, strict=True):
                np.testing.assert_array_equal(array, right)


def test_only_walkers_that_reach_an_edge_go_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """And only from the last search for them on: the walker-steps made twice are few, in stretches of 8 steps; the bits are those
    of a window that is wide enough."""
    walk, walkers = rw.LatticeWalk(everywhere(0.3), everywhere(0.31), dx=1.0), 1000
    records: list[rw.run.record.Record] = [rw.FirstPassage(), rw.LastVisit(-9.0), rw.Maximum(), rw.Positions()]
    guess(monkeypatch, WIDE)
    expected = rw.simulate(walk, walkers, [60.0, 200.0], seed=3, method="paths", record=records)
    made: list[tuple[int, int]] = []
    advance = host.Host.advance

    def counted(self: host.Host, batch: Walkers, program: Program, start: int, stop: int, keys: Keys) -> None:
        made.append((batch.site.size if batch.places is None else batch.places.size, stop - start))
        advance(self, batch, program, start, stop, keys)

    monkeypatch.setattr(host.Host, "advance", counted)
    monkeypatch.setattr(paths, "STRETCH", 8)
    monkeypatch.setattr(paths, "WORK", 1)
    guess(monkeypatch, 8)
    run = rw.simulate(walk, walkers, [60.0, 200.0], seed=3, method="paths", record=records)
    assert 17 < run.table.sites < expected.table.sites
    again = sum(size * steps for size, steps in made) - 200 * walkers
    assert 0 < again < 0.1 * 200 * walkers and {steps for _, steps in made} <= {4, 8}
    first, sites = expected.table.first, expected.table.sites
    for one, other in zip(on_common_bins(run, first, sites), on_common_bins(expected, first, sites), strict=True):
        np.testing.assert_array_equal(one, other)


def test_parts_in_different_windows_add_up_to_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each part begins with a window of its own; the sum is the run of all walkers in any order, records included."""
    walk = WALKS["outwards"]()
    records: list[rw.run.record.Record] = [rw.LastVisit(1.0), rw.Maximum(), rw.SquaredDisplacement(), rw.Positions()]

    def part(walkers: range) -> rw.Ensemble:
        return rw.simulate(walk, walkers, [3.0, 60.0], seed=2, method="paths", record=records)

    whole, pieces = part(range(60)), []
    for far, walkers in ((1, range(1)), (9, range(1, 30)), (50, range(30, 31)), (33, range(31, 60))):
        guess(monkeypatch, far)
        pieces.append(part(walkers))
    assert len({piece.table.sites for piece in pieces}) > 2
    for order in itertools.permutations(range(4)):
        a, b, c, d = (pieces[i].tally for i in order)
        for total in ((a + b) + (c + d), a + (b + (c + d))):
            assert total.parts == (range(60),)
            merged = rw.Ensemble(whole.task, total)
            first, last = merged.table.first, merged.table.first + merged.table.sites
            first, last = min(first, whole.table.first), max(last, whole.table.first + whole.table.sites)
            arrays = zip(
                on_common_bins(merged, first, last - first), on_common_bins(whole, first, last - first), strict=True
            )
            for one, other in arrays:
                np.testing.assert_array_equal(one, other)


def test_walkers_that_reach_the_end_of_validity_are_an_error_with_its_place() -> None:
    """p = 0.3 + 0.05 x may be taken up to x = 10, and walkers drift there; while they stay away nothing is refused."""
    walk = rw.LatticeWalk(lambda x: 0.3 + 0.05 * np.maximum(x, 0.0), 0.2, dx=1.0)
    rw.simulate(walk, 100, [3.0], seed=1, method="paths")
    for method in ("paths", "occupation"):
        with pytest.raises(ValueError, match=r"right \+ left = .* at x = 11.*: must be ≤ 1"):
            rw.simulate(walk, 1000, [300.0], seed=1, method=method)
    table = rw.Table([-20.0, 20.0], [0.4, 0.4])
    short = rw.LatticeWalk(table, 0.3, dx=1.0)
    rw.simulate(short, 100, [15.0], seed=1, method="paths")
    with pytest.raises(ValueError, match=r"x = 2?1"):
        rw.simulate(short, 1000, [2000.0], seed=1, method="paths")


def test_a_window_may_grow_from_any_guess() -> None:
    """A drift that the linear noise from the start does not see: the wind sets in at x = 40."""
    walk = rw.LatticeWalk(lambda x: np.where(x > 40, 0.9, 0.45), lambda x: np.where(x > 40, 0.05, 0.45), dx=1.0)
    run = rw.simulate(walk, 2000, [8000.0], seed=1, method="paths")
    assert run.table.first + run.table.sites > 5000 and not run.leaked.any()
    law = rw.pde.exact_law(walk, [8000.0])
    assert abs(float(run.mean(8000.0)) - law.mean(8000.0)) < 4.0 * float(run.mean(8000.0).error)


@pytest.mark.parametrize("domain", ["half line", "line", "trap"])
def test_a_plan_takes_milliseconds(domain: str) -> None:
    """In processor time: the machine may be busy."""
    walks = {
        "half line": rw.LatticeWalk(0.5, 0.5, dx=1.0, domain=rw.Interval(0, math.inf, ABSORB), start=10.0),
        "line": rw.LatticeWalk(lambda x: 0.5 - 0.2 * np.tanh(x / 100), lambda x: 0.5 + 0.2 * np.tanh(x / 100), dx=1.0),
        "trap": rw.LatticeWalk.from_drift(rw.Affine(slope=-1.0), 0.5, dx=0.02, times=[1.0]),
    }
    walk = walks[domain]
    rw.explain(walk, 1000, [1e3 * walk.dt])
    begun = time.process_time()
    rw.explain(walk, 1000, [2e5 * walk.dt])
    assert time.process_time() - begun < 0.05
