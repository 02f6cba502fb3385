"""The time step that :meth:`LatticeWalk.from_drift` chooses."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from .coefficient import Coefficient, Floats, Point, coordinate
from .discretise import Declared as Declared
from .discretise import longest_step
from .domain import Domain
from .lattice import Lattice
from .neighbourhood import Moore
from .places import along_each, pieces, varying_axes
from .ratio import proportional_spacings
from .rule import Rule
from .tensor import Tensor
from .times import dividing_step

OF_A_CHANGE = 0.5  # the longest step, as a part of the time in which a coefficient changes
MOMENTS = 257  # times at which coefficients that depend on time are looked at


def chosen_step(
    declared: Declared,
    killing: Coefficient,
    lattices: Sequence[Lattice],
    domain: Domain,
    support: Sequence[tuple[float, float]],
    times: Sequence[float],
) -> float:
    """The time step of s = 2D dt/dx² = ⅓ at the largest D, shorter where a coefficient changes fast, and so that the `times`
    are whole numbers of steps. `support` are the ends of the start along each axis."""
    matrix = declared.tensor.matrix
    if matrix is not None and not matrix.any():
        raise ValueError("diffusion = 0: must be a positive number")
    spacings = [lattice.dx for lattice in lattices]
    samples = _samples(declared, lattices, domain, support, times)
    dt = min(longest_step(declared, spacings, domain.axes, point, t) for point, t in samples)
    if declared.rule is Rule.TWO_WAY:
        return dt
    change = quickest((*declared.coefficients, killing), domain, support, max(times, default=0.0))
    return dividing_step(min(dt, OF_A_CHANGE * change), times)


def check_two_way(declared: Declared, spacings: Sequence[float], domain: Domain, dt: float | None) -> None:
    """Refuse a D that varies, and another dt than that of which no walker stays, for :attr:`Rule.TWO_WAY`."""
    if declared.rule is not Rule.TWO_WAY:
        return
    matrix = declared.tensor.matrix
    if matrix is None:
        raise ValueError(
            f"rule = two_way needs a constant diffusion, not {declared.diffusion}; take exact_variance or linear"
        )
    if (wrong := np.diag(matrix)[np.diag(matrix) <= 0.0]).size:
        raise ValueError(f"diffusion = {wrong[0]:g}: must be a positive number")
    each = np.array(spacings) ** 2 / (2.0 * np.diag(matrix))
    if declared.tensor.diagonal and isinstance(declared.neighbourhood, Moore) and np.ptp(each) > 1e-9 * each[0]:
        fit = proportional_spacings(np.sqrt(np.diag(matrix)), spacings, domain.axes)
        take = "" if fit is None else f"dx = ({', '.join(f'{dx:.12g}' for dx in fit)}), or "
        raise ValueError(
            f"rule = two_way steps along every axis with dt = dx²/2D, which is {each[0]:.12g} along x and "
            f"{each[np.argmax(np.abs(each - each[0]))]:.12g} along another axis: take {take}neighbourhood=VonNeumann()"
        )
    origin = (np.zeros(1),) * len(spacings)
    step = longest_step(declared, spacings, domain.axes, origin, np.zeros(1))
    if dt is not None and abs(dt - step) > 1e-9 * step:
        formula = "dx²/2D" if len(spacings) == 1 or isinstance(declared.neighbourhood, Moore) else "1/Σ(2D/dx²)"
        raise ValueError(f"dt = {dt:g}: rule = two_way steps with dt = {formula} = {step:.12g}; leave dt out")


def _samples(
    declared: Declared,
    lattices: Sequence[Lattice],
    domain: Domain,
    support: Sequence[tuple[float, float]],
    times: Sequence[float],
) -> Iterator[tuple[Point, Floats]]:
    """Places of a bounded domain (of the start on an unbounded domain) and times, which broadcast, in pieces of bounded size.
    A D that is negative, not finite or 0 everywhere is refused with the place."""
    coefficients, tensor = declared.coefficients, declared.tensor
    moving = [c for c in coefficients if c.depends_on_t] if times else []
    t = np.zeros(1)
    if moving:
        marks = np.unique([0.0, max(times), *(b for c in moving for b in c.breaks("t", 0.0, max(times)))])
        t = np.unique([*np.linspace(0.0, max(times), MOMENTS), *(0.5 * (marks[1:] + marks[:-1]))])
    moves = False
    varying = varying_axes(coefficients, len(lattices))
    masked = bool(varying and domain.regions)
    along = along_each(range(len(lattices)) if masked else varying, lattices, support)
    for point in pieces(along, t.size):
        if masked:
            inside = domain.contains(point)
            point = tuple(x[inside] for x in point)
        if not point[0].size:
            continue
        at = tuple(x[:, None] for x in point), t[None, :]
        _check_diffusion(tensor, *at)
        if any((tensor[i, i](*at) > 0.0).any() for i in range(tensor.dimension)):
            moves = True
            yield at
    if not moves:
        place = ", ".join(f"{coordinate(i)} = {places[0]:g}" for i, places in enumerate(along))
        raise ValueError(f"diffusion = 0 at {place}, t = {t[0]:g}: must be a positive number")


def _check_diffusion(tensor: Tensor, point: Point, t: Floats) -> None:
    """Refuse a D that is negative or not finite, or a tensor that has a negative eigenvalue."""
    if tensor.dimension > 1 and not tensor.diagonal:
        tensor.check(point, t)
        return
    for i in range(tensor.dimension):
        values = tensor[i, i](point, t)
        if not np.isfinite(values).all() or (values < 0.0).any():
            at = tuple(np.argwhere(~(np.isfinite(values) & (values >= 0.0)))[0])
            name = "diffusion" if tensor.dimension == 1 else f"diffusion[{i}][{i}]"
            places = [*(f"{coordinate(j)} = {x[at[0], 0]:g}" for j, x in enumerate(point)), f"t = {t[0, at[1]]:g}"]
            raise ValueError(f"{name} = {values[at]:g} at {', '.join(places)}: must be a positive number")


def quickest(
    coefficients: Sequence[Coefficient], domain: Domain, support: Sequence[tuple[float, float]], until: float
) -> float:
    """The shortest time in which one of the coefficients changes smoothly before `until`; inf where none does. `support` are
    the ends of the start along each axis."""
    ends = {
        coordinate(i): (axis.low if math.isfinite(axis.low) else low, axis.high if math.isfinite(axis.high) else high)
        for i, (axis, (low, high)) in enumerate(zip(domain.axes, support, strict=True))
    }
    moving = [c for c in coefficients if c.depends_on_t] if until > 0.0 else []
    return min((c.width("t", 0.0, until, ends) for c in moving), default=math.inf)
