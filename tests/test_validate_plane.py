"""Validation beyond one dimension: classes in Morton's order, distributions of places and distances, orders of refinement."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats

import randwalk as rw
from randwalk.ensemble import Ensemble
from randwalk.model.domain import Interval, Line, Ring
from randwalk.pde import exact_law
from randwalk.pde.exact_law import ExactLaw
from randwalk.problem import Problem, ProblemError, Source
from randwalk.run.counts import Counts
from randwalk.run.task import Task
from randwalk.validate import compare, load_case, refine
from randwalk.validate.convergence import Convergence, refinements
from randwalk.validate.order import by_distance, morton

A, R = rw.Absorbing(), rw.Reflecting()
ROOM = Interval(0.0, 1.0, A, A) * Ring(0.0, 1.0)
WALK = rw.LatticeWalk.from_drift(
    (0.5, -0.4), (0.5, 0.3), sites=(15, 16), domain=ROOM, start=(0.3, 0.5), times=[0.1], killing=0.3
)


@pytest.mark.parametrize("shape", [(5,), (4, 4), (5, 3), (2, 7, 3)])
def test_morton_order_interleaves_binary_digits(shape: tuple[int, ...]) -> None:
    def code(place: tuple[int, ...]) -> int:
        digits = [f"{k:08b}" for k in place]
        return int("".join("".join(group) for group in zip(*digits, strict=True)), 2)

    places = sorted(np.ndindex(*shape), key=code)
    assert morton(shape).tolist() == [int(np.ravel_multi_index(place, shape)) for place in places]


def test_neighbours_in_mortons_order_are_neighbours_in_space() -> None:
    """Blocks of 4ᵏ sites in a row are squares of 2ᵏ × 2ᵏ sites."""
    x, y = np.unravel_index(morton((16, 16)), (16, 16))
    for side in (2, 4, 8):
        for block in np.split(np.arange(256), 256 // side**2):
            assert np.ptp(x[block]) == np.ptp(y[block]) == side - 1


def test_distances_go_the_shorter_way_round() -> None:
    x, y = np.array([0.0, 0.5, 1.0]), np.array([0.0, 2.5, 5.0, 7.5])
    distances, number = by_distance((x, y), (Line(), Ring(0.0, 10.0)), (0.5, 9.5))
    naive = [math.hypot(a - 0.5, min(abs(b - 9.5 + turn) for turn in (-10.0, 0.0, 10.0))) for a in x for b in y]
    np.testing.assert_allclose(distances[number], naive, rtol=1e-12)
    assert (np.diff(distances) > 0.0).all() and distances.size == np.unique(np.round(naive, 9)).size


def drawn(law: ExactLaw, walkers: int, seed: int) -> Ensemble:
    """An ensemble whose counts are multinomial draws from an exact law of one time."""
    layout = law.table.layout
    p = np.append(law.pmf[0].ravel(), law.gone[law.steps[0]])
    counts = np.random.default_rng(seed).multinomial(walkers, p / p.sum())
    raw = layout.empty(1)
    layout.live(raw)[0] = counts[: -law.gone.shape[1]].reshape(layout.shape)
    layout.leave(raw[0], counts[-law.gone.shape[1] :])
    task = Task(law.walk, law.steps, 1, "paths", ())
    return Ensemble(task, Counts(law.table, law.steps, (range(walkers),), raw, {}, 1, "paths"))


LAW = exact_law(WALK, [0.1])


def test_every_axis_and_the_distance_are_compared() -> None:
    checks = compare(drawn(LAW, 100_000, 1), LAW).checks
    assert [(check.name, check.test) for check in checks] == [
        ("places at t = 0.1", "chi²"), ("x at t = 0.1", "KS"), ("y at t = 0.1", "KS"),
        ("distance from the start at t = 0.1", "KS"),
    ]  # fmt: skip


def test_p_values_are_uniform_when_the_hypothesis_is_true() -> None:
    """Of 200 draws. The test of uniformity itself errs once in 10⁴. KS p-values are upper bounds where places are atoms."""
    found = [compare(drawn(LAW, 20_000, seed), LAW).checks for seed in range(200)]
    squares = [check.p_value for checks in found for check in checks if check.test == "chi²"]
    assert stats.kstest(squares, "uniform").pvalue > 1e-4
    for name in ("x at t = 0.1", "y at t = 0.1", "distance from the start at t = 0.1"):
        values = np.array([check.p_value for checks in found for check in checks if check.name == name])
        assert (
            stats.kstest(values, "uniform", alternative="greater").pvalue > 1e-4
        )  # not more small ones than there should be


def swapped(ensemble: Ensemble, first: int, second: int) -> Ensemble:
    """The ensemble with what left by two exits in each other's place."""
    layout = ensemble.table.layout
    raw, gone = ensemble.raw.copy(), ensemble.gone[0]
    for cells in np.flatnonzero(~layout.is_live(np.arange(layout.cells))):
        raw[:, cells] = 0
    gone[[first, second]] = gone[[second, first]]
    layout.leave(raw[0], gone)
    return replace(ensemble, tally=replace(ensemble.tally, raw=raw))


def test_wrong_laws_are_told_apart() -> None:
    ensemble = drawn(LAW, 200_000, 2)
    assert compare(ensemble, LAW).passed
    assert swapped(ensemble, 1, 1).gone.tolist() == ensemble.gone.tolist()
    assert not compare(swapped(ensemble, 0, 1), LAW).passed
    other = rw.LatticeWalk.from_drift(
        (0.5, -0.2), (0.5, 0.3), dx=WALK.spacings, dt=WALK.dt, domain=ROOM, start=(0.3, 0.5), killing=0.3
    )
    failed = compare(ensemble, exact_law(other, [0.1]))
    worst = failed.checks[int(np.argmin(failed.adjusted))]
    assert not failed.passed and worst.name == "y at t = 0.1"


def test_bins_of_a_law_without_sites() -> None:
    """The smoothed law has the same mass in bins of whole cells as the atoms."""
    ensemble = drawn(LAW, 100_000, 3)
    atoms, cells = compare(ensemble, LAW), compare(ensemble, LAW.smoothed())
    assert [(a.name, a.freedom) for a in atoms.checks] == [(c.name, c.freedom) for c in cells.checks]
    np.testing.assert_allclose(
        [a.statistic for a in atoms.checks[:3]], [c.statistic for c in cells.checks[:3]], rtol=1e-9
    )


WRONG: list[tuple[Any, str]] = [
    (Interval(0.0, 1.0, A, A) * Ring(0.0, 2.0), "a law on the same domain"),
    (Line() ** 2, "a law on the same domain"),
    (ROOM.without(rw.Ball((0.8, 0.5), 0.1)), "a law on the same domain"),
]


@pytest.mark.parametrize(("domain", "told"), WRONG)
def test_laws_on_other_domains_are_refused(domain: Any, told: str) -> None:
    walk = rw.LatticeWalk.from_drift(0.0, 0.5, dx=0.25, domain=domain, start=(0.25, 0.5), times=[0.1])
    with pytest.raises(ValueError, match=told):
        compare(drawn(LAW, 100, 1), exact_law(walk, [0.1]))


def test_laws_on_other_sites_are_refused() -> None:
    law = exact_law(refine(WALK, 3), [0.1])
    with pytest.raises(ValueError, match=r"sites 0\.0\d+ apart, one of them at x = .*expected\.smoothed\(\)"):
        compare(drawn(LAW, 100, 1), law)


@pytest.mark.parametrize("unit", [1.0, 1e-6])
def test_a_refined_walk_has_the_same_equation(unit: float) -> None:
    walk = rw.LatticeWalk(
        steps={(1, 0): 0.2, (-1, 0): 0.1, (0, 1): rw.expression("0.1 + 0.05*tanh(y)"), (0, -1): 0.1, (1, 1): 0.15},
        dx=(0.2 * unit, 0.1 * unit), dt=0.01,
    )  # fmt: skip
    finer, point = refine(walk, 3), (0.3 * unit, 0.4 * unit)
    assert finer.spacings == pytest.approx((0.2 * unit / 3, 0.1 * unit / 3)) and finer.dt == pytest.approx(0.01 / 9)
    for axis in (0, 1):
        assert float(finer.drift[axis](point)) == pytest.approx(float(walk.drift[axis](point)), rel=1e-12)
        for other in (0, 1):
            one, two = (float(w.diffusion[axis, other](point)) for w in (walk, finer))
            assert one == pytest.approx(two, rel=1e-12)


def test_a_case_states_its_order() -> None:
    problem = load_case("plane_trap")
    assert problem.validation_order == 1.0 and load_case("plane_box").validation_order == 2.0
    assert Problem.of(Source.parse(problem.dumps())).validation_order == 1.0
    with pytest.raises(ProblemError, match="order = -1: must be positive and at most 4"):
        Problem.of(Source.parse(problem.dumps().replace("order = 1.0", "order = -1")))


@pytest.mark.parametrize(
    ("errors", "order", "passed"),
    [
        ((9e-3, 4.5e-3, 3e-3), 1.0, True),
        ((9e-3, 4.5e-3, 3e-3), 2.0, False),
        ((9e-3, 2.2e-3, 1e-3), 2.0, True),
        ((9e-3, 8.5e-3, 8.3e-3), 1.0, False),
    ],
)
def test_orders_are_judged_by_the_one_that_is_stated(errors: tuple[float, ...], order: float, passed: bool) -> None:
    assert Convergence("", (1.0, 1 / 2, 1 / 3), errors, order=order).passed is passed


def test_levels_fit_the_walls() -> None:
    assert refinements(WALK) == (1, 2, 3) and refinements(load_case("plane_mixed_faces").walk) == (1, 3)
    assert refinements(load_case("lazy_line").walk) == (1, 3, 9)
    with pytest.raises(ValueError, match="only odd refinements fit"):
        refine(load_case("plane_mixed_faces").walk, 2)
