"""Estimates of by which face mass leaves, of a start at absorbing walls: faces that are alike each take the same share, and a box
of independent coordinates, or of coordinates that are joined next to not at all, is a sum over sines."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy.integrate import quad

import randwalk as rw
from randwalk.pde import FokkerPlanck, solve
from randwalk.pde.solver.exit_order import irregular
from randwalk.pde.solver.schemes import Clock
from randwalk.pde.solver.window import find_mesh

HONEST = 4.0  # an estimate may be too small by less than this
LARGE = 8.0  # and, with the errors of masses in it, too large by less than this
TIME = 0.05
ABSORBING, REFLECTING = rw.Absorbing(), rw.Reflecting()
SIDE = rw.Interval(0.0, 1.0, ABSORBING, ABSORBING)
CLOSED = rw.Interval(0.0, 1.0, REFLECTING, REFLECTING)
ODD = np.pi * (2.0 * np.arange(400) + 1.0)
TURNING: dict[int, Any] = {
    2: lambda x, y: (4.0 * (y - 0.5), -4.0 * (x - 0.5)),
    3: lambda x, y, z: (3.0 * (y - z), 3.0 * (z - x), 3.0 * (x - y)),
}


def uniform(d: int, low: float = 0.0, high: float = 1.0) -> rw.Uniform:
    return rw.Uniform((low,) * d, (high,) * d)


@pytest.mark.parametrize(("d", "time"), [(2, 0.005), (2, TIME), (2, 0.5), (3, TIME)])
def test_faces_that_are_alike(d: int, time: float) -> None:
    """A drift that turns about the middle of a square, and about the diagonal of a cube, moves each face into all others (by
    inversion too): of what leaves, each takes as much."""
    law = solve(FokkerPlanck(TURNING[d], 0.5, domain=SIDE**d, start=uniform(d)), [time], tolerance=1e-2)
    left = law.left_so_far[-1, :-1]
    wrong = float(np.abs(left - (1.0 - law.survival(time)) / (2 * d)).max())
    assert law.error_estimate / LARGE <= wrong <= HONEST * law.error_estimate, (wrong, law.error_estimate)


def on_a_side(t: float, diffusion: float) -> tuple[float, float]:
    """(survival, rate of loss) at time `t` of a uniform start between absorbing ends; early by the two half lines."""
    if diffusion * t < 1e-3:
        return 1.0 - 4.0 * math.sqrt(diffusion * t / math.pi), 2.0 * math.sqrt(diffusion / (math.pi * t))
    decayed = 8.0 * np.exp(-diffusion * ODD**2 * t)
    return float((decayed / ODD**2).sum()), float(diffusion * decayed.sum())


def by_each(diffusions: tuple[float, ...]) -> list[float]:
    """What has left by TIME by each face across the axes, one of the two: ∫ loss along the axis × survival along the others."""

    def lost(root: float, axis: int) -> float:
        known = [on_a_side(root * root, d) for d in diffusions]
        others = math.prod(survival for a, (survival, _) in enumerate(known) if a != axis)
        return root * known[axis][1] * others  # dt = 2 √t d√t, and a half by each face

    return [quad(lost, 1e-12, math.sqrt(TIME), (a,), epsabs=1e-11, limit=200)[0] for a in range(len(diffusions))]


@pytest.mark.parametrize("slight", [0.0, 1e-13])
@pytest.mark.parametrize("second", [0.2, 0.02])
def test_faces_that_are_not_alike(slight: float, second: float) -> None:
    """Coordinates that are independent, and joined by a `slight` drift, which asks for the march on all cells."""
    diffusions = (0.5, second)
    box = FokkerPlanck(lambda x, y: (slight * y, 0.0), diffusions, domain=SIDE**2, start=uniform(2))
    law = solve(box, [TIME], tolerance=1e-2)
    wrong = float(np.abs(law.left_so_far[-1, :4:2] - by_each(diffusions)).max())
    assert law.error_estimate / LARGE <= wrong <= HONEST * law.error_estimate, (wrong, law.error_estimate)


@pytest.mark.parametrize("times", [[0.5], [0.02, 0.5]])
def test_steps_that_grow_from_the_start_are_few(times: list[float]) -> None:
    """To 1e-4; equal steps, whose error is of first order, take 512 of them on 1536 x 1536 cells."""
    law = solve(FokkerPlanck(TURNING[2], 0.5, domain=SIDE**2, start=uniform(2)), times, tolerance=1e-4)
    for row, t in zip(np.searchsorted(law.ages, np.array(times) * (1.0 - 1e-9)), times, strict=True):
        wrong = float(np.abs(law.left_so_far[row, :-1] - (1.0 - law.survival(t)) / 4).max())
        assert wrong <= law.error(t) <= 1e-4
    assert law.mesh.cells <= 192


def test_fixed_cells_have_honest_estimates() -> None:
    """Of second order: what leaves by each face too."""
    box, errors = FokkerPlanck(TURNING[2], 0.5, domain=SIDE**2, start=uniform(2)), []
    for cells in (32, 64):
        law = solve(box, [TIME], cells=cells)
        errors.append(float(np.abs(law.left_so_far[-1, :-1] - (1.0 - law.survival(TIME)) / 4).max()))
        assert errors[-1] <= law.error_estimate
    assert np.log2(errors[0] / errors[1]) == pytest.approx(2.0, abs=0.3)


@pytest.mark.quick
def test_steps_in_proportion_to_a_cube() -> None:
    clock = Clock.octaves(np.array([1.0, 2.0]), 4, None, 3)
    ends = [end for stretch in clock.stretches for _, _, end in stretch.each()]
    assert ends == pytest.approx([(k / 4) ** 3 for k in range(1, 5)] + [1.0 + k / 4 for k in range(1, 5)], rel=1e-15)
    finer = [end for stretch in clock.refined(2).stretches for _, _, end in stretch.each()]
    assert finer[1::2] == pytest.approx(ends, rel=1e-15)
    steps = [dt for _, dt, _ in Clock.equal(np.array([1.0, 2.0]), 0.1, None, 3).each()]
    assert max(steps) <= 0.1 * (1.0 + 1e-12) and sum(steps) == pytest.approx(2.0)


def test_which_exits_are_irregular() -> None:
    half = rw.Uniform(0.0, 1.0) * rw.Point(0.4)
    for found, start, other, killing in (
        (True, uniform(2), SIDE, 0.0),
        (True, half, SIDE, 0.0),
        (True, half, CLOSED, 1.0),
        (False, half, CLOSED, 0.0),  # by the two ends of one axis
        (False, uniform(2, 0.3, 0.7), SIDE, 0.0),
        (False, rw.Point((0.1, 0.1)), SIDE, 0.0),
    ):
        problem = FokkerPlanck(TURNING[2], 0.5, domain=SIDE * other, start=start, killing=killing)
        mesh = find_mesh(problem, np.array([TIME]), 1e-9).with_cells(24)
        assert irregular(problem, mesh) == found, (start, other, killing)
    lines = FokkerPlanck((0.0, 0.0), 0.5, domain=SIDE**2, start=uniform(2))
    assert irregular(lines, find_mesh(lines, np.array([TIME]), 1e-9).with_cells(24))
