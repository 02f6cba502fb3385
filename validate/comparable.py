"""Whether an ensemble and a law can be compared."""

from __future__ import annotations

from typing import Any

import numpy as np

from randwalk.ensemble import Ensemble
from randwalk.ito_ensemble import ItoEnsemble
from randwalk.laws.law import Law
from randwalk.model.coefficient import Floats
from randwalk.model.domain import Domain
from randwalk.model.times import row_of


def check_comparable(ensemble: Ensemble | ItoEnsemble, law: Law[Any]) -> None:
    """Refuse a law on another domain, or without a recorded time of the ensemble."""
    domain, other = ensemble.walk.domain, _domain_of(law)
    if other is not None and not _same(domain, other):
        raise ValueError(
            f"expected is a law on {other}, and observed walked on {domain}: give a law on the same domain, as "
            "rw.pde.exact_law(observed.walk, observed.times)"
        )
    if hasattr(law, "equation") and ensemble.times[0] == 0.0:
        raise ValueError(
            "observed recorded t = 0, when the solution of an equation is its start: simulate without that time, or compare "
            "with rw.pde.exact_law(observed.walk, observed.times)"
        )
    times: Floats | None = getattr(law, "times", None)
    if times is None:  # a closed form answers at any time
        return
    for t in ensemble.times.tolist():
        try:
            row_of(t, times)
        except ValueError:
            known = ", ".join(f"{v:.9g}" for v in times[:8]) + (", …" if len(times) > 8 else "")
            raise ValueError(
                f"expected was not computed at t = {t:.12g}, which observed recorded, but at {known}: give observed.times to "
                "it, or run the ensemble at its times"
            ) from None


def _same(first: Domain, second: Domain) -> bool:
    """Whether two domains have the same axes, to rounding, and the same regions."""
    if first.dimension != second.dimension or first.regions != second.regions:
        return False
    for one, other in zip(first.axes, second.axes, strict=True):
        ends = (one.low, one.high, other.low, other.high)
        size = max(abs(end) for end in ends if np.isfinite(end)) if np.isfinite(ends).any() else 0.0
        if one.periodic != other.periodic or not np.isclose(ends[:2], ends[2:], rtol=0.0, atol=1e-9 * size).all():
            return False
    return True


def _domain_of(law: Any) -> Domain | None:
    """The domain of a law, None if the law has none."""
    for holder in (law, getattr(law, "law", None)):
        for name in ("walk", "equation"):
            domain = getattr(getattr(holder, name, None), "domain", None)
            if isinstance(domain, Domain):
                return domain
    return None
