"""Points, windows and arrays that are none, in the plane: refused by the package in words, with a remedy that works."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import randwalk as rw

OPEN, SHUT = rw.Absorbing(), rw.Reflecting()
ROOM = rw.Interval(0.0, 1.0, SHUT, OPEN) ** 2
HEAT: Any = rw.pde.FokkerPlanck(0.0, 0.5, domain=ROOM, start=(0.5, 0.5))
WELL: Any = rw.expression("-x"), rw.expression("-y")
PLANE = rw.LatticeWalk(right=0.25, left=0.25, up=0.25, down=0.25, dx=1.0)
UNEQUAL: Any = [0.1, 0.2], [0.1, 0.2, 0.3]
MAKE: Any = rw  # without types, as a notebook has it


@pytest.fixture(scope="module")
def laws() -> dict[str, Any]:
    walk = rw.pde.walk_for(HEAT, sites=(8, 8), times=[0.1])
    law = rw.pde.exact_law(walk, [0.1])
    solution = rw.pde.solve(HEAT, [0.1], tolerance=1e-2)
    return {"law": law, "smoothed": law.smoothed(), "solution": solution, "form": rw.pde.closed_form(HEAT)}


@pytest.mark.parametrize("kind", ["law", "smoothed", "solution", "form"])
def test_densities_at_points(kind: str, laws: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"^x: .* the shapes \(2,\), \(3,\): give .* np.meshgrid\(..., sparse=True\)"):
        laws[kind].pdf(UNEQUAL, 0.1)
    grid = np.meshgrid(*UNEQUAL, sparse=True)  # the remedy
    assert laws[kind].pdf(tuple(grid), 0.1).shape == (3, 2)
    assert laws[kind].pdf(([], []), 0.1).shape == (0,)


def test_values_of_a_backward_solution() -> None:
    found: Any = rw.pde.exit_probability(HEAT, "top", tolerance=1e-2)
    wrong: list[Any] = [0.5, None, True, "a", (0.1, 0.2, 0.3), np.float64(0.5)]
    for point in wrong:
        for ask in (found.value, found.error):
            with pytest.raises(ValueError, match=r"^x = .*: give a point \(x, y\)"):
                ask(point)
    with pytest.raises(ValueError, match=r"^x: .* the shapes \(2,\), \(3,\)"):
        found.value(UNEQUAL)
    for point in ((math.nan, 0.5), (math.inf, 0.5)):
        with pytest.raises(ValueError, match="must be"):
            found.value(point)
    for point in ((0.3, 0.4), np.array([0.3, 0.4]), [0.3, 0.4]):
        assert found.value(point) == pytest.approx(0.5, abs=0.2) and found.value(point).shape == ()
    places = np.meshgrid([0.3, 0.5], [0.2, 0.4, 0.6], sparse=True)
    values = found.value(tuple(places))
    assert values.shape == (3, 2)
    assert values[2, 1] == found.value((0.5, 0.6))  # and no other place


@pytest.mark.parametrize(
    ("ask", "told"),
    [
        (lambda: ROOM.contains(UNEQUAL), r"^point: .* \(2,\), \(3,\)"),
        (lambda: MAKE.Box.contains(ROOM, ("a", 0.5)), r"^point = 'a': must be a number or numbers"),
        (lambda: MAKE.Box.contains(ROOM, (1j, 0.5)), "^point = 1j: must be a number or numbers"),
        (lambda: MAKE.Box.contains(ROOM, (None, 0.5)), "^point = None: must be a number or numbers"),
        (lambda: rw.pde.hitting_probability(PLANE, UNEQUAL), r"^target: .* \(2,\), \(3,\)"),
        (lambda: rw.pde.hitting_probability(PLANE, (1.0, 0.0), start=UNEQUAL), r"^start: .* \(2,\), \(3,\)"),
        (lambda: rw.pde.potential_kernel(PLANE, UNEQUAL), r"^place: .* \(2,\), \(3,\)"),
        (lambda: rw.pde.potential_kernel(PLANE, (0.5, 0.0)), "^place = 0.5, 0 is no site"),
        (lambda: rw.pde.commute_time(PLANE, (0.0, 0.0), (0.5, 0.0)), "^other = 0.5, 0 is no site"),
        (lambda: rw.Box.from_image([[0.0, 1.0], [1.0]]), r"^image = .*: its rows differ in length"),
        (lambda: MAKE.LatticeWalk(steps=0.5, dx=1.0), "^steps = 0.5: give a mapping"),
        (lambda: MAKE.LatticeWalk(steps=np.ones((3, 3)), dx=1.0), "^steps = .*: give a mapping"),
        (lambda: MAKE.LatticeWalk(steps=[((1, 0), 0.5)], dx=1.0), "^steps = .*: give a mapping"),
    ],
)  # fmt: skip
def test_what_is_no_point_and_no_array(ask: Callable[[], object], told: str) -> None:
    with pytest.raises((TypeError, ValueError), match=told):
        ask()


@pytest.mark.parametrize("window", [5.0, True, (-6.0, 6.0), [(-6.0, 6.0)], "wide"])
def test_windows_in_the_plane(window: Any) -> None:
    """One pair for two axes is not two windows."""
    equation = rw.pde.FokkerPlanck(WELL, 0.5)
    walk = rw.pde.walk_for(equation, dx=0.5, rule=rw.Rule.CAPPED)
    for of in (equation, walk):
        with pytest.raises(ValueError, match=r"^window = .*: give \(low, high\) for each of 2 axes"):
            rw.pde.stationary_law(of, window=window)
    law = rw.pde.stationary_law(walk, window=((-8.0, 8.0), (-8.0, 8.0)))
    assert law.variance()[0, 0] == pytest.approx(0.5, rel=0.2)


def test_a_start_in_a_trap_is_not_told_to_be_its_exit() -> None:
    walls = rw.Interval(0.0, 10.0, OPEN, OPEN) ** 2
    trap = walls.without(rw.Ball((5.0, 5.0), 1.6), OPEN, name="trap")
    walk = rw.LatticeWalk(right=0.25, left=0.25, up=0.25, down=0.25, dx=1.0, domain=trap, start=(2.0, 2.0))
    with pytest.raises(ValueError, match=r"^target = 5, 5 is in a region .* give another place, or its exit$"):
        rw.pde.hitting_probability(walk, (5.0, 5.0))
    assert 0.0 < rw.pde.hitting_probability(walk, "trap") < 1.0  # the remedy
    with pytest.raises(ValueError, match=r"^start = 5, 5 is in a region .* give another place$"):
        rw.pde.hitting_probability(walk, "trap", start=(5.0, 5.0))


def test_a_walk_that_nobody_leaves_is_told_to_give_a_place() -> None:
    torus = rw.LatticeWalk(right=0.25, left=0.25, up=0.25, down=0.25, dx=1.0, domain=rw.Ring(0.0, 5.0) ** 2)
    with pytest.raises(ValueError, match=r"^target = None: nobody leaves .*; give a place$"):
        rw.pde.hitting_time(torus)
    assert rw.pde.hitting_time(torus, (2.0, 2.0)).probability == pytest.approx(1.0)
