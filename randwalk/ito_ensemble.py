"""What a simulation of an Itô walk gives: counts of walkers in bins at the recorded times, and every estimate with its error."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .ito_contents import ItoContents
from .kernels.philox import STREAM_VERSION
from .laws.binned import BinnedSample
from .laws.estimate import Estimate, stacked
from .laws.lookup import edges_on
from .model.ito import ItoWalk
from .run.average import Average
from .run.bins import Bins
from .run.ito_counts import ItoCounts
from .run.ito_task import ItoTask
from .sampled import Sampled
from .store import read, write


@dataclass(frozen=True, eq=False, repr=False)
class ItoEnsemble(Sampled):
    """Counts of the walkers of an Itô walk. Made by :func:`randwalk.simulate`; a law (:class:`randwalk.Law`) whose answers are
    estimates with their statistical errors. (The error of the time step falls like dt to the power ``walk.scheme.order``.)

    Mean and variance come from exact sums of places, :meth:`mass` and :meth:`cdf` from counts in bins: they answer at the edges
    of the bins. :meth:`pdf` is the density of the bin that a place is in. In more than 16 dimensions the covariances of different
    coordinates are not kept (NaN). :meth:`expect` needs record=[Average(f)].
    :meth:`absorbed` and :meth:`survival` answer at recorded times, and at any time of the run if FirstPassage() was recorded.

    Attributes
    ----------
    walk, seed
        What was run, from which seed.
    parts : tuple of range
        The walkers it holds. Walker k of a seed is always the same.
    times : array of shape (times,)
    bins : Bins
        ``bins.edges`` are the edges along each axis.
    counts
        Whole numbers of walkers, shape (times, bins) or (times, bins along x, bins along y, …); in more than three dimensions a
        tuple of arrays (times, bins), one for each coordinate.
    gone
        Whole numbers of walkers that have left by then, by exit in the order of ``walk.domain.exits``; shape (times, exits).
    outside
        Walkers inside the domain and outside the bins, shape (times,).

    Examples
    --------
    >>> import randwalk as rw
    >>> heat = rw.ItoWalk(drift=0.0, diffusion=0.5, dt=0.01)
    >>> run = rw.simulate(heat, walkers=10_000, times=[1.0], seed=1)
    >>> abs(run.variance(1.0).z(1.0)) < 3
    np.True_
    """

    kind: ClassVar[str] = "walk"
    alike: ClassVar[tuple[str, ...]] = ("walk", "seed", "bins", "steps", "stream")

    task: ItoTask
    tally: ItoCounts
    stream: int = STREAM_VERSION

    def __post_init__(self) -> None:
        for name in ("walk", "steps", "seed", "bins"):
            mine, counted = getattr(self.task, name), getattr(self.tally, name)
            if mine != counted:
                raise ValueError(f"task and tally differ in {name}: {mine} and {counted}")
        if set(self.task.records) != set(self.tally.records):
            raise ValueError(f"task and tally differ in records: {self.task.records} and {tuple(self.tally.records)}")

    @property
    def walk(self) -> ItoWalk:
        return self.task.walk

    @property
    def bins(self) -> Bins:
        return self.task.bins

    @property
    def counts(self) -> Any:
        rows: list[Any] = [self.bins.split(row) for row in self.tally.raw]
        if self.bins.joint:
            inner = (slice(1, -1),) * self.dimension
            return np.array([row[inner] for row in rows])
        return tuple(np.array([row[axis][1:-1] for row in rows]) for axis in range(self.dimension))

    @property
    def gone(self) -> NDArray[np.int64]:
        return self.tally.gone

    @property
    def _alive(self) -> NDArray[np.int64]:
        return self.tally.alive

    @property
    def outside(self) -> NDArray[np.int64]:
        counts = self.counts
        if self.bins.joint:
            return self._alive - counts.reshape(len(self.steps), -1).sum(axis=1)
        return self._alive - np.min([axis.sum(axis=1) for axis in counts], axis=0)

    def _at(self, t: float) -> BinnedSample:
        row = self._times.row(t)
        edges = tuple(map(np.array, self.bins.edges))
        counts = self.bins.split(self.tally.raw[row])
        axes, numbers = self.domain.at(t).axes, tuple(range(self.dimension))
        return BinnedSample(edges, counts, self.walkers, axes, self.tally.places[row], numbers)

    def pdf(self, x: Any, t: ArrayLike | None = None) -> Estimate:
        """The density, by bins, as :meth:`Law.pdf <randwalk.laws.law.Law.pdf>` has it; NoAnswer where coordinates are counted one
        by one, before the places, which may be the product of many axes, are spread out."""
        if not self.bins.joint:
            _ = self._at(float(self.times[-1])).joint  # says so
        return super().pdf(x, t)

    def expect(self, f: Callable[..., ArrayLike], t: ArrayLike | None = None) -> Estimate:
        """E[f(X_t); alive] of an `f` that was recorded, record=[Average(f)]."""
        given = self._some(t)
        wanted = Average(f)
        if wanted not in self.records:
            return super().expect(f, t)
        found = self.records[wanted]
        return stacked([found.mean(time) for time in given.ravel().tolist()], given.shape)

    def save(self, path: str | Path) -> None:
        """Write to ``.npz``, or to netCDF (``.nc``, needs ``randwalk-pde[io]``): to a temporary name first, then renamed."""
        held = ItoContents(self.tally, self.stream)
        write(path, held, lambda: self._dataset(held))

    def _dataset(self, held: ItoContents) -> Any:
        """The dataset of every law, and what is read back."""
        arrays = {name: ([f"{name}_row", f"{name}_column"], array) for name, array in held.arrays.items()}
        raw = {"raw": (("time", "index"), held.raw)}
        return self.to_xarray().assign(raw | arrays).assign_attrs(randwalk=held.meta, walkers=self.walkers)

    @classmethod
    def load(cls, path: str | Path) -> ItoEnsemble:
        """Read what :meth:`save` wrote.

        Raises
        ------
        ValueError
            for a file that is damaged, or not of an Itô walk: one line with the file and what is wrong with it.
        OSError
            for a file that is missing or may not be read.
        """
        held = read(path)
        if not isinstance(held, ItoContents):
            raise ValueError(f"{path} holds an ensemble of a walk on a lattice: read it with rw.Ensemble.load")
        tally = held.tally
        task = ItoTask(tally.walk, tally.steps, tally.seed, tally.bins, tuple(tally.records))
        return cls(task, tally, held.stream)

    def bin_counts(self, edges: Any, t: float) -> NDArray[np.int64]:
        """The number of walkers between `edges`, which are among those of the bins, at time `t`."""
        return self._at(t).binned(edges_on(edges, self.dimension))
