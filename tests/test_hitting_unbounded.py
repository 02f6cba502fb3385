"""Hitting on strips, cylinders, half-planes and half-spaces, against sums, the potential kernel, images and long boxes."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pytest

import randwalk as rw
from randwalk.pde import green_function, hitting_probability, hitting_time, return_time

ABSORBING, REFLECTING = rw.Absorbing(), rw.Reflecting()
HALF = rw.Interval(0.0, math.inf, ABSORBING)
STRIP = rw.Interval(0.0, 8.0, ABSORBING, ABSORBING)
FAIR = {"right": 0.25, "left": 0.25, "up": 0.25, "down": 0.25}
SIXTH = dict.fromkeys(("right", "left", "up", "down", "front", "back"), 1.0 / 6.0)
AWRY = {(1, 0): 0.2, (-1, 1): 0.15, (0, 1): 0.2, (0, -1): 0.1, (1, -1): 0.05, (-1, 0): 0.1}


def walk(
    domain: rw.Domain, start: tuple[float, ...], steps: Mapping[str, object] = FAIR, **options: object
) -> rw.LatticeWalk:
    return rw.LatticeWalk(**{"dx": 1.0, **steps, **options}, domain=domain, start=start)  # type: ignore[arg-type]


def strip_green(x: int, other: int, apart: int) -> float:
    """Visits of the simple walk on a strip of width 8, a sum over the sines across it; along it each decays with λ, cosh λ =
    2 - cos(πk/8)."""
    angle = math.pi * np.arange(1, 8) / 8.0
    fall = np.arccosh(2.0 - np.cos(angle))
    return float((0.25 * np.sin(angle * x) * np.sin(angle * other) * 2.0 * np.exp(-fall * apart) / np.sinh(fall)).sum())


def test_a_strip_against_a_sum_of_sines() -> None:
    strip = walk(STRIP * rw.Line(), (2.0, 0.0))
    expected = strip_green(2, 4, 3) / strip_green(4, 4, 0)
    assert hitting_probability(strip, (4.0, 3.0)) == pytest.approx(expected, rel=1e-13)
    assert green_function(strip, (4.0, 3.0)) == pytest.approx(strip_green(2, 4, 3), rel=1e-12)
    far = hitting_probability(strip, (4.0, 3.0), start=([2.0, 3.0], [400.0, -50.0]))
    assert far == pytest.approx(
        [strip_green(x, 4, n) / strip_green(4, 4, 0) for x, n in ((2, 397), (3, 53))], rel=1e-11
    )
    left = hitting_probability(
        strip, "left", before=(4.0, 3.0)
    )  # from 2 by the left 3 times in 4, less by way of the site
    assert left == pytest.approx(0.75 - expected * 0.5, rel=1e-13)


LEANING = {"right": 0.2, "left": 0.2, "up": lambda x, y: 0.3 + 0.02 * x, "down": 0.2}


@pytest.mark.parametrize(
    ("open_line", "closed", "options"),
    [
        (rw.Line(), (-60.0, 400.0), {"steps": AWRY}),
        (rw.Line(), (-200.0, 200.0), {**FAIR, "killing": 0.02}),
        (HALF, (0.0, 500.0), {**FAIR, "up": 0.3, "down": 0.2}),
        (rw.Line(), (-60.0, 400.0), LEANING),
    ],
)
def test_cylinders_against_long_boxes(
    open_line: rw.Domain, closed: tuple[float, float], options: Mapping[str, object]
) -> None:
    """Means and variances of times too; what comes back from the ends of the box is below rounding."""
    box = rw.Interval(*closed, ABSORBING, ABSORBING)
    for across in (rw.Ring(0.0, 5.0), rw.Interval(-0.5, 4.5, REFLECTING, rw.PartiallyAbsorbing(0.1))):
        found, expected = (walk(across * line, (2.0, 3.0), options) for line in (open_line, box))
        places = {"before": ([0.0, 1.0], [2.0, 6.0])}
        for one, other in (
            (hitting_time(found, (3.0, 1.0), **places), hitting_time(expected, (3.0, 1.0), **places)),
            (return_time(found, (3.0, 1.0)), return_time(expected, (3.0, 1.0))),
        ):
            assert np.array(one) == pytest.approx(np.array(other), rel=1e-10)


def test_a_closed_cylinder_comes_back_for_certain_in_no_mean_time() -> None:
    ring = walk(rw.Ring(0.0, 8.0) * rw.Line(), (2.0, 0.0))
    box = walk(rw.Ring(0.0, 8.0) * rw.Interval(-300.5, 300.5, REFLECTING, REFLECTING), (2.0, 0.0))
    assert return_time(ring, (2.0, 0.0)) == (pytest.approx(1.0, abs=1e-13), math.inf, math.inf)
    assert green_function(ring, (2.0, 0.0)) == math.inf
    one, other = (hitting_probability(w, (4.0, 3.0), before=(1.0, -2.0)) for w in (ring, box))
    assert one == pytest.approx(other, abs=1e-12)


def test_a_trap_in_a_strip() -> None:
    found, expected = (
        walk((STRIP * line).without(rw.Ball((4.0, 0.0), 1.5), ABSORBING, "trap"), (2.0, 3.0))
        for line in (rw.Line(), rw.Interval(-100.0, 100.0, ABSORBING, ABSORBING))
    )
    assert hitting_probability(found, "trap") == pytest.approx(hitting_probability(expected, "trap"), rel=1e-12)


def test_faces_alone_are_a_walk_across_them() -> None:
    """Ruin and its mean time n(N - n)/2p on a slab in space, exact; a drift away from a half-plane lets (q/p)^n come."""
    micro = rw.Interval(0.0, 8e-6, ABSORBING, ABSORBING)
    slab = walk(rw.Line() * micro * rw.Line(), (0.0, 3e-6, 0.0), SIXTH, dx=1e-6, dt=1e-9)
    assert hitting_probability(slab, "top") == pytest.approx(3.0 / 8.0, rel=1e-14)
    assert hitting_time(slab).mean == pytest.approx(3.0 * 5.0 * 3.0 * 1e-9, rel=1e-13)
    away = walk(HALF * rw.Line(), (2.0, 0.0), {"right": 0.3, "left": 0.2, "up": 0.1, "down": 0.4})
    assert hitting_time(away, "left") == pytest.approx(((2.0 / 3.0) ** 2, 20.0, 980.0), rel=1e-13)


def test_a_half_plane_against_the_potential_kernel() -> None:
    """G(x, y) = a(x - ȳ) - a(x - y) with the image ȳ; a(2, 0) = 4 - 8/π and a(2, 1) = 8/π - 1 (Spitzer 1976, P15)."""
    plane = walk(HALF * rw.Line(), (1.0, 1.0))
    assert hitting_probability(plane, (1.0, 0.0)) == pytest.approx(
        (8.0 / math.pi - 2.0) / (4.0 - 8.0 / math.pi), rel=1e-11
    )
    back = return_time(plane, (1.0, 0.0))
    assert back == (pytest.approx(1.0 - 1.0 / (4.0 - 8.0 / math.pi), rel=1e-11), math.inf, math.inf)
    boxes = []
    for far in (30.0, 60.0):
        ends = rw.Interval(0.0, far, ABSORBING, ABSORBING) * rw.Interval(-far, far, ABSORBING, ABSORBING)
        boxes.append(hitting_probability(walk(ends, (2.0, 0.0)), (4.0, 3.0), before=(1.0, 0.0)))
    limit = boxes[1] + (boxes[1] - boxes[0]) / 3.0  # what is missing falls as 1/far²
    assert hitting_probability(plane, (4.0, 3.0), before=(1.0, 0.0), start=(2.0, 0.0)) == pytest.approx(limit, abs=3e-6)


def test_a_half_space_and_a_wedge_by_images() -> None:
    space = walk(rw.Line() ** 3, (0.0, 0.0, 0.0), SIXTH)
    one, image = (green_function(space, (0.0, place, 0.0)) for place in (0.0, 2.0))
    half = walk(rw.Line() * HALF * rw.Line(), (0.0, 1.0, 0.0), SIXTH)
    assert green_function(half, (0.0, 1.0, 0.0)) == pytest.approx(one - image, rel=1e-10)
    wedge = walk(HALF**2, (2.0, 1.0))
    corner = walk(rw.Interval(0.0, 60.0, ABSORBING, ABSORBING) ** 2, (2.0, 1.0))  # what is missing falls as 1/far⁴
    assert hitting_probability(wedge, (1.0, 1.0)) == pytest.approx(hitting_probability(corner, (1.0, 1.0)), abs=1e-6)


def test_a_reflecting_half_plane_is_the_plane_folded() -> None:
    folded = walk(rw.Interval(0.5, math.inf, REFLECTING) * rw.Line(), (2.0, 0.0), {**FAIR, "up": 0.3, "down": 0.2})
    plane = walk(rw.Line() ** 2, (2.0, 0.0), {**FAIR, "up": 0.3, "down": 0.2})
    found = hitting_time(folded, (4.0, 3.0), before=(1.0, -1.0))
    both = hitting_time(plane, ([4.0, -3.0], [3.0, 3.0]), before=([1.0, 0.0], [-1.0, -1.0]))
    assert np.array(found) == pytest.approx(np.array(both), rel=1e-9)


def test_what_has_no_answer_is_refused() -> None:
    partly = walk(rw.Interval(-0.5, math.inf, rw.PartiallyAbsorbing(0.2)) * rw.Line(), (2.0, 0.0))
    with pytest.raises(ValueError, match=r"and the wall 'left' absorbs in part; on .* put far walls"):
        hitting_probability(partly, (1.0, 0.0))
    diagonal = {"steps": {(1, 1): 0.25, (-1, -1): 0.25, (1, -1): 0.25, (-1, 1): 0.25}}
    with pytest.raises(
        ValueError, match=r"walkers leave through more than one of its axes; on .* changes by .* put far walls"
    ):
        hitting_probability(walk(HALF**2, (2.0, 2.0), diagonal), "left")


def test_a_diagonal_step_is_withheld_by_a_wall_across_another_axis() -> None:
    """So the coordinate across the faces is no walk by itself, unless the walk is a product."""
    steps: dict[tuple[int, ...], float] = {(1, 1): 0.2, (-1, -1): 0.5, (1, -1): 0.1, (-1, 1): 0.05}
    across = rw.Interval(0.0, 10.0, ABSORBING, ABSORBING)
    half, long = (rw.Interval(0.0, end, REFLECTING, *walls) for end, walls in ((math.inf, ()), (60.0, (REFLECTING,))))
    infinite, finite = (
        rw.LatticeWalk(steps=steps, dx=1.0, domain=across * line, start=(3.0, 2.0)) for line in (half, long)
    )
    assert hitting_probability(infinite, "left") == pytest.approx(hitting_probability(finite, "left"), rel=1e-9)
    product = rw.LatticeWalk.from_drift(
        (-0.5, 0.3), 0.5, dx=1.0, times=[1.0], domain=across * half, start=(3.0, 2.0), neighbourhood=rw.Moore()
    )
    line = rw.LatticeWalk.from_drift(-0.5, 0.5, dx=1.0, dt=product.dt, domain=across, start=3.0)
    assert hitting_probability(product, "left") == pytest.approx(hitting_probability(line, "left"), rel=1e-12)
