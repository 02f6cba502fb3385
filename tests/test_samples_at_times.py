"""Plain samples at several times: each is judged, Holm's correction is over all, and the message says which disagree."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import stats

import randwalk as rw
from randwalk.validate import Samples, assert_agrees, compare

TIMES = (1.0, 2.0, 4.0)
HEAT = rw.pde.closed_form(rw.pde.FokkerPlanck(0.0, 0.5))
HALF = rw.pde.closed_form(rw.pde.FokkerPlanck(0.0, 0.5, domain=rw.Interval(0.0, math.inf, rw.Absorbing()), start=1.0))
PLANE = rw.pde.closed_form(rw.pde.FokkerPlanck((0.0, 0.0), 0.5, domain=rw.Line() ** 2, start=(0.0, 0.0)))
COIN = rw.pde.exact_law(rw.LatticeWalk(right=0.5, left=0.5, dx=1.0, dt=1.0), [4, 6, 16])


def brownian(n: int = 4000, seed: int = 1, *space: int) -> np.ndarray:
    """The same walkers at all times, shape (3, n, *space)."""
    lags = np.sqrt(np.diff(TIMES, prepend=0.0)).reshape(-1, *(1,) * (1 + len(space)))
    return np.asarray(np.cumsum(lags * np.random.default_rng(seed).normal(size=(3, n, *space)), axis=0))


def coins(n: int = 5000, seed: int = 2, numbers: tuple[int, ...] = (4, 6, 16)) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [2 * rng.binomial(steps, 0.5, size=n) - steps for steps in numbers]


def after(shift: float, row: int = 1) -> np.ndarray:
    found = brownian()
    found[row] += shift
    return found


def half_line(late: int = 0) -> Samples:
    """Survivors above a wall by the reflection principle: a place is kept with the share of walkers that have not met it."""
    rng, places, gone = np.random.default_rng(3), [], []
    for t in TIMES:
        x = 1.0 + math.sqrt(t) * rng.normal(size=8000)
        kept = (x > 0.0) & (rng.random(x.size) > np.exp(-2.0 * np.maximum(x, 0.0) / t))
        places.append(x[kept])
        gone.append(int((~kept).sum()))
    return Samples(places, TIMES, {"left": [gone[0], gone[1], gone[2] + late]})


def test_every_time_against_scipy() -> None:
    """Classes are the sites, as each expects more than 25; the distances are those of the binomial distribution function."""
    samples = coins()
    checks = compare(Samples(samples[:2], [4, 6]), COIN).checks
    assert [(c.name, c.test) for c in checks] == [(f"places at t = {t}", k) for t in (4, 6) for k in ("chi²", "KS")]
    for row, n in enumerate((4, 6)):
        heads, known = (samples[row] + n) // 2, stats.binom(n, 0.5)
        counts = np.bincount(heads, minlength=n + 1)
        square = stats.chisquare(counts, known.pmf(np.arange(n + 1)) * heads.size)
        assert checks[2 * row].statistic == pytest.approx(square.statistic)
        assert checks[2 * row].p_value == pytest.approx(square.pvalue)
        distance = np.abs(np.cumsum(counts) / heads.size - known.cdf(np.arange(n + 1))).max()
        assert checks[2 * row + 1].statistic == pytest.approx(math.sqrt(heads.size) * distance)
        assert checks[2 * row + 1].p_value == pytest.approx(stats.kstwo.sf(distance, heads.size), rel=0.02)


def test_distances_of_continuous_places_are_scipys_to_the_width_of_a_bin() -> None:
    places = brownian()
    checks = [c for c in compare(Samples(places, TIMES), HEAT).checks if c.test == "KS"]
    for x, t, check in zip(places, TIMES, checks, strict=True):
        known = stats.kstest(x, stats.norm(scale=math.sqrt(t)).cdf)
        assert known.statistic - 1 / 100 < check.statistic / math.sqrt(x.size) <= known.statistic * (1 + 1e-9)


def test_the_family_is_of_all_times() -> None:
    """Holm (Scand. J. Statist. 6, 65, 1979): the k-th smallest p times the number that is left, never less than before."""
    found = compare(Samples(after(0.05), TIMES), HEAT)
    assert len(found.checks) == 6
    p = np.array([c.p_value for c in found.checks])
    order, last = np.argsort(p), 0.0
    for k, i in enumerate(order):
        last = max(last, min(1.0, (6 - k) * p[i]))
        assert found.adjusted[i] == pytest.approx(last)


def test_shapes() -> None:
    """An array (T, n, d), a list of arrays, and every time by itself have the same checks."""
    places = brownian(600, 4, 2)
    told = [compare(one, PLANE).checks for one in (Samples(places, TIMES), Samples(list(places), list(TIMES)))]
    alone = [c for x, t in zip(places, TIMES, strict=True) for c in compare(Samples(x, t), PLANE).checks]
    assert list(told[0]) == list(told[1]) == alone
    assert repr(Samples(places, TIMES)) == "Samples(3 times from t = 1 to 4, 600 places each in 2 dimensions)"
    several = Samples([[1.0], [2.0, 3.0]], [1, 2], {"left": [0, 4]})
    assert (several.size, several.alive, several.dimension) == (7, 3, 1)
    assert [(one.time, one.walkers) for one in several.each] == [(1.0, 1), (2.0, 6)]
    assert Samples([[1.0]], [2.0]).each[0].time == 2.0 and compare(Samples(places[:1], [1.0]), PLANE).passed


RIGHT: list[tuple[str, Callable[[], Any], Any]] = [
    ("heat", lambda: Samples(brownian(), TIMES), HEAT),
    ("coin", lambda: Samples(coins(), [4, 6, 16]), COIN),
    ("half-line", half_line, HALF),
    ("two samples", lambda: Samples(brownian(), TIMES), Samples(brownian(seed=5), TIMES)),
    ("an ensemble", lambda: Samples(coins(), [4, 6, 16]), rw.simulate(COIN.walk, 10_000, [4, 6, 16], seed=1)),
]


@pytest.mark.parametrize(("sample", "law"), [row[1:] for row in RIGHT], ids=[row[0] for row in RIGHT])
def test_right_simulations_agree(sample: Callable[[], Any], law: Any) -> None:
    """Each fails once in a thousand seeds."""
    assert assert_agrees(sample(), law, alpha=1e-3).passed


FAULTS: list[tuple[str, str, str, Callable[[], Any], Any]] = [
    ("2", "2", "shift", lambda: Samples(after(0.3), TIMES), HEAT),
    ("4", "4", "shift", lambda: Samples(after(0.8, row=2), TIMES), Samples(brownian(seed=5), TIMES)),
    ("2", "2", "width", lambda: Samples(brownian() * [[1.0], [1.3], [1.0]], TIMES), HEAT),
    ("6", "6", "parity", lambda: Samples(coins(numbers=(4, 7, 16)), [4, 6, 16]), COIN),
    ("4", "4", "wall", lambda: half_line(late=900), HALF),
    ("1, 2, 4", "2", "wall", lambda: Samples(np.abs(after(0.0)) * [[1.0], [-1.0], [1.0]], TIMES), HALF),
]


@pytest.mark.parametrize(("times", "seen", "cause", "sample", "law"), FAULTS, ids=[row[2] for row in FAULTS])
def test_the_message_names_the_time(times: str, seen: str, cause: str, sample: Callable[[], Any], law: Any) -> None:
    with pytest.raises(AssertionError) as told:
        assert_agrees(sample(), law)
    assert str(told.value).startswith(f"sample and law disagree at t = {times}: smallest adjusted p = "), str(
        told.value
    )
    assert f"\n  likely cause at t = {seen}: {cause}: " in str(told.value), str(told.value)


def test_a_true_null_fails_at_the_stated_rate() -> None:
    """300 seeds of walkers seen three times, 20 or 500 of them: at most 5 % fail, and the p-values are not too small by
    Kolmogorov and Smirnov's one-sided test. False-alarm rate 1e-6 of each of the four."""
    for n in (20, 500):
        p = np.array([compare(Samples(brownian(n, seed), TIMES), HEAT).p_value for seed in range(300)])
        assert (p < 0.05).sum() <= stats.binom.isf(1e-6, p.size, 0.05)
        assert stats.kstest(p, "uniform", alternative="greater").pvalue > 1e-6


def test_a_fit_takes_each_time_of_other_walkers() -> None:
    rng = np.random.default_rng(6)
    several = Samples([math.sqrt(t) * rng.normal(size=500) for t in TIMES], TIMES)

    def model(D: float) -> Any:
        return rw.pde.FokkerPlanck(0.0, D)

    with pytest.raises(rw.NoAnswer, match=r"places at 3 times: .* fit \[\*samples\.each\]"):
        rw.fit(several, model, free={"D": 1.0})
    found = rw.fit([*several.each], model, free={"D": 1.0})
    squares = sum(float((x**2).sum()) / t for x, t in zip(several.x, TIMES, strict=True))
    assert found.parameters["D"] == pytest.approx(squares / 3000.0, rel=1e-4)


@pytest.mark.parametrize(
    ("make", "kind", "told"),
    [
        (lambda: Samples([0.0], time="a"), TypeError, r"time = 'a': must be a number .*; give .* Samples\(x, time=1\.0\)"),
        (lambda: Samples([0.0], time=True), TypeError, "time = True: must be a number"),
        (lambda: Samples([[0.0]] * 2, time=["1", "b"]), TypeError, r"time = \['1', 'b'\]: must be a number or numbers"),
        (lambda: Samples([[0.0]] * 2, time=[2.0, 1.0]), ValueError, "time has 1 after 2: must increase; sort"),
        (lambda: Samples([[0.0]] * 2, time=[1.0, math.nan]), ValueError, "time = nan: must be finite"),
        (lambda: Samples([[0.0]] * 2, time=[]), ValueError, r"time has the shape \(0,\): give the time"),
        (lambda: Samples([[0.0]] * 3, time=[1.0, 2.0]), ValueError, "x has 3 entries, and time has 2: must be an array"),
        (lambda: Samples(np.zeros((9, 2)), time=[1, 2]), ValueError, r"x has the shape \(9, 2\), .* as in x\.T"),
        (lambda: Samples(0.0, time=[1, 2]), ValueError, r"x has the shape \(\), and time has 2"),
        (lambda: Samples([0.0, 1.0], time=[1, 2]), ValueError, r"x\[0\] has the shape \(\): must be \(n,\)"),
        (lambda: Samples([[0.0], [math.nan]], time=[1, 2]), ValueError, r"x\[1\] = nan in row 0: .* count walkers"),
        (lambda: Samples([[0.0], [[0.0, 1.0]]], time=[1, 2]), ValueError, "must have places in the same dimension"),
        (lambda: Samples([[0.0]] * 2, [1, 2], {"left": 3}), ValueError, r"gone\['left'\] = 3: must be 2 whole numbers"),
        (lambda: Samples([[0.0]] * 2, [1, 2], {"left": [3, 0.5]}), ValueError, r"gone\['left'\]\[1\] = 0\.5: must be a whole"),
        (lambda: compare(Samples(coins(9), [4, 6, 8]), COIN), ValueError, "t = 8"),
        (lambda: compare(Samples(coins(9), [4, 6, 16]), Samples(coins(9), [4, 6, 8])), ValueError, "recorded at t = 16"),
        (lambda: compare(Samples(coins(9), [4, 6, 16]), Samples([0.0])), ValueError, "a sample has no time, and the other has 3"),
    ],
)  # fmt: skip
def test_what_is_refused(make: Callable[[], Any], kind: type[Exception], told: str) -> None:
    with pytest.raises(kind, match=told):
        make()
