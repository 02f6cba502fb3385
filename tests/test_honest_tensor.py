"""Estimates of solutions with a tensor D between walls, against exact laws: by the shear y - x D_xy/D_xx the coordinates become
independent, the conormal flux through the faces across x becomes the normal one, and walls stay where they are."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy.special import ndtr

import randwalk as rw
from randwalk.model.coefficient import Floats
from randwalk.model.wall import Wall

HONEST = 4.0  # an estimate may be too small by less than this
TIME = 0.1
WALLS: dict[str, Wall] = {"A": rw.Absorbing(), "R": rw.Reflecting(), "P": rw.PartiallyAbsorbing(1.5)}
NODES, WEIGHTS = np.polynomial.legendre.leggauss(12)


def exact(law: rw.pde.Solution) -> tuple[Floats, float]:
    """The cumulative masses at the corners of the cells of `law`, and the survival, at TIME from a point."""
    equation, (gx, gy) = law.equation, law.mesh.axes
    start: Any = equation.start  # a product of points
    (ax, ay), d = (float(c(0.0)) for c in equation.declared_drift), equation.diffusion((0.0, 0.0), 0.0)
    (x0, y0), slope = (f.x for f in start.factors), d[0, 1] / d[0, 0]
    along = rw.pde.closed_form(rw.pde.FokkerPlanck(ax, d[0, 0], domain=equation.domain.axes[0], start=x0))
    half = 0.5 * np.diff(gx.edges)
    x = gx.x[:, None] + half[:, None] * NODES
    weights = WEIGHTS * half[:, None] * along.pdf(x.ravel(), TIME).reshape(x.shape)
    sd = math.sqrt(2.0 * (d[1, 1] - slope * d[0, 1]) * TIME)
    away = gy.edges - (slope * x + y0 - slope * x0 + (ay - slope * ax) * TIME)[:, :, None]
    turns = np.arange(-12, 13) * (gy.high - gy.low) if gy.periodic else [0.0]
    below = sum(
        ndtr((away + turn) / sd) - (ndtr((away[:, :, :1] + turn) / sd) if gy.periodic else 0.0) for turn in turns
    )
    return np.einsum("ik,ikj->ij", weights, below).cumsum(axis=0)[:, 1:], float(along.survival(TIME))


RING, LINE = rw.Ring(0.0, 1.0), rw.Line()


@pytest.mark.parametrize(
    ("walls", "mixed", "other"), [("RR", -0.3, RING), ("RA", 0.2, RING), ("PP", -0.3, RING), ("RR", -0.3, LINE)]
)
def test_a_tensor_between_walls(walls: str, mixed: float, other: rw.Ring | rw.Line) -> None:
    """A point beside a wall: with steps in proportion to h, whose error then falls more slowly than the difference of two
    levels says, the estimate at a reflecting wall is up to six times too small."""
    tensor = ((0.5, mixed), (mixed, 0.4))
    domain = rw.Interval(0.0, 1.0, WALLS[walls[0]], WALLS[walls[1]]) * other
    for drift, start in (((0.0, 0.0), (0.08, 0.5)), ((2.0, 1.0), (0.3, 0.5))):
        law = rw.pde.solve(rw.pde.FokkerPlanck(drift, tensor, domain=domain, start=start), [TIME], tolerance=2e-3)
        cdf, survival = exact(law)
        found = (law.density[0] * law.mesh.volume).cumsum(axis=0).cumsum(axis=1)
        wrong = max(float(np.abs(found - cdf).max()), abs(float(law.survival(TIME)) - survival))
        assert wrong <= HONEST * law.error_estimate <= HONEST * 2e-3, (wrong, law.error_estimate)
