"""Stationary laws of equations against Boltzmann's, normal laws and laws of the axes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.linalg import solve_continuous_lyapunov
from scipy.stats import multivariate_normal

import randwalk as rw
from randwalk.pde import FokkerPlanck, stationary_law

R = rw.Reflecting()


def cumulative(law: Any, edges: tuple[np.ndarray, ...]) -> np.ndarray:
    """P(X ≤ x, Y ≤ y, …) at the edges but the first ones."""
    masses = law.mass(edges)
    for a in range(masses.ndim):
        masses = np.cumsum(masses, axis=a)
    return np.asarray(masses)


@pytest.mark.parametrize("tolerance", [1e-3, 1e-5])
def test_a_spring_that_turns_has_its_normal_law(tolerance: float) -> None:
    """Drift Ax and a full tensor D: the covariance solves AC + CAᵀ = -2D (Gardiner 2009, 4.5.6). In µm and ns."""
    um, ns = 1e-6, 1e-9
    a, d = np.array([[-1.0, -2.0], [0.5, -0.7]]), np.array([[0.5, 0.1], [0.1, 0.3]])
    equation = FokkerPlanck(
        lambda x, y: ((-x - 2.0 * y) / ns, (0.5 * x - 0.7 * y) / ns),
        d * um**2 / ns,
        domain=rw.Line() ** 2,
        start=(0.0, 0.0),
    )
    law = stationary_law(equation, window=[(-6.0 * um, 6.0 * um)] * 2, tolerance=tolerance)
    covariance = solve_continuous_lyapunov(a, -2.0 * d)
    ends = np.linspace(-2.0, 2.0, 7)
    edges = np.concatenate([[-6.0], ends]) * um
    normal = multivariate_normal(cov=covariance)
    exact = np.array([[normal.cdf([x, y]) for y in ends] for x in ends])
    assert np.abs(cumulative(law, (edges, edges)) - exact).max() <= law.error_estimate <= tolerance
    assert law.variance() / um**2 == pytest.approx(covariance, abs=10 * tolerance)
    assert law.survival() == 1.0 and law.absorbed("killing") == 0.0


def test_a_potential_has_boltzmanns_law() -> None:
    """Two wells side by side between walls, around an obstacle: the densities of cells are exp(-U/D) to rounding."""

    def u(x: Any, y: Any) -> Any:
        return (x * x - 0.5) ** 2 * 8.0 + y * y + x * y

    def drift(x: Any, y: Any) -> Any:
        return -(32.0 * x * (x * x - 0.5) + y), -(2.0 * y + x)

    room = (rw.Interval(-1.5, 1.5, R, R) ** 2).without(rw.Ball((0.0, 1.0), 0.3))
    law = stationary_law(FokkerPlanck(drift, 1.0, domain=room, start=(0.5, 0.0)), tolerance=1e-2)
    cells = np.meshgrid(*law.x, indexing="ij")
    exact = np.where(law.mesh.live, np.exp(-u(*cells)), 0.0)
    assert law.density == pytest.approx(exact / (exact * law.mesh.volumes).sum(), rel=1e-6, abs=1e-14)


def test_a_ring_and_an_interval_have_the_product_of_their_laws() -> None:
    """A drift round the ring that changes with the place, and one across that does; against one dimension."""
    ring, wall = rw.Ring(0.0, 1.0), rw.Interval(0.0, 1.0, R, R)
    both = stationary_law(
        FokkerPlanck(
            (lambda x: 2.0 + np.sin(2 * np.pi * x), lambda y: -3.0 * y), 0.5, domain=ring * wall, start=(0.5, 0.5)
        ),
        tolerance=1e-5,
    )
    one = stationary_law(
        FokkerPlanck(lambda x: 2.0 + np.sin(2 * np.pi * x), 0.5, domain=ring, start=0.5), tolerance=1e-7
    )
    other = stationary_law(FokkerPlanck(lambda x: -3.0 * x, 0.5, domain=wall, start=0.5), tolerance=1e-7)
    edges = np.linspace(0.0, 1.0, 9)
    exact = np.multiply.outer(np.cumsum(one.mass(edges)), np.cumsum(other.mass(edges)))
    assert np.abs(cumulative(both, (edges, edges)) - exact).max() <= 2e-5
    weight = np.exp(-3.0 * edges**2)
    assert other.pdf(edges[1:-1]) / other.pdf(0.5) == pytest.approx(weight[1:-1] / weight[4], rel=1e-5)


def test_a_torus_that_turns() -> None:
    """A constant drift keeps the uniform law; a shear along x that changes with y alone does too."""
    torus = rw.Ring(0.0, 1.0) ** 2
    law = stationary_law(
        FokkerPlanck((lambda y: 5.0 * np.sin(2 * np.pi * y), 3.0), 0.2, domain=torus, start=(0.5, 0.5))
    )
    assert law.density == pytest.approx(np.ones(law.mesh.shape), abs=1e-9)


def test_in_space() -> None:
    """A turning spring in three dimensions, where cells are too many for a factorisation."""
    law = stationary_law(
        FokkerPlanck(lambda x, y, z: (-x - y, x - y, -z), 0.5, domain=rw.Line() ** 3, start=(0.0,) * 3),
        window=[(-4.0, 4.0)] * 3,
        tolerance=2e-3,
    )
    assert law.variance() == pytest.approx(0.5 * np.eye(3), abs=5e-3)
    assert law.error_estimate <= 2e-3


SPRING: dict[str, Any] = {
    "drift": lambda x, y: (-x, -y),
    "diffusion": 0.5,
    "domain": rw.Line() ** 2,
    "start": (0.0, 0.0),
}


@pytest.mark.parametrize(
    ("ask", "told"),
    [
        (lambda: stationary_law(FokkerPlanck(**SPRING)), "unbounded on the left"),
        (lambda: stationary_law(FokkerPlanck(**SPRING), window=[(-1.0, 1.0)] * 2), "widen it"),
        (lambda: stationary_law(FokkerPlanck(**SPRING), window=[(-1.0, 1.0)] * 3), "each of 2 axes"),
        (lambda: stationary_law(FokkerPlanck(**SPRING | {"killing": 1.0}), window=[(-5.0, 5.0)] * 2), "mass is lost"),
        (
            lambda: stationary_law(
                FokkerPlanck(0.0, 0.5, domain=rw.Ring(0, 1) * rw.Interval(0, 1, R, rw.Absorbing()), start=(0.5, 0.5))
            ),
            "mass is lost",
        ),
        (
            lambda: stationary_law(FokkerPlanck(lambda x, t: -x * t, 0.5, start=0.0), window=(-5.0, 5.0)),
            "depend on time",
        ),
    ],
)
def test_equations_without_a_stationary_law(ask: Callable[[], object], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        ask()


def test_a_walks_law_is_exact() -> None:
    walk = rw.LatticeWalk(right=0.5, left=0.5, dx=0.1, domain=rw.Ring(0.0, 1.0))
    with pytest.raises(TypeError, match="exact; leave it out"):
        stationary_law(walk, tolerance=1e-3)  # type: ignore[call-overload]
    assert math.isclose(stationary_law(walk).pmf.sum(), 1.0)
