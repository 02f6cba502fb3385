"""The exact law of a sum of steps against exact integers, and against sums and integrals in 50 digits."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import mpmath as mp
import numpy as np
import pytest
from numpy.typing import NDArray

from randwalk.tables.step_law import DIRECT, EPS, RESOLVED, WANTED, StepLaw

TINY = 2.0**-31

NEAREST = {
    "simple": (0.5, 0.0, 0.5),
    "lazy": (0.25, 0.5, 0.25),
    "third": (1 / 6, 2 / 3, 1 / 6),
    "asymmetric": (0.3, 0.3, 0.4),
    "no stay": (0.3, 0.0, 0.7),
    "biased": (0.0005, 0.0005, 0.999),
    "almost still": (TINY, 1 - 2 * TINY, TINY),
    "almost one-sided": (TINY, 0.4 - TINY, 0.6),
    "almost no stay": (0.5 - TINY, 2 * TINY, 0.5 - TINY),
    "one stay in a million": (0.5 - 5e-7, 1e-6, 0.5 - 5e-7),
    "one stay in ten thousand": (0.2, 1e-4, 0.8 - 1e-4),
}

OTHER = {
    "one-sided": StepLaw(0, (0.4, 0.6)),
    "span 1, gaps": StepLaw(-3, (0.3, 0.0, 0.0, 0.3, 0.0, 0.4)),
    "span 3": StepLaw(-3, (0.25, 0.0, 0.0, 0.5, 0.0, 0.0, 0.25)),
    "span 3 but for a rare step": StepLaw(-3, (0.5, 0.0, 0.0, 0.5 - TINY, TINY)),
    "uniform": StepLaw(-2, (0.2,) * 5),
    "seven rare steps to the last class": StepLaw(0, (0.25, 2 * TINY, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.75 - 2 * TINY)),
    "kinks at n and 7 n": StepLaw(0, (9 * TINY, 0.5625, 0.0625, 0.0, TINY, 0.03, 0.0, 0.345 - 11 * TINY, TINY)),
}


def tolerance(n: int) -> float:
    """Relative error allowed: what the method asks of its transforms, and a weight's rounding (half an ulp) times how far its
    count may be from what its tilt expects: √n/2 × at most 4 standard deviations, for each of a few steps."""
    return WANTED + 4.0 * math.sqrt(n) * EPS


def exact_power(law: StepLaw, n: int) -> list[float]:
    """The law of the sum in integers, by k·a₀·c_k = Σ_j (j(n+1) - k)·a_j·c_{k-j} for c = aⁿ: only the last division rounds."""
    weights = [Fraction(p) for p in law.probabilities]
    integers = [int(w * max(v.denominator for v in weights)) for w in weights]
    before = next(j for j, a in enumerate(integers) if a)
    a = integers[before:]
    atoms = [j for j in range(1, len(a)) if a[j]]
    c = [a[0] ** n]
    for k in range(1, n * (len(a) - 1) + 1):
        c.append(sum((j * (n + 1) - k) * a[j] * c[k - j] for j in atoms if j <= k) // (k * a[0]))
    total = sum(a) ** n
    return [0.0] * (n * before) + [int(x) / total for x in c]


def on_support(law: StepLaw, n: int) -> NDArray[np.float64]:
    """What `power` returns, on all the sites from n * first on."""
    first, pmf = law.power(n)
    sites = np.zeros(n * (len(law.probabilities) - 1) + 1)
    sites[first - n * law.first :][: pmf.size] = pmf
    return sites


def three_step_sum(steps: Sequence[int], probabilities: Sequence[float], n: int, k: int) -> mp.mpf:
    """P(S_n = k) for a law on three displacements: the sum of n!/(a! b! c!) pᵃ qᵇ rᶜ over the counts that lead to k."""
    total = mp.fsum(probabilities)
    p = [mp.mpf(q) / total for q in probabilities]
    # counts (a, b, c) with a + b + c = n and a·s0 + b·s1 + c·s2 = k are one of them plus multiples of `move`
    move = np.array([steps[1] - steps[2], steps[2] - steps[0], steps[0] - steps[1]])
    move //= np.gcd.reduce(move)
    if move[0] < 0:
        move = -move
    for a in range(int(move[0])):
        b, rest = divmod(k - a * steps[0] - (n - a) * steps[2], steps[1] - steps[2])
        if rest == 0:
            break
    else:
        return mp.mpf(0)
    origin = [a, b, n - a - b]
    lowest = max(math.ceil(Fraction(-o, int(m))) for o, m in zip(origin, move, strict=True) if m > 0)
    highest = min(math.floor(Fraction(o, int(-m))) for o, m in zip(origin, move, strict=True) if m < 0)
    if highest < lowest:
        return mp.mpf(0)

    def counts(i: int) -> list[int]:
        return [o + i * int(m) for o, m in zip(origin, move, strict=True)]

    def term(i: int) -> mp.mpf:
        if any(c and not q for c, q in zip(counts(i), p, strict=True)):
            return mp.mpf(0)
        logs = [c * mp.log(q) - mp.loggamma(c + 1) for c, q in zip(counts(i), p, strict=True) if c]
        return mp.exp(mp.loggamma(n + 1) + mp.fsum(logs))

    if not all(p):
        return mp.fsum(term(i) for i in {lowest, highest})
    scale = mp.fprod(q ** int(m) for q, m in zip(p, move, strict=True))

    def ratio(i: int) -> mp.mpf:
        """term(i + 1) / term(i)."""
        up, down = 1, 1
        for old, new in zip(counts(i), counts(i + 1), strict=True):
            up *= math.prod(range(new + 1, old + 1))
            down *= math.prod(range(old + 1, new + 1))
        return scale * up / down

    low, high = lowest, highest  # the terms are log-concave in i: find the largest, and sum from there
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if ratio(middle) > 1 else (low, middle)
    result = largest = term(low)
    following, i = largest, low
    while i < highest and following > 1e-16 * result:
        following *= ratio(i)
        result, i = result + following, i + 1
    following, i = largest, low
    while i > lowest and following > 1e-16 * result:
        i -= 1
        following /= ratio(i)
        result += following
    return result


def spots(first: int, size: int) -> list[int]:
    """Displacements from one end of a law to the other, and pairs of neighbours."""
    places = {round((size - 1) * u) for u in (0.0, 0.03, 0.4, 0.9)}
    return [first + i for i in sorted(places | {min(i + 1, size - 1) for i in places})]


@pytest.mark.parametrize("n", [0, 1, 2, 13, 1100])
@pytest.mark.parametrize("name", NEAREST)
def test_nearest_neighbour_steps_at_every_site(name: str, n: int) -> None:
    law = StepLaw(-1, NEAREST[name])
    expected = np.array(exact_power(law, n))
    pmf = on_support(law, n)
    seen = expected > 1e-300
    np.testing.assert_allclose(pmf[seen], expected[seen], rtol=tolerance(n))
    assert not pmf[expected == 0.0].any()


@pytest.mark.parametrize("name", OTHER)
def test_other_steps_at_every_site(name: str) -> None:
    law = OTHER[name]
    for n in (1, 5, DIRECT // (len(law.probabilities) - 1) + 20):
        expected = np.array(exact_power(law, n))
        pmf = on_support(law, n)
        seen = expected > 1e-300
        np.testing.assert_allclose(pmf[seen], expected[seen], rtol=tolerance(n))
        assert not pmf[expected == 0.0].any()


@pytest.mark.parametrize("seed", range(12))
def test_random_laws_with_probabilities_over_nine_decades(seed: int) -> None:
    rng = np.random.default_rng(seed)
    width = int(rng.integers(2, 9))
    weights = np.rint(2.0**31 * 10.0 ** (-9.0 * rng.random(width + 1)))
    weights[rng.random(width + 1) < 0.3] = 0.0
    weights[[0, -1]] += 1.0
    weights[weights.argmax()] += 2.0**31 - weights.sum()  # multiples of 2⁻³¹ whose sum is exactly 1
    if weights.min() < 0.0:
        weights = np.ones(width + 1) * 2.0**31 / (width + 1)
    law = StepLaw(0, tuple(weights / 2.0**31))
    n = DIRECT // width + 10
    expected = np.array(exact_power(law, n))
    seen = expected > 1e-300
    np.testing.assert_allclose(on_support(law, n)[seen], expected[seen], rtol=tolerance(n))


@pytest.mark.parametrize("name", sorted(NEAREST.keys() - {"third", "asymmetric"}))  # long sums, as "lazy" is
def test_a_million_nearest_neighbour_steps(name: str) -> None:
    law, n = StepLaw(-1, NEAREST[name]), 10**6
    first, pmf = law.power(n)
    with mp.workdps(40):
        for k in spots(first, pmf.size):
            expected = three_step_sum((-1, 0, 1), law.probabilities, n, k)
            assert pmf[k - first] == pytest.approx(float(expected), rel=tolerance(n), abs=0.0), k
        beyond = [three_step_sum((-1, 0, 1), law.probabilities, n, k) for k in (first - 1, first + pmf.size)]
    assert max(beyond) < 1e-300 * (1.0 + tolerance(n))


@pytest.mark.parametrize("probabilities", [(0.3, 0.3, 0.4), (0.5, 0.5 - TINY, TINY), (0.4, 1e-6, 0.6 - 1e-6)])
def test_a_million_steps_of_minus_three_nought_and_two(probabilities: tuple[float, float, float]) -> None:
    q, r, p = probabilities
    law, n = StepLaw(-3, (q, 0.0, 0.0, r, 0.0, p)), 10**6
    first, pmf = law.power(n)
    with mp.workdps(40):
        for k in spots(first, pmf.size):
            expected = three_step_sum((-3, 0, 2), probabilities, n, k)
            assert pmf[k - first] == pytest.approx(float(expected), rel=tolerance(n), abs=0.0), k


def test_a_million_steps_of_four_kinds() -> None:
    """Against the Fourier integral on a circle through the saddle point, by the trapezoidal rule in 50 digits."""
    law, n = StepLaw(-1, (0.2, 0.1, 0.3, 0.4)), 10**6
    first, pmf = law.power(n)
    with mp.workdps(50):
        p = [mp.mpf(q) / mp.fsum(law.probabilities) for q in law.probabilities]
        for k in spots(first, pmf.size)[::2]:

            def moment(theta: mp.mpf, power: int) -> mp.mpf:
                return mp.fsum(q * j**power * mp.exp(theta * j) for j, q in zip(range(-1, 3), p, strict=True))

            def log_integrand(theta: mp.mpc, k: int = k) -> mp.mpc:
                return n * mp.log(moment(theta, 0)) - k * theta

            theta = mp.findroot(lambda t, k=k: n * moment(t, 1) / moment(t, 0) - k, 0)
            deviation = mp.sqrt(n * (moment(theta, 2) / moment(theta, 0) - (moment(theta, 1) / moment(theta, 0)) ** 2))
            # the rule of step h is wrong by the mass 2π/h = 12 deviations away, exp(-72), and cut at exp(-12²/2)
            h = 2 * mp.pi / (12 * deviation)
            values = [mp.re(mp.exp(log_integrand(theta + 1j * h * i))) for i in range(24)]
            expected = h / mp.pi * (mp.fsum(values) - values[0] / 2)
            assert pmf[k - first] == pytest.approx(float(expected), rel=tolerance(n), abs=0.0), k


@pytest.mark.parametrize("p", [0.5, 0.7, 0.999, 1e-6, TINY])
def test_ten_million_two_way_steps(p: float) -> None:
    law, n = StepLaw(-1, (1.0 - p, 0.0, p)), 10**7
    first, pmf = law.power(n)
    assert not pmf[1::2].any()
    with mp.workdps(40):
        for k in spots(first, pmf.size):
            expected = three_step_sum((-1, 0, 1), law.probabilities, n, k)
            assert pmf[k - first] == pytest.approx(float(expected), rel=tolerance(n), abs=0.0), k


def test_a_certain_step() -> None:
    for n in (0, 1, 10**7):
        first, pmf = StepLaw(-1, (0.0, 0.0, 1.0)).power(n)
        assert (first, pmf.tolist()) == (n, [1.0])


def test_sites_that_no_steps_reach_have_exactly_nothing() -> None:
    first, pmf = StepLaw(0, (0.998, 0.0, 0.001, 0.0, 0.0, 0.001)).power(10**5)  # sums of 2s and 5s
    assert first == 0
    assert not pmf[[1, 3]].any()
    assert (pmf[[0, 2, *range(4, pmf.size)]] > 0.0).all()


@pytest.mark.parametrize("law", [*(StepLaw(-1, p) for p in NEAREST.values()), *OTHER.values()])
def test_sum_and_cumulants(law: StepLaw) -> None:
    n = 3000
    first, pmf = law.power(n, smallest=1e-60)
    # a sum of nonnegative terms that are right to `tolerance`
    assert math.fsum(pmf) == pytest.approx(1.0, abs=tolerance(n))
    sigma = math.sqrt(n * law.variance)
    z = (first + np.arange(pmf.size) - n * law.mean) / sigma
    moments = [math.fsum(pmf * z**order) for order in range(1, 5)]
    # n·mean is rounded to an ulp, z to the 4th power is at most of the size of the kurtosis on average
    kurtosis = 3.0 + law.fourth_cumulant / (n * law.variance**2)
    allowed = kurtosis * (tolerance(n) + 8.0 * n * abs(law.mean) * EPS / sigma)
    skewness = law.third_cumulant / (math.sqrt(n) * law.variance**1.5)
    np.testing.assert_allclose(moments, [0.0, 1.0, skewness, kurtosis], rtol=0.0, atol=allowed)


def test_cumulants_of_a_bernoulli_step() -> None:
    p = 0.3
    law = StepLaw(4, (1.0 - p, p))
    v = p * (1.0 - p)
    expected = (4.0 + p, v, v * (1.0 - 2.0 * p), v * (1.0 - 6.0 * v))
    measured = (law.mean, law.variance, law.third_cumulant, law.fourth_cumulant)
    assert measured == pytest.approx(expected, rel=8.0 * EPS)  # a few roundings each


def test_transforms() -> None:
    law = StepLaw(-2, (0.1, 0.2, 0.0, 0.7))
    z = np.array([[1.0, -0.5], [2.0j, 0.3 - 0.4j]])
    expected = 0.1 * z**-2 + 0.2 * z**-1 + 0.7 * z
    np.testing.assert_allclose(law.generating_function(z), expected, rtol=16.0 * EPS)  # a few roundings
    assert law.generating_function(1.0) == pytest.approx(1.0, rel=4.0 * EPS)
    omega = np.linspace(-3.0, 3.0, 7)
    np.testing.assert_allclose(
        law.characteristic_function(omega), law.generating_function(np.exp(1j * omega)), rtol=4.0 * EPS
    )
    first, pmf = law.power(40)
    k = first + np.arange(pmf.size)
    transform = (pmf * np.exp(1j * np.outer(omega, k))).sum(axis=1)
    # k·ω of 80·3 radians is rounded to half an ulp, 3e-14
    np.testing.assert_allclose(transform, law.characteristic_function(omega) ** 40, rtol=0.0, atol=6e-14)


@pytest.mark.parametrize("mass", [1e-3, 1e-18, 1e-250])
@pytest.mark.parametrize("law", [*(StepLaw(-1, p) for p in NEAREST.values()), *OTHER.values()])
def test_the_window_holds_all_but_the_mass(law: StepLaw, mass: float) -> None:
    n = 20_000
    low, high = law.window(n, mass)
    first, pmf = law.power(n)
    below, above = pmf[: max(low - first, 0)], pmf[max(high + 1 - first, 0) :]
    assert below.sum() + above.sum() < mass
    # the Chernoff bound is too wide by a factor of the order of √n in mass: less than exp(-z²/2) from z to √(z² + ln n) + 1
    kept = np.flatnonzero(np.minimum(np.cumsum(pmf), np.cumsum(pmf[::-1])[::-1]) > mass)
    sigma, width = math.sqrt(n * law.variance), len(law.probabilities)
    assert high - low <= 1.2 * (kept[-1] - kept[0]) + 2.0 * sigma + 4.0 * width


def test_the_window_of_the_longest_walk() -> None:
    n = 2**32
    low, high = StepLaw(-1, (0.25, 0.5, 0.25)).window(n)
    # a normal law of deviation σ = √(n/2) to 1/n: a side's Chernoff bound is exp(-z²/2) = 5e-19, at z = 9.18
    sigma = math.sqrt(n / 2.0)
    assert low == -high
    # rounded outwards, and a site more; the allowance for the rounding of the exponent, 1e-6/z of σ, is another 0.005
    assert 0.0 <= high - math.sqrt(2.0 * math.log(2e18)) * sigma <= 3.0
    assert StepLaw(0, (1.0,)).window(n) == (0, 0)
    assert StepLaw(-1, (0.5, 0.0, 0.5)).window(10) == (-10, 10)
    assert StepLaw(5, (0.5, 0.5)).window(0) == (0, 0)


def test_smallest_cuts_both_ends() -> None:
    law = StepLaw(-1, (0.25, 0.5, 0.25))
    first, pmf = law.power(5000)
    cut_first, cut = law.power(5000, smallest=1e-20)
    assert cut[0] > 1e-20 and cut[-1] > 1e-20
    whole = pmf[cut_first - first :][: cut.size]
    np.testing.assert_allclose(cut, whole, rtol=2.0 * tolerance(5000))
    assert pmf[cut_first - first - 1] <= 1e-20
    assert law.power(5000, smallest=0.5)[1].size == 0


@pytest.mark.parametrize(
    ("probabilities", "message"),
    [
        ((0.5, 0.4), "sum to 0.9"),
        ((0.5, -0.1, 0.6), "displacement 8 = -0.1"),
        ((math.nan, 1.0), "displacement 7 = nan"),
        ((), "sum to 0"),
    ],
)
def test_a_law_that_is_not_one_is_refused(probabilities: tuple[float, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        StepLaw(7, probabilities)


def test_bad_arguments_are_refused() -> None:
    law = StepLaw(0, (0.5, 0.5))
    with pytest.raises(ValueError, match="n = -1"):
        law.power(-1)
    with pytest.raises(ValueError, match="smallest = 1e-310"):
        law.power(1, smallest=1e-310)
    with pytest.raises(ValueError, match="mass = 2"):
        law.window(1, mass=2.0)


def test_residues_that_no_tilt_resolves_come_as_nothing() -> None:
    """10 ± 3 steps of 1 beside steps of 0 and 100: the residues modulo 100 from 35 to 95 are far out in a Poisson tail."""
    probabilities, n = (0.5, 0.0005, 0.4995), 20_000
    first, pmf = StepLaw(0, (*probabilities[:2], *(0.0,) * 98, probabilities[2])).power(n, smallest=1e-100)
    assert math.fsum(pmf) == pytest.approx(1.0, abs=tolerance(n))
    left_out = 0
    for k in range(10**6 - 50_000, 10**6 + 50_000, 14_011):
        with mp.workdps(40):
            expected = float(three_step_sum((0, 1, 100), probabilities, n, k))
        left_out += pmf[k - first] == 0.0
        assert pmf[k - first] == pytest.approx(expected, rel=RESOLVED) or pmf[k - first] == 0.0
    assert 0 < left_out < 8


@pytest.mark.parametrize("whole", [np.int32, np.int64, np.uint8, int])
def test_whole_numbers_of_any_kind_do_not_overflow(whole: Any) -> None:
    """100 steps of 2·10⁹ sites pass 2³²; 200 of eight bits pass 2⁸."""
    first, pmf = StepLaw(2 * 10**9, (0.5, 0.5)).power(whole(100))
    assert first == 2 * 10**11 and pmf.size == 101
    assert StepLaw(-1, (0.25, 0.5, 0.25)).window(whole(200)) == StepLaw(-1, (0.25, 0.5, 0.25)).window(200)


def test_more_steps_than_32_bits() -> None:
    """P(S_n = 0) of a fair lazy walk is C(2n, n)/4ⁿ = (1 - 1/8n + …)/√(πn) (Stirling), the next term being 1/128n²."""
    for n in (2**31, 2**32 + 1):
        first, pmf = StepLaw(-1, (0.25, 0.5, 0.25)).power(n)
        assert pmf[-first] * math.sqrt(math.pi * n) - 1.0 == pytest.approx(-1.0 / (8.0 * n), abs=1e-11)
        assert pmf.sum() == pytest.approx(1.0, abs=1e-12)
    assert StepLaw(1, (1.0,)).power(2**60)[0] == 2**60
    with pytest.raises(MemoryError, match=r"n = 1\.15292e\+18 steps"):
        StepLaw(-1, (0.25, 0.5, 0.25)).power(2**60)


BAD: list[Any] = [None, "x", 1j, math.nan, math.inf, [1], 1.5, True, {}]


@pytest.mark.parametrize("bad", BAD, ids=repr)
def test_wrong_kinds_of_steps_are_told(bad: Any) -> None:
    law = StepLaw(-1, (0.25, 0.5, 0.25))
    for ask, name in (
        (lambda: StepLaw(bad, (0.5, 0.5)), "first"),
        (lambda: law.power(bad), "n"),
        (lambda: law.window(bad), "n"),
        (lambda: StepLaw(0, bad), "probabilit"),
        (lambda: law.window(5, bad), "mass"),
        (lambda: law.power(5, bad), "smallest"),
    ):
        if name == "probabilit" and bad == [1]:
            continue
        with pytest.raises((TypeError, ValueError), match=name):
            ask()
