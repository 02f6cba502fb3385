"""Statistical tests of a sample against a law: observed counts against expected probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special, stats

from randwalk.data.first_passage import FirstPassageTimes
from randwalk.data.samples import Samples
from randwalk.ensemble import Ensemble
from randwalk.inputs.arguments import number
from randwalk.inputs.keywords import once_positional
from randwalk.inputs.wording import shown
from randwalk.ito_ensemble import ItoEnsemble
from randwalk.laws.law import Law
from randwalk.likelihood.fit import Fit
from randwalk.model.coefficient import Floats

from .check import Check as Check
from .comparable import check_comparable
from .measured_tracks import MeasuredTracks
from .outcomes import TESTS as TESTS
from .outcomes import Outcomes as Outcomes
from .outcomes import ensemble_outcomes
from .p_values import chi_square_p, distance_p
from .passage_times import passage_outcomes, under
from .plain_samples import sample_outcomes
from .power import detectable, holm
from .two_samples import SAMPLES, pairs

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FEWEST = 2.0  # counts expected in a class, where there are not enough for two classes with more
FALSE_ALARMS = 1e-3  # the probability that any check of a family fails although everything is right


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

    def _repr_html_(self) -> str:
        from randwalk.laws.plotting import in_notebook

        return in_notebook(repr(self), self.plot)

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
    observed : Ensemble, ItoEnsemble, Samples, or measured data (:class:`randwalk.FirstPassageTimes`, :class:`MeasuredCounts`,
        :class:`MeasuredCurve`)
    expected : a law, for an ensemble or samples another such sample, or for measured data a :class:`randwalk.Fit`
        Of a fit, the law at its estimates, by chi-square alone, whose degrees of freedom are less by the number of fitted
        parameters. An :class:`~randwalk.pde.ExactLaw` is compared site by site; any other law bin by bin. An Itô walk has the law
        of its equation up to the error of its step, which must be small against the statistical one, or a check will find it.
    alpha : float
        The family-wise false-alarm rate over all checks of this comparison.

    Returns
    -------
    Comparison
        with for every recorded time Pearson's chi-square over classes of at least 25 expected counts, which are neighbours in
        space, and the Kolmogorov–Smirnov distance of ordered outcomes: the places, beyond one dimension those along each axis
        and the distances from the start. On a lattice the latter's p-value is an upper bound. Where classes expect fewer counts
        (measured data; fewer than 200 samples) the p-value of chi-square is that of their multinomial law.

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
        observed, expected, fitted = under(observed, expected)
    if hasattr(observed, "checks"):
        if not callable(expected):
            raise TypeError(f"expected = {shown(expected)} is no curve by start and times: give observed.law_of(walk)")
        return Comparison(tuple(observed.checks(expected, fitted)), (), alpha)
    if isinstance(observed, SAMPLES) and isinstance(expected, SAMPLES):
        return Comparison(tuple(check for pair in pairs(observed, expected) for check in pair.checks()), (), alpha)
    if isinstance(observed, (Ensemble, ItoEnsemble)):
        if not (hasattr(expected, "mass") and hasattr(expected, "absorbed")):
            remedy = "give rw.pde.exact_law(walk, times), rw.pde.solve(equation, times) or rw.pde.closed_form(equation)"
            raise TypeError(f"expected = {shown(expected)} is not a law: {remedy}")
        check_comparable(observed, expected)
        outcomes = ensemble_outcomes(observed, expected)
    elif isinstance(observed, Samples):
        if not isinstance(expected, Law):
            remedy = "give rw.pde.exact_law(walk, times), rw.pde.closed_form(equation), or other Samples"
            raise TypeError(f"expected = {shown(expected)} is not a law: {remedy}")
        outcomes = sample_outcomes(observed, expected)
    elif isinstance(observed, MeasuredTracks):
        outcomes = observed.outcomes(expected)
    elif hasattr(observed, "outcomes"):
        if not hasattr(expected, "mass"):
            raise TypeError(f"expected = {shown(expected)} is not a law: give observed.law_of(walk)")
        outcomes = observed.outcomes(expected)
    elif isinstance(observed, FirstPassageTimes):
        outcomes = passage_outcomes(observed, expected, together=fitted > 0)
    else:
        raise TypeError(
            f"observed = {shown(observed)}: give an Ensemble, Samples or measured data; the law goes second"
        )
    if fitted:
        return Comparison(tuple(_fitted_chi_square(o, fitted) for o in outcomes), tuple(outcomes), alpha)
    checks = [check for o in outcomes for test in o.tests if (check := _made(test, o)) is not None]
    return Comparison(tuple(checks), tuple(outcomes), alpha)


def _fitted_chi_square(outcomes: Outcomes, fitted: int) -> Check:
    """Pearson's chi-square with `fitted` degrees of freedom less (Fisher 1924), which there must be classes enough for."""
    found = chi_square(outcomes)
    freedom = 0 if found is None else found.freedom - fitted
    if found is None or freedom < 1:
        raise ValueError(
            f"{outcomes.name}: {1 if found is None else found.freedom + 1} classes of {outcomes.least:g} expected counts do not "
            f"test a law with {fitted} fitted parameters, which takes {fitted + 2}: fit fewer, or count more"
        )
    p_value = float(stats.chi2.sf(found.statistic, freedom))
    return replace(found, freedom=freedom, p_value=p_value, detectable=detectable(freedom, outcomes.total))


def chi_square(outcomes: Outcomes) -> Check | None:
    """Pearson's chi-square over merged classes; None for fewer than two classes.

    Of so few observations that only one class would expect as many as it should, classes expect FEWEST. The p-value of small
    counts is that of their multinomial law (:func:`randwalk.validate.p_values.chi_square_p`).
    """
    observed, expected = outcomes.merged()
    if observed.size < 2:
        observed, expected = replace(outcomes, least=min(outcomes.least, FEWEST)).merged()
    if observed.size < 2:
        return None
    statistic = float(((observed - expected) ** 2 / expected).sum())
    freedom = observed.size - 1
    return Check(
        outcomes.name,
        "chi²",
        statistic,
        freedom,
        chi_square_p(statistic, expected),
        detectable(freedom, outcomes.total),
    )


def kolmogorov_smirnov(outcomes: Outcomes) -> Check | None:
    """The largest difference of the two distribution functions, at the atoms.

    The p-value is that of a continuous law, exact for small samples; for atoms it is an upper bound (Noether, Metrika 7, 115,
    1963), so the false-alarm rate stays below the stated one. The detectable bias is the shift of the distribution function
    detected with probability 0.9.
    """
    n = outcomes.total
    if n < 1 or outcomes.observed.size < 2:
        return None
    distance = float(np.abs(np.cumsum(outcomes.observed) / n - np.cumsum(outcomes.expected)).max())
    statistic = np.sqrt(n) * distance
    return Check(
        outcomes.name, "KS", float(statistic), n, distance_p(distance, n),
        float((special.kolmogi(FALSE_ALARMS) + stats.norm.isf(0.1) / 2.0) / np.sqrt(n)),
    )  # fmt: skip


def impossible(outcomes: Outcomes) -> Check:
    """Observations of what has probability 0, of which one is enough."""
    count = int(outcomes.observed[outcomes.expected == 0.0].sum())
    return Check(outcomes.name, "exact", float(count), outcomes.total, 0.0 if count else 1.0, 1.0 / outcomes.total)


def _made(test: str, outcomes: Outcomes) -> Check | None:
    if test == "impossible":
        return impossible(outcomes)
    return chi_square(outcomes) if test == TESTS[0] else kolmogorov_smirnov(outcomes)


def gather(comparisons: Sequence[Comparison], alpha: float = FALSE_ALARMS) -> Comparison:
    """Several comparisons as one family of tests."""
    return Comparison(
        tuple(check for c in comparisons for check in c.checks),
        tuple(o for c in comparisons for o in c.outcomes),
        alpha,
    )
