"""The integral of a density by panels, at any place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.polynomial import legendre

from randwalk.model.coefficient import Floats

from .green import NODES, WEIGHTS, gauss_legendre

DEGREES = np.arange(NODES.size)


@dataclass(frozen=True, eq=False)
class Cumulative:
    """∫ of a density from the first of increasing `ends`: what is `below` each of them, and on each panel between them the rest
    as a Legendre series of 16 terms and one, (terms, panels)."""

    ends: Floats
    below: Floats
    series: Floats

    @classmethod
    def of(cls, density: Callable[[Floats], Floats], ends: Floats) -> Cumulative:
        """Exact for polynomials of degree 15 on each panel."""
        nodes, _ = gauss_legendre(ends)
        values = density(nodes.ravel()).reshape(nodes.shape)
        projected = (DEGREES + 0.5) * WEIGHTS[:, None] * legendre.legvander(NODES, NODES.size - 1)
        series = legendre.legint((values @ projected).T, lbnd=-1) * (0.5 * np.diff(ends))
        return cls(ends, np.append(0.0, np.cumsum(series.sum(axis=0))), series)

    def __call__(self, x: Any) -> Floats:
        """At places, shape (places,); beyond the ends the density is 0."""
        x = np.clip(x, self.ends[0], self.ends[-1])
        panel = np.clip(np.searchsorted(self.ends, x, side="right") - 1, 0, self.ends.size - 2)
        low, high = self.ends[panel], self.ends[panel + 1]
        here = legendre.legval((2.0 * x - low - high) / (high - low), self.series[:, panel], tensor=False)
        return np.asarray(self.below[panel] + here)
