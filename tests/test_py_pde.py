"""Equations for py-pde, and fields as laws. What needs py-pde itself is skipped where it is missing."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import randwalk as rw
from randwalk.pde import FieldLaw, FokkerPlanck, closed_form, to_py_pde
from randwalk.pde.py_pde import _condition, _library, _right_side, _start

A, R = rw.Absorbing(), rw.Reflecting()
X = rw.expression


def has_py_pde() -> bool:
    try:
        return hasattr(_library(), "PDE")
    except ImportError:
        return False


needs_py_pde = pytest.mark.skipif(not has_py_pde(), reason="py-pde is not installed")


def field(data: Any, *ends: tuple[float, float]) -> Any:
    return SimpleNamespace(data=np.asarray(data), grid=SimpleNamespace(axes_bounds=ends))


def law_of(equation: FokkerPlanck, times: list[float], fields: list[Any]) -> FieldLaw:
    return FieldLaw(equation, np.array(times), fields)


@pytest.mark.parametrize(
    "equation",
    [
        FokkerPlanck(X("sin(x)"), X("1 + x**2"), killing=0.5),
        FokkerPlanck(X("x*t"), X("2 + cos(x)"), convention=rw.Convention.FICK),
        FokkerPlanck(
            lambda x, y: (y, -x * y), lambda x, y: ((1 + x**2, 0.1 * x), (0.1 * x, 2 + y)), domain=rw.Line() ** 2
        ),
    ],
)
def test_right_sides_are_those_of_the_equation(equation: FokkerPlanck) -> None:
    """The text that py-pde gets, and -∇·J - κρ with J of the equation, by spectral differences on Chebyshev's nodes."""
    n, axes = 24, range(equation.dimension)
    nodes = np.cos(np.pi * np.arange(n) / (n - 1))
    place = np.meshgrid(*[nodes] * equation.dimension, indexing="ij")
    rho, t = np.exp(-(place[0] ** 2) - place[0] * place[-1]), 0.2
    values = np.polynomial.chebyshev.chebvander(nodes, n - 1)
    slopes = np.polynomial.chebyshev.chebder(np.eye(n), axis=0)
    matrix = np.linalg.solve(values.T, (values[:, :-1] @ slopes).T).T  # d/dx of what has these values

    def d(axis: int, f: Any) -> Any:
        return np.moveaxis(np.tensordot(matrix, f, axes=(1, axis)), 0, axis)

    names = "xyz"[: equation.dimension]
    known: dict[str, Any] = {"c": rho, "t": t, "sin": np.sin, "cos": np.cos, **dict(zip(names, place, strict=True))}
    for axis, name in enumerate(names):
        known[f"d_d{name}"] = lambda f, axis=axis: d(axis, f)
        known[f"d2_d{name}2"] = lambda f, axis=axis: d(axis, d(axis, f))

    def of(coefficient: Any) -> Any:
        return coefficient(place[0] if equation.dimension == 1 else tuple(place), t)

    wanted = -of(equation.killing) * rho
    for i in axes:
        wanted = wanted - d(i, of(equation.ito_vector[i]) * rho)
        for j in axes:
            wanted = wanted + d(i, d(j, of(equation.tensor[i, j]) * rho))
    np.testing.assert_allclose(eval(_right_side(equation), known), wanted, rtol=0, atol=1e-7 * np.abs(wanted).max())


def test_walls_become_conditions() -> None:
    """At a reflecting wall the flux aρ - (Dρ)_x is 0, at one of reactivity K it is Kρ outward."""
    walls = rw.Interval(0.0, 1.0, R, rw.PartiallyAbsorbing(0.7))
    equation = FokkerPlanck(X("1 - 3*x"), X("2 + x"), domain=walls, start=0.5)
    low, high = _condition(equation, 0, walls.left, -1.0, 0.0), _condition(equation, 0, walls.right, 1.0, 1.0)
    assert low["value"] == pytest.approx((0.0 + (1.0 - 1.0)) / 2.0)  # n·(a - D') = -(1 - 1)
    assert high["value"] == pytest.approx((0.7 - (-2.0 - 1.0)) / 3.0)
    assert _condition(equation, 0, A, 1.0, 1.0) == _condition(equation, 0, None, 1.0, 1.0) == {"value": 0.0}
    moving = FokkerPlanck(X("t"), 0.5, domain=walls, start=0.5)
    assert _condition(moving, 0, R, 1.0, 1.0)["type"] == "mixed_expression"
    turned = FokkerPlanck(0.0, ((0.5, 0.1), (0.1, 0.5)), domain=walls * rw.Line(), start=(0.5, 0.0))
    with pytest.raises(ValueError, match=r"with a tensor D: py-pde has no such condition; take rw.pde.solve"):
        _condition(turned, 0, R, 1.0, 1.0)


def test_starts_are_means_over_cells() -> None:
    equation = FokkerPlanck(
        0.0, (0.5, 0.5), domain=rw.Interval(0.0, 1.0, R, R) * rw.Line(), start=rw.Point(0.0) * rw.Normal(0, 1)
    )
    density = _start(equation, [(0.0, 1.0), (-2.0, 2.0)], [4, 2])
    assert density.shape == (4, 2) and density[1:].max() == 0.0
    assert float(density.sum()) * 0.25 * 2.0 == pytest.approx(1.0)


def test_fields_answer_as_laws() -> None:
    domain = rw.Interval(0.0, 2.0, A, R)
    equation = FokkerPlanck(0.0, 0.5, domain=domain, start=1.0)
    law = law_of(equation, [1.0, 2.0], [field([0.2, 0.4], (0.0, 2.0)), field([0.1, 0.3], (0.0, 2.0))])
    np.testing.assert_allclose(law.survival([1.0, 2.0]), [0.6, 0.4])
    np.testing.assert_allclose(law.absorbed("left", [1.0, 2.0]), [0.4, 0.6])
    assert law.absorbed("right", 1.0) == 0.0
    assert law.mean(2.0) == pytest.approx((0.1 * 0.5 + 0.3 * 1.5) / 0.4)
    assert repr(law) == "FieldLaw(times 1 … 2, 2 cells)" and law.to_scipy(1.0).cdf(1.0) == pytest.approx(1.0 / 3.0)
    both = FokkerPlanck(0.0, 0.5, domain=rw.Interval(0.0, 2.0, A, A), start=1.0)
    with pytest.raises(rw.NoAnswer, match=r"does not say by which of left, right mass has left; ask survival\(t\)"):
        law_of(both, [1.0], [field([0.2, 0.4], (0.0, 2.0))]).absorbed("left", 1.0)
    plane = FokkerPlanck(0.0, 0.5, domain=rw.Line() ** 2, start=(0.0, 0.0))
    flat = law_of(plane, [1.0], [field(np.full((4, 2), 1.0 / 8.0), (-2.0, 2.0), (-1.0, 1.0))])
    assert flat.mass([[-2.0, 0.0], [-1.0, 1.0]], 1.0).tolist() == [[0.5]]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ([field([0.2, 0.4], (0.0, 1.0))], r"the grid ends at 1, where Interval.* ends at 2; let them agree"),
        ([field([0.2, math.nan], (0.0, 2.0))], r"finite in every cell; take smaller time steps"),
        ([field([[0.2, 0.4]], (0.0, 2.0), (0.0, 1.0))], r"fields: 2 axes on Interval.*, which has 1"),
        ([], r"times = .*: must be increasing, one for each of the 0 fields"),
    ],
)
def test_bad_fields(fields: list[Any], message: str) -> None:
    equation = FokkerPlanck(0.0, 0.5, domain=rw.Interval(0.0, 2.0, A, R), start=1.0)
    with pytest.raises(ValueError, match=message):
        law_of(equation, [1.0], fields)
    with pytest.raises(TypeError, match="no field of py-pde"):
        law_of(equation, [1.0], [3.0])


@pytest.mark.skipif(has_py_pde(), reason="py-pde is installed")
def test_a_missing_package_is_named() -> None:
    with pytest.raises(ImportError, match="to_py_pde needs py-pde: pip install py-pde"):
        to_py_pde(FokkerPlanck(0.0, 0.5), 32, window=(-5.0, 5.0))


@needs_py_pde
def test_refusals() -> None:
    with pytest.raises(ValueError, match=r"Line\(\) ends at infinity: give window=\(low, high\)"):
        to_py_pde(FokkerPlanck(0.0, 0.5), 32)
    with pytest.raises(ValueError, match=r"has regions, which a grid of py-pde has not"):
        ball = rw.Ball((0.0, 0.0), 0.5)
        to_py_pde(FokkerPlanck(0.0, 0.5, domain=(rw.Ring(-1, 1) ** 2).without(ball, A, name="b"), start=(0.8, 0.0)), 32)


@needs_py_pde
@pytest.mark.parametrize("n", [64, 128])
def test_py_pde_converges_to_the_closed_form(n: int) -> None:
    """At second order, on half a line with an absorbing wall."""
    half = FokkerPlanck(-1.0, 0.5, domain=rw.Interval(0.0, math.inf, A), start=rw.Normal(1.5, 0.15))
    equation, state = to_py_pde(half, n, window=(0.0, 6.0))
    h = 6.0 / n
    law = law_of(half, [0.5], [equation.solve(state, 0.5, dt=0.2 * h**2, tracker=None, backend="numpy")])
    exact, x = closed_form(half), np.linspace(0.0, 6.0, 17)
    assert float(np.abs(law.cdf(x, 0.5) - exact.cdf(x, 0.5)).max()) < 1.5 * h**2
    assert float(law.absorbed("left", 0.5)) == pytest.approx(float(exact.absorbed("left", 0.5)), abs=1.5 * h**2)


@needs_py_pde
def test_py_pde_reflects_in_the_plane() -> None:
    """A drift onto reflecting walls, and one wall that absorbs, beside the closed form: to a tenth of h², h the cell's width."""
    domain = rw.Interval(0.0, 1.0, R, R) * rw.Interval(0.0, 2.0, R, A)
    plane = FokkerPlanck((1.5, -0.5), 0.5, domain=domain, start=rw.Normal(0.5, 0.05) * rw.Normal(1.0, 0.1))
    equation, state = to_py_pde(plane, (16, 32))
    h = 1.0 / 16.0
    law = law_of(plane, [0.2], [equation.solve(state, 0.2, dt=0.2 * h**2, tracker=None, backend="numpy")])
    exact, edges = closed_form(plane), [np.linspace(0.0, 1.0, 5), np.linspace(0.0, 2.0, 5)]
    assert float(np.abs(law.mass(edges, 0.2) - exact.mass(edges, 0.2)).max()) < 0.1 * h**2
    assert float(law.survival(0.2)) == pytest.approx(float(exact.survival(0.2)), abs=0.1 * h**2)


@needs_py_pde
@pytest.mark.parametrize(
    "kind", ["walls that absorb in part, drift along them", "a tensor that varies", "a tensor on a ring"]
)
def test_py_pde_agrees_with_the_solver_in_the_plane(kind: str) -> None:
    """Conditions that vary along a wall (mixed_expression) and mixed derivatives: of second order, an error below h²."""
    half, along = rw.PartiallyAbsorbing(0.8), X("0.2*cos(x + y)")
    box, drift = rw.Interval(0.0, 1.0, A, A) ** 2, (X("sin(3*y)"), X("0.5*x"))
    cases: dict[str, tuple[Any, Any, Any]] = {
        "walls that absorb in part, drift along them": (
            rw.Interval(0.0, 1.0, half, R) * rw.Interval(0.0, 1.0, R, half), (X("sin(3*y + 8*t)"), X("0.5*x")),
            (X("0.5 + 0.2*y*cos(5*t)"), 0.4),
        ),
        "a tensor that varies": (box, drift, ((X("0.5 + 0.1*x"), along), (along, 0.4))),
        "a tensor on a ring": (
            rw.Ring(0.0, 1.0) * rw.Interval(0.0, 1.0, A, A), (X("sin(2*pi*y)"), 0.5), ((0.5, 0.2), (0.2, 0.4))
        ),
    }  # fmt: skip
    domain, velocity, diffusion = cases[kind]
    plane = FokkerPlanck(velocity, diffusion, domain=domain, start=rw.Normal(0.5, 0.07) * rw.Normal(0.5, 0.07))
    n = 16
    equation, state = to_py_pde(plane, (n, n))
    law = law_of(plane, [0.1], [equation.solve(state, 0.1, dt=0.15 / n**2, tracker=None, backend="numpy")])
    known, edges = rw.pde.solve(plane, [0.1], tolerance=5e-4), [np.linspace(0.0, 1.0, 5)] * 2
    assert float(np.abs(law.mass(edges, 0.1) - known.mass(edges, 0.1)).max()) < 0.2 / n**2
    assert float(law.survival(0.1)) == pytest.approx(float(known.survival(0.1)), abs=1.0 / n**2)
