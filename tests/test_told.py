"""What bad input in the plane is told: the argument, the place, and a remedy that works."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import randwalk as rw
from randwalk.tables.window import Windows

WALL = rw.Reflecting()
ROOM = rw.Interval(0.0, 10.0, WALL, WALL) ** 2
FAIR: dict[str, Any] = dict.fromkeys(("right", "left", "up", "down"), 0.25)
MICRO = 1e-6


@pytest.mark.parametrize("value", [math.nan, math.inf, np.float32("nan")])
def test_a_number_that_is_none_is_named(value: float) -> None:
    calls: dict[str, Callable[[], object]] = {
        r"right": lambda: rw.LatticeWalk(right=value, left=0.5, dx=1.0),
        r"up": lambda: rw.LatticeWalk(**(FAIR | {"up": value}), dx=1.0),
        r"steps\[\(1, 1\)\]": lambda: rw.LatticeWalk(steps={(1, 1): value, (-1, -1): 0.5}, dx=1.0),
        r"killing": lambda: rw.LatticeWalk(**FAIR, dx=1.0, killing=value),
        r"drift\[1\]": lambda: rw.LatticeWalk.from_drift((0.0, value), 0.5, dx=1.0),
        r"diffusion": lambda: rw.LatticeWalk.from_drift((0.0, 0.0), value, dx=1.0),
    }
    for name, call in calls.items():
        with pytest.raises(ValueError, match=f"^{name}: a coefficient must be a finite number, not (nan|inf)"):
            call()


def walk(domain: rw.Domain, dx: float = 1.0) -> rw.LatticeWalk:
    return rw.LatticeWalk(**FAIR, dx=dx, domain=domain, start=(1.5, 1.5))


def test_a_region_that_takes_no_site_is_told_why() -> None:
    box = r"\[0, 10\] × \[0, 10\]"
    for shape in (rw.Ball((20.0, 5.0), 2.0), rw.HalfSpace((1.0, 0.0), 20.0), rw.Mask(np.zeros((10, 10), dtype=int))):
        with pytest.raises(ValueError, match=f"takes no site: no part of it is in {box}; move it there"):
            walk(ROOM.without(shape))
    small = ROOM.without(rw.Ball((5.0, 5.0), 0.4))
    with pytest.raises(ValueError, match="takes no site: take a smaller dx than 1, or leave the region out"):
        walk(small)
    walk(small, 0.2)
    half = rw.Interval(0.0, math.inf, rw.Reflecting()) * rw.Line()
    for open_end in (rw.Line() ** 2, half, rw.Line() * rw.Ring(0.0, 10.0)):  # as well where sites have no end
        with pytest.raises(ValueError, match="takes no site: take a smaller dx than 1, or leave the region out"):
            walk(open_end.without(rw.Ball((5.0, 4.5), 0.4)))
        walk(open_end.without(rw.Ball((5.0, 4.5), 0.4)), 0.2)
    walk((rw.Line() * rw.Ring(0.0, 10.0)).without(rw.Ball((5.0, 10.0), 0.6)))  # across the seam
    with pytest.raises(ValueError, match="takes no site: no part of it is in"):
        walk(half.without(rw.Ball((-5.0, 5.0), 2.0)))
    twice = ROOM.without(rw.Ball((5.0, 5.0), 2.0)).without(rw.Ball((5.0, 5.0), 1.0), rw.Absorbing(), "trap")
    with pytest.raises(
        ValueError, match=r"'trap', .* but those of regions before it, which count first: .*take it out before"
    ):
        walk(twice)
    walk(ROOM.without(rw.Ball((5.0, 5.0), 1.0), rw.Absorbing(), "trap").without(rw.Ball((5.0, 5.0), 2.0)))


def test_pixels_of_another_kind_are_told_the_conversion() -> None:
    dark = np.zeros((3, 4), dtype=bool)
    dark[1, 2] = True
    for image, white in ((np.where(dark, 0, 255), 255), (np.where(dark, 0, 1), 1), (np.where(dark, 0, 1000), 1000)):
        with pytest.raises(ValueError, match=r"; give .*np\.") as refused:
            rw.Box.from_image(image)
        remedy = re.split(r"; give | if 255", str(refused.value))[1]
        made = eval(remedy, {"np": np, "image": image})
        assert white == 255 or made.max() == 1.0
        assert rw.Box.from_image(made) == rw.Box.from_image(1.0 - dark)
    with pytest.raises(ValueError, match=r"np\.float64\(image\) if True is bright"):
        rw.Box.from_image(~dark)
    assert rw.Box.from_image(np.float64(~dark)) == rw.Box.from_image(1.0 - dark)
    for image, told in (
        (np.ones((3, 4)), "all bright: .* darken some"),
        (np.zeros((3, 4)), "all dark: .*brighten some"),
    ):
        with pytest.raises(ValueError, match=told):
            rw.Box.from_image(image)


@pytest.mark.parametrize(("high", "place", "wall"), [(True, 3.5 * MICRO, "right"), (False, -3.5 * MICRO, "left")])
def test_an_edge_beyond_which_a_walk_is_not_valid_has_the_place_of_a_wall(high: bool, place: float, wall: str) -> None:
    made = rw.LatticeWalk(**FAIR, dx=MICRO)
    with pytest.raises(ValueError, match=r"walkers reach y = .* beyond which the walk is not valid") as refused:
        Windows(made, 10)._refuse(((-3, 3), (-3, 3)), 1, high, "walkers reach")
    found = re.search(r"put a wall at y = (\S+), (\w+)=Reflecting\(\) of an Interval along y", str(refused.value))
    assert found and found[2] == wall and float(found[1]) == pytest.approx(place, rel=1e-12)
    half = rw.Interval(-math.inf, float(found[1]), right=WALL) if high else rw.Interval(float(found[1]), math.inf, WALL)
    lattice = rw.LatticeWalk(**FAIR, dx=MICRO, domain=rw.Line() * half).lattices[1]
    assert (lattice.last if high else lattice.first) == 0 and lattice.x(0) == pytest.approx(
        math.copysign(3 * MICRO, place)
    )


def test_the_ends_of_ranges_that_are_told_are_in_them() -> None:
    with pytest.raises(ValueError, match="at most the size") as caught:
        rw.pde.FokkerPlanck((0.0, 0.0), ((0.5, 0.9), (0.9, 1.0)))
    most = float(str(caught.value).rsplit(" ", 1)[1])
    rw.pde.FokkerPlanck((0.0, 0.0), ((0.5, most), (most, 1.0)))
    tensor = ((0.5, 0.9), (0.9, 10.0))
    with pytest.raises(ValueError, match="between") as caught:
        rw.LatticeWalk.from_drift(0.0, tensor, dx=0.1)
    ends = re.search(r"between (\S+) and (\S+),", str(caught.value))
    assert ends is not None
    for end in ends.groups():
        rw.LatticeWalk.from_drift(0.0, tensor, dx=(float(end), 1.0))
