"""Backward problems in two and three dimensions, against formulas and the forward equation."""

from __future__ import annotations

import math

import numpy as np
import pytest

import randwalk as rw
from randwalk.model.coefficient import Floats
from randwalk.pde.solver.backward_solution import BackwardSolution
from randwalk.pde.solver.grid import Grid
from randwalk.pde.solver.mesh import Mesh
from randwalk.pde.solver.operator import Operator
from randwalk.pde.solver.schemes import SDIRK2, strang

A, R = rw.Absorbing(), rw.Reflecting()
PLANE = rw.Line() ** 2
SQUARE = rw.Interval(0.0, 1.0, A, A) ** 2
DISC = PLANE.inside(rw.Ball((0.0, 0.0), 1.0), A, "rim")


def field(solution: object) -> BackwardSolution:
    assert isinstance(solution, BackwardSolution)
    return solution


def test_mean_exit_time_from_a_square() -> None:
    """The double sine series."""
    u = field(rw.pde.mean_exit_time(rw.pde.FokkerPlanck(0.0, 0.5, domain=SQUARE, start=(0.5, 0.5)), tolerance=1e-3))
    n = np.arange(1, 200, 2)
    m, k = np.meshgrid(n, n, indexing="ij")
    for x, y in ((0.5, 0.5), (0.3, 0.8)):
        waves = np.sin(m * np.pi * x) * np.sin(k * np.pi * y) / (m * k * (m**2 + k**2))
        exact = 16.0 / (math.pi**4 * 0.5) * float(waves.sum())
        assert u.value((x, y)) == pytest.approx(exact, abs=4.0 * u.error_estimate)


def test_the_four_sides_of_a_square_are_equal_and_sum_to_one() -> None:
    equation = rw.pde.FokkerPlanck(0.0, 0.5, domain=SQUARE, start=(0.5, 0.5))
    left = field(rw.pde.exit_probability(equation, "left", tolerance=1e-2))
    assert left.value((0.5, 0.5)) == pytest.approx(0.25, abs=1e-9)
    x, y = np.array([0.2, 0.35]), np.array([0.3, 0.6])
    others = left.value((x, y)) + left.value((1.0 - x, y)) + left.value((y, x)) + left.value((1.0 - y, x))
    assert others == pytest.approx(1.0, abs=1e-3)
    assert (left.error((x, y)) < 2e-3).all()


@pytest.mark.parametrize(("dimension", "tolerance"), [(2, 1e-3), (3, 1e-2)])
def test_mean_exit_time_from_a_ball(dimension: int, tolerance: float) -> None:
    """(R² - r²)/2dD."""
    ball = (rw.Line() ** dimension).inside(rw.Ball((0.0,) * dimension, 1.0), A, "rim")
    u = field(rw.pde.mean_exit_time(rw.pde.FokkerPlanck(0.0, 0.5, domain=ball), tolerance=tolerance))
    for r in (0.0, 0.4, 0.7):
        at = (r, *(0.0,) * (dimension - 1))
        assert u.value(at) == pytest.approx((1.0 - r**2) / dimension, abs=4.0 * u.error_estimate)
    with pytest.raises(ValueError, match="was made from"):
        u.value((3.0,) + (0.0,) * (dimension - 1))


def test_the_committor_of_a_disc_in_a_disc() -> None:
    """ln r/ln r₀ for a hub of radius r₀ before the rim of radius 1."""
    domain = DISC.without(rw.Ball((0.0, 0.0), 0.3), A, "hub")
    u = field(
        rw.pde.exit_probability(rw.pde.FokkerPlanck(0.0, 0.5, domain=domain, start=(0.5, 0.0)), "hub", tolerance=1e-2)
    )
    for r in (0.45, 0.6, 0.8):
        assert u.value((0.0, r)) == pytest.approx(math.log(r) / math.log(0.3), abs=4.0 * u.error_estimate)
    assert np.isnan(u.value((0.0, 0.1)))


def test_a_payoff_in_the_plane() -> None:
    """E[X² + XY] of Brownian motion with a drift, and the moments of a turning spring."""
    heat = rw.pde.FokkerPlanck((1.0, 0.0), 0.5, domain=PLANE)
    u = field(rw.pde.backward(heat, lambda x, y: x**2 + x * y, 1.0, over=((-1.0, 1.0), (-1.0, 1.0)), tolerance=1e-3))
    assert u.value((0.5, 0.2)) == pytest.approx(1.5**2 + 1.0 + 1.5 * 0.2, abs=4.0 * max(u.error_estimate, 1e-4))


def test_what_is_paid_at_a_face_by_a_time() -> None:
    """The probability of having left by the top, against the forward solution."""
    box = rw.Interval(0.0, 1.0, R, A) * rw.Interval(0.0, 1.0, A, A)
    equation = rw.pde.FokkerPlanck((0.5, 1.0), (0.5, 0.3), domain=box, start=(0.4, 0.5))
    u = field(rw.pde.backward(equation, lambda x, y: 0.0 * x * y, 0.2, paid={"top": 1.0}, tolerance=1e-3))
    forward = rw.pde.solve(equation, [0.2], tolerance=1e-4)
    assert u.value((0.4, 0.5)) == pytest.approx(forward.absorbed("top", 0.2), abs=2e-3)


def test_duality_holds_to_rounding() -> None:
    """⟨u, ρ⟩ with a tensor, a ring and killing."""
    domain = rw.Interval(0.0, 1.0, A, rw.PartiallyAbsorbing(2.0)) * rw.Ring(0.0, 1.0)
    equation = rw.pde.FokkerPlanck(
        (rw.expression("sin(2*pi*y)"), 0.5), ((0.5, 0.1), (0.1, 0.3)), domain=domain, start=(0.5, 0.5), killing=0.3
    )
    mesh = Mesh((Grid(0, 1, 16, A, rw.PartiallyAbsorbing(2.0)), Grid(0, 1, 18, periodic=True)), domain)
    operator, rng = Operator(equation, mesh), np.random.default_rng(1)
    rho: Floats = np.zeros(mesh.size + 1)
    u: Floats = rng.random(mesh.size + 1)
    mesh.inner(rho)[...] = rng.random(mesh.shape)
    forward, backward = rho, u
    for _ in range(5):
        forward, backward = (
            strang(SDIRK2(), parts, state, 0.0, 0.1)
            for parts, state in ((operator.forward, forward), (operator.backward, backward))
        )
    assert forward @ u == pytest.approx(rho @ backward, rel=1e-12)


def test_questions_without_an_answer_are_refused() -> None:
    closed = rw.pde.FokkerPlanck(0.0, 0.5, domain=rw.Ring(0.0, 1.0) ** 2, start=(0.5, 0.5))
    with pytest.raises(ValueError, match="nobody ever leaves"):
        rw.pde.mean_exit_time(closed)
    with pytest.raises(ValueError, match="needs a bounded domain"):
        rw.pde.mean_exit_time(rw.pde.FokkerPlanck(0.0, 0.5, domain=PLANE))
    half = rw.pde.FokkerPlanck(0.0, 0.5, domain=rw.Interval(0, 1, R, A) * rw.Ring(0, 1), start=(0.5, 0.5))
    with pytest.raises(ValueError, match="'left': nobody leaves"):
        rw.pde.exit_probability(half, "left")
    with pytest.raises(ValueError, match=r"^wall = 'bottom'"):
        rw.pde.exit_probability(half, "bottom")


@pytest.mark.parametrize("length", [1e-6, 1.0, 12.0])
def test_an_exit_time_is_extrapolated_where_nothing_is_cut_out(length: float) -> None:
    """The double sine series at the centre of a square, 0.0736713532814 L²/D."""
    square = rw.Interval(0.0, length, A, A) ** 2
    equation = rw.pde.FokkerPlanck(0.0, 2.0, domain=square, start=(0.5 * length, 0.5 * length))
    u = field(rw.pde.mean_exit_time(equation, tolerance=1e-6))
    exact = 0.0736713532814 * length**2 / 2.0
    assert u.value((0.5 * length, 0.5 * length)) == pytest.approx(exact, rel=1e-6)
    assert u.error_estimate < 1e-6 * exact


def test_mean_exit_time_from_a_cube() -> None:
    """The integral of the product of three survivals of an interval, at the default tolerance."""
    k = np.arange(1, 60, 2)
    weight, rate = 4.0 / (np.pi * k) * np.sin(np.pi * k / 2.0), (np.pi * k) ** 2
    total = rate[:, None, None] + rate[:, None] + rate
    exact = float(np.einsum("i,j,k,ijk", weight, weight, weight, 1.0 / total))
    cube = rw.Interval(0.0, 1.0, rw.Absorbing(), rw.Absorbing()) ** 3
    field = rw.pde.mean_exit_time(rw.pde.FokkerPlanck(0.0, 1.0, domain=cube, start=(0.5, 0.5, 0.5)), tolerance=1e-3)
    assert field.error_estimate <= 1e-3 * field.u.max()
    assert field.value((0.5, 0.5, 0.5)) == pytest.approx(exact, abs=field.error_estimate)
