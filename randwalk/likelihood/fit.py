"""Parameters of a model from data, by maximum likelihood."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from randwalk.data.datum import Datum
from randwalk.data.tracks import Tracks
from randwalk.inputs.arguments import number
from randwalk.inputs.wording import did_you_mean, shown
from randwalk.laws.estimate import Estimate
from randwalk.model.coefficient import Floats

from .figure import SIZE, drawn
from .flat import endless, flat_directions, sentence
from .information import Information, information
from .maximum import climbed, refined
from .model import Model, starting_values
from .objective import Bounds, Objective
from .profile import Profile, profiled

if TYPE_CHECKING:
    import xarray
    from matplotlib.figure import Figure

AT_BOUND = 1e-3  # of a first step: a parameter so near its bound is on it
CHAINS, DRAWS = 4, 1000  # of the normal law of the estimates: ArviZ wants chains, which are independent here throughout


@dataclass(frozen=True, eq=False, repr=False)
class Fit:
    """Estimates of parameters by maximum likelihood. Made by :func:`fit`.

    Attributes
    ----------
    data : tuple of data
    names : tuple of str
        The free parameters.
    values : (free,) array
        Their maximum-likelihood estimates.
    covariance : (free, free) array
        The inverse of the observed information. Infinite on the diagonal, and NaN beside it, for parameters that the data do not
        determine; NaN for those on a bound, or at the end of what the model admits.
    log_likelihood : float
        log L at the maximum, of all data together.
    fixed : dict
        The other parameters.
    notes : tuple of str
        Sentences about what the data do not determine, and parameters on a bound; none if all is well.
    evaluations : int
        How often the likelihood was computed.
    """

    data: tuple[Datum, ...]
    names: tuple[str, ...]
    values: Floats
    covariance: Floats
    log_likelihood: float
    fixed: Mapping[str, float]
    notes: tuple[str, ...]
    evaluations: int
    objective: Objective
    information: Information
    steps: Floats

    @property
    def errors(self) -> Floats:
        """The standard errors, shape (free,)."""
        return np.sqrt(np.diag(self.covariance))

    @property
    def estimates(self) -> dict[str, Estimate]:
        """The free parameters with their standard errors, by name."""
        return {name: Estimate(v, e) for name, v, e in zip(self.names, self.values, self.errors, strict=True)}

    @property
    def parameters(self) -> dict[str, float]:
        """All parameters of the model and the data, the free ones at their estimates."""
        return self.objective.parameters(self.values)

    @property
    def correlation(self) -> Floats:
        """The correlations of the estimates, shape (free, free)."""
        with np.errstate(invalid="ignore"):
            return self.covariance / np.outer(self.errors, self.errors)

    @property
    def observations(self) -> int:
        """The number of observations."""
        return sum(datum.size for datum in self.data)

    @property
    def aic(self) -> float:
        """Akaike's criterion 2k - 2 log L, for k free parameters: of models of the same data, the lower is the better."""
        return 2.0 * len(self.names) - 2.0 * self.log_likelihood

    @property
    def model(self) -> Any:
        """What the model makes of the estimates: a problem, walk, equation or law."""
        return self.objective.model.made(self.parameters)

    @property
    def laws(self) -> Any:
        """The laws at the estimates: ``laws.at(times)`` is a :class:`randwalk.Law`."""
        return self.objective.laws(self.values)

    def __getitem__(self, name: str) -> Estimate:
        return self.estimates[self._known(name)]

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def profile(self, name: str, *, level: float = 0.95) -> Profile:
        """The profile likelihood of a free parameter, with the interval that covers its true value with probability `level`.

        Unlike estimate ± errors it follows the likelihood where that is no parabola; the two agree for many observations.
        """
        level = number("level", level)
        if not 0.0 < level < 1.0:
            raise ValueError(f"level = {level:g}: must lie between 0 and 1")
        at = self.names.index(self._known(name))
        error, step = float(self.errors[at]), float(self.steps[at])
        return profiled(self.objective, self.values, self.information, error, at, level, step)

    def interval(self, name: str, *, level: float = 0.95) -> tuple[float, float]:
        """The ends of the profile interval of a free parameter."""
        return self.profile(name, level=level).interval

    def plot(self) -> Figure:
        """A figure of the data, the fit, and the residuals in standard errors, a column for each datum."""
        import matplotlib.pyplot as plt

        return self._drawn(plt.figure(figsize=self._size, layout="constrained"))

    @property
    def _size(self) -> tuple[float, float]:
        return SIZE[0] * len(self.data), SIZE[1]

    def _drawn(self, figure: Figure) -> Figure:
        laws, parameters = self.laws, self.parameters
        parts = [(datum.axes, datum.series(laws, parameters)) for datum in self.data]
        return drawn(figure, parts, "\n".join(f"{name} = {rounded(value)}" for name, value in self.estimates.items()))

    def to_xarray(self, *, draws: int = DRAWS, seed: int = 1) -> xarray.Dataset:
        """Draws of the estimates from their normal law, as a Dataset that ArviZ reads: a variable for each free parameter, with
        the dimensions chain (4 of independent draws) and draw.

        It is the law of the errors for many observations, or the posterior of a flat prior to the same order; no sampler has run.
        Estimates, errors, fixed parameters and log L are in ``attrs``.

        Raises
        ------
        ValueError
            if the covariance is not known: some parameter is not determined, or on a bound.
        """
        try:
            import xarray
        except ImportError:
            raise ImportError('to_xarray needs xarray: pip install "randwalk-pde[io]"') from None
        if not np.isfinite(self.covariance).all():
            raise ValueError(f"there is no normal law of the estimates: {'; '.join(self.notes)}")
        normal = np.random.default_rng(seed)
        columns = normal.multivariate_normal(self.values, self.covariance, (CHAINS, draws), method="cholesky")
        return xarray.Dataset(
            {name: (("chain", "draw"), columns[..., i]) for i, name in enumerate(self.names)},
            coords={"chain": np.arange(CHAINS), "draw": np.arange(draws)},
            attrs={
                "log_likelihood": self.log_likelihood, "observations": self.observations,
                "inference_library": "randwalk", "sampling": "normal law of the maximum-likelihood estimates",
                **{f"estimate_{name}": float(v) for name, v in zip(self.names, self.values, strict=True)},
                **{f"error_{name}": float(e) for name, e in zip(self.names, self.errors, strict=True)},
                **{f"fixed_{name}": float(v) for name, v in self.fixed.items()},
            },
        )  # fmt: skip

    def _known(self, name: str) -> str:
        if name not in self.names:
            raise KeyError(
                f"{shown(name)}: the free parameters are {', '.join(self.names)}{did_you_mean(name, self.names)}"
            )
        return name

    def _repr_html_(self) -> str:
        from matplotlib.figure import Figure

        from randwalk.laws.plotting import figure_in_notebook

        return figure_in_notebook(repr(self), self._drawn(Figure(figsize=self._size, layout="constrained")))

    def __repr__(self) -> str:
        size = f"{len(self.names)} parameter{'s' * (len(self.names) > 1)}, {self.observations} observations"
        lines = [f"Fit({size}, log L = {self.log_likelihood:.2f}, AIC = {self.aic:.2f})"]
        lines += [f"  {name} = {rounded(value)}" for name, value in self.estimates.items()]
        if self.fixed:
            lines.append("  fixed: " + ", ".join(f"{name} = {value:g}" for name, value in self.fixed.items()))
        return "\n".join(lines + [f"  {note}" for note in self.notes])


def rounded(estimate: Estimate) -> str:
    """An estimate to the second digit of its error."""
    value, error = float(estimate), float(estimate.error)
    if not 0.0 < error < np.inf:
        return f"{value:.6g} ± {error:.2g}"
    digits = 1 - int(np.floor(np.log10(error)))
    if 0 <= digits <= 6:
        return f"{value:.{digits}f} ± {error:.{digits}f}"
    return f"{value:.{max(2, digits + int(np.floor(np.log10(abs(value) or error))) + 1)}g} ± {error:.2g}"


def fit(
    data: Any,
    model: Any,
    free: Sequence[str] | Mapping[str, float] | str | None = None,
    *,
    bounds: Mapping[str, tuple[float | None, float | None]] | None = None,
    tolerance: float | None = None,
) -> Fit:
    """Estimate parameters of a model from data, by maximum likelihood.

    Parameters
    ----------
    data : a datum, or several of them, which are fitted together
        :class:`randwalk.FirstPassageTimes`, and of :mod:`randwalk.validate` :class:`MeasuredCounts`, :class:`MeasuredCurve`,
        :class:`MeasuredTracks`, and :class:`Samples`, the places of walkers at one time.
    model : Problem or function
        A problem with a table ``[parameters]``, or a function of parameters by name that returns a walk, a
        :class:`randwalk.pde.FokkerPlanck` equation, or a law. Walks stand for the law of their equation: a closed form where
        there is one, else finite differences.
    free : names, or starting values by name
        The parameters to fit; all if left out. Values to start from are those given here, else those of the problem, or the
        defaults of the function.
    bounds : {name: (low, high)}, optional
        None for no bound. A model may also refuse parameters with a ValueError: the search then stays where it does not.
    tolerance : float
        Of finite differences, 1e-5 if left out; see :func:`randwalk.pde.solve`.

    Returns
    -------
    Fit
        with standard errors from the observed information, the curvature of log L at the maximum.

    Warns
    -----
    UserWarning
        if the data do not determine the parameters, with the direction along which log L stays the same. It is in ``notes`` too.

    Raises
    ------
    ValueError
        for unknown names, parameters without a value to start from, and where the data are impossible at the start.

    Notes
    -----
    SciPy's simplex climbs to the maximum from afar and its BFGS refines it in units of the curvature. So it is the
    maximum next to the start: if the likelihood may have several, try several starts and take the best ``log_likelihood``.

    Examples
    --------
    The drift and the diffusion of walkers seen to reach a wall, from 400 passages of known parameters:

    >>> import numpy as np
    >>> import randwalk as rw
    >>> times = np.random.default_rng(1).wald(1.0, 2.0, 400)       # distance 1, drift 1, 2D = 1/2
    >>> def walk(v=0.5, D=0.5):
    ...     beyond = rw.Interval(0.0, np.inf, rw.Absorbing())
    ...     return rw.pde.FokkerPlanck(drift=-v, diffusion=D, domain=beyond, start=1.0)
    >>> fit(rw.FirstPassageTimes(times, "left"), walk)
    Fit(2 parameters, 400 observations, log L = -313.63, AIC = 631.25)
      v = 0.971 ± 0.033
      D = 0.229 ± 0.016
    """
    several = tuple(data) if isinstance(data, (list, tuple)) else (data,)
    for datum in several:
        if isinstance(datum, Tracks):
            raise TypeError(
                f"data = {datum!r}: tracks.fit() finds D, drift and localisation error of tracks; for a model with parameters "
                "of its own give rw.validate.MeasuredTracks(tracks); for another than Brownian motion fit their displacements, "
                "tracks.increments(lag), from a start at 0"
            )
        if not hasattr(datum, "log_likelihood"):
            raise TypeError(
                f"data = {shown(datum)}: must be FirstPassageTimes, or of rw.validate MeasuredCounts, MeasuredCurve, "
                "MeasuredTracks or Samples, or a list of them"
            )
    if not several:
        raise ValueError("data = []: give at least one datum")
    made = Model.of(model, None if tolerance is None else number("tolerance", tolerance))
    known = {name: None for datum in several for name in datum.parameters} | dict(made.parameters)
    names, start = starting_values(known, free)
    if (size := sum(datum.size for datum in several)) < len(names):
        few = f"{size} observation{'s' * (size != 1)}"
        raise ValueError(
            f"{few} cannot determine {len(names)} parameters, {', '.join(names)}: name fewer of them in free"
        )
    limits = _checked_bounds(bounds or {}, names, start)
    values = {name: value for name, value in start.items() if name not in names}
    objective = Objective(several, made, names, values, limits)
    x = np.array([start[name] for name in names])
    if not np.isfinite(objective.asked(x)):
        told = ", ".join(f"{name} = {start[name]:g}" for name in start)
        raise ValueError(
            f"the data are impossible at the start, {told}: give values of free at which all of them can occur"
        )
    return _fitted(objective, x)


def _fitted(objective: Objective, x: Floats) -> Fit:
    """The fit whose search starts at `x`."""
    x, steps = climbed(objective, x, objective.limits)
    edges = _on_edge(objective, x, steps)
    inner = ~_on_bound(objective, x, steps) & np.array([not reason for reason in edges])
    seen = _seen(objective, x, inner)
    found = information(seen, x[inner], steps[inner])
    x[inner] = refined(seen, x[inner], found.basis)
    found = information(seen, x[inner], np.where(found.idle, steps[inner], found.steps))
    flat = flat_directions(seen, x[inner], found)
    names = seen.names
    notes = [sentence(names, x[inner], direction) for direction in flat] or endless(seen, x[inner], found)
    for name, value, within, reason in zip(objective.names, x.tolist(), inner, edges, strict=True):
        if not within:
            place = (
                f"at the end of what the model admits, {value:g} ({reason})" if reason else f"on its bound, {value:g}"
            )
            notes.append(f"{name} is {place}: it has no standard error; profile({name!r}) has an interval")
    covariance = np.full((x.size, x.size), np.nan)
    covariance[np.ix_(inner, inner)] = _without_flat(found.covariance, flat, found)
    for note in notes:
        warnings.warn(note, UserWarning, stacklevel=3)
    whole = found if inner.all() else _whole(found, inner, steps)
    return Fit(
        tuple(objective.data), objective.names, x, covariance, objective(x), dict(objective.values), tuple(notes),
        objective.evaluations + (seen.evaluations if seen is not objective else 0), objective, whole, steps,
    )  # fmt: skip


def _on_bound(objective: Objective, x: Floats, steps: Floats) -> Any:
    """Which parameters stand on a bound; they are put on it."""
    low, high = np.array(objective.limits).T
    at_low, at_high = x - low <= AT_BOUND * steps, high - x <= AT_BOUND * steps
    x[at_low], x[at_high] = low[at_low], high[at_high]
    return at_low | at_high


def _on_edge(objective: Objective, x: Floats, steps: Floats) -> list[str]:
    """For each parameter why the model refuses a little more or less of it; empty where it does not."""
    reasons = [""] * x.size
    for i in range(x.size):
        for side in (AT_BOUND, -AT_BOUND):
            moved = x.copy()
            moved[i] += side * steps[i]
            if not np.isfinite(objective(moved)):
                reasons[i] = reasons[i] or objective.refusal
    return reasons


def _seen(objective: Objective, x: Floats, inner: Any) -> Objective:
    """The objective of the parameters inside their bounds."""
    for name, value, within in zip(objective.names, x.tolist(), inner, strict=True):
        objective = objective if within else objective.without(name, value)
    return objective


def _whole(found: Information, inner: Any, steps: Floats) -> Information:
    """The information of all parameters, those on a bound with their first steps."""
    scaled, errors = np.eye(inner.size), steps.copy()
    scaled[np.ix_(inner, inner)], errors[inner] = found.scaled, found.steps
    return Information(errors, scaled)


def _without_flat(covariance: Floats, flat: Sequence[Floats], found: Information) -> Floats:
    """The covariance, with infinite variances of what takes part in a flat direction."""
    unknown = found.idle.copy()
    for direction in flat:
        share = np.abs(direction) / np.where(found.idle, 1.0, found.steps)
        unknown |= share > 0.02 * share.max()
    covariance = covariance.copy()
    covariance[unknown, :] = covariance[:, unknown] = np.nan
    covariance[unknown, unknown] = np.inf
    return covariance


def _checked_bounds(
    bounds: Mapping[str, tuple[float | None, float | None]], names: Sequence[str], start: Mapping[str, float]
) -> Bounds:
    """Bounds with infinities for None; refused unless they are around the start."""
    checked: dict[str, tuple[float, float]] = {}
    for name, pair in bounds.items():
        if name not in names:
            raise ValueError(
                f"bounds has {shown(name)}: the free parameters are {', '.join(names)}{did_you_mean(name, names)}"
            )
        if not isinstance(pair, (tuple, list)) or len(pair) != 2:
            raise TypeError(f"bounds[{name!r}] = {shown(pair)}: must be a pair (low, high), None for no bound")
        low = -np.inf if pair[0] is None else number(f"bounds[{name!r}]", pair[0])
        high = np.inf if pair[1] is None else number(f"bounds[{name!r}]", pair[1])
        if not low <= start[name] <= high or not low < high:
            raise ValueError(
                f"bounds[{name!r}] = ({low:g}, {high:g}): must be low < high with the start {start[name]:g} between"
            )
        checked[name] = (low, high)
    return checked
