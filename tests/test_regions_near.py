"""Each region is asked about the sites near it alone: the same answers as from all of them, whatever the form of the points."""

from __future__ import annotations

from functools import reduce
from typing import Any

import numpy as np
import pytest

import randwalk as rw
from randwalk.model.shape import Intersection, Shape, Union, around

R, A = rw.Reflecting(), rw.Absorbing()
SITES = np.arange(21.0)


def everywhere(shape: Shape, point: Any, test: str) -> Any:
    """What a shape says of points, part by part, of all of them."""
    if isinstance(shape, (Union, Intersection)):
        join = np.logical_or if isinstance(shape, Union) else np.logical_and
        return reduce(join, (everywhere(part, point, test) for part in shape.parts))
    return getattr(shape, test)(point)


def room(rng: np.random.Generator, dimension: int) -> rw.Domain:
    axes: list[Any] = [rw.Ring(0, 20) if rng.random() < 0.5 else rw.Interval(0, 20, R, A) for _ in range(dimension)]
    domain: rw.Domain = reduce(lambda a, b: a * b, axes)

    def ball() -> rw.Ball:
        return rw.Ball(tuple(rng.integers(-1, 22, dimension).astype(float)), float(rng.integers(1, 6)))

    half = rw.HalfSpace(tuple(rng.integers(1, 3, dimension).astype(float)), 20.0)
    end = rw.HalfSpace((0.0,) * (dimension - 1) + (1.0,), float(rng.integers(10, 30)))
    for number, shape in enumerate((ball(), ball() | ball(), ball() & half, end)):
        domain = domain.without(shape, A if rng.random() < 0.5 else R, f"region {number}")
    return domain


@pytest.mark.parametrize("seed", range(12))
def test_answers_do_not_depend_on_the_part_that_is_looked_at(seed: int) -> None:
    """Balls touch sites exactly; some reach across the ends of rings, and lie outside of intervals."""
    rng = np.random.default_rng(seed)
    dimension = 2 + seed % 2
    domain = room(rng, dimension)
    mesh = tuple(np.meshgrid(*[SITES] * dimension, indexing="ij"))
    found = np.full(mesh[0].shape, -1)
    for i, (region, shape) in reversed(list(enumerate(zip(domain.regions, domain.sets, strict=True)))):
        found = np.where(everywhere(shape, mesh, "touches" if region.wall.on_site else "contains"), i, found)
    assert (found >= 0).any() and (found < 0).any()
    assert np.array_equal(domain.region_at(mesh), found)
    assert np.array_equal(domain.region_at(tuple(np.meshgrid(*[SITES] * dimension, indexing="ij", sparse=True))), found)
    order = rng.permutation(found.size)
    assert np.array_equal(domain.region_at(tuple(x.ravel()[order] for x in mesh)), found.ravel()[order])
    one = tuple(float(x.ravel()[order[0]]) for x in mesh)
    assert domain.region_at(one) == found.ravel()[order[0]]
    across = tuple(int(x) for x in rng.integers(0, 21, dimension - 1))
    line = domain.region_at((SITES, *(float(x) for x in across)))
    assert np.array_equal(line, found.reshape(21, -1)[:, np.ravel_multi_index(across, found.shape[1:])])


def test_the_part_is_small_and_holds_the_boundary() -> None:
    point = tuple(np.meshgrid(SITES, SITES, indexing="ij", sparse=True))
    part, (x, y) = around(((3.0, 5.0), (-np.inf, 2.0)), point)
    assert part == (slice(3, 6), slice(0, 21)) and x.ravel().tolist() == [3.0, 4.0, 5.0] and y.size == 21
    part, (x, y) = around(((30.0, 35.0), (0.0, 2.0)), point)
    assert x.size == 0 and found_nothing(part, point)


def found_nothing(part: tuple[slice, ...], point: tuple[Any, ...]) -> bool:
    return np.zeros(np.broadcast_shapes(*(x.shape for x in point)))[part].size == 0
