"""The average of a function over the walkers of a continuous walk, as a record."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from ..laws.estimate import Estimate
from ..laws.sums import SampleSums
from ..model.coefficient import Coefficient, CoefficientLike, Floats, Function, in_dimension, read_coefficient
from ..model.ito import ItoWalk
from ..model.walk import LatticeWalk
from .record import Counted
from .recorded import over_rows


@dataclass(frozen=True, init=False)
class Average(Counted):
    """E[f(X_t); alive] at each recorded time, by exact sums; walkers that have left count as 0. Of Itô walks; `f` is a formula or
    a function of the coordinates and t.

    >>> import randwalk as rw
    >>> walk = rw.ItoWalk(drift=0.0, diffusion=0.5, dt=0.1)
    >>> cosine = rw.Average(rw.expression("cos(x)"))
    >>> run = rw.simulate(walk, 10_000, [1.0], seed=1, record=[cosine])
    >>> abs(run[cosine].mean(1.0).z(0.6065306597)) < 3  # exp(-t/2)
    np.True_
    """

    f: Coefficient

    def __init__(self, f: CoefficientLike) -> None:
        made = read_coefficient("Average: f", f)
        object.__setattr__(self, "f", made.tree or made if isinstance(made, Function) else made)

    def check(self, walk: LatticeWalk) -> None:
        raise ValueError(f"record = {self}: is of Itô walks; an ensemble of a lattice walk answers expect(f, t)")

    def values(self, walk: ItoWalk, x: Floats, t: float, inside: np.ndarray) -> Floats:
        """f at the walkers' places, 0 for those that have left."""
        f = in_dimension("f", self.f, walk.dimension)
        found = np.zeros(inside.size)
        found[inside] = f(tuple(x[:, inside]), t)
        return found

    def __repr__(self) -> str:
        return f"Average({self.f})"


@dataclass(frozen=True, eq=False)
class Averages:
    """The result of :class:`Average`: exact sums over all walkers, `sums` at each of the `times`."""

    name: str
    times: Floats
    sums: tuple[SampleSums, ...]

    def mean(self, t: ArrayLike) -> Estimate:
        """The average at the recorded times `t`, in their shape."""
        mean: Estimate = over_rows(t, self.times, self._mean)
        return mean

    def _mean(self, row: int) -> Estimate:
        at = self.sums[row]
        return Estimate(np.asarray(at.means[0]), np.asarray(at.errors[0]))

    @property
    def walkers(self) -> int:
        return self.sums[0].count

    def __add__(self, other: Averages) -> Averages:
        return replace(self, sums=tuple(a + b for a, b in zip(self.sums, other.sums, strict=True)))

    def __repr__(self) -> str:
        return f"Averages({self.name!r}, {self.times.size} times, {self.walkers:,} walkers)"
