"""The stationary law of a walk, the distribution that a step leaves as it is, and that of an equation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias, overload

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph
from scipy.sparse.linalg import splu

from randwalk.inputs.keywords import once_positional
from randwalk.kernels.program import BITS
from randwalk.laws.atoms import Atoms, Support
from randwalk.laws.steady import SteadyLaw
from randwalk.model.coefficient import Floats
from randwalk.model.domain import Domain
from randwalk.model.lattice import Lattice
from randwalk.model.walk import LatticeWalk
from randwalk.model.wall import face_names
from randwalk.tables.table import StepTable

from .equation import FokkerPlanck, check_walk
from .hitting.balance import closed_classes, stationary
from .hitting.site_chain import SiteChain
from .solver.levels import last
from .solver.steady import StationarySolution, steady_law, windows_of

FARTHEST = 2**31  # lattice numbers are whole numbers of 32 bits
FAINT = 1e-12  # of the largest probability: no mass

Window: TypeAlias = tuple[float, float] | Sequence[tuple[float, float] | None] | None


@dataclass(frozen=True, eq=False, repr=False)
class StationaryLaw(SteadyLaw):
    """The law that a step leaves as it is: `pmf` over `sites`, summing to 1. Made by :func:`stationary_law`.

    It is the same at every time, so `t` may be left out; no walker has left.
    """

    kind: ClassVar[str] = "exact law"

    walk: LatticeWalk
    sites: Any  # places, (sites,); in several dimensions a tuple of those of each axis
    pmf: Floats

    @property
    def domain(self) -> Domain:
        return self.walk.domain

    def _at(self, t: float) -> Atoms:
        sites = (self.sites,) if self.walk.dimension == 1 else self.sites
        return Atoms(Support(sites, self.walk.spacings, self.walk.domain.axes), self.pmf)

    def density(self) -> tuple[Floats, Floats]:
        """(places, probability over dx)."""
        return self._at(0.0).density()

    def __repr__(self) -> str:
        if self.walk.dimension > 1:
            mean = ", ".join(f"{m:.6g}" for m in self.mean())
            return f"StationaryLaw({' × '.join(map(str, self.pmf.shape))} sites, mean ({mean}))"
        return f"StationaryLaw({self.pmf.size} sites, mean {self.mean():.6g}, variance {self.variance():.6g})"


@overload
def stationary_law(walk: LatticeWalk, *, window: Window = None, progress: bool = ...) -> StationaryLaw: ...


@overload
def stationary_law(
    walk: FokkerPlanck, *, window: Window = None, tolerance: float | None = None, progress: bool = ...
) -> StationarySolution: ...


@once_positional("window")
def stationary_law(
    walk: LatticeWalk | FokkerPlanck,
    *,
    window: Window = None,
    tolerance: float | None = None,
    progress: bool = False,
) -> StationaryLaw | StationarySolution:
    """The stationary law of a walk or an equation on rings, or between reflecting walls; `window` (low, high) bounds an unbounded
    side, in several dimensions a pair for each axis (None for one that is bounded).

    Of an equation it is found by finite differences, to a `tolerance` of P(X ≤ x, Y ≤ y, …), by default 1e-4: a
    :class:`StationarySolution`. Cells exchange mass at the rates of :func:`solve`, which keep exp(-U) exactly where the drift
    is -D∇U. With `progress` a bar shows its solutions on one mesh after another, once they have taken a second; Ctrl-C raises
    :class:`randwalk.Interrupted` with the best one in ``reached``. Of a walk it is exact:

    π = πP is solved without a subtraction, so that every probability keeps its digits down to 1e-308, in a time and a memory
    proportional to the number of sites (Grassmann, Taksar and Heyman, Operations Research 33, 1107, 1985). Between walls this
    is detailed balance, π(k+1)/π(k) = p(k)/q(k+1); on a ring one current runs through every bond (Schnakenberg, Rev. Mod.
    Phys. 48, 571, 1976). Sites that walkers leave for ever have probability 0. In several dimensions one sparse system is
    factorised: probabilities are right to about 1e-14 of the largest one.

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
    >>> turning = FokkerPlanck(lambda x, y: (-x - 3 * y, 3 * x - y), 0.5, domain=rw.Line() ** 2, start=(0.0, 0.0))
    >>> [round(float(v), 3) for v in stationary_law(turning, window=[(-5.0, 5.0)] * 2).variance().diagonal()]
    [0.5, 0.5]
    """
    if isinstance(walk, FokkerPlanck):
        wanted = 1e-4 if tolerance is None else tolerance
        return last(lambda stages: steady_law(walk, window, wanted, stages), progress)
    check_walk(walk)
    if tolerance is not None:
        raise TypeError(f"tolerance = {tolerance!r}: the stationary law of a walk is exact; leave it out")
    if walk.time_dependent:
        raise ValueError("a walk whose probabilities depend on time has no stationary law")
    if walk.dimension > 1:
        return _in_space(walk, _windows(walk, window))
    lattice = walk.lattice
    bounds = _ends(walk, lattice, window, ("left", "right"))
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


def _ends(walk: LatticeWalk, lattice: Lattice, window: Any, names: tuple[str, str]) -> tuple[int, int]:
    """The numbers of the first and the last site of an axis: those at the ends of `window` where it has no end."""
    ends = (names[0], lattice.first, 0), (names[1], lattice.last, 1)
    first, last = (_window_end(walk, lattice, window, side, given) if end is None else end for side, end, given in ends)
    if first > last:
        raise ValueError(f"window = {window!r} lies outside {walk.domain}: give (low, high) with its mass between them")
    return first, last


def _window_end(walk: LatticeWalk, lattice: Lattice, window: Any, side: str, given: int) -> int:
    """The number of the site at the `side` end of `window`."""
    if window is None:
        raise ValueError(f"{walk.domain} is unbounded on the {side}: give window=(low, high), outside which no mass is")
    try:
        low, high = (float(end) for end in window)
    except (TypeError, ValueError):
        raise TypeError(f"window = {window!r}: give two numbers, (low, high), outside which no mass is") from None
    if not -math.inf < low < high < math.inf:
        raise ValueError(f"window = {window!r}: low must be less than high, and both finite")
    number = ((low, high)[given] - lattice.origin) / lattice.dx
    if not abs(number) < FARTHEST:
        raise ValueError(f"window = {window!r} reaches beyond {FARTHEST:.2g} sites of dx = {lattice.dx:g}: narrow it")
    return round(number)


def _windows(walk: LatticeWalk, window: Any) -> list[tuple[int, int]]:
    """The numbers of the first and the last site of each axis."""
    given = windows_of(window, walk.dimension)
    return [
        _ends(walk, lattice, own, face_names(axis))
        for axis, (lattice, own) in enumerate(zip(walk.lattices, given, strict=True))
    ]


def _in_space(walk: LatticeWalk, ends: list[tuple[int, int]]) -> StationaryLaw:
    """The stationary law on the sites between the ends of every axis; nobody steps over the end of a window."""
    table = StepTable(walk, tuple((first, last - first + 1) for first, last in ends))
    layout, chain = table.layout, SiteChain.of(table)
    edge = np.array(layout.edges)
    if chain.leave[~edge].any():
        raise ValueError(f"walkers are lost ({walk.domain}, killing {walk.killing}), so no law is stationary")
    free = np.flatnonzero(layout.free.ravel())
    begin = np.broadcast_to(np.arange(chain.to.shape[1]), chain.to.shape)
    kept = chain.chance > 0.0
    rates = sparse.coo_array((chain.chance[kept], (begin[kept], chain.to[kept])), (begin.shape[1],) * 2).tocsr()
    pmf = np.zeros(begin.shape[1])
    pmf[free] = _balanced(rates[free][:, free], walk)
    over = pmf @ (chain.leave[edge] > 0.0).T > FAINT * pmf.max()
    if over.any():
        name = np.array(layout.exits)[edge][over][0]
        raise ValueError(f"the {name} end of the window holds a mass that is not next to nothing: widen it")
    return StationaryLaw(walk, table.axes, pmf.reshape(layout.shape))


def _balanced(rates: sparse.csr_array, walk: LatticeWalk) -> Floats:
    """The probabilities π with Σ_i π_i rate_ij = π_j Σ_k rate_jk, (n,)."""
    count, label = csgraph.connected_components(rates, directed=True, connection="strong")
    begin, end = rates.nonzero()
    left = np.unique(label[begin[label[begin] != label[end]]])
    if count - left.size > 1:
        raise ValueError(
            f"walkers stay for ever in {count - left.size} separate parts of {walk.domain}: each has a stationary law; "
            "give the walk of one part, with walls around it"
        )
    sites = np.flatnonzero(~np.isin(label, left))
    inner = rates[sites][:, sites]
    flow = (sparse.diags_array(inner.sum(axis=1)) - inner).T.tocsc()
    pmf, fixed = np.zeros(rates.shape[0]), sites.size // 2
    for _ in range(
        2
    ):  # with the site of the largest probability fixed, which the first solution finds, no digits are lost
        rest = np.delete(np.arange(sites.size), fixed)
        found = np.ones(sites.size)
        if rest.size:
            found[rest] = splu(flow[rest][:, rest].tocsc()).solve(-flow[rest][:, [fixed]].toarray().ravel())
        fixed = int(np.argmax(found))
    found = np.maximum(found, 0.0)
    pmf[sites] = found / found.sum()
    return pmf


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
