"""Statistical tests of a sample against a law: observed counts against expected probabilities."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

from randwalk.data.first_passage import FirstPassageTimes
from randwalk.ensemble import Ensemble
from randwalk.inputs.arguments import number
from randwalk.inputs.keywords import once_positional
from randwalk.inputs.wording import shown
from randwalk.ito_ensemble import ItoEnsemble
from randwalk.laws.cells import summed
from randwalk.laws.estimate import exact
from randwalk.laws.law import Law
from randwalk.likelihood.fit import Fit
from randwalk.model.coefficient import Constant, Floats
from randwalk.model.coefficient.variables import coordinate
from randwalk.model.domain import Axis, Domain
from randwalk.pde.exact_law import ExactLaw
from randwalk.run.results import Passages
from randwalk.tables.window import start_index

from .comparable import check_comparable
from .order import by_distance, morton
from .power import detectable, holm

if TYPE_CHECKING:
    from matplotlib.axes import Axes

EXPECTED = 25.0  # walkers expected in every class of a chi-square test after merging
FALSE_ALARMS = 1e-3  # the probability that any check of a family fails although everything is right
MOST_CLASSES = 400  # of passage times
Tests: TypeAlias = tuple[str, ...]
Pair: TypeAlias = tuple[NDArray[np.int64], Floats]
TESTS: Tests = ("chi²", "KS")


@dataclass(frozen=True, eq=False)
class Outcomes:
    """Counts of labelled, mutually exclusive outcomes and their expected probabilities, in a natural order.

    Outcomes are merged into classes for a chi-square test until each class expects `least` counts. `tests` are those that are
    made of them: of places in space chi-square, whose classes are neighbours; Kolmogorov–Smirnov where the order is one of size.
    """

    name: str
    labels: Floats
    observed: NDArray[np.int64]
    expected: Floats
    least: float = EXPECTED
    tests: Tests = TESTS

    @property
    def total(self) -> int:
        """The number of observations."""
        return int(self.observed.sum())

    def merged(self) -> tuple[NDArray[np.int64], Floats]:
        """(observed, expected) counts of classes: neighbouring outcomes are joined until a class expects `least` counts."""
        expected = self.expected * self.total
        classes, gathered = np.empty(expected.size, dtype=np.int64), 0.0
        number = 0
        for i, count in enumerate(expected):
            classes[i] = number
            gathered += count
            if gathered >= self.least:
                number, gathered = number + 1, 0.0
        classes = np.minimum(classes, max(number - 1, 0))  # the remaining outcomes at the end join the last full class
        size = int(classes[-1]) + 1
        observed = np.zeros(size, dtype=np.int64)
        np.add.at(observed, classes, self.observed)
        return observed, np.bincount(classes, weights=expected, minlength=size).astype(np.float64)


@dataclass(frozen=True)
class Check:
    """One test: its statistic, p-value, and the smallest bias that this test alone, at level 10⁻³, detects with probability 0.9.

    `detectable` is a relative error of the probabilities for chi-square over counts (see :func:`detectable`), a shift of the
    distribution function for Kolmogorov–Smirnov, and an error of the fractions themselves for a measured curve.
    """

    name: str
    test: str
    statistic: float
    freedom: int
    p_value: float
    detectable: float


@dataclass(frozen=True, eq=False)
class Comparison:
    """All checks of one comparison, judged together: Holm's correction keeps the family-wise false-alarm rate."""

    checks: tuple[Check, ...]
    outcomes: tuple[Outcomes, ...]
    alpha: float

    @property
    def adjusted(self) -> Floats:
        """Holm's adjusted p-values, one a check."""
        return holm([check.p_value for check in self.checks])

    @property
    def p_value(self) -> float:
        """The smallest adjusted p-value."""
        return float(self.adjusted.min(initial=1.0))

    @property
    def passed(self) -> bool:
        """Whether no adjusted p-value is below `alpha`."""
        return self.p_value >= self.alpha

    @property
    def detectable(self) -> float:
        """The smallest relative bias that the most sensitive chi-square check alone detects with probability 0.9.

        Without a chi-square check (all outcomes in one class): the smallest shift of a distribution function that a
        Kolmogorov–Smirnov check detects.
        """
        squares = [check.detectable for check in self.checks if check.test == "chi²"]
        return min(squares or (check.detectable for check in self.checks), default=np.inf)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Standardised residuals of the classes of the first check. For a measured curve, which has no classes, the adjusted
        p-value of each check and the limit."""
        from randwalk.laws.plotting import COLOURS, axes

        ax = axes(ax)
        if not self.outcomes:
            ax.semilogy(self.adjusted, "o", ms=3, color=COLOURS["data"])
            ax.axhline(self.alpha, color="0.5", lw=0.8)
            ax.set(xlabel="check", ylabel="adjusted p-value")
            return ax
        observed, expected = self.outcomes[0].merged()
        ax.axhspan(-2, 2, color="0.9", lw=0)
        ax.plot((observed - expected) / np.sqrt(expected), ".", color=COLOURS["walk"])
        ax.set(xlabel=f"class ({self.outcomes[0].name})", ylabel="residual / standard error")
        return ax

    def __repr__(self) -> str:
        verdict = "passed" if self.passed else "FAILED"
        lines = [f"Comparison {verdict}: smallest Holm-adjusted p = {self.p_value:.3g}, limit {self.alpha:g}"]
        lines += [
            f"  {c.name}: {c.test} = {c.statistic:.4g} on {c.freedom}, p = {c.p_value:.3g}, sees a bias of {c.detectable:.2g}"
            for c in self.checks
        ]
        return "\n".join(lines)


@once_positional("alpha")
def compare(observed: Any, expected: Any, *, alpha: float = FALSE_ALARMS) -> Comparison:
    """Test a sample against a law.

    Parameters
    ----------
    observed : Ensemble, ItoEnsemble, or measured data (:class:`randwalk.FirstPassageTimes`, :class:`MeasuredCounts`,
        :class:`MeasuredCurve`)
    expected : a law, or for measured data a :class:`randwalk.Fit`
        Of a fit, the law at its estimates, by chi-square alone, whose degrees of freedom are less by the number of fitted
        parameters. An :class:`~randwalk.pde.ExactLaw` is compared site by site; any other law bin by bin. An Itô walk has the law of its
        equation up to the error of its step, which must be small against the statistical one, or a check will find it.
    alpha : float
        The family-wise false-alarm rate over all checks of this comparison.

    Returns
    -------
    Comparison
        with for every recorded time Pearson's chi-square over classes of at least 25 expected counts, which are neighbours in
        space, and the Kolmogorov–Smirnov distance of ordered outcomes: the places, beyond one dimension those along each axis
        and the distances from the start. On a lattice the latter's p-value is an upper bound.

    Raises
    ------
    ValueError, TypeError
        for an `alpha` outside (0, 1), an `observed` that is no sample, an ensemble and a law on different domains, a law that
        was not computed at a time of the ensemble, and an exact law on other sites.

    Examples
    --------
    >>> import randwalk as rw
    >>> walk = rw.LatticeWalk(0.5, 0.5, dx=1.0, dt=1.0)
    >>> compare(rw.simulate(walk, 10**6, [100], seed=1), rw.pde.exact_law(walk, [100])).passed
    True
    """
    alpha = number("alpha", alpha)
    if not 0.0 < alpha < 1.0:
        raise ValueError(f"alpha = {alpha}: must lie between 0 and 1")
    fitted = 0
    if isinstance(expected, Fit):
        observed, expected, fitted = _under(observed, expected)
    if hasattr(observed, "checks"):
        if not callable(expected):
            raise TypeError(f"expected = {shown(expected)} is no curve by start and times: give observed.law_of(walk)")
        return Comparison(tuple(observed.checks(expected, fitted)), (), alpha)
    if isinstance(observed, (Ensemble, ItoEnsemble)):
        if not (hasattr(expected, "mass") and hasattr(expected, "absorbed")):
            remedy = "give rw.pde.exact_law(walk, times), rw.pde.solve(equation, times) or rw.pde.closed_form(equation)"
            raise TypeError(f"expected = {shown(expected)} is not a law: {remedy}")
        check_comparable(observed, expected)
        outcomes = ensemble_outcomes(observed, expected)
    elif hasattr(observed, "outcomes"):
        if not hasattr(expected, "mass"):
            raise TypeError(f"expected = {shown(expected)} is not a law: give observed.law_of(walk)")
        outcomes = observed.outcomes(expected)
    elif isinstance(observed, FirstPassageTimes):
        if not hasattr(expected, "absorbed"):
            raise TypeError(f"expected = {shown(expected)} is not a law: give rw.pde.closed_form(equation) or rw.pde.solve(…)")
        parts = observed.classes(expected, together=fitted > 0)
        outcomes = [Outcomes(*part, tests=TESTS if part[0].startswith("times") else TESTS[:1]) for part in parts]
    else:
        raise TypeError(f"observed = {shown(observed)}: give an Ensemble or measured data; the law goes second")
    if fitted:
        checks = [_fitted_chi_square(o, fitted) for o in outcomes]
    else:
        checks = [check for o in outcomes for test in o.tests if (check := MADE[test](o)) is not None]
    return Comparison(tuple(checks), tuple(outcomes), alpha)


def _under(observed: Any, fit: Fit) -> tuple[Any, Any, int]:
    """(the data, what a fit expects of them, the number of its parameters)."""
    if not hasattr(observed, "law_in"):
        raise TypeError(f"observed = {shown(observed)}: a fit is compared with measured data, as those in fit.data")
    known = observed.resolved(fit.parameters)
    return known, known.law_in(fit.laws), len(fit.names)


def _fitted_chi_square(outcomes: Outcomes, fitted: int) -> Check:
    """Pearson's chi-square with `fitted` degrees of freedom less (Fisher 1924), which classes must be enough for."""
    found = chi_square(outcomes)
    freedom = 0 if found is None else found.freedom - fitted
    if found is None or freedom < 1:
        classes = 1 if found is None else found.freedom + 1
        raise ValueError(
            f"{outcomes.name}: {classes} classes of {outcomes.least:g} expected counts do not test a law with {fitted} fitted "
            f"parameters: that takes {fitted + 2}; fit fewer, or count more"
        )
    p_value = float(stats.chi2.sf(found.statistic, freedom))
    return replace(found, freedom=freedom, p_value=p_value, detectable=detectable(freedom, outcomes.total))


def ensemble_outcomes(ensemble: Ensemble | ItoEnsemble, law: Law[Any]) -> list[Outcomes]:
    """For every recorded time, the places of the survivors and the exits; and the passages, if they were recorded."""
    result = []
    for row, t in enumerate(ensemble.times.tolist()):
        exits = ensemble.domain.open_exits(ensemble.walk.killing != Constant(0.0))
        left = ensemble.gone[row].copy()
        gone = np.array(
            [float(exact(law.absorbed(exit, t))) if exit in exits else 0.0 for exit in ensemble.domain.exits]
        )
        if isinstance(ensemble, ItoEnsemble):
            if not ensemble.bins.joint:
                continue
            seen = _in_bins(ensemble, law, t)
            left = np.append(left, ensemble.outside[row])
            gone = np.append(gone, max(0.0, 1.0 - gone.sum() - seen.probabilities.sum()))
        else:
            seen = _by_sites(ensemble, law, t) if isinstance(law, ExactLaw) else _by_bins(ensemble, law, t)
            left[0] += ensemble.leaked[row]
        result += _of_places(seen, left, gone, _centre(ensemble), f"t = {t:g}")
    for record in ensemble.records.values():
        if isinstance(record, Passages):
            result.append(_passages(record, law, ensemble.domain))
    return result


@dataclass(frozen=True, eq=False)
class Seen:
    """Counts of walkers and their probabilities on a product of places, shape (places of each axis)."""

    places: tuple[Floats, ...]
    axes: tuple[Axis, ...]
    counts: NDArray[np.int64]
    probabilities: Floats

    def map(self, change: Callable[[Any], Any]) -> Pair:
        """The changed counts and the changed probabilities."""
        return change(self.counts), change(self.probabilities)


def _of_places(seen: Seen, left: NDArray[np.int64], gone: Floats, centre: list[float], when: str) -> list[Outcomes]:
    """The outcomes of one time: classes in Morton's order between the exits; beyond one dimension also the places along each
    axis, and their distances from the centre of the start, which have an order."""
    order = morton(seen.counts.shape)
    dimension = len(seen.places)
    labels = seen.places[0] if dimension == 1 else np.arange(order.size, dtype=np.float64)

    def outcomes(name: str, labels: Floats, inside: Pair, ends: tuple[int, int], tests: Tests) -> Outcomes:
        """The outcomes of walkers inside, with the two exits `ends` at either end, and the other exits after them."""
        (low, high), (counts, p) = ends, inside
        others = [way for way in range(left.size) if way not in ends]
        observed, expected = (
            np.concatenate([values[[low]], inner, values[[high, *others]]])
            for values, inner in ((left, counts), (gone, p))
        )
        names = np.concatenate([[-np.inf], labels, [np.inf], np.full(len(others), np.nan)])
        return Outcomes(f"{name} at {when}", names, observed, expected, tests=tests)

    flat = seen.map(lambda values: values.ravel()[order])
    result = [outcomes("places", labels, flat, (0, 1), TESTS if dimension == 1 else TESTS[:1])]
    if dimension == 1:
        return result
    for axis, places in enumerate(seen.places):
        sums = seen.map(lambda values, axis=axis: summed(values, (axis,)))  # type: ignore[misc]
        result.append(outcomes(coordinate(axis), places, sums, (2 * axis, 2 * axis + 1), TESTS[1:]))
    distances, number = by_distance(seen.places, seen.axes, centre)
    sums = seen.map(lambda values: _gathered(values.ravel(), number))
    return [*result, outcomes("distance from the start", distances, sums, (0, 1), TESTS[1:])]


def _gathered(values: np.ndarray, number: NDArray[np.int64]) -> np.ndarray:
    """Sums of the values of each number."""
    total = np.zeros(int(number.max(initial=0)) + 1, dtype=values.dtype)
    np.add.at(total, number, values)
    return total


def _centre(ensemble: Ensemble | ItoEnsemble) -> list[float]:
    """The mean place of the start, of an Itô walk the middle."""
    if isinstance(ensemble, ItoEnsemble):
        return [0.5 * (low + high) for low, high in ensemble.walk.start.bounds]
    table = ensemble.table
    cells, masses = start_index(table)
    numbers = table.layout.numbers(cells)
    weights = masses / masses.sum()
    return [float(lattice.x(k) @ weights) for lattice, k in zip(table.lattices, numbers, strict=True)]


def _by_sites(ensemble: Ensemble, law: ExactLaw, t: float) -> Seen:
    sample, atoms = ensemble._at(t), law._at(t)
    numbers: tuple[list[Any], list[Any]] = ([], [])
    places = []
    for axis, dx in enumerate(sample.support.spacings):
        x, other, apart = sample.places[axis], atoms.places[axis], atoms.support.spacings[axis]
        mine, theirs = ((sites - x[0]) / dx for sites in (x, other))
        scale = max(1.0, float(np.abs(theirs).max()))
        if abs(apart - dx) * theirs.size > 1e-6 * dx or abs(theirs[0] - np.rint(theirs[0])) > 1e-6 * min(scale, 1e3):
            name = coordinate(axis)
            raise ValueError(
                f"expected is a law on sites {apart:g} apart, one of them at {name} = {other[0]:.9g}, and observed walked on "
                f"sites {dx:g} apart, one of them at {name} = {x[0]:.9g}: compare with "
                "rw.pde.exact_law(observed.walk, observed.times), or with expected.smoothed()"
            )
        both = [np.rint(k).astype(np.int64) for k in (mine, theirs)]
        if sample.support.axes[axis].periodic:
            both = [k % x.size for k in both]
        first = min(int(k.min()) for k in both)
        for known, k in zip(numbers, both, strict=True):
            known.append(k - first)
        places.append(x[0] + dx * np.arange(first, max(int(k.max()) for k in both) + 1))
    shape = tuple(x.size for x in places)
    counts, probabilities = np.zeros(shape, dtype=np.int64), np.zeros(shape)
    counts[np.ix_(*numbers[0])] = sample.counts
    probabilities[np.ix_(*numbers[1])] = atoms.p
    return Seen(tuple(places), sample.support.axes, counts, probabilities)


def _by_bins(ensemble: Ensemble, law: Law[Any], t: float) -> Seen:
    sample = ensemble._at(t)
    support, edges = sample.support, sample.bins()
    places = [0.5 * (e[1:] + e[:-1]) for e in edges]
    cuts = edges[0] if sample.dimension == 1 else edges
    counts, probabilities = support.binned(sample.counts, cuts), exact(law.mass(cuts, t))
    for axis, kind in enumerate(support.axes):
        if kind.periodic:  # the first and the last bin are one, on either side of the seam
            counts, probabilities = (_joined(values, axis) for values in (counts, probabilities))
            places[axis] = places[axis][:-1]
    return Seen(tuple(places), support.axes, counts, probabilities)


def _in_bins(run: ItoEnsemble, law: Law[Any], t: float) -> Seen:
    edges = tuple(map(np.array, run.bins.edges))
    cuts = edges[0] if run.dimension == 1 else edges
    places = tuple(0.5 * (e[1:] + e[:-1]) for e in edges)
    return Seen(places, run.domain.axes, run.bin_counts(cuts, t), exact(law.mass(cuts, t)))


def _joined(values: np.ndarray, axis: int) -> np.ndarray:
    """The values with the last of an axis added to the first."""
    rows = np.moveaxis(values, axis, 0).copy()
    rows[0] += rows[-1]
    return np.moveaxis(rows[:-1], 0, axis)


def _passages(record: Passages, law: Law[Any], domain: Domain) -> Outcomes:
    """The walkers that left by each exit, in classes of time, and the survivors."""
    edges = np.unique(np.linspace(0, record.times.size - 1, MOST_CLASSES).astype(np.int64))
    counts, probabilities = [], []
    for way, exit in enumerate(domain.exits):
        if not record.counts[:, way].any():
            continue
        counts.append(np.add.reduceat(record.counts[:, way], np.append(0, edges[:-1] + 1)))
        probabilities.append(np.diff(exact(law.absorbed(exit, record.times[edges])), prepend=0.0))
    observed = np.concatenate([*counts, [0]]).astype(np.int64)
    observed[-1] = record.walkers - observed.sum()
    expected = np.concatenate([*probabilities, [0.0]])
    expected[-1] = 1.0 - expected.sum()
    return Outcomes("passage sides and times", np.arange(observed.size, dtype=np.float64), observed, expected)


def chi_square(outcomes: Outcomes) -> Check | None:
    """Pearson's chi-square over merged classes; None for fewer than two classes."""
    observed, expected = outcomes.merged()
    if observed.size < 2:
        return None
    statistic = float(((observed - expected) ** 2 / expected).sum())
    freedom = observed.size - 1
    return Check(
        outcomes.name,
        "chi²",
        statistic,
        freedom,
        float(stats.chi2.sf(statistic, freedom)),
        detectable(freedom, outcomes.total),
    )


def kolmogorov_smirnov(outcomes: Outcomes) -> Check | None:
    """The largest difference of the two distribution functions, at the atoms.

    For atoms Kolmogorov's limit law is an upper bound of the p-value (Noether, Metrika 7, 115, 1963), so the false-alarm
    rate stays below the stated one. The detectable bias is the shift of the distribution function detected with probability 0.9.
    """
    n = outcomes.total
    if n < 1 or outcomes.observed.size < 2:
        return None
    distance = float(np.abs(np.cumsum(outcomes.observed) / n - np.cumsum(outcomes.expected)).max())
    statistic = np.sqrt(n) * distance
    return Check(
        outcomes.name, "KS", statistic, n, float(special.kolmogorov(statistic)),
        float((special.kolmogi(FALSE_ALARMS) + stats.norm.isf(0.1) / 2.0) / np.sqrt(n)),
    )  # fmt: skip


MADE = dict(zip(TESTS, (chi_square, kolmogorov_smirnov), strict=True))


def gather(comparisons: Sequence[Comparison], alpha: float = FALSE_ALARMS) -> Comparison:
    """Several comparisons as one family of tests."""
    return Comparison(
        tuple(check for c in comparisons for check in c.checks),
        tuple(o for c in comparisons for o in c.outcomes),
        alpha,
    )
