"""Both ends of a grid as faces: what flows out through a wall, the image that a wall makes, and ends where D vanishes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from randwalk.model.bernoulli import bernoulli
from randwalk.model.coefficient import Floats
from randwalk.model.domain import Wall

from ..equation import FokkerPlanck


def reactivity(wall: Wall | None) -> float:
    """The reactivity of an end of a grid: the cut of a window, which has no wall, counts as absorbing."""
    return math.inf if wall is None else wall.reactivity


def outflow(wall: Wall | None, w: float, conductance: float) -> float:
    """The outward flux (velocity) through a wall for a unit density in the centre half a cell before it."""
    out, into = bernoulli(np.array(w))
    return through(wall, conductance * float(out), conductance * float(into))


def through(wall: Wall | None, outward: float, inward: float) -> float:
    """The same of the fluxes `outward` for a unit density in the centre and `inward` for one at the wall."""
    k = reactivity(wall)
    return outward if math.isinf(k) else k * outward / (k + inward)


def outflows(k: float | Floats, w: Floats, conductance: Floats) -> Floats:
    """The outward fluxes of many cells before walls of the reactivity `k`.

    The wall density ρ_w follows from equal fluxes on both sides of the wall, Kρ_w = c (β(w) ρ - β(-w) ρ_w), with
    c = 2D/h the `conductance` and w over the half cell, counted inward. An absorbing wall is K = ∞.
    """
    out, into = bernoulli(w)
    outward, inward = conductance * out, conductance * into
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(np.isinf(k), outward, k * outward / (k + inward)))


def image(wall: Wall | None, h: float, diffusion: float) -> float:
    """The weight of the image, half a cell before the wall, of a unit of mass half a cell beyond it."""
    reach = reactivity(wall) * h
    if math.isinf(reach):
        return -1.0
    return (2.0 * diffusion - reach) / (2.0 * diffusion + reach) if reach else 1.0


@dataclass(frozen=True)
class Degenerate:
    """An end at which D vanishes or the drift is singular, seen from `y` before it [Feller 1952; Karlin & Taylor 1981, §15.6].

    Near the end D ∝ y^α and b/D = γ/y, b counted inward. Without a current ρ ∝ y^(γ-λα); a current J to the end is
    ς D ρ/y with ς = 1 - γ - (1-λ)α, and passes only if ς > 0. For α ≥ 2 only the drift at the end itself leads there.
    """

    y: float
    diffusion: float
    alpha: float
    gamma: float
    weight: float
    absorbing: bool
    end: float
    end_drift: float

    @classmethod
    def read(cls, equation: FokkerPlanck, wall: Wall | None, end: float, place: float, t: float) -> Degenerate:
        """The `end` with `wall`, as the coefficients at `place` and half way to it show it."""
        drift, weight = equation.declared_drift, equation.convention.exponent
        y, inward = abs(place - end), math.copysign(1.0, place - end)
        near, far = equation.diffusion(np.array([0.5 * (end + place), place]), t)
        limit = float(drift(end, t))
        return cls(
            y, float(far), math.log2(far / near), inward * float(drift(place, t)) * y / float(far), weight,
            reactivity(wall) > 0.0, end, inward * limit if math.isfinite(limit) else 0.0,
        )  # fmt: skip

    @property
    def scale(self) -> float:
        """ς."""
        return 1.0 - self.gamma - (1.0 - self.weight) * self.alpha

    @property
    def eta(self) -> float:
        """η, where the mass within y of the end is ∝ y^η: γ - λα + 1, or 2 - α where the mass runs out at the end."""
        return 2.0 - self.alpha if self.absorbing and self.scale > 0.0 else self.gamma - self.weight * self.alpha + 1.0

    def means(self, edges: Floats) -> Floats:
        """The mean density of each cell between `edges`, relative to that at its centre, where ρ ∝ y^(η-1) is singular."""
        eta = self.eta
        if not 0.0 < eta < 1.0:
            return np.ones(edges.size - 1)
        y = np.abs(edges - self.end)
        centre = 0.5 * (y[1:] + y[:-1])
        return (y[1:] ** eta - y[:-1] ** eta) / (eta * (y[1:] - y[:-1]) * centre ** (eta - 1.0))

    def outflow(self) -> float:
        """The outward flux (velocity) through an absorbing end for a unit density at y."""
        return max(self.scale * self.diffusion / self.y if self.alpha < 2.0 else -self.end_drift, 0.0)
