"""The survivors' places as distributions of :mod:`scipy.stats`, which takes long to import."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats

from ..model.coefficient import Floats

if TYPE_CHECKING:
    from .distribution import Distribution


class Survivors(stats.rv_continuous):  # type: ignore[misc]
    """The place of a walker, given that it has not left."""

    def __init__(self, here: Distribution) -> None:
        self.here, self.total = here, here.total()
        super().__init__(a=here.ends[0], b=here.ends[1], name="survivors")

    def _updated_ctor_param(self) -> dict[str, Distribution]:
        """The arguments with which a frozen distribution makes its own copy."""
        return {"here": self.here}

    def _pdf(self, x: Floats) -> Floats:
        return self.here.pdf(np.ravel(x)).reshape(np.shape(x)) / self.total  # scipy's quadrature gives numbers

    def _cdf(self, x: Floats) -> Floats:
        return self.here.cdf(np.ravel(x)).reshape(np.shape(x)) / self.total

    def _stats(self) -> tuple[float, float, None, None]:
        return float(self.here.mean()), float(self.here.variance()), None, None


def discrete(x: Floats, weights: Floats) -> Any:
    """The frozen distribution of the places `x` by their weights."""
    seen = weights > 0.0
    return stats.rv_discrete(values=(x[seen], weights[seen] / weights[seen].sum()))()


def histogram(weights: Floats, edges: Floats) -> Any:
    """The frozen distribution that is uniform between neighbouring `edges`, with these weights."""
    return stats.rv_histogram((weights, edges), density=False)()
