"""Derivatives of opaque functions by central differences, at whatever scale the function varies."""

from __future__ import annotations

import contextlib
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .base import Coefficient
from .variables import TIME, At, Floats, Point, coordinate, index_of
from .width import narrowest

# Differences on five points [Fornberg 1988, tables 1 and 3]: offsets, and 12 × the weights of both derivatives
CENTRAL = (np.arange(-2.0, 3.0), np.array([1.0, -8.0, 0.0, 8.0, -1.0]), np.array([-1.0, 16.0, -30.0, 16.0, -1.0]))
FORWARD = (np.arange(5.0), np.array([-25.0, 48.0, -36.0, 16.0, -3.0]), np.array([35.0, -104.0, 114.0, -56.0, 11.0]))
BACKWARD = (-FORWARD[0], -FORWARD[1], FORWARD[2])
PART = {1: 1e-3, 2: 5e-3}  # the step as a part of a declared scale: truncation and rounding are both near 1e-11
LEVELS = np.arange(-40, 21)  # steps 4**k, from 1e-24 to 1e12
PILOTS = 33  # points whose steps are searched everywhere; others search about the steps of these
CHECKED = (3, 7)  # levels below the chosen one at which many points are checked for a kink close by
WORSE = 30.0  # an error this many times the smallest ends the search for a step
ROUGH = 0.01  # an error above this part of range/step says that there is no derivative
FLAT = 1e-8  # unless the range is this part of the values: there is nothing to differentiate
EPS = np.finfo(np.float64).eps


Stencil = tuple[np.ndarray, np.ndarray, np.ndarray]


class NoDerivative(ValueError):
    """A coefficient has no derivative at a place, or none that differences find."""


class Places(NamedTuple):
    """Coordinates and times, arrays of one length, and the number of the array that a derivative moves."""

    arrays: tuple[Floats, ...]  # the coordinates, then the time
    moved: int

    @property
    def z(self) -> Floats:
        """The variable of the derivative."""
        return self.arrays[self.moved]

    def at(self, chosen: NDArray[np.int64]) -> Places:
        return Places(tuple(a[chosen] for a in self.arrays), self.moved)

    def with_z(self, z: Floats) -> tuple[Floats, ...]:
        """The arrays, with other values of the variable."""
        return (*self.arrays[: self.moved], z, *self.arrays[self.moved :][1:])


class Difference(Coefficient):
    """The first or second derivative of an opaque coefficient with respect to one variable.

    With a declared scale the step is a fixed part of the scale. Without one, longer and longer steps 4**k are tried until the
    error grows; the error is the change from the step before, and rounding. The first minimum of the error counts, because a
    bounded function has small differences again at steps that are far too long.
    """

    def __init__(self, of: Coefficient, variable: str, order: int = 1) -> None:
        self.of, self.variable, self.order = of, variable, order
        self.variables = of.variables

    def evaluate(self, point: Point, t: Floats) -> Floats:
        shape = np.broadcast_shapes(*(v.shape for v in point), t.shape)
        index = index_of(self.variable)
        places = Places(
            tuple(np.broadcast_to(v, shape).ravel() for v in (*point, t)), index if index >= 0 else len(point)
        )
        scale = self.of._declared_scale(self.variable)
        result, doubtful = self._searched(places) if scale is None else self._stepped(places, scale)
        for side in (FORWARD, BACKWARD):  # at an end of the places that have values
            ends = np.flatnonzero(np.isnan(result))
            if ends.size:
                result[ends], _, doubtful[ends] = self._search(places.at(ends), LEVELS, side)
        if np.isnan(result).any():
            doubtful |= np.isnan(result) & np.isfinite(self._values(places.arrays))
        self._refuse(doubtful, places)
        return result.reshape(shape)

    def _stepped(self, places: Places, scale: float) -> tuple[Floats, np.ndarray]:
        """Differences over a part of the scale; doubtful where a shorter step gives another value."""
        h = self._declared_step(places.z, scale)
        result, largest, spread = self._differences(places, h, CENTRAL)
        change = np.abs(result - self._differences(places, 0.25 * h, CENTRAL)[0])
        return result, (change > ROUGH * spread / h**self.order) & (spread > FLAT * largest)

    def _searched(self, places: Places) -> tuple[Floats, np.ndarray]:
        """Differences over a searched step; about the steps of some of the points first if there are many."""
        many = places.z.size
        if many <= 2 * PILOTS:
            result, _, doubtful = self._search(places, LEVELS, CENTRAL)
            return result, doubtful
        pilots = np.linspace(0, many - 1, PILOTS).astype(np.int64)
        chosen = self._search(places.at(pilots), LEVELS, CENTRAL)[1]
        levels = np.arange(max(chosen.min() - 2, LEVELS[0]), min(chosen.max() + 3, LEVELS[-1]) + 1)
        result, chosen, doubtful = self._search(places, levels, CENTRAL)
        again = doubtful | np.isnan(result) | (chosen <= levels[1])
        size = np.abs(places.z)
        for shorter in CHECKED:  # a kink nearer than the shortest of these steps
            h = 4.0 ** (chosen - shorter)
            found, largest, _ = self._differences(places, h, CENTRAL)
            rounding = EPS * (largest / h**self.order + size * np.abs(found) / h)
            again |= np.abs(found - result) > WORSE * rounding
        at = np.flatnonzero(again)
        if at.size:
            result[at], _, doubtful[at] = self._search(places.at(at), LEVELS, CENTRAL)
        return result, doubtful

    def _refuse(self, doubtful: np.ndarray, places: Places) -> None:
        if not doubtful.any():
            return
        at, v = int(np.argmax(doubtful)), self.variable
        names = [*(coordinate(i) for i in range(len(places.arrays) - 1)), TIME]
        where = ", ".join(f"{name} = {values[at]:g}" for name, values in zip(names, places.arrays, strict=True))
        known = self.of._declared_scale(v) is not None
        scale = "" if known else f", or the length over which it varies smoothly, {v}_scale=..."
        raise NoDerivative(
            f"the derivative of {self.of} with respect to {v} cannot be found at {where}: {self.of._why_opaque()}"
            "differences over shorter steps do not agree. Where it jumps it has none: write the jump as "
            f"0.5*(1 + tanh(.../w)) of a width w. Elsewhere give its derivative, Function(..., {v}_derivative=...){scale}"
        )

    def _declared_step(self, z: Floats, scale: float) -> Floats:
        """A part of the scale, shortened next to a break so that no difference reaches over it."""
        h = np.full(z.shape, PART[self.order] * scale)
        for place in self.of._places(self.variable):
            room = np.abs(z - place) / 2.5
            h = np.where(room > 1e-3 * h, np.minimum(h, room), h)
        return h

    def _values(self, arrays: tuple[Floats, ...]) -> Floats:
        """The values, NaN where the function refuses."""
        try:
            return self.of(arrays[:-1], arrays[-1])
        except (ValueError, ArithmeticError):
            everywhere = np.broadcast_arrays(*arrays)
            values = np.full(everywhere[0].shape, np.nan)
            for at in np.ndindex(values.shape):
                with contextlib.suppress(ValueError, ArithmeticError):
                    values[at] = self.of(tuple(v[at] for v in everywhere[:-1]), everywhere[-1][at])
            return values

    def _differences(self, places: Places, h: Floats, stencil: Stencil) -> tuple[Floats, Floats, Floats]:
        """Difference quotients, the largest |f| and the range of f on their points."""
        z = places.z
        h = (z + h) - z  # a step that the places can make exactly
        values = self._values(places.with_z(z + h * stencil[0][:, None]))
        with np.errstate(all="ignore"):
            quotient = (stencil[self.order] @ values) / (12.0 * h**self.order)
            return quotient, np.abs(values).max(axis=0), np.ptp(values, axis=0)

    def _search(self, places: Places, levels: np.ndarray, stencil: Stencil) -> tuple[Floats, np.ndarray, np.ndarray]:
        """(derivative, chosen level, whether no step can be trusted) at every point."""
        z = places.z
        size = z.size
        best, error, level = np.full(size, np.nan), np.full(size, np.inf), np.full(size, levels[0])
        doubtful, done = np.zeros(size, dtype=bool), np.zeros(size, dtype=bool)
        before = [np.full(size, np.nan), np.full(size, np.nan)]
        for k in levels:
            open_ = np.flatnonzero(~done & (4.0**k > 512.0 * EPS * np.abs(z)))
            if open_.size:
                h = np.full(open_.size, 4.0**k)
                found, largest, spread = self._differences(places.at(open_), h, stencil)
                last, older = before[0][open_], before[1][open_]
                with np.errstate(all="ignore"):
                    rounding = EPS * (4.0 * largest + np.abs(z[open_] * found) * h ** (self.order - 1)) / h**self.order
                    now = np.abs(found - last) + 0.125 * np.abs(last - older) + rounding
                    vague = (now > ROUGH * spread / h**self.order) & (spread > FLAT * largest)
                bad = ~np.isfinite(found)
                better = now < error[open_]
                done[open_] |= bad | (now > WORSE * error[open_])
                here = open_[better]
                best[here], error[here], level[here] = found[better], now[better], k
                doubtful[here] = vague[better]
                before[1][open_], before[0][open_] = last, found
            if done.all():
                break
        return best, level, doubtful

    def regular_derivative(self, variable: str) -> Coefficient:
        if variable == self.variable and self.order == 1:
            return Difference(self.of, variable, 2)
        return Difference(self, variable)

    def _shifted(self, variable: str, by: float) -> Coefficient:
        return Difference(self.of.shifted(variable, by), self.variable, self.order)

    def _places(self, variable: str) -> tuple[float, ...]:
        return self.of._places(variable)

    def _declared_scale(self, variable: str) -> float | None:
        return self.of._declared_scale(variable)

    def _why_opaque(self) -> str:
        return self.of._why_opaque()

    def _covered(self, variable: str) -> tuple[float, float]:
        return self.of._covered(variable)

    def _known_width(self, variable: str, low: float, high: float, at: At) -> float | None:
        return narrowest(self.of, variable, low, high, at)

    def latex(self) -> str:
        power = "" if self.order == 1 else f"^{self.order}"
        return rf"\partial_{self.variable}{power} {self.of.latex()}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Difference) and (self.of, self.variable, self.order) == (
            other.of,
            other.variable,
            other.order,
        )

    def __hash__(self) -> int:
        return hash((self.of, self.variable, self.order))

    def __str__(self) -> str:
        power = "" if self.order == 1 else str(self.order)
        return f"d{power}{self.of}/d{self.variable}{power}"
