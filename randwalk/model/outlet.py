"""The step through a partially absorbing wall half way between two sites."""

from __future__ import annotations

import numpy as np

from .bernoulli import bernoulli
from .bond import BondMean
from .coefficient import Coefficient, Floats
from .convention import Convention
from .domain import Face
from .remedy import rounded_down
from .rule import Rule
from .step_mean import step_mean
from .walk import LatticeWalk


def step_out(walk: LatticeWalk, face: Face, x: float, t: Floats) -> Floats:
    """:func:`absorption`, refused where it is no probability or leaves none for the step inward."""
    with np.errstate(all="ignore"):  # the comparison below refuses what is not finite
        out = absorption(walk, face, x, t)
    inward = (walk.right if face.inward > 0.0 else walk.left)(x, t)
    wrong = ~((out >= 0.0) & (out <= 1.0 - inward))
    if wrong.any():
        at = np.unravel_index(int(np.argmax(wrong)), wrong.shape)
        raise ValueError(
            f"reactivity = {face.wall.reactivity:g} at the {face.exit} wall asks for an absorption probability of "
            f"{out[at]:.4g} a step at t = {np.broadcast_to(t, wrong.shape)[at]:.6g}, where at most {1.0 - inward[at]:.4g} is "
            "left: " + _remedy(walk, face, np.broadcast_to(t, wrong.shape)[at], float(out[at]), float(inward[at]))
        )
    return out


def _remedy(walk: LatticeWalk, face: Face, t: float, out: float, inward: float) -> str:
    if walk.rule is None:
        return "take right + left ≤ ½ beside it"
    if out >= 0.0:
        return f"take dt ≤ {rounded_down(walk.dt / (out + inward))}"
    diffusion = float(walk.diffusion(face.place, t))
    if not diffusion > 0.0:
        return f"the diffusion at the wall is {diffusion:g} and must be positive"
    dx = diffusion / abs(face.wall.reactivity + face.inward * float(walk.declared_drift(face.place, t)))
    return f"the drift leads out too fast for dx = {walk.dx:g}; take dx ≤ {rounded_down(dx)} or rule=Rule.FITTED"


def absorption(walk: LatticeWalk, face: Face, x: float, t: Floats) -> Floats:
    """The probability of a step out of site `x` through the partially absorbing wall of `face`, at times `t`.

    The flux out is K ρ_w, ρ_w the density at the wall. With u = D^λ ρ (:class:`randwalk.Convention`), a counted inward and
    F the harmonic mean of D^(1-λ) between site and wall, the half step to the wall has u - u_w = (K + a) ρ_w dx/2F, so that

        out = K (dt/dx) / ((D_w/D)^λ + (K + a) dx/(2 D^λ F)),

    to first order in dx K dt/dx / (1 + (K + v) dx/2D) with v = a - λ D_x; the walk is then of second order. The rules that
    fit an exponential take the steady flux of the half step, c (β(w/2) u - β(-w/2) u_w) with c = 2F/dx.
    """
    k, place, inward = face.wall.reactivity, face.place, face.inward
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
    """The (drift, diffusion) of a step."""
    if walk.rule is None:
        return walk.declared_drift, walk.diffusion
    return step_mean(walk.declared_drift, walk.dt), step_mean(walk.diffusion, walk.dt)


def _at_wall(walk: LatticeWalk, x: float, place: float, t: Floats) -> Floats:
    """D at the wall; for declared probabilities, which are known at sites alone, by the line through two sites."""
    if walk.rule is not None:
        return _seen(walk)[1](place, t)
    lattice = walk.lattice
    if lattice.first == lattice.last:
        return walk.diffusion(x, t)
    here, next_to = walk.diffusion(x, t), walk.diffusion(x + np.copysign(walk.dx, x - place), t)
    return np.maximum(here + 0.5 * (here - next_to), 0.0)
