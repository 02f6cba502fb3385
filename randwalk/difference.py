"""Derivatives of opaque functions by central differences, at whatever scale the function varies."""

from __future__ import annotations

import numpy as np

from .coefficient import Coefficient, Floats

# Fourth-order central differences of first and second order on the offsets -2…2 [Fornberg 1988, table 1]
OFFSETS = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
WEIGHTS = {1: np.array([1.0, -8.0, 0.0, 8.0, -1.0]) / 12.0, 2: np.array([-1.0, 16.0, -30.0, 16.0, -1.0]) / 12.0}
PART = {1: 1e-3, 2: 5e-3}  # the step as a part of a declared scale: truncation and rounding are both near 1e-11
LEVELS = np.arange(-40, 21)  # steps 4**k, from 1e-24 to 1e12
PILOTS = 33  # points whose steps are searched everywhere; others search about the steps of these
WORSE = 30.0  # an error this many times the smallest ends the search for a step
ROUGH = 0.01  # an error above this part of range/step says that there is no derivative
FLAT = 1e-8  # unless the range is this part of the values: there is nothing to differentiate
EPS = np.finfo(np.float64).eps


class NoDerivative(ValueError):
    """A coefficient has no derivative there, or none that differences can find."""


class Difference(Coefficient):
    """The first or second derivative of an opaque coefficient with respect to one variable.

    With a declared `scale` the step is a fixed part of it. Without one, steps 4**k are tried upwards until the error
    grows: it is the change from the step before, and rounding. The first minimum counts, because a bounded function has
    small differences again at steps that are far too long.
    """

    def __init__(self, of: Coefficient, variable: str, order: int = 1) -> None:
        self.of, self.variable, self.order = of, variable, order

    @property
    def depends_on_x(self) -> bool:
        return self.of.depends_on_x

    @property
    def depends_on_t(self) -> bool:
        return self.of.depends_on_t

    def evaluate(self, x: Floats, t: Floats) -> Floats:
        shape = np.broadcast_shapes(x.shape, t.shape)
        x, t = (np.broadcast_to(v, shape).ravel() for v in (x, t))
        z = x if self.variable == "x" else t
        scale = self.of._declared_scale(self.variable)
        if scale is not None:
            h = self._declared_step(z, scale)
            result, largest, spread = self._differences(x, t, h)
            change = np.abs(result - self._differences(x, t, 0.25 * h)[0])
            self._refuse((change > ROUGH * spread / h**self.order) & (spread > FLAT * largest), x, t)
            return result.reshape(shape)
        levels, everywhere = LEVELS, np.arange(z.size)
        result = np.empty(z.size)
        if z.size > 2 * PILOTS:
            pilots = np.linspace(0, z.size - 1, PILOTS).astype(np.int64)
            chosen = self._search(x[pilots], t[pilots], LEVELS)[1]
            levels = np.arange(max(chosen.min() - 2, LEVELS[0]), min(chosen.max() + 3, LEVELS[-1]) + 1)
        result, chosen, doubtful = self._search(x, t, levels)
        if levels is not LEVELS:
            again = everywhere[doubtful | (chosen <= levels[1])]
            result[again], _, doubtful[again] = self._search(x[again], t[again], LEVELS)
        self._refuse(doubtful, x, t)
        return result.reshape(shape)

    def _refuse(self, doubtful: np.ndarray, x: Floats, t: Floats) -> None:
        if doubtful.any():
            at, v = int(np.argmax(doubtful)), self.variable
            scale = (
                f", or the length over which it varies smoothly, {v}_scale=..."
                if self._declared_scale(v) is None
                else ""
            )
            raise NoDerivative(
                f"the derivative of {self.of} with respect to {v} cannot be found at x = {x[at]:g}, t = {t[at]:g}: differences "
                f"over shorter steps do not agree. Where it jumps it has none: write the jump as 0.5*(1 + tanh(.../w)) of a "
                f"width w. Elsewhere give its derivative, Function(..., {v}_derivative=...){scale}"
            )

    def _declared_step(self, z: Floats, scale: float) -> Floats:
        """A part of the scale, shortened next to a break so that no difference reaches over it."""
        h = np.full(z.shape, PART[self.order] * scale)
        for place in self.of._places(self.variable):
            room = np.abs(z - place) / 2.5
            h = np.where(room > 1e-3 * h, np.minimum(h, room), h)
        return h

    def _differences(self, x: Floats, t: Floats, h: Floats) -> tuple[Floats, Floats, Floats]:
        """Difference quotients, the largest |f| and the range of f on their points."""
        z = x if self.variable == "x" else t
        points = z + h * OFFSETS[:, None]
        values = self.of(points, t) if self.variable == "x" else self.of(x, points)
        with np.errstate(all="ignore"):
            quotient = (WEIGHTS[self.order] @ values) / h**self.order
            return quotient, np.abs(values).max(axis=0), np.ptp(values, axis=0)

    def _search(self, x: Floats, t: Floats, levels: np.ndarray) -> tuple[Floats, np.ndarray, np.ndarray]:
        """(derivative, chosen level, whether no step can be trusted) at every point."""
        z = x if self.variable == "x" else t
        size = z.size
        best, error, level = np.full(size, np.nan), np.full(size, np.inf), np.full(size, levels[0])
        doubtful, done = np.zeros(size, dtype=bool), np.zeros(size, dtype=bool)
        before = [np.full(size, np.nan), np.full(size, np.nan)]
        for k in levels:
            open_ = np.flatnonzero(~done & (4.0**k > 512.0 * EPS * np.abs(z)))
            if open_.size:
                h = np.full(open_.size, 4.0**k)
                found, largest, spread = self._differences(x[open_], t[open_], h)
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
        finite = np.isfinite(self.of(x, t))
        return best, level, doubtful | (np.isnan(best) & finite)

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

    def _covered(self, variable: str) -> tuple[float, float]:
        return self.of._covered(variable)

    def _narrowest(self, variable: str, low: float, high: float, value: float) -> float:
        return self.of._narrowest(variable, low, high, value)

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
