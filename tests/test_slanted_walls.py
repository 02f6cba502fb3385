"""Walls of walks whose diffusion is not diagonal: equilibria, and the order at faces and corners."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import randwalk as rw

WALL, LEAK = rw.Reflecting(), rw.PartiallyAbsorbing(2.0)
SIDE = rw.Interval(0.0, 1.0, WALL, WALL)
TENSOR = ((0.5, 0.2), (0.2, 0.4))


def final(walk: rw.LatticeWalk, t: float) -> np.ndarray:
    """Survival and means at time `t`."""
    law = rw.pde.exact_law(walk, [t])
    return np.array([float(law.survival(t)), *np.ravel(law.mean(t))])


def order(make: Any, cells: tuple[int, int, int], t: float) -> np.ndarray:
    """The order in 1/cells, which grow threefold, of each number."""
    first, second, third = (final(make(n), t) for n in cells)
    return np.log(np.abs((first - second) / (second - third))) / np.log(3.0)


@pytest.mark.parametrize(
    ("drift", "diffusion", "how"),
    [
        ((1.0, -0.5), TENSOR, {}),
        ((1.0, 2.0), ((0.5, -0.3), (-0.3, 0.4)), {"rule": rw.Rule.FITTED}),
        ((0.5, -0.5), ((rw.expression("0.5 + 0.2*x*y"), 0.15), (0.15, 0.4)), {"convention": rw.Convention.FICK}),
    ],
)
@pytest.mark.parametrize("left", [WALL, LEAK])
def test_second_order_at_faces_and_corners(left: Any, drift: Any, diffusion: Any, how: dict[str, Any]) -> None:
    domain = rw.Interval(0.0, 1.0, left, WALL) * SIDE

    def make(n: int) -> rw.LatticeWalk:
        return rw.LatticeWalk.from_drift(
            drift, diffusion, dx=1 / n, domain=domain, start=(0.25, 0.55), times=[0.1], **how
        )

    found = order(make, (10, 30, 90), 0.1)
    assert (found[1:] > 1.6).all(), (
        found
    )  # the order is 1, and the error ten times larger, without steps along the faces


def test_second_order_in_space() -> None:
    tensor = ((0.5, 0.2, 0.1), (0.2, 0.4, 0.0), (0.1, 0.0, 0.3))

    def make(n: int) -> rw.LatticeWalk:
        return rw.LatticeWalk.from_drift(
            (1.0, -0.5, 0.0), tensor, dx=1 / n, domain=SIDE**3, start=(0.3, 0.5, 0.3), times=[0.05]
        )

    walk = make(5)
    assert (0, 1, -1) in walk.probabilities  # along faces across x only: D has no entry there
    assert walk.probabilities[0, 1, -1] == rw.Constant(0.0)
    assert set(walk.face_steps[0]) == {(0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1), (0, 1, -1), (0, -1, 1)}
    found = order(make, (5, 15, 45), 0.05)
    assert (found[1:] > 1.6).all(), found


def test_a_uniform_law_stays_uniform() -> None:
    def tensor(x: Any, y: Any) -> Any:
        return (0.5 + 0.2 * x * y, 0.1 * np.cos(x)), (0.1 * np.cos(x), 0.3 + 0.1 * y)

    for domain in (SIDE**2, SIDE * rw.Ring(0.0, 1.0), (SIDE**2).without(rw.Ball((0.5, 0.5), 0.2))):
        walk = rw.LatticeWalk.from_drift(
            0.0, tensor, dx=0.05, domain=domain, start=rw.Everywhere(), times=[0.2], convention=rw.Convention.FICK
        )
        law = rw.pde.exact_law(walk, [0.0, 0.2])
        edges = [np.linspace(0.0, 1.0, 21)] * 2
        np.testing.assert_allclose(law.mass(edges, 0.2), law.mass(edges, 0.0), rtol=1e-12, atol=1e-15)


def test_an_equilibrium_stays() -> None:
    """e^-U of a linear potential U, whose drift is -D∇U, between walls on all sides."""
    slope = np.array([1.5, -1.0])
    tensor = np.array(TENSOR)
    x, y = np.meshgrid(*([np.arange(10) * 0.1 + 0.05] * 2), indexing="ij")
    weights = np.exp(-slope[0] * x - slope[1] * y)
    start = rw.Atoms(np.stack([x.ravel(), y.ravel()], axis=1), (weights / weights.sum()).ravel())
    walk = rw.LatticeWalk.from_drift(
        -tensor @ slope, tensor, dx=0.1, domain=SIDE**2, start=start, times=[0.5], rule=rw.Rule.FITTED
    )
    law = rw.pde.exact_law(walk, [0.0, 0.5])
    edges = [np.linspace(0.0, 1.0, 11)] * 2
    np.testing.assert_allclose(law.mass(edges, 0.5), law.mass(edges, 0.0), rtol=1e-10)


@pytest.mark.quick
def test_the_steps_along_a_face() -> None:
    """½ s_e s_f/Σs along e - f for the axis and the diagonal across the face: D_yy - D_xy²/D_xx in the half cell before it."""
    domain = rw.Interval(0.0, 9.0, WALL, WALL) * rw.Line()
    walk = rw.LatticeWalk.from_drift(0.0, TENSOR, dx=1.0, rule=rw.Rule.LINEAR, domain=domain, start=(4.5, 0.0))
    across, along = walk.face_steps
    assert set(across) == {(0, 1), (0, -1)}
    assert dict(along) == {}  # no face across y
    extra = 0.5 * 2.0 * walk.dt * 0.2 * (0.5 - 0.2) / 0.5
    assert [float(p(0.0)) for p in across.values()] == pytest.approx([0.5 * extra] * 2, rel=1e-12)
    half = 2.0 * walk.dt * (0.4 - 0.2**2 / 0.5)  # what a half cell must carry, in units of its size
    own = 2.0 * walk.dt * (0.4 - 0.2)  # what the axis carries there
    assert own + 2.0 * extra == pytest.approx(half, rel=1e-12)
    for other in (
        rw.LatticeWalk.from_drift(0.0, (0.5, 0.4), dx=1.0, domain=walk.domain, start=(4.5, 0.0)),
        rw.LatticeWalk(steps=walk.probabilities, dx=1.0, domain=walk.domain, start=(4.5, 0.0)),
    ):
        assert all(not steps for steps in other.face_steps)
