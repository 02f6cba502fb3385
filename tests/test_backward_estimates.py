"""Exit times and probabilities in two and three dimensions against closed forms: what is asked for is reached, and no error is
above its estimate."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.integrate import cumulative_simpson
from scipy.sparse import diags_array, eye_array, kronsum

import randwalk as rw
from randwalk.pde import BackwardSolution, FokkerPlanck, exit_probability, mean_exit_time
from randwalk.pde.solver.multigrid import solved

CENTRE = (0.013, 0.007, 0.003)  # off the lattice of cells
ROUND = 4.0  # between cells an error may be that many times the estimate at a place


def between(low: float, high: float) -> rw.Interval:
    return rw.Interval(low, high, rw.Absorbing(), rw.Absorbing())


def box_time(sides: tuple[float, ...], place: tuple[Any, ...], diffusion: float = 1.0) -> Any:
    """The mean exit time of a box, by eigenfunctions of all axes but the last, along which it is exact."""
    k = np.arange(1, 4000, 2) if len(sides) == 2 else np.arange(1, 100, 2)
    waves = np.meshgrid(*(k,) * (len(sides) - 1), indexing="ij")
    q = np.sqrt(sum((w * math.pi / a) ** 2 for w, a in zip(waves, sides[:-1], strict=True)))
    height, z = sides[-1], place[-1]
    beyond = (np.exp(-q * z) + np.exp(-q * (height - z))) / (1.0 + np.exp(-q * height))
    parts = [
        4.0 / (w * math.pi) * np.sin(w * math.pi * x / a) for w, x, a in zip(waves, place, sides[:-1], strict=False)
    ]
    return float((math.prod(parts) * (1.0 - beyond) / (diffusion * q**2)).sum())


@pytest.mark.parametrize(
    ("sides", "tolerance"),
    [
        ((1.0, 1.0), 1e-4),
        pytest.param((1.0, 20.0), 1e-4, marks=pytest.mark.long),
        ((20.0, 1.0), 1e-4),
        ((1.0, 1.0, 1.0), 1e-4),
        ((1.0, 1.0, 8.0), 1e-2),
    ],
)
def test_boxes_of_any_shape(sides: tuple[float, ...], tolerance: float) -> None:
    """In µm and ns, to a tolerance of the largest; of the square 0.0736713 a²/D in the middle."""
    um, ns = 1e-6, 1e-9
    domain: Any = between(0.0, sides[0] * um)
    for side in sides[1:]:
        domain = domain * between(0.0, side * um)
    middle = tuple(0.5 * side for side in sides)
    equation = FokkerPlanck((0.0,) * len(sides), um**2 / ns, domain=domain, start=tuple(um * x for x in middle))
    time: Any = mean_exit_time(equation, tolerance=tolerance)
    assert time.error_estimate <= tolerance * time.u.max()
    for place in (middle, tuple(0.3 * x for x in middle), (*middle[:-1], 0.25 * sides[-1])):
        error = abs(float(time.value(tuple(um * x for x in place))) / ns - box_time(sides, place))
        assert error <= min(tolerance * box_time(sides, middle), float(time.error(tuple(um * x for x in place))) / ns)
    if sides == (1.0, 1.0):
        assert float(time.value((0.5 * um, 0.5 * um))) / ns == pytest.approx(0.0736713, abs=1e-6)


def round_domain(d: int, inner: float | None = None) -> Any:
    """A ball of radius 1, with one of radius `inner` taken out."""
    box = between(-1.1, 1.1) ** d
    ball = box.inside(rw.Ball(CENTRE[:d], 1.0), rw.Absorbing(), "out")
    return ball if inner is None else ball.without(rw.Ball(CENTRE[:d], inner), rw.Absorbing(), "in")


def from_centre(place: Any, d: int) -> Any:
    return np.sqrt(sum((x - c) ** 2 for x, c in zip(place, CENTRE[:d], strict=True)))


def check(field: BackwardSolution, exact: Callable[[Any], Any]) -> None:
    """No error at a cell is above the estimate, nor between them above :data:`ROUND` times that of the place."""
    cells = np.meshgrid(*field.x, indexing="ij")
    assert np.nanmax(np.abs(field.u - exact(cells))) <= field.error_estimate
    rng = np.random.default_rng(0)
    places = tuple(rng.uniform(grid.low, grid.high, 2000) for grid in field.mesh.axes)
    error = np.abs(field.value(places) - exact(places))
    assert np.nanmax(error / field.error(places)) <= ROUND


@pytest.mark.parametrize(("d", "tolerance"), [(2, 1e-4), (3, 1e-4)])
def test_a_ball(d: int, tolerance: float) -> None:
    """(R² - r²)/2dD, which differences of second order have exactly."""
    equation = FokkerPlanck(
        (0.0,) * d,
        0.5,
        domain=(between(-1.1, 1.1) ** d).inside(rw.Ball((0.0,) * d, 1.0), rw.Absorbing()),
        start=(0.0,) * d,
    )
    time: Any = mean_exit_time(equation, tolerance=tolerance)
    assert float(time.value((0.0,) * d)) == pytest.approx(1.0 / d, rel=1e-9)
    toward = np.linspace(0.0, 0.999, 200)  # up to the wall, where the spline sees cells beyond it
    places = (toward * 0.8, toward * 0.6) + (0.0,) * (d - 2)
    assert time.value(places) == pytest.approx((1.0 - toward**2) / d, abs=1e-9)


@pytest.mark.parametrize(("d", "tolerance"), [(2, 1e-3), (2, 1e-5), (3, 1e-2)])
def test_between_two_spheres(d: int, tolerance: float) -> None:
    """The probability of the inner one is ln(1/r)/ln(1/a), or (1/r - 1)/(1/a - 1)."""
    start = (CENTRE[0] + 0.6, *CENTRE[1:d])
    field: Any = exit_probability(
        FokkerPlanck((0.0,) * d, 1.0, domain=round_domain(d, 0.3), start=start), "in", tolerance=tolerance
    )

    def exact(place: Any) -> Any:
        r = from_centre(place, d)
        r = np.where((r > 0.3) & (r < 1.0), r, math.nan)
        return np.log(r) / math.log(0.3) if d == 2 else (1.0 / r - 1.0) / (1.0 / 0.3 - 1.0)

    check(field, exact)
    assert field.error_estimate <= tolerance


@pytest.mark.parametrize(("d", "tolerance"), [(2, 1e-3), (2, 1e-5), (3, 1e-3)])
def test_a_spring_in_a_ball(d: int, tolerance: float) -> None:
    """τ' = -r^(1-d) e^(kr²/2D) ∫ s^(d-1) e^(-ks²/2D) ds / D of the drift -kx."""
    k = 4.0
    pulls = (lambda x: -k * (x - CENTRE[0]), lambda y: -k * (y - CENTRE[1]), lambda z: -k * (z - CENTRE[2]))
    field: Any = mean_exit_time(
        FokkerPlanck(pulls[:d], 1.0, domain=round_domain(d), start=CENTRE[:d]), tolerance=tolerance
    )
    r = np.linspace(0.0, 1.0, 2001)[1:]
    held = (
        r ** (1.0 - d)
        * np.exp(0.5 * k * r**2)
        * cumulative_simpson(r ** (d - 1.0) * np.exp(-0.5 * k * r**2), x=r, initial=r[0] ** d / d)
    )
    left = cumulative_simpson(held, x=r, initial=0.5 * r[0] ** 2 / d)

    def exact(place: Any) -> Any:
        at = from_centre(place, d)
        return np.where(at < 1.0, left[-1] - np.interp(at, r, left), math.nan)

    check(field, exact)


def test_sides_of_a_cube() -> None:
    """Each takes a sixth of the walkers from the middle; with a drift along one axis, that of one dimension by its two faces."""
    cube = between(0.0, 1.0) ** 3
    middle = (0.5, 0.5, 0.5)
    top: Any = exit_probability(FokkerPlanck((0.0,) * 3, 1.0, domain=cube, start=middle), "top", tolerance=1e-2)
    assert float(top.value(middle)) == pytest.approx(1.0 / 6.0, abs=float(top.error(middle)))
    shut = rw.Interval(0.0, 1.0, rw.Reflecting(), rw.Reflecting())
    drifted = FokkerPlanck((3.0, 0.0, 0.0), 1.0, domain=between(0.0, 1.0) * shut * shut, start=middle)
    found = exit_probability(drifted, "right")
    assert float(found.value((0.3, 0.4, 0.6))) == pytest.approx(-math.expm1(-0.9) / -math.expm1(-3.0), abs=1e-4)


@pytest.mark.parametrize("drift", [0.0, 0.6])
def test_multigrid_solves_what_elimination_does(drift: float) -> None:
    """A matrix of rates with a drift along one axis, and rates along another that are 100 times smaller."""
    n = 24
    line = diags_array(
        [np.full(n - 1, -1.0 - drift), np.full(n, 2.0), np.full(n - 1, -1.0 + drift)], offsets=[-1, 0, 1]
    )
    fair = diags_array([np.full(n - 1, -1.0), np.full(n, 2.0), np.full(n - 1, -1.0)], offsets=[-1, 0, 1])
    matrix = kronsum(kronsum(fair, 0.01 * fair), line, format="csr") + 1e-6 * eye_array(n**3, format="csr")
    places = np.stack(np.meshgrid(*(np.arange(n),) * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    exact = np.random.default_rng(1).random(n**3)
    found = solved(matrix, matrix @ exact, places)
    assert found is not None and found == pytest.approx(exact, abs=1e-8)
