"""Kinks and jumps of coefficients along an axis in the plane: edges of cells stand on them, as in one dimension."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import randwalk as rw
from randwalk.model.coefficient import Floats
from randwalk.pde import FokkerPlanck, solve

LINE = rw.Interval(0.0, 1.0, rw.Absorbing(), rw.Reflecting())
JUMP = "0.1 + 0.5*heaviside(x - 0.37)"
EDGES = np.linspace(0.0, 1.0, 38)
TIME = 0.2


def plane(convention: rw.Convention, unit: float = 1.0) -> FokkerPlanck:
    """D along x jumps, y is an Ornstein–Uhlenbeck process by itself; lengths in units of 1/`unit`."""
    line = rw.Interval(0.0, unit, rw.Absorbing(), rw.Reflecting())
    d = rw.expression("(0.1 + 0.5*heaviside(x - 0.37*unit))*unit**2", unit=unit)
    y = rw.expression("-y")
    start = rw.Normal((0.3 * unit, 0.2 * unit), (0.04 * unit, 0.1 * unit))
    return FokkerPlanck((0.0, y), (d, 0.3 * unit**2), domain=line * rw.Line(), start=start, convention=convention)


def along_x(convention: rw.Convention) -> Floats:
    """The masses of x by itself, to 1e-9."""
    one = FokkerPlanck(0.0, rw.expression(JUMP), domain=LINE, start=rw.Normal(0.3, 0.04), convention=convention)
    return solve(one, [TIME], tolerance=1e-9).mass(EDGES, TIME)


def worst(law: rw.pde.Solution, want: Floats, unit: float = 1.0) -> float:
    """The largest error of the cumulative probability of x."""
    return float(np.abs(np.cumsum(law.marginal(0).mass(EDGES * unit, TIME) - want)).max())


@pytest.mark.parametrize("convention", [rw.Convention.ITO, rw.Convention.FICK])
def test_a_jump_of_the_diffusion_is_of_second_order(convention: rw.Convention) -> None:
    """As D is the harmonic mean of both half cells beside a face; with the mean over a cell it would be of first order."""
    want = along_x(convention)
    errors = [worst(solve(plane(convention), [TIME], cells=cells), want) for cells in (64, 128, 256)]
    assert all(3.4 < a / b < 4.6 for a, b in itertools.pairwise(errors)), errors
    assert errors[-1] < 4e-5


@pytest.mark.parametrize("unit", [1.0, 1e-6])
def test_a_solution_beside_a_jump_is_extrapolated_and_honest(unit: float) -> None:
    want = along_x(rw.Convention.ITO)
    law = solve(plane(rw.Convention.ITO, unit), [TIME], tolerance=1e-5)
    assert law.extrapolated and law.mesh.axes[0].breaks == pytest.approx((0.37 * unit,))
    assert worst(law, want, unit) <= 4.0 * law.error_estimate <= 4e-5
    beside = law.pdf((np.array([0.37 - 1e-7, 0.37 + 1e-7]) * unit, np.full(2, 0.2 * unit)), TIME)
    assert beside[0] / beside[1] == pytest.approx(6.0, rel=1e-4)  # Dρ is continuous


def test_a_stationary_law_beside_a_jump_is_exact() -> None:
    """Between reflecting walls and on a ring Dρ is constant: the masses of the cells to rounding."""
    closed = rw.Interval(0.0, 1.0, rw.Reflecting(), rw.Reflecting()) * rw.Ring(0.0, 2.0)
    d = (rw.expression(JUMP), rw.expression("0.3 + 0.2*heaviside(y - 0.5) - 0.2*heaviside(y - 1.3)"))
    law = solve(FokkerPlanck((0.0, 0.0), d, domain=closed, start=(0.3, 0.4)), [60.0], cells=64)
    x, y = law.x
    flat = law.density[0] * np.where(x < 0.37, 0.1, 0.6)[:, None] * np.where((y < 0.5) | (y > 1.3), 0.3, 0.5)
    assert np.ptp(flat) < 1e-10 * flat.mean()
    assert (law.density[0] * law.mesh.volumes).sum() == pytest.approx(1.0, abs=1e-12)


def test_a_kink_of_the_drift_along_the_other_axis() -> None:
    """-sign(y), whose stationary law e^(-|y|/D) has a kink; against the solution of y by itself."""
    push, t = rw.expression("-sign(y)"), 0.5
    domain, start = rw.Line() ** 2, rw.Normal((0.0, 0.5), (0.3, 0.2))
    law = solve(FokkerPlanck((1.0, push), 0.5, domain=domain, start=start), [t], tolerance=1e-5)
    alone = solve(FokkerPlanck(rw.expression("-sign(x)"), 0.5, start=rw.Normal(0.5, 0.2)), [t], tolerance=1e-9)
    edges = np.linspace(-2.0, 2.5, 40)
    wrong = np.abs(np.cumsum(law.marginal(1).mass(edges, t) - alone.mass(edges, t))).max()
    assert wrong <= 4.0 * law.error_estimate <= 4e-5
