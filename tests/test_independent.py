"""Coordinates that are independent are solved one by one: the same masses and exits as on all cells, and as products of their own
solutions; and what joins them is seen."""

from __future__ import annotations

import numpy as np
import pytest

import randwalk as rw
from randwalk.pde import FokkerPlanck
from randwalk.pde.factors import independent
from randwalk.pde.solver.forward import Run
from randwalk.pde.solver.schemes import SDIRK2, Clock
from randwalk.pde.solver.states import Cells, Lines, states
from randwalk.pde.solver.window import find_mesh

MIXED = rw.Interval(0.0, 1.0, rw.Absorbing(), rw.PartiallyAbsorbing(1.0)) * rw.Interval(
    -1.0, 1.0, rw.Reflecting(), rw.Absorbing()
)
PLANE = FokkerPlanck(
    lambda x, y, t: (0.5 + t, -y), (0.3, 0.2), domain=MIXED, start=(0.3, 0.2), killing=lambda x, y: 0.5 + y * y
)
SPACE = FokkerPlanck(
    (0.4, 0.0, -0.2), (0.2, 0.3, 0.1), domain=rw.Ring(0.0, 1.0) * rw.Interval(0.0, 1.0, rw.Absorbing(), rw.Absorbing()) ** 2,
    start=rw.Normal((0.5, 0.4, 0.5), (0.05, 0.05, 0.05)), killing=0.5,
)  # fmt: skip
TIMES = np.array([0.05, 0.3])


@pytest.mark.parametrize("equation", [PLANE, SPACE])
def test_lines_and_cells_agree_to_the_order_of_the_steps(equation: FokkerPlanck) -> None:
    """Both are of second order in the steps; lines take whole steps where cells take halves, so that they differ."""
    mesh = find_mesh(equation, TIMES, 1e-9).with_cells(12)
    assert isinstance(states(equation, mesh), Lines)
    apart = []
    for steps in (8, 16):
        lines, cells = (
            Run._marched(SDIRK2(), of, mesh, None, Clock.octaves(TIMES, steps), -np.inf)
            for of in (Lines(equation, mesh), Cells(equation, mesh))
        )
        total = lines.mass.reshape(len(TIMES), -1).sum(axis=1) + lines.left_so_far[lines.at].sum(axis=1)
        assert total == pytest.approx(np.ones(len(TIMES)), abs=1e-13)
        apart.append(
            [
                np.abs(lines.mass - cells.mass).sum(),
                np.abs(lines.left_so_far[lines.at] - cells.left_so_far[cells.at]).max(),
            ]
        )
    masses, left = np.array(apart[0]) / apart[1]
    assert 3.5 < masses < 4.5 and apart[1][0] < 1e-3
    assert left > 1.0 and apart[1][1] < 1e-3  # by which face mass leaves at first depends on the order of the parts


def test_a_box_against_sines() -> None:
    """Of a uniform start S(t) = (Σ 8/(π²(2k+1)²) exp(-D (2k+1)² π² t))³, and a sixth leaves by each face, within the estimate."""
    side = rw.Interval(0.0, 1.0, rw.Absorbing(), rw.Absorbing())
    equation = FokkerPlanck(0.0, 0.5, domain=side**3, start=rw.Uniform((0.0,) * 3, (1.0,) * 3))
    law, odd = rw.pde.solve(equation, [0.05], tolerance=1e-5), 2.0 * np.arange(200) + 1.0
    line = (8.0 / (np.pi * odd) ** 2 * np.exp(-0.5 * (np.pi * odd) ** 2 * 0.05)).sum()
    found = np.array([law.survival(0.05), *(law.absorbed(face.exit, 0.05) for face in equation.domain.faces)])
    assert np.abs(found - [line**3, *[(1.0 - line**3) / 6.0] * 6]).max() < 4.0 * law.errors[0]


def test_what_joins_coordinates_is_seen() -> None:
    assert independent(PLANE) and independent(SPACE)
    plane, start = rw.Line() ** 2, (0.0, 0.0)
    disc = plane.inside(rw.Ball((0.0, 0.0), 1.0))
    for joined in (
        FokkerPlanck(lambda x, y: (y, 0.0), 0.5, domain=plane, start=start),
        FokkerPlanck((0.0, 0.0), lambda x, y: (1.0 + x * x * 0.0 + y * y, 1.0), domain=plane, start=start),
        FokkerPlanck((0.0, 0.0), ((0.5, 0.1), (0.1, 0.5)), domain=plane, start=start),
        FokkerPlanck((0.0, 0.0), 0.5, domain=plane, start=start, killing=lambda x, y: x * x),
        FokkerPlanck((0.0, 0.0), 0.5, domain=disc, start=start),
        FokkerPlanck((0.0, 0.0), 0.5, domain=plane, start=rw.Atoms([(0.0, 0.0), (1.0, 1.0)], [0.5, 0.5])),
    ):
        assert not independent(joined)
