"""The stationary law of a walk: the distribution that a step leaves as it is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from randwalk.inputs.arguments import finite_numbers
from randwalk.inputs.keywords import once_positional
from randwalk.kernels.program import BITS
from randwalk.laws.atoms import Atoms, Support
from randwalk.laws.law import Law
from randwalk.model.coefficient import Floats
from randwalk.model.domain import Domain
from randwalk.model.walk import LatticeWalk
from randwalk.tables.table import StepTable

from .balance import closed_classes, stationary
from .equation import check_walk

FARTHEST = 2**31  # lattice numbers are whole numbers of 32 bits


@dataclass(frozen=True, eq=False, repr=False)
class StationaryLaw(Law[Any]):
    """The law that a step leaves as it is: `pmf` over `sites`, summing to 1. Made by :func:`stationary_law`.

    It is the same at every time, so `t` may be left out; no walker has left.
    """

    kind: ClassVar[str] = "exact law"

    walk: LatticeWalk
    sites: Floats
    pmf: Floats

    @property
    def domain(self) -> Domain:
        return self.walk.domain

    @property
    def times(self) -> None:
        return None

    def _at(self, t: float) -> Atoms:
        return Atoms(Support((self.sites,), (self.walk.dx,), self.walk.domain.axes), self.pmf)

    def density(self) -> tuple[Floats, Floats]:
        """(places, probability over dx)."""
        return self._at(0.0).density()

    def _survival(self, t: ArrayLike) -> Floats:
        return np.ones(finite_numbers("t", t).shape)

    def _absorbed(self, exit: str, t: ArrayLike) -> Floats:
        return np.zeros(finite_numbers("t", t).shape)

    def _asked(self, t: ArrayLike | None) -> ArrayLike:
        return 0.0 if t is None else t

    def _recorded(self, question: str) -> Floats:
        return np.zeros(1)

    def _label(self, t: float) -> str:
        return "stationary law"

    def __repr__(self) -> str:
        return f"StationaryLaw({self.pmf.size} sites, mean {self.mean():.6g}, variance {self.variance():.6g})"


@once_positional("window")
def stationary_law(walk: LatticeWalk, *, window: tuple[float, float] | None = None) -> StationaryLaw:
    """The stationary law of a walk on a ring, or between reflecting walls; `window` (low, high) bounds an unbounded side.

    π = πP is solved without a subtraction, so that every probability keeps its digits down to 1e-308, in a time and a memory
    proportional to the number of sites (Grassmann, Taksar and Heyman, Operations Research 33, 1107, 1985). Between walls this
    is detailed balance, π(k+1)/π(k) = p(k)/q(k+1); on a ring one current runs through every bond (Schnakenberg, Rev. Mod.
    Phys. 48, 571, 1976). Sites that walkers leave for ever have probability 0.

    Raises
    ------
    TypeError, ValueError
        if `walk` is no walk, walkers are lost, coefficients depend on time, walkers stay in more than one part of the domain,
        or an unbounded side has no window or holds mass at its edge.

    Examples
    --------
    >>> import randwalk as rw
    >>> spring = rw.LatticeWalk.from_drift(rw.Affine(slope=-1.0), diffusion=0.5, dx=0.1, rule=rw.Rule.LINEAR)
    >>> round(stationary_law(spring, window=(-6.0, 6.0)).variance(), 9)
    0.5
    """
    check_walk(walk)
    if walk.time_dependent:
        raise ValueError("a walk whose probabilities depend on time has no stationary law")
    lattice = walk.lattice
    bounds = []
    for side, end, given in (("left", lattice.first, 0), ("right", lattice.last, 1)):
        bounds.append(_window_end(walk, window, side, given) if end is None else end)
    if bounds[0] > bounds[1]:
        raise ValueError(f"window = {window!r} lies outside {walk.domain}: give (low, high) with its mass between them")
    table = StepTable(walk, ((bounds[0], bounds[1] - bounds[0] + 1),))
    p, q, _, killed = table.probabilities()
    left_edge, right_edge, _ = table.layout.edges
    out = (not left_edge and q[0] > 0) or (not right_edge and p[-1] > 0)
    if (out and not lattice.periodic) or killed.any():
        raise ValueError(f"walkers are lost ({walk.domain}, killing {walk.killing}), so no law is stationary")
    if not lattice.periodic:
        q[0] = p[-1] = 0.0  # nobody steps over a wall, nor over the end of a window
    pmf = _kept(p, q, table)
    for edge, mass, name in ((left_edge, pmf[0], "low"), (right_edge, pmf[-1], "high")):
        if edge and mass > 1e-15 * pmf.max():
            raise ValueError(f"the {name} end of the window holds a mass of {mass:.2g}: widen it")
    return StationaryLaw(walk, table.x, pmf)


def _window_end(walk: LatticeWalk, window: tuple[float, float] | None, side: str, given: int) -> int:
    """The number of the site at the `side` end of `window`."""
    if window is None:
        raise ValueError(f"{walk.domain} is unbounded on the {side}: give window=(low, high), outside which no mass is")
    try:
        low, high = (float(end) for end in window)
    except (TypeError, ValueError):
        raise TypeError(f"window = {window!r}: give two numbers, (low, high), outside which no mass is") from None
    if not -math.inf < low < high < math.inf:
        raise ValueError(f"window = {window!r}: low must be less than high, and both finite")
    number = ((low, high)[given] - walk.lattice.origin) / walk.dx
    if not abs(number) < FARTHEST:
        raise ValueError(f"window = {window!r} reaches beyond {FARTHEST:.2g} sites of dx = {walk.dx:g}: narrow it")
    return round(number)


def _kept(p: Floats, q: Floats, table: StepTable) -> Floats:
    """The probabilities that π = πP keeps on a ring, where walkers leave some sites for ever too."""
    classes = closed_classes(p, q)
    if len(classes) > 1:
        x, quantum = table.x, 2.0**-BITS
        places = " and ".join(f"around x = {x[sites[sites.size // 2]]:.6g}" for sites in classes[:2])
        raise ValueError(
            f"walkers stay for ever in {len(classes)} separate parts of {table.walk.domain} ({places}), because step "
            f"probabilities between them are 0 (whole numbers of {quantum:.2g}): each has a stationary law of its own; "
            f"give the walk of one part on an interval with reflecting walls"
        )
    (sites,) = classes
    if sites.size == p.size:
        return stationary(p, q)
    begin = sites[np.flatnonzero(np.diff(sites, append=sites[0] + p.size) > 1)[0] - sites.size + 1]
    arc = (begin + np.arange(sites.size)) % p.size
    right, left = p[arc], q[arc]
    right[-1] = left[0] = 0.0  # closed: nobody leaves the arc
    pmf = np.zeros(p.size)
    pmf[arc] = stationary(right, left)
    return pmf
