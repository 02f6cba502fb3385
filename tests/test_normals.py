"""Increments of continuous walks against plain Python and mpmath, their laws, and committed answers (docs/stream.md)."""

from __future__ import annotations

import hashlib
import math
import re
from typing import Any

import mpmath
import numpy as np
import pytest
from numba import njit
from scipy import stats

from randwalk.jit.compile import OPTIONS
from randwalk.kernels import normal
from randwalk.kernels.philox import key

from . import naive

SEED = 7
FIRST = 2**32 - 2  # walkers on both sides of the two counter words that hold their number


def increments(fill: Any, walkers: int, first: int, count: int, seed: int = SEED, start: int = FIRST) -> Any:
    """Increments `first` … of some walkers, shape (count, walkers)."""
    z, words = np.full((count + normal.SPARE, normal.BLOCK), np.nan), np.zeros((3, normal.BLOCK), np.uint64)
    number = np.arange(start, start + normal.BLOCK, dtype=np.uint64)
    row = fill(z, words, number, walkers, first, count, key(seed))
    return z[row : row + count, :walkers]


def words(walker: int, number: int, purpose: int) -> tuple[int, ...]:
    counter = (walker & 0xFFFFFFFF, walker >> 32, number, purpose | 3 << 8)
    return naive.philox(counter, naive.key(SEED))


def naive_normal(walker: int, number: int) -> float:
    """The member of Box and Muller's pair, to 30 digits."""
    w = words(walker, number // 2, 6)
    u = 1 - mpmath.mpf((w[0] | w[1] << 32) >> 12) / 2**52
    turn = 2 * mpmath.pi * mpmath.mpf((w[2] | w[3] << 32) >> 12) / 2**52
    return float(mpmath.sqrt(-2 * mpmath.log(u)) * (mpmath.sin(turn) if number % 2 else mpmath.cos(turn)))


def naive_sign(walker: int, number: int) -> float:
    w = words(walker, number // 128, 7)
    return -1.0 if w[number % 128 // 32] >> number % 32 & 1 else 1.0


def naive_third(walker: int, number: int) -> float:
    word, outer = words(walker, number // 4, 11)[number % 4], 2**32 // 6
    return math.sqrt(3.0) * ((word < outer) - (word >= 2**32 - outer))


CASES = {"normals": naive_normal, "signs": naive_sign, "thirds": naive_third}


@pytest.mark.parametrize("name", CASES)
def test_each_increment_is_that_of_its_number(name: str) -> None:
    """Whatever the first one asked for is; normals within an error of 4e-16 in radius and turn."""
    for first in (0, 1, 126, 1003):
        drawn = increments(getattr(normal, name), 5, first, 9)
        with mpmath.workdps(30):
            wanted = [[CASES[name](FIRST + j, first + r) for j in range(5)] for r in range(9)]
        np.testing.assert_allclose(drawn, wanted, rtol=0.0, atol=4e-15 if name == "normals" else 0.0)


def test_laws() -> None:
    """Of 4·10⁵ increments of each kind; a false alarm in one of 10⁴ runs of all."""
    n = 1600
    drawn = {name: increments(getattr(normal, name), 256, 0, n, seed=1, start=0) for name in CASES}
    x = drawn["normals"]
    assert stats.kstest(x.ravel(), "norm").pvalue > 1e-5
    assert stats.kstest((x[::2] ** 2 + x[1::2] ** 2).ravel(), "chi2", args=(2,)).pvalue > 1e-5  # pairs are independent
    correlated = np.corrcoef(np.concatenate([x[::2], x[1::2], x[::2] ** 2, x[1::2] ** 2]).reshape(4, -1))
    others = correlated[np.triu_indices(4, 1)]
    assert np.abs(others).max() < 4.9 / math.sqrt(x.size / 2)
    for name, moments in (("signs", (0, 1, 0, 1)), ("thirds", (0, 1, 0, 3))):
        values = drawn[name].ravel()
        for power, moment in enumerate(moments, 1):
            error = (values**power).std() / math.sqrt(values.size)
            assert abs((values**power).mean() - moment) <= 5.0 * error + 1e-12
    assert abs(np.corrcoef(drawn["signs"].ravel()[1:], drawn["signs"].ravel()[:-1])[0, 1]) < 5.0 / math.sqrt(n * 256)


def test_no_normal_exceeds_the_resolution() -> None:
    """The smallest u is 2^-52."""
    assert normal.normal_pair(np.uint64(2**64 - 1), np.uint64(0)) == (math.sqrt(104.0 * math.log(2.0)), 0.0)
    assert normal.normal_pair(np.uint64(0), np.uint64(1 << 63)) == (0.0, 0.0)


ANSWERS = {"normals": "fe27c39c2d37269f", "signs": "31201a18ecd36386", "thirds": "63e552457a229ba8"}


@pytest.mark.parametrize("name", CASES)
def test_known_answers(name: str) -> None:
    drawn = np.ascontiguousarray(increments(getattr(normal, name), 256, 3, 1000) + 0.0)
    assert hashlib.sha256(drawn.tobytes()).hexdigest()[:16] == ANSWERS[name]


def test_coarse_increments_have_the_law_of_the_fine() -> None:
    """A normal is the sum of two over √2; of points the first of two is taken, since a sum would have another law."""
    for name, merge in (("normals", normal.merged_normals), ("signs", normal.merged_points)):
        z = np.ascontiguousarray(increments(getattr(normal, name), 256, 0, 12))
        fine = z.copy().reshape(3, 2, 2, 256)  # step, half of it, source
        merge(z, 256, 0, 3, 2)
        wanted = math.sqrt(0.5) * (fine[:, 0] + fine[:, 1]) if name == "normals" else fine[:, 0]
        np.testing.assert_array_equal(z[:6].reshape(3, 2, 256), wanted)


def test_plain_arithmetic() -> None:
    """No call of libm and no fused multiply-add in the kernel of normals."""
    kernel: Any = njit(**OPTIONS)(normal.normals.py_func)  # type: ignore[attr-defined]
    assert np.isfinite(increments(kernel, 1, 0, 2)).all()
    code = kernel.inspect_llvm(kernel.signatures[0])
    assert "fmul" in code
    assert not any(name in code for name in ("@log", "@sin", "@cos", "fmuladd", "llvm.fma"))
    assert not re.search(r"\bvfn?m(add|sub)", kernel.inspect_asm(kernel.signatures[0]))
