"""What a simulation gives: counts of walkers on sites at the recorded times, and every estimate with its standard error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .contents import known_as
from .inputs.keywords import once_positional
from .inputs.wording import shown
from .kernels.backend import DeviceError
from .kernels.philox import STREAM_VERSION
from .laws.atoms import Sample
from .laws.estimate import Estimate, Profile, proportion
from .laws.law import Law
from .laws.lookup import NoAnswer, edges_on
from .model.coefficient import Floats
from .model.domain import Domain
from .model.times import Times
from .model.walk import LatticeWalk
from .run.counts import Counts
from .run.devices import choose
from .run.plan import check_memory, plan
from .run.record import Record
from .run.results import Passages, Paths, Recorded
from .run.task import Task, walker_range
from .run.threads import share
from .store import Contents, read, write
from .tables.sublattice import support_at
from .tables.table import StepTable
from .terminal.progress import progress_bar

if TYPE_CHECKING:
    import xarray


@dataclass(frozen=True, eq=False, repr=False)
class Ensemble(Law[Estimate]):
    """Counts of walkers. Made by :func:`randwalk.simulate`; a law (:class:`randwalk.Law`) whose answers are estimates.

    :meth:`absorbed` and :meth:`survival` answer at recorded times, and at any time of the run if FirstPassage() was recorded.

    Attributes
    ----------
    walk
        What was run,
    seed
        from which seed,
    method
        and how: "paths", "occupation" or "jump".
    parts : tuple of range
        The walkers it holds. ``paths`` and ``jump``: walker k of a seed is always the same. ``occupation``: one sample a part.
    times
        Recorded times, as asked for, shape (times,).
    step_times
        The times of the steps at which walkers were counted; they differ only if the walk was built for times that have no
        common measure (see :meth:`randwalk.LatticeWalk.from_drift`).
    sites
        Positions of the sites that can be occupied, shape (sites,); in two dimensions and more a tuple of those along each axis.
    counts
        Whole numbers of walkers, shape (times, sites) or (times, sites along x, sites along y, …).
    gone
        Whole numbers of walkers that have left by then, by exit in the order of ``walk.domain.exits``; shape (times, exits).
    leaked
        Walkers that left the window of an unbounded domain (practically always 0), shape (times,).
    stream
        Version of the random stream that drew it; an ensemble of another version can be read, but not continued.

    Examples
    --------
    >>> import randwalk as rw
    >>> coin = rw.LatticeWalk(right=0.5, left=0.5, dx=1.0, dt=1.0)
    >>> ensemble = rw.simulate(coin, walkers=10_000, times=[2], seed=1, method="paths")
    >>> ensemble.sites, ensemble.counts
    (array([-2., -1.,  0.,  1.,  2.]), array([[2493,    0, 5065,    0, 2442]]))
    >>> ensemble.mass([-2.5, -1.5, 1.5, 2.5], 2)
    [0.2493 ± 0.0043, 0.5065 ± 0.005, 0.2442 ± 0.0043]
    """

    kind: ClassVar[str] = "walk"

    task: Task
    tally: Counts
    stream: int = STREAM_VERSION

    def __post_init__(self) -> None:
        task, tally = self.task, self.tally
        told = {
            "walk": (task.walk, tally.table.walk), "steps": (task.steps, tally.steps), "seed": (task.seed, tally.seed),
            "method": (task.method, tally.method), "records": (set(task.records), set(tally.records)),
        }  # fmt: skip
        for name, (mine, counted) in told.items():
            if mine != counted:
                raise ValueError(f"task and tally differ in {name}: {mine} and {counted}")

    @property
    def walk(self) -> LatticeWalk:
        return self.task.walk

    @property
    def seed(self) -> int:
        return self.task.seed

    @property
    def method(self) -> str:
        return self.task.method

    @property
    def steps(self) -> tuple[int, ...]:
        return self.task.steps

    @property
    def parts(self) -> tuple[range, ...]:
        return self.tally.parts

    @property
    def table(self) -> StepTable:
        return self.tally.table

    @property
    def raw(self) -> NDArray[np.int64]:
        return self.tally.raw

    @property
    def records(self) -> dict[Record, Recorded]:
        return self.tally.records

    @property
    def walkers(self) -> int:
        """How many walkers it holds, also those that have left the domain."""
        return self.tally.walkers

    @property
    def domain(self) -> Domain:
        return self.walk.domain

    @property
    def _times(self) -> Times:
        return self.walk.recorded(self.steps)

    @property
    def times(self) -> Floats:
        return np.array(self._times.asked)

    @property
    def step_times(self) -> Floats:
        return self._times.exact

    @property
    def sites(self) -> Any:
        return self.table.axes if self.dimension > 1 else self.table.x

    @property
    def counted(self) -> bool:
        """Whether walkers were counted by site: they are, unless there were too many sites and records asked for no counts."""
        return self.raw.size > 0

    @property
    def counts(self) -> NDArray[np.int64]:
        self._check_counted()
        return self.table.layout.live(self.raw)

    @property
    def _alive(self) -> NDArray[np.int64]:
        if not self.counted:  # of walkers that nobody kills, without walls
            return np.full(len(self.steps), self.walkers)
        return np.asarray(self.counts.reshape(len(self.steps), -1).sum(axis=1))

    @property
    def gone(self) -> NDArray[np.int64]:
        if not self.counted:
            return np.zeros((len(self.steps), len(self.domain.exits)), dtype=np.int64)
        return self.table.layout.absorbed(self.raw)

    @property
    def leaked(self) -> NDArray[np.int64]:
        return self.table.layout.leaked(self.raw) if self.counted else np.zeros(len(self.steps), dtype=np.int64)

    def _check_counted(self) -> None:
        if not self.counted:
            raise NoAnswer(
                f"walkers were not counted on {self.table.sites:,} sites, which are too many: ask the records, "
                f"{', '.join(map(str, self.records))}, or take shorter times"
            )

    def __getitem__(self, record: Record) -> Any:
        """The result of a record that was asked for: ``ensemble[FirstPassage()]``."""
        found = [result for mine, result in self.records.items() if type(mine) is type(record) and mine == record]
        if not found:
            raise KeyError(f"{shown(record)} was not recorded; give record=[{shown(record)}] to simulate")
        return found[0]

    def _at(self, t: float) -> Sample:
        row = self._times.row(t)
        self._check_counted()
        return Sample(support_at(self.table, self.steps[row]), self.table.layout.live(self.raw[row]), self.walkers)

    def density(self, t: float) -> Profile:
        """ρ at time `t` on the sites that can be occupied, in probability per length (area, volume); it integrates to the
        surviving fraction.

        A walk that never stays lives on every second site then, and there its density is the proportion over 2dx.
        """
        return self._at(t).density()

    def _survival(self, t: ArrayLike) -> Estimate:
        counted = self._alive
        passages = self._passages
        if passages is None:
            return proportion(counted[self._counted(t)], self.walkers)
        steps = self._times.step_before(t)
        alive = (self.walkers - np.cumsum(passages.counts.sum(axis=1)))[steps]
        row = np.searchsorted(self.steps, steps)  # what leaked is alive to the passages, and not counted
        return proportion(np.where(np.array(self.steps)[row] == steps, counted[row], alive), self.walkers)

    def _absorbed(self, exit: str, t: ArrayLike) -> Estimate:
        column = self.domain.exit(exit)
        passages = self._passages
        if passages is None:
            return proportion(self.gone[self._counted(t), column], self.walkers)
        return proportion(np.cumsum(passages.counts[:, column])[self._times.step_before(t)], self.walkers)

    def _counted(self, t: ArrayLike) -> NDArray[np.int64]:
        """The rows of times at which walkers were counted; without passages there is no answer between them."""
        try:
            return self._times.rows(t)
        except ValueError as error:
            self._times.step_before(t)  # refuses a time outside the run, for which no record helps
            raise NoAnswer(f"{error}; with record=[FirstPassage()] a run answers at any of its times") from None

    def bin_counts(self, edges: Any, t: float) -> NDArray[np.int64]:
        """The number of walkers in each bin at time `t`; `edges` as those of :meth:`mass`."""
        now = self._at(t)
        return now.support.binned(now.counts, edges_on(edges, self.dimension))

    @property
    def _passages(self) -> Passages | None:
        return next((r for r in self.records.values() if isinstance(r, Passages)), None)

    @once_positional("threads", "progress", "backend", "devices")
    def extend(
        self,
        walkers: int,
        *,
        threads: int | None = None,
        progress: bool = False,
        backend: str = "cpu",
        devices: Sequence[int] | None = None,
    ) -> Ensemble:
        """As many `walkers` in all, those already here unchanged, bit for bit; returns another ensemble.

        `threads`, `backend` and `devices` are those of :func:`randwalk.simulate`.
        """
        if isinstance(walkers, bool) or not isinstance(walkers, (int, np.integer)) or walkers <= self.walkers:
            raise ValueError(f"walkers = {shown(walkers)}: must be a whole number above the {self.walkers} there are")
        self._check_stream()
        first = max(part.stop for part in self.parts)
        more = walker_range(range(first, first + int(walkers) - self.walkers))
        return collect(self.task, [more], self.tally, Effort(threads, progress, backend, devices))

    @once_positional("threads", "progress", "backend", "devices")
    def resume(
        self,
        times: ArrayLike,
        *,
        threads: int | None = None,
        progress: bool = False,
        backend: str = "cpu",
        devices: Sequence[int] | None = None,
    ) -> Ensemble:
        """Go on to later `times`; what was recorded stays as it was, bit for bit. Returns another ensemble.

        The walkers are run again from their start (their paths are addresses, so they come out the same): nothing has to be
        kept per walker for this, and the cost is that of the whole time.
        """
        later = self.walk.steps(times)
        if later[0] <= self.steps[-1]:
            raise ValueError(
                f"times must come after the last recorded one, {self.times[-1]:g}; the first is {later[0] * self.walk.dt:g}"
            )
        self._check_stream()
        task = replace(self.task, steps=(*self.steps, *later))
        return collect(task, self.parts, None, Effort(threads, progress, backend, devices))

    def __setstate__(self, state: dict[str, Any]) -> None:
        if "task" not in state:  # of a release before 0.4; the first one did not keep the version of the stream
            known = known_as(state.get("stream", 1), state["method"], state["table"], state["steps"][-1])
            held = Contents(**(state | {"stream": known}))
            records = {record: _recorded(record, result, held) for record, result in held.records.items()}
            state = vars(_restored(replace(held, records=records)))
        self.__dict__.update(state)

    def _check_stream(self) -> None:
        if self.stream != STREAM_VERSION:
            raise ValueError(
                f"this ensemble was drawn from version {self.stream} of the random stream and would go on from version "
                f"{STREAM_VERSION}, with other walkers: run it again, or go on with the release that made it"
            )

    def merge(self, other: Ensemble) -> Ensemble:
        """This ensemble and another part of the same run (same walk, seed, times, method, records; other walkers) as one."""
        if not isinstance(other, Ensemble):
            raise TypeError(f"other = {shown(other)}: must be an Ensemble")
        for name in ("walk", "seed", "method", "steps", "stream"):
            if getattr(self, name) != getattr(other, name):
                remedy = f"; simulate both with method={self.method!r}" if name == "method" else ""
                raise ValueError(
                    f"the ensembles differ in {name}: {getattr(self, name)} and {getattr(other, name)}{remedy}"
                )
        if self.records.keys() != other.records.keys():
            raise ValueError(
                f"the ensembles differ in what they record: {list(self.records)} and {list(other.records)}"
            )
        return replace(self, tally=self.tally + other.tally)

    def save(self, path: str | Path) -> None:
        """Write to ``.npz``, or to netCDF (``.nc``, needs ``randwalk-pde[io]``): to a temporary name first, then renamed."""
        write(path, self._contents, lambda place: self.to_xarray().to_netcdf(place, engine="h5netcdf"))

    @property
    def _contents(self) -> Contents:
        return Contents(**{f.name: getattr(self, f.name) for f in fields(Contents)})

    @classmethod
    def load(cls, path: str | Path) -> Ensemble:
        """Read what :meth:`save` wrote.

        Raises
        ------
        ValueError
            for a file that is damaged, or not of an ensemble: one line with the file, the field and what is wrong with it
            (:mod:`randwalk.store` has the format).
        OSError
            for a file that is missing or may not be read.
        """
        return _restored(read(path))

    def to_xarray(self, t: ArrayLike | None = None) -> xarray.Dataset:
        """The dataset of every law (:meth:`randwalk.Law.to_xarray`) and, at the recorded times, the counts (time, x, …), those of
        walkers that have left (time, exit), and everything needed to read the ensemble back."""
        data = super().to_xarray(t)
        if t is not None:
            return data
        columns = [self.domain.exit(exit) for exit in self.exits]
        held = self._contents.arrays.items()
        sides = ("row", "column", "digit")
        arrays = {name: ([f"{name}_{side}" for side in sides[: array.ndim]], array) for name, array in held}
        counts = {
            "counts": (("time", *self._coordinates), self.counts),
            "gone": (("time", "exit"), self.gone[:, columns]),
            "raw": (("time", "index"), self.raw),
        }
        return data.assign(counts | arrays).assign_attrs(randwalk=self._contents.meta, walkers=self.walkers)

    def smoothing(self, t: float) -> float:
        """The width of the cell that an atom stands for at time `t`, beyond one dimension its volume: dx, or 2dx where parity
        holds."""
        return self._at(t).support.volume

    def __repr__(self) -> str:
        times = ", ".join(f"{t:g}" for t in self.times[:4]) + (", …" if len(self.steps) > 4 else "")
        alive = f"{100 * self._alive[-1] / self.walkers:.4g} % alive at the end"
        return f"Ensemble({self.walkers:,} walkers by {self.method}, seed {self.seed}, t = {times}; {alive})"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{t:g}</td><td>{self.survival(t)}</td><td>{self.mean(t)}</td><td>{self.variance(t)}</td></tr>"
            for t in self.times[:20]
        )
        head = "<tr><th>time</th><th>alive</th><th>mean of survivors</th><th>variance</th></tr>"
        return f"<p>{self}</p><table>{head}{rows}</table>"


def _recorded(record: Record, result: Any, held: Contents) -> Recorded:
    """The result of a record that a release before 0.4 kept, without its parts and its first bin."""
    if isinstance(result, Paths):
        begins = np.cumsum([len(part) for part in held.parts])[:-1]
        return Paths(result.times, held.parts, tuple(np.split(result.x, begins, axis=1)))
    return replace(record.empty(held.table, held.parts, held.steps), counts=result.counts)


def _restored(held: Contents) -> Ensemble:
    """The ensemble of a file's contents."""
    task = Task(held.walk, held.steps, held.seed, held.method, tuple(held.records))
    tally = Counts(held.table, held.steps, held.parts, held.raw, held.records, held.seed, held.method)
    return Ensemble(task, tally, held.stream)


class Interrupted(KeyboardInterrupt):
    """Ctrl-C during a run. `ensemble` holds the walkers that were finished, as a run of that many walkers gives them (None if
    there are none); ``ensemble.extend(walkers)`` continues."""

    def __init__(self, ensemble: Ensemble | None) -> None:
        done = ensemble.walkers if ensemble is not None else 0
        super().__init__(f"interrupted with {done:,} walkers finished; they are in the exception's .ensemble")
        self.ensemble = ensemble


@dataclass(frozen=True)
class Effort:
    """The means of a run, on which its results do not depend: the number of threads at most, whether a progress bar is shown,
    the backend and its devices."""

    threads: int | None = None
    progress: bool = False
    backend: str = "cpu"
    devices: Sequence[int] | None = None


def collect(task: Task, parts: Sequence[range], before: Counts | None, effort: Effort) -> Ensemble:
    """Run the walkers `parts` of a task; the ensemble of these walkers and of those in the counts `before`.

    Raises
    ------
    MemoryError
        before anything runs, for what does not fit.
    Interrupted, DeviceError
        with the ensemble of the walkers that were finished.
    """
    walkers, counts = sum(map(len, parts)), before
    with (
        share(effort.threads) as threads,
        progress_bar(f"simulating by {task.method}", float(len(parts)), effort.progress) as advance,
    ):
        check_memory(task.windows.rows, walkers, task.steps, task.records, task.method, threads)
        seconds = 0.0
        if effort.backend == "auto":  # the only one that asks for it
            seconds = plan(task.walk, range(walkers), task.steps, task.records, part=False).seconds[task.method]
        machine = choose(effort.backend, effort.devices, seconds, threads)
        try:
            for part in parts:
                for more in task.stream(part, machine, advance):
                    counts = more if counts is None else counts + more
        except KeyboardInterrupt:
            raise Interrupted(None if counts is None else Ensemble(task, counts)) from None
        except DeviceError as error:
            error.partial = counts
            error.ensemble = None if counts is None else Ensemble(task, counts)
            raise
    assert counts is not None
    return Ensemble(task, counts)
