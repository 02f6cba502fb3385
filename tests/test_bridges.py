"""Which walkers of a block may cross a wall; walkers that leave a block, and those that take their places; compiling."""

from __future__ import annotations

import gc
from typing import Any

import numpy as np
import pytest
from numba import njit
from numba.core import event

import randwalk as rw
from randwalk.jit.compile import kernel
from randwalk.kernels.bridges import may_cross, room
from randwalk.kernels.normal import BLOCK
from randwalk.kernels.philox import BRIDGE, key
from randwalk.kernels.wall import REACH, may_be_reached
from randwalk.tables.ito_program import program
from tests import naive

SEED, STEP, WALLS = 3, 11, 3


@njit
def _found(clear, number, left, size, room, keys):  # type: ignore[no-untyped-def]
    return may_cross(clear, number, left, size, STEP, room, keys)


def _plain(clear: Any, number: Any, left: Any, size: int) -> list[int]:
    """Those inside, a wall of which is in reach and may be reached by the first word of its block."""

    def crosses(j: int, w: int) -> bool:
        word = naive.block(int(number[j]), STEP, int(BRIDGE) + w * 2**16, SEED)[0]
        return not clear[w, j] > REACH and bool(may_be_reached(clear[w, j], np.uint64(word)))

    return [j for j in range(size) if left[j] == 0 and any(crosses(j, w) for w in range(WALLS))]


@pytest.mark.parametrize("size", [1, 37, 64, 200, BLOCK])
def test_walkers_that_may_cross_are_those_of_a_plain_loop(size: int) -> None:
    """One thing for all walls: numbers beyond 2³² too, walkers that left, stale flags behind the last walker, no clearance."""
    rng = np.random.default_rng(size)
    near = room(WALLS)
    for nearness in (0.0, 0.02, 0.5, 1.0):
        clear = rng.exponential(np.where(rng.random((WALLS, BLOCK)) < nearness, 0.7, 1e9))
        clear[rng.random((WALLS, BLOCK)) < 0.02 * nearness] = np.nan
        near[0][:] = (~(clear > REACH)).any(axis=0)
        number = rng.integers(0, 2**40, BLOCK).astype(np.uint64)
        left = (rng.random(BLOCK) < 0.1).astype(np.int32)
        count = _found(clear, number, left, size, near, key(SEED))
        wanted = _plain(clear, number, left, size)
        assert near[-1][:count].tolist() == wanted
        assert nearness < 0.5 or size < 37 or len(wanted) > 0.1 * size


def test_walkers_take_their_words_and_fates_with_them() -> None:
    """A walker does the same alone and among others, some of whom leave before: its signs come from a block of 128."""
    walk = rw.ItoWalk(
        0.0, noise=1.0, dt=0.02, increments=rw.TwoPoint(), killing=rw.expression("x**2"),
        domain=rw.Interval(-1.0, 1.0, rw.Absorbing(), rw.Reflecting()),
    )  # fmt: skip
    moved, n, last = program(walk), 300, 90
    together = moved.begin(np.zeros((1, n)))
    moved.walk(together, 0, 0, last, key(SEED))
    assert 0.2 * n < (together.exit > 0).sum() < n and len(set(together.exit.tolist())) == 3
    for i in range(0, n, 7):
        alone = moved.begin(np.zeros((1, 1)))
        moved.walk(alone, i, 0, last, key(SEED))
        for many, one in zip(together, alone, strict=True):
            assert many[..., i] == one[..., 0]


class _Seen(event.Listener):
    """Whether Python looks for garbage when a function begins to be compiled."""

    def __init__(self) -> None:
        self.enabled: list[bool] = []

    def on_start(self, event: Any) -> None:
        self.enabled.append(gc.isenabled())

    def on_end(self, event: Any) -> None:
        pass


@pytest.mark.parametrize("looking", [True, False])
def test_python_looks_for_garbage_again_after_a_kernel_is_compiled(looking: bool) -> None:
    def good(x: float) -> float:
        return 2.0 * x

    def bad(x: float) -> float:
        return x.nothing  # type: ignore[attr-defined, no-any-return]

    for function in (good, bad):
        function.__module__ = "randwalk.kernels.a_test"
    seen, before = _Seen(), gc.isenabled()
    try:
        gc.enable() if looking else gc.disable()
        with event.install_listener("numba:compile", seen):  # type: ignore[no-untyped-call]
            assert kernel(good)(1.5) == 3.0 and gc.isenabled() is looking
            with pytest.raises(Exception, match="nothing"):
                kernel(bad)(1.5)
        assert gc.isenabled() is looking and seen.enabled and not any(seen.enabled)
    finally:
        gc.enable() if before else gc.disable()


def test_functions_of_others_are_compiled_as_ever() -> None:
    seen = _Seen()
    with event.install_listener("numba:compile", seen):  # type: ignore[no-untyped-call]
        assert njit(lambda x: x + 1)(1) == 2
    assert seen.enabled == [gc.isenabled()]
