"""An assertion for test suites: a sample agrees with a law, or the message says how it does not."""

from __future__ import annotations

from typing import Any

import numpy as np

from randwalk.data.samples import Samples
from randwalk.inputs.keywords import once_positional
from randwalk.laws.law import Law
from randwalk.model.coefficient.variables import coordinate
from randwalk.model.domain import Axis, Line

from .cause import Cause, likely_cause
from .compare import Comparison, compare
from .outcomes import FROM_START, Outcomes
from .plain_samples import OUTSIDE, SUBLATTICE
from .power import LEVEL
from .two_samples import SAMPLES, pairs

STRICT = 1e-6  # with fresh seeds a test of right code fails once in a million runs


@once_positional("alpha")
def assert_agrees(sample: Any, law: Any, *, alpha: float = STRICT) -> Comparison:
    """Assert that a sample is one of a law, or that two samples are of one law.

    Parameters
    ----------
    sample : array of shape (n,) or (n, d), Samples, Ensemble, ItoEnsemble, or measured data
        An array stands for ``Samples(array)``.
    law : a law, or another sample
    alpha : float
        The probability that the assertion fails although they agree.

    Returns
    -------
    Comparison
        of :func:`compare`; its ``detectable`` says what it would have seen.

    Raises
    ------
    AssertionError
        if they disagree. The message has the failed checks and the likely cause, read from the shape of the residuals: a
        *shift*, another *width*, a *wall*, *parity* (every second site), a *tail*, or *dependence* of the coordinates. Of
        :class:`Samples` at several times it says at which they disagree.
    ValueError, TypeError
        as :func:`compare`.

    Examples
    --------
    >>> import numpy as np
    >>> import randwalk as rw
    >>> coin = rw.pde.exact_law(rw.LatticeWalk(right=0.5, left=0.5, dx=1.0, dt=1.0), times=[64])
    >>> mine = 2 * np.random.default_rng(1).binomial(64, 0.5, size=10_000) - 64
    >>> assert_agrees(mine, coin).passed
    True
    >>> assert_agrees(mine + 2, coin)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    AssertionError: sample and law disagree: smallest adjusted p = 9.49e-139, limit 1e-06
      likely cause: shift: the sample lies 2.09 ± 0.08 above the law ...
    """
    observed, expected = (Samples(one) if isinstance(one, (np.ndarray, list, tuple)) else one for one in (sample, law))
    found = compare(observed, expected, alpha=alpha)
    if found.passed:
        return found
    failed = [check for check, p in zip(found.checks, found.adjusted.tolist(), strict=True) if p < alpha]
    told = [
        f"  {c.name}: {c.statistic:.0f} of {c.freedom}"
        if c.test == "exact"
        else f"  {c.name}: {c.test} = {c.statistic:.4g} on {c.freedom}, p = {c.p_value:.3g}"
        for c in failed
    ]
    cause, seen_in = _cause(found, observed, expected)
    when = [f"t = {t:g}" for t in _times(observed, expected)]
    apart = [t[4:] for t in when if any(check.name.endswith(f"at {t}") for check in failed)]
    then = f" at t = {', '.join(apart)}" if apart else ""
    read_at = "".join(f" at {t}" for t in when if seen_in.endswith(f"at {t}"))
    raise AssertionError(
        "\n".join(
            [
                f"sample and law disagree{then}: smallest adjusted p = {found.p_value:.3g}, limit {alpha:g}",
                f"  likely cause{read_at}: {cause}",
                *told,
            ]
        )
    )


def _times(*samples: Any) -> list[float]:
    """The times of plain samples that have several; none of others."""
    several = (one.time.tolist() for one in samples if isinstance(one, Samples) and isinstance(one.x, tuple))
    return next(several, [])


def _cause(found: Comparison, observed: Any, expected: Any) -> tuple[Cause, str]:
    """(the cause that the worst ordered outcomes speak for, their name); impossible ones come first."""
    failed = [c.name for c, p in zip(found.checks, found.adjusted.tolist(), strict=True) if p < found.alpha]
    first = {kind: next((name for name in failed if name.startswith(kind)), None) for kind in (SUBLATTICE, OUTSIDE)}
    if (name := first[SUBLATTICE]) is not None:
        return Cause("parity", "walkers are on sites that the walk is not on after so many steps: look at their number, one too "
                     "many or too few"), name  # fmt: skip
    if (name := first[OUTSIDE]) is not None:
        return Cause("wall", "walkers are outside the domain: look at the place and the kind of the wall"), name
    both = isinstance(observed, SAMPLES) and isinstance(expected, SAMPLES)
    paired = pairs(observed, expected) if both else []
    outcomes = [pair.outcomes for pair in paired] or list(found.outcomes)
    sizes = {pair.outcomes.name: pair.size for pair in paired}
    along = {one.name: one for one in outcomes if "KS" in one.tests and not one.name.startswith(FROM_START)}
    worst = sorted((check for check in found.checks if check.name in along), key=lambda check: check.p_value)
    if not worst or worst[0].p_value > LEVEL:
        together = next((one.name for one in outcomes if one.name in failed), None)
        if together is not None:
            return Cause("dependence", "every coordinate by itself is as expected, and they together are not: look at their "
                         "correlation"), together  # fmt: skip
        return Cause("unknown", "these data have no shape to read it from"), ""
    chosen = along[worst[0].name]
    axis = _axis(chosen, expected if isinstance(expected, Law) else observed)
    return likely_cause(chosen, axis, sizes.get(chosen.name, float(chosen.total))), chosen.name


def _axis(outcomes: Outcomes, law: Any) -> Axis:
    """The axis that the outcomes are places of; a line for what is no place, and where no domain is known."""
    domain = getattr(law, "domain", None)
    if domain is None or outcomes.name.startswith("passage"):
        return Line()
    name = outcomes.name.split(" ")[0]
    axis: Axis = domain.axes[next((i for i in range(domain.dimension) if coordinate(i) == name), 0)]
    return axis
