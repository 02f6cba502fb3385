"""Walkers on a table that is too large for a cache are advanced in the order of their places, and go where each goes alone."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import randwalk as rw
from randwalk.kernels import cpu
from randwalk.kernels.philox import key
from randwalk.kernels.program import NO_LEVELS, Walkers
from randwalk.run import host
from randwalk.run.host import Host
from randwalk.tables.window import table_for

STEPS, WALKERS, KEYS, FIRST = 130, 1500, key(5), 7
SIDE = 190  # whose cells are more than host.SPREAD
RIGHT = rw.expression("0.24 + 0.05*sin(x/9)*cos(y/7) + 0.01*t/130")


@pytest.mark.quick
@pytest.mark.parametrize("drift", ["constant", "in time"])
@pytest.mark.parametrize("some", [False, True])
def test_walkers_in_order_go_where_they_go_alone(drift: str, some: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Order is made anew in every piece of 64 steps; one wall absorbs. The last quarter of the walkers is not asked to move."""
    wall, other = rw.Reflecting(), rw.Absorbing()
    right = RIGHT if drift == "in time" else rw.expression("0.25 + 0.05*sin(x/9)*cos(y/7)")
    walk = rw.LatticeWalk(
        right=right, left=0.2, up=0.25, down=0.25, dx=1.0,
        domain=rw.Interval(0, SIDE - 0.5, other, wall) * rw.Interval(0, SIDE, wall, wall), start=rw.Everywhere(),
    )  # fmt: skip
    table = table_for(walk, STEPS)
    program = table.program(0, STEPS)
    assert program.exit_of.size > host.SPREAD and len(program.thresholds) == (STEPS if drift == "in time" else 1)
    live = np.flatnonzero(program.exit_of == 255)
    begin = np.random.default_rng(3).choice(live, WALKERS).astype(np.int32)
    places = np.arange(WALKERS * 3 // 4 if some else WALKERS, dtype=np.int32)
    orders: list[np.ndarray] = []
    kept = host._along_strips

    def seen(*given: Any) -> np.ndarray:
        orders.append(kept(*given))
        return orders[-1]

    monkeypatch.setattr(host, "_along_strips", seen)
    monkeypatch.setattr(host, "WANDERED", 1)
    monkeypatch.setattr("randwalk.run.pieces.FIRST", 1)
    together, alone = begin.copy(), begin.copy()
    Host().advance(Walkers(FIRST, together, places=places if some else None), program, 0, STEPS, KEYS)
    state = Host().begin(alone, NO_LEVELS)
    cpu.follow_table(alone, state, (FIRST, places), program, NO_LEVELS.told, 0, STEPS, KEYS)
    assert np.array_equal(together, alone) and (together != begin)[places].mean() > 0.9
    assert np.array_equal(together[places.size :], begin[places.size :])
    assert (program.exit_of[together] == 0).sum() > 5  # at the wall that absorbs
    assert len(orders) > 1 and all(np.array_equal(np.sort(order), places) for order in orders)


def test_neighbours_in_order_are_near() -> None:
    """128 of 30 000 walkers in a row cover a strip of 32 sites and about as many along it as hold so many walkers."""
    walk = rw.LatticeWalk(
        right=RIGHT, left=0.2, up=0.25, down=0.25, dx=1.0, domain=rw.Interval(0, SIDE, *(rw.Reflecting(),) * 2) ** 2
    )
    table = table_for(walk, STEPS)
    program = table.program(0, 1)
    site = np.random.default_rng(3).choice(np.flatnonzero(program.exit_of == 255), 30_000).astype(np.int32)
    order = host._along_strips(site, np.arange(site.size, dtype=np.int32), program)
    x, y = (np.array(k)[order][: site.size // 128 * 128].reshape(-1, 128) for k in table.layout.numbers(site))
    assert np.median(np.ptp(x, axis=1)) <= 32 and np.median(np.ptp(y, axis=1)) < 10
    assert np.median(np.ptp(np.array(table.layout.numbers(site)[1])[: x.size].reshape(-1, 128), axis=1)) > 150


def test_places_far_apart_are_ordered() -> None:
    """A table with a row of 70 million sites, of whose strips the numbers are beyond 32 bits."""
    table: Any = SimpleNamespace(offsets=(70_000_000, -70_000_000, 1, -1))
    site = np.array([2_100_000_000, 5, 70_000_004, 4], dtype=np.int32)
    assert host._along_strips(site, np.arange(4, dtype=np.int32), table).tolist() == [0, 2, 3, 1]
