"""The step through a partially absorbing wall half way between two sites."""

from __future__ import annotations

import numpy as np

from .bernoulli import bernoulli
from .bond import BondMean
from .coefficient import Floats
from .convention import Convention
from .domain import PartiallyAbsorbing
from .rule import Rule
from .walk import LatticeWalk


def absorption(walk: LatticeWalk, side: str, x: float, t: Floats) -> Floats:
    """The probability of a step out of site `x` through the partially absorbing wall on this `side`, at times `t`.

    The flux out is K ρ_w, ρ_w the density at the wall. With u = D^λ ρ (:class:`randwalk.Convention`), a counted inward and
    F the harmonic mean of D^(1-λ) between site and wall, the half step to the wall has u - u_w = (K + a) ρ_w dx/2F, so that

        out = K (dt/dx) / ((D_w/D)^λ + (K + a) dx/(2 D^λ F)),

    to first order in dx K dt/dx / (1 + (K + v) dx/2D) with v = a - λ D_x; the walk is then of second order. The rules that
    fit an exponential take the steady flux of the half step, c (β(w/2) u - β(-w/2) u_w) with c = 2F/dx.
    """
    wall, place, inward = (
        (walk.domain.left, walk.domain.low, 1.0) if side == "left" else (walk.domain.right, walk.domain.high, -1.0)
    )
    assert isinstance(wall, PartiallyAbsorbing)
    k, dx, power = wall.reactivity, walk.dx, walk.convention.exponent
    a, d = inward * walk.declared_drift(x, t), walk.diffusion(x, t)
    ratio, conductance = (_at_wall(walk, x, place, t) / d) ** power, 2.0 * d / dx
    if walk.convention is not Convention.ITO:
        half = BondMean(walk.diffusion ** (power - 1.0), place - x, walk.domain)
        conductance = 2.0 * d**power / (dx * half(x, t))
    if walk.rule in (Rule.FITTED, Rule.CAPPED):
        outward, back = bernoulli(0.5 * dx * a / d)
        return (walk.dt / dx) * k * conductance * outward / (k + ratio * conductance * back)
    return k * walk.dt / dx / (ratio + (k + a) / conductance)


def _at_wall(walk: LatticeWalk, x: float, place: float, t: Floats) -> Floats:
    """D at the wall; of declared probabilities, which are known at sites, by the line through two."""
    if walk.rule is not None:
        return walk.diffusion(place, t)
    lattice = walk.lattice
    if lattice.first == lattice.last:
        return walk.diffusion(x, t)
    here, next_to = walk.diffusion(x, t), walk.diffusion(x + np.copysign(walk.dx, x - place), t)
    return np.maximum(here + 0.5 * (here - next_to), 0.0)
