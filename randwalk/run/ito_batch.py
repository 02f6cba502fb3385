"""A batch of walkers in continuous space: where they begin, and how records see them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..kernels import starts
from ..kernels.ito import State
from ..kernels.program import Keys
from ..model.ito import ItoWalk
from ..model.shares import whole_masses
from ..model.start import Atoms, Normal, Point, Sites, Uniform


def begin(walk: ItoWalk, batch: range, keys: Keys) -> State:
    """The walkers of a batch at time 0."""
    n = len(batch)
    x = np.empty((walk.dimension, n))
    if isinstance(walk.start, Atoms):
        points = np.ascontiguousarray(np.array(walk.start.points).T)
        starts.place_atom(x, batch.start, 0, points, _upper(walk.start.masses), keys)
    for axis, factor in enumerate(walk.start.factors or ()):
        match factor:
            case Point(place):
                x[axis] = place
            case Uniform(low, high):
                starts.place_uniform(x[axis], batch.start, axis, (low, high), keys)
            case Normal(mean, sd):
                starts.place_normal(x[axis], batch.start, axis, mean, sd, keys)
            case Sites():
                places = np.array([factor.x])
                starts.place_atom(x[axis : axis + 1], batch.start, axis, places, _upper(factor.masses), keys)
    return State(x, np.zeros(n, dtype=np.int32), np.zeros(n), np.ones(n), np.zeros(n))


def _upper(masses: Any) -> NDArray[np.int64]:
    return np.cumsum(whole_masses(np.array(masses)))


TROUBLES = {
    "finite": "the drift or the noise it met is no finite number, or steps are so long that it grows from step to step; take a "
    "smaller dt, or put walls before such places",
    "weighed": "the killing rate it met on its way is negative or no number; declare a rate ≥ 0 there, or put walls before such "
    "places",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class ItoBatch:
    """Walkers at a recorded time, as records see them."""

    walk: ItoWalk
    walkers: range
    state: State
    steps: int

    @property
    def inside(self) -> NDArray[np.bool_]:
        return np.asarray(self.state.exit == 0)

    @property
    def time(self) -> float:
        return self.steps * self.walk.dt

    @property
    def finite(self) -> NDArray[np.bool_]:
        """Whether the places of walkers are numbers."""
        return np.asarray(np.isfinite(self.state.x).all(axis=0))

    @property
    def weighed(self) -> NDArray[np.bool_]:
        """Whether the killing rates that walkers met were rates."""
        return ~np.isnan(self.state.weight)

    def check(self, again: Callable[[int, str], tuple[ItoBatch, ItoBatch]]) -> None:
        """Refuse places and weights that are no numbers, with the walker and the time; `again` gives a walker a step before its
        `finite` or its `weighed` first does not hold, and then."""
        for name, reason in TROUBLES.items():
            if not getattr(self, name).all():
                before, first = again(self.walkers.start + int(np.argmin(getattr(self, name))), name)
                raise ValueError(f"{first.told(0)}; it came from {before.met(0)}: {reason}")

    def told(self, at: int) -> str:
        """A walker, where it is, and when."""
        return f"walker {self.walkers.start + at} is at {self._place(at)} at t = {self.time:.6g}"

    def met(self, at: int) -> str:
        """Where a walker is, with the first coefficient that is none there."""
        walk, point, one = self.walk, tuple(self.state.x[:, at]), self.walk.dimension == 1
        coefficients = {
            "drift" if one else f"drift[{i}]": (a, -math.inf) for i, a in enumerate(walk.drift)
        } | {
            "diffusion" if one else f"diffusion[{i}][{i}]": (walk.diffusion[i, i], 0.0) for i in range(walk.dimension)
        } | {"killing": (walk.killing, 0.0)}  # fmt: skip
        for name, (coefficient, least) in coefficients.items():
            value = float(coefficient(point, self.time))
            if not (math.isfinite(value) and value >= least):
                return f"{self._place(at)}, where {name} = {value:.6g} at t = {self.time:.6g}"
        return self._place(at)

    def _place(self, at: int) -> str:
        return ", ".join(f"{value:g}" for value in self.state.x[:, at])

    def gone(self) -> NDArray[np.int64]:
        """How many walkers have left by each exit."""
        exits = len(self.walk.domain.exits)
        return np.bincount(self.state.exit, minlength=exits + 1)[1:].astype(np.int64)

    def passages(self) -> NDArray[np.int64]:
        """The walkers that left in step 0, 1, … by each exit, shape (steps + 1, exits): step n ends at n dt; 0 is the start."""
        exits, left = len(self.walk.domain.exits), ~self.inside
        step = np.clip(np.ceil(self.state.gone_at[left] / self.walk.dt * (1.0 - 1e-15)), 0, self.steps).astype(np.int64)
        flat = exits * step + (self.state.exit[left] - 1)
        return np.bincount(flat, minlength=exits * (self.steps + 1)).reshape(-1, exits).astype(np.int64)
