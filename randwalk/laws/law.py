"""What every law of a walker answers, in one way: samples, exact laws, solutions, closed forms, stationary laws, data."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from ..inputs.arguments import finite, finite_numbers
from ..inputs.extras import xarray_for
from ..inputs.wording import shown
from ..model.coefficient import Floats
from ..model.coefficient.variables import coordinate
from .distribution import Distribution
from .estimate import Estimate, plain, stacked
from .lookup import NoAnswer, axis_number, edges_on, points
from .plotting import COLOURS, axes, in_notebook

if TYPE_CHECKING:
    import xarray

    from ..model.domain import Domain

Answer = TypeVar("Answer")


def warn_of_passed() -> None:
    """The warning of the former name, which names the line that calls the caller."""
    warnings.warn("passed is absorbed since 0.4: write absorbed(exit, t)", DeprecationWarning, stacklevel=3)


class Law(ABC, Generic[Answer]):
    """The law of a walker: where it is at a time, and by which exit it has left by then.

    Answers of samples are :class:`randwalk.Estimate`; those of other laws are arrays, or numbers for one time and place.

    **Places.** In one dimension a place is a number. Beyond, it is a point, a tuple of one number or array for each coordinate,
    which broadcast: ``law.pdf((x, y), t)``.

    **Shapes.** Times `t` are a number or an array of any shape. An answer has the shape of `t`, followed by the shape of `x`
    (:meth:`pdf`, :meth:`cdf`) or by the number of bins of each axis (:meth:`mass`), and beyond one dimension by (dimension,) for
    :meth:`mean` and (dimension, dimension) for :meth:`variance`.

    **Times.** :meth:`pdf`, :meth:`cdf`, :meth:`mass`, :meth:`mean`, :meth:`variance` and :meth:`expect` take recorded times, to
    a relative 1e-9, and have no answer at others. :meth:`absorbed` and :meth:`survival` take any time of the run: a lattice walk
    answers with the last step at or before it (an ensemble, if it recorded passages). A law of all times (``times`` None)
    answers at any positive time. Only a stationary law does not need `t`.

    **Exits.** The names in ``exits``: the walls of the domain, its regions that absorb, and "killing". An exit that no walker can
    take (a reflecting wall, killing at rate 0) has probability 0; any other name is a ValueError.

    What a law cannot answer is a :class:`NoAnswer`, a ValueError.

    Attributes
    ----------
    dimension : int
    exits : tuple of str
        The names of the ways out of the domain, in order.
    times : array of shape (times,), or None
        The recorded times; None for a law that answers at any time.
    """

    kind: ClassVar[str]  # of evidence: the name in a legend, and the colour

    if TYPE_CHECKING:  # a property here would stand in the way of a class that keeps its times

        @property
        def times(self) -> Floats | None: ...

    @property
    @abstractmethod
    def domain(self) -> Domain:
        """Where the walker lives."""

    @abstractmethod
    def _at(self, t: float) -> Distribution:
        """The places at one time, which must be a recorded one."""

    @abstractmethod
    def _absorbed(self, exit: str, t: ArrayLike) -> Answer:
        """The probability of having left by an exit of the domain, of the shape of `t`."""

    @abstractmethod
    def _survival(self, t: ArrayLike) -> Answer:
        """The probability of not having left, of the shape of `t`."""

    @property
    def dimension(self) -> int:
        """The number of coordinates of a place."""
        return self.domain.dimension

    @property
    def exits(self) -> tuple[str, ...]:
        """The names of the ways out of the domain, in order: those of its walls and regions, and "killing"."""
        domain = self.domain
        faces = domain.exits[: 2 * domain.dimension]
        return tuple(exit for exit in domain.exits if exit not in faces or domain.face(exit) is not None)

    def survival(self, t: ArrayLike | None = None) -> Answer:
        """The probability of not having left at each of the times `t`, of their shape."""
        return plain(self._survival(self._asked(t)))

    def pdf(self, x: Any, t: ArrayLike | None = None) -> Answer:
        """The density ρ(x, t), in probability per length (area, volume); it integrates to the survival, and is 0 outside the
        domain.

        An atom of a lattice law is spread evenly over its cell: dx wide, or 2dx where a walk lives on every second site.
        """
        places, shape = points(x, self.dimension)
        return self._over(t, lambda now: now.pdf(places).reshape(shape))

    def cdf(self, x: ArrayLike, t: ArrayLike | None = None) -> Answer:
        """The probability of being alive and not above `x` at time `t`; at the high end, the survival. In one dimension.

        Atoms of a lattice law count in full: it is a staircase. That of the cells is the cdf of its ``smoothed()`` law.
        """
        if self.dimension > 1:
            raise NoAnswer(
                f"cdf in {self.dimension} dimensions: places have no order; ask mass(edges, t), or marginal(axis).cdf(x, t)"
            )
        places, shape = points(x, 1)
        return self._over(t, lambda now: now.cdf(places).reshape(shape))

    def mass(self, edges: Any, t: ArrayLike | None = None) -> Answer:
        """The probabilities of the bins between the increasing `edges`, whose ends may be infinite; beyond one dimension `edges`
        is a list of edges for each axis, and the bins are their products.

        Where places are atoms, bins are closed on the left and the last on both sides.
        """
        bounds = edges_on(edges, self.dimension)
        return self._over(t, lambda now: now.mass(bounds))

    def absorbed(self, exit: str, t: ArrayLike | None = None) -> Answer:
        """The probability of having left by the `exit` by each of the times `t`, of their shape."""
        self._check_exit(exit)
        return plain(self._absorbed(exit, self._asked(t)))

    def mean(self, t: ArrayLike | None = None) -> Answer:
        """The mean place of the survivors, beyond one dimension of the shape of `t` + (dimension,); NaN if there are none."""
        return self._over(t, lambda now: now.mean())

    def variance(self, t: ArrayLike | None = None) -> Answer:
        """The variance of the place of the survivors, beyond one dimension their covariance matrix, of the
        shape of `t` + (dimension, dimension); NaN if there are none."""
        return self._over(t, lambda now: now.variance())

    def expect(self, f: Callable[..., ArrayLike], t: ArrayLike | None = None) -> Answer:
        """E[f(X_t); alive] = ∫ f ρ dx, `f` a function f(x), f(x, y), … of the coordinates: walkers that have left count as 0."""
        return self._over(t, lambda now: now.expect(f))

    def marginal(self, axis: int | str = 0) -> Law[Answer]:
        """The law of one coordinate, by the number of its axis or the name of the coordinate; in one dimension, the law itself.

        Its exits are those of the whole law, so that they and the places still sum to 1.
        """
        number = axis_number(axis, self.dimension)
        return self if self.dimension == 1 else Marginal(self, number)

    def plot(self, t: ArrayLike | None = None, ax: Any = None, *, against: Law[Any] | None = None) -> Any:
        """Draw the density at the times `t` (default: the last recorded one) on `ax` or on new axes, which are returned.

        In two dimensions it is a map at one time, whose edges have the colours of their exits; what has left by each is in the
        legend, and what the walker cannot enter is grey. Beyond, there is a map of every pair of coordinates, and `ax` and the
        result are arrays of axes. `against` another law, of which one is a sample, the difference of the probabilities of bins
        in standard errors is drawn, sample minus law.
        """
        given = self._recorded("plot")[-1:] if t is None else self._some(t).ravel()
        if against is not None:
            if not isinstance(against, Law):
                raise TypeError(f"against = {shown(against)}: must be a law")
            from .residuals import draw_residuals

            return draw_residuals(self, against, given.tolist(), ax)
        if self.dimension > 1:
            from .maps import draw_maps

            return draw_maps(self, given.tolist(), ax)
        ax = axes(ax)
        for count, time in enumerate(given.tolist(), start=1):
            self._now(time).draw(ax, color=COLOURS[self.kind], alpha=count / given.size, label=self._label(time))
        ax.set(xlabel=f"position ${self._coordinates[0]}$", ylabel=rf"density $\rho({self._coordinates[0]}, t)$")
        return ax

    def _repr_html_(self) -> str | None:
        """The law with its plot at the last recorded time, where that is one picture."""
        if self.times is None or self.dimension > 2:
            return None
        return in_notebook(repr(self), lambda ax: self.plot(ax=ax))

    def to_xarray(self, t: ArrayLike | None = None) -> xarray.Dataset:
        """Density, survival, absorbed fractions, mean and variance at the times `t` (default: the recorded ones).

        Dimensions are time, x (y, z, …) and exit; beyond one dimension the mean has the dimension axis too, and the variance, a
        covariance matrix, axis and other_axis. Of estimates there are two variables: ``survival`` and ``survival_error``, and so
        on. What the law does not answer is left out.
        """
        made = xarray_for("to_xarray").Dataset
        recorded = self._recorded("to_xarray") if t is None else self._some(t).ravel()
        names, places = self._coordinates, self._now(float(recorded[-1])).places
        here = places[0] if len(names) == 1 else tuple(np.meshgrid(*places, indexing="ij", sparse=True))
        of_axes = () if len(names) == 1 else ("axis", "other_axis")
        questions: dict[str, tuple[tuple[str, ...], Callable[[], Any]]] = {
            "density": (("time", *names), lambda: self.pdf(here, recorded)),
            "survival": (("time",), lambda: self.survival(recorded)),
            "absorbed": (("exit", "time"), lambda: self._by_exit(recorded)),
            "mean": (("time", *of_axes[:1]), lambda: self.mean(recorded)),
            "variance": (("time", *of_axes), lambda: self.variance(recorded)),
        }
        variables: dict[str, Any] = {}
        for name, (dimensions, ask) in questions.items():
            try:
                answer = ask()
            except NoAnswer:
                continue
            if isinstance(answer, Estimate):
                variables[name] = dimensions, answer.value
                variables[f"{name}_error"] = dimensions, answer.error
            else:
                variables[name] = dimensions, answer
        known = dict(zip(names, places, strict=True)) | {axis: list(names) for axis in of_axes}
        data = made(variables, coords={"time": recorded, **known, "exit": list(self.exits)})
        return data.transpose("time", *names, "exit", *of_axes)

    def to_scipy(self, t: float | None = None) -> Any:
        """The distribution of the survivors' places at one time, as a frozen one of :mod:`scipy.stats`.

        Atoms become a discrete distribution, cells a histogram, formulas a continuous distribution. Beyond one dimension there
        is none: SciPy's distributions of several variables are named families.
        """
        time = finite("t", self._asked(t))
        here = self._now(time)
        if not here.total() > 0.0:
            raise NoAnswer(
                f"t = {time:g}: no walker is left, so that survivors have no distribution; take an earlier time"
            )
        return here.to_scipy()

    def passed(self, wall: str, times: ArrayLike) -> Answer:
        """The former name of :meth:`absorbed`."""
        warn_of_passed()
        return self.absorbed(wall, times)

    def _by_exit(self, t: Floats) -> Any:
        """The probabilities of having left by each of the exits, in the order of ``exits``."""
        if not self.exits:
            raise NoAnswer(f"{type(self).__name__} does not say who has left")
        return stacked([self.absorbed(exit, t) for exit in self.exits], (len(self.exits),))

    def _now(self, t: float) -> Distribution:
        """The places at one time; a time that was not recorded is a question without an answer."""
        try:
            return self._at(t)
        except ValueError as error:
            raise NoAnswer(str(error)) from None

    def _check_exit(self, exit: str) -> None:
        self.domain.exit(exit, "exit")

    def _asked(self, t: ArrayLike | None) -> ArrayLike:
        """The times asked for, which must be given unless the law is the same at all times."""
        if t is None:
            raise TypeError("t = None: must be a number or numbers, the times to answer for")
        return t

    def _given(self, t: ArrayLike | None) -> Floats:
        """Times as an array."""
        return finite_numbers("t", self._asked(t))

    def _some(self, t: ArrayLike | None) -> Floats:
        """One time or more, as an array."""
        given = self._given(t)
        if not given.size:
            raise ValueError(f"t = {shown(t)}: give at least one time")
        return given

    def _over(self, t: ArrayLike | None, ask: Callable[[Distribution], Any]) -> Any:
        """The answer at each of the times `t`, in one array or estimate of their shape and that of an answer."""
        given = self._some(t)
        return stacked([ask(self._now(time)) for time in given.ravel().tolist()], given.shape)

    def _recorded(self, question: str) -> Floats:
        if self.times is None:
            raise NoAnswer(f"{type(self).__name__} has no recorded times: give {question}(t) the times")
        return self.times

    def _label(self, t: float) -> str:
        """The entry of a legend."""
        return f"{self.kind}, $t = {t:g}$"

    @property
    def _coordinates(self) -> tuple[str, ...]:
        """The names of the coordinates."""
        return tuple(coordinate(axis) for axis in range(self.dimension))


@dataclass(frozen=True, eq=False, repr=False)
class Marginal(Law[Answer]):
    """The law of one coordinate of a walker in several dimensions; who has left has left by the exits of the `whole` law."""

    whole: Law[Answer]
    axis: int

    @property
    def kind(self) -> str:  # type: ignore[override]
        return self.whole.kind

    @property
    def domain(self) -> Domain:
        return self.whole.domain.axes[self.axis]

    @property
    def exits(self) -> tuple[str, ...]:
        return self.whole.exits

    @property
    def times(self) -> Floats | None:
        return self.whole.times

    def _at(self, t: float) -> Distribution:
        return self.whole._at(t).onto((self.axis,))

    def _absorbed(self, exit: str, t: ArrayLike) -> Answer:
        return self.whole._absorbed(exit, t)

    def _survival(self, t: ArrayLike) -> Answer:
        return self.whole._survival(t)

    def _check_exit(self, exit: str) -> None:
        self.whole._check_exit(exit)

    def _given(self, t: ArrayLike | None) -> Floats:
        return self.whole._given(t)

    def _asked(self, t: ArrayLike | None) -> ArrayLike:
        return self.whole._asked(t)

    @property
    def _coordinates(self) -> tuple[str, ...]:
        return (coordinate(self.axis),)

    def __repr__(self) -> str:
        return f"Marginal({coordinate(self.axis)} of {self.whole})"
