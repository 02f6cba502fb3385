"""The value of an equation's solution at a point, by walks from it (the formula of Feynman and Kac)."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from randwalk.collect import Interrupted
from randwalk.inputs.arguments import one_of
from randwalk.inputs.keywords import user_level
from randwalk.inputs.wording import shown
from randwalk.jit.compile import check_compiler
from randwalk.kernels.philox import key
from randwalk.model.coefficient import CoefficientLike
from randwalk.model.declaration import positive
from randwalk.run.devices import choose
from randwalk.run.effort import Effort
from randwalk.run.task import MOST_WALKERS, checked_seed

from ..equation import FokkerPlanck
from .estimate import Expectation, ToleranceNotMet
from .multilevel import by_levels
from .question import Question, points_of
from .reduction import Control, Multilevel, Reduction
from .sampling import STOPS, CutShort, Method
from .spheres import Spheres, obstacles
from .tolerance import OutOfReach, balanced, to_tolerance
from .walks import Walks
from .weighted import Weighted, walks

METHODS = ("auto", "spheres", "walk")
FEWEST_CARRIERS = 25.0  # of weighted walkers, with which a standard error is known to a tenth
HEAVY = 12.0  # kurtosis, 3 of a normal law, above which few walkers carry more than others
UNLIKELY = (
    6.0  # standard errors, one sample in 10⁹, by which the mean of a control is another than the one that is given
)
ROUNDING = 1e-9  # of that mean
WALKERS = 100_000  # where neither walkers nor a tolerance is given


def expectation(
    equation: FokkerPlanck,
    payoff: CoefficientLike,
    x: Any,
    t: ArrayLike,
    *,
    source: CoefficientLike = 0.0,
    boundary: CoefficientLike | Mapping[str, CoefficientLike] = 0.0,
    tolerance: float | None = None,
    walkers: int | None = None,
    dt: float | None = None,
    method: str = "auto",
    reduction: Reduction | None = None,
    seed: int = 0,
    threads: int | None = None,
    backend: str = "cpu",
    devices: Sequence[int] | None = None,
    executor: Any = None,
) -> Expectation:
    """u(x, t) = E[f(X_t) e^(-∫κ), inside at t] + E[φ(X_τ, τ) e^(-∫κ), out at τ ≤ t] + E ∫ g e^(-∫κ) ds, by walks from x.

    X is the Itô walk of the equation from x (its `start` is not used); f is `payoff`, φ `boundary`, g `source`, and κ the
    equation's killing. So u(x, t) solves u_t = a·∇u + D:∇∇u - κu + g from u(·, 0) = f with u = φ on absorbing walls, n·D∇u = 0
    on reflecting and K (u - φ) on partially absorbing ones (n inward, **D**, not σ²), where coefficients depend on place alone.
    Where they depend on time, walkers read them at the time since their start (docs/theory/feynman_kac.md).

    With ``t=inf`` the problem without time, a·∇u + D:∇∇u - κu + g = 0, is solved: by walks on spheres without drift, for one
    number D, one number κ, absorbing walls alone, and any domain of a known distance; else by walks until everybody has left, or
    has less weight than 2⁻⁶⁰. Nobody is left out: where walkers may stay for ever there is an error.

    Parameters
    ----------
    equation : FokkerPlanck
    payoff : number, Coefficient or function of the coordinates
        f; 0 with ``t=inf``.
    x : number, array, or tuple of them
        Points; they and `t` broadcast. Each has walkers of its own.
    t : float or array
        Time, positive, or inf (where nothing depends on time, and walls absorb or κ > 0).
    source : number, Coefficient or function
        g (per unit of time).
    boundary : number, Coefficient or function, or a mapping from exits to them
        φ, on all walls or by name; an exit that is not named pays 0.
    tolerance : float, optional
        The largest error, √(statistical² + step²), in the unit of the value: chooses walkers and steps.
    walkers : int, optional
        How many; with a tolerance, at most (beyond the 4096 that tell the noise). 100 000 without both.
    dt : float, optional
        The duration of a step, a whole part of a finite t/4; without it as fine as the tolerance, or the noise of the walkers,
        asks for.
    method : "auto", "spheres" or "walk"
    reduction : Antithetic(), Control(...), Drift(...) or Multilevel(), optional
        Ways to lower the variance (of walks in time), :mod:`randwalk.pde.values.reduction`; ``saved`` tells by how much.
    seed : int
        Same seed, same bits, whatever the threads: sums are exact.
    threads : int, optional
        At most this many; of each worker of an executor, one if not given.
    backend : "cpu", "cuda" or "auto"
        The same results, bit for bit. ``cuda`` needs the extra ``randwalk-pde[cuda]``; ``auto`` stays on the processor, because
        rates of these walks have not been measured on a card.
    devices : sequence of int, optional
        CUDA devices that share the walkers; the first one if not given.
    executor : object with submit(f, *args), or a function that makes one, optional
        Whose workers make the walks, as in :func:`randwalk.simulate`; what takes less than a second is done here.

    Returns
    -------
    Expectation
        An estimate with ``statistical``, ``step``, ``dt``, ``walkers``, ``order`` and ``saved``.

    Raises
    ------
    ValueError, TypeError
        before anything runs, for points outside or on absorbing walls, names that are no exits, regions without a distance,
        ``t=inf`` where something depends on time or nobody leaves; and for payoffs that are not finite where walkers come, and
        walkers that do not leave.
    ToleranceNotMet
        where the tolerance takes more than is allowed, with what has been reached.
    Interrupted, RangeFailed, DeviceError
        on Ctrl-C, or where an executor or a device fails, with what has been reached in `reached`: at points that were not begun
        NaN ± inf of 0 walkers. A ValueError of what a walker met has it, too, of batches in which nobody met it.

    Examples
    --------
    >>> import math
    >>> import randwalk as rw
    >>> ball = (rw.Line() ** 3).inside(rw.Ball((0.0, 0.0, 0.0), 1.0), rw.Absorbing())
    >>> brownian = FokkerPlanck(drift=0.0, diffusion=0.5, domain=ball)
    >>> exit_time = expectation(brownian, 0.0, (0.5, 0.0, 0.0), math.inf, source=1.0, tolerance=2e-3)
    >>> bool(abs(exit_time.z(0.25)) < 3.0)  # (1 - r²)/(2 d D)
    True
    """
    check_compiler()
    question = Question.of(equation, payoff, source, boundary)
    points, times, shape = points_of(equation, x, t)
    seed = checked_seed(seed)
    wanted = None if tolerance is None else positive("tolerance", tolerance)
    most = _checked_walkers(walkers)
    one_of("method", method, METHODS)
    effort = Effort(threads, backend=backend, devices=devices, executor=executor)
    if executor is None or backend not in ("cuda", "auto"):  # workers have devices of their own
        choose(backend, devices, 0.0, 1)
    for point in points:
        question.check_inside(point)
    if isinstance(reduction, Multilevel) and (wanted is None or dt is not None or most is not None):
        raise ValueError(
            "reduction = Multilevel() chooses walkers and steps by a tolerance: give tolerance, and neither dt nor walkers"
        )
    made: list[tuple[Any, float]] = []  # samples, and what they saved
    missed = None
    try:
        ways = [
            _way(question, point, time, method, dt, reduction, key(seed, *([number] if number else [])))
            for number, (point, time) in enumerate(zip(points, times, strict=True))
        ]
        for point, time, way in zip(points, times, ways, strict=True):
            try:
                sample = _sampled(way, wanted, most, dt is None, effort)
            except OutOfReach as reason:
                sample = reason.sample
                missed = missed or f"tolerance = {tolerance:g} is out of reach at x = {_place(point)}: {reason}"
            made.append((sample, math.nan))
            _warn(question, way, sample, time)
            made[-1] = sample, sample.saved
    except CutShort as cut:
        _warn(question, ways[len(made)], cut.sample, times[len(made)])
        raise _cut_short(cut.stop, [*made, (cut.sample, cut.sample.saved)], shape) from cut.stop.__cause__
    except STOPS as stop:
        raise _cut_short(stop, made, shape) from stop.__cause__
    found = _together(made, shape)
    if missed:
        raise ToleranceNotMet(f"{missed}. What has been reached, {found!r}, is in .reached of this error", found)
    return found


def _way(
    question: Question, point: tuple[float, ...], t: float, method: str, dt: float | None, reduction: Any, keys: Any
) -> Method:
    """How walks are made from a point."""
    if reduction is not None and not isinstance(reduction, Reduction):
        raise TypeError(f"reduction = {shown(reduction)}: give Antithetic(), Control(...), Drift(...) or Multilevel()")
    reasons = list(obstacles(question, t)) if method != "walk" else ["method = 'walk'"]
    asked = [name for name, value in (("dt", dt), ("reduction", reduction)) if value is not None]
    if not reasons and not asked:
        return Spheres(question, point, keys)
    reasons += [f"{name} is given, which they have not" for name in asked]
    if method == "spheres":
        raise ValueError(f"method = 'spheres': {'; '.join(reasons)}")
    return walks(question, point, t, keys, dt, reduction)


def _sampled(way: Any, tolerance: float | None, most: int | None, free: bool, effort: Effort) -> Any:
    """What is reached from a point: a sample, or those of levels."""
    if isinstance(way, Walks) and isinstance(way.reduction, Multilevel):
        assert tolerance is not None
        return by_levels(way, tolerance, effort)
    if tolerance is None:
        return balanced(way, most or WALKERS, way.first, free, effort)
    return to_tolerance(way, tolerance, most, way.first, free, effort)


def _cut_short(stop: BaseException, made: list[tuple[Any, float]], shape: tuple[int, ...]) -> BaseException:
    """The error of walks that `stop` cut short, with what was reached."""
    reached = _together(made, shape) if made else None
    if isinstance(stop, KeyboardInterrupt):
        kept = "nothing is kept" if reached is None else ".reached of this exception has what they say"
        return Interrupted(None, f"; {kept}, and the same call begins again", reached)
    if reached is not None:
        stop.reached = reached  # type: ignore[attr-defined]
        none = " none of whom met it" if isinstance(stop, ValueError) else ""
        stop.add_note(
            f"What has been reached, with {int(reached.walkers.sum()):,} walkers{none}, is in .reached of this error"
        )
    return stop


def _warn(question: Question, way: Any, sample: Any, time: float) -> None:
    """Warn where the standard error is not known, or not well."""
    controlled = isinstance(way, Walks) and isinstance(way.reduction, Control)
    if controlled and sample.statistical == 0.0 and way.plain(sample.sums) > 0.0:
        _warn_if_known_by_control(way, sample)
    else:
        _warn_if_all_equal(question, sample, time)
    if isinstance(way, Weighted):
        _warn_if_few_carry(way, sample)
    elif controlled:
        _warn_if_mean_is_another(way, sample)


def _warn_if_mean_is_another(way: Any, sample: Any) -> None:
    """A control whose mean is not the one that is given moves the value."""
    found = way.controlled(sample.sums)
    given = way.reduction.mean
    if abs(found.value - given) > UNLIKELY * found.error + ROUNDING * abs(given):
        warnings.warn(
            f"x = {_place(way.point)}: Control: mean = {given:g}, and these walkers find {found!r}; what is between moves the "
            "value, too: give the mean under this equation, from this point, with its killing, of those inside alone",
            stacklevel=user_level(),
        )


def _warn_if_known_by_control(way: Any, sample: Any) -> None:
    """A payoff that is an affine function of that of its control has no noise of its own."""
    warnings.warn(
        f"x = {_place(way.point)}: what all {sample.walkers} walkers are paid is an affine function of the payoff of reduction = "
        f"Control(...), so the value {sample.value:g} is that of its mean = {way.reduction.mean:g} alone and the standard error "
        "is not known: leave reduction out for a value that these walkers find, or give the control another payoff",
        stacklevel=user_level(),
    )


def _warn_if_all_equal(question: Question, sample: Any, time: float) -> None:
    """A standard error of 0 is none where walkers are paid for something that none of them has met."""
    if sample.statistical == 0.0 and not question.certain(time):
        warnings.warn(
            f"all {sample.walkers} walkers count the same, {sample.value:g}, so the standard error is not known: what pays "
            "something else is rarer than one in as many; take more walkers, or reduction=Drift(...) towards it",
            stacklevel=user_level(),
        )


def _warn_if_few_carry(way: Weighted, sample: Any) -> None:
    """A variance that few walkers make is most often too small, because those that weigh most were not met."""
    carriers = way.carriers(sample.sums)
    if carriers < min(FEWEST_CARRIERS, sample.walkers / HEAVY):
        warnings.warn(
            f"x = {_place(way.point)}: the weights of about {carriers:.0f} of {sample.walkers} walkers make the standard error "
            f"{sample.statistical:.2g}, which is uncertain by {50.0 / math.sqrt(carriers):.0f} % and rather too small. Take "
            "half of the drift of reduction=Drift(...) if it is strong, twice if what is counted is rare, or many more walkers",
            stacklevel=user_level(),
        )


def _checked_walkers(walkers: Any) -> int | None:
    if walkers is None:
        return None
    if isinstance(walkers, bool) or not isinstance(walkers, (int, np.integer)) or walkers < 2:
        raise ValueError(f"walkers = {shown(walkers)}: must be a whole number from 2")
    if walkers > MOST_WALKERS:
        raise ValueError(f"walkers = {shown(walkers)}: at most 2⁵³ = {MOST_WALKERS} are counted exactly")
    return int(walkers)


def _place(point: tuple[float, ...]) -> Any:
    return point if len(point) > 1 else point[0]


def _together(made: list[tuple[Any, float]], shape: tuple[int, ...]) -> Expectation:
    """The values at all points; NaN ± inf at those that have no sample."""
    samples = [sample for sample, _ in made]

    def array(values: list[Any], none: float, kind: Any = np.float64) -> Any:
        return np.array([*values, *[none] * (math.prod(shape) - len(values))], dtype=kind).reshape(shape)

    method = samples[0].method
    return Expectation(
        array([s.value for s in samples], math.nan), array([s.error for s in samples], math.inf),
        array([s.statistical for s in samples], math.inf), array([s.step_error for s in samples], math.inf),
        array([s.dt for s in samples], math.nan), array([s.walkers for s in samples], 0, np.int64), method.order,
        array([saved for _, saved in made], math.nan), method.name,
    )  # fmt: skip
