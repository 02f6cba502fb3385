"""The text of coefficients, compiled, against their values by NumPy."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import randwalk as rw
from randwalk.jit.compile import device
from randwalk.kernels import elementary, lookup
from randwalk.model.coefficient import Coefficient, Constant, Function, T, Variable, X, apply, as_coefficient
from randwalk.model.coefficient.extreme import minimum
from randwalk.model.grid import Grid
from randwalk.tables.emit import Parameters, function_text
from randwalk.tables.opaque import CannotEmit

RNG = np.random.default_rng(5)
POINTS = tuple(RNG.normal(size=(3, 200)) * 1.5)
TIMES = RNG.uniform(0.0, 2.0, 200)


def plain(coefficient: Coefficient) -> tuple[Any, tuple[Any, ...], str]:
    """The emitted function as Python runs it, its parameters and its text."""
    parameters = Parameters()
    text = function_text("f", ("x", "t", "p"), coefficient, parameters, "Emitted.")
    names: dict[str, Any] = {"device": lambda f: f, "math": math, "elementary": elementary, "lookup": lookup, "np": np}
    exec(text, names)
    return names["f"], parameters.values, text


def check(coefficient: Coefficient, tolerance: float = 1e-12) -> None:
    function, p, _ = plain(coefficient)
    with np.errstate(all="ignore"):
        wanted = coefficient(POINTS, TIMES)
    for j in range(0, 200, 7):
        at = tuple(float(v[j]) for v in POINTS)
        try:
            value = function(at, float(TIMES[j]), p)
        except ZeroDivisionError:
            continue
        if np.isfinite(wanted[j]) and abs(wanted[j]) < 1e12:
            assert value == pytest.approx(wanted[j], rel=tolerance, abs=tolerance)


FORMULAS = [
    "0", "1", "-1", "0.3", "x", "t", "-x", "2*x - 0.5", "x - x**3", "x*y*z - y/z + 3", "x**4 + x**-2",
    "(1 + x**2)**0.5", "(1 + x**2)**-1.5", "(2 + sin(y))**x", "exp(-x**2)*cos(3*t)", "log(1 + y**2)", "tan(0.3*x)",
    "sinh(x) + cosh(y)", "tanh(2*x - 1)", "-3*tanh(x)", "arctan(x*y)", "abs(x) + sign(y) - heaviside(z)",
    "erf(x - t)", "where(x*y >= 0.1, x, -y)", "sqrt(abs(x))/(1 + t)", "x/(y*z)/2", "-x*y - (-z)*t",
]  # fmt: skip


@pytest.mark.parametrize("formula", FORMULAS)
def test_formulas(formula: str) -> None:
    check(rw.expression(formula))


def test_leaves() -> None:
    knots = np.sort(RNG.uniform(-6.0, 6.0, 9))
    knots[0], knots[-1] = -7.0, 7.0
    table = rw.Table(knots, RNG.normal(size=9))
    axes = [[-9.0, -1.0, 0.2, 9.0], [-9.0, 9.0], [0.5]]
    for leaf in (
        table, table.regular_derivative("x"), Grid(axes, RNG.normal(size=(4, 2, 1))), minimum(X, Variable("y"), 0.3 * T),
        Function(lambda x, t: np.where(x > t, np.maximum(x, 0.5), np.clip(t, 0.1, 1.0))),
    ):  # fmt: skip
        check(leaf)
    function, p, _ = plain(table)
    assert function((knots[3],), 0.0, p) == table.values[3]
    assert np.isnan(function((7.1,), 0.0, p))
    step = table.regular_derivative("x")
    function, p, _ = plain(step)
    assert function((knots[3],), 0.0, p) == pytest.approx(float(step(knots[3])))


def applied(name: str, coefficient: Any) -> Coefficient:
    return apply(name, as_coefficient(coefficient))


trees = st.recursive(
    st.sampled_from([X, Variable("y"), Variable("z"), T]) | st.floats(-2.0, 2.0).map(lambda v: Constant(round(v, 3))),
    lambda inner: (
        st.tuples(inner, inner).map(lambda c: c[0] + c[1])
        | st.tuples(inner, inner).map(lambda c: c[0] * c[1])
        | st.tuples(inner, inner).map(lambda c: c[0] - c[1])
        | st.tuples(inner, st.sampled_from(["sin", "cos", "tanh", "arctan", "abs", "erf"])).map(
            lambda c: applied(c[1], c[0])
        )
        | st.tuples(inner, st.sampled_from([2.0, 3.0, 0.5, -1.0])).map(lambda c: (1.0 + c[0] * c[0]) ** c[1])
    ),
    max_leaves=12,
)


@given(trees)
def test_random_trees(tree: Any) -> None:
    check(as_coefficient(tree), 1e-9)


def test_numbers_are_parameters() -> None:
    """Formulas that differ in numbers have one text; what occurs twice stands in it once."""
    texts = {plain(rw.expression(f"{a}*x + exp(-{a}*x**2)*y"))[2] for a in (0.5, 0.7, 3.25)}
    assert len(texts) == 1
    twice = plain(rw.expression("sin(x*y)*cos(x*y) + sin(x*y)"))[2]
    assert twice.count("elementary.sin") == 1


def test_what_has_no_device_function_is_refused() -> None:
    stepped = Grid([[0.0, 1.0], [0.0, 1.0]], [[0.0, 1.0], [1.0, 3.0]]).regular_derivative("x")
    with pytest.raises(CannotEmit, match="has jumps"):
        plain(stepped)
    difference = Function(lambda x: float(x) ** 2).derivative("x")
    with pytest.raises(CannotEmit, match="Difference has no device function"):
        plain(difference)


def _turned(x: float, y: float) -> list[float]:
    return [1.0, 1.0] if x > y else [-1.0, 1.0]


def _turned_in_four(x: Any) -> list[float]:
    return [1.0, 1.0, 1.0, 1.0] if x[0] > x[1] else [-1.0, 1.0, 1.0, 1.0]


@pytest.mark.parametrize(("drift", "dimension"), [(_turned, 2), (_turned_in_four, 4)])
def test_a_list_where_kernels_need_a_tuple(drift: Any, dimension: int) -> None:
    """The error says what is returned and what to write."""
    walk = rw.ItoWalk(drift, 0.5, dt=0.1, start=(0.0,) * dimension)
    message = r"for numbers it returns list\(float64\).*, which is not numbers in tuples. Let it return a tuple"
    with pytest.raises(CannotEmit, match=message):
        function_text("drift", ("x", "t", "p"), walk.drift, Parameters(), "")


def test_device_functions_are_those_of_python() -> None:
    """The compiled text gives the bits that Python gives for it."""
    function, p, text = plain(rw.expression("x - x**3 + 0.3*sin(2*t)/(1 + x**2)"))
    names: dict[str, Any] = {"device": device, "elementary": elementary}
    exec(text, names)
    compiled = names["f"]
    for x, t in RNG.normal(size=(20, 2)).tolist():
        assert compiled((x,), t, p) == function((x,), t, p)
