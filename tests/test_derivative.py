"""Derivatives of Python functions, traced or by differences, in any unit; what has no derivative says so."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

import randwalk as rw
from randwalk.model.coefficient import NoDerivative, as_coefficient, constant_value

UNITS = [1e-12, 1e-9, 1e-6, 1e-3, 1.0, 1e3, 1e6, 1e9]
R = rw.Reflecting()


def opaque(function: Callable[..., Any], **declared: Any) -> rw.Function:
    """The function behind a call that only numbers and arrays can make."""
    table = rw.Function(lambda x: function(np.asarray(x, dtype=float)), **declared)
    assert table.tree is None
    return table


# ---------------------------------------------------------------- traced

x_only: list[tuple[Callable[..., Any], Callable[[float], float]]] = [
    (lambda x: 1e-12 * (1 + 0.5 * np.sin(x / 1e-6)), lambda x: 0.5e-6 * math.cos(x / 1e-6)),
    (lambda x: np.exp(-((x - 0.3) ** 2)) / (1 + x**2), lambda x: float(mpmath.diff(
        lambda z: mpmath.exp(-((z - 0.3) ** 2)) / (1 + z**2), x))),
    (lambda x: np.polyval([1.0, -2.0, 3.0], x), lambda x: 2 * x - 2),
    (lambda x: np.polynomial.polynomial.polyval(x, [3.0, -2.0, 1.0]), lambda x: 2 * x - 2),
    (lambda x: np.abs(x - 0.2) + abs(x), lambda x: np.sign(x - 0.2) + np.sign(x)),
    (lambda x: np.clip(x, -0.5, 0.5) ** 2, lambda x: 2 * x * (abs(x) < 0.5)),
    (lambda x: np.maximum(0.0, x) - np.minimum(x, -0.5), lambda x: float(x > 0) - float(x < -0.5)),
    (lambda x: np.where(x > 0.25, 1.0 - x, x + 0.5), lambda x: -1.0 if x > 0.25 else 1.0),
    (lambda x: np.where((x > -0.5) & (x <= 0.5), 0.25 - x**2, 0.0), lambda x: -2 * x * (abs(x) < 0.5)),
    (lambda x: np.select([x < 0, x < 0.5], [x, 2 * x], 1.0), lambda x: 1.0 if x < 0 else 2.0 * (x < 0.5)),
    (lambda x: special.erf(x) + special.expit(x), lambda x: 2 / math.sqrt(math.pi) * math.exp(-x * x)
        + math.exp(-x) / (1 + math.exp(-x)) ** 2),
    (lambda x: np.where(x > 0.1, np.log(np.abs(x) + 1e-300), math.log(0.1)), lambda x: 1 / x if x > 0.1 else 0.0),
    (lambda x: np.float64(2.0) * x + np.ones_like(x) - np.hypot(x, 3.0), lambda x: 2 - x / math.hypot(x, 3)),
    (lambda x: -x - ~(x < 0) * x + (x < 5) * (x - 5), lambda x: -float(x >= 0)),
    (lambda x: np.expm1(x) + np.log1p(x**2) + np.square(x), lambda x: math.exp(x) + 2 * x / (1 + x * x) + 2 * x),
]  # fmt: skip


@pytest.mark.parametrize("case", range(len(x_only)))
def test_numpy_functions_are_traced(case: int) -> None:
    function, slope = x_only[case]
    c = rw.Function(function)
    assert c.tree is not None
    for x in (-0.9, -0.3, 0.13, 0.4, 0.77):
        assert float(c.derivative("x")(x)) == pytest.approx(slope(x), rel=1e-11, abs=1e-14)


def test_traced_functions_of_x_and_t() -> None:
    c = as_coefficient(lambda t, x: np.sin(x / 1e-6) * np.where(t < 2e-9, t / 1e-9, 2.0))
    x, t = 0.7e-6, 1.5e-9
    assert float(c.derivative("x")(x, t)) == pytest.approx(math.cos(0.7) * 1.5e6, rel=1e-12)
    assert float(c.derivative("t")(x, t)) == pytest.approx(math.sin(0.7) * 1e9, rel=1e-12)
    assert float(c.derivative("t").derivative("x")(x, t)) == pytest.approx(math.cos(0.7) * 1e15, rel=1e-12)
    assert c.breaks("t", 0.0, 1e-8) == pytest.approx([2e-9]) and c.width("x", 0.0, 1e-5) == pytest.approx(1e-6)
    moving = as_coefficient(lambda x, t: np.where(x > t, x - t, 0.0))
    assert moving.moving_breaks and moving.derivative("x")(2.0, 1.0) == 1.0 and moving.derivative("t")(0.0, 1.0) == 0.0


def add_in_place(x: Any) -> Any:
    x += 1.0
    return x**2


def test_functions_that_write_into_a_symbol() -> None:
    assert rw.Function(add_in_place).derivative("x")(2.0) == 6.0
    assert rw.Function(lambda x: np.array([1.0, 3.0])[(np.asarray(x) > 0).astype(int)]).tree is None


def by_branches(x: float) -> float:
    return x if x > 0 else 2.0 * x


def doubles_arrays(x: Any) -> Any:
    return 2.0 * x if isinstance(x, np.ndarray) else x


def far_out(x: Any) -> Any:
    try:
        return np.where(np.asarray(x, dtype=float) > 1e5, 0.0, x)
    except TypeError:
        return x + 0.0


@pytest.mark.parametrize(
    "function",
    [
        by_branches,
        doubles_arrays,
        far_out,
        lambda x: math.sin(x),
        lambda x: np.interp(x, [0, 1], [0, 1]),
        lambda x: np.round(x),
        lambda x: x % 1.0,
        lambda x: np.cbrt(x),
        lambda x: [1.0, 2.0][int(x > 0)],
        lambda x: np.where(x == 0, 1.0, x),
        lambda x: np.asarray(x, dtype=np.float64) * 2.0,
        lambda x: {0.0: 1.0}.get(x, 3.0) if isinstance(x, float) else x * 0 + 2.0,
        np.cbrt,
        "abc".count,
    ],
)
def test_what_is_no_formula_stays_opaque(function: Any) -> None:
    """Also functions that look like one to a symbol: their values differ."""
    try:
        c = rw.Function(function)
    except (TypeError, ValueError):
        return
    if function is not doubles_arrays and "get" not in getattr(getattr(function, "__code__", None), "co_names", ()):
        assert c.tree is None
    else:
        assert c.tree is None or c(0.3) == c.tree(0.3)


def test_tracing_changes_no_value() -> None:
    """Bit for bit: a walk's tables are made by calling the function, whatever its tree would give."""

    def function(x: Any) -> Any:
        return x / 3e-7 * 0.1 + np.sin(x / 1e-6) ** 3

    c = rw.Function(function)
    x = np.random.default_rng(5).normal(size=1000) * 1e-5
    assert c.tree is not None
    np.testing.assert_array_equal(c(x), function(x))


# ---------------------------------------------------------------- by differences


@pytest.mark.parametrize("unit", UNITS)
def test_differences_in_any_unit(unit: float) -> None:
    """To 1e-9 of the largest slope, at 0, at many points and far from the origin."""
    rng = np.random.default_rng(11)
    few, many = np.array([0.0, 1e-3, -0.4, 2.0]) * unit, rng.uniform(-3, 3, 500) * unit
    knots = np.linspace(-4, 4, 41)
    shapes: list[tuple[Callable[..., Any], Callable[..., Any]]] = [
        (np.sin, np.cos),
        (lambda z: 1e-12 * (1 + 0.5 * np.sin(z)), lambda z: 0.5e-12 * np.cos(z)),
        (lambda z: np.exp(-(z**2)), lambda z: -2 * z * np.exp(-(z**2))),
        (lambda z: np.tanh(10 * (z - 0.3)), lambda z: 10 / np.cosh(10 * (z - 0.3)) ** 2),
        (lambda z: z**3 - z, lambda z: 3 * z**2 - 1),
        (lambda z: 1e6 + z, lambda z: 1.0 + 0 * z),
        (lambda z: 0 * z + 3.0, lambda z: 0 * z),
        (lambda z: np.interp(z, knots, np.cos(knots)),
         lambda z: (np.diff(np.cos(knots)) / np.diff(knots))[np.searchsorted(knots, z) - 1]),
    ]  # fmt: skip
    for shape, slope in shapes:
        for x in (few, many):
            x = x + 0.01 * unit  # off the knots
            exact = slope(x / unit) / unit
            found = opaque(lambda x, shape=shape: shape(x / unit)).derivative("x")(x)
            np.testing.assert_allclose(found, exact, atol=1e-9 * max(np.abs(exact).max(), 1e-2 / unit), rtol=0)
    far = opaque(lambda x: np.sin(x / unit - 1000.0)).derivative("x")(1000.5 * unit)
    assert float(far) * unit == pytest.approx(math.cos(0.5), abs=1e-8)


@pytest.mark.parametrize("unit", [1e-9, 1e-6, 1.0, 1e6])
def test_second_differences(unit: float) -> None:
    x = np.linspace(-3, 3, 40) * unit
    exact = -np.sin(x / unit)
    searched = opaque(lambda x: np.sin(x / unit)).derivative("x").derivative("x")(x)
    declared = opaque(lambda x: np.sin(x / unit), x_scale=unit).derivative("x").derivative("x")(x)
    np.testing.assert_allclose(searched * unit**2, exact, atol=1e-7)
    np.testing.assert_allclose(declared * unit**2, exact, atol=1e-9)
    in_time = rw.Function(lambda x, t: math.sin(x) * math.cos(t / unit))
    assert float(in_time.derivative("t")(1.0, unit)) * unit == pytest.approx(-(math.sin(1.0) ** 2), abs=1e-9)
    mixed = in_time.derivative("t").derivative("x")(1.0, unit)
    assert float(mixed) * unit == pytest.approx(-math.cos(1.0) * math.sin(1.0), abs=1e-7)


@settings(max_examples=50, deadline=None)
@given(st.floats(-12.0, 9.0), st.floats(-3.0, 3.0), st.floats(-3.0, 6.0))
def test_differences_against_mpmath(decade: float, place: float, far: float) -> None:
    """f = exp(-z²) + z²/5 of z = (x - x₀)/L; x₀ is up to 10⁶ L away: x then has an error of
    ε = 10⁻¹⁶ 10^far, and the best step of a fourth-order difference one of the order of ε^(4/5)."""
    unit = 10.0**decade
    centre = 10.0**far * unit
    x = centre + place * unit
    f = rw.Function(lambda x: math.exp(-(((x - centre) / unit) ** 2)) + 0.2 * ((x - centre) / unit) ** 2)
    with mpmath.workdps(60):
        z = (mpmath.mpf(x) - mpmath.mpf(centre)) / mpmath.mpf(unit)
        exact = float(mpmath.diff(lambda z: mpmath.exp(-(z**2)) + z**2 / 5, z))
    assert float(f.derivative("x")(x)) * unit == pytest.approx(exact, abs=1e-9 + 10 * (1e-16 * 10.0**far) ** 0.8)


def test_differences_next_to_kinks_and_ends() -> None:
    f = opaque(lambda x: np.abs(x - 1.0))
    x = 1.0 + np.array([-1.0, -1e-3, -1e-7, 1e-7, 1e-3, 1.0])
    np.testing.assert_allclose(f.derivative("x")(x), np.sign(x - 1.0), atol=1e-6)
    declared = opaque(lambda x: np.abs(x - 1.0), x_scale=1.0, x_breaks=[1.0])
    np.testing.assert_allclose(declared.derivative("x")(x[np.abs(x - 1) > 1e-6]), [-1, -1, 1, 1], atol=1e-9)
    quarter = rw.Function(lambda x: math.sqrt(1 + x) if 0 <= x <= 1 else math.nan)
    np.testing.assert_allclose(quarter.derivative("x")([0.0, 1.0]), [0.5, 0.5 / math.sqrt(2)], rtol=1e-9)
    raises = rw.Function(lambda x: math.sqrt(x) * x)  # a domain error below 0
    assert float(raises.derivative("x")(1e-3)) == pytest.approx(1.5 * math.sqrt(1e-3), rel=1e-7)


def test_what_has_no_derivative_is_refused_and_the_remedies_work() -> None:
    rng = np.random.default_rng(0)
    step = rw.Function(lambda x: 1.0 if x > 0.25 else 0.0).derivative("x")
    with pytest.raises(NoDerivative, match=r"cannot be found at x = 0\.25, t = 0: .*x_derivative=.*x_scale="):
        step([0.0, 0.25])
    assert step([0.0, 0.3]).tolist() == [0.0, 0.0]
    with pytest.raises(NoDerivative, match="cannot be found at x"):
        rw.Function(lambda x: rng.random(np.shape(x)) if not isinstance(x, float) else rng.random()).derivative("x")(
            1.0
        )
    with pytest.raises(NoDerivative, match=r"x_derivative=\.\.\.\)$"):
        rw.Function(lambda x: 1.0 if x > 0.25 else 0.0, x_scale=1.0).regular_derivative("x")(0.25)
    assert rw.Function(lambda x: 1.0 if x > 0.25 else 0.0, x_derivative=0.0).derivative("x")(0.25) == 0.0
    rough = rw.Function(lambda x: math.sin(x) + 1e-9 * (hash(x) % 1000) / 1000.0, x_scale=1.0)
    assert float(rough.derivative("x")(0.4)) == pytest.approx(math.cos(0.4), abs=1e-5)
    with pytest.raises(ValueError, match=r"jumps at x = 0\.25, t = 0: "):
        rw.Function(lambda x, t: 1.0 if x > 0.25 else t, x_breaks=[0.25]).derivative("x")
    assert rw.Function(lambda x: max(x, 0.0), x_breaks=[0.0]).derivative("x")(1.0) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("text", "variable", "place"),
    [
        ("heaviside(x - 20)", "x", "20"), ("1 + 0.5*sign(x**2 - 4)", "x", "-2"), ("t*heaviside(x + 1e-6)", "x", "-1e-06"),
        ("heaviside(t - 3e-9)", "t", "3e-09"), ("heaviside(sin(40*x))", "x", "-"), ("heaviside(x - t)", "x", ""),
        ("exp(heaviside(x - 1))", "x", "1"), ("2**sign(x - 1)", "x", "1"),
    ],
)  # fmt: skip
def test_jumps_have_no_derivative(text: str, variable: str, place: str) -> None:
    c = rw.expression(text)
    with pytest.raises(ValueError, match=rf"jumps at {variable} = {place}.*Write the jump as 0\.5\*\(1 \+ tanh\("):
        c.derivative(variable)
    assert np.isfinite(c.regular_derivative(variable)(0.123, 0.456))


@pytest.mark.parametrize("text", ["x*heaviside(x)", "heaviside(x**2 - 1)*(x**2 - 1)", "heaviside(x - t)*(x - t)",
                                  "heaviside(x) + heaviside(-x)", "1/x", "sqrt(x)", "log(abs(x))", "tan(x)",
                                  "heaviside(t)*x", "abs(x - 3)"])  # fmt: skip
def test_steps_that_do_not_jump_have_a_derivative(text: str) -> None:
    c = rw.expression(text)
    x, t, h = 1.7, 0.6, 1e-6
    difference = float(c(x + h, t) - c(x - h, t)) / (2 * h)
    assert float(c.derivative("x")(x, t)) == pytest.approx(difference, abs=1e-8)


def test_the_remedy_for_a_jump_works() -> None:
    w = 1e-3
    smooth = rw.expression("1e-4 + 0.0099*0.5*(1 + tanh((20 - x)/w))", w=w)
    assert float(smooth.derivative("x")(20.0)) == pytest.approx(-0.0099 / (2 * w))


def test_declarations_are_checked() -> None:
    def f(x: float) -> float:
        return math.sin(x)

    with pytest.raises(ValueError, match="t_scale is given, and f does not depend on t: leave it out"):
        rw.Function(f, t_scale=1.0)
    with pytest.raises(ValueError, match="t_breaks is given"):
        rw.Function(f, t_breaks=[1.0])
    for bad in (0.0, -1.0, math.nan, math.inf):
        with pytest.raises(ValueError, match=r"x_scale = .*: must be positive and finite"):
            rw.Function(f, x_scale=bad)
    with pytest.raises(TypeError, match="x_scale = '1': must be a positive number"):
        rw.Function(f, x_scale="1")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"x_breaks = .*: must be a list of finite numbers"):
        rw.Function(f, x_breaks=[math.nan])
    assert rw.Function(f) == rw.Function(f) != rw.Function(f, x_scale=1.0)
    assert constant_value(rw.Function(f).derivative("t")) == 0.0


# ---------------------------------------------------------------- what it is for


@pytest.mark.parametrize(
    "diffusion", [lambda x: 1e-12 * (1 + 0.5 * np.sin(x / 1e-6)), lambda x: 1e-12 * (1 + 0.5 * math.sin(x / 1e-6))]
)
def test_a_pore_of_twenty_micrometres_keeps_half_its_mass(diffusion: Callable[..., Any]) -> None:
    """Fick's law between reflecting walls ends uniform: half of the mass in either half. After 300 s, six times the
    slowest relaxation time (20 µm)²/(π² D), e⁻⁶ of 0.5 is left of the start."""
    walk = rw.LatticeWalk.from_drift(
        0.0, diffusion, sites=100, domain=rw.Interval(0, 20e-6, R, R), start=5e-6, convention=rw.Convention.FICK
    )
    assert float(walk.drift(0.0)) == pytest.approx(5e-7, rel=1e-9)
    equation = rw.pde.FokkerPlanck(walk.drift, diffusion, domain=walk.domain, start=5e-6)
    solution = rw.pde.solve(equation, [300.0], tolerance=1e-3)
    assert float(solution.cdf(10e-6, 300.0)) == pytest.approx(0.5, abs=3e-3)
