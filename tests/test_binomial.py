"""Binomial draws: the elementary functions, the acceptance test and the law, each against a naive version."""

import math
import os
import subprocess
import sys
from collections.abc import Iterator
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba import njit
from numpy.typing import NDArray
from scipy import stats

from randwalk.jit.lanes import LANES, keep
from randwalk.jit.reals import choose, fetch_reals
from randwalk.kernels.binomial import _centre, binomial, log_acceptance
from randwalk.kernels.binomials import _squeeze, binomials, workspace
from randwalk.kernels.philox import words64
from randwalk.kernels.portable import exp, log, stirling_error

U = np.uint64
KEY = U(20240229), U(1993)
FALSE_ALARMS = 1e-4  # for each family of statistical tests together; the key is fixed, so a pass stays a pass


@njit(error_model="numpy")
def draws(n, a, b, count, k0, k1):  # type: ignore[no-untyped-def]
    out = np.empty(count, np.int64)
    for i in range(count):
        out[i] = binomial(n, a, b, U(i), U(3), U(1) << U(16), U(5), k0, k1)
    return out


def sample(n: int, a: int, b: int, count: int) -> NDArray[np.int64]:
    return draws(n, a, b, count, *KEY)


# ---------------------------------------------------------------- elementary functions


@njit(error_model="numpy")
def logs(x):  # type: ignore[no-untyped-def]
    return np.array([log(v) for v in x])


@njit(error_model="numpy")
def exps(x):  # type: ignore[no-untyped-def]
    return np.array([exp(v) for v in x])


def worst_ulps(got: NDArray[np.float64], exact: list[mpmath.mpf]) -> float:
    return max(float(abs(mpmath.mpf(g) - e)) / math.ulp(float(e)) for g, e in zip(got.tolist(), exact, strict=True))


def test_log_and_exp_within_one_ulp() -> None:
    rng = np.random.default_rng(1)
    near_one = 1 + rng.uniform(-0.3, 0.42, 2000) * 10.0 ** -rng.uniform(0, 14, 2000)
    x = np.concatenate(
        [10.0 ** rng.uniform(-300, 300, 2000), near_one[near_one != 1.0], [2.0**-1022, 1.7e308, 0.5, 2.0]]
    )
    y = np.concatenate([rng.uniform(-700, 700, 2000), rng.uniform(-15, 0, 2000), rng.uniform(-1, 1, 1000) * 1e-8])
    with mpmath.workdps(40):
        assert worst_ulps(logs(x), [mpmath.log(v) for v in x.tolist()]) < 1.0
        assert worst_ulps(exps(y), [mpmath.exp(v) for v in y.tolist()]) < 1.0
    assert log(1.0) == 0.0 and exp(0.0) == 1.0


def test_stirling_error() -> None:
    with mpmath.workdps(60):
        for x in [*range(1, 60), 100, 1000, 10**6, 2**53]:
            exact = mpmath.loggamma(x) - (x - mpmath.mpf(0.5)) * mpmath.log(x) + x - mpmath.log(2 * mpmath.pi) / 2
            assert abs(stirling_error(float(x)) - exact) < 2e-16


# ---------------------------------------------------------------- the acceptance test


def exact_log_ratio(n: int, a: int, b: int, k: int) -> mpmath.mpf:
    """log f(k)/f(mode), at whatever precision mpmath works."""
    p, mode = mpmath.mpf(a) / b, (n + 1) * a // b
    binomials = [mpmath.loggamma(j + 1) + mpmath.loggamma(n - j + 1) for j in (mode, k)]
    return binomials[0] - binomials[1] + (k - mode) * mpmath.log(p / (1 - p))


def arguments(count: int, digits: int) -> Iterator[tuple[int, int, int]]:
    """(n, a, b) with 10 <= n min(p, 1 - p), over all magnitudes, b of so many binary digits at most."""
    rng = np.random.default_rng(2)
    while count:
        b = int(2 ** rng.uniform(1, digits))
        a = max(1, int(b * 10 ** -rng.uniform(0, 8))) if rng.random() < 0.5 else int(rng.integers(1, b))
        rarer = min(a, b - a)
        if rarer > 0 and 10 * b < 2**53 * rarer:
            count -= 1
            smallest = -(-10 * b // rarer)
            yield int(smallest * (2**53 / smallest) ** rng.choice([0.0, 0.1 * rng.random(), rng.random(), 1.0])), a, b


@pytest.mark.parametrize("digits", [31, 62])
def test_log_acceptance_against_60_digits(digits: int) -> None:
    """1e-13 within 8 standard deviations for n up to 2^53; beyond, a relative 1e-15."""
    rng = np.random.default_rng(3)
    with mpmath.workdps(60):
        for n, a, b in arguments(600 if digits == 31 else 300, digits):
            mean, sd = n * a // b, math.sqrt(n * (a / b) * (1 - a / b))
            for k in (mean, mean + 1, *(mean + int(z * sd) for z in rng.uniform(-8, 8, 4))):
                k = min(max(k, 0), n)
                assert abs(log_acceptance(n, a, b, k) - exact_log_ratio(n, a, b, k)) < 1e-13, (n, a, b, k)
            for k in (0, n):
                exact = exact_log_ratio(n, a, b, k)
                assert abs(log_acceptance(n, a, b, k) - exact) < 1e-13 - 1e-15 * exact, (n, a, b, k)


@pytest.mark.parametrize("p", [0.0, 0.01, 0.1, 0.25, 0.4, 0.5])
@pytest.mark.parametrize("n", [20, 21, 25, 40, 100, 1000, 10**5, 10**7])
def test_hormann_constants_make_a_hat_and_a_squeeze(n: int, p: float) -> None:
    """A rejection method is exact if no acceptance probability exceeds 1, and those of the squeeze are at least v_r."""
    p = max(p, 10 / n)
    mode, sd = math.floor((n + 1) * p), math.sqrt(n * p * (1 - p))
    width = 1.15 + 2.53 * sd
    slope = -0.0873 + 0.0248 * width + 0.01 * p
    u = np.linspace(-0.5, 0.5, 100_000)[1:-1]
    inside = 0.5 - abs(u)
    k = np.floor((2 * slope / inside + width) * u + n * p + 0.5)
    density = np.exp(stats.binom.logpmf(k, n, p) - stats.binom.logpmf(mode, n, p))
    accepted = density * (slope / inside**2 + width) / ((2.83 + 5.1 / width) * sd)
    assert accepted.max() < 1.0
    assert accepted[inside >= 0.07].min() > 0.92 - 4.2 / width
    assert np.all((k[inside >= 0.07] >= 0) & (k[inside >= 0.07] <= n))


# ---------------------------------------------------------------- the draws, one by one


def block(i: int, attempt: int) -> tuple[int, int]:
    first, second = words64(U(i), U(3), U(2**16 + attempt), U(5), *KEY)
    return int(first) >> 11, int(second) >> 11


def naive_inversion(n: int, a: int, b: int, i: int) -> int:
    """In exact fractions: the number of k with P(X <= k) <= u."""
    if 2 * a > b:
        return n - naive_inversion(n, b - a, b, i)
    left, k = Fraction(block(i, 0)[0], 2**53), 0
    mass = Fraction(b - a, b) ** n
    while left >= mass:
        left, k = left - mass, k + 1
        mass *= Fraction((n - k + 1) * a, k * (b - a))
    return k


def naive_rejection(n: int, a: int, b: int, i: int) -> int:
    """Hörmann's algorithm BTRS as printed, at 50 digits."""
    if 2 * a > b:
        return n - naive_rejection(n, b - a, b, i)
    p = mpmath.mpf(a) / b
    sd = mpmath.sqrt(n * p * (1 - p))
    width = mpmath.mpf("1.15") + mpmath.mpf("2.53") * sd
    slope = mpmath.mpf("-0.0873") + mpmath.mpf("0.0248") * width + mpmath.mpf("0.01") * p
    for attempt in range(2**16):
        first, second = block(i, attempt)
        u, v = mpmath.mpf(2 * first + 1) / 2**54 - mpmath.mpf(0.5), mpmath.mpf(second + 1) / 2**53
        inside = mpmath.mpf(0.5) - abs(u)
        k = int(mpmath.floor((2 * slope / inside + width) * u + n * p + mpmath.mpf(0.5)))
        if not 0 <= k <= n:
            continue
        v *= (mpmath.mpf("2.83") + mpmath.mpf("5.1") / width) * sd / (slope / inside**2 + width)
        if mpmath.log(v) <= exact_log_ratio(n, a, b, k):
            return k
    raise AssertionError("65536 rejections")


@pytest.mark.parametrize(
    ("n", "a", "b"),
    [
        *[(1, 1, 2), (1, 1, 2**31), (2, 2, 3), (19, 1, 2), (63, 1, 7), (64, 8, 9), (300, 1, 31), (1000, 3, 500)],
        *[(50, 2**58 + 1, 2**62 - 1), (300, 2**54 + 77, 2**62)],
    ],
)
def test_inversion_equals_exact_fractions(n: int, a: int, b: int) -> None:
    assert sample(n, a, b, 100).tolist() == [naive_inversion(n, a, b, i) for i in range(100)]


@pytest.mark.parametrize(
    ("n", "a", "b"),
    [
        (20, 1, 2),
        (21, 10, 21),
        (100, 1, 10),
        (100, 9, 10),
        (10**4, 1, 999),
        (10**6, 2, 3),
        (10**10, 1, 10**9),
        (10**15, 1, 7),
        (10**4, 2**62 // 3 + 1, 2**62),
        (10**15, 2**61 + 2**31 + 1, 2**62 - 3),
        (2**53, 2**60 + 12345, 2**62 - 2**31 - 1),
    ],
)
def test_rejection_equals_50_digits(n: int, a: int, b: int) -> None:
    with mpmath.workdps(50):
        assert sample(n, a, b, 100).tolist() == [naive_rejection(n, a, b, i) for i in range(100)]


KNOWN_ANSWERS = {
    (1, 1, 2): [1, 0, 0, 0, 1, 0],
    (5, 1, 3): [3, 0, 1, 2, 2, 0],
    (50, 1, 8): [9, 2, 6, 6, 7, 3],
    (50, 7, 8): [41, 48, 44, 44, 43, 47],
    (1000, 1, 1000): [2, 0, 1, 1, 1, 0],
    (9007199254740992, 1, 2147483648): [4197334, 4197109, 4194013, 4194248, 4195094, 4190291],
    (20, 1, 2): [10, 5, 10, 10, 11, 6],
    (100, 2, 5): [41, 47, 39, 40, 42, 31],
    (1000, 3, 4): [749, 731, 752, 750, 745, 777],
    (1000000, 1, 3): [334031, 333979, 333266, 333320, 333515, 332410],
    (1000000000, 123456789, 2147483648): [57499937, 57499128, 57488002, 57488844, 57491885, 57474621],
    (1000000000000, 1, 2147483648): [468, 495, 463, 465, 474, 424],
    (1000000000000000, 2, 3): [
        666666644613575,
        666666646252702,
        666666668783610,
        666666667077518,
        666666660920357,
        666666695881772,
    ],
    (9007199254740992, 1073741824, 2147483648): [
        4503599697571066,
        4503599692353308,
        4503599620631730,
        4503599626062654,
        4503599645662451,
        4503599534371426,
    ],
    (9007199254740992, 1, 3): [
        3002399817766063,
        3002399812846714,
        3002399745226961,
        3002399750347285,
        3002399768826152,
        3002399663899967,
    ],
}


@pytest.mark.parametrize("case", KNOWN_ANSWERS, ids=str)
def test_known_answers(case: tuple[int, int, int]) -> None:
    """The same bits on every machine. A change here is a new stream version."""
    assert sample(*case, 6).tolist() == KNOWN_ANSWERS[case]


@pytest.mark.parametrize("factor", [2, 2**9, 2**31])
def test_a_common_factor_changes_nothing(factor: int) -> None:
    """So whole numbers of 2⁻³¹ and of 2⁻⁶² give the same draws."""
    rng = np.random.default_rng(4)
    for n in [1, 30, 2000, 10**6 + 1, 10**12 + 7, 2**53 - 1, 2**53]:
        for b in [2, 7, 2**20 + 1, 2**22, 2**22 + 1, 2**31 - 2**11 - 1, 2**31]:
            a = int(rng.integers(1, b))
            assert np.array_equal(sample(n, a, b, 200), sample(n, factor * a, factor * b, 200)), (n, a, b)


@njit(error_model="numpy")
def centre(n, a, b):  # type: ignore[no-untyped-def]
    return _centre(n, a, b, 1.0 / b)


@given(
    n=st.integers(1, 2**53),
    b=st.integers(2, 2**62),
    share=st.floats(0.0, 0.5),
    near=st.booleans(),
    odd=st.integers(0, 2**31),
)
def test_mean_and_mode_go_together(n: int, b: int, share: float, near: bool, odd: int) -> None:
    """n p - m in exact fractions, near whole (n + 1) p too, for b of up to 62 digits: rounded twice, and 1/b once."""
    a = min(max(1, int(Fraction(share) * b) + odd), b // 2)
    if near:  # (n + 1) a/b close to a whole number
        a = min(max(1, round(Fraction(b * ((n + 1) * a // b), n + 1))), b // 2)
    _, m, excess, _ = centre(n, a, b)
    exact = Fraction(n * a - m * b, b)
    assert -4 <= exact <= 4
    assert abs(Fraction(excess) - exact) <= abs(exact) * Fraction(1, 2**50)


def test_no_fused_multiply_add() -> None:
    sample(10, 1, 2, 1)
    assembly = "".join(draws.inspect_asm().values())
    assert "mulsd" in assembly or "fmul" in assembly
    assert "fmadd" not in assembly and "fmsub" not in assembly and "fnmadd" not in assembly


@pytest.mark.parametrize(
    ("n", "a", "b", "draw"),
    [(0, 1, 2, 0), (0, 0, 0, 0), (7, 0, 5, 0), (7, 5, 5, 7), (2**53, 2**31, 2**31, 2**53), (2**53, 0, 1, 0)],
)
def test_certain_outcomes(n: int, a: int, b: int, draw: int) -> None:
    assert set(sample(n, a, b, 20).tolist()) == {draw}


@pytest.mark.parametrize(
    ("n", "a", "b"), [(1, 1, 3), (30, 2, 7), (200, 2, 7), (10**9, 1, 10**9), (2**53, 12345, 2**31)]
)
def test_flip_is_exact(n: int, a: int, b: int) -> None:
    assert np.array_equal(sample(n, b - a, b, 1000), n - sample(n, a, b, 1000))


# ---------------------------------------------------------------- the law

REGIMES = [
    *[(1, 1, 2), (1, 1, 10), (1, 999, 1000), (2, 1, 2), (2, 1, 3), (2, 2**31 - 2**20, 2**31), (3, 2, 5), (5, 1, 2)],
    *[(10, 1, 3), (19, 1, 2), (20, 1, 2), (21, 1, 2), (33, 3, 10), (40, 2, 9), (50, 1, 5), (63, 1, 7), (64, 1, 7)],
    *[(99, 1, 10), (100, 1, 10), (101, 1, 10), (99, 9, 10), (100, 9, 10), (101, 9, 10), (99, 10, 99), (1000, 1, 100)],
    *[
        (10**6, 999, 10**8),
        (10**6, 1001, 10**8),
        (10**4, 1, 2**20),
        (10**6, 1, 10**6),
        (10**9, 1, 10**9),
        (10**9, 9, 10**9),
    ],
    *[(10**9, 11, 10**9), (10**9, 10**9 - 3, 10**9), (10**9, 10**9 - 30, 10**9), (30, 1, 2), (60, 2, 5), (200, 1, 2)],
    *[
        (200, 1, 7),
        (1000, 1, 2),
        (1000, 7, 8),
        (10**5, 1, 3),
        (10**6, 123456789, 2**31),
        (10**6, 2**31 - 9999999, 2**31),
        (2000, 2**61 + 2**40 + 1, 2**62),
        (10**6, 2**62 // 3, 2**62 - 2**31 + 1),
        (10**6, 2**42 + 1, 2**62),
    ],
]
DRAWS = 200_000


def chi_square(counts: NDArray[np.float64], probabilities: NDArray[np.float64]) -> float:
    """The p-value over cells merged from the left until each expects ten draws or more."""
    expected, observed, cells = 0.0, 0.0, []
    for probability, count in zip(probabilities * counts.sum(), counts, strict=True):
        expected, observed = expected + probability, observed + count
        if expected >= 10:
            cells.append((expected, observed))
            expected, observed = 0.0, 0.0
    last = cells.pop()
    expectations, observations = np.array([*cells, (last[0] + expected, last[1] + observed)]).T
    statistic = ((observations - expectations) ** 2 / expectations).sum()
    return float(stats.chi2.sf(statistic, len(expectations) - 1))


@pytest.mark.parametrize(("n", "a", "b"), REGIMES)
def test_law(n: int, a: int, b: int) -> None:
    """Chi-square over all values of k within 9 standard deviations; Bonferroni over the regimes."""
    k, law = sample(n, a, b, DRAWS), stats.binom(n, a / b)
    low, high = max(0, int(law.mean() - 9 * law.std() - 30)), min(n, int(law.mean() + 9 * law.std() + 30))
    assert low <= k.min() and k.max() <= high
    support = np.arange(low, high + 1)
    assert chi_square(
        np.bincount(k - low, minlength=support.size).astype(float), law.pmf(support)
    ) > FALSE_ALARMS / len(REGIMES)


LARGE = [
    (10**12, 1, 2),
    (10**12, 1, 3),
    (10**12, 99, 100),
    (2**53, 1, 2),
    (2**53, 1, 2**31),
    (2**53, 2**31 - 77, 2**31),
    (2**53, 5, 7),
    (2**53, 2**62 // 5, 2**62 - 1),
]


def near_normal_cdf(k: NDArray[np.int64], n: int, a: int, b: int) -> NDArray[np.float64]:
    """P(X <= k) by Edgeworth's series up to the skewness, with the continuity correction: right to order 1/(n p q)."""
    p, mean = a / b, n * a // b
    sd = math.sqrt(n * p * (1 - p))
    z = ((k - mean).astype(float) + 0.5 - (n * a % b) / b) / sd
    result: NDArray[np.float64] = stats.norm.cdf(z) - (1 - 2 * p) / (6 * sd) * (z * z - 1) * stats.norm.pdf(z)
    return result


@pytest.mark.parametrize(("n", "a", "b"), LARGE)
def test_law_of_large_numbers_of_trials(n: int, a: int, b: int) -> None:
    """Mean, variance, and chi-square over some 1000 cells; Bonferroni over all three."""
    k, p = sample(n, a, b, DRAWS), a / b
    mean, sd = n * a // b, math.sqrt(n * p * (1 - p))
    deviation = ((k - mean).astype(float) - (n * a % b) / b) / sd
    z_mean = deviation.mean() * math.sqrt(DRAWS)
    z_variance = (np.mean(deviation**2) - 1) * math.sqrt(DRAWS / 2)
    edges = mean + np.unique(np.rint(sd * stats.norm.ppf(np.arange(1, 1000) / 1000)).astype(np.int64))
    counts = np.bincount(np.searchsorted(edges, k), minlength=edges.size + 1).astype(float)  # edge < k <= next edge
    probabilities = np.diff(near_normal_cdf(edges, n, a, b), prepend=0.0, append=1.0)
    p_values = [*(2 * stats.norm.sf([abs(z_mean), abs(z_variance)])), chi_square(counts, probabilities)]
    assert min(p_values) > FALSE_ALARMS / (3 * len(LARGE))


def test_draws_at_different_addresses_are_uncorrelated() -> None:
    k = sample(1000, 1, 4, DRAWS).astype(float)
    assert abs(np.corrcoef(k[:-1], k[1:])[0, 1]) * math.sqrt(DRAWS) < stats.norm.isf(FALSE_ALARMS / 2)


# ---------------------------------------------------------------- draws made together

STRIPE = 256


@njit(error_model="numpy")
def together(n, a, b, c0, k0, k1):  # type: ignore[no-untyped-def]
    """Draws made together and one by one, from a workspace full of rubbish."""
    size = n.size
    out, alone, work = np.full(size + 1, -7, np.int64), np.full(size + 1, -7, np.int64), workspace(size)
    for whole_numbers in (work.many, work.taken, work.total, work.mode, work.drawn):
        whole_numbers[:] = -1
    for words in (work.number, work.first, work.second, work.verdict, work.large, work.alone):
        words[:] = U(0xFFFFFFFFFFFFFFFF)
    for lists in (work.untried, work.queue, work.unsure):
        lists[:] = U(0xFFFFFFFFFFFFFFFF)
    for reals in (work.inverse, work.p, work.excess, work.sd, work.doubts.ravel()):
        reals[:] = np.nan
    given = np.full((3, size + LANES), -1, np.int64)
    inverse, numbers = np.full(size + LANES, np.nan), np.full(size + LANES, U(0xFFFFFFFFFFFFFFFF))
    given[0, :size], given[1, :size], given[2, :size], inverse[:size], numbers[:size] = n, a, b, 1.0 / b, c0
    binomials(
        given[0], given[1], given[2], inverse, numbers, U(3), U(1) << U(16), U(5), k0, k1, out, work, size
    )  # fmt: skip
    for j in range(size):
        alone[j] = binomial(n[j], a[j], b[j], c0[j], U(3), U(1) << U(16), U(5), k0, k1)
    return out, alone


def compare_together() -> None:
    """All kinds of draws mixed: none, all, certain, small means, large ones, the rarer outcome and the other."""
    rng = np.random.default_rng(7)
    for size in (1, 7, 8, 9, 31, 33, 100, STRIPE - 1, STRIPE):
        for kind in range(30):
            n, b = (
                (2 ** rng.uniform(0, 53, size)).astype(np.int64),
                1 + (2 ** rng.uniform(0, 31 if kind % 2 else 61, size)).astype(np.int64),
            )
            if kind % 3 == 0:  # means about the switch, small modes, ties of a or of b - a
                n, b = rng.integers(15, 60, size), np.full(size, 2**31)
            if kind % 3 == 1:  # all of them large, or nearly all
                n, b = rng.integers(10**6, 10**15, size), np.full(size, 2**31 if kind % 2 else 2**62)
            a = (b * rng.uniform(0.01, 0.99, size)).astype(np.int64)
            if kind % 3 == 2 or kind % 6 == 1:
                special = rng.integers(0, 12 if kind % 3 == 2 else 40, size)
                a[special == 0], n[special == 1], n[special == 2] = 0, 0, 2**53
                a[special == 3] = b[special == 3]
            numbers = rng.integers(0, 2**32, size).astype(np.uint64)
            out, alone = together(n, a, b, numbers, *KEY)
            assert np.array_equal(out, alone)


def test_draws_made_together_are_those_made_one_by_one() -> None:
    """With every index checked."""
    environment = os.environ | {"NUMBA_BOUNDSCHECK": "1"}
    code = "from tests.test_binomial import compare_together; compare_together()"
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)


@njit(error_model="numpy")
def squeezed(n, a, b, offsets, factors):  # type: ignore[no-untyped-def]
    """What the squeeze says of m + j for LANES offsets j where the target is so many times f(m + j)/f(m): whether it is reached,
    and whether not."""
    p, m, excess, sd = _centre(n, a, b, 1.0 / b)
    given, said = np.empty((5, LANES)), np.empty((2, LANES), np.uint64)
    for i in range(LANES):
        target = math.exp(log_acceptance(n, a, b, m + offsets[i])) * factors[i]
        given[:, i] = offsets[i] - (excess + p - 0.5), p, sd, 3.0 * target, 3.0
    yes, no = _squeeze(
        fetch_reals(given[0], 0), fetch_reals(given[1], 0), fetch_reals(given[2], 0), fetch_reals(given[3], 0),
        fetch_reals(given[4], 0),
    )  # fmt: skip
    keep(choose(yes, U(1), U(0)), said[0], 0)
    keep(choose(no, U(1), U(0)), said[1], 0)
    return said


def test_the_squeeze_decides_as_the_test_does() -> None:
    """At targets a millionth below and above f(k)/f(m) it is right or unsure, for all magnitudes of n and p; and it is sure of
    targets 5 % off, from sd = 60 on within 3 sd."""
    rng, decided, asked = np.random.default_rng(11), 0, 0
    factors = np.resize([1.0 - 1e-6, 1.0 + 1e-6, 0.95, 1.05], LANES)
    for n, a, b in arguments(4000, 62):
        a = min(a, b - a)
        sd, mode = math.sqrt(n * (a / b) * (1 - a / b)), (n + 1) * a // b
        z = np.repeat(rng.uniform(-9, 9, LANES // 4), 4)
        offsets = np.clip(np.rint(z * sd), -mode, n - mode).astype(np.int64)
        yes, no = squeezed(n, a, b, offsets, factors).astype(bool)
        assert not no[::4].any() and not yes[1::4].any(), (n, a, b, offsets)
        if sd > 60:
            near = np.abs(offsets) < 3 * sd
            asked += 2 * int(near[::4].sum())
            decided += int((yes & ~no & near)[2::4].sum() + (no & ~yes & near)[3::4].sum())
    assert asked > 280 * LANES and decided == asked
