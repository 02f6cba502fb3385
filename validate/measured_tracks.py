"""Measured tracks as something to fit, and to compare with Brownian motion."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from scipy import special

from randwalk.data.brownian import Likelihood
from randwalk.data.datum import Known, Laws, Series, checked_known, named, value_of
from randwalk.data.track_rows import checked_exposure
from randwalk.data.tracks import Tracks
from randwalk.inputs.wording import shown
from randwalk.laws.lookup import NoAnswer
from randwalk.likelihood.laws import laws_of
from randwalk.likelihood.model import TOLERANCE
from randwalk.model.coefficient import Floats

from .outcomes import EXPECTED, TESTS, Outcomes

Innovations: TypeAlias = Callable[[], Floats]
MOST_CLASSES = 40  # of steps
SIDE = 4  # classes of each of two neighbouring steps


@dataclass(frozen=True, eq=False, repr=False)
class MeasuredTracks:
    """Tracks seen with an error, as data for :func:`randwalk.fit` and :func:`compare`.

    The model is Brownian motion with a constant drift on the whole line, plane or space; its start does not matter. The
    likelihood of the steps between observations is exact, also with gaps, an `exposure` and a localisation error
    (:mod:`randwalk.data.brownian`). Unlike :meth:`randwalk.Tracks.fit` a fit keeps σ² ≥ 0 and a drift among its parameters, so
    that D of few steps comes out a little smaller; where positions have no error leave `localisation` out.

    Parameters
    ----------
    tracks : Tracks
    localisation : number or name
        The standard deviation σ of the error of a position along each axis, in the unit of length of the tracks; or the name of
        the parameter that it is, which may be fitted. Its sign does not matter.
    exposure : float
        The time for which the shutter is open in each frame, in the unit of time of the tracks, from 0 to ``tracks.interval``.
    source : str
        Where the data come from.

    Raises
    ------
    ValueError, TypeError
        for an exposure longer than a frame, a negative localisation error, and tracks with too few steps.

    Examples
    --------
    >>> import numpy as np
    >>> import randwalk as rw
    >>> steps = np.random.default_rng(1).normal(0.0, 0.2, (1000, 2))  # D = 0.2²/(2 · 0.1) = 0.2
    >>> tracks = rw.Tracks(None, 0.1 * np.arange(1000), np.cumsum(steps, axis=0))
    >>> def walk(D=0.5):
    ...     return rw.pde.FokkerPlanck((0.0, 0.0), D, domain=rw.Line() ** 2)
    >>> rw.fit(MeasuredTracks(tracks), walk)
    Fit(1 parameter, 1998 observations, log L = 366.70, AIC = -731.39)
      D = 0.2028 ± 0.0064
    """

    tracks: Tracks
    localisation: Known = 0.0
    exposure: float = 0.0
    source: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.tracks, Tracks):
            raise TypeError(f"tracks = {shown(self.tracks)}: must be Tracks, as Tracks.read(file)")
        localisation = checked_known("localisation", self.localisation)
        if not isinstance(localisation, str) and localisation < 0.0:
            raise ValueError(f"localisation = {localisation:g}: must not be negative")
        object.__setattr__(self, "localisation", localisation)
        object.__setattr__(self, "exposure", checked_exposure(self.exposure, self.tracks.interval))
        self._likelihood(np.zeros(self.tracks.dimension), 0.0)

    def _likelihood(self, drift: Floats, localisation: float | None) -> Likelihood:
        return self.tracks.likelihood(self.exposure, drift, localisation)

    @property
    def size(self) -> int:
        """The number of observations: of steps along an axis."""
        return self._likelihood(np.zeros(self.tracks.dimension), 0.0).freedom

    @property
    def parameters(self) -> tuple[str, ...]:
        """The parameters of the measurement: the localisation error, if it is one."""
        return named(self.localisation)

    @property
    def axes(self) -> tuple[str, str]:
        return "lag", "mean square displacement"

    def resolved(self, parameters: Mapping[str, float]) -> MeasuredTracks:
        """The same with the number in place of the name of a parameter."""
        return replace(self, localisation=abs(value_of(self.localisation, parameters)))

    def log_likelihood(self, laws: Laws, parameters: Mapping[str, float]) -> float:
        """That of the steps between successive observations."""
        drift, diffusion = laws.brownian(self.tracks.dimension)
        square = value_of(self.localisation, parameters) ** 2
        return -0.5 * self._likelihood(drift, None).deviance(diffusion, square)

    def series(self, laws: Laws, parameters: Mapping[str, float]) -> list[Series]:
        """The mean square displacement over all windows, whose errors are correlated."""
        drift, diffusion = laws.brownian(self.tracks.dimension)
        square = value_of(self.localisation, parameters) ** 2
        spread = self._likelihood(drift, None).spread(diffusion, square)
        seen = self.tracks.msd(model=(diffusion, drift, spread))

        def expected(lags: Floats) -> Floats:
            return 2.0 * drift.size * (diffusion * lags + spread) + float(drift @ drift) * lags**2

        fine = np.linspace(seen.x[0], seen.x[-1], 201)
        return [
            Series(self.source or "tracks", seen.x, seen.value, expected(seen.x), seen.error, (fine, expected(fine)))
        ]

    def law_in(self, laws: Laws) -> Innovations:
        """Under a model: what is new in each step, in standard deviations, shape (steps, dimension): independent normal numbers
        if it is right."""
        if isinstance(self.localisation, str):
            raise NoAnswer(
                f"localisation = {self.localisation!r} is a parameter: fit it, or give MeasuredTracks a number for it"
            )
        drift, diffusion = laws.brownian(self.tracks.dimension)
        square = self.localisation**2
        return lambda: self._likelihood(drift, None).innovations(diffusion, square)

    def law_of(self, made: Any) -> Innovations:
        """The same under a walk or an equation, for :func:`compare`."""
        return self.law_in(laws_of(made, TOLERANCE))

    def outcomes(self, law: Innovations) -> list[Outcomes]:
        """Steps in classes that are alike likely, and pairs of neighbouring steps, each step in one pair."""
        if not callable(law):
            raise TypeError(f"expected = {shown(law)}: tracks are compared with a fit of them, or data.law_of(walk)")
        found, name = special.ndtr(law()), f"data: {self.source}" if self.source else "data"
        joined = np.append(False, self.tracks.steps.joined)
        number = int(np.clip(found.size / EXPECTED, 2, MOST_CLASSES))
        steps = np.bincount(np.minimum((found.ravel() * number).astype(int), number - 1), minlength=number)
        middles = special.ndtri((np.arange(number) + 0.5) / number)
        result = [Outcomes(f"{name}: steps", middles, steps, np.full(number, 1.0 / number))]
        runs = np.arange(joined.size) - np.maximum.accumulate(np.where(joined, 0, np.arange(joined.size)))
        second = np.flatnonzero(runs % 2 == 1)
        places = np.minimum((found * SIDE).astype(int), SIDE - 1)
        pairs = np.bincount((SIDE * places[second - 1] + places[second]).ravel(), minlength=SIDE * SIDE)
        if pairs.sum() >= EXPECTED * SIDE * SIDE:
            share = np.full(SIDE * SIDE, 1.0 / SIDE**2)
            result.append(
                Outcomes(f"{name}: neighbouring steps", np.arange(SIDE * SIDE) + 0.0, pairs, share, tests=TESTS[:1])
            )
        return result
