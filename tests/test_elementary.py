"""Portable elementary functions against mpmath, in units in the last place, and their machine code."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
from numba import njit

from randwalk.kernels import elementary

RNG = np.random.default_rng(14)


def over(function: Any) -> Callable[..., Any]:
    """The function of arrays, in a loop as kernels have it."""

    @njit(error_model="numpy")
    def loop(x: Any) -> Any:
        out = np.empty(x.size)
        for i in range(x.size):
            out[i] = function(x[i])
        return out

    return loop


def spread(low: float, high: float, n: int = 400) -> Any:
    """Numbers of all sizes between two ends, with both signs if the first is negative."""
    even = RNG.uniform(low, high, n)
    sizes = 10.0 ** RNG.uniform(-12.0, math.log10(max(abs(low), high)), n)
    both = np.concatenate([even, sizes, -sizes])
    return both[(both >= low) & (both <= high)]


def error(values: Any, exact: list[Any]) -> float:
    """The largest error in units in the last place of the exact values, or of 2^-1022."""
    with mpmath.workprec(200):
        errors = [
            abs(mpmath.mpf(float(v)) - e) / math.ulp(max(abs(float(e)), 2.0**-1022))
            for v, e in zip(values, exact, strict=True)
        ]
    return float(max(errors))


CASES = {
    "exp": (mpmath.exp, spread(-745.0, 709.7), 1.0),
    "expm1": (mpmath.expm1, spread(-50.0, 700.0), 2.0),
    "log": (
        mpmath.log,
        np.concatenate([spread(1e-12, 1e300), spread(0.9, 1.1), 2.0 ** RNG.uniform(-1074, -1022, 50)]),
        1.0,
    ),
    "sin": (mpmath.sin, np.concatenate([spread(-1e6, 1e6), RNG.integers(1, 600_000, 300) * (math.pi / 2)]), 1.0),
    "cos": (mpmath.cos, np.concatenate([spread(-1e6, 1e6), RNG.integers(1, 600_000, 300) * (math.pi / 2)]), 1.0),
    "tan": (mpmath.tan, spread(-1e6, 1e6), 3.0),
    "sinh": (mpmath.sinh, np.concatenate([spread(-700.0, 700.0), spread(-2.0, 2.0)]), 3.0),
    "cosh": (mpmath.cosh, np.concatenate([spread(-700.0, 700.0), spread(-2.0, 2.0)]), 2.0),
    "tanh": (mpmath.tanh, np.concatenate([spread(-30.0, 30.0), spread(-1.0, 1.0)]), 3.0),
    "arctan": (mpmath.atan, np.concatenate([spread(-1e9, 1e9), spread(-4.0, 4.0)]), 1.0),
    "erf": (mpmath.erf, np.concatenate([spread(-7.0, 7.0), spread(-1.5, 1.5)]), 1.0),
    "erfc": (mpmath.erfc, np.concatenate([spread(-7.0, 26.0), spread(-1.5, 1.5)]), 3.0),
}


@pytest.mark.parametrize("name", CASES)
def test_within_the_stated_error(name: str) -> None:
    exact, x, bound = CASES[name]
    with mpmath.workprec(200):
        values = [exact(mpmath.mpf(float(v))) for v in x]
    assert error(over(getattr(elementary, name))(x), values) <= bound


def test_power_within_one_unit() -> None:
    x = np.concatenate([spread(1e-12, 1e12), 1.0 + spread(-0.5, 0.5)])
    y = RNG.uniform(-20.0, 20.0, x.size)

    @njit(error_model="numpy")
    def loop(x: Any, y: Any) -> Any:
        out = np.empty(x.size)
        for i in range(x.size):
            out[i] = elementary.power(x[i], y[i])
        return out

    with mpmath.workprec(200):
        exact = [mpmath.mpf(float(a)) ** mpmath.mpf(float(b)) for a, b in zip(x, y, strict=True)]
    assert error(loop(x, y), exact) <= 1.0
    ends = np.array([0.0, 1.0, -1.0, 2.0, -2.0, 0.5, -0.5, np.inf, np.nan, 5e-324, 1e-310, 1.7e308])
    powers = np.array([0.0, 1.0, -1.0, 2.0, 3.0, -3.0, 0.5, -0.5, 1e3, 1e5 + 1.0, 2.5])
    a, b = (v.ravel() for v in np.meshgrid(ends, powers))
    with np.errstate(all="ignore"):
        wanted = np.power(a, b)
    np.testing.assert_allclose(loop(a, b), wanted, rtol=1e-15)


def test_ends() -> None:
    x = np.array([0.0, np.inf, -np.inf, np.nan, 1e4, -1e4])
    wanted = {
        "exp": np.exp, "log": np.log, "tanh": np.tanh, "arctan": np.arctan, "sign": np.sign, "sinh": np.sinh, "cosh": np.cosh,
    }  # fmt: skip
    for name, function in wanted.items():
        given = x[:3] if name == "sign" else x
        with np.errstate(all="ignore"):
            np.testing.assert_allclose(
                over(getattr(elementary, name))(given), function(given), rtol=1e-14, err_msg=name
            )
    assert np.isnan(over(elementary.sin)(np.array([np.inf, np.nan]))).all()
    assert np.array_equal(over(elementary.heaviside)(np.array([-1.0, 0.0, 1.0])), [0.0, 1.0, 1.0])
    assert np.array_equal(over(elementary.erf)(np.array([np.inf, -np.inf, 0.0])), [1.0, -1.0, 0.0])
    assert np.array_equal(over(elementary.erfc)(np.array([np.inf, -np.inf, 0.0])), [0.0, 2.0, 1.0])


@pytest.mark.parametrize("name", CASES)
def test_no_call_and_no_fused_operation(name: str) -> None:
    """Of libm, whose bits differ between machines, and of multiply-add."""
    loop: Any = over(getattr(elementary, name))
    loop(np.ones(8))
    code = loop.inspect_llvm(loop.signatures[0])
    body = code[: code.index("define linkonce_odr") if "define linkonce_odr" in code else None]
    called = set(re.findall(r"call [^@\n]*@([\w.$]+)", body))
    assert not {
        f
        for f in called
        if "fma" in f or f in {"exp", "log", "sin", "cos", "tan", "pow", "tanh", "erf", "sinh", "cosh", "atan"}
    }
    assert not re.search(r"\bvfn?m(add|sub)", loop.inspect_asm(loop.signatures[0]))
