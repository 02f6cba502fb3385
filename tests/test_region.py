"""Shapes and regions: which points they have, their distances, and what they take of a lattice."""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import randwalk as rw
from randwalk.model.coefficient import Coefficient, T, X
from randwalk.model.coefficient.extreme import Minimum, maximum, minimum
from randwalk.model.domain import Domain
from randwalk.model.lattice import lattices_on
from randwalk.model.region import vector
from randwalk.model.shape import Shape, Union
from randwalk.model.sites import check_regions

ABSORB, REFLECT = rw.Absorbing(), rw.Reflecting()
RNG = np.random.default_rng(13)
Test = Callable[[float, float], bool]  # whether a point is inside, by the definition

# each shape with a plain test of one point
SHAPES: dict[str, tuple[Shape, Test]] = {
    "ball": (rw.Ball((0.3, -0.2), 1.1), lambda x, y: math.dist((x, y), (0.3, -0.2)) < 1.1),
    "half": (rw.HalfSpace((3.0, -4.0), 1.0), lambda x, y: 3 * x - 4 * y > 1),
    "level": (rw.Level(rw.expression("x*y - 0.2")), lambda x, y: x * y > 0.2),
    "function": (rw.Level(lambda x, y: np.sin(3 * x) - y), lambda x, y: math.sin(3 * x) > y),
    "outside": (~rw.Ball((0.0, 0.0), 1.0), lambda x, y: not math.hypot(x, y) < 1.0),
    "union": (rw.Ball((-1, 0), 1.0) | rw.Ball((1, 0), 0.5), lambda x, y: math.hypot(x + 1, y) < 1 or math.hypot(x - 1, y) < 0.5),
    "lens": (rw.Ball((-0.5, 0), 1.0) & rw.HalfSpace((0, 1)), lambda x, y: math.hypot(x + 0.5, y) < 1 and y > 0),
    "mixed": (
        ~((rw.Ball((0, 0), 1.5) | rw.HalfSpace((1, 1), 2.0)) & ~rw.Ball((0, 0), 0.5)),
        lambda x, y: not ((math.hypot(x, y) < 1.5 or x + y > 2) and not math.hypot(x, y) < 0.5),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SHAPES)
def test_points_are_inside_by_the_definition(name: str) -> None:
    shape, inside = SHAPES[name]
    x, y = RNG.uniform(-3.0, 3.0, (2, 4000))
    found = shape.contains((x, y))
    assert found.dtype == bool and found.tolist() == [inside(a, b) for a, b in zip(x, y, strict=True)]
    assert 40 < int(found.sum()) < 3960
    assert shape.contains((x[:50, None], y)).shape == (50, 4000)  # broadcasts
    low, high = np.transpose([*shape.bounds, *[(-math.inf, math.inf)] * (2 - len(shape.bounds))])
    assert (
        (x[found] >= low[0]).all()
        and (x[found] <= high[0]).all()
        and (y[found] >= low[1]).all()
        and (y[found] <= high[1]).all()
    )


@pytest.mark.parametrize("name", SHAPES)
def test_a_complement_has_the_other_points(name: str) -> None:
    shape, _ = SHAPES[name]
    point = tuple(RNG.uniform(-3.0, 3.0, (2, 4000)))
    assert (~shape).contains(point).tolist() == (~shape.contains(point)).tolist()
    assert (~~shape).contains(point).tolist() == shape.contains(point).tolist()


@pytest.mark.parametrize("name", SHAPES)
def test_a_moved_shape_has_the_moved_points(name: str) -> None:
    shape, _ = SHAPES[name]
    x, y = RNG.uniform(-3.0, 3.0, (2, 1000))
    assert shape.shifted(1, 0.75).contains((x, y + 0.75)).tolist() == shape.contains((x, y)).tolist()
    assert shape.shifted(0, -2.0).contains((x - 2.0, y)).tolist() == shape.contains((x, y)).tolist()


@pytest.mark.parametrize("name", SHAPES)
def test_shapes_are_values(name: str) -> None:
    shape, _ = SHAPES[name]
    names: dict[str, Any] = {kind: getattr(rw, kind) for kind in rw.__all__}
    if name != "function":  # a lambda has no text and no pickle
        assert pickle.loads(pickle.dumps(shape)) == shape and hash(pickle.loads(pickle.dumps(shape))) == hash(shape)
    if "coefficient" not in repr(shape):
        assert eval(repr(shape), names) == shape
    assert shape == shape.mapped(lambda part: part) and shape != shape.shifted(0, 1.0)


@pytest.mark.parametrize("name", SHAPES)
def test_distances_are_positive_inside(name: str) -> None:
    shape, _ = SHAPES[name]
    if name in ("level", "function"):
        assert shape.distance is None
    else:
        point = tuple(RNG.uniform(-3.0, 3.0, (2, 4000)))
        assert shape.distance is not None
        assert ((shape.distance(point) > 0.0) == shape.contains(point)).all()


def test_distance_outside_a_union() -> None:
    shape = rw.Ball((-1.0, 0.0), 1.0) | rw.Ball((1.0, 0.0), 0.5)
    x, y = RNG.uniform(-3.0, 3.0, (2, 400))
    brute = nearest(np.stack([x, y]), np.concatenate([circle((-1.0, 0.0), 1.0), circle((1.0, 0.0), 0.5)], axis=1))
    outside = ~shape.contains((x, y)) & (brute > 0.05)
    assert shape.distance is not None and outside.sum() > 200
    assert np.abs(shape.distance((x, y)) + brute)[outside].max() < 1e-6


def test_bounds_of_combined_shapes() -> None:
    inf = math.inf
    assert SHAPES["union"][0].bounds == ((-2.0, 1.5), (-1.0, 1.0))
    assert SHAPES["lens"][0].bounds == ((-1.5, 0.5), (0.0, 1.0))
    assert rw.HalfSpace((0.0, -2.0), 3.0).bounds == ((-inf, inf), (-inf, -1.5))
    assert rw.HalfSpace((1.0, -2.0), 3.0).bounds == ((-inf, inf), (-inf, inf))
    assert (rw.Ball((0, 0), 1.0) | rw.Level(X)).bounds == ((-inf, inf), (-inf, inf))
    assert (rw.Ball((0, 0), 1.0) & rw.Level(X)).bounds == ((-1.0, 1.0), (-1.0, 1.0))
    assert (~(~rw.Ball((0, 0), 1.0) | rw.HalfSpace((1, 0), 0.5))).bounds[0] == (-1.0, 1.0)


@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e9])
def test_a_point_on_the_boundary_is_not_inside(unit: float) -> None:
    """Also where rounding puts it on one side or the other: sites on a circle, 0.1 k on a line."""
    k = np.arange(-50, 51) * 0.02 * unit
    points = np.array([(3, 4), (4, 3), (0, 5), (-3, 4), (-4, -3), (5, 0)]) * 0.2 * unit  # at the distance 1
    ball = rw.Ball((0.0, 0.0), unit)
    for shape in (ball, ~ball, ball & rw.HalfSpace((1.0, 0.0), -9.0 * unit), ~ball | rw.Ball((9.0 * unit, 0.0), unit)):
        assert not shape.contains(tuple(points.T)).any() and shape.touches(tuple(points.T)).all()
    grid = ball.contains((k[:, None], k))
    assert (
        (grid == grid[::-1]).all() and (grid == grid.T).all() and (grid == grid[:, ::-1]).all()
    )  # no side is preferred
    for centre in RNG.uniform(-1.0, 1.0, (200, 2)) * unit:
        around = centre[:, None] + points.T
        assert (
            not rw.Ball(centre, unit).contains(tuple(around)).any()
            and rw.Ball(centre, unit).touches(tuple(around)).all()
        )
    for i in range(-50, 51):
        side = rw.HalfSpace((1.0, 0.0), i * 0.02 * unit).contains((k, 0.0))
        assert (
            int(side.sum()) == 50 - i
            and int((rw.HalfSpace((-0.3, 0.0), -0.3 * i * 0.02 * unit).contains((k, 0.0))).sum()) == i + 50
        )


def test_a_site_on_the_boundary_belongs_to_a_wall_that_stands_on_sites() -> None:
    """As the ends of an interval: an absorbing wall stands on a site, the others half way between two."""
    plane, points = rw.Line() ** 2, ([0.9, 1.0, 1.1], 0.0)
    for wall, free in ((ABSORB, False), (REFLECT, True), (rw.PartiallyAbsorbing(1.0), True)):
        for shape in (rw.Ball((0.0, 0.0), 1.0), rw.HalfSpace((-1.0, 0.0), -1.0), rw.Level(rw.expression("1 - x"))):
            assert plane.inside(shape, wall).contains(points).tolist() == [True, free, False]
            assert plane.without(shape, wall).contains(points).tolist() == [False, free, True]
    box = (rw.Interval(0.0, 2.0, REFLECT, REFLECT) * rw.Line()).without(rw.HalfSpace((1.0, 0.0), 1.05), ABSORB)
    sites = lattices_on(box, (0.1, 0.1), (0.0, 0.0))[0].x(range(20))
    end = lattices_on(rw.Interval(0.0, 1.05, REFLECT, ABSORB) * rw.Line(), (0.1, 0.1), (0.0, 0.0))[0]
    assert int(box.contains((sites, 0.0)).sum()) == end.sites == 10


@pytest.mark.parametrize("dimension", [2, 3, 4])
def test_sites_in_a_ball_fill_its_volume(dimension: int) -> None:
    """Each site stands for its cell, all of which lies within √d/2 of it: the count is between the volumes of the balls with
    radii r ± √d/2, for any centre (Gauss's circle problem)."""
    radius = {2: 400.3, 3: 40.4, 4: 20.7}[dimension]
    sites = np.arange(-math.ceil(radius) - 1, math.ceil(radius) + 2)
    count = int(
        rw.Ball(RNG.uniform(-0.5, 0.5, dimension), radius)
        .contains(tuple(np.meshgrid(*[sites] * dimension, indexing="ij", sparse=True)))
        .sum()
    )
    unit = math.pi ** (dimension / 2) / math.gamma(dimension / 2 + 1)
    low, high = (unit * (radius + sign * math.sqrt(dimension) / 2) ** dimension for sign in (-1, 1))
    assert low <= count <= high and high / low < 1.5
    if dimension == 2:  # known: |N - π r²| is of the order r^(2/3), 0.2 % of this radius is far more
        assert count == pytest.approx(math.pi * radius**2, rel=2e-3)


# ---------------------------------------------------------------- distances


def circle(centre: tuple[float, float], radius: float, n: int = 20_000) -> np.ndarray:
    angle = np.linspace(0.0, 2 * math.pi, n, endpoint=False)
    return np.stack([centre[0] + radius * np.cos(angle), centre[1] + radius * np.sin(angle)])


def segment(start: tuple[float, float], end: tuple[float, float], n: int = 20_001) -> np.ndarray:
    part = np.linspace(0.0, 1.0, n)
    return np.stack([a + (b - a) * part for a, b in zip(start, end, strict=True)])


def nearest(points: np.ndarray, boundary: np.ndarray) -> np.ndarray:
    """The distance of points to samples of a boundary, by trying all."""
    return np.array([np.hypot(*(boundary - point[:, None])).min() for point in points.T])


def test_distance_to_a_ball_and_a_half_space() -> None:
    """Against all of 20 000 points of the boundary, which are up to 4e-4 apart: error below 1e-6 beyond 0.05."""
    points = RNG.uniform(-2.0, 2.0, (2, 200))
    for shape, boundary in (
        (rw.Ball((0.3, -0.2), 1.1), circle((0.3, -0.2), 1.1)),
        (rw.HalfSpace((3.0, -4.0), 1.0), segment((0.2 - 8.0, -0.1 - 6.0), (0.2 + 8.0, -0.1 + 6.0), 80_001)),
    ):
        distance, brute = shape.distance(tuple(points)), nearest(points, boundary)
        far = brute > 0.05
        assert far.sum() > 150 and np.abs(np.abs(distance) - brute)[far].max() < 1e-6
        assert ((distance > 0) == shape.contains(tuple(points)))[far].all()
        assert np.abs(shape.distance(tuple(boundary))).max() < 1e-12


def test_distance_in_three_dimensions() -> None:
    ball, half = rw.Ball((1.0, 2.0, 3.0), 2.0), rw.HalfSpace((1.0, 2.0, 2.0), 3.0)
    assert float(ball.distance((1.0, 2.0, 7.0))) == -2.0 and float(ball.distance((1.0, 2.0, 3.0))) == 2.0
    assert float(half.distance((4.0, 4.0, 3.0))) == pytest.approx(5.0) and float(half.distance((0.0, 0.0, 0.0))) == -1.0
    assert str(half.distance.derivative("y")) == str(2 / 3)


def signed(domain: Domain, points: np.ndarray, boundary: np.ndarray) -> None:
    """The distance of a domain against all points of its boundary: exact inside, and negative outside."""
    distance = domain.distance
    assert distance is not None
    values, brute, inside = distance(tuple(points)), nearest(points, boundary), domain.contains(tuple(points))
    assert 50 < inside.sum() < points.shape[1] - 20
    assert np.abs(values - brute)[inside & (brute > 0.05)].max() < 1e-6
    assert (values[~inside & (brute > 0.05)] < 0.0).all() and (-values <= brute + 1e-6)[~inside].all()


def test_distance_of_a_room_with_two_holes() -> None:
    box = rw.Interval(-2.0, 2.0, REFLECT, ABSORB) * rw.Interval(-1.0, 1.5, ABSORB, ABSORB)
    room = box.without(rw.Ball((0.3, -0.2), 0.5), ABSORB, "trap").without(
        rw.Ball((-1.2, 0.9), 0.3) | rw.Ball((1.5, 0.0), 0.4)
    )
    corners = [(-2.0, -1.0), (2.0, -1.0), (2.0, 1.5), (-2.0, 1.5)]
    edges = [segment(a, b) for a, b in zip(corners, corners[1:] + corners[:1], strict=True)]
    holes = [circle((0.3, -0.2), 0.5), circle((-1.2, 0.9), 0.3), circle((1.5, 0.0), 0.4)]
    signed(room, RNG.uniform(-2.4, 2.4, (2, 300)), np.concatenate([*edges, *holes], axis=1))


def test_distance_inside_a_lens() -> None:
    """The corners of the lens are at (0, ±√¾), so its boundary is the part of each circle in the other disc."""
    lens = (rw.Line() ** 2).inside(rw.Ball((-0.5, 0.0), 1.0) & rw.Ball((0.5, 0.0), 1.0))
    left, right = circle((-0.5, 0.0), 1.0), circle((0.5, 0.0), 1.0)
    boundary = np.concatenate([left[:, left[0] >= 0], right[:, right[0] <= 0]], axis=1)
    signed(lens, RNG.uniform(-1.0, 1.0, (2, 300)), boundary)


def test_on_a_ring_a_shape_goes_on_at_the_other_end() -> None:
    """Contains and distance against the nearest of all images."""
    torus = rw.Ring(0.0, 2.0) * rw.Ring(-1.0, 2.0)
    room = torus.without(rw.Ball((1.9, 1.8), 0.6), ABSORB, "trap").inside(~rw.Ball((0.1, 0.4), 0.3))
    x, y = RNG.uniform(0.0, 2.0, 400), RNG.uniform(-1.0, 2.0, 400)

    def away(centre: tuple[float, float]) -> np.ndarray:
        dx, dy = np.abs(x - centre[0]), np.abs(y - centre[1])
        return np.hypot(np.minimum(dx, 2.0 - dx), np.minimum(dy, 3.0 - dy))

    trap, hole = away((1.9, 1.8)) - 0.6, away((0.1, 0.4)) - 0.3
    assert room.contains((x, y)).tolist() == ((trap >= 0) & (hole >= 0)).tolist()
    assert 20 < (trap < 0).sum() < 200 and ((trap < 0) & (x < 1.0)).sum() > 5
    inside = room.contains((x, y))
    assert room.distance is not None and np.allclose(
        room.distance((x, y))[inside], np.minimum(trap, hole)[inside], atol=1e-12
    )
    assert room.regions[0].shape == rw.Ball((1.9, 1.8), 0.6)  # as it was declared


def test_distances_that_are_not_known() -> None:
    plane = rw.Line() ** 2
    assert plane.distance is None and (rw.Ring(0, 1) ** 2).distance is None and rw.Line().distance is None
    assert plane.without(rw.Level(rw.expression("1 - x**2 - y**2"))).distance is None
    box = rw.Interval(0, 1, REFLECT, REFLECT) ** 2
    assert (
        box.without(rw.Mask(np.eye(3, dtype=bool))).distance is None
        and box.without(rw.Ball((0, 0), 0.1)).distance is not None
    )
    assert (~(rw.Ball((0, 0), 1) | rw.Level(X))).distance is None
    interval = rw.Interval(-1.0, 2.0, ABSORB, REFLECT).distance
    assert interval is not None and interval([-2.0, -0.5, 1.5, 3.0]).tolist() == [-1.0, 0.5, 0.5, -1.0]


def test_a_level_is_a_distance_if_its_gradient_has_length_one() -> None:
    plane = rw.Line() ** 2
    ring = rw.expression("0.25 - abs(sqrt(x**2 + y**2) - 1)")
    for made in (ring, lambda x, y: 0.25 - np.abs(np.hypot(x, y) - 1.0), rw.expression("0.6*x - 0.8*y")):
        for domain in (
            plane,
            rw.Interval(-3, 3, ABSORB, ABSORB) * rw.Ring(0, 1),
            rw.Interval(low=-1, left=REFLECT) * rw.Line(),
        ):
            kept = domain.inside(rw.Level(made, distance=True), ABSORB, "rim")
            assert kept.distance is not None
    annulus = plane.inside(rw.Level(ring, distance=True), ABSORB)
    assert annulus.distance is not None and float(annulus.distance((1.1, 0.0))) == pytest.approx(0.15)
    for made in (rw.expression("1 - x**2 - y**2"), rw.expression("2*x"), rw.expression("x + y"), rw.expression("1")):
        plane.inside(rw.Level(made))
        with pytest.raises(
            ValueError, match=r"the gradient has the length .* at \(.*\), so the values are no distance: leave"
        ):
            plane.inside(rw.Level(made, distance=True))
    micron = (rw.Interval(0, 1e-6, ABSORB, ABSORB) ** 2).inside(
        rw.Level(rw.expression("4e-7 - sqrt((x - 5e-7)**2 + (y - 5e-7)**2)"), distance=True)
    )
    assert micron.distance is not None and float(micron.distance((5e-7, 5e-7))) == pytest.approx(4e-7)


# ---------------------------------------------------------------- minimum and maximum


def test_the_smallest_of_coefficients() -> None:
    terms = [rw.expression(text) for text in ("x - y", "y**2", "sin(x) + t", "0.3")]
    x, y = RNG.uniform(-2.0, 2.0, (2, 500))
    values = np.stack([term((x, y), 0.2) for term in terms])
    low, high = minimum(*terms), maximum(*terms)
    assert (low((x, y), 0.2) == values.min(axis=0)).all() and (high((x, y), 0.2) == values.max(axis=0)).all()
    for made, which in ((low, values.argmin(axis=0)), (high, values.argmax(axis=0))):
        slopes = np.stack([term.derivative("y")((x, y), 0.2) for term in terms])
        assert np.allclose(made.regular_derivative("y")((x, y), 0.2), slopes[which, np.arange(500)])
        assert np.allclose(rw.expression(str(made))((x, y), 0.2), made((x, y), 0.2))
        assert np.allclose(made.shifted("x", 0.5)((x, y), 0.2), made((x + 0.5, y), 0.2))
        assert pickle.loads(pickle.dumps(made)) == made and made.variables == {"x", "y", "t"}


def test_minima_are_flat_and_have_kinks() -> None:
    made = minimum(X, minimum(1.0 - X, rw.expression("0.2")))
    assert isinstance(made, Minimum) and len(made.terms) == 3 and minimum(X, X) == X
    assert made.breaks("x", -1.0, 2.0) == pytest.approx((0.2, 0.5, 0.8)) or made.breaks(
        "x", -1.0, 2.0
    ) == pytest.approx((0.2, 0.8))
    assert made.jumps("x", -1.0, 2.0) == () and made.latex() == r"\min\left(x, -x + 1, 0.2\right)"
    assert str(minimum(X, T).derivative("x")) == "where(t - x >= 0, 1, 0)"
    many: Coefficient = minimum(*(rw.expression(f"sqrt((x - {i})**2 + y**2)") for i in range(40)))
    assert len(str(many)) < 100_000 and float(many((17.3, 0.0))) == pytest.approx(0.3)


# ---------------------------------------------------------------- masks and sites


def test_a_mask_takes_its_cells() -> None:
    """Cells are ± dx/2 around the sites, whatever the walls; on a lattice three times as fine each has nine sites."""
    taken = RNG.random((5, 4)) < 0.4
    for axis, half in (
        (rw.Ring(0.0, 5.0), 0.0), (rw.Interval(0.0, 5.0, REFLECT, REFLECT), 0.5), (rw.Interval(-1.0, 5.0, ABSORB, ABSORB), 0.0),
    ):  # fmt: skip
        room = (axis * rw.Interval(0.0, 4.0, REFLECT, REFLECT)).without(rw.Mask(taken), ABSORB, "cells")
        for fine in (1, 3):
            lattices = lattices_on(room, (1.0 / fine, 1.0 / fine), (0.0, 0.0))
            check_regions(room, lattices)
            x, y = np.arange(5 * fine) / fine, np.arange(4 * fine) / fine
            x, y = x + half - (0.5 - 0.5 / fine), y + 0.5 / fine
            assert room.region_at((x[:, None], y)).tolist() == (np.kron(taken, np.ones((fine, fine))) - 1).tolist()
    for dx, sites in (((1.0, 4 / 6), "5, 6"), ((0.5, 1.0), "11, 4")):  # no whole number; sites at the ends of cells
        with pytest.raises(ValueError, match=rf"take sites=\(5, 4\), or an array of shape \({sites}\)"):
            check_regions(room, lattices_on(room, dx, (0.0, 0.0)))
    check_regions(room, lattices_on(room, (1.0, 0.5), (0.0, 0.0)))


def test_masks_are_values() -> None:
    mask, same = rw.Mask([[1, 0], [0, 0]]), rw.Mask(np.array([[True, False], [False, False]]))
    assert (
        mask == same
        and hash(mask) == hash(same)
        and mask != rw.Mask([[0, 1], [0, 0]])
        and mask != rw.Mask([[1, 0, 0, 0]])
    )
    assert repr(mask) == "Mask(1 of 2 × 2 sites)" and pickle.loads(pickle.dumps(mask)) == mask
    given = np.zeros((2, 2), dtype=bool)
    held = rw.Mask(given)
    given[0, 0] = True
    assert not held.array.any() and not held.array.flags.writeable
    assert not pickle.loads(pickle.dumps(held)).array.flags.writeable
    box = rw.Ring(0, 2) ** 2
    assert box.without(mask) == box.without(same) != box.without(rw.Mask([[0, 1], [0, 0]])) and hash(
        box.without(mask)
    ) == hash(box.without(same))
    corner = rw.Ball((1.0, 1.0), 0.3)
    both = box.without(mask | corner).without(~rw.Mask([[1, 1], [1, 0]]) & rw.Ball((1.0, 1.0), 1.1), ABSORB, "rest")
    assert both.region_at(([[0.0], [1.0]], [0.0, 1.0])).tolist() == [[0, -1], [-1, 0]]
    assert box.without(mask).contains(([-0.4, 0.4, 0.6, 1.6], 0.3)).tolist() == [False, False, True, False]
    assert isinstance(both.regions[0].shape, Union) and both.bounds == ((0, 2), (0, 2))


def test_regions_that_take_nothing_or_everything_are_refused() -> None:
    box = rw.Interval(0.0, 1.0, REFLECT, REFLECT) ** 2
    lattices = lattices_on(box, (0.1, 0.1), (0.0, 0.0))
    check_regions(box.without(rw.Ball((0.05, 0.05), 0.04)), lattices)
    for room, message in (
        (
            box.without(rw.Ball((0.1, 0.1), 0.04), name="dot"),
            r"the region 'dot', Ball\(\(0.1, 0.1\), 0.04\), takes no site",
        ),
        (box.without(rw.Ball((0.5, 0.5), 0.2)).without(rw.Ball((0.5, 0.5), 0.1), name="in"), "'in', .* takes no site"),
        (box.without(rw.HalfSpace((1.0, 0.0), 2.0)), "takes no site"),
        (box.without(rw.Mask(np.zeros((10, 10), bool))), "takes no site"),
        (box.without(rw.HalfSpace((1.0, 0.0), -1.0)), "take all 100 sites"),
        (box.without(rw.Level(1.0)), "take all 100 sites"),
        (box.inside(rw.Ball((0.5, 0.5), 0.01)), "no site lies in .*: take a smaller dx"),
        (box.without(rw.HalfSpace((1.0, 0.0), 0.5)).without(rw.HalfSpace((-1.0, 0.0), -0.6)), "take all 100 sites"),
    ):
        with pytest.raises(ValueError, match=message):
            check_regions(room, lattices)
    plane = (rw.Line() ** 2).inside(rw.Ball((0.0, 0.0), 1.0))
    check_regions(plane, lattices_on(plane, (0.1, 0.1), (0.0, 0.0)))
    check_regions((rw.Line() ** 2).without(rw.Ball((0.0, 0.0), 1.0)), lattices_on(plane, (0.1, 0.1), (0.0, 0.0)))


BAD: list[tuple[Callable[[], object], type[Exception], str]] = [
    (lambda: rw.Ball((0, 0), 0.0), ValueError, "radius = 0.0: must be positive and finite"),
    (lambda: rw.Ball((0, 0), math.inf), ValueError, "radius = inf"),
    (lambda: rw.Ball((0, 0), "1"), TypeError, "Ball: radius = '1': must be a number, as 1"),  # type: ignore[arg-type]
    (lambda: rw.Ball((0, math.nan), 1.0), ValueError, "Ball: centre must be finite, not nan"),
    (lambda: rw.Ball(0.0, 1.0), ValueError, "Ball: centre = 0.0: give a number for each axis, two or more"),
    (lambda: rw.Ball([0.0], 1.0), ValueError, "two or more"),
    (lambda: rw.Ball("ab", 1.0), TypeError, "Ball: centre = 'ab': must be a number or numbers"),
    (lambda: rw.HalfSpace((0.0, 0.0), 1.0), ValueError, r"normal = \(0.0, 0.0\) must not be 0"),
    (lambda: rw.HalfSpace((1.0, 0.0), math.inf), ValueError, "offset = inf must be finite"),
    (
        lambda: rw.Level(rw.expression("x - t")),
        ValueError,
        "does not depend on time.* a Ball whose radius is a formula of t",
    ),
    (lambda: rw.Level("x - 1"), TypeError, "rw.expression"),  # type: ignore[arg-type]
    (
        lambda: rw.Level(rw.expression("log(x)")).contains(([1.0, -2.0], 3.0)),
        ValueError,
        r"has no value at \(-2.0, 3.0\)",
    ),
    (lambda: rw.Mask([[0.5, 1.0]]), TypeError, "must be True and False"),
    (lambda: rw.Mask([[2, 1]]), TypeError, "must be True and False"),
    (lambda: rw.Mask([["a"]]), TypeError, "must be True and False"),
    (lambda: rw.Mask([[True], [True, False]]), TypeError, "must be True and False"),
    (lambda: rw.Mask(True), ValueError, r"shape \(\)"),
    (lambda: rw.Mask(np.zeros((0, 2), bool)), ValueError, r"shape \(0, 2\)"),
    (lambda: rw.Mask([[1, 0]]).contains((0.0, 0.0)), ValueError, "has no place yet: give it to the domain"),
    (lambda: rw.Ball((0, 0), 1.0) | 3, TypeError, "unsupported operand"),  # type: ignore[operator]
    (lambda: rw.Ball((0, 0), 1.0) & rw.Line(), TypeError, "unsupported operand"),  # type: ignore[operator]
    (lambda: vector("v", [[1.0]]), ValueError, "v = "),
]


@pytest.mark.parametrize("case", range(len(BAD)))
def test_bad_shapes_are_refused(case: int) -> None:
    make, kind, message = BAD[case]
    with pytest.raises(kind, match=message):
        make()
