"""How many walks, and how finely, a tolerance needs: pilots tell the variance and the step error, then the rest is run."""

from __future__ import annotations

import math

from .sampling import Method, Sample

PILOT = 4096  # walkers
MOST_WORK = 2.0**38  # steps of all walkers together, some minutes to an hour
SHARE = 0.5  # of the square of the tolerance may be step error when the number of walkers is chosen
RESERVE = 1.05  # walkers beyond those that the variance of the pilot asks for
UNRESOLVED = 2.0  # standard errors below which a step error is noise


class OutOfReach(ArithmeticError):
    """A tolerance needs more than is allowed: the reason, and the sample so far."""

    def __init__(self, reason: str, sample: Sample) -> None:
        super().__init__(reason)
        self.sample = sample


def to_tolerance(
    method: Method, tolerance: float, most: int | None, resolution: int, free: bool, threads: int | None
) -> Sample:
    """A sample whose error is at most `tolerance`.

    `most` walkers are made at most, if given; the resolution rises from `resolution` as needed if it is `free`.

    Raises
    ------
    OutOfReach
    """
    sample = Sample.of(method, resolution, PILOT, threads)
    while True:
        needed = _needed(sample, tolerance, SHARE * tolerance**2)
        if sample.step_error**2 <= SHARE * tolerance**2:
            break
        bias, noise = sample.bias
        if abs(bias) < UNRESOLVED * noise and sample.walkers < needed:
            sample = sample.extended(_allowed(sample, min(4 * sample.walkers, needed), most, tolerance))
            continue
        if not free:
            raise OutOfReach(
                f"the error of the steps alone is {sample.step_error:.2g}; leave dt out, or take a smaller one", sample
            )
        factor = max(sample.step_error / (math.sqrt(SHARE) * tolerance), 1.0)
        finer = method.finer(sample.resolution, min(1.2 * factor, 64.0))
        _check_work(method, finer, PILOT, sample)
        sample = Sample.of(method, finer, PILOT, threads)
    while sample.error > tolerance:
        needed = max(
            _needed(sample, tolerance, min(sample.step_error**2, SHARE * tolerance**2)), sample.walkers + PILOT
        )
        sample = sample.extended(_allowed(sample, needed, most, tolerance))
    return sample


def _needed(sample: Sample, tolerance: float, square_of_step: float) -> int:
    """How many walkers keep the whole error below the tolerance."""
    return math.ceil(RESERVE * sample.deviation**2 / (tolerance**2 - square_of_step))


def _allowed(sample: Sample, walkers: int, most: int | None, tolerance: float) -> int:
    """So many walkers, or as many as are allowed if the sample has not got these already."""
    if most is not None and walkers > most:
        if sample.walkers >= most:
            raise OutOfReach(f"it needs about {walkers:.2g} walkers, and walkers = {most}", sample)
        return most
    _check_work(sample.method, sample.resolution, walkers, sample)
    return walkers


def _check_work(method: Method, resolution: int, walkers: int, sample: Sample) -> None:
    work = method.cost(resolution) * walkers
    if work > MOST_WORK:
        raise OutOfReach(
            f"it needs about {walkers:.2g} walkers of {method.cost(resolution):.2g} steps each, more than {MOST_WORK:.1g} steps "
            "in all; give walkers and no tolerance to run as long as you like",
            sample,
        )
