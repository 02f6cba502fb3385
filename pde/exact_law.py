"""The exact law of a walk: the probabilities of its sites at given times, with no sampling error.

With walls or coefficients that vary, the master equation P(x, t+dt) = p(x-dx, t) P(x-dx, t) + q(x+dx, t) P(x+dx, t)
+ r(x, t) P(x, t) is iterated (a banded transfer matrix applied once a step). On the whole line with constant probabilities the
law is the n-th power of the generating function of a step. Both use the quantised probabilities of the simulation, so that
simulation and law describe the same walk.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import PchipInterpolator

from randwalk.inputs.arguments import number
from randwalk.inputs.keywords import once_named, once_positional
from randwalk.inputs.memory import require
from randwalk.inputs.wording import shown
from randwalk.jit.compile import check_compiler
from randwalk.kernels.evolve import TINY, evolve
from randwalk.laws.atoms import Atoms
from randwalk.laws.cells import Cells
from randwalk.laws.law import Law
from randwalk.model.coefficient import Constant, Floats
from randwalk.model.domain import Domain
from randwalk.model.functions import functions_in
from randwalk.model.start import MASS_BITS
from randwalk.model.times import Times
from randwalk.model.walk import LatticeWalk
from randwalk.tables.start_table import start_index, start_mass
from randwalk.tables.sublattice import support_at
from randwalk.tables.table import StepTable
from randwalk.tables.window import LEAK, Windows, table_on

STRETCH = 1 << 16  # steps between which what has left is put in its place
SHORT = 1 << 10  # the same in a window, which may have to grow
RARE = 1e-3  # of what leaves a window: edges that let out less do not make it grow


@dataclass(frozen=True, eq=False, repr=False)
class ExactLaw(Law[Any]):
    """The law of a walk at the recorded times. Made by :func:`exact_law`.

    Attributes
    ----------
    times
        Recorded times, as asked for, shape (times,).
    step_times
        The times of their steps, which differ only if the walk was built for times that have no common measure.
    sites
        Positions, shape (sites,); in two dimensions and more a tuple of those along each axis.
    pmf
        Probabilities of the sites, shape (times, sites) or (times, sites along x, sites along y, …); those of a time sum to the
        surviving fraction.
    gone
        Probability of having left by step n, by exit, shape (steps + 1, exits).
    leaked
        Mass that left the window of an unbounded domain during the whole run.
    """

    kind: ClassVar[str] = "exact law"

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
    def domain(self) -> Domain:
        return self.walk.domain

    @property
    def times(self) -> Floats:
        return np.array(self.recorded.asked)

    @property
    def step_times(self) -> Floats:
        return self.recorded.exact

    @property
    def sites(self) -> Any:
        return self.table.x if self.dimension == 1 else self.table.axes

    def _at(self, t: float) -> Atoms:
        row = self.recorded.row(t)
        return Atoms(support_at(self.table, self.steps[row]), self.pmf[row])

    def density(self, t: float) -> tuple[Floats, Floats]:
        """(places, ρ there): probability over dx, or over 2dx on the sites that parity leaves."""
        return self._at(t).density()

    def _survival(self, t: ArrayLike) -> Floats:
        steps = self.recorded.step_before(t)
        row = np.searchsorted(self.steps, steps)
        recorded = np.array(self.steps)[row] == steps  # there the sum over the sites has all digits of what is left
        alive = self.pmf.reshape(len(self.pmf), -1).sum(axis=1)
        return np.where(recorded, alive[row], 1.0 - self.gone[steps].sum(axis=-1))

    def _absorbed(self, exit: str, t: ArrayLike) -> Floats:
        return np.asarray(self.gone[self.recorded.step_before(t), self.domain.exit(exit)])

    def smoothed(self) -> SmoothedLaw:
        """This law with every atom spread over its cell: what a continuous law is compared with."""
        return SmoothedLaw(self)

    def __repr__(self) -> str:
        alive = self.pmf[-1].sum()
        size = f"{' × '.join(map(str, self.pmf.shape[1:]))} sites, {self.steps[-1]} steps"
        return f"ExactLaw({size}, {alive:.6g} alive at the end, {self.leaked:.1g} leaked)"


@dataclass(frozen=True, eq=False, repr=False)
class SmoothedLaw(Law[Any]):
    """A lattice law whose atoms are spread evenly over their cells: dx wide, or 2dx where the walk lives on every second site.

    Compared with a density its bins then converge at order 2, and not at order 1 as atoms do.
    """

    kind: ClassVar[str] = "exact law"

    law: ExactLaw

    @property
    def domain(self) -> Domain:
        return self.law.domain

    @property
    def times(self) -> Floats:
        return self.law.times

    def _at(self, t: float) -> Cells:
        return self.law._at(t).cells()

    def _survival(self, t: ArrayLike) -> Any:
        return self.law.survival(t)

    def _absorbed(self, exit: str, t: ArrayLike) -> Any:
        return self.law.absorbed(exit, t)

    @once_named(wall="exit")
    def passage_curve(self, exit: str) -> PchipInterpolator:
        """The probability of having left by `exit` as a function of time, by monotone interpolation between the steps."""
        every = np.arange(len(self.law.gone)) * self.law.walk.dt
        return PchipInterpolator(every, self.law.gone[:, self.domain.exit(exit, "exit")])

    def __repr__(self) -> str:
        return f"SmoothedLaw({self.law})"


@dataclass(frozen=True)
class Beginning:
    """The table of the window on which a law begins."""

    table: StepTable

    @cached_property
    def start(self) -> tuple[Floats, Floats]:
        """(mass of every cell, mass that begins at each exit)."""
        return start_mass(self.table)

    @property
    def small(self) -> bool:
        """Whether the walk may keep it: not where rows are made step after step, or by Python functions, which may read what
        changes."""
        walk = self.table.walk
        return not walk.time_dependent and self.table.is_small() and not any(functions_in(walk))


@once_positional("leak")
def exact_law(walk: LatticeWalk, times: ArrayLike, *, leak: float = LEAK) -> ExactLaw:
    """The exact law of `walk` at the given times: applied to the same probabilities, whole numbers of 2⁻⁶², as a simulation.

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
    walk.warn_if_quick(steps[-1] * walk.dt)
    windows = Windows(walk, steps[-1], leak)
    ends = windows.ends()
    begin = walk.kept((Beginning, ends), lambda: Beginning(table_on(walk, ends)), lambda made: made.small)
    table = begin.table
    _check_memory(table, steps)
    law = _by_power(table, steps) if table.digits and walk.dimension == 1 else _by_steps(windows, begin, steps)
    walk.warn_if_slow(law.table.point, law.pmf, law.times)
    return law


def _checked(walk: object) -> LatticeWalk:
    if not isinstance(walk, LatticeWalk):
        raise TypeError(f"walk = {shown(walk)}: must be a LatticeWalk")
    return walk


def _by_power(table: StepTable, steps: tuple[int, ...]) -> ExactLaw:
    """A constant walk on the line: powers of the generating function of a step, summed over the starts."""
    law = table.step_laws[0]
    cells, masses = start_index(table)
    (numbers,) = table.layout.numbers(cells)
    pmf = np.zeros((len(steps), table.sites))
    begin = np.zeros(int(numbers[-1] - numbers[0]) + 1)
    begin[numbers - numbers[0]] = masses / 2.0**MASS_BITS
    for row, n in enumerate(steps):
        first, power = law.power(n)
        whole = np.convolve(begin, power) if begin.size > 1 else power
        first += int(numbers[0]) - table.first
        low, high = max(first, 0), min(first + whole.size, table.sites)
        pmf[row, low:high] = whole[low - first : high - first]
    leaked = max(0.0, 1.0 - float(pmf[-1].sum()))
    return ExactLaw(table.walk, table, steps, pmf, _nobody(table, steps[-1]), leaked if leaked > 1e-13 else 0.0)


def _by_steps(windows: Windows, begin: Beginning, steps: tuple[int, ...]) -> ExactLaw:
    """The master equation, one step after another, in stretches. A stretch in which more than the stated mass leaves the
    window is made again in a wider one."""
    table, (mass, begun) = begin.table, begin.start
    exits = _exits(table)
    gone = np.zeros((steps[-1] + 1, exits.size)) if exits.any() else _nobody(table, steps[-1])
    if exits.any():
        gone[0] = begun
    kept, done, leaked = [], 0, 0.0
    stretch = SHORT if any(table.layout.edges) else STRETCH
    for target in steps:
        while done < target:
            stop = min(done + stretch, target)
            after, left = _advanced(table, mass, done, stop)
            over = np.where(table.layout.edges, left.sum(axis=0), 0.0)
            if leaked + over.sum() > windows.leak:
                wider = _wider(windows, table, over)
                _check_memory(wider, steps)
                mass, table = table.layout.moved(mass, wider.layout), wider
                continue
            mass, leaked = after, leaked + float(over.sum())
            if exits.any():
                gone[done + 1 : stop + 1] = left
            done = stop
        kept.append((table, mass))
    pmf = np.stack([table.layout.live(one.layout.moved(mass, table.layout)) for one, mass in kept])
    if exits.any():
        np.cumsum(gone, axis=0, out=gone)
        gone[:, np.array(table.layout.edges)] = 0.0
    return ExactLaw(table.walk, table, steps, pmf, gone, leaked)


def _advanced(table: StepTable, mass: Floats, start: int, stop: int) -> tuple[Floats, Floats]:
    """(the mass of every cell after the steps `start` … `stop` - 1, what has left by each exit in each of them)."""
    check_compiler()
    mass, left = mass.copy(), np.zeros((stop - start, len(table.layout.exits)))
    live = np.flatnonzero(mass)
    reach = np.array([live[0], live[-1]] * 2 if live.size else [1] * 4)
    for begin, end, program in table.chunks(start, stop):
        evolve(mass, program, end - begin, reach, left[begin - start : end - start], TINY)
    return mass, left


def _wider(windows: Windows, table: StepTable, over: Floats) -> StepTable:
    """The table on a window that reaches further at the edges that mass has reached."""
    ends = tuple((first, first + count - 1) for first, count in table.window)
    wider = windows.wider(ends, tuple(over > RARE * over.max()), f"a mass of {over.sum():.3g} reaches")
    return table_on(table.walk, wider)


def _exits(table: StepTable) -> NDArray[np.bool_]:
    """Which of the ways out walkers of a table can take, in the order of its exits."""
    domain = table.walk.domain
    taken = domain.open_exits(table.walk.killing != Constant(0.0))
    return np.array([exit in taken for exit in domain.exits]) & ~np.array(table.layout.edges)


def _check_memory(table: StepTable, steps: tuple[int, ...]) -> None:
    """Refuse a law that cannot fit, before it is computed."""
    of_passages = 8.0 * len(table.layout.exits) * steps[-1] * bool(_exits(table).any())
    of_stencil = 0 if table.walk.homogeneous else len(table.walk.probabilities) + 1  # numbers of each site
    of_sites = 8.0 * (len(steps) + 4.0 + of_stencil) * table.sites
    remedy = (
        "record fewer times, or take a larger dx" if of_sites > of_passages else "take shorter times, or a larger dt"
    )
    if table.walk.dimension > 1:
        remedy += ", or take rw.pde.solve(rw.pde.limit(walk), times)"
    require(
        of_sites + of_passages, f"the law of {len(steps)} times on {table.sites} sites after {steps[-1]} steps", remedy
    )


def _nobody(table: StepTable, steps: int) -> Floats:
    """The passages of walkers that cannot leave: zeros that take no memory."""
    return np.broadcast_to(0.0, (steps + 1, len(table.layout.exits)))
