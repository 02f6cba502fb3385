"""Where coefficients bend and jump, how narrow they are, and what they are elsewhere: in any unit of x and t."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import randwalk as rw
from randwalk.model.coefficient import Coefficient, Tanh, affine_parts, tanh_parts

LOW, HIGH = -3.0, 3.0  # in the unit of a test

units = st.sampled_from([1e-12, 1e-9, 1e-6, 1.0, 1e4])
places = st.floats(-2.5, 2.5).map(lambda z: round(z, 3)).filter(lambda z: abs(z) > 0.01)

# (formula of x in units of u, its zeros on [LOW, HIGH] at which it changes its sign)
arguments = st.one_of(
    places.map(lambda a: (f"x/u - {a!r}", [a])),
    places.map(lambda a: (f"3*({a!r} - x/u)", [a])),
    places.map(lambda a: (f"(x/u)**2 - {a * a!r}", [-abs(a), abs(a)])),
    places.map(lambda a: (f"exp(x/u) - {math.exp(a)!r}", [a])),
    places.map(lambda a: (f"x/u*(x/u - {a!r})", [a, 0.0])),
    st.sampled_from([1.0, 3.0, 20.0]).map(
        lambda w: (f"sin({w}*x/u)", [k * math.pi / w for k in range(-20, 21) if abs(k * math.pi / w) < HIGH])
    ),
    places.map(
        lambda a: (f"exp(-((x/u - {a!r})/1e-3)**2) - 0.5", [a + s * 1e-3 * math.sqrt(math.log(2)) for s in (-1, 1)])
    ),
)
terms = st.tuples(
    st.sampled_from(
        ["abs({})", "heaviside({})", "sign({})", "(1 + x/u)*heaviside({})", "exp(-abs({}))", "2**sign({})"]
    ),
    arguments,
)


def close(found: tuple[float, ...], expected: list[float], unit: float) -> bool:
    """The same places, each to 1e-9 of the unit; several expected ones may be one."""
    a, b = np.array(found) / unit, np.unique(np.round(expected, 10))
    near = np.abs(a[:, None] - b[None, :]) < 1e-9
    return bool(near.any(axis=0).all() and near.any(axis=1).all())


@settings(max_examples=150, deadline=None)
@given(st.lists(terms, min_size=1, max_size=3), units, st.sampled_from(["x", "t"]))
def test_breaks_are_the_zeros(parts: list[tuple[str, tuple[str, list[float]]]], unit: float, variable: str) -> None:
    text = " + ".join(outer.format(inner) for outer, (inner, _) in parts).replace("x", variable)
    text = text.replace(f"e{variable}p", "exp")
    c = rw.expression(text, u=unit)
    expected = [zero for _, (_, zeros) in parts for zero in zeros]
    assert close(c.breaks(variable, LOW * unit, HIGH * unit), expected, unit)
    assert c.breaks("t" if variable == "x" else "x", -1.0, 1.0) == () and not c.moving_breaks
    found = c.breaks(variable, LOW * unit, HIGH * unit)
    assert list(found) == sorted(found)
    half = c.breaks(variable, 0.0, HIGH * unit)
    assert all(place > 0.0 for place in half)


@settings(max_examples=60, deadline=None)
@given(st.lists(terms, min_size=1, max_size=3), units)
def test_jumps_against_brute_force(parts: list[tuple[str, tuple[str, list[float]]]], unit: float) -> None:
    """Steps of the tree change the values by 1/2 or more unless they cancel; what is smooth or bends changes by
    less than 0.1 between 200 000 points, but for the narrow Gaussians, which are only under abs."""
    c = rw.expression(" + ".join(outer.format(inner) for outer, (inner, _) in parts), u=unit)
    x = np.linspace(LOW * unit, HIGH * unit, 200_001) + 1e-7 * unit
    values = c(x)
    at = np.flatnonzero(np.abs(np.diff(values)) > 0.1)
    brute = 0.5 * (x[at] + x[at + 1])
    jumps = np.array(c.jumps("x", LOW * unit, HIGH * unit))
    spacing = (HIGH - LOW) * unit / 200_000
    assert all(np.abs(jumps - place).min(initial=np.inf) <= spacing for place in brute)
    sizes = [abs(float(c(j + 1e-9 * unit) - c(j - 1e-9 * unit))) for j in jumps]
    assert min(sizes, default=1.0) > 1e-4  # what is listed jumps


@pytest.mark.parametrize(
    ("text", "variable", "low", "high", "expected"),
    [
        ("1000*(heaviside(t-0.3712)-heaviside(t-0.3722))", "t", 0, 1, [0.3712, 0.3722]),
        ("1e4*(heaviside(x-0.3333)-heaviside(x-0.3343))", "x", 0, 1, [0.3333, 0.3343]),
        ("1e-4+0.0099*heaviside(20-x)", "x", 0, 100, [20]),
        ("1e-4+0.0099*heaviside(20-x)", "x", 20, 100, []),
        ("abs(x)", "x", -math.inf, math.inf, [0]),
        ("abs(x**2)", "x", -1, 1, []),  # smooth
        ("sqrt(x**2)", "x", -1, 1, [0]),
        ("x**0.5 + log(x - 1)", "x", -1, 2, [0, 1]),
        ("1/(x**2 - 2*x + 1)", "x", 0, 3, [1]),  # a pole where nothing changes its sign
        ("1/(x**2 + 1)", "x", -3, 3, []),
        ("tan(x)", "x", -2, 2, [-math.pi / 2, math.pi / 2]),
        ("abs(x*t)", "x", -1, 1, [0]),
        ("heaviside(x)*heaviside(t - 0.5)", "t", 0, 1, [0.5]),
        ("heaviside(x)*heaviside(t - 0.5)", "x", -1, 1, [0]),
        ("x**3 + sin(x) + exp(-x**2)", "x", -9, 9, []),
        ("heaviside(cos(3*t) - 0.5)", "t", 0, 2, [math.acos(0.5) / 3, (2 * math.pi - math.acos(0.5)) / 3]),
        ("abs(tanh(x) - 0.5)", "x", -2, 2, [math.atanh(0.5)]),
    ],
)
def test_breaks_of_formulas(text: str, variable: str, low: float, high: float, expected: list[float]) -> None:
    assert rw.expression(text).breaks(variable, low, high) == pytest.approx(expected, rel=1e-14, abs=1e-14)


def test_breaks_that_move_are_said_to() -> None:
    assert (
        rw.expression("heaviside(x - t)").moving_breaks and rw.expression("heaviside(x - t)").breaks("x", -1, 1) == ()
    )
    assert rw.expression("1/(x - 2*t)").moving_breaks
    assert not rw.expression("abs(x)*abs(t) + abs(x*t)").moving_breaks
    assert not rw.expression("sin(x*t)").moving_breaks


def test_square_wave_has_every_switch() -> None:
    switches = rw.expression("sign(sin(2000*pi*t))").breaks("t", 0.0, 1.0)
    np.testing.assert_allclose(switches, np.arange(1, 2000) / 2000, rtol=1e-12)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("heaviside(x - 1) + x*heaviside(x)", [1]),  # x·θ(x) is continuous
        ("heaviside(x) + heaviside(-x)", []),  # 1, but at 0
        ("abs(x - 1) + sqrt(abs(x))", []),
        ("sign(x)*sqrt(abs(x))", []),
        ("1/x", [0]),
        ("1/x**2 + sign(x - 1)", [0, 1]),
        ("sqrt(x)", []),
        ("heaviside(x)*t", [0]),
        ("heaviside(x**2 - 1)*(x**2 - 1)", []),
        ("1e-12*(1 + 1e-6*heaviside(x))", [0]),
    ],
)
def test_jumps_of_formulas(text: str, expected: list[float]) -> None:
    assert rw.expression(text).jumps("x", -2.0, 2.0) == pytest.approx(expected)


def test_breaks_of_tables() -> None:
    """A knot where the slope stays is none; the slope's are jumps; text around a table keeps its breaks."""
    table = rw.Table([0, 1, 2, 4, 5], [0, 1, 2, 0, 0])
    assert table.breaks("x", 0, 5) == (2.0, 4.0) and table.breaks("x", 2, 4) == () and table.breaks("t", 0, 5) == ()
    assert table.jumps("x", 0, 5) == () and table.derivative("x").jumps("x", 0, 5) == (2.0, 4.0)
    whole = rw.expression("abs(x - 0.5)") * table + 3.0
    assert whole.breaks("x", -10, 10) == (0.5, 2.0, 4.0)
    assert table.width("x", 0, 5) == 1.0 and rw.Table([0, 1e-6, 3], [0, 1, 2]).width("x", 1, 3) == pytest.approx(3)
    with pytest.raises(ValueError, match=r"jumps at x = 2: "):
        table.derivative("x").derivative("x")
    assert rw.Table([0, 1, 3], [1, 3, 7]).derivative("x").derivative("x")(0.5) == 0.0


@pytest.mark.parametrize("unit", [1e-9, 1.0, 1e6])
def test_jumps_of_opaque_functions_are_seen(unit: float) -> None:
    """Found to the last digit between samples; a steep slope, fast waves and rounding are no jumps."""

    def two_steps(x: float) -> float:
        return math.sin(x / unit) + (2.0 if x < 0.3 * unit else 1.0) + (0.01 if x > 1.7 * unit else 0.0)

    assert rw.Function(two_steps).breaks("x", -2 * unit, 2 * unit) == pytest.approx([0.3 * unit, 1.7 * unit], rel=1e-15)
    assert rw.Function(two_steps).jumps("x", -unit, 2 * unit) == pytest.approx([0.3 * unit, 1.7 * unit], rel=1e-15)
    for smooth in (
        lambda z: math.tanh(z / 1e-6),
        lambda z: math.sin(1e5 * z),
        lambda z: 1e3 + float(z),
        lambda z: math.fabs(z - 0.1),
    ):
        assert rw.Function(lambda t, f=smooth: f(t / unit)).breaks("t", -2 * unit, 2 * unit) == ()
    assert rw.Function(lambda x: math.floor(x / unit)).breaks("x", -0.5 * unit, 2.5 * unit) == pytest.approx(
        [0.0, unit, 2 * unit], rel=1e-15, abs=1e-15 * unit
    )


# ---------------------------------------------------------------- widths


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(
        ["exp(-((x - c)/w)**2)", "sin((x - c)/w)", "1/(1 + ((x - c)/w)**2)", "tanh((x - c)/w)", "erf((x - c)/w)",
         "1e-9*(3 + cos(x/w))", "2 + arctan((x - c)/w)", "1/sqrt(w**2 + (x - c)**2)", "exp(-abs(x - c)/w)"]
    ),
    st.sampled_from([1e-6, 1.0, 1e3]), st.floats(-5.0, -0.5), st.floats(-0.9, 0.9),
)  # fmt: skip
def test_width_of_one_feature(text: str, unit: float, decade: float, centre: float) -> None:
    w = 10.0**decade * unit
    for name in ("x", "t"):
        formula = text.replace("exp", "EXP").replace("x", name).replace("EXP", "exp")
        width = rw.expression(formula, w=w, c=centre * unit).width(name, -unit, unit)
        assert w / 3.0 < width < 3.0 * w, formula


def test_widths_of_formulas() -> None:
    def width(text: str, low: float = -1.0, high: float = 1.0, other: tuple[float, float] = (0.0, 0.0)) -> float:
        return rw.expression(text).width("x", low, high, other)

    assert width("3") == width("2 - 5*x") == width("heaviside(x)") == width("sin(t)") == math.inf
    assert width("abs(x - 0.3)") == width("sqrt(x)") == width("1/x") == math.inf  # a break has no width
    assert width("exp(-50*x**2)", -100, 100) == pytest.approx(0.1, rel=0.5)
    assert width("exp(-x**2/2)", -math.inf, math.inf) == pytest.approx(1.0, rel=0.5)
    assert width("sin(x*t)", other=(0.0, 100.0)) == pytest.approx(0.01)
    assert width("exp(-((x - t)/1e-3)**2)", other=(0.0, 1.0)) == pytest.approx(1e-3, rel=0.6)
    assert width("tanh((x - 5)/1e-3)") == math.inf  # its step is elsewhere
    assert width("tanh((x**2 - 0.25)/1e-6)") == pytest.approx(1e-6, rel=0.5)
    assert width("tanh(x/1e-2) + exp(-((x - 0.3)/1e-5)**2)") == pytest.approx(1e-5, rel=0.6)
    assert width("exp(-((x - 0.3)/1e-5)**2)", 0.4, 1.0) > 0.1  # it is elsewhere
    assert rw.Tanh(1.0, 1e5, 0.5).width("x", 0.0, 1.0) == pytest.approx(1e-5)
    with np.errstate(all="raise"):
        assert width("log(x - 5)*sqrt(-1 - x)*exp(1e4*x)/x") > 0.0


# ---------------------------------------------------------------- shifted

shiftable = st.sampled_from(
    [
        "2 - 3*x",
        "tanh(2*x - 1)",
        "sin(x*t) + x**3",
        "heaviside(x - 0.3)*t",
        "abs(x)*exp(-t)",
        "7",
        "x/(2 + t**2)",
        "2**x",
    ]
)


@given(shiftable, st.floats(-3, 3), st.floats(-3, 3), st.floats(-3, 3), st.sampled_from(["x", "t"]))
def test_shifted(text: str, by: float, x: float, t: float, variable: str) -> None:
    c = rw.expression(text)
    there = c(x + by, t) if variable == "x" else c(x, t + by)
    if abs(x + by - 0.3) > 1e-9:
        assert c.shifted(variable, by)(x, t) == pytest.approx(there, rel=1e-9, abs=1e-9)


def test_shifted_keeps_what_a_coefficient_is() -> None:
    assert affine_parts(rw.Affine(1.0, 2.0).shifted("x", 0.5)) == (2.0, 2.0)
    assert tanh_parts(Tanh(1.0, 2.0, 3.0).shifted("x", 0.5)) == (1.0, 2.0, 2.5)
    table = rw.Table([0, 1, 3], [2, 4, 0])
    assert table.shifted("x", 0.5) == rw.Table([-0.5, 0.5, 2.5], [2, 4, 0]) and table.shifted("t", 9.0) is table
    assert rw.expression("heaviside(x - 1)").shifted("x", 0.25).breaks("x", 0, 2) == (0.75,)
    f = rw.Function(lambda x, t: np.interp(x, [0, 1], [0, t]), x_breaks=[0, 1], x_scale=2.0)
    moved = f.shifted("x", 0.5)
    assert moved(0.1, 3.0) == f(0.6, 3.0) and moved.breaks("x", -1, 1) == (-0.5, 0.5) and moved.width("x", -1, 1) == 2.0
    assert moved == f.shifted("x", 0.5) != f and str(moved).endswith("(x + 0.5, t)")
    traced = rw.Function(lambda x: np.where(x > 1, x**2, 1.0)).shifted("x", 0.25)
    assert traced.breaks("x", 0, 2) == (0.75,) and traced.derivative("x")(1.0) == 2.5
    exact = rw.Function(lambda x: math.sin(x), x_derivative=np.cos).shifted("x", 1.0)
    assert exact.derivative("x")(0.5) == math.cos(1.5)
    with pytest.raises(ValueError, match="by = nan: must be a finite number"):
        table.shifted("x", math.nan)


# ---------------------------------------------------------------- depth


def test_trees_too_deep_are_refused_when_made() -> None:
    c: Coefficient = rw.expression("x")
    with pytest.raises(ValueError, match=r"more than 120 levels .* write it as a Python function"):
        for _ in range(10_000):
            c = c * rw.expression("x") + 1.0

    def horner(x: np.ndarray) -> np.ndarray:
        y = x
        for _ in range(10_000):
            y = y * x + 1.0
        return y

    assert float(rw.Function(horner)(0.5)) == pytest.approx(2.0)  # the remedy
    wide = rw.expression("sin(x)")
    for _ in range(500):
        wide = wide + rw.expression("cos(x)")
    assert wide(0.0) == 500.0


def test_declared_breaks_are_no_part_of_the_width_of_a_function() -> None:
    def pulse(t: float) -> float:
        return 1e3 if 0.3712 < t < 0.3722 else 0.0

    assert rw.Function(pulse, t_breaks=[0.3712, 0.3722]).width("t", 0.0, 1.0) == math.inf
    assert rw.Function(pulse).width("t", 0.0, 1.0) < 0.01
