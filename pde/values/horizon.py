"""When walks end: at a time, or when everybody has left."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from randwalk.inputs.wording import shown
from randwalk.kernels.ito import State
from randwalk.model.times import MOST_STEPS

from .sampling import NotFiniteValue

NEGLIGIBLE = 2.0**-60  # weight of a walker that counts for nothing any more
BEYOND = 64.0  # times that by which all walkers of a pilot have left: nobody stays so long where the exit is certain


@dataclass(frozen=True)
class Until:
    """Walks of a `time`, in which as many steps are made as the resolution is."""

    time: float
    holds = True  # walkers whom walls absorb in part stay, and their weight falls

    def stops(self, steps: int) -> Iterator[int]:
        """The numbers of steps after which one looks whether walks are over."""
        yield steps

    def over(self, state: State, exits: int, stop: float, walkers: range) -> bool:
        """Whether all walkers are where they are settled."""
        return True


@dataclass(frozen=True)
class Departure:
    """Walks until everybody has left, or has hardly any weight. As many steps as the resolution is are made in the `time` that
    a walker takes on average; if somebody is still there after `most`, nobody knows what that one counts."""

    time: float
    most: float
    holds = False  # who stays with less and less weight takes long to have none

    def stops(self, steps: int) -> Iterator[int]:
        """Numbers that double, the same for any walkers, so that it is the same steps after which a weight is too small."""
        stop = steps
        while (stop / steps) * self.time <= self.most:
            yield stop
            stop *= 2

    def over(self, state: State, exits: int, stop: float, walkers: range) -> bool:
        """Whether all walkers have left; those without weight leave here by the last of the exits, which pays nothing."""
        released(state, exits)
        inside = state.exit == 0
        if not inside.any():
            return True
        if 2.0 * stop > self.most:
            raise ValueError(
                f"t = inf: {int(inside.sum())} of {inside.size} walkers are still inside after the time {stop:.3g}, "
                f"and {int(walkers[int(np.argmax(inside))])} is one of them: they may never leave. Put an absorbing wall around "
                "the domain, or give a finite t"
            )
        return False


def check_addressed(steps: float, asked: str) -> None:
    """Refuse more steps of a walker than its random stream addresses, for what is `asked`."""
    if steps > MOST_STEPS:
        raise ValueError(
            f"{asked} is {steps:.3g} steps, more than the 2³² that a random stream addresses; leave dt out, or take a larger one"
        )


Horizon: TypeAlias = Until | Departure


def released(state: State, exits: int) -> None:
    """Let walkers leave by the last of the exits whose weight is negligible; refuse those that are nowhere."""
    inside = state.exit == 0
    lost = inside & ~np.isfinite(state.x).all(axis=0)
    if lost.any():
        raise NotFiniteValue(
            f"a walker is at {shown(state.x[:, int(np.argmax(lost))].tolist())}: dt must be so short that the drift does not "
            "throw walkers out"
        )
    state.exit[inside & (state.weight < NEGLIGIBLE)] = exits
