"""Coefficients: values, derivatives, text and structure of random formulas; what a formula may not contain; tables and files."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import special

import randwalk as rw
from randwalk.model.coefficient import (
    FUNCTIONS,
    Coefficient,
    Constant,
    Function,
    Product,
    Sum,
    affine_parts,
    as_coefficient,
    constant_value,
    tanh_parts,
)
from randwalk.model.convention import Convention

MP = {
    "sin": mpmath.sin,
    "cos": mpmath.cos,
    "tan": mpmath.tan,
    "exp": mpmath.exp,
    "log": mpmath.log,
    "sqrt": mpmath.sqrt,
    "sinh": mpmath.sinh,
    "cosh": mpmath.cosh,
    "tanh": mpmath.tanh,
    "arctan": mpmath.atan,
    "abs": abs,
    "sign": mpmath.sign,
    "heaviside": lambda z: mpmath.mpf(z >= 0),
    "erf": mpmath.erf,
    "pi": mpmath.pi,
    "e": mpmath.e,
}

SMOOTH = ("sin", "cos", "exp", "tanh", "arctan", "erf", "sinh", "cosh")
numbers = st.sampled_from(["0.5", "2", "1.25", "3", "0.1", "1e-3", "pi", "7"])
leaves = st.one_of(st.sampled_from(["x", "t", "x", "x"]), numbers)
formulas = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*"]), inner).map(lambda p: f"({p[0]} {p[1]} {p[2]})"),
        inner.map(lambda z: f"(-{z})"),
        inner.map(lambda z: f"({z})**2"),
        st.tuples(st.sampled_from(SMOOTH), inner).map(lambda p: f"{p[0]}({p[1]})"),
        inner.map(lambda z: f"1/(2 + ({z})**2)"),
        inner.map(lambda z: f"sqrt(1 + ({z})**2)"),
        inner.map(lambda z: f"log(3 + cos({z}))"),
        inner.map(lambda z: f"(2 + sin({z}))**(0.5*x)"),
    ),
    max_leaves=6,
)
points = st.floats(-1.5, 1.5)


def read(text: str) -> Coefficient:
    try:
        return rw.expression(text)
    except ValueError as error:  # numbers are folded, and exp(exp(exp(7))) is not one
        assume("finite" not in str(error) and "too large" not in str(error))
        raise


def precise(text: str, x: object, t: object) -> mpmath.mpf:
    return mpmath.mpf(eval(text, {"__builtins__": {}}, MP | {"x": x, "t": t}))


@given(formulas, points, points)
def test_values(text: str, x: float, t: float) -> None:
    """Against 30 digits. Each operation rounds by half an ulp, which the rest of the formula amplifies; `amplification` bounds
    some dozens of them, each passed on with the formula's own slope."""
    value = float(read(text)(x, t))
    with mpmath.workdps(30):
        exact = precise(text, mpmath.mpf(x), mpmath.mpf(t))
        assume(abs(exact) < 1e100)
        worst = amplification(text, x, t)
    assert value == pytest.approx(float(exact), abs=1e-14 * worst, rel=1e-13)


def amplification(text: str, x: float, t: float) -> float:
    """A scale for the rounding: 1000 × (1 + |value| + slope in x and t)."""
    shift = mpmath.mpf(2) ** -40
    base = precise(text, mpmath.mpf(x), mpmath.mpf(t))
    moved = [precise(text, mpmath.mpf(x) + shift, mpmath.mpf(t)), precise(text, mpmath.mpf(x), mpmath.mpf(t) + shift)]
    slope = max(abs(m - base) / shift for m in moved)
    return 1e3 * (1 + float(abs(base)) + float(slope))


@settings(max_examples=400)
@given(formulas, points, points, st.sampled_from(["x", "t"]))
def test_derivatives_against_mpmath(text: str, x: float, t: float, variable: str) -> None:
    """mpmath differentiates at 40 digits, by differences: no rule of differentiation is shared. Double rounding is left, on the
    scale of the second derivative."""
    derivative = float(read(text).derivative(variable)(x, t))
    with mpmath.workdps(40):
        z = mpmath.mpf(x if variable == "x" else t)

        def f(v: mpmath.mpf) -> mpmath.mpf:
            return precise(text, *((v, mpmath.mpf(t)) if variable == "x" else (mpmath.mpf(x), v)))

        exact, second, size = float(mpmath.diff(f, z)), float(abs(mpmath.diff(f, z, 2))), float(abs(f(z)))
    assume(abs(exact) < 1e60 and second < 1e60)
    assert derivative == pytest.approx(exact, abs=1e-10 * (1 + second + size), rel=1e-10)


@given(formulas, points, points, st.sampled_from([1e-12, 1e-6, 1e9]), st.sampled_from([1e-9, 1e-3, 1e6]))
def test_derivatives_in_any_unit(text: str, x: float, t: float, length: float, time: float) -> None:
    """Read in other units, a formula has the same values and derivatives that scale. What rounding of x/u may change is
    allowed: the derivative's own slopes, times some ulp."""
    c = read(text)
    scaled = read(re.sub(r"\bt\b", f"(t/{time!r})", re.sub(r"\bx\b", f"(x/{length!r})", text)))
    for variable, unit in (("x", length), ("t", time)):
        exact, slope = float(c.derivative(variable)(x, t)), c.derivative(variable)
        rough = [abs(float(slope.derivative(v)(x, t))) for v in ("x", "t")]
        assume(abs(exact) < 1e60 and max(rough) < 1e60)
        found = float(scaled.derivative(variable)(x * length, t * time)) * unit
        assert found == pytest.approx(exact, rel=1e-10, abs=1e-12 * (1 + max(rough)))


@given(formulas, points, points)
def test_formulas_as_python_functions_are_traced(text: str, x: float, t: float) -> None:
    """The same formula, run by NumPy: if it is traced (it may overflow everywhere), its derivatives are the formula's."""
    names = {n: getattr(np, n, None) or getattr(special, n) for n in FUNCTIONS if n != "heaviside"}
    f = Function(eval(f"lambda x, t: {text} + 0*x", {"__builtins__": {}, "pi": math.pi, **names}))
    c = read(text)
    assume(f.tree is not None)
    for variable in ("x", "t"):
        exact, slope = float(c.derivative(variable)(x, t)), c.derivative(variable)
        rough = [abs(float(slope.derivative(v)(x, t))) for v in ("x", "t")]
        assume(abs(exact) < 1e60 and max(rough) < 1e60)
        assert float(f.derivative(variable)(x, t)) == pytest.approx(exact, rel=1e-10, abs=1e-12 * (1 + max(rough)))


@given(formulas, points, points)
def test_text_round_trip(text: str, x: float, t: float) -> None:
    coefficient = read(text)
    again = rw.expression(str(coefficient))
    assert again(x, t) == pytest.approx(coefficient(x, t), rel=1e-9, abs=1e-12, nan_ok=True)  # sums may be re-ordered
    assert (again.depends_on_x, again.depends_on_t) == (coefficient.depends_on_x, coefficient.depends_on_t)
    assert str(rw.expression(str(again))) == str(again)


@given(formulas)
def test_latex_is_balanced(text: str) -> None:
    latex = read(text).latex()
    assert latex and latex.count("{") == latex.count("}") and latex.count(r"\left") == latex.count(r"\right")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function(name: str) -> None:
    """Value and derivative of each at arguments in its domain, away from kinks; 1e-13 is a hundred ulp."""
    c = rw.expression(f"{name}(0.7*x)")
    for x in (0.3, 1.1, 2.0):
        with mpmath.workdps(40):
            value, slope = MP[name](mpmath.mpf("0.7") * x), mpmath.diff(lambda z: MP[name](mpmath.mpf("0.7") * z), x)
        assert float(c(x)) == pytest.approx(float(value), rel=1e-13)
        assert float(c.regular_derivative("x")(x)) == pytest.approx(float(slope), rel=1e-12, abs=1e-14)
        assert float(c.derivative("t")(x)) == 0.0
        inner = rw.expression(f"{name}(0.7*x + 0.1*x**2)")  # not affine: a tanh is then no Tanh
        with mpmath.workdps(40):
            slope = mpmath.diff(lambda z: MP[name](mpmath.mpf("0.7") * z + mpmath.mpf("0.1") * z**2), x)
        assert float(inner.regular_derivative("x")(x)) == pytest.approx(float(slope), rel=1e-12, abs=1e-14)
    if name in {"sign", "heaviside"}:
        for step in (c, inner):
            with pytest.raises(ValueError, match=r"jumps at x = -?[07]"):
                step.derivative("x")
    else:
        x = 1.1
        assert float(c.derivative("x")(x)) == float(c.regular_derivative("x")(x))
    assert rw.expression("heaviside(x)")(0.0) == 1.0


# ---------------------------------------------------------------- structure


def test_structure_is_recognised() -> None:
    assert affine_parts(rw.expression("-theta*(x - mu)", theta=2.0, mu=0.5)) == (1.0, -2.0)
    assert affine_parts(rw.expression("(3 - x)/2 + x*2")) == (1.5, 1.5)
    assert affine_parts(rw.expression("x*x")) is None
    assert affine_parts(rw.expression("x + t")) is None
    assert constant_value(rw.expression("x - x + 3")) == 3.0
    assert tanh_parts(rw.expression("2*tanh(0.5*(x - 1))")) == (2.0, 0.5, 1.0)
    assert tanh_parts(rw.expression("tanh(t)")) is None
    assert rw.expression("0*sin(x)") == Constant(0.0)
    assert rw.expression("1*sin(x)") == rw.expression("sin(x)")
    assert rw.expression("sin(x) - sin(x)*0 + t").depends_on_x
    assert rw.expression("t**2").depends_on_t and not rw.expression("t**2").depends_on_x


def test_arithmetic_of_coefficients_is_that_of_numbers() -> None:
    a, b, x, t = rw.expression("1 + x*t"), rw.Tanh(2.0, 0.5, 1.0), 0.7, 0.3
    u, v = float(a(x, t)), float(b(x, t))
    pairs: list[tuple[Coefficient, float]] = [
        (a + b, u + v),
        (a - b, u - v),
        (a * b, u * v),
        (a / b, u / v),
        (a**2, u**2),
        (-a, -u),
        (2 + a, 2 + u),
        (2 - a, 2 - u),
        (2 * a, 2 * u),
        (2 / a, 2 / u),
        (a - 2, u - 2),
        (a / 2, u / 2),
        (2**a, 2**u),
        (np.float64(2.0) * a, 2 * u),
        (np.float64(2.0) / a, 2 / u),
        (a + (lambda x: 3 * x), u + 3 * x),
    ]
    for coefficient, value in pairs:
        assert float(coefficient(x, t)) == pytest.approx(value, rel=1e-14)


@pytest.mark.parametrize(
    "coefficient",
    [
        rw.Constant(3),
        rw.Constant(-2.5),
        rw.Affine(1, -2),
        rw.Affine(slope=-1),
        rw.Affine(np.float64(0.1), np.float64(-1)),
        rw.Affine(0.0, 0.0),
        rw.Tanh(1, 2),
        rw.Tanh(np.float64(0.3), 2, -1),
        rw.Constant(1e300),
        rw.Constant(5e-324),
        rw.Constant(0.1) ** rw.expression("x"),
        rw.Constant(-1) * rw.expression("sin(x)"),
    ],
)
def test_declared_coefficients_have_text_that_reads_back(coefficient: Coefficient) -> None:
    again = rw.expression(str(coefficient))
    x = np.linspace(-2, 2, 7)
    np.testing.assert_allclose(again(x), coefficient(x), rtol=1e-15)
    assert "np." not in repr(coefficient) and coefficient.latex()


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_numbers_must_be_finite(bad: float) -> None:
    for make in (rw.Constant, rw.Affine, lambda v: rw.Tanh(1.0, v), as_coefficient):
        with pytest.raises(ValueError, match="finite number"):
            make(bad)


def test_numbers_that_overflow_are_refused() -> None:
    wave, large = rw.expression("sin(x)"), rw.Constant(1e308)
    makes: list[Callable[[], Coefficient]] = [
        lambda: rw.Constant(10) ** 400,
        lambda: large * 1e308,
        lambda: (wave + 1e308) + 1e308,
    ]
    for make in makes:
        with pytest.raises(ValueError, match=r"too large for a number|finite number"):
            make()


def test_variables_are_x_and_t() -> None:
    c = rw.expression("x*t")
    for use in (
        lambda: c.derivative("Y"),
        lambda: c.breaks("X", 0, 1),
        lambda: c.width("", 0, 1),
        lambda: c.shifted("u", 1),
    ):
        with pytest.raises(ValueError, match=r"variable = '.*': must be 'x', 'y', 'z', 'x\[i\]' or 't'"):
            use()
    with pytest.raises(ValueError, match="low = nan, high = 1: must be numbers"):
        c.jumps("x", math.nan, 1)


def test_calls_broadcast_and_return_new_arrays() -> None:
    c = rw.expression("x*t + 1")
    assert c(np.zeros((3, 1)), np.ones(4)).shape == (3, 4)
    assert rw.Constant(2.0)(np.zeros((2, 2))).tolist() == [[2, 2], [2, 2]]
    x = np.arange(3.0)
    y = rw.expression("x")(x)
    y[0] = 9.0
    assert x[0] == 0.0
    assert math.isnan(rw.expression("log(x)")(-1.0)) and math.isinf(
        rw.expression("1/x")(0.0)
    )  # no warning: users check


def test_flattening() -> None:
    assert isinstance(rw.expression("sin(x) + t + cos(x) + 1 + 2"), Sum)
    assert len(rw.expression("sin(x) + t + cos(x) + 1 + 2").terms) == 4  # type: ignore[attr-defined]
    assert len(rw.expression("2*sin(x)*3*t").factors) == 3  # type: ignore[attr-defined]
    assert isinstance(rw.expression("2*sin(x)*3*t"), Product)


# ---------------------------------------------------------------- what a formula may not contain

MALICIOUS = [
    "__import__('os').system('true')",
    "().__class__.__bases__",
    "x.real",
    "x.__class__",
    "lambda: 1",
    "(lambda y: y)(x)",
    "[y for y in (1, 2)]",
    "{y: 1 for y in (1,)}",
    "(y for y in x)",
    "x if t else 1",
    "x and t",
    "not x",
    "~x",
    "x < t",
    "x[-1]",
    "x[0.5]",
    "x[True]",
    "x[t]",
    "x[0:1]",
    "x[0][1]",
    "y[0]",
    "where(x, 1, 2)",
    "where(x == 1, 1, 2)",
    "where(0 < x < 1, 1, 2)",
    "where(x > 0, 1)",
    "'text'",
    "b'text'",
    "f'{x}'",
    "1j",
    "True",
    "None",
    "...",
    "(x, t)",
    "[x]",
    "{x}",
    "{}",
    "x := 3",
    "(y := 3)",
    "x; t",
    "x = 3",
    "import os",
    "eval('1')",
    "exec('1')",
    "open('/etc/passwd')",
    "print(x)",
    "sin",
    "sin(x, t)",
    "sin(*x)",
    "sin(**x)",
    "sin()",
    "sin(x=1)",
    "sin.real(x)",
    "x(3)",
    "(sin)(x)(x)",
    "x @ t",
    "x // t",
    "x % t",
    "x << 2",
    "x | t",
    "x & t",
    "x ^ 2",
    "w",
    "_",
    "__builtins__",
    "",
    "   ",
    "x +",
    "((x)",
    "x t",
    "await x",
    "yield x",
    "*x",
    "x\nt",
    "\0",
    "1e999",
    "0x",
    "x.1.2",
]


@pytest.mark.parametrize("text", MALICIOUS)
def test_formulas_outside_the_grammar_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not allowed|cannot be read|unknown name|too large|is not a power|finite"):
        rw.expression(text)


@pytest.mark.parametrize(
    "text",
    [
        "9**9**9",
        "9**9**9**9**9",
        "10**400",
        "1e308*10",
        "exp(1000)",
        "exp(exp(exp(9)))",
        "1/0",
        "0**(-1)",
        "(-1)**0.5",
        "log(0)",
        "log(-1)",
        "sqrt(-1)",
        "1e308*10*x",
        "1e200*1e200*tanh(x)",
        "x*1e300*1e300",
        "1" * 999,
    ],
)
def test_numbers_that_are_none_are_refused_at_once(text: str) -> None:
    with pytest.raises(ValueError, match=r"too large|finite number|not a real number|division by zero"):
        rw.expression(text)


@pytest.mark.parametrize(
    "text",
    [
        "(" * 300 + "x" + ")" * 300,
        "sin(" * 150 + "x" + ")" * 150,
        "x**" * 300 + "x",
        "-" * 900 + "sin(x)" + "**x" * 30,
        "x" * 5000,
        "+".join(["x"] * 5000),
        "sin(" * 60 + "x" + ")" * 60,
        "[" * 900,
        "-" * 990 + "x",
    ],
)
def test_huge_formulas_are_refused_or_harmless(text: str) -> None:
    """Neither a crash nor a RecursionError, at reading or in any later use."""
    try:
        c = rw.expression(text)
    except ValueError as error:
        assert any(part in str(error) for part in ("cannot be read", "at most 1000", "unknown name"))
    else:
        for use in (c, c.derivative("x"), c.derivative("x").derivative("x")):
            assert str(use) and use.latex() and use(0.5).shape == ()


def test_long_sums_are_read() -> None:
    text = " + ".join(f"{k}*x**{k}" for k in range(2, 60))
    assert float(rw.expression(text)(1.0)) == sum(range(2, 60))


def test_parameters() -> None:
    assert float(rw.expression("a*x + b", a=2, b=0.5)(3.0)) == 6.5
    for name in ("x", "t", "pi", "e", "sin"):
        with pytest.raises(ValueError, match="is taken"):
            rw.expression("x", **{name: 1.0})
    for value in (math.nan, math.inf, True, "1"):
        with pytest.raises(ValueError, match="must be a finite number"):
            rw.expression("a*x", a=value)  # type: ignore[arg-type]
    with pytest.raises(
        ValueError, match="unknown name 'c' in the formula 'a\\*c': known are x, y, z, x\\[i\\], t, pi, e, a"
    ):
        rw.expression("a*c", a=1.0)
    with pytest.raises(ValueError, match=r"'\^' in the formula .* write \*\*"):
        rw.expression("x^2")


# ---------------------------------------------------------------- functions


def test_functions_say_what_they_depend_on() -> None:
    cases: list[tuple[Callable[..., Any], tuple[bool, bool]]] = [
        (lambda x: x, (True, False)),
        (lambda t: t, (False, True)),
        (lambda x, t: x * t, (True, True)),
        (lambda y: y, (True, False)),
    ]
    for function, depends in cases:
        c = as_coefficient(function)
        assert (c.depends_on_x, c.depends_on_t) == depends
    assert float(as_coefficient(np.sin)(0.5)) == math.sin(0.5)
    assert float(as_coefficient(lambda x, power=3: x**power)(2.0)) == 8.0


def test_arguments_go_by_their_names() -> None:
    """f(t, x) is called with t first: that is what its names say."""
    c = as_coefficient(lambda t, x: x + 10 * t)
    assert float(c(1.0, 0.5)) == 6.0
    assert float(c.derivative("x")(1.0, 0.5)) == pytest.approx(1.0, abs=1e-11)
    assert float(c.derivative("t")(1.0, 0.5)) == pytest.approx(10.0, abs=1e-10)


def test_functions_that_refuse_arrays_are_called_value_by_value() -> None:
    def scalar(x: float, t: float) -> float:
        return math.sin(x) if x > t else 0.0

    x, t = np.linspace(-1, 1, 5)[:, None], np.array([-0.7, 0.2])
    expected = [[math.sin(a) if a > b else 0.0 for b in t] for a in x[:, 0]]
    np.testing.assert_array_equal(as_coefficient(scalar)(x, t), expected)
    with pytest.raises(ValueError, match="my own reason"):
        as_coefficient(refuses)(x)


def refuses(x: float) -> float:
    raise ValueError("my own reason")


def test_functions_may_write_into_their_arguments() -> None:
    def careless(x: np.ndarray) -> np.ndarray:
        x += 1.0
        return x

    x = np.zeros(3)
    assert as_coefficient(careless)(x).tolist() == [1, 1, 1] and x.tolist() == [0, 0, 0]


@given(st.floats(-3, 3), st.floats(-3, 3))
def test_numerical_derivatives(x: float, t: float) -> None:
    """Fourth order with h = 1e-3 max(1, |x|): h⁴/30 · f⁽⁵⁾ ≤ 3e-12 · 8, and rounding 4e-16/1e-3."""
    c = Function(lambda x, t: np.sin(x) * np.exp(0.3 * t))
    assert float(c.derivative("x")(x, t)) == pytest.approx(math.cos(x) * math.exp(0.3 * t), abs=2e-11)
    assert float(c.derivative("t")(x, t)) == pytest.approx(0.3 * math.sin(x) * math.exp(0.3 * t), abs=2e-11)
    assert constant_value(Function(lambda x: x).derivative("t")) == 0.0


# ---------------------------------------------------------------- tables and files


def test_tables_interpolate_and_refuse_the_outside() -> None:
    table = rw.Table([0, 1, 3], [2, 4, 0])
    assert table([0, 0.5, 1, 2, 3]).tolist() == [2, 3, 4, 2, 0]
    with pytest.raises(ValueError, match=r"the table covers x from 0 to 3 and is needed at x = 3\.1"):
        table(3.1)
    with pytest.raises(ValueError, match="needed at x = -1"):
        table([[0.0, 1.0], [-1.0, 2.0]])
    assert table(3 + 1e-10) == 0.0  # rounding of a site at the edge
    with pytest.raises(ValueError, match="read-only"):
        table.values[0] = 9.0
    assert table == rw.Table([0, 1, 3], [2, 4, 0]) and hash(table) == hash(rw.Table([0, 1, 3], [2, 4, 0]))
    assert table != rw.Table([0, 1, 3], [2, 4, 1])


def test_derivative_of_a_table() -> None:
    """The slope of what stands between the rows; at a row, where it jumps, the mean of both sides."""
    x, values = np.array([0.0, 0.3, 0.7, 1.5, 2.0]), np.array([1.0, 4.0, 4.0, 0.0, -1.0])
    table = rw.Table(x, values)
    slope = table.derivative("x")
    rng = np.random.default_rng(1)
    for left, right in itertools.pairwise(x):
        a, b = np.sort(rng.uniform(left, right, 2))
        exact = float(table(b) - table(a)) / (b - a)
        assert slope([a, b]).tolist() == pytest.approx([exact, exact], rel=1e-12, abs=1e-12)
    np.testing.assert_allclose(slope(x), [10.0, 5.0, -2.5, -3.5, -2.0], atol=1e-12)
    assert rw.Table([0, 1], [0, 3]).derivative("x")(0.5) == 3.0
    assert constant_value(table.derivative("t")) == 0.0
    with pytest.raises(ValueError, match=r"covers x from 0 to 2 and is needed at x = 2\.1"):
        slope(2.1)


@pytest.mark.parametrize(
    ("x", "values", "message"),
    [
        ([0, 1], [1], r"x has shape \(2,\), values \(1,\)"),
        ([0], [1], "same length ≥ 2"),
        ([[0, 1]], [[1, 2]], "one-dimensional"),
        ([0, 0], [1, 2], "must increase: row 1 has 0.0 after 0.0"),
        ([0, 2, 1], [1, 2, 3], "row 2 has 1.0 after 2.0; sort the rows"),
        ([0, math.nan], [1, 2], "x of a table is nan in row 1"),
        ([0, 1], [math.inf, 2], "values of a table is inf in row 0"),
    ],
)
def test_bad_tables(x: list[float], values: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        rw.Table(x, values)


def test_csv(tmp_path: Path) -> None:
    path = tmp_path / "drift.csv"
    path.write_text("\ufeffposition,drift,note\n0,1.5,a\n1,2.5,b\n2,-1e-3,c\n", encoding="utf-8")
    table = rw.Table.from_csv(path, x="position", value="drift")
    assert table.values.tolist() == [1.5, 2.5, -1e-3]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"position,drift\n0,1\n1,abc\n", r"drift\.csv, line 3: 'abc' in column 'drift' is not a finite number"),
        (b"position,drift\n0,1\n1\n", "line 3: 1 field where the header has 2"),
        (b"position,drift\n0,1\n1,\n", "line 3: column 'drift' is empty"),
        (b"a,b\n0,1\n", "there is no column 'position'; the columns are a, b"),
        (b"", "is empty: the first line must name the columns"),
        (b"position,drift\n0,1\n", "has one row, on line 2"),
        (b"position,drift\n\xff\xfe,1\n", "line 2: the byte 0xff is not UTF-8"),
        (b"position,drift\n1,1\n0,1\n", "must increase"),
        (b"position,drift\n0,nan\n1,1\n", "line 2: 'nan' in column 'drift' is not a finite number"),
    ],
)
def test_bad_csv(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "drift.csv"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        rw.Table.from_csv(path, x="position", value="drift")


def test_missing_csv(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"nowhere\.csv cannot be read as CSV"):
        rw.Table.from_csv(tmp_path / "nowhere.csv", "x", "y")


def test_conventions_of_a_formula() -> None:
    d = rw.expression("1 + x**2")
    assert str(Convention.FICK.ito_drift(rw.Constant(0.0), d)) == "2*x"
    assert affine_parts(Convention.STRATONOVICH.ito_drift(rw.Affine(slope=1.0), d)) == (0.0, 2.0)


@pytest.mark.parametrize("value", ["a", 1j, [0.0, 1.0], np.zeros(3), np.complex128(1.0)])
def test_values_of_a_function_that_are_no_real_numbers_are_refused(value: Any) -> None:
    """With the function, the value and the place; a complex one lost its imaginary part with a NumPy warning."""
    with pytest.raises(TypeError, match=r"<lambda> has the value .* at x = 1: a coefficient function returns a real"):
        Function(lambda x: value)(np.array([1.0, 2.0, 4.0, 5.0]))
    with pytest.raises(TypeError, match=r"<lambda> has the value \S+ at x = 3, t = 1: "):
        Function(lambda x, t: 1j * x)(3.0, 1.0)


def test_a_function_is_not_called_for_no_places() -> None:
    asked: list[int] = []

    def seen(x: Any) -> Any:
        asked.append(np.size(x))
        return 1.0 if x > 0.25 else 0.0

    step = rw.Function(seen)
    assert step(np.zeros(0)).shape == (0,) and step(np.zeros((2, 0))).shape == (2, 0)
    step.breaks("x", 0.0, 1.0)
    assert asked and min(asked) > 0
