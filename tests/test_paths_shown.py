"""Pictures of paths: walls in the colours of their exits, regions, lines that end at the seams of rings, points of one time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex

import randwalk as rw
from randwalk.laws.maps import EXITS

MICRO, NANO = 1e-6, 1e-9
FAIR: dict[str, Any] = dict.fromkeys(("right", "left", "up", "down"), 0.25)
TIMES = np.arange(200) * NANO


@pytest.fixture(autouse=True)
def no_window() -> Iterator[None]:
    matplotlib.use("Agg")
    yield
    plt.close("all")


def room() -> rw.LatticeWalk:
    """In µm and ns: an absorbing and a reflecting face, a ring, an obstacle and a trap."""
    domain = rw.Interval(0.0, 2.25 * MICRO, rw.Absorbing(), rw.Reflecting()) * rw.Ring(0.0, 2.0 * MICRO)
    domain = domain.without(rw.Ball((1.5 * MICRO, 1.0 * MICRO), 0.3 * MICRO))
    domain = domain.without(rw.Ball((0.7 * MICRO, 1.5 * MICRO), 0.25 * MICRO), rw.Absorbing(), "trap")
    return rw.LatticeWalk(**FAIR, dx=0.1 * MICRO, dt=NANO, domain=domain,
                          start=(1.0 * MICRO, 0.5 * MICRO))  # fmt: skip


def test_walls_have_the_colours_of_their_exits_and_regions_are_drawn() -> None:
    paths = rw.trajectories(room(), 8, TIMES, seed=1)
    ax = paths.plot()
    legend = ax.get_legend()
    assert legend is not None and [text.get_text() for text in legend.get_texts()] == ["left", "trap"]
    lines = [(np.asarray(line.get_xdata(), dtype=float), line.get_color()) for line in ax.lines]
    told = {float(x[0]): to_hex(colour).upper() for x, colour in lines if x.size == 2 and np.ptp(x) == 0.0}
    assert told == {0.0: EXITS[0], 2.25 * MICRO: "#000000"}
    grey, rim = ax.collections
    assert to_hex(np.asarray(rim.get_edgecolor())[0]).upper() == EXITS[2]
    low, high = grey.get_datalim(ax.transData).intervaly  # of the obstacle and of the trap
    assert low == pytest.approx(0.7 * MICRO, abs=0.01 * MICRO) and high == pytest.approx(1.75 * MICRO, abs=0.01 * MICRO)
    assert ax.get_xlim()[0] == pytest.approx(-0.045 * MICRO) and ax.get_ylim()[1] == pytest.approx(2.04 * MICRO)


@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_lines_do_not_cross_the_seam_of_a_ring(dimension: int) -> None:
    steps = {
        tuple(s * (i == axis) for i in range(dimension)): 0.5 / dimension for axis in range(dimension) for s in (1, -1)
    }
    rings = rw.Ring(0.0, 1.0) if dimension == 1 else rw.Ring(0.0, 1.0) ** dimension
    start = 0.0 if dimension == 1 else (0.0,) * dimension
    walk = rw.LatticeWalk(steps=steps, sites=10, dt=1.0, domain=rings, start=start)
    paths = rw.trajectories(walk, 5, np.arange(100), seed=3)
    ax = paths.plot()
    jumps = np.abs(np.diff(paths.x, axis=0)).reshape(99, 5, dimension).max(axis=2) > 0.5
    assert jumps.any()
    for walker, line in enumerate(ax.lines):
        x, y = (np.asarray(data, dtype=float) for data in line.get_data())
        assert np.isnan(x).sum() == jumps[:, walker].sum()
        longest = np.nanmax(np.abs(np.diff(y)))
        assert longest < 0.5
        np.testing.assert_array_equal(y[::2], paths.x[:, walker] if dimension == 1 else paths.x[:, walker, 1])


def test_one_time_is_points_and_a_path_keeps_its_axes() -> None:
    for walk in (room(), rw.LatticeWalk(0.5, 0.5, dx=1.0, dt=NANO)):
        points = rw.trajectories(walk, 3, [4 * NANO], seed=1).plot().lines[:3]
        assert all(line.get_marker() == "." and line.get_linestyle() in ("-", "None") for line in points)
    given = plt.subplots()[1]
    assert rw.trajectories(room(), 3, TIMES, seed=1).plot(given) is given
    there = rw.trajectories(rw.LatticeWalk(**FAIR, dx=MICRO, dt=NANO), 1, [0.0]).plot()  # nothing to see but a point
    assert there.get_xlim()[0] < 0.0 < there.get_xlim()[1]


def test_parts_keep_the_domain() -> None:
    walk = room()
    whole = rw.trajectories(walk, range(0, 4), TIMES[:5], seed=2) + rw.trajectories(
        walk, range(4, 8), TIMES[:5], seed=2
    )
    assert whole.domain == walk.domain and whole.x.shape == (5, 8, 2)
    np.testing.assert_array_equal(whole.x, rw.trajectories(walk, 8, TIMES[:5], seed=2).x)
