"""Exact sums against fractions, for any partition, order and size of numbers."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from randwalk.laws.sums import ExactSum, NotFinite, SampleSums


def mixed(rng: np.random.Generator, size: int) -> np.ndarray:
    """Numbers of all exponents and both signs, subnormal ones among them."""
    return np.ldexp(rng.uniform(-1.0, 1.0, size), rng.integers(-1073, 1000, size))


@pytest.mark.parametrize("size", [0, 1, 2, 7, 1000])
def test_sums_are_those_of_fractions(size: int) -> None:
    rng = np.random.default_rng(size)
    for values in (rng.standard_normal(size), mixed(rng, size), 1e16 * rng.standard_normal(size) + 0.1):
        exact = sum(map(Fraction, values.tolist()), Fraction(0))
        found = ExactSum.of(values)
        assert Fraction(found.units, 2**1074) == exact
        assert found.value == math.fsum(values) and found.count == size
        if size:
            assert found.mean == float(exact / size)


def test_any_partition_and_order_gives_the_same_bits() -> None:
    rng = np.random.default_rng(3)
    values = mixed(rng, 5000)
    whole = ExactSum.of(values)
    for _ in range(20):
        cuts = np.sort(rng.integers(0, values.size, rng.integers(1, 40)))
        parts = [ExactSum.of(part) for part in np.split(rng.permutation(values), cuts)]
        rng.shuffle(parts)
        assert sum(parts, ExactSum()) == whole


def test_extremes() -> None:
    largest, smallest = np.finfo(float).max, 5e-324
    assert ExactSum.of([largest, largest, -largest]).value == largest
    assert ExactSum.of([largest, largest]).value == math.inf and ExactSum.of([-largest] * 2).value == -math.inf
    assert ExactSum.of([largest] * 4).mean == largest
    assert ExactSum.of([smallest] * 3).units == 3 and ExactSum.of([largest, smallest, -largest]).value == smallest
    assert ExactSum.of([-0.0]).value == 0.0 and math.isnan(ExactSum().mean)
    assert ExactSum.of(np.full(1_000_001, -0.1)).value == float(Fraction(-0.1) * 1_000_001)
    assert ExactSum.of(np.arange(10).reshape(2, 5)[:, ::2]).value == 27.0  # not contiguous, whole numbers


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("place", [0, 1, 4, 6])
def test_what_is_not_finite_is_refused_with_its_place(bad: float, place: int) -> None:
    values = np.ones(7)
    values[place] = bad
    with pytest.raises(NotFinite, match=rf"gains\[{place}\] = {bad}: must be finite") as refused:
        ExactSum.of(values, "gains")
    assert refused.value.index == place


@pytest.mark.parametrize("scale", [1.0, 1e-170, 1e200])
@pytest.mark.parametrize("mean", [0.0, 1e6])
def test_covariances_are_those_of_fractions(scale: float, mean: float) -> None:
    rng = np.random.default_rng(8)
    values = scale * (mean + rng.standard_normal((2, 500)) @ np.diag(np.ones(500)))
    values[1] += 0.5 * values[0]
    shift, unit = values.mean(axis=1), 2.0 ** round(math.log2(scale))
    parts = [SampleSums.of(part, tuple(shift), unit) for part in np.split(values, [10, 11, 300], axis=1)]
    found = sum(parts[1:], parts[0])
    assert found == SampleSums.of(values, tuple(shift), unit)
    x, y = ([Fraction(v) for v in row.tolist()] for row in values)
    mx, my = sum(x) / 500, sum(y) / 500
    np.testing.assert_array_equal(found.means, [float(mx), float(my)])
    unit2 = Fraction(unit) ** 2
    np.testing.assert_allclose(found.errors / unit, np.std(values / unit, axis=1, ddof=1) / math.sqrt(500), rtol=1e-9)
    for (i, j), (a, b) in {(0, 0): (x, x), (0, 1): (x, y), (1, 1): (y, y)}.items():
        ma, mb = sum(a) / 500, sum(b) / 500
        exact = float(sum((p - ma) * (q - mb) for p, q in zip(a, b, strict=True)) / 499 / unit2)
        assert found.covariance[i, j] == pytest.approx(exact, rel=1e-12)


@pytest.mark.parametrize("spread", [1e-3, 1e-8, 1e-15, 0.0])
@pytest.mark.parametrize("size", [1.0, 3e-100, 7e150])
def test_covariances_about_zero_are_exact_whatever_the_mean(size: float, spread: float) -> None:
    """Of numbers that hardly differ, squares rounded to float64 lose all: of 1 ± 1e-9 they made the variance 1.1e-16."""
    rng = np.random.default_rng(3)
    values = size * (1.0 + spread * rng.standard_normal((2, 300)))
    found = SampleSums.of(values[:, :90], (0.0, 0.0)) + SampleSums.of(values[:, 90:], (0.0, 0.0))
    rows = [[Fraction(v) for v in row.tolist()] for row in values]
    means = [sum(row) / 300 for row in rows]
    for i, j in ((0, 0), (0, 1), (1, 1)):
        pairs = zip(rows[i], rows[j], strict=True)
        assert found.covariance[i, j] == float(sum((a - means[i]) * (b - means[j]) for a, b in pairs) / 299)


def test_sums_about_two_shifts_do_not_add_up() -> None:
    with pytest.raises(ValueError, match="take one shift for all parts"):
        SampleSums.of([[1.0, 2.0]], (0.0,)) + SampleSums.of([[1.0]], (1.0,))
    assert np.isnan(SampleSums.of([[1.0]], (0.0,)).covariance).all()
    with pytest.raises(NotFinite, match=r"squares of values\[1\] = inf"):
        SampleSums.of([[1.0, 1e200]], (0.0,))
