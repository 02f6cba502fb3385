"""Planes across an axis at which the diffusion of a continuous walk jumps."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .coefficient import Coefficient, Constant, apply
from .coefficient.substitute import substituted
from .coefficient.variables import coordinate
from .convention import Convention

if TYPE_CHECKING:
    from .ito import ItoWalk

BESIDE = 1e-12  # so far beside the plane, relative to its place, the two sides are read


@dataclass(frozen=True)
class Interface:
    """A jump of D along an axis, at which D^λ ρ is continuous and so is the flux: λ = 1 of Itô's convention, ½ of Stratonovich's,
    0 of Fick's (there ρ is continuous).

    In the coordinate x/√(2D), on either side, the walk is skew Brownian motion, above the plane with the probability `share`, in
    proportion to D^(½ - λ) there (Lejay, *Probability Surveys* 3 (2006) 413).

    Attributes
    ----------
    axis : int
    place : float
    below, above : Coefficient
        The noise √(2D) on either side (length/√time), of the time.
    share : Coefficient
    """

    axis: int
    place: float
    below: Coefficient
    above: Coefficient
    share: Coefficient


def jumps_of(walk: ItoWalk) -> list[tuple[int, float]]:
    """(axis, place) of the planes at which D jumps along an axis with a noise of its own."""
    found = []
    for i, axis in enumerate(walk.domain.axes):
        x, d = coordinate(i), walk.diffusion[i, i]
        if walk.diagonal and d.depends_on(x) and not d.moving_breaks:
            found += [(i, place) for place in d.jumps(x, axis.low, axis.high) if axis.low < place < axis.high]
    return found


def interfaces(walk: ItoWalk) -> tuple[Interface, ...]:
    """The planes at which the noise of a walk jumps."""
    made = []
    for i, place in jumps_of(walk):
        d, beside = walk.diffusion[i, i], max(BESIDE * abs(place), 1e-300)
        below, above = (_beside(d, coordinate(i), place + sign * beside) for sign in (-1.0, 1.0))
        power = 0.5 - walk.convention.exponent
        share = above**power / (above**power + below**power)
        made.append(Interface(i, place, apply("sqrt", 2.0 * below), apply("sqrt", 2.0 * above), share))
    return tuple(made)


def slope_between(drift: Coefficient, diffusion: Coefficient, convention: Convention, axis: int) -> Coefficient:
    """The Itô drift between the jumps of D along an axis."""
    return drift + (1.0 - convention.exponent) * diffusion.regular_derivative(coordinate(axis))


def _beside(d: Coefficient, x: str, place: float) -> Coefficient:
    if d.variables == {x}:
        point = (0.0,) * (d.dimension - 1) + (place,)
        value = float(d(point))
        if not (value > 0.0 and math.isfinite(value)):
            raise ValueError(f"diffusion = {d} is {value:g} beside its jump at {x} = {place:g}: must be positive there")
        return Constant(value)
    return substituted(d, Constant(place), x)
