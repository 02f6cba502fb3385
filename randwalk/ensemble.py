"""What a simulation gives: counts of walkers on sites at the recorded times, and every estimate with its standard error."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .contents import known_as
from .kernels.philox import STREAM_VERSION
from .laws.atoms import Sample
from .laws.estimate import Profile
from .laws.lookup import NoAnswer, edges_on
from .model.walk import LatticeWalk
from .run.counts import Counts
from .run.record import Record
from .run.results import Paths, Recorded
from .run.task import Task
from .sampled import Sampled
from .store import Contents, read, write
from .tables.sublattice import support_at
from .tables.table import StepTable

if TYPE_CHECKING:
    import xarray


@dataclass(frozen=True, eq=False, repr=False)
class Ensemble(Sampled):
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

    @cached_property
    def _whole(self) -> Counts:
        """The counts on the window of the run, of which the tally may have the part that the walkers needed: most of the sites
        in space are never reached, so they are made when they are asked for."""
        return self.task.whole(self.tally)

    def __getstate__(self) -> dict[str, Any]:
        return {f.name: getattr(self, f.name) for f in fields(self)}

    @property
    def table(self) -> StepTable:
        return self._whole.table

    @property
    def raw(self) -> NDArray[np.int64]:
        return self._whole.raw

    @property
    def records(self) -> dict[Record, Any]:
        return dict(self._whole.records)

    @property
    def sites(self) -> Any:
        return self.table.axes if self.dimension > 1 else self.table.x

    @property
    def counted(self) -> bool:
        """Whether walkers were counted by site: they are, unless there were too many sites and records asked for no counts."""
        return self.tally.raw.size > 0

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

    def bin_counts(self, edges: Any, t: float) -> NDArray[np.int64]:
        """The number of walkers in each bin at time `t`; `edges` as those of :meth:`mass`."""
        now = self._at(t)
        return now.support.binned(now.counts, edges_on(edges, self.dimension))

    def __setstate__(self, state: dict[str, Any]) -> None:
        if "task" not in state:  # of a release before 0.4; the first one did not keep the version of the stream
            known = known_as(state.get("stream", 1), state["method"], state["table"], state["steps"][-1])
            held = Contents(**(state | {"stream": known}))
            records = {record: _recorded(record, result, held) for record, result in held.records.items()}
            state = vars(_restored(replace(held, records=records)))
        self.__dict__.update(state)

    def save(self, path: str | Path) -> None:
        """Write to ``.npz``, or to netCDF (``.nc``, needs ``randwalk-pde[io]``): to a temporary name first, then renamed."""
        write(path, self._contents, self.to_xarray)

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
        held = read(path)
        if not isinstance(held, Contents):
            raise ValueError(f"{path} holds an ensemble of an Itô walk: read it with rw.ItoEnsemble.load")
        return _restored(held)

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
