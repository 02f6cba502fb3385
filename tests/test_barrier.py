"""Walls as distances: values, normals, exits and what is refused."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

import randwalk as rw
from randwalk.model.barrier import Barrier, barriers

ABSORBING, REFLECTING = rw.Absorbing(), rw.Reflecting()


def _unit(wall: Barrier, point: tuple[float, ...]) -> float:
    return math.hypot(*(float(n(point)) for n in wall.normal))


def test_faces_and_regions_in_the_order_of_exits() -> None:
    room = rw.Interval(-1.0, 2.0, ABSORBING, rw.PartiallyAbsorbing(0.3)) * rw.Interval(0.0, math.inf, REFLECTING)
    room = room.without(rw.Ball((0.5, 3.0), 0.5), name="pillar").inside(rw.Ball((0.0, 0.0), 9.0), ABSORBING, "shell")
    walls = barriers(room)
    assert [wall.name for wall in walls] == ["left", "right", "bottom", "pillar", "shell"]
    assert [wall.exit for wall in walls] == [room.exits.index(name) for name in ("left", "right", "bottom")] + [-1, 4]
    assert [wall.reactivity for wall in walls] == [math.inf, 0.3, 0.0, 0.0, math.inf]
    point = (0.5, 4.0)
    away = [float(wall.distance(point)) for wall in walls]
    assert away == pytest.approx([1.5, 1.5, 4.0, 0.5, 9.0 - math.hypot(*point)], rel=1e-15)
    assert all(_unit(wall, point) == pytest.approx(1.0, rel=1e-15) for wall in walls)
    assert [float(n(point)) for n in walls[3].normal] == [0.0, 1.0]  # away from the pillar, into the domain


@pytest.mark.parametrize("unit", [1.0, 1e-6, 1e7])
def test_the_normal_is_the_gradient_of_the_distance(unit: float) -> None:
    rng = np.random.default_rng(0)
    shape = rw.Ball((0.0, 0.0, 0.0), 2.0 * unit) & rw.HalfSpace((1.0, 2.0, -2.0), unit) | rw.Ball((unit, 0, 0), unit)
    walls = barriers((rw.Line() ** 3).without(shape, ABSORBING, "trap"))
    assert len(walls) == 2  # outside the cut ball, and outside the other
    for wall, point in itertools.product(walls, rng.uniform(-3.0 * unit, 3.0 * unit, (20, 3))):
        for axis in range(3):
            ends = [tuple(point + sign * 1e-6 * unit * np.eye(3)[axis]) for sign in (1.0, -1.0)]
            slope = (float(wall.distance(ends[0])) - float(wall.distance(ends[1]))) / (2e-6 * unit)
            assert float(wall.normal[axis](tuple(point))) == pytest.approx(slope, abs=1e-8)


def test_what_an_intersection_keeps_has_a_wall_a_shape() -> None:
    wedge = rw.HalfSpace((1.0, 0.0), 0.0) & rw.HalfSpace((0.0, 1.0), 0.0)
    walls = barriers((rw.Line() ** 2).inside(wedge, ABSORBING, "wedge"))
    assert [wall.name for wall in walls] == ["wedge", "wedge"] and {wall.exit for wall in walls} == {4}
    assert [float(wall.distance((0.25, 0.5))) for wall in walls] == [0.25, 0.5]


def test_a_region_across_the_ends_of_a_ring_is_seen_from_both() -> None:
    walls = barriers((rw.Ring(0.0, 6.0) * rw.Line()).without(rw.Ball((0.0, 0.0), 1.0), ABSORBING, "trap"))
    for x, slope in ((1.5, 1.0), (4.5, -1.0)):
        nearest = min(walls, key=lambda wall: float(wall.distance((x, 0.0))))
        assert (float(nearest.distance((x, 0.0))), float(nearest.normal[0]((x, 0.0)))) == (0.5, slope)


def test_what_has_no_distance_is_refused_with_a_remedy() -> None:
    box = rw.Interval(0.0, 1.0, REFLECTING, REFLECTING) ** 2
    with pytest.raises(ValueError, match="'hole' is a Mask: a continuous walk needs the distance"):
        barriers(box.without(rw.Mask([[0, 1], [0, 0]]), ABSORBING, "hole"))
    level = rw.expression("2*x - 1")
    with pytest.raises(ValueError, match=r"'hole' is Level.*distance=True"):
        barriers(box.without(rw.Level(level), ABSORBING, "hole"))
    with pytest.raises(ValueError, match="the gradient has the length 2"):
        box.without(rw.Level(level, distance=True), ABSORBING, "hole")
    (wall,) = barriers((rw.Line() ** 2).without(rw.Level(level / 2.0, distance=True), ABSORBING, "hole"))
    assert float(wall.distance((0.2, 9.0))) == pytest.approx(0.3)


def test_a_start_on_a_wall() -> None:
    left, right = barriers(rw.Interval(0.0, 1.0, ABSORBING, REFLECTING))
    places = (np.array([-0.5, 0.0, 0.5, 1.0, 1.5]),)
    assert left.beyond(places).tolist() == [True, True, False, False, False]
    assert right.beyond(places).tolist() == [False, False, False, False, True]
