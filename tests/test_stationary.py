"""Stationary laws against exact fractions, detailed balance in whole numbers, and what has none."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray

import randwalk as rw
from randwalk.kernels.program import FULL
from randwalk.pde.hitting.balance import closed_classes, stationary

from . import naive

R, A = rw.Reflecting(), rw.Absorbing()
Floats = NDArray[np.float64]


def exact_ring(p: list[Fraction], q: list[Fraction]) -> list[Fraction]:
    """π by Markov chain trees: the weight of a site is the sum, over the bond left out, of the rates that lead to it."""
    n, weights = len(p), []
    for k in range(n):
        total = Fraction(0)
        for cut in range(n):  # sites k+1 … k+cut step left to k, the others step right to k
            tree = Fraction(1)
            for j in range(1, n):
                tree *= q[(k + j) % n] if j <= cut else p[(k + j) % n]
            total += tree
        weights.append(total)
    return [w / sum(weights) for w in weights]


@pytest.mark.parametrize("case", ["both ways", "right only", "left only", "a cut bond", "a one-way bond"])
@pytest.mark.parametrize("n", [3, 7, 16])
def test_every_digit_of_every_site(case: str, n: int) -> None:
    """Rates over nine powers of ten; each of 3n operations rounds by half an ulp, so 6n ulp of every site bound the error."""
    rng = np.random.default_rng(n)
    p, q = 10.0 ** rng.uniform(-9.0, -0.4, (2, n))
    if case == "right only":
        q[:] = 0.0
    elif case == "left only":
        p[:] = 0.0
    elif case == "a cut bond":
        p[-1] = q[0] = 0.0
    elif case == "a one-way bond":
        p[1] = 0.0
    want = np.array([float(v) for v in exact_ring([Fraction(v) for v in p], [Fraction(v) for v in q])])
    np.testing.assert_allclose(stationary(p, q), want, rtol=6 * n * 2.2e-16, atol=0)


def quantised(walk: rw.LatticeWalk, n: int) -> tuple[list[int], list[int]]:
    """Step probabilities as whole numbers of 2⁻³¹, written naively."""
    rates = [naive.thresholds(walk, k, 0) for k in range(n)]
    return [int(r[0]) for r in rates], [int(r[1]) for r in rates]


def steep(n: int, domain: rw.Ring | rw.Interval) -> rw.LatticeWalk:
    """p between 0.01 and 0.89, q = 0.9 - p."""
    return rw.LatticeWalk(
        lambda x: 0.45 + 0.44 * np.sin(2 * np.pi * x), lambda x: 0.45 - 0.44 * np.sin(2 * np.pi * x),
        sites=n, domain=domain, start=0.5,
    )  # fmt: skip


@pytest.mark.parametrize(
    "unit", [1e-6, pytest.param(1.0, marks=pytest.mark.long), pytest.param(1e9, marks=pytest.mark.long)]
)
def test_a_steep_ring_keeps_its_smallest_probability(unit: float) -> None:
    """Its largest and smallest differ by some 170 powers of ten: a solve that subtracts has 1e-17 there."""
    n = 240
    walk = rw.LatticeWalk(
        lambda x: 0.45 + 0.44 * np.sin(2 * np.pi * x / unit), lambda x: 0.45 - 0.44 * np.sin(2 * np.pi * x / unit),
        sites=n, domain=rw.Ring(0, unit), start=0.5 * unit,
    )  # fmt: skip
    # on one side of the ring the current is negligible, but not everywhere, so the trees are summed, with prefix products
    p, q = quantised(walk, n)
    weights: list[int] = []
    for k in range(n):
        lefts = [1]
        for j in range(1, n):
            lefts.append(lefts[-1] * q[(k + j) % n])
        rights, total = 1, 0
        for cut in range(n - 1, -1, -1):
            total += lefts[cut] * rights
            rights *= p[(k + cut) % n]
        weights.append(total)
    scale = sum(weights)
    want = np.array([w / scale for w in weights])  # whole numbers, divided once
    assert want.min() < 1e-60
    np.testing.assert_allclose(rw.pde.stationary_law(walk).pmf, want, rtol=6 * n * 2.2e-16, atol=0)


def test_walls_and_underflow() -> None:
    """Detailed balance in exact fractions where the law spans 3000 powers of ten."""
    n = 2000
    walk = steep(n, rw.Interval(0.0, 1.0, R, R))
    p, q = quantised(walk, n)
    logs = np.concatenate(
        [[0.0], np.cumsum([math.log(a / b) for a, b in zip(p[:-1], q[1:], strict=True)])]
    )  # good to 1e-12
    logs -= logs.max() + math.log(math.fsum(np.exp(logs - logs.max())))
    pmf = rw.pde.stationary_law(walk).pmf
    assert logs.min() < -1500.0 and pmf.min() == 0.0
    seen = logs > -700.0
    np.testing.assert_allclose(np.log(pmf[seen]), logs[seen], rtol=0, atol=1e-10)
    assert pmf[~seen].max() < 1e-303


@pytest.mark.parametrize("n", [30_000, pytest.param(100_000, marks=pytest.mark.long)])
def test_many_sites_take_little(n: int) -> None:
    """π = πP holds at each site to some ulp; no matrix is made (7 GB for a dense one of 30 000)."""
    import tracemalloc

    walk = steep(n, rw.Ring(0, 1))
    tracemalloc.start()
    law = rw.pde.stationary_law(walk)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2000 * n
    p, q = (np.array([float(v) for v in side]) for side in quantised_fast(walk, n))
    pi = law.pmf
    kept, sent = np.roll(pi * p, 1) + np.roll(pi * q, -1), pi * (p + q)
    np.testing.assert_allclose(kept, sent, rtol=1e-12, atol=1e-300)


def quantised_fast(walk: rw.LatticeWalk, n: int) -> tuple[Floats, Floats]:
    x = walk.lattice.x(np.arange(n))
    return np.rint(walk.right(x) * FULL) / FULL, np.rint(walk.left(x) * FULL) / FULL


def test_sites_that_are_left_for_ever_hold_nothing() -> None:
    """Where p = 0 on the right half and q = 0 on the left half, walkers end on the two sites in the middle."""
    walk = rw.LatticeWalk(
        lambda x: 0.5 * (x < 5.0), lambda x: 0.25 * (x > 5.0), sites=10, domain=rw.Interval(0, 10, R, R), start=2.5
    )
    assert rw.pde.stationary_law(walk).pmf.tolist() == [0, 0, 0, 0, 1 / 3, 2 / 3, 0, 0, 0, 0]
    ring = rw.LatticeWalk(
        lambda x: 0.5 * (x < 5.0), lambda x: 0.25 * (x >= 5.0), sites=10, domain=rw.Ring(0, 10), start=2.5
    )
    law = rw.pde.stationary_law(ring)
    assert law.pmf[[4, 5]] == pytest.approx([1 / 3, 2 / 3]) and law.pmf.sum() == pytest.approx(1.0)
    one_way = rw.LatticeWalk(lambda x: 0.1 + 0.08 * x, 0.0, sites=10, domain=rw.Ring(0, 10))
    p, _ = quantised(one_way, 10)
    want = np.array([1 / v / sum(1 / w for w in p) for v in p])  # one current: π p is the same everywhere
    np.testing.assert_allclose(rw.pde.stationary_law(one_way).pmf, want, rtol=1e-14)


def test_closed_classes() -> None:
    p, q = np.array([0.5, 0.0, 0.5, 0.0]), np.array([0.0, 0.5, 0.0, 0.5])
    assert [c.tolist() for c in closed_classes(p, q)] == [[0, 1], [2, 3]]
    assert [c.tolist() for c in closed_classes(np.ones(3), np.zeros(3))] == [[0, 1, 2]]
    assert [c.tolist() for c in closed_classes(np.zeros(2), np.zeros(2))] == [[0], [1]]


def test_a_rarer_step_than_the_quantum_far_out_is_no_obstacle() -> None:
    """p/q = exp(-x dx/D) falls below 2⁻³² far out, where nobody is; the variance is that of the middle."""
    spring = rw.LatticeWalk.from_drift(rw.Affine(slope=-1.0), 0.5, dx=0.5, rule=rw.Rule.CAPPED)
    narrow = rw.pde.stationary_law(spring, window=(-8.0, 8.0))
    wide = rw.pde.stationary_law(spring, window=(-80.0, 80.0))
    assert wide.variance() == pytest.approx(narrow.variance(), rel=1e-12)


@pytest.mark.parametrize(
    ("window", "error", "message"),
    [
        (None, ValueError, "give window="),
        (3.0, TypeError, "window = 3.0: give two numbers"),
        ((1.0,), TypeError, "give two numbers"),
        (("a", "b"), TypeError, "give two numbers"),
        ((5.0, -5.0), ValueError, "low must be less than high"),
        ((-math.inf, 5.0), ValueError, "both finite"),
        ((math.nan, 5.0), ValueError, "both finite"),
        ((-1e300, 1e300), ValueError, "narrow it"),
    ],
)
def test_a_window_that_is_none(window: object, error: type[Exception], message: str) -> None:
    spring = rw.LatticeWalk.from_drift(rw.Affine(slope=-1.0), 0.5, dx=0.2)
    with pytest.raises(error, match=message):
        rw.pde.stationary_law(spring, window=window)  # type: ignore[call-overload]


def test_what_is_no_walk() -> None:
    with pytest.raises(TypeError, match="give a LatticeWalk"):
        rw.pde.stationary_law("a walk")  # type: ignore[call-overload]
    half = rw.LatticeWalk(0.2, 0.3, dx=1.0, domain=rw.Interval(0, math.inf, R), start=0.5)
    with pytest.raises(ValueError, match="lies outside"):
        rw.pde.stationary_law(half, window=(-20.0, -10.0))
