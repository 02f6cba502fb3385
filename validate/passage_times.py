"""Measured times of first passage beside a law: by which exit, and when; and data beside their fit."""

from __future__ import annotations

from typing import Any

import numpy as np

from randwalk.data.first_passage import UNKNOWN, FirstPassageTimes
from randwalk.inputs.wording import did_you_mean, shown
from randwalk.laws.estimate import exact
from randwalk.laws.lookup import NoAnswer
from randwalk.likelihood.fit import Fit

from .outcomes import MOST_CLASSES, TESTS, Outcomes


def under(observed: Any, fit: Fit) -> tuple[Any, Any, int]:
    """(the data, what a fit expects of them, the number of its parameters)."""
    if not hasattr(observed, "law_in"):
        raise TypeError(f"observed = {shown(observed)}: a fit is compared with measured data, as those in fit.data")
    known = observed.resolved(fit.parameters)
    return known, known.law_in(fit.laws), len(fit.names)


def passage_outcomes(data: FirstPassageTimes, law: Any, *, together: bool) -> list[Outcomes]:
    """The exits, and the times of each, under a `law` that answers absorbed(exit, t); or all exits and times `together`.

    Those that had not left are an outcome if all were watched to the same time, as to a deadline; else there are no classes.
    Without them, all is on condition of having left by the last time.
    """
    if not hasattr(law, "absorbed"):
        raise TypeError(f"expected = {shown(law)} is not a law: give rw.pde.closed_form(equation) or rw.pde.solve(…)")
    offset = data.known_offset
    if (data.exits[~data.censored] == UNKNOWN).any():
        raise NoAnswer("some walkers left by an exit that is not known: name it, or fit the data, which needs no names")
    watched, last = data.times[data.censored], float(data.times.max()) - offset
    if watched.size and watched.min() < data.times.max():
        raise NoAnswer(
            f"walkers were watched to different times, from {watched.min():g} on: only one deadline, after all passages, makes "
            "classes; a fit takes them as they are"
        )
    exits = [str(way) for way in law.exits]
    for way in data.ways:
        if way not in exits:
            known = ", ".join(map(repr, exits)) or "none"
            raise ValueError(f"exits has {way!r}: the law has {known}{did_you_mean(way, exits)}")
    edges = np.linspace(0.0, last, MOST_CLASSES + 1)
    passed = {exit: np.append(0.0, exact(law.absorbed(exit, edges[1:]))) for exit in exits}
    counts = {exit: np.histogram(data.by(exit) - offset, edges)[0].astype(np.int64) for exit in exits}
    gone = sum(float(curve[-1]) for curve in passed.values())
    whole = 1.0 if watched.size else gone
    late, stayed = np.array([watched.size]), np.array([max(whole - gone, 0.0) / whole])
    if together:
        observed = np.concatenate([*counts.values(), late])
        expected = np.concatenate([*(np.diff(curve) / whole for curve in passed.values()), stayed])
        labels = np.arange(observed.size, dtype=np.float64)
        return [Outcomes("sides and times", labels, observed, np.maximum(expected, 0.0), tests=TESTS[:1])]
    shares = np.append([float(curve[-1]) / whole for curve in passed.values()], stayed)
    sides = np.append([int(found.sum()) for found in counts.values()], late)
    parts = [Outcomes("sides", np.arange(shares.size, dtype=np.float64), sides, shares, tests=TESTS[:1])]
    for exit in exits:
        if counts[exit].any():
            times = np.maximum(np.diff(passed[exit]), 0.0) / float(passed[exit][-1])
            parts.append(Outcomes(f"times at {exit!r}", offset + 0.5 * (edges[1:] + edges[:-1]), counts[exit], times))
    return parts
