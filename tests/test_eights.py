"""Table walks advance eight steps at a time: what happens inside of these eight agrees with walkers advanced one by one."""

from __future__ import annotations

import numpy as np
import pytest

import randwalk as rw
from randwalk.kernels import cpu
from randwalk.kernels.packing import packing
from randwalk.kernels.philox import key
from randwalk.kernels.program import NO_LEVELS, TableProgram
from randwalk.run.host import Host
from randwalk.tables.layout import Layout
from randwalk.tables.window import table_for

STEPS, WALKERS, KEYS = 43, 60_000, key(5)
ABSORB = rw.Absorbing()


def short(killing: float) -> tuple[TableProgram, int]:
    """A walk on seven sites that leaves after a few steps, so that most ties are among the last eight steps of a walker."""
    walk = rw.LatticeWalk(
        rw.expression("0.3 + 0.001*x"), 0.45, dx=1e-6, dt=1e-9, domain=rw.Interval(-4e-6, 4e-6, ABSORB, ABSORB),
        killing=killing,
    )  # fmt: skip
    table = table_for(walk, STEPS)
    return table.program(3, STEPS), int(table.layout.cells - 1) // 2


@pytest.mark.quick
@pytest.mark.parametrize("killing", [0.0, 2e7])
def test_walkers_leave_in_the_step_in_which_they_leave_alone(killing: float) -> None:
    """Fields of 64 walkers with holes and at the end of a block, from step 3 on, in two calls; and some 40 ties, which the
    walkers one by one have at once and the others by going back."""
    program, middle = short(killing)
    places = np.flatnonzero(np.arange(WALKERS) % 5 < 4).astype(np.int32)
    together, alone = np.full(WALKERS, middle, np.int32), np.full(WALKERS, middle, np.int32)
    passage, state = np.zeros(WALKERS, np.int32), Host().begin(alone, NO_LEVELS)
    ways = (together, passage, (7, places)), (alone, state, (7, places), program, NO_LEVELS.told, 3, STEPS, KEYS)
    cpu.walk_table(*ways[0], program, 3, 21, KEYS)
    cpu.walk_table(*ways[0], program, 21, STEPS, KEYS)
    cpu.follow_table(*ways[1])
    gone = program.exit_of[together] != 255
    assert np.array_equal(together, alone) and np.array_equal(passage, state[0])
    assert 0.9 < gone[places].mean() < 1.0 and not gone[np.arange(WALKERS) % 5 == 4].any()
    assert set(program.exit_of[together[gone]]) == ({0, 1, 2} if killing else {0, 1})
    endpoints = np.full(WALKERS, middle, np.int32)
    cpu.walk_table(endpoints, np.empty(0, np.int32), (7, places), program, 3, STEPS, KEYS)
    assert np.array_equal(endpoints, together)


@pytest.mark.quick
def test_walkers_are_counted_by_their_numbers_along_axes() -> None:
    """On an axis with ends and on a ring, whose numbers go on beyond the seam, against cells and NumPy's counts: numbers of their
    own, or of one start for all, and packed displacements since."""
    exits, rng = ("left", "right", "killing"), np.random.default_rng(1)
    layout = Layout((9, 5, 3), (-4, 0, 2), (False, True, False), exits, (False,) * 3)
    numbers = np.stack([rng.integers(-4, 5, 1500), rng.integers(-40, 40, 1500), rng.integers(2, 5, 1500)])
    axes = np.array(list(zip(layout.first, np.where(layout.periodic, layout.shape, 0), layout.strides, strict=True)))
    bits, _, strides = packing(3, 64)
    steps, one = rng.integers(-2, 3, numbers.shape), np.array([[1], [17], [3]])
    for begun in (numbers - steps, one):
        packed, counts = np.dot(strides, numbers - begun), layout.empty()
        cpu.count_places(begun, packed, bits, axes, counts)
        assert np.array_equal(counts, np.bincount(layout.index(*numbers), minlength=layout.cells))
        assert cpu.ends(begun, packed, bits).tolist() == [[k.min(), k.max()] for k in numbers]
