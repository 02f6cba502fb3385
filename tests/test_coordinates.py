"""Coefficients of several coordinates: values, derivatives, breaks, text; Python functions and SymPy expressions of them."""

from __future__ import annotations

import dataclasses
import importlib.util
import math
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import randwalk as rw
from randwalk.model.coefficient import Affine, Coefficient, Constant, Floats, Variable, as_coefficient

NAMES = ("x", "y", "z", "t")
SMOOTH = ("sin", "cos", "exp", "tanh", "arctan")
formulas = st.recursive(
    st.sampled_from([*NAMES, "x[3]", "0.5", "2", "pi"]),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*"]), inner).map(lambda p: f"({p[0]} {p[1]} {p[2]})"),
        st.tuples(st.sampled_from(SMOOTH), inner).map(lambda p: f"{p[0]}({p[1]})"),
        inner.map(lambda z: f"sqrt(1 + ({z})**2)"),
        inner.map(lambda z: f"1/(2 + ({z})**2)"),
    ),
    max_leaves=7,
)
points = st.tuples(*[st.floats(-1.5, 1.5)] * 5)  # x, y, z, x[3], t
MP: dict[str, Any] = {"arctan": mpmath.atan, "pi": mpmath.pi, **{n: getattr(mpmath, n) for n in (*SMOOTH[:4], "sqrt")}}


def precise(text: str, at: tuple[Any, ...]) -> Any:
    """The formula evaluated by Python with mpmath's functions."""
    x, y, z, fourth, t = at
    return eval(text.replace("x[3]", "w"), {"__builtins__": {}}, MP | {"x": x, "y": y, "z": z, "w": fourth, "t": t})


def read(text: str) -> Coefficient:
    try:
        return rw.expression(text)
    except ValueError as error:  # numbers are folded, and exp(exp(exp(2))) may be too large
        assume("finite" not in str(error) and "too large" not in str(error))
        raise


@settings(max_examples=150, deadline=None)
@given(formulas, points)
def test_values_and_derivatives_against_mpmath(text: str, at: tuple[float, ...]) -> None:
    """At 30 digits, the derivatives by differences. Double rounding is amplified by the slopes: some hundred ulp of them."""
    c = read(text)
    with mpmath.workdps(30):
        exact = precise(text, tuple(map(mpmath.mpf, at)))
        slopes = []
        for i in range(5):
            moved = [tuple(mpmath.mpf(v) + (h if i == j else 0) for j, v in enumerate(at)) for h in (1e-9, -1e-9)]
            slopes.append((precise(text, moved[0]) - precise(text, moved[1])) / mpmath.mpf(2e-9))
        size = float(1 + abs(exact) + sum(map(abs, slopes)))
    assume(size < 1e6)
    value = float(c(at[:4], at[4]))
    assert value == pytest.approx(float(exact), abs=1e-13 * size)
    for name, slope in zip(("x", "y", "z", "x[3]", "t"), slopes, strict=True):
        assert float(c.derivative(name)(at[:4], at[4])) == pytest.approx(float(slope), abs=1e-7 * size**2)
        assert c.depends_on(name) or slope == pytest.approx(0.0, abs=1e-15 * size)


@settings(max_examples=100, deadline=None)
@given(formulas, points)
def test_text_round_trip(text: str, at: tuple[float, ...]) -> None:
    c = read(text)
    again = rw.expression(str(c))
    assert again(at[:4], at[4]) == pytest.approx(c(at[:4], at[4]), rel=1e-9, abs=1e-12)  # sums may be re-ordered
    assert again.variables == c.variables and str(rw.expression(str(again))) == str(again)


def test_what_a_coefficient_depends_on() -> None:
    c = rw.expression("x*y + t")
    assert c.variables == {"x", "y", "t"} and c.dimension == 2
    assert [c.depends_on(name) for name in (*NAMES, "x[0]", "x[1]", "x[7]")] == [1, 1, 0, 1, 1, 1, 0]
    assert rw.expression("t").dimension == 0 and rw.expression("x[4]").dimension == 5
    assert (c.depends_on_x, c.depends_on_t) == (True, True)
    assert rw.expression("x[0] + x[2]") == rw.expression("x + z") and Variable("x[1]") == Variable("y")
    assert rw.expression("y + 1").derivative("x[1]") == Constant(1.0)
    assert [v.latex() for v in (Variable("z"), Variable("x[3]"))] == ["z", "x_{3}"]
    with pytest.raises(ValueError, match=r"variable = 'w': must be 'x', 'y', 'z', 'x\[i\]' or 't'"):
        c.depends_on("w")


def test_points_are_tuples_of_arrays_that_broadcast() -> None:
    c = rw.expression("x + 10*y + 100*t")
    x, y, t = np.arange(3.0)[:, None, None], np.arange(4.0)[:, None], np.arange(2.0)
    np.testing.assert_array_equal(c((x, y), t), x + 10 * y + 100 * t)
    assert rw.expression("x")((2.0, 3.0)) == 2.0  # a coefficient of fewer coordinates, at a point of more
    assert rw.Constant(3.0)((x, y)).shape == (3, 4, 1) and rw.Affine(1.0, 2.0)((2.0, 7.0)) == 5.0
    assert rw.Tanh(1.0, 2.0, 0.5)((0.5, 9.0)) == 0.0 and rw.Table([0, 1], [0, 2])((0.5, 9.0)) == 1.0
    with pytest.raises(ValueError, match=r"depends on y: give a point as a tuple of 2, c\(\(x, y\), t\), not of 1"):
        c(1.0, 2.0)
    with pytest.raises(ValueError, match=r"x depends on x: give a point as a tuple of 1, c\(\(x,\), t\), not of 0"):
        rw.expression("x")(())
    for name in ("w", 0, None):
        with pytest.raises(ValueError, match="must be 'x', 'y', 'z'"):
            c.derivative(name)  # type: ignore[arg-type]


def test_one_dimension_is_that_of_before() -> None:
    """A coordinate alone is x, and the operations are those of a formula without a tuple, to the bit."""
    c, x = rw.expression("sin(3*x)*exp(-t) + x**3"), np.linspace(-2, 2, 9)
    np.testing.assert_array_equal(c(x, 0.3), c((x,), 0.3))
    np.testing.assert_array_equal(c(x, 0.3), np.sin(3 * x) * np.exp(-np.float64(0.3)) + np.power(x, 3.0))


@pytest.mark.parametrize(
    ("text", "variable", "expected"),
    [
        ("heaviside(y - 0.5)*abs(x) + z", "y", [0.5]),
        ("heaviside(y - 0.5)*abs(x) + z", "x", [0.0]),
        ("heaviside(y - 0.5)*abs(x) + z", "z", []),
        ("abs(4 - x[3]**2) + y", "x[3]", [-2.0, 2.0]),
        ("abs(x*y*(z - 1))", "z", [1.0]),
        ("abs(x - y)", "x", []),
        ("sqrt(t - 1)*x*y", "t", [1.0]),
    ],
)
def test_breaks_of_one_variable(text: str, variable: str, expected: list[float]) -> None:
    assert rw.expression(text).breaks(variable, -5.0, 5.0) == tuple(expected)


def test_breaks_on_curves_are_said_to_move() -> None:
    assert rw.expression("heaviside(x - y)").moving_breaks and rw.expression("abs(x**2 + y**2 - 1)").moving_breaks
    assert not rw.expression("abs(x)*abs(y)*heaviside(t)").moving_breaks


def test_jumps_look_at_other_variables() -> None:
    step = rw.expression("heaviside(x - 1)*heaviside(y - 0.9)*heaviside(-0.5 - z)")
    assert step.jumps("x", 0.0, 2.0) == ()  # z < -0.5 is not in the range [0, 1] that is tried
    assert step.jumps("x", 0.0, 2.0, {"y": (0.0, 1.0), "z": (-1.0, 0.0)}) == (1.0,)
    with pytest.raises(ValueError, match=r"jumps at x = 1, y = 1\.1, z = -1\.1: .*\(1 \+ tanh\(\(x - 1\)/w\)\)"):
        step.derivative("x")
    assert step.derivative("t") == Constant(0.0)


def test_width_of_one_variable() -> None:
    c = rw.expression("sin(x/0.01)*exp(-(y/0.1)**2)*(1 + z*t)")
    assert c.width("x", -1.0, 1.0, {"y": (-0.1, 0.1)}) == pytest.approx(0.01)
    assert c.width("y", -1.0, 1.0) == pytest.approx(0.1, rel=0.6)
    assert c.width("z", -1.0, 1.0) == c.width("x[5]", -1.0, 1.0) == math.inf
    faster = rw.expression("sin(x*y)")
    assert faster.width("x", 0.0, 1.0, (0.0, 100.0)) == pytest.approx(0.01)


def test_shifted() -> None:
    c = rw.expression("sin(x*y) + y**2*t")
    for name, by in (("y", 0.25), ("x", -1.0), ("t", 3.0), ("z", 5.0)):
        moved = c.shifted(name, by)
        at = {"x": 0.3, "y": 0.7, "z": 0.0, "t": 0.2}
        there = at | {name: at[name] + by}
        got, wanted = (c_((p["x"], p["y"], p["z"]), p["t"]) for c_, p in ((moved, at), (c, there)))
        assert float(got) == pytest.approx(float(wanted), rel=1e-14)


def test_choices_are_written_and_read() -> None:
    c = rw.expression("where(x > y, sin(x), where(t <= 1, 2, x*y))")
    assert rw.expression(str(c)) == c
    expected = {(2.0, 1.0, 0.0): math.sin(2.0), (1.0, 1.0, 0.5): 2.0, (1.0, 1.0, 1.0): 2.0, (1.0, 3.0, 1.5): 3.0}
    for (x, y, t), value in expected.items():
        assert float(c((x, y), t)) == value
    at_zero = [float(rw.expression(f"where(x {op} 0, 1, 2)")(0.0)) for op in (">=", ">", "<=", "<")]
    assert at_zero == [1.0, 2.0, 1.0, 2.0]


def test_parameters_may_be_called_y_and_z() -> None:
    assert rw.expression("y*x - z", y=2.0, z=0.5) == Affine(-0.5, 2.0)
    with pytest.raises(ValueError, match="'where' is taken"):
        rw.expression("x", where=1.0)


def test_operands_are_coefficients_numbers_and_functions() -> None:
    c: Any = rw.expression("x*y")
    assert float((c + (lambda x, y: y - x))((2.0, 5.0))) == 13.0 and float((2 - c)((2.0, 5.0))) == -8.0
    operations: list[Callable[[Any], object]] = [
        lambda v: c + v, lambda v: v * c, lambda v: c - v, lambda v: c / v, lambda v: v**c,
    ]  # fmt: skip
    others: list[Any] = [[1.0], None, np.ones(2), {}]
    for wrong in others:
        for use in operations:
            with pytest.raises(TypeError):
                use(wrong)
    texts: list[Any] = ["x", True]
    for wrong in texts:
        with pytest.raises(TypeError, match=r"rw\.expression|a coefficient is"):
            c + wrong


# ---------------------------------------------------------------- Python functions

TRACED: list[tuple[Callable[..., Any], str]] = [
    (lambda x, y: x * np.sin(y), "x*sin(y)"),
    (lambda x, y, t: np.exp(-(x**2) - y**2) * t, "exp(-x**2 - y**2)*t"),
    (lambda t, y: y - t, "y - t"),
    (lambda x, y, z: np.hypot(x, np.maximum(y, z)), "sqrt(x**2 + where(y - z >= 0, y, z)**2)"),
    (lambda x, y, z, t: np.where(x > t, y, z), "where(t - x >= 0, z, y)"),
]


@pytest.mark.parametrize(("function", "text"), TRACED)
def test_functions_of_coordinates_are_traced(function: Callable[..., Any], text: str) -> None:
    f, c = rw.Function(function), rw.expression(text)
    assert f.opaque is None and str(f.tree) == str(c) and f.variables == c.variables
    rng = np.random.default_rng(5)
    point, t = tuple(rng.normal(size=(3, 50))), rng.normal(size=50)
    for name in f.variables:
        np.testing.assert_allclose(
            f.regular_derivative(name)(point, t), c.regular_derivative(name)(point, t), rtol=1e-13
        )
    np.testing.assert_allclose(f(point, t), c(point, t), rtol=1e-13)


def test_a_wrong_tree_of_three_variables_is_seen() -> None:
    def two_faced(x: Any, y: Any, z: Any) -> Any:
        return x * y * z if isinstance(x, np.ndarray) else x + y + z

    f = rw.Function(two_faced)
    assert f.tree is None and f.opaque == "called with a symbol it is not the function that it is with numbers"
    assert float(f((2.0, 3.0, 4.0))) == 24.0


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (lambda x, y: math.sin(x) * y, "it takes values as single numbers"),
        (lambda x, y: x if x > y else y, "it branches on values"),
        (lambda x, y: np.interp(x, [0, 1], [0, 2]) * y, "it calls interp"),
        (lambda x, y: np.arcsinh(x) * y, "it calls arcsinh"),
        (lambda x, y: np.asarray(x) + y, "it makes an array of its argument"),
        (lambda x, y: x.shape[0] * y, "called with a symbol it says AttributeError: "),
    ],
)
def test_opaque_functions_say_why(function: Callable[..., Any], reason: str) -> None:
    f = rw.Function(function)
    assert f.tree is None and str(f.opaque).startswith(reason) and f"opaque: {reason}" in repr(f)


@pytest.mark.filterwarnings("ignore:Conversion of an array:DeprecationWarning")  # of NumPy before 2.1, for `math`
def test_derivatives_of_opaque_functions_of_coordinates() -> None:
    """By differences of fourth order on a searched step, or of a declared scale: relative errors of 1e-9 and less."""
    functions = [
        rw.Function(lambda x, y, t: math.exp(math.sin(3 * x) * y) * t),
        rw.Function(lambda x, y, t: math.exp(math.sin(3 * x) * y) * t, x_scale=0.3, y_scale=1.0, t_scale=1.0),
    ]
    exact = rw.expression("exp(sin(3*x)*y)*t")
    rng = np.random.default_rng(2)
    point, t = tuple(rng.uniform(-1, 1, (2, 20))), rng.uniform(0.5, 1.0, 20)
    for f in functions:
        for name in ("x", "y", "t"):
            np.testing.assert_allclose(
                f.derivative(name)(point, t), exact.derivative(name)(point, t), rtol=1e-9, atol=1e-9
            )
        assert f.derivative("z") == Constant(0.0)
    declared = rw.Function(
        lambda x, y: math.fabs(y) * x, y_breaks=[0.0], y_derivative=lambda x, y: x * math.copysign(1, y)
    )
    assert declared.breaks("y", -1.0, 1.0) == (0.0,) and float(declared.derivative("y")((2.0, -3.0))) == -2.0
    with pytest.raises(ValueError, match=r"z_scale is given, and .* does not depend on z: leave it out"):
        rw.Function(lambda x, y: x, z_scale=1.0)


def test_a_derivative_that_is_not_found_names_the_point_and_the_reason() -> None:
    rough = rw.Function(lambda x, y: x if y > 0.25 else 0.0)
    message = (
        r"with respect to y cannot be found at x = 1, y = 0\.25, t = 0: <lambda> is opaque \(it branches on values"
        r"\), and differences .*y_derivative=.*y_scale="
    )
    with pytest.raises(ValueError, match=message):
        rough.derivative("y")((1.0, 0.25))


def test_which_parameters_a_function_may_have() -> None:
    assert as_coefficient(lambda y: y).variables == {"x"}  # one parameter of any other name than t is x
    assert as_coefficient(lambda a, b: a + b).variables == {"x", "t"}
    assert as_coefficient(lambda y, t: y + t).variables == {"y", "t"}
    for function in (lambda a, y, t: a, lambda x, y, z, u: x, lambda: 1.0):
        with pytest.raises(TypeError, match=r"takes x, t or \(x, t\), in several dimensions some of \(x, y, z, t\)"):
            as_coefficient(function)


def test_one_dimensional_walks_and_equations_refuse_more_coordinates() -> None:
    plane = rw.expression("0.2*x*y")
    makes: list[tuple[str, Callable[[], object]]] = [
        ("right", lambda: rw.LatticeWalk(plane, 0.2, dx=1.0)),
        ("killing", lambda: rw.LatticeWalk(0.2, 0.2, dx=1.0, killing=plane)),
        ("drift", lambda: rw.LatticeWalk.from_drift(plane, 0.5, dx=1.0)),
        ("diffusion", lambda: rw.pde.FokkerPlanck(0.0, lambda x, y: 1.0 + x + y)),
    ]
    for name, make in makes:
        with pytest.raises(TypeError, match=rf"^{name} = .*: takes \(x, y\), and the domain has one dimension"):
            make()


# ---------------------------------------------------------------- SymPy


class Symbolic:
    """An expression of a system of computer algebra: symbols, and a text."""

    def __init__(self, text: str) -> None:
        self.text = text

    @property
    def free_symbols(self) -> set[str]:
        return set()

    def __str__(self) -> str:
        return self.text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-2*x + 1", "1 - 2*x"),
        ("x**2*exp(-y)/3 + E*pi*t", "x**2*exp(-y)/3 + e*pi*t"),
        ("Abs(x - 1)*Heaviside(t) + sign(y)", "abs(x - 1)*heaviside(t) + sign(y)"),
        ("Heaviside(x, 1/2) + atan(y) + sqrt(z)", "heaviside(x) + arctan(y) + sqrt(z)"),
        ("Piecewise((x, x > 0), (x**2, x <= -1), (0, True))", "where(x > 0, x, where(x <= -1, x**2, 0))"),
        ("Max(0, x)", "where(0 >= x, 0, x)"),
        ("Min(x, y, 1)", "where(where(x <= y, x, y) <= 1, where(x <= y, x, y), 1)"),
        ("k*x", "3*x"),
    ],
)
def test_sympy_expressions_are_read_through_their_text(text: str, expected: str) -> None:
    parameters = {"k": 3.0} if "k*" in text else {}
    assert rw.expression(Symbolic(text), **parameters) == rw.expression(expected)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("asin(x)", r"asin\(\) in the SymPy expression 'asin\(x\)' is not among the functions"),
        ("Derivative(f(x), x)", r"f\(\) in the SymPy expression"),
        ("besselj(0, x)", r"besselj\(\)"),
        ("Piecewise((1, (x > 0) & (x < 1)), (0, True))", "a piece is"),
        ("Piecewise((1, x > 0))", "a piece is"),
        ("I*x", "unknown name 'I'"),
        ("oo", "unknown name 'oo'"),
        ("k*x", "unknown name 'k'"),
        ("Matrix([[1, 2]])", r"Matrix\(\)"),
        ("x = 3", "is no formula"),
        ("x" * 2000, "at most 1000"),
        ("__import__('os')", "not among"),
    ],
)
def test_sympy_expressions_outside_the_grammar_are_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        rw.expression(Symbolic(text))


def test_what_is_no_formula_is_refused() -> None:
    wrong: list[Any] = [3.0, None, b"x", [1.0], rw.expression("x")]
    for value in wrong:
        with pytest.raises(TypeError, match="must be text or a SymPy expression"):
            rw.expression(value)


@pytest.mark.skipif(importlib.util.find_spec("sympy") is None, reason="SymPy is not installed")
def test_with_sympy() -> None:
    sympy: Any = importlib.import_module("sympy")
    x, y, t = sympy.symbols("x y t")
    f = sympy.exp(-(x**2)) * sympy.Abs(y) + sympy.atan(t) / 3 + sympy.Piecewise((x, x > 1), (sympy.pi, True))
    c = rw.expression(f)
    for at in ((0.3, -0.7, 0.2), (1.5, 0.4, 2.0)):
        exact = float(f.subs(dict(zip((x, y, t), at, strict=True))).evalf(20))
        assert float(c(at[:2], at[2])) == pytest.approx(exact, rel=1e-14)


def test_a_walk_tells_the_probability_of_every_displacement() -> None:
    walk = rw.LatticeWalk(0.3, rw.expression("0.2 + 0*x"), dx=1.0)
    assert dict(walk.probabilities) == {(1,): walk.right, (-1,): walk.left}


def plain_ramp(x: Floats) -> Floats:
    return np.minimum(x, 1.0)


@pytest.mark.parametrize("text", ["x*sin(t) + 2**y", "where(x >= t, -abs(x), 3/z)", "2*x + 1", "t"])
def test_coefficients_in_pickles_of_earlier_releases_are_read(text: str) -> None:
    """These hold the fields alone."""

    def earlier(value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(map(earlier, value))
        if not isinstance(value, rw.Coefficient):
            return value
        made = object.__new__(type(value))
        made.__setstate__({f.name: earlier(getattr(value, f.name)) for f in dataclasses.fields(value)})  # type: ignore[arg-type]
        return made

    now = rw.expression(text)
    then = earlier(now)
    assert then == now and then.variables == now.variables and str(then) == str(now)
    np.testing.assert_array_equal(then((0.3, 0.2, 0.1), 0.5), now((0.3, 0.2, 0.1), 0.5))
    function = rw.Function(plain_ramp)
    state = {name: value for name, value in vars(function).items() if name != "variables"}
    of_a_function = object.__new__(rw.Function)
    of_a_function.__setstate__(state)
    assert of_a_function.variables == {"x"} and float(of_a_function(3.0)) == 1.0


def test_a_function_of_one_coordinate_is_one_of_that_which_it_names() -> None:
    """In one dimension the parameter may have any name."""
    equation = rw.pde.FokkerPlanck((lambda x: -2 * x, lambda y: -3 * y), 1.0, domain=rw.Line() ** 2, start=(0.0, 0.0))
    assert [float(a((5.0, 7.0))) for a in equation.drift] == [-10.0, -21.0]
    assert "-3*y" in repr(equation)
    line = rw.pde.FokkerPlanck(lambda y: -3 * y, 1.0, start=0.0)
    assert float(line.drift(7.0)) == -21.0
