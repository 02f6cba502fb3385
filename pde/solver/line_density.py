"""The density of a solution on a line at one time, from the masses of its cells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from randwalk.laws.distribution import Distribution
from randwalk.laws.estimate import values_of
from randwalk.model.coefficient import Floats

from .reconstruct import Profile


@dataclass(frozen=True, eq=False)
class LineDensity(Distribution):
    """The cells of a solution at one time, with a polynomial in each (:mod:`randwalk.pde.solver.reconstruct`)."""

    profile: Profile

    @property
    def bounds(self) -> tuple[tuple[float, float], ...]:
        return ((self.profile.grid.low, self.profile.grid.high),)

    @property
    def places(self) -> tuple[Floats, ...]:
        return (self.profile.grid.x,)

    def cdf(self, x: Floats) -> Floats:
        return self.profile.split(np.clip(x, *self.ends))[0]

    def mass(self, edges: Floats) -> Floats:
        below, above = self.profile.split(np.clip(edges, *self.ends))
        return np.where(below[:-1] < above[1:], np.diff(below), -np.diff(above))

    def pdf(self, x: Floats) -> Floats:
        """0 outside the window."""
        low, high = self.ends
        if self.profile.grid.periodic:
            x = low + np.mod(x - low, high - low, where=np.isfinite(x), out=np.full_like(x, np.inf))
        inside = (x >= low) & (x <= high)
        return np.where(inside, self.profile.density(np.clip(x, low, high)), 0.0)

    def total(self) -> float:
        return float(self.profile.masses.sum())

    def expect(self, f: Callable[[Floats], ArrayLike]) -> float:
        return float(self.profile.expect(lambda x: values_of(f, x.ravel()).reshape(x.shape)))
