"""How many walks, and how finely, a tolerance needs: pilots tell the variance and the step error, then the rest is run."""

from __future__ import annotations

import math
from typing import Any

from randwalk.run.effort import Effort

from .sampling import CutShort, Method, NotFiniteValue, Sample, or_else

PILOT = 4096  # walkers
MOST_WORK = 2.0**38  # steps of all walkers together, some minutes to an hour
SHARE = 0.5  # of the square of the tolerance may be step error when the number of walkers is chosen
RESERVE = 1.05  # walkers beyond those that the variance of the pilot asks for
MARGIN = 1.2  # by which the steps are made finer than the pilot's error asks for
LARGEST_FACTOR = 64.0  # by which an error is lowered at a time
ATTEMPTS = 4  # to find steps that are short enough for finite numbers
UNRESOLVED = 2.0  # standard errors below which a step error is noise
NOISELESS = 1e-6  # of the value: the step error that is aimed at where walkers have no noise to compare with


class OutOfReach(ArithmeticError):
    """A tolerance needs more than is allowed: the reason, and the sample so far."""

    def __init__(self, reason: str, sample: Any) -> None:
        super().__init__(reason)
        self.sample = sample


def begun(method: Method, resolution: int, free: bool, effort: Effort) -> Sample:
    """A pilot. Where walkers count no finite numbers the resolution rises, if it is `free`, because steps may be too long."""
    for attempt in range(ATTEMPTS + 1):
        try:
            return Sample.of(method, resolution, PILOT, effort)
        except (NotFiniteValue, CutShort) as error:
            met = error.stop if isinstance(error, CutShort) else error
            if not (free and isinstance(met, NotFiniteValue)) or attempt == ATTEMPTS:
                raise
            resolution = method.finer(resolution, LARGEST_FACTOR)
    raise AssertionError


def balanced(method: Method, walkers: int, resolution: int, free: bool, effort: Effort) -> Sample:
    """A sample of so many walkers, whose step error is not larger than its statistical one if the resolution is `free`."""
    sample = begun(method, resolution, free, effort)
    while free:
        wanted = max(sample.deviation / math.sqrt(walkers), NOISELESS * abs(sample.value))
        bias, noise = sample.bias
        if abs(bias) <= max(wanted, UNRESOLVED * noise):
            break
        finer = method.finer(
            sample.resolution, min(MARGIN * abs(bias) / wanted, LARGEST_FACTOR) if wanted else LARGEST_FACTOR
        )
        if method.cost(finer) * max(walkers, PILOT) > MOST_WORK:
            break
        with or_else(sample):
            sample = begun(method, finer, free, effort)
    if walkers >= PILOT:
        return sample.extended(walkers)
    with or_else(sample):
        return Sample.of(method, sample.resolution, walkers, effort)


def to_tolerance(
    method: Method, tolerance: float, most: int | None, resolution: int, free: bool, effort: Effort
) -> Sample:
    """A sample whose error is at most `tolerance`.

    `most` walkers are made at most, if given; the resolution rises from `resolution` as needed if it is `free`.

    Raises
    ------
    OutOfReach, CutShort
    """
    sample = begun(method, resolution, free, effort)
    while sample.error > tolerance:
        check_work(
            method, sample.resolution, _needed(sample.deviation**2, tolerance**2), sample
        )  # finer steps cost more
        if sample.step_error**2 > SHARE * tolerance**2:
            sample = _with_less_step_error(method, tolerance, most, sample, free)
        else:
            needed = _needed(sample.deviation**2, tolerance**2 - sample.step_error**2)
            sample = sample.extended(_allowed(sample, max(needed, sample.walkers + PILOT), most))
    return sample


def _with_less_step_error(method: Method, tolerance: float, most: int | None, sample: Sample, free: bool) -> Sample:
    """A larger sample where the step error is noise; else one of finer steps."""
    bias, noise = sample.bias
    if abs(bias) < UNRESOLVED * noise:
        needed = _needed(noise**2 * sample.walkers, SHARE * tolerance**2)
        most_now = max(min(needed, 4 * sample.walkers), math.ceil(1.5 * sample.walkers))
        return sample.extended(_allowed(sample, most_now, most))
    if not free:
        reason = f"the error of the steps alone is {sample.step_error:.2g}; leave dt out, or take a smaller one"
        raise OutOfReach(reason, sample)
    factor = MARGIN * sample.step_error / (math.sqrt(SHARE) * tolerance)
    finer = method.finer(sample.resolution, min(factor, LARGEST_FACTOR))
    check_work(method, finer, PILOT, sample)
    with or_else(sample):
        return begun(method, finer, free, sample.effort)


def _needed(variance: float, square: float) -> int:
    """How many walkers bring the square of a standard error below `square`."""
    return math.ceil(RESERVE * variance / square)


def _allowed(sample: Sample, walkers: int, most: int | None) -> int:
    """So many walkers, or as many as are allowed if the sample has not got these already."""
    if most is not None and walkers > most:
        if sample.walkers >= most:
            raise OutOfReach(f"it needs about {float(walkers):.2g} walkers, and walkers = {most}", sample)
        return most
    check_work(sample.method, sample.resolution, walkers, sample)
    return walkers


def check_work(method: Method, resolution: int, walkers: int, reached: Any) -> None:
    """Refuse more work than MOST_WORK; `reached` is the sample, or the levels, so far."""
    work = method.cost(resolution) * walkers
    if work > MOST_WORK:
        raise OutOfReach(
            f"it needs about {walkers:.2g} walkers of {method.cost(resolution):.2g} steps each, more than {MOST_WORK:.1g} steps "
            "in all; give walkers and no tolerance to run as long as you like",
            reached,
        )
