"""The time step that :meth:`LatticeWalk.from_drift` chooses."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from .bond import bonds
from .coefficient import Coefficient, Floats, constant_value
from .convention import Convention
from .domain import Domain
from .lattice import Lattice
from .rule import Rule
from .start import Start
from .times import dividing_step

CHUNK = 1 << 20  # sites whose probabilities are checked together
OF_A_CHANGE = 0.5  # the longest step, as a part of the time in which a coefficient changes


def chosen_step(
    declared: Declared, killing: Coefficient, lattice: Lattice, domain: Domain, start: Start, times: Sequence[float]
) -> float:
    """The time step of s = 2D dt/dx² = ⅓ at the largest D, shorter where a coefficient changes fast, and so that the `times`
    are whole numbers of steps."""
    drift, diffusion, rule = declared.drift, declared.diffusion, declared.rule
    if constant_value(diffusion) == 0.0:
        raise ValueError("diffusion = 0: must be a positive number")
    both = bonds(drift, diffusion, declared.convention, lattice.dx, domain)
    dt = min(rule.longest_step(both, lattice.dx, x, t) for x, t in _samples(drift, diffusion, lattice, start, times))
    if rule is Rule.TWO_WAY:
        return dt
    change = quickest((drift, diffusion, killing), domain, start, max(times, default=0.0))
    return dividing_step(min(dt, OF_A_CHANGE * change), times)


def check_two_way(declared: Declared, dx: float, dt: float | None) -> None:
    """Refuse a D that varies, and another dt than dx²/2D, for :attr:`Rule.TWO_WAY`."""
    if declared.rule is not Rule.TWO_WAY:
        return
    d = constant_value(declared.diffusion)
    if d is None:
        raise ValueError(
            f"rule = two_way needs a constant diffusion, not {declared.diffusion}; take exact_variance or linear"
        )
    if d <= 0.0:
        raise ValueError(f"diffusion = {d:g}: must be a positive number")
    if dt is not None and abs(dt - dx**2 / (2.0 * d)) > 1e-9 * dx**2 / (2.0 * d):
        raise ValueError(f"dt = {dt:g}: rule = two_way steps with dt = dx²/2D = {dx**2 / (2.0 * d):.12g}; leave dt out")


def _samples(
    drift: Coefficient, diffusion: Coefficient, lattice: Lattice, start: Start, times: Sequence[float]
) -> Iterator[tuple[Floats, Floats]]:
    """Places of a bounded domain (of the start on an unbounded domain) and times, which broadcast, in pieces of bounded size.
    A D that is negative, not finite or 0 everywhere is refused with the place."""
    if not (drift.depends_on_x or diffusion.depends_on_x):
        x = np.array([start.support[0]])
    elif lattice.first is not None and lattice.last is not None:
        x = lattice.x(np.arange(lattice.first, lattice.last + 1))
    else:
        x = np.linspace(*start.support, 65)
    moving = [c for c in (drift, diffusion) if c.depends_on_t] if times else []
    t = np.zeros(1)
    if moving:
        marks = np.unique([0.0, max(times), *(b for c in moving for b in c.breaks("t", 0.0, max(times)))])
        t = np.unique([*np.linspace(0.0, max(times), 257), *(0.5 * (marks[1:] + marks[:-1]))])
    moves = False
    for begin in range(0, x.size, CHUNK // t.size):
        piece = x[begin : begin + CHUNK // t.size]
        values = diffusion(piece[:, None], t[None, :])
        if not np.isfinite(values).all() or (values < 0.0).any():
            i, j = np.argwhere(~(np.isfinite(values) & (values >= 0.0)))[0]
            raise ValueError(
                f"diffusion = {values[i, j]:g} at x = {piece[i]:g}, t = {t[j]:g}: must be a positive number"
            )
        if (values > 0.0).any():
            moves = True
            yield piece[:, None], t[None, :]
    if not moves:
        raise ValueError(f"diffusion = 0 at x = {x[0]:g}, t = {t[0]:g}: must be a positive number")


def quickest(coefficients: Sequence[Coefficient], domain: Domain, start: Start, until: float) -> float:
    """The shortest time in which one of the coefficients changes smoothly before `until`; inf where none does."""
    low, high = (e if math.isfinite(e) else s for e, s in zip((domain.low, domain.high), start.support, strict=True))
    moving = [c for c in coefficients if c.depends_on_t] if until > 0.0 else []
    return min((c.width("t", 0.0, until, (low, high)) for c in moving), default=math.inf)
