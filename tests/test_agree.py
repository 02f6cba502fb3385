"""Somebody's own simulation against our laws: right ones agree, planted faults fail, and the message names the fault."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import stats

import randwalk as rw
from randwalk.validate import Samples, assert_agrees, compare

MANY = 20_000
HEAT = rw.pde.closed_form(rw.pde.FokkerPlanck(0.0, 0.5))
HALF = rw.pde.closed_form(rw.pde.FokkerPlanck(0.0, 0.5, domain=rw.Interval(0.0, math.inf, rw.Absorbing()), start=1.0))
MIRROR = rw.pde.closed_form(
    rw.pde.FokkerPlanck(0.0, 0.5, domain=rw.Interval(0.0, math.inf, rw.Reflecting()), start=0.3)
)
RING = rw.pde.closed_form(rw.pde.FokkerPlanck(0.0, 0.5, domain=rw.Ring(0.0, math.tau), start=1.0))
PLANE = rw.pde.closed_form(rw.pde.FokkerPlanck((0.0, 1.0), 0.5, domain=rw.Line() ** 2, start=(0.0, 0.0)))
COIN = rw.pde.exact_law(rw.LatticeWalk(right=0.5, left=0.5, dx=1.0, dt=1.0), [64])
LAZY = rw.pde.exact_law(rw.LatticeWalk(right=0.25, left=0.25, dx=1.0, dt=1.0), [64])


def normal(n: int = MANY, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=n)


def walkers(wall: float = 0.0, drift: float = 0.0, *, bridge: bool = True, absorbs: bool = True) -> Samples:
    """Brownian walkers from 1 to time 1 above a wall, by steps of 0.02 with the crossings between them."""
    rng, dt = np.random.default_rng(2), 0.02
    x, alive = np.ones(4 * MANY), np.ones(4 * MANY, dtype=bool)
    for _ in range(50):
        y = x + drift * dt + math.sqrt(dt) * rng.normal(size=x.size)
        above = np.maximum(x - wall, 0.0) * np.maximum(y - wall, 0.0)
        crossed = (y < wall) | (bridge & (rng.random(x.size) < np.exp(-2.0 * above / dt)))
        alive &= ~crossed | (not absorbs)
        x = np.where(y < wall, 2.0 * wall - y, y) if not absorbs else y
    return Samples(x[alive], 1.0, {"left": int((~alive).sum())})


def steps(n: int, seed: int = 3) -> np.ndarray:
    return 2 * np.random.default_rng(seed).binomial(n, 0.5, size=MANY) - n


def lazy(seed: int = 4) -> np.ndarray:
    """Walkers that stay half of the time."""
    return np.asarray(np.random.default_rng(seed).binomial(128, 0.5, size=MANY) - 64)


def turned(part: float, seed: int = 5) -> np.ndarray:
    """Points in the plane whose coordinates are correlated."""
    x, y = np.random.default_rng(seed).normal(size=(2, MANY))
    return np.stack([x, 1.0 + part * x + math.sqrt(1.0 - part**2) * y], axis=1)


RIGHT: list[tuple[str, Callable[[], Any], Any]] = [
    ("normal", lambda: Samples(normal(), 1.0), HEAT),
    ("few", lambda: Samples(normal(40), 1.0), HEAT),
    ("one", lambda: Samples([0.3], 1.0), HEAT),
    ("half-line", walkers, HALF),
    ("survivors alone", lambda: Samples(walkers().x, 1.0), HALF),
    ("mirror", lambda: Samples(np.abs(0.3 + normal()), 1.0), MIRROR),
    ("coin", lambda: steps(64), COIN),
    ("lazy coin", lazy, LAZY),
    ("plane", lambda: Samples(turned(0.0), 1.0), PLANE),
    ("two samples", lambda: steps(64), Samples(steps(64, seed=9))),
    ("an ensemble", lambda: Samples(steps(64), 64.0), rw.simulate(COIN.walk, 10_000, [64], seed=1)),
    ("two that stand still", lambda: np.zeros(100), Samples(np.zeros(60))),
    ("two of survivors", walkers, Samples(walkers(absorbs=True).x)),
]


@pytest.mark.parametrize(("sample", "law"), [row[1:] for row in RIGHT], ids=[row[0] for row in RIGHT])
def test_right_simulations_agree(sample: Callable[[], Any], law: Any) -> None:
    """Each fails once in a thousand seeds."""
    assert assert_agrees(sample(), law, alpha=1e-3).passed


FAULTS: list[tuple[str, str, Callable[[], Any], Any]] = [
    ("shift", "a small drift", lambda: Samples(normal() + 0.08, 1.0), HEAT),
    ("shift", "a large drift", lambda: Samples(normal() + 3.0, 1.0), HEAT),
    ("shift", "one coordinate", lambda: Samples(turned(0.0) - [0.0, 0.1], 1.0), PLANE),
    ("shift", "a coin that is not fair", lambda: 2 * np.random.default_rng(1).binomial(64, 0.52, size=MANY) - 64, COIN),
    ("shift", "a drift above a wall", lambda: walkers(drift=0.3), HALF),
    ("shift", "another sample", lambda: Samples(normal() + 0.1), Samples(normal(seed=2))),
    ("width", "α for D", lambda: Samples(math.sqrt(2.0) * normal(), 1.0), HEAT),
    ("width", "half of D", lambda: Samples(math.sqrt(0.5) * normal(), 1.0), HEAT),
    ("width", "of few", lambda: Samples(math.sqrt(2.0) * normal(600), 1.0), HEAT),
    ("width", "twice the steps", lambda: steps(128), COIN),
    ("parity", "one step too many", lambda: steps(65), COIN),
    ("parity", "a site is left out", lambda: np.where(np.random.default_rng(0).random(MANY) < 0.7, steps(32), lazy()), LAZY),
    ("tail", "Student's t", lambda: Samples(np.random.default_rng(3).standard_t(5, size=MANY) * math.sqrt(0.6), 1.0), HEAT),
    ("tail", "rare large steps", lambda: Samples(np.where(normal(seed=7) > 2.0, 4.0, 1.0) * normal(), 1.0), HEAT),
    ("tail", "cut off", lambda: Samples(np.clip(normal(), -2.0, 2.0), 1.0), HEAT),
    ("wall", "crossings between steps", lambda: walkers(bridge=False), HALF),
    ("wall", "at another place", lambda: walkers(wall=0.05), HALF),
    ("wall", "of another kind", lambda: walkers(absorbs=False), HALF),
    ("wall", "where walkers stick", lambda: Samples(np.maximum(0.3 + normal(), 0.0), 1.0), MIRROR),
    ("wall", "none at all", lambda: Samples(0.3 + normal(), 1.0), MIRROR),
    ("shift", "on a ring", lambda: Samples((1.1 + normal()) % math.tau, 1.0), RING),
    ("width", "one coordinate", lambda: Samples(turned(0.0) * [1.0, 1.1] - [0.0, 0.1], 1.0), PLANE),
    ("width", "another sample", lambda: 1.1 * normal(), Samples(normal(seed=2))),
    ("parity", "another sample", lambda: steps(65), Samples(steps(64, seed=9))),
    ("wall", "another sample", lambda: Samples(normal(), gone={"left": 500}), Samples(normal(seed=2), gone={"left": 900})),
    ("dependence", "another sample", lambda: turned(0.3), Samples(turned(0.0, seed=6))),
    ("dependence", "correlated noise", lambda: Samples(turned(0.3), 1.0), PLANE),
]  # fmt: skip


@pytest.mark.parametrize(
    ("cause", "sample", "law"), [(row[0], *row[2:]) for row in FAULTS], ids=[f"{row[0]}: {row[1]}" for row in FAULTS]
)
def test_the_message_names_the_planted_fault(cause: str, sample: Callable[[], Any], law: Any) -> None:
    with pytest.raises(AssertionError, match="sample and law disagree: smallest adjusted p = ") as told:
        assert_agrees(sample(), law)
    assert f"likely cause: {cause}: " in str(told.value), str(told.value)


def test_the_message_gives_numbers() -> None:
    with pytest.raises(
        AssertionError, match=r"the sample lies 0\.\d+ ± 0\.00\d above the law .*\n  places at t = 1: chi² = "
    ):
        assert_agrees(Samples(normal() + 0.1, 1.0), HEAT)
    with pytest.raises(
        AssertionError, match=r"the sample is 1\.4\d* times as wide as the law, its variance (1\.9|2\.0)"
    ):
        assert_agrees(Samples(math.sqrt(2.0) * normal(), 1.0), HEAT)
    with pytest.raises(AssertionError, match=r"0 of the walkers left by the low wall, where 0\.317\d* are expected"):
        assert_agrees(walkers(absorbs=False), HALF)


@pytest.mark.parametrize("unit", [1e-6, 1e3])
def test_units_change_nothing(unit: float) -> None:
    law = rw.pde.closed_form(rw.pde.FokkerPlanck(0.0, 0.5 * unit**2 / 1e-9))
    found = compare(Samples(unit * normal(), 1e-9), law)
    told = compare(Samples(normal(), 1.0), HEAT)
    assert [c.statistic for c in found.checks] == pytest.approx([c.statistic for c in told.checks], rel=1e-6)
    with pytest.raises(AssertionError, match="likely cause: width"):
        assert_agrees(Samples(unit * 0.8 * normal(), 1e-9), law)


# ---------------------------------------------------------------- two samples


def test_two_samples_against_scipy() -> None:
    """Integers that are alike in both: the classes of chi-square are the values, and the distances are SciPy's."""
    rng = np.random.default_rng(6)
    a, b = rng.choice(6, size=3000), rng.choice(6, size=1500, p=[0.2, 0.15, 0.15, 0.15, 0.15, 0.2])
    square, distance = compare(Samples(a), Samples(b)).checks
    table = np.array([np.bincount(x, minlength=6) for x in (a, b)])
    expected = stats.chi2_contingency(table, correction=False)
    assert square.statistic == pytest.approx(expected.statistic) and square.freedom == expected.dof == 5
    assert square.p_value == pytest.approx(expected.pvalue)
    ks = stats.ks_2samp(a, b, method="asymp")
    assert distance.statistic == pytest.approx(ks.statistic * math.sqrt(1000.0))


@pytest.mark.parametrize(("n", "m"), [(40, 60), (3000, 1000)])
def test_p_values_of_two_samples_are_uniform(n: int, m: int) -> None:
    """Those of chi-square; and those of distances where they are drawn, else they are rarely too small. False-alarm rate 1e-4."""
    found = []
    for seed in range(80):
        rng = np.random.default_rng(seed)
        found.append([c.p_value for c in compare(Samples(rng.normal(size=n)), Samples(rng.normal(size=m))).checks])
    square, distance = np.array(found).T
    assert stats.kstest(square, "uniform").pvalue > 1e-4
    assert stats.kstest(distance, "uniform", alternative="two-sided" if n < 200 else "greater").pvalue > 1e-4


def test_ensembles_against_each_other() -> None:
    """Two runs of one walk agree; of another walk they do not. To take one of them for the truth would see bias in noise."""
    first, second = (rw.simulate(COIN.walk, 10_000, [16, 64], seed=s, method="paths") for s in (1, 2))
    assert assert_agrees(first, second, alpha=1e-3).passed
    other = rw.simulate(rw.LatticeWalk(right=0.51, left=0.49, dx=1.0, dt=1.0), 10_000, [16, 64], seed=1)
    with pytest.raises(AssertionError, match="likely cause: shift"):
        assert_agrees(first, other)
    p = [
        compare(rw.simulate(LAZY.walk, 400, [64], seed=s), rw.simulate(LAZY.walk, 400, [64], seed=999 + s))
        .checks[0]
        .p_value
        for s in range(30)
    ]
    assert stats.kstest(p, "uniform").pvalue > 1e-4


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: Samples([]), r"x has the shape \(0,\): must be \(n,\), or \(n, d\)"),
        (lambda: Samples(3.0), r"x has the shape \(\)"),
        (lambda: Samples(["a"]), "x = .* must be a number or numbers"),
        (lambda: Samples([[0.0, math.inf]]), "x = inf in row 0: must be a finite number; count walkers that"),
        (lambda: Samples([0.0], time=-1.0), r"time = -1\.0: must be finite and not negative"),
        (lambda: Samples([0.0], gone={"left": 0.5}), r"gone\['left'\] = 0\.5: must be a whole number"),
        (lambda: compare(Samples([0.0]), HEAT), r"no time, and expected answers at any time: give Samples\(x, time="),
        (lambda: compare(Samples([0.0], 3.0), COIN), "t = 3"),
        (lambda: compare(Samples([0.0], 1.0), PLANE), r"and expected is a law in 2: give x of the shape \(n, 2\)"),
        (lambda: compare(Samples([0.5], 1.0, {"rigth": 1}), HALF), "expected has no such exit; there are 'left'"),
        (lambda: compare(Samples([0.0]), COIN.walk), "is not a law: give rw.pde.exact_law"),
        (lambda: compare(Samples([0.0]), Samples([[0.0, 1.0]])), "places in 1 dimensions, and expected in 2"),
        (lambda: compare(Samples([0.0], 1.0), Samples([0.0], 2.0)), "observed was recorded at t = 1, and expected at 2"),
        (lambda: assert_agrees([0.0], COIN, alpha=0.0), "alpha = 0"),
    ],
)  # fmt: skip
def test_what_cannot_be_compared_is_told(make: Callable[[], Any], told: str) -> None:
    with pytest.raises((ValueError, TypeError), match=told):
        make()


def test_samples_tell_what_they_are() -> None:
    assert (
        repr(Samples(np.zeros((3, 2)), 1.0, {"left": 4}))
        == "Samples(3 places in 2 dimensions at t = 1, 4 left by left)"
    )
    assert Samples(np.zeros((3, 1))).dimension == 1 and Samples([1, 2], gone={"left": 3}).walkers == 5
