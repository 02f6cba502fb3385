"""Two samples against each other: ensembles, or plain samples. Neither is the truth, and both have noise."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

from randwalk.data.samples import Samples
from randwalk.ensemble import Ensemble
from randwalk.ito_ensemble import ItoEnsemble
from randwalk.laws.binning import on_axis
from randwalk.laws.lookup import NoAnswer
from randwalk.model.coefficient import Floats
from randwalk.model.domain import Axis, Line
from randwalk.model.times import row_of

from .check import Check
from .comparable import check_comparable
from .outcomes import EXPECTED, Outcomes, Seen, classes, of_places
from .plain_samples import BINS, FEW, MANY, coarser, middles
from .power import LEVEL, POWER, detectable
from .small import drawn

Sample: TypeAlias = Ensemble | ItoEnsemble | Samples
SAMPLES = (Ensemble, ItoEnsemble, Samples)
QUANTILES = 64  # of both samples together, which are the edges where neither has bins
TAIL = 25  # observations of both samples in the last of the bins that the tails are halved into


@dataclass(frozen=True, eq=False)
class Pair:
    """Counts of the same outcomes in two samples: `outcomes` has those of the first beside the shares of the second, which had
    `total` observations."""

    outcomes: Outcomes
    total: int

    @property
    def counts(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        return self.outcomes.observed, np.rint(self.outcomes.expected * self.total).astype(np.int64)

    @property
    def size(self) -> float:
        """The size of a sample that has as much noise beside a law as the two have beside each other."""
        n = self.outcomes.total
        return n * self.total / (n + self.total)

    def checks(self) -> list[Check]:
        """The tests that are made of these outcomes."""
        made = {"chi²": self._chi_square, "KS": self._kolmogorov_smirnov}
        return [check for test in self.outcomes.tests if (check := made[test]()) is not None]

    def _chi_square(self) -> Check | None:
        """Pearson's chi-square of homogeneity; None for fewer than two classes."""
        (a, b), total = self.counts, np.array([self.outcomes.total, self.total])
        few = total.min() < MANY
        numbers = classes((a + b) * (total.min() / total.sum()), FEW if few else EXPECTED)
        first, both = (np.bincount(numbers, weights=v).astype(np.int64) for v in (a, a + b))
        if both.size < 2:
            return None
        expected = both * (total[0] / total.sum())

        def statistic(counts: NDArray[np.int64]) -> Floats:
            return np.asarray(((counts - expected) ** 2 / expected).sum(axis=-1) * total.sum() / total[1])

        found, freedom = float(statistic(first)), both.size - 1
        p = self._drawn(found, both, statistic) if few else float(stats.chi2.sf(found, freedom))
        return Check(self.outcomes.name, "chi²", found, freedom, p, detectable(freedom, round(self.size)))

    def _kolmogorov_smirnov(self) -> Check | None:
        """The largest difference of the two distribution functions; on atoms, or in bins, the p-value is an upper bound."""
        (a, b), n, m = self.counts, self.outcomes.total, self.total
        if a.size < 2:
            return None

        def statistic(counts: NDArray[np.int64]) -> Floats:
            apart = np.cumsum(counts, axis=-1) / n - np.cumsum(a + b - counts, axis=-1) / m
            return np.asarray(np.sqrt(self.size) * np.abs(apart).max(axis=-1))

        found = float(statistic(a))
        p = self._drawn(found, a + b, statistic) if min(n, m) < MANY else float(special.kolmogorov(found))
        seen = (special.kolmogi(LEVEL) + stats.norm.isf(1.0 - POWER) / 2.0) / np.sqrt(self.size)
        return Check(self.outcomes.name, "KS", found, round(self.size), p, float(seen))

    def _drawn(self, found: float, both: NDArray[np.int64], statistic: Any) -> float:
        """The p-value by dealing the observations of both samples out anew."""
        kept, first = both[both > 0], np.flatnonzero(both > 0)
        method: Literal["count", "marginals"] = (
            "count" if both.sum() < 20 * kept.size else "marginals"
        )  # the faster one

        def draw(rng: np.random.Generator, size: int) -> NDArray[np.int64]:
            dealt = np.zeros((size, both.size), dtype=np.int64)
            dealt[:, first] = rng.multivariate_hypergeometric(kept, self.outcomes.total, size, method=method)
            return dealt

        return drawn(found, draw, statistic)


def pairs(first: Sample, second: Sample) -> list[Pair]:
    """The outcomes of two samples at their common times."""
    d = first.dimension
    if d != second.dimension:
        raise ValueError(f"observed has places in {d} dimensions, and expected in {second.dimension}")
    if not isinstance(first, Samples) and not isinstance(second, Samples):
        check_comparable(first, second)
    if d > max(BINS):
        raise ValueError(f"two samples in {d} dimensions: compare them axis by axis, as Samples(x[:, i])")
    return [pair for t in _times(first, second) for pair in _at(first, second, t)]


def _times(first: Sample, second: Sample) -> list[float]:
    """The times at which they are compared."""
    told = [[one.time for one in s.each] if isinstance(s, Samples) else s.times.tolist() for s in (first, second)]
    known = [[t for t in times if t is not None] for times in told]
    if not known[0] or not known[1]:
        times = known[0] or known[1] or [math.nan]  # of samples that have none
        if len(times) > 1:
            raise ValueError(f"a sample has no time, and the other has {len(times)}: give Samples(x, time=...)")
        return times
    for t in known[0]:
        try:
            row_of(t, known[1])
        except ValueError:
            raise ValueError(
                f"observed was recorded at t = {t:g}, and expected at {', '.join(f'{v:g}' for v in known[1][:8])}: give samples "
                "of the same times"
            ) from None
    return list(known[0])


def _at(first: Sample, second: Sample, t: float) -> list[Pair]:
    """The outcomes at one time."""
    first, second = _now(first, t), _now(second, t)
    axes = next((s.domain.axes for s in (first, second) if not isinstance(s, Samples)), (Line(),) * first.dimension)
    edges = _edges(first, second, axes, t)
    counts = [_counts(s, edges, axes, t) for s in (first, second)]
    names = _exits(first, second)
    gone = [np.array([_gone(s, exit, t) for exit in names], dtype=np.int64) for s in (first, second)]
    total = int(counts[1].sum() + gone[1].sum())
    if not total or not counts[0].sum() + gone[0].sum():
        raise ValueError("a sample has nobody at this time: there is nothing to compare")
    seen = Seen(tuple(map(middles, edges)), axes, counts[0], counts[1] / total)
    centre = [float(np.average(x, weights=_margin(counts[1], axis))) for axis, x in enumerate(seen.places)]
    when = "the only time" if math.isnan(t) else f"t = {t:g}"
    return [Pair(one, total) for one in of_places(seen, gone[0], gone[1] / total, centre, when)]


def _now(sample: Sample, t: float) -> Sample:
    """Of plain samples at several times those of one."""
    if isinstance(sample, Samples) and isinstance(sample.x, tuple):
        return sample.each[row_of(t, sample.time)]
    return sample


def _margin(counts: NDArray[np.int64], axis: int) -> Floats:
    others = tuple(a for a in range(counts.ndim) if a != axis)
    return np.asarray(counts.sum(axis=others)) + 1e-12


def _edges(first: Sample, second: Sample, axes: Sequence[Axis], t: float) -> tuple[Floats, ...]:
    """Edges of bins along each axis, to infinity where there is no wall: those of an Itô ensemble, else whole cells of a lattice,
    else quantiles of both samples together."""
    order = (ItoEnsemble, Ensemble)
    source = next((s for kind in order for s in (first, second) if isinstance(s, kind)), None)
    if isinstance(source, ItoEnsemble):
        own = [np.array(e) for e in source.bins.edges]
    elif isinstance(source, Ensemble):
        own = list(source._at(t).bins())
    else:
        assert isinstance(first, Samples) and isinstance(second, Samples)
        both = [np.concatenate(pair) for pair in zip(first.coordinates, second.coordinates, strict=True)]
        parts = _parts(min(QUANTILES, BINS[len(both)]), both[0].size)
        own = [np.unique(np.quantile(x, parts, method="inverted_cdf")) for x in both]
    return tuple(coarser(np.asarray(e), axis, BINS[len(axes)]) for e, axis in zip(own, axes, strict=True))


def _parts(most: int, many: int) -> Floats:
    """Cumulative shares: equal parts; in one dimension those at the ends are halved while TAIL observations are left."""
    parts = np.linspace(0.0, 1.0, most + 1)[1:-1]
    halved = (
        np.array([])
        if most < QUANTILES
        else parts[0] * 0.5 ** np.arange(1.0, max(1.0, np.log2(many * parts[0] / TAIL) + 1.0))
    )
    return np.concatenate([halved[::-1], parts, 1.0 - halved])


def _counts(sample: Sample, edges: tuple[Floats, ...], axes: Sequence[Axis], t: float) -> NDArray[np.int64]:
    """Walkers in the products of bins."""
    if not isinstance(sample, Samples):
        cuts: Any = edges[0] if len(edges) == 1 else edges
        try:
            return np.asarray(sample.bin_counts(cuts, t), dtype=np.int64)
        except NoAnswer as error:
            raise ValueError(f"the samples have no bins in common: {error}") from None
    shape = tuple(e.size - 1 for e in edges)
    inside = [
        np.clip(np.searchsorted(e, on_axis(axis, x), side="right") - 1, 0, e.size - 2)
        for x, e, axis in zip(sample.coordinates, edges, axes, strict=True)
    ]
    return np.bincount(np.ravel_multi_index(tuple(inside), shape), minlength=int(np.prod(shape))).reshape(shape)


def _exits(first: Sample, second: Sample) -> tuple[str, ...]:
    """The exits in the order of a domain; none if one of the samples does not say who has left."""
    silent = any(isinstance(s, Samples) and not s.gone for s in (first, second))
    faces = tuple(f"face {i}" for i in range(2 * first.dimension))
    if silent:
        return faces
    known = next((s.domain.exits for s in (first, second) if not isinstance(s, Samples)), None)
    if known is not None:
        return known
    assert isinstance(first, Samples) and isinstance(second, Samples)
    return (*faces, *sorted({*first.gone, *second.gone}))


def _gone(sample: Sample, exit: str, t: float) -> int:
    """How many have left by an exit by then."""
    if isinstance(sample, Samples):
        return sample.gone.get(exit, 0)
    exits = sample.domain.exits
    return int(sample.gone[row_of(t, sample.times)][exits.index(exit)]) if exit in exits else 0
