"""The exact law of a walk: the probabilities of its sites at given times, with no sampling error.

With walls or coefficients that vary, the master equation P(x, t+dt) = p(x-dx, t) P(x-dx, t) + q(x+dx, t) P(x+dx, t)
+ r(x, t) P(x, t) is stepped (a banded transfer matrix applied once a step). On the whole line with constant probabilities the
n-th power of the step's generating function gives the law at once. Both use the quantised probabilities of the simulation, so
that simulation and law describe the same walk.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import PchipInterpolator

from randwalk.inputs.arguments import number
from randwalk.inputs.keywords import once_positional
from randwalk.inputs.memory import require
from randwalk.inputs.wording import shown
from randwalk.kernels.evolve import TINY, evolve
from randwalk.laws.binning import bin_atoms, check_edges
from randwalk.laws.estimate import values_of
from randwalk.model.coefficient import Constant, Floats
from randwalk.model.start import MASS_BITS
from randwalk.model.times import Times
from randwalk.model.walk import LatticeWalk
from randwalk.run.paths import planes
from randwalk.tables.step_law import StepLaw
from randwalk.tables.sublattice import cell, occupied
from randwalk.tables.table import BITS, FULL, StepTable, probabilities
from randwalk.tables.window import LEAK, start_index, start_mass, table_for

from .balance import closed_classes, stationary
from .equation import check_walk

if TYPE_CHECKING:
    from matplotlib.axes import Axes


FARTHEST = 2**31  # lattice numbers are whole numbers of 32 bits
STRETCH = 1 << 16  # steps between which what has left is put in its place


@dataclass(frozen=True, eq=False)
class ExactLaw:
    """The law of a walk at the recorded times. Made by :func:`exact_law`.

    Attributes
    ----------
    times
        Recorded times, as asked for, shape (times,).
    step_times
        The times of their steps, which differ only if the walk was built for times that have no common measure.
    sites
        Positions, shape (sites,).
    pmf
        Probabilities of the sites, shape (times, sites); those of a time sum to the surviving fraction.
    gone
        Probability of having left by step n at the left wall, at the right wall, or killed; shape (steps + 1, 3).
    leaked
        Mass that left the window of an unbounded domain during the whole run.
    """

    walk: LatticeWalk
    table: StepTable
    steps: tuple[int, ...]
    pmf: Floats
    gone: Floats
    leaked: float

    @property
    def recorded(self) -> Times:
        return self.walk.recorded(self.steps)

    @property
    def times(self) -> Floats:
        return np.array(self.recorded.asked)

    @property
    def step_times(self) -> Floats:
        return self.recorded.exact

    @property
    def sites(self) -> Floats:
        return self.table.x

    def _row(self, t: float) -> Floats:
        return self.pmf[self.recorded.row(t)]

    def density(self, t: float) -> tuple[Floats, Floats]:
        """(places, ρ there): probability over dx, or over 2dx on the sites that parity leaves."""
        row = self.recorded.row(t)
        kept = occupied(self.table, self.steps[row])
        return self.sites[kept], self.pmf[row, kept] / (self.walk.dx * (kept.step or 1))

    def mean(self, t: float) -> float:
        """The mean position of the survivors at time `t`; NaN if there are none."""
        return self._average(self.sites, t)

    def variance(self, t: float) -> float:
        """The variance of the position of the survivors at time `t`; NaN if there are none."""
        return self._average((self.sites - self.mean(t)) ** 2, t)

    def _average(self, values: Floats, t: float) -> float:
        p = self._row(t)
        return float(p @ values / p.sum()) if p.any() else float("nan")

    def expect(self, f: Callable[[Floats], ArrayLike], t: float) -> float:
        """E[f(X_t); alive] = ∫ f ρ dx."""
        p = self._row(t)
        return float(np.sum(p * np.where(p > 0.0, values_of(f, self.sites), 0.0)))

    def survival(self, t: ArrayLike) -> Any:
        """The probability of being alive at each of the times `t` of the run: a number for a number, else of their shape."""
        steps = self.recorded.step_before(t)
        row = np.searchsorted(self.steps, steps)
        recorded = np.array(self.steps)[row] == steps  # there the sum over the sites has all digits of what is left
        alive = np.where(recorded, self.pmf.sum(axis=1)[row], 1.0 - self.gone[steps].sum(axis=-1))
        return alive if alive.ndim else float(alive)

    def mass(self, edges: ArrayLike, t: float) -> Floats:
        """The probability of each bin at time `t`, counting atoms: bins are closed on the left, the last on both sides."""
        return bin_atoms(self.sites, self._row(t), edges, self.walk.dx)

    def passed(self, wall: str, times: ArrayLike) -> Floats:
        """The probability of having left by `wall` ("left", "right" or "killing") by each of `times`, any times of the run: by
        the last step at or before them."""
        return self.gone[self.recorded.step_before(times), self.walk.domain.exit(wall)]

    def smoothed(self) -> SmoothedLaw:
        """This law with every atom spread over its cell: what a continuous law is compared with."""
        return SmoothedLaw(self)

    def plot(self, t: float | None = None, ax: Axes | None = None) -> Axes:
        """Density at time `t` (default: the last)."""
        from randwalk.laws.plotting import COLOURS, axes

        ax = axes(ax)
        t = float(self.times[-1]) if t is None else t
        ax.plot(*self.density(t), color=COLOURS["exact law"], lw=1.2, label=f"exact law, $t = {t:g}$")
        ax.set(xlabel="position $x$", ylabel=r"density $\rho(x, t)$")
        return ax

    def __repr__(self) -> str:
        alive = self.pmf[-1].sum()
        size = f"{self.pmf.shape[1]} sites, {self.steps[-1]} steps"
        return f"ExactLaw({size}, {alive:.6g} alive at the end, {self.leaked:.1g} leaked)"


@dataclass(frozen=True, eq=False)
class SmoothedLaw:
    """A lattice law whose atoms are spread evenly over their cells: dx wide, or 2dx where the walk lives on every second site.

    Compared with a density its bins then converge at order 2, and not at order 1 as atoms do.
    """

    law: ExactLaw

    @property
    def times(self) -> Floats:
        return self.law.times

    def mass(self, edges: ArrayLike, t: float) -> Floats:
        """The probability of each bin at time `t`."""
        array = check_edges(edges)
        table, row = self.law.table, self.law.recorded.row(t)
        half = 0.5 * self.law.walk.dx * cell(table, self.law.steps[row])
        p, x = self.law.pmf[row], self.law.sites
        # A cell that crosses a half-way wall is folded back; what crosses the seam of a ring belongs to the other end.
        low, high = self.law.walk.domain.low, self.law.walk.domain.high
        share = np.zeros(array.size - 1)
        for shift in (-1.0, 0.0, 1.0) if table.wrap else (0.0,):
            bounds = np.clip(array, low, high) + shift * (high - low) if table.wrap else array
            inside = np.clip((bounds[:, None] - (x - half)) / (2.0 * half), 0.0, 1.0)
            share += np.diff(inside, axis=0) @ p
        if not table.wrap:
            share += self._folded(array, x, p, half)
        return share

    def _folded(self, edges: Floats, x: Floats, p: Floats, half: float) -> Floats:
        """The parts of cells beyond half-way walls, mirrored into the domain."""
        folded = np.zeros(edges.size - 1)
        domain = self.law.walk.domain
        for _, wall, place, inward in domain.faces:
            if wall.on_site:
                continue
            near = (x - place) * inward < half * (1.0 - 1e-9)
            mirrored = 2.0 * place - edges[:, None]
            beyond = np.minimum(mirrored, place) if inward > 0.0 else np.maximum(mirrored, place)
            inside = np.clip((beyond - (x[near] - half)) / (2.0 * half), 0.0, 1.0)
            folded += -np.diff(inside, axis=0) @ p[near]
        return folded

    def passed(self, wall: str, times: ArrayLike) -> Floats:
        """As :meth:`ExactLaw.passed`."""
        return self.law.passed(wall, times)

    def survival(self, t: ArrayLike) -> Any:
        """As :meth:`ExactLaw.survival`."""
        return self.law.survival(t)

    def passage_curve(self, wall: str) -> PchipInterpolator:
        """The probability of having left by `wall` as a function of time, by monotone interpolation between the steps."""
        every = np.arange(len(self.law.gone)) * self.law.walk.dt
        return PchipInterpolator(every, self.law.gone[:, self.law.walk.domain.exit(wall)])

    def plot(self, t: float | None = None, ax: Axes | None = None) -> Axes:
        """Density at time `t` (default: the last), level over every cell."""
        from randwalk.laws.plotting import COLOURS, axes

        ax = axes(ax)
        t = float(self.times[-1]) if t is None else t
        places, domain = self.law.density(t)[0], self.law.walk.domain
        half = 0.5 * self.law.walk.dx * cell(self.law.table, self.law.steps[self.law.recorded.row(t)])
        low, high = (domain.low, domain.high) if domain.periodic else (places[0] - half, places[-1] + half)
        edges = np.linspace(max(low, domain.low), min(high, domain.high), places.size + 1)
        ax.stairs(
            self.mass(edges, t) / np.diff(edges), edges, color=COLOURS["exact law"], label=f"exact law, $t = {t:g}$"
        )
        ax.set(xlabel="position $x$", ylabel=r"density $\rho(x, t)$")
        return ax

    def __repr__(self) -> str:
        return f"SmoothedLaw({self.law})"


@once_positional("leak")
def exact_law(walk: LatticeWalk, times: ArrayLike, *, leak: float = LEAK) -> ExactLaw:
    """The exact law of `walk` at the given times: applied to the same probabilities, whole numbers of 2⁻³¹, as a simulation.

    Parameters
    ----------
    walk : LatticeWalk
    times : number or increasing numbers
        Whole multiples of ``walk.dt``.
    leak : float
        On an unbounded domain only the sites that hold all but this mass are kept; the law says what leaked.

    Raises
    ------
    ValueError
        for times that are no multiples of dt, or step probabilities that are none where there is mass.

    Examples
    --------

    >>> from randwalk import LatticeWalk
    >>> exact_law(LatticeWalk(0.5, 0.5, dx=1.0, dt=1.0), [2]).mass([-2.5, -1.5, 1.5, 2.5], 2)
    array([0.25, 0.5 , 0.25])
    """
    steps = tuple(_checked(walk).steps(times))
    if not 0.0 < number("leak", leak) < 1.0:
        raise ValueError(f"leak = {leak}: must be a mass between 0 and 1")
    table = table_for(walk, steps[-1], leak)
    _check_memory(table, steps)
    law = _by_power(table, steps) if planes(table) else _by_steps(table, steps)
    walk.warn_if_slow(law.sites, law.pmf, law.times)
    return law


def _checked(walk: object) -> LatticeWalk:
    if not isinstance(walk, LatticeWalk):
        raise TypeError(f"walk = {shown(walk)}: must be a LatticeWalk")
    return walk


def _by_power(table: StepTable, steps: tuple[int, ...]) -> ExactLaw:
    """A constant walk on the line: powers of the generating function of a step, summed over the starts."""
    t_right, t_left, t_live = (int(v) for v in table.rows(0, 1)[0, :, 2])
    law = StepLaw(-1, ((t_left - t_right) / FULL, (t_live - t_left) / FULL, t_right / FULL))
    index, masses = start_index(table)
    pmf = np.zeros((len(steps), table.sites))
    begin = np.zeros(int(index[-1] - index[0]) + 1)
    begin[index - index[0]] = masses / 2.0**MASS_BITS
    for row, n in enumerate(steps):
        first, power = law.power(n)
        whole = np.convolve(begin, power) if begin.size > 1 else power
        first += int(index[0]) - 1
        low, high = max(first, 0), min(first + whole.size, table.sites)
        pmf[row, low:high] = whole[low - first : high - first]
    leaked = max(0.0, 1.0 - float(pmf[-1].sum()))
    return ExactLaw(table.walk, table, steps, pmf, _nobody(steps[-1]), leaked if leaked > 1e-13 else 0.0)


def _by_steps(table: StepTable, steps: tuple[int, ...]) -> ExactLaw:
    mass, begun = start_mass(table)
    exits = _exits(table)
    gone = np.zeros((steps[-1] + 1, 3)) if exits.any() else _nobody(steps[-1])
    if exits.any():
        gone[0, :2] = begun
    pmf = np.empty((len(steps), table.sites))
    scratch, out = np.zeros_like(mass), np.zeros((min(STRETCH, steps[-1]), 3))
    live = np.flatnonzero(mass)
    reach = np.array([live[0], live[-1]] * 2 if live.size else [1] * 4)
    layout = (table.low, table.high, table.wrap)
    done, leaked = 0, 0.0
    for row, target in enumerate(steps):
        while done < target:
            stop = min(done + STRETCH, target)
            for begin, end, thresholds in table.chunks(done, stop):
                left = out[: end - begin]
                left[:] = 0.0
                evolve(mass, scratch, end - begin, *probabilities(thresholds), *layout, reach, left, TINY)
                leaked += float(left[:, ~exits].sum())
                if exits.any():
                    gone[begin + 1 : end + 1] = left
            done = stop
        pmf[row] = mass[1:-1]
    if exits.any():
        np.cumsum(gone, axis=0, out=gone)
        gone[:, ~exits] = 0.0
    return ExactLaw(table.walk, table, steps, pmf, gone, leaked)


def _exits(table: StepTable) -> NDArray[np.bool_]:
    """Which of the ways out, (left, right, killing), walkers of a table can take."""
    domain = table.walk.domain
    inside = {"left": table.left_wall, "right": table.right_wall}
    taken = {face.exit for face in domain.faces if face.wall.reactivity > 0.0 and inside[face.exit]}
    if table.walk.killing != Constant(0.0):
        taken.add("killing")
    return np.array([exit in taken for exit in domain.exits])


def _check_memory(table: StepTable, steps: tuple[int, ...]) -> None:
    """Refuse a law that cannot fit, before it is computed."""
    of_passages = 24.0 * steps[-1] * bool(_exits(table).any())
    of_sites = 8.0 * (len(steps) + 4.0) * table.sites
    remedy = (
        "record fewer times, or take a larger dx" if of_sites > of_passages else "take shorter times, or a larger dt"
    )
    require(
        of_sites + of_passages, f"the law of {len(steps)} times on {table.sites} sites after {steps[-1]} steps", remedy
    )


def _nobody(steps: int) -> Floats:
    """The passages of walkers that cannot leave: zeros that take no memory."""
    return np.broadcast_to(np.zeros(3), (steps + 1, 3))


@dataclass(frozen=True, eq=False)
class StationaryLaw:
    """The law that a walk keeps: `pmf` over `sites`, summing to 1. Made by :func:`stationary_law`."""

    walk: LatticeWalk
    sites: Floats
    pmf: Floats

    @property
    def mean(self) -> float:
        """The mean position."""
        return float(self.pmf @ self.sites)

    @property
    def variance(self) -> float:
        """The variance of the position."""
        return float(self.pmf @ (self.sites - self.mean) ** 2)

    def density(self) -> tuple[Floats, Floats]:
        """(places, probability over dx)."""
        return self.sites, self.pmf / self.walk.dx

    def mass(self, edges: ArrayLike, t: float | None = None) -> Floats:
        """The probability of each bin, closed on the left, the last on both sides; the same at every time."""
        return bin_atoms(self.sites, self.pmf, edges, self.walk.dx)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Density against position."""
        from randwalk.laws.plotting import COLOURS, axes

        ax = axes(ax)
        ax.plot(*self.density(), color=COLOURS["exact law"], label="stationary law")
        ax.set(xlabel="position $x$", ylabel=r"density $\rho(x)$")
        return ax

    def __repr__(self) -> str:
        return f"StationaryLaw({self.pmf.size} sites, mean {self.mean:.6g}, variance {self.variance:.6g})"


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
    >>> round(stationary_law(spring, window=(-6.0, 6.0)).variance, 9)
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
    table = StepTable(walk, lattice, bounds[0], bounds[1] - bounds[0] + 1)
    p, q, _, killed = (a[0] if a.size else np.zeros(table.columns) for a in probabilities(table.rows(0, 1)))
    column = np.minimum(np.arange(1, table.sites + 1), table.low) + np.maximum(
        np.arange(1, table.sites + 1) - table.high, 0
    )
    p, q, killed = p[column], q[column], killed[column]
    out = (table.left_wall and q[0] > 0) or (table.right_wall and p[-1] > 0)
    if (out and not table.wrap) or killed.any():
        raise ValueError(f"walkers are lost ({walk.domain}, killing {walk.killing}), so no law is stationary")
    if not table.wrap:
        q[0] = p[-1] = 0.0  # nobody steps over a wall, nor over the end of a window
    pmf = _kept(p, q, table)
    for inside, edge, name in ((table.left_wall, 0, "low"), (table.right_wall, -1, "high")):
        if not (inside or table.wrap) and pmf[edge] > 1e-15 * pmf.max():
            raise ValueError(f"the {name} end of the window holds a mass of {pmf[edge]:.2g}: widen it")
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
