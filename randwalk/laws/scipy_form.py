"""A density of survivors as a distribution of :mod:`scipy.stats`."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
        return self.here.pdf(x.ravel()).reshape(x.shape) / self.total

    def _cdf(self, x: Floats) -> Floats:
        return self.here.cdf(x.ravel()).reshape(x.shape) / self.total

    def _stats(self) -> tuple[float, float, None, None]:
        return float(self.here.mean()), float(self.here.variance()), None, None
