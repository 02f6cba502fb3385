"""Hitting probabilities and times of a walk against exact rational elimination, published values and its exact law."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest

import randwalk as rw
from randwalk.model.domain import Domain
from randwalk.pde import commute_time, escape_probability, hitting_probability, hitting_time, return_time

CLIFF = rw.Interval(0.0, math.inf, rw.Absorbing())
ROUNDING = 1e-13  # relative: sums of some hundred terms


def path(n: int) -> rw.Interval:
    """Sites 0 … n, closed at both ends."""
    return rw.Interval(-0.5, n + 0.5, rw.Reflecting(), rw.Reflecting())


def cliffs(n: int) -> rw.Interval:
    """Sites 1 … n - 1 between cliffs at 0 and n."""
    return rw.Interval(0.0, float(n), rw.Absorbing(), rw.Absorbing())


Row = dict[int, Fraction]


def solved(rows: list[Row], given: list[Fraction]) -> list[Fraction]:
    """u = Pu + f by Gauss's elimination of I - P, in fractions."""
    n = len(rows)
    matrix = [[Fraction(int(i == j)) - rows[i].get(j, Fraction(0)) for j in range(n)] + [given[i]] for i in range(n)]
    for k in range(n):
        pivot = next(i for i in range(k, n) if matrix[i][k])
        matrix[k], matrix[pivot] = matrix[pivot], matrix[k]
        for i in range(n):
            if i != k and matrix[i][k]:
                share = matrix[i][k] / matrix[k][k]
                matrix[i] = [a - share * b for a, b in zip(matrix[i], matrix[k], strict=True)]
    return [matrix[k][n] / matrix[k][k] for k in range(n)]


def naive(rows: list[Row], arrival: list[Fraction]) -> tuple[list[float], list[float], list[float]]:
    """Probability, mean and variance given arrival, of the chain that arrives with probability `arrival` a step."""
    h = solved(rows, arrival)
    first = solved(rows, h)  # E[T; arrives]
    second = solved(rows, [2 * b - a for a, b in zip(h, first, strict=True)])  # E[T²; arrives]
    mean = [b / a for a, b in zip(h, first, strict=True)]
    variance = [c / a - m * m for a, c, m in zip(h, second, mean, strict=True)]
    return [float(v) for v in h], [float(v) for v in mean], [float(v) for v in variance]


def chain(right: np.ndarray, left: np.ndarray, killed: float, ring: bool) -> tuple[list[Row], list[list[Fraction]]]:
    """The rows of a chain, and the probabilities of leaving by (left, right, killing), from what is declared."""
    n, rows, out = right.size, [], [[Fraction(0)] * right.size for _ in range(3)]
    for k in range(n):
        live = 1 - Fraction(killed)
        p, q = Fraction(float(right[k])), Fraction(float(left[k]))
        row = {k: live * (1 - p - q)}
        for step, chance in ((1, p), (-1, q)):
            there = (k + step) % n if ring else k + step
            if 0 <= there < n:
                row[there] = row.get(there, Fraction(0)) + live * chance
            else:
                out[0 if step < 0 else 1][k] += live * chance
        out[2][k] = Fraction(killed)
        rows.append(row)
    return rows, out


def stopped(rows: list[Row], sites: set[int], arrival: list[Fraction], target: set[int]) -> list[Row]:
    """Rows in which walkers stop at `sites`; steps to a target become arrivals, in place."""
    kept: list[Row] = []
    for k, row in enumerate(rows):
        arrival[k] += sum((chance for there, chance in row.items() if there in target), Fraction(0))
        kept.append({there: chance for there, chance in row.items() if there not in sites} if k not in sites else {})
    return kept


def test_a_step_from_the_cliff() -> None:
    drunkard = rw.LatticeWalk(right=2 / 3, left=1 / 3, dx=1.0, domain=CLIFF, start=1.0)
    assert hitting_probability(drunkard, "left") == pytest.approx(0.5, rel=ROUNDING)
    assert hitting_probability(drunkard, "left", start=10.0) == pytest.approx(2.0**-10, rel=ROUNDING)
    fair = rw.LatticeWalk(right=0.5, left=0.5, dx=1.0, domain=CLIFF, start=1.0)
    assert hitting_time(fair, "left") == (1.0, math.inf, math.inf)


@pytest.mark.parametrize(("n", "k"), [(10, 3), (1000, 999)])
def test_between_two_cliffs(n: int, k: int) -> None:
    """Feller I, XIV.2 and XIV.3: ruin, mean duration k(n - k), and its variance."""
    walk = rw.LatticeWalk(right=0.5, left=0.5, dx=1.0, domain=cliffs(n), start=float(k))
    assert hitting_probability(walk, "right") == pytest.approx(k / n, rel=ROUNDING)
    probability, mean, variance = hitting_time(walk)
    assert (probability, mean) == (pytest.approx(1.0, rel=ROUNDING), pytest.approx(k * (n - k), rel=ROUNDING))
    assert variance == pytest.approx(k * (n - k) * (k**2 + (n - k) ** 2 - 2) / 3, rel=1e-11)
    assert hitting_time(walk, "right").mean == pytest.approx((n * n - k * k) / 3, rel=ROUNDING)  # given that it wins
    p, q = 0.45, 0.55
    unfair = rw.LatticeWalk(right=p, left=q, dx=1.0, domain=cliffs(n), start=float(k))
    with np.errstate(over="ignore"):
        wins = np.expm1(k * np.log(q / p)) / np.expm1(n * np.log(q / p))
    assert hitting_probability(unfair, "right") == pytest.approx(wins, rel=1e-12)


def test_mean_hitting_time_of_a_path() -> None:
    """n² steps across a path of n; Lovász, *Random walks on graphs: a survey* (1993), 2."""
    right, left = np.full(31, 0.5), np.full(31, 0.5)
    right[0], left[0] = 1.0, 0.0
    walk = rw.LatticeWalk(right=right, left=left, dx=1.0, domain=path(30))
    time = hitting_time(walk, 30.0)
    assert time == (1.0, pytest.approx(900.0, rel=ROUNDING), pytest.approx(2 * 900 * 899 / 3, rel=ROUNDING))
    assert hitting_time(walk, 30.0, start=np.arange(31.0)).mean == pytest.approx(
        900 - np.arange(31.0) ** 2, rel=ROUNDING
    )


@pytest.mark.parametrize("k", [1, 2, 7, 300])
def test_a_bouncing_walk_escapes_with_probability_1_over_2k(k: int) -> None:
    half_line = rw.Interval(-0.5, math.inf, rw.Reflecting())
    for domain, target in ((half_line, float(k)), (path(400), float(k))):
        walk = rw.LatticeWalk(right=0.5, left=0.5, dx=1.0, domain=domain)
        assert escape_probability(walk, 0.0, target) == pytest.approx(1 / (2 * k), rel=ROUNDING)
    line = rw.LatticeWalk(right=0.5, left=0.5, dx=1.0)
    assert escape_probability(line, 0.0, [-float(k), float(k)]) == pytest.approx(1 / k, rel=ROUNDING)


@pytest.mark.parametrize("fitness", [0.9, 1.0, 1.1, 3.0])
def test_fixation_of_moran(fitness: float) -> None:
    """Moran (1958): i mutants of relative fitness r among n are fixed with probability (1 - r⁻ⁱ)/(1 - r⁻ⁿ)."""
    n, r = 60, fitness
    i = np.arange(1, n)
    right, left = r * i / (r * i + n - i) * (n - i) / n, (n - i) / (r * i + n - i) * i / n
    walk = rw.LatticeWalk(right=right, left=left, dx=1.0, domain=cliffs(n), start=1.0)
    fixed = i / n if r == 1.0 else np.expm1(-i * math.log(r)) / np.expm1(-n * math.log(r))
    assert hitting_probability(walk, "right", start=i.astype(float)) == pytest.approx(fixed, rel=1e-12)
    if r == 1.0:  # n(n - 1) steps given fixation, from one mutant
        assert hitting_time(walk, "right").mean == pytest.approx(n * (n - 1), rel=1e-12)


@pytest.mark.parametrize("p", [0.3, 0.1, 0.45])
@pytest.mark.parametrize("stay", [0.0, 0.2])
def test_half_lines(p: float, stay: float) -> None:
    """Feller I, XIV.4: with a drift onto the cliff at once, with one away given that it is hit."""
    p, q = p * (1.0 - stay), (1.0 - p) * (1.0 - stay)
    for right, left, probability in ((p, q, 1.0), (q, p, (p / q) ** 7)):
        walk = rw.LatticeWalk(right=right, left=left, dx=1.0, dt=0.1, domain=CLIFF, start=7.0)
        expected = 7 * 0.1 / (q - p), 7 * 0.01 * (p + q - (q - p) ** 2) / (q - p) ** 3
        assert hitting_time(walk, "left") == (pytest.approx(probability, rel=ROUNDING), *map(pytest.approx, expected))
        line = rw.LatticeWalk(right=right, left=left, dx=1.0, dt=0.1)
        assert hitting_time(line, 0.0, start=7.0).probability == pytest.approx(probability, rel=ROUNDING)
        # back at once after a step: 1 - |p - q| (Spitzer, *Principles of Random Walk*, 1)
        assert return_time(line, 0.0).probability == pytest.approx(1.0 - (q - p), rel=ROUNDING)


def test_killing_on_a_half_line_is_that_of_a_far_wall() -> None:
    far = rw.Interval(0.0, 2000.5, rw.Absorbing(), rw.Reflecting())
    for exit in ("left", "killing", None):
        times = [
            hitting_time(rw.LatticeWalk(right=0.4, left=0.3, dx=1.0, killing=0.02, domain=domain, start=5.0), exit)
            for domain in (CLIFF, far)
        ]
        assert times[0] == pytest.approx(times[1], rel=1e-9)
    at_once = hitting_time(rw.LatticeWalk(right=0.4, left=0.3, dx=1.0, killing=0.02), "killing")
    gone = -math.expm1(-0.02)
    assert at_once == pytest.approx((1.0, 1 / gone, (1 - gone) / gone**2), rel=1e-9)


@pytest.mark.parametrize("ring", [False, True])
@pytest.mark.parametrize("killed", [0.0, 0.125])
@pytest.mark.parametrize("n", [1, 2, 3, 9])
def test_random_chains_against_fractions(n: int, killed: float, ring: bool) -> None:
    random = np.random.default_rng(100 * n + ring)
    right, left = (random.integers(1, 512, n) / 1024.0 for _ in range(2))
    domain = rw.Ring(0.0, float(n)) if ring else cliffs(n + 1)
    rate = -math.log1p(-killed)
    walk = rw.LatticeWalk(
        right=right, left=left, dx=1.0, domain=domain, killing=rate, start=1.0 if n > 1 or not ring else 0.0
    )
    rows, out = chain(right, left, killed, ring)
    starts = np.arange(float(n)) + (0.0 if ring else 1.0)
    exits = [(name, arrival) for name, arrival in zip(("left", "right", "killing"), out, strict=True) if any(arrival)]
    for name, arrival in exits:
        check(hitting_time(walk, name, start=starts), naive(rows, arrival))
        assert hitting_probability(walk, name, start=starts) == pytest.approx(naive(rows, arrival)[0], rel=ROUNDING)
    for target, before in (({0}, set()), ({n - 1}, {0}), ({0, n // 2}, {n - 1})):
        if len(target | before) >= n or target & before:
            continue
        arrival = [Fraction(0)] * n
        kept = stopped(rows, target | before, arrival, target)
        moving = [k for k in range(n) if k not in target | before]
        expected = naive(
            [{moving.index(j): c for j, c in kept[k].items()} for k in moving], [arrival[k] for k in moving]
        )
        places = {"before": starts[sorted(before)]} if before else {}
        check(hitting_time(walk, starts[sorted(target)], start=starts[moving], **places), expected)
        (here,) = sorted(target)[:1]
        if len(target) == 1 and not before:
            row = rows[here]
            returns = float(row.get(here, Fraction(0))) + sum(
                float(c) * expected[0][moving.index(j)] for j, c in row.items() if j != here
            )
            assert return_time(walk, starts[here]).probability == pytest.approx(returns, rel=ROUNDING)


def check(time: rw.pde.HittingTime, expected: tuple[list[float], list[float], list[float]]) -> None:
    for got, value, relative in zip(time, expected, (ROUNDING, ROUNDING, 1e-12), strict=True):
        assert np.asarray(got) == pytest.approx(np.asarray(value), rel=relative)


@pytest.mark.parametrize("step", [2.0**-40, 2.0**-20])
def test_probabilities_of_any_size_keep_their_digits(step: float) -> None:
    """A hill of ratios 2⁴⁰ a site between two cliffs, and a valley: products reach from 1e-300 to 1e+300 and beyond."""
    n = 41
    k = np.arange(n)
    for right in (np.where(k < n // 2, step, 1.0 - step), np.where(k < n // 2, 1.0 - step, step), np.full(n, step)):
        left = 1.0 - right
        walk = rw.LatticeWalk(right=right, left=left, dx=1.0, domain=cliffs(n + 1), start=1.0)
        rows, out = chain(right, left, 0.0, False)
        for name, arrival in (("left", out[0]), ("right", out[1])):
            exact = np.array([float(h) for h in solved(rows, arrival)])
            seen = exact > 1e-300
            assert seen.any()
            got = hitting_probability(walk, name, start=k + 1.0)
            assert got[seen] == pytest.approx(exact[seen], rel=ROUNDING)
            assert (got[~seen] <= 1.1e-300).all()


def test_a_time_of_exponential_length_keeps_its_digits() -> None:
    """Out of a valley with ratios 2²⁰: the mean time is a product, the deviation is the mean."""
    n, step = 25, 2.0**-20
    k = np.arange(n)
    right = np.where(k < n // 2, 1.0 - step, step)
    walk = rw.LatticeWalk(right=right, left=1.0 - right, dx=1.0, domain=cliffs(n + 1), start=13.0)
    rows, _ = chain(right, 1.0 - right, 0.0, False)
    exact = [float(m) for m in solved(rows, [Fraction(1)] * n)]
    time = hitting_time(walk, start=k + 1.0)
    assert time.mean == pytest.approx(np.array(exact), rel=ROUNDING) and time.mean.max() > 1e70
    assert time.variance[n // 2] == pytest.approx(time.mean[n // 2] ** 2, rel=1e-5)


def test_a_variance_beyond_the_rounding_of_the_mean() -> None:
    """Out of a valley whose ratios are no powers of 2: means of its sites are equal but for rounding, so that their differences
    have no digits. From the first site most walkers leave at once; walkers rest too."""
    n = 50
    k = np.arange(n)
    right, left = np.where(k < n // 2, 0.61, 0.07), np.where(k < n // 2, 0.11, 0.83)
    right[0], left[0] = 0.05, 0.9
    walk = rw.LatticeWalk(right=right, left=left, dx=1.0, domain=cliffs(n + 1), start=13.0)
    rows, (low, high, _) = chain(right, left, 0.0, False)
    time = hitting_time(walk, start=k + 1.0)
    assert time.mean.max() > 1e17
    check(time, naive(rows, [a + b for a, b in zip(low, high, strict=True)]))
    check(hitting_time(walk, "left", start=k + 1.0), naive(rows, low))


WALLS: dict[str, rw.Absorbing | rw.Reflecting | rw.PartiallyAbsorbing] = {
    "reflecting": rw.Reflecting(),
    "absorbing": rw.Absorbing(),
    "partial": rw.PartiallyAbsorbing(700.0),
}


@pytest.mark.parametrize("right_wall", sorted(WALLS))
@pytest.mark.parametrize("left_wall", ["absorbing", "partial"])
def test_the_sums_of_the_exact_law(left_wall: str, right_wall: str) -> None:
    """Places in µm (1e-6), times in ns (1e-9), so that reactivities and drifts are some 1e3; variable coefficients, killing."""
    unit, tick = 1e-6, 1e-9
    length = unit * {0: 8.0, 1: 8.5, 2: 9.0}[sum(WALLS[wall].on_site for wall in (left_wall, right_wall))]
    domain = rw.Interval(0.0, length, WALLS[left_wall], WALLS[right_wall])
    walk = rw.LatticeWalk.from_drift(
        lambda x: 0.3 * unit / tick * np.sin(x / unit), lambda x: (0.3 + 0.02 * x / unit) * unit**2 / tick, dx=unit,
        domain=domain, start=rw.Uniform(0.3 * length, 0.7 * length), killing=0.01 / tick,
    )  # fmt: skip
    steps = 4000
    gone = np.diff(rw.pde.exact_law(walk, [steps * walk.dt]).gone, axis=0)
    n = np.arange(1, steps + 1)
    for exit in walk.domain.open_exits(True):
        passed = gone[:, walk.domain.exit(exit)]
        total = passed.sum()
        mean = passed @ n / total
        variance = passed @ (n - mean) ** 2 / total
        expected = total, mean * walk.dt, variance * walk.dt**2
        assert hitting_time(walk, exit) == pytest.approx(expected, rel=1e-9, abs=0.0)
    assert hitting_time(walk).probability == pytest.approx(1.0, rel=ROUNDING)


def scale(walk: rw.LatticeWalk, k: int, sites: int) -> float:
    """The probability of ever coming from x = k dx to 0, by the sum over products of left/right (Norris, example 1.3.4)."""
    x = walk.dx * np.arange(1, sites)
    products = np.concatenate([[1.0], np.cumprod(walk.left(x) / walk.right(x))])
    return float(products[k:].sum() / products.sum())


def test_a_variable_drift_on_the_line() -> None:
    away = rw.LatticeWalk.from_drift(rw.expression("tanh(x)"), diffusion=0.5, dx=0.1, start=1.0)
    assert hitting_probability(away, 0.0) == pytest.approx(scale(away, 10, 2000), rel=1e-11)
    spring = rw.LatticeWalk.from_drift(rw.Affine(slope=-1.0), diffusion=0.5, dx=0.1, start=1.0, rule=rw.Rule.LINEAR)
    box = rw.Interval(-8.05, 8.05, rw.Reflecting(), rw.Reflecting())
    closed = rw.LatticeWalk.from_drift(rw.Affine(slope=-1.0), 0.5, dx=0.1, start=1.0, rule=rw.Rule.LINEAR, domain=box)
    for target in (0.0, 2.5):
        assert hitting_time(spring, target) == pytest.approx(hitting_time(closed, target), rel=1e-9)
    law = rw.pde.stationary_law(spring, window=(-8.0, 8.0))
    at = np.argmin(np.abs(law.sites - 0.5))
    assert return_time(spring, 0.5).mean == pytest.approx(spring.dt / law.pmf[at], rel=1e-9)  # Kac


def test_commute_times_are_resistances() -> None:
    """Chandra et al. (1989): the sum of all conductances, both ways, times the resistance; and around a ring in parallel."""
    walk = rw.LatticeWalk(right=0.5, left=0.5, dx=1.0, domain=path(50))
    assert commute_time(walk, 4.0, 20.0).mean == pytest.approx(2 * 51 * 16, rel=ROUNDING)
    ring = rw.LatticeWalk(right=0.25, left=0.25, dx=1.0, dt=0.5, domain=rw.Ring(0.0, 12.0))
    time = commute_time(ring, 1.0, 6.0)
    assert time.mean == pytest.approx(0.5 * 2 * 24 * 5 * 7 / 12, rel=ROUNDING)  # half of all steps stay
    assert time.variance == pytest.approx(2 * hitting_time(ring, 6.0, start=1.0).variance, rel=1e-12)
    conductance = escape_probability(walk, 4.0, 20.0) * 2.0
    assert 1 / conductance == pytest.approx(16.0, rel=ROUNDING)


def test_starts() -> None:
    walk = rw.LatticeWalk(right=0.5, left=0.5, dx=1.0, domain=cliffs(10), start=4.5)
    places = hitting_time(walk, "right", start=[[4.0], [5.0]])
    assert places.mean.shape == (2, 1)
    p = places.probability[:, 0]
    assert hitting_probability(walk, "right") == pytest.approx(p.mean())
    share, mean, variance = p / p.sum(), places.mean[:, 0], places.variance[:, 0]
    whole = share @ mean
    assert hitting_time(walk, "right")[1:] == pytest.approx((whole, share @ (variance + (mean - whole) ** 2)))
    beside = walk.with_start(9.5)  # half of the walkers start on the cliff
    one, here = hitting_time(walk, "right", start=9.0), 0.45 / 0.95
    expected = 0.95, here * one.mean, here * one.variance + here * (1.0 - here) * one.mean**2
    assert hitting_time(beside, "right") == pytest.approx(expected)
    assert hitting_probability(walk, "right", start=rw.Sites([2.0, 4.0], [0.5, 0.5])) == pytest.approx(0.3)
    assert hitting_time(walk, 4.0, start=4.0) == (1.0, 0.0, 0.0)
    assert hitting_time(walk, 4.0, before=2.0, start=[1.0, 2.0]).probability.tolist() == [0.0, 0.0]
    assert np.isnan(hitting_time(walk, 4.0, before=2.0, start=1.0).mean)


def test_a_walk_that_never_turns_has_no_variance() -> None:
    walk = rw.LatticeWalk(right=1.0, left=0.0, dx=1.0, domain=rw.Interval(-0.5, 99.0, rw.Reflecting(), rw.Absorbing()))
    assert hitting_time(walk, "right") == (1.0, 99.0, 0.0)
    assert hitting_probability(walk, 5.0, start=6.0) == 0.0


FAIR = rw.LatticeWalk(right=0.5, left=0.5, dx=1.0, domain=cliffs(10), start=4.0)


@pytest.mark.parametrize(
    ("ask", "told"),
    [
        (lambda: hitting_probability(FAIR, "top"), "target = 'top': must be one of"),
        (lambda: hitting_probability(FAIR, "killing"), "nobody leaves .* there; take another exit, or a place"),
        (lambda: hitting_time(rw.LatticeWalk(0.5, 0.5, dx=1.0)), "target = None: nobody leaves"),
        (lambda: hitting_probability(FAIR, 3.4), "target = 3.4 is no site .* the nearest is 3"),
        (lambda: hitting_probability(FAIR, 0.0), "target = 0 is no site .* the nearest is 1"),
        (lambda: hitting_probability(FAIR, "left", start=[1.0, 11.0]), "start = 11 is no site .* the nearest is 10"),
        (lambda: hitting_probability(FAIR, [2.0, 3.0], before=3.0), "a place in common"),
        (lambda: hitting_probability(FAIR, []), "give at least one place"),
        (lambda: return_time(FAIR, [1.0, 2.0]), r"place = \[1.0, 2.0\]: give one place"),
        (lambda: hitting_probability(rw.pde.limit(FAIR), "left"), "give a LatticeWalk"),  # type: ignore[arg-type]
        (
            lambda: hitting_time(rw.LatticeWalk(lambda x, t: 0.5 + 0.1 * np.sin(t), 0.3, dx=1.0, domain=CLIFF, start=1.0)),
            "depend on time: only exact_law",
        ),
        (
            lambda: hitting_time(rw.LatticeWalk(rw.expression("0.25 + 0.01/(1 + x**2)"), 0.25, dx=1.0), 0.0, start=3.0),
            "is unbounded and between x = 0 .* put a far wall",
        ),
    ],
)  # fmt: skip
def test_bad_questions(ask: Callable[[], object], told: str) -> None:
    with pytest.raises((ValueError, TypeError), match=told):
        ask()


# ------------------------------------------------------------------------------ two and three dimensions


def square(n: int) -> rw.Box:
    """Sites 1 … n - 1 on both axes, cliffs around."""
    return cliffs(n) * cliffs(n)


def simple(domain: Domain, **given: object) -> rw.LatticeWalk:
    return rw.LatticeWalk(right=0.25, left=0.25, up=0.25, down=0.25, dx=1.0, domain=domain, **given)  # type: ignore[arg-type]


def test_exit_times_of_a_square_by_its_eigenfunctions() -> None:
    """u = Σ c_jk sin(jπx/n) sin(kπy/n)/(1 - ½cos(jπ/n) - ½cos(kπ/n)) solves u = Pu + 1 on the sites of the square."""
    n = 12
    modes = np.sin(np.pi * np.outer(np.arange(1, n), np.arange(1, n)) / n)
    weights = 2.0 / n * modes.sum(axis=1)
    cosine = np.cos(np.pi * np.arange(1, n) / n)
    rates = 1.0 - 0.5 * np.add.outer(cosine, cosine)
    once = np.multiply.outer(weights, weights) / rates
    mean = modes.T @ once @ modes
    second = modes.T @ (2.0 * once / rates - once) @ modes  # E[T²] = (1 - P)⁻¹ (2 E[T] - 1)
    x, y = np.meshgrid(np.arange(1.0, n), np.arange(1.0, n), indexing="ij")
    time = hitting_time(simple(square(n), start=(6.0, 6.0)), start=(x, y))
    assert time.mean == pytest.approx(mean, rel=1e-12)
    assert time.variance == pytest.approx(second - mean**2, rel=1e-11)
    by_face = [
        hitting_probability(simple(square(n), start=(6.0, 6.0)), face) for face in ("left", "right", "bottom", "top")
    ]
    assert by_face == pytest.approx([0.25] * 4, rel=1e-13)


@pytest.mark.parametrize("dimension", [2, 3])
def test_neighbours_on_a_torus(dimension: int) -> None:
    """Foster (1949): on an edge-transitive graph of N sites and E edges the resistance of an edge is (N - 1)/E, so neighbours are
    2(N - 1) steps apart, there and back; Kac: N steps until a site is visited again."""
    n = 6
    steps = {
        tuple(s if i == axis else 0 for i in range(dimension)): 0.5 / dimension
        for axis in range(dimension)
        for s in (1, -1)
    }
    walk = rw.LatticeWalk(steps=steps, dx=1.0, domain=rw.Ring(0.0, n) ** dimension, start=(0.0,) * dimension)
    here, there = (2.0,) * dimension, (3.0, *(2.0,) * (dimension - 1))
    assert commute_time(walk, here, there).mean == pytest.approx(2 * (n**dimension - 1), rel=1e-12)
    assert hitting_time(walk, there, start=here).mean == pytest.approx(n**dimension - 1, rel=1e-12)
    assert return_time(walk, here)[:2] == pytest.approx((1.0, n**dimension), rel=1e-12)


def test_a_separable_walk_leaves_with_its_axes() -> None:
    """Steps along one axis or the other by a coin: the place on x, seen when x moves, is a walk of one dimension."""
    pipe = rw.Interval(0.0, 9.0, rw.Absorbing(), rw.Absorbing()) * rw.Ring(0.0, 5.0)
    walk = rw.LatticeWalk(right=0.3, left=0.2, up=0.25, down=0.25, dx=1.0, domain=pipe, start=(4.0, 0.0))
    one = rw.LatticeWalk(right=0.3, left=0.2, dx=1.0, domain=cliffs(9), start=4.0)
    assert hitting_time(walk, "right") == pytest.approx(hitting_time(one, "right"), rel=1e-12)
    x, y = np.meshgrid(np.arange(1.0, 9.0), np.arange(5.0), indexing="ij")
    answer = hitting_probability(walk, "left", start=(x, y))
    assert answer.shape == (8, 5) and np.ptp(answer, axis=1).max() < 1e-14


def test_a_maze_with_a_trap_against_a_dense_solution() -> None:
    """Obstacles, a trap by name, a wall that absorbs in part, killing, and a probability that depends on the place."""
    blocked = np.random.default_rng(4).random((9, 7)) < 0.2
    blocked[0, 0] = blocked[4, 3] = False
    trap = np.zeros((9, 7), dtype=bool)
    trap[8, 6] = True
    room = rw.Interval(-0.5, 8.5, rw.Reflecting(), rw.Reflecting()) * rw.Interval(
        -0.5, 7.0, rw.Reflecting(), rw.Absorbing()
    )
    domain = room.without(rw.Mask(blocked & ~trap), name="stones").without(rw.Mask(trap), rw.Absorbing(), "cheese")
    walk = rw.LatticeWalk(
        right=lambda x, y: 0.2 + 0.01 * x, left=0.2, up=lambda x, y: 0.2 + 0.003 * x * y, down=0.15, dx=1.0, domain=domain,
        start=(0.0, 0.0), killing=0.03,
    )  # fmt: skip
    free = [(i, j) for i in range(9) for j in range(7) if not blocked[i, j] and not trap[i, j]]
    number = {site: k for k, site in enumerate(free)}
    p, arrival = np.zeros((len(free),) * 2), {"cheese": np.zeros(len(free)), "top": np.zeros(len(free))}
    for (i, j), k in number.items():
        live = math.exp(-0.03)
        for (a, b), chance in (
            ((1, 0), 0.2 + 0.01 * i),
            ((-1, 0), 0.2),
            ((0, 1), 0.2 + 0.003 * i * j),
            ((0, -1), 0.15),
        ):
            end = i + a, j + b
            if end == (8, 6):
                arrival["cheese"][k] += live * chance
            elif end[1] == 7:
                arrival["top"][k] += live * chance
            else:
                p[k, number.get(end, k)] += live * chance
        p[k, k] += live * (1.0 - (0.2 + 0.01 * i) - 0.2 - (0.2 + 0.003 * i * j) - 0.15)
    inverse = np.linalg.inv(np.eye(len(free)) - p)
    places = tuple(np.array(free, dtype=float).T)
    for name, given in arrival.items():
        h = inverse @ given
        assert hitting_probability(walk, name, start=places) == pytest.approx(h, rel=1e-11, abs=1e-300)
        seen = h > 0
        assert hitting_time(walk, name, start=places).mean[seen] == pytest.approx(
            (inverse @ h)[seen] / h[seen], rel=1e-11
        )
    everything = [hitting_probability(walk, name) for name in ("cheese", "top", "killing")]
    assert sum(everything) == pytest.approx(1.0, rel=1e-13)
    # the committor of two sets of sites, one of them an array of booleans
    goal = np.zeros((9, 7), dtype=bool)
    goal[5:, :2] = True
    inside = [k for k, site in enumerate(free) if goal[site]]
    rest = [k for k, site in enumerate(free) if not goal[site] and site != (0, 0)]
    expected = np.linalg.solve((np.eye(len(free)) - p)[np.ix_(rest, rest)], p[np.ix_(rest, inside)].sum(axis=1))
    starts = tuple(np.array([free[k] for k in rest], dtype=float).T)
    assert hitting_probability(walk, goal, before=(0.0, 0.0), start=starts) == pytest.approx(
        expected, rel=1e-11, abs=1e-300
    )


@pytest.mark.parametrize(
    ("ask", "told"),
    [
        (lambda w: hitting_probability(w, (1.4, 2.0)), "target = 1.4, 2 is no site .* the nearest is 1, 2"),
        (lambda w: hitting_probability(w, 1.0), "give a point"),
        (lambda w: hitting_probability(w, np.ones((3, 3), dtype=bool)), r"shape \(3, 3\) and the sites have \(11, 11\)"),
        (lambda w: hitting_probability(w, rw.Ball((50.0, 50.0), 1.0)), "holds no site"),
        (lambda w: commute_time(w, (1.0, 1.0), ([1.0, 2.0], 3.0)), "give one place"),
        (
            lambda w: hitting_time(
                simple(rw.Interval(0.5, math.inf, rw.PartiallyAbsorbing(0.2)) * rw.Line(), start=(2.0, 0.0)), (3.0, 0.0)
            ),
            "'left' absorbs in part; on ",
        ),
    ],
)  # fmt: skip
def test_bad_questions_in_the_plane(ask: Callable[[rw.LatticeWalk], object], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        ask(simple(square(12), start=(6.0, 6.0)))


def test_starts_on_walls_have_left_at_once() -> None:
    """h = 1 at the target's wall and 0 at the other, as the boundary values of the difference equation say."""
    walk = rw.LatticeWalk(0.5, 0.5, dx=1.0, domain=cliffs(10), start=5.0)
    sites = np.arange(11.0)
    assert hitting_probability(walk, "right", start=sites) == pytest.approx(sites / 10.0, rel=ROUNDING)
    assert hitting_time(walk, start=sites).mean == pytest.approx(sites * (10.0 - sites), rel=ROUNDING)
    ends = hitting_time(walk, "left", start=[0.0, 10.0])
    assert ends.probability.tolist() == [1.0, 0.0] and ends.mean[0] == 0.0 and math.isnan(ends.mean[1])
    assert hitting_probability(walk, 3.0, before=7.0, start=[0.0, 10.0]).tolist() == [0.0, 0.0]
    for beyond in (-1.0, 11.0):
        with pytest.raises(ValueError, match="no site of the walk"):
            hitting_probability(walk, "left", start=beyond)
    with pytest.raises(ValueError, match="the nearest is 1"):
        return_time(walk, 0.0)
    falling = rw.LatticeWalk(0.25, 0.5, dx=1.0, domain=CLIFF, start=2.0)
    assert hitting_time(falling, "left", start=[0.0, 2.0]).mean == pytest.approx([0.0, 8.0], rel=ROUNDING)
    closed = rw.LatticeWalk(0.5, 0.5, dx=1.0, domain=path(5), start=2.0)
    with pytest.raises(ValueError, match="no site of the walk"):
        hitting_probability(closed, 0.0, start=-1.0)


def test_starts_on_walls_in_the_plane_and_in_space() -> None:
    """In a strip, where the corner is that of the first axis in a box, and where images cancel but for rounding."""
    quarter: dict[tuple[int, ...], float] = {(1, 0): 0.25, (-1, 0): 0.25, (0, 1): 0.25, (0, -1): 0.25}
    places = ([0.0, 1.0, 4.0, 0.0], [1.0, 4.0, 1.0, 4.0])
    box = rw.LatticeWalk(steps=quarter, dx=1.0, domain=cliffs(4) ** 2, start=(1.0, 1.0))
    shares = [hitting_probability(box, exit, start=places) for exit in ("left", "right", "bottom", "top")]
    assert np.transpose(shares).tolist() == [[1, 0, 0, 0], [0, 0, 0, 1], [0, 1, 0, 0], [1, 0, 0, 0]]
    strip = rw.LatticeWalk(steps=quarter, dx=1.0, domain=cliffs(4) * rw.Line(), start=(1.0, 1.0))
    assert hitting_probability(strip, "left", start=places) == pytest.approx([1.0, 0.75, 0.0, 1.0], rel=ROUNDING)
    drift: dict[tuple[int, ...], float] = {(0, 0, 1): 0.2, (0, 0, -1): 0.1}
    drift |= dict.fromkeys([(1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0)], 0.15)
    corner = rw.LatticeWalk(steps=drift, dx=1.0, domain=CLIFF * CLIFF * rw.Line(), start=(1.0, 1.0, 1.0))
    target = ([2.0, 3.0], [1.0, 5.0], [0.0, 2.0])
    time = hitting_time(corner, target, start=([0.0, 3.0, 0.0, 1.0], [4.0, 0.0, 7.0, 1.0], [1.0, 2.0, -4.0, 0.0]))
    assert time.probability[:3].tolist() == [0.0] * 3 and time.probability[3] > 0.1
    assert np.isnan(time.mean).tolist() == [True, True, True, False]
