"""The step through a partially absorbing wall half way between two sites."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .bernoulli import bernoulli
from .bond import BondMean
from .coefficient import ZERO, Coefficient, Floats, Point, coordinate
from .convention import Convention
from .domain import Face
from .remedy import ROUNDING, is_valid, rounded_down
from .rule import Rule
from .step_mean import step_mean
from .walk import LatticeWalk


def check_room(
    walk: LatticeWalk,
    face: Face,
    x: ArrayLike | tuple[ArrayLike, ...],
    t: Floats,
    out: Floats,
    kept: Floats,
    longest: float,
) -> None:
    """Refuse what leaves by the wall of `face` where it is no probability, or more than the other steps, `kept`, leave; with a
    `longest` dt as a remedy."""
    with np.errstate(invalid="ignore"):
        wrong = ~((out >= 0.0) & (out <= 1.0 - kept + ROUNDING))  # refuses what is not finite
    if wrong.any():
        at = np.unravel_index(int(np.argmax(wrong)), wrong.shape)
        point = x if isinstance(x, tuple) else (x,)
        place = tuple(float(np.broadcast_to(c, wrong.shape)[at]) for c in point)
        when = float(np.broadcast_to(t, wrong.shape)[at])
        where = "".join(f"{coordinate(i)} = {c:.6g}, " for i, c in enumerate(place)) if len(place) > 1 else ""
        raise ValueError(
            f"reactivity = {face.wall.reactivity:g} at the {face.exit} wall asks for an absorption probability of "
            f"{out[at]:.4g} a step at {where}t = {when:.6g}, where at most {1.0 - kept[at]:.4g} is left: "
            + _remedy(walk, _at(face, at, wrong.shape), place, when, float(out[at]), longest)
        )


def _at(face: Face, at: tuple[Any, ...], shape: tuple[int, ...]) -> Face:
    """The face at one of the places."""
    return face._replace(place=float(np.broadcast_to(face.place, shape)[at]))


def _remedy(walk: LatticeWalk, face: Face, place: tuple[float, ...], t: float, out: float, longest: float) -> str:
    if walk.rule is None:
        return "take right + left ≤ ½ beside it" if walk.dimension == 1 else "take smaller step probabilities beside it"
    if out >= 0.0:
        point, dt = tuple(np.full((1, 1), x) for x in place), rounded_down(longest)
        fits = is_valid(walk, walk.rule, walk.spacings, float(dt), point, np.array([t]))
        return f"take dt ≤ {dt}" if fits else f"take rule=Rule.FITTED with dt ≤ {dt}"
    drift, diffusion = _declared(walk, face.axis)
    wall = _moved(place, face.axis, face.place)
    size = float(diffusion(wall, t))
    if not size > 0.0:
        return f"the diffusion at the wall is {size:g} and must be positive"
    dx = size / abs(face.wall.reactivity + face.inward * float(drift(wall, t)))
    return (
        f"the drift leads out too fast for dx = {walk.spacings[face.axis]:g}; take dx ≤ {rounded_down(dx)} or "
        "rule=Rule.FITTED"
    )


@np.errstate(all="ignore")  # what is not finite is refused with its place, :func:`check_room`
def absorption(walk: LatticeWalk, face: Face, x: ArrayLike | tuple[ArrayLike, ...], t: Floats) -> Floats:
    """The probability of a step from the site at `x` through the partially absorbing wall of `face`, at times `t`.

    In several dimensions `x` is a tuple of the coordinates of sites beside the face, which broadcast with `t`; a face may have a
    place for each of them. All steps across the face have this probability together. a and D are the component of the drift
    and the entry of the diffusion along the axis of the face.

    The flux out is K ρ_w, ρ_w the density at the wall. With u = D^λ ρ (:class:`randwalk.Convention`), a counted inward and
    F the harmonic mean of D^(1-λ) between site and wall, the half step to the wall has u - u_w = (K + a) ρ_w dx/2F, so that

        out = K (dt/dx) / ((D_w/D)^λ + (K + a) dx/(2 D^λ F)),

    to first order in dx K dt/dx / (1 + (K + v) dx/2D) with v = a - λ D_x; the walk is then of second order. The rules that
    fit an exponential take the steady flux of the half step, c (β(w/2) u - β(-w/2) u_w) with c = 2F/dx. Where D is not diagonal,
    the last sites along the face stand for a longer or a shorter piece of it (:func:`_pieces`).
    """
    axis, inward = face.axis, face.inward
    dx, power = walk.spacings[axis], walk.convention.exponent
    point = tuple(np.asarray(c, dtype=np.float64) for c in (x if isinstance(x, tuple) else (x,)))
    drift, diffusion = _seen(walk, axis)
    k = face.wall.reactivity * _pieces(walk, face, point, t)
    a, d = inward * drift(point, t), diffusion(point, t)
    ratio, conductance = (_at_wall(walk, face, point, t) / d) ** power, 2.0 * d / dx
    if walk.convention is not Convention.ITO:
        span = float(np.ravel(face.place - point[axis])[0])
        half = BondMean(diffusion ** (power - 1.0), span, walk.domain.axes[axis], axis)
        conductance = 2.0 * d**power / (dx * half(point, t))
    if walk.rule in (Rule.FITTED, Rule.CAPPED):
        outward, back = bernoulli(0.5 * dx * a / d)
        return (walk.dt / dx) * k * conductance * outward / (k + ratio * conductance * back)
    return k * walk.dt / dx / (ratio + (k + a) / conductance)


def _pieces(walk: LatticeWalk, face: Face, point: Point, t: Floats) -> Floats | float:
    """The lengths of the pieces of a face for which sites stand, in dx: 1, but at the ends of the face. The conormal leads from a
    site to a place ½ D_nt/D_nn steps on along the face, so that the piece of the last site is shorter or longer by that."""
    lengths: Floats | float = 1.0
    if walk.declared is None or walk.declared.tensor.diagonal:
        return lengths
    tensor, n = walk.declared.tensor, face.axis
    for i, (lattice, axis) in enumerate(zip(walk.lattices, walk.domain.axes, strict=True)):
        if i == n or tensor[n, i] == ZERO:
            continue
        shift = -0.5 * face.inward * walk.spacings[n] / lattice.dx * tensor[n, i](point, t) / tensor[n, n](point, t)
        for wall, number, sign in ((axis.left, lattice.first, 1.0), (axis.right, lattice.last, -1.0)):
            if wall is not None and number is not None and not wall.on_site:
                last = np.abs(point[i] - lattice.x(number)) < 0.25 * lattice.dx
                lengths = lengths * (1.0 + sign * shift * last)
    return lengths


def _declared(walk: LatticeWalk, axis: int) -> tuple[Coefficient, Coefficient]:
    """The (drift, diffusion) along an axis."""
    if walk.dimension == 1:
        return walk.declared_drift, walk.diffusion
    return walk.declared_drift[axis], walk.diffusion[axis, axis]


def _seen(walk: LatticeWalk, axis: int) -> tuple[Coefficient, Coefficient]:
    """The (drift, diffusion) of a step along an axis."""
    drift, diffusion = _declared(walk, axis)
    if walk.rule is None:
        return drift, diffusion
    return step_mean(drift, walk.dt), step_mean(diffusion, walk.dt)


def _at_wall(walk: LatticeWalk, face: Face, point: Point, t: Floats) -> Floats:
    """D at the wall; for declared probabilities, which are known at sites alone, by the line through two sites."""
    diffusion = _seen(walk, face.axis)[1]
    if walk.rule is not None:
        return diffusion(_moved(point, face.axis, face.place), t)
    lattice, x = walk.lattices[face.axis], point[face.axis]
    if lattice.first == lattice.last:
        return diffusion(point, t)
    next_site = _moved(point, face.axis, x + np.copysign(lattice.dx, x - face.place))
    here, next_to = diffusion(point, t), diffusion(next_site, t)
    return np.maximum(here + 0.5 * (here - next_to), 0.0)


def _moved(point: tuple[ArrayLike, ...], axis: int, x: ArrayLike) -> tuple[ArrayLike, ...]:
    """The point at another place along an axis."""
    return *point[:axis], x, *point[axis + 1 :]
