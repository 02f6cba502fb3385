"""The step through a partially absorbing wall half way between two sites."""

from __future__ import annotations

import numpy as np

from .bernoulli import bernoulli
from .bond import BondMean
from .coefficient import Coefficient, Floats
from .convention import Convention
from .domain import PartiallyAbsorbing
from .remedy import rounded_down
from .rule import Rule
from .step_mean import step_mean
from .walk import LatticeWalk


def step_out(walk: LatticeWalk, side: str, x: float, t: Floats) -> Floats:
    """:func:`absorption`, refused where it is no probability or leaves none for the step inward."""
    with np.errstate(all="ignore"):  # what is not finite is refused
        out = absorption(walk, side, x, t)
    inward = (walk.right if side == "left" else walk.left)(x, t)
    wrong = ~((out >= 0.0) & (out <= 1.0 - inward))
    if wrong.any():
        at = np.unravel_index(int(np.argmax(wrong)), wrong.shape)
        raise ValueError(
            f"reactivity = {_wall(walk, side)[0]:g} at the {side} wall asks for an absorption probability of {out[at]:.4g} a "
            f"step at t = {np.broadcast_to(t, wrong.shape)[at]:.6g}, where at most {1.0 - inward[at]:.4g} is left: "
            + _remedy(walk, side, np.broadcast_to(t, wrong.shape)[at], float(out[at]), float(inward[at]))
        )
    return out


def _remedy(walk: LatticeWalk, side: str, t: float, out: float, inward: float) -> str:
    if walk.rule is None:
        return "take right + left ≤ ½ beside it"
    if out >= 0.0:
        return f"take dt ≤ {rounded_down(walk.dt / (out + inward))}"
    k, place, sign = _wall(walk, side)
    if not float(walk.diffusion(place, t)) > 0.0:
        return f"the diffusion at the wall is {float(walk.diffusion(place, t)):g} and must be positive"
    dx = float(walk.diffusion(place, t)) / abs(k + sign * float(walk.declared_drift(place, t)))
    return f"the drift leads out too fast for dx = {walk.dx:g}; take dx ≤ {rounded_down(dx)} or rule=Rule.FITTED"


def _wall(walk: LatticeWalk, side: str) -> tuple[float, float, float]:
    """(reactivity, place, the direction inward) of the partially absorbing wall on a side."""
    domain = walk.domain
    wall, place, inward = (domain.left, domain.low, 1.0) if side == "left" else (domain.right, domain.high, -1.0)
    assert isinstance(wall, PartiallyAbsorbing)
    return wall.reactivity, place, inward


def absorption(walk: LatticeWalk, side: str, x: float, t: Floats) -> Floats:
    """The probability of a step out of site `x` through the partially absorbing wall on this `side`, at times `t`.

    The flux out is K ρ_w, ρ_w the density at the wall. With u = D^λ ρ (:class:`randwalk.Convention`), a counted inward and
    F the harmonic mean of D^(1-λ) between site and wall, the half step to the wall has u - u_w = (K + a) ρ_w dx/2F, so that

        out = K (dt/dx) / ((D_w/D)^λ + (K + a) dx/(2 D^λ F)),

    to first order in dx K dt/dx / (1 + (K + v) dx/2D) with v = a - λ D_x; the walk is then of second order. The rules that
    fit an exponential take the steady flux of the half step, c (β(w/2) u - β(-w/2) u_w) with c = 2F/dx.
    """
    k, place, inward = _wall(walk, side)
    dx, power = walk.dx, walk.convention.exponent
    drift, diffusion = _seen(walk)
    a, d = inward * drift(x, t), diffusion(x, t)
    ratio, conductance = (_at_wall(walk, x, place, t) / d) ** power, 2.0 * d / dx
    if walk.convention is not Convention.ITO:
        half = BondMean(diffusion ** (power - 1.0), place - x, walk.domain)
        conductance = 2.0 * d**power / (dx * half(x, t))
    if walk.rule in (Rule.FITTED, Rule.CAPPED):
        outward, back = bernoulli(0.5 * dx * a / d)
        return (walk.dt / dx) * k * conductance * outward / (k + ratio * conductance * back)
    return k * walk.dt / dx / (ratio + (k + a) / conductance)


def _seen(walk: LatticeWalk) -> tuple[Coefficient, Coefficient]:
    """(drift, diffusion) as a step sees them."""
    if walk.rule is None:
        return walk.declared_drift, walk.diffusion
    return step_mean(walk.declared_drift, walk.dt), step_mean(walk.diffusion, walk.dt)


def _at_wall(walk: LatticeWalk, x: float, place: float, t: Floats) -> Floats:
    """D at the wall; of declared probabilities, which are known at sites, by the line through two."""
    if walk.rule is not None:
        return _seen(walk)[1](place, t)
    lattice = walk.lattice
    if lattice.first == lattice.last:
        return walk.diffusion(x, t)
    here, next_to = walk.diffusion(x, t), walk.diffusion(x + np.copysign(walk.dx, x - place), t)
    return np.maximum(here + 0.5 * (here - next_to), 0.0)
