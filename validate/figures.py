"""The figures of a case in a report, as SVG."""

from __future__ import annotations

from collections.abc import Iterator
from functools import singledispatch
from typing import TYPE_CHECKING

import numpy as np
from scipy import special, stats

from randwalk.model.coefficient import Floats

from .compare import FALSE_ALARMS, Outcomes
from .exhibits import Curve, Fractions, Map, Profile
from .svg import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, Panel, Scale, shades, signed

if TYPE_CHECKING:
    from .convergence import Convergence
    from .report import CaseReport

SERIES = ("walk", "second", "data")
USUAL, FAR = 2.0, 4.0  # standard errors: of the grey band, and at which colours and axes of residuals end at least
FEWEST = 3  # numbers that a quantile plot needs


def figures(case: CaseReport) -> Iterator[str]:
    """All figures of a case."""
    for exhibit in case.exhibits:
        yield from drawn(exhibit)
    z = [check.statistic for check in case.sampling.checks if check.test == "z"]
    if len(z) >= FEWEST:
        yield quantiles("Q–Q: z of the checks of rung 1", np.array(z))
    if case.data is not None:
        for outcomes in case.data.outcomes:
            yield counts(outcomes)
    yield convergence(case.discretisation, case.solver)


@singledispatch
def drawn(exhibit: object) -> Iterator[str]:
    """The figures of an exhibit."""
    raise TypeError(f"{type(exhibit).__name__} has no figure")


@drawn.register
def _(exhibit: Profile) -> Iterator[str]:
    edges, widths = exhibit.edges, np.diff(exhibit.edges)
    middles = 0.5 * (edges[1:] + edges[:-1])
    first = exhibit.samples[0]
    law, equation = exhibit.expected / widths, exhibit.equation / widths
    error = USUAL * first.error / widths
    when = f"{exhibit.axis} at t = {exhibit.time:g}"
    panel = Panel.of(
        f"Density of {when}", (exhibit.axis, "probability / length"), [edges], [law + error, equation, np.zeros(1)]
    )
    panel.area(middles, law - error, law + error, "walk")
    panel.steps(edges, law, "law", "expected ± 2 σ")
    panel.line(middles, equation, "equation", "equation")
    panel.dots(middles, first.share / widths, "walk", first.name)
    yield panel.svg()
    residuals = [sample.residual for sample in exhibit.samples]
    panel = Panel.of(
        f"Residuals of {when}", (exhibit.axis, "(found − expected) / σ"), [edges], [*residuals, np.array([-FAR, FAR])]
    )
    panel.band(-USUAL, USUAL)
    for kind, sample in zip(SERIES, exhibit.samples, strict=False):
        panel.dots(middles, sample.residual, kind, sample.name)
    yield panel.svg()
    yield _distribution(exhibit, when)


def _distribution(exhibit: Profile, when: str) -> str:
    """P–P plot with its diagonal laid flat, the difference in the unit of Kolmogorov's test."""
    expected = np.append(0.0, np.cumsum(exhibit.expected))
    limit = float(special.kolmogi(FALSE_ALARMS))
    scaled = []
    for sample in exhibit.samples:
        found = np.append(0.0, np.cumsum(sample.share))
        scaled.append((found - expected) * np.sqrt(sample.walkers))
    panel = Panel.of(
        f"P–P of {when}, less its diagonal",
        ("expected share below", "√n (found − expected)"),
        [expected],
        [*scaled, np.array([-limit, limit])],
    )
    panel.band(-limit, limit)
    for kind, sample, line in zip(SERIES, exhibit.samples, scaled, strict=False):
        panel.line(expected, line, kind, sample.name)
    return panel.svg()


@drawn.register
def _(exhibit: Map) -> Iterator[str]:
    x, y = exhibit.edges
    area = np.outer(np.diff(x), np.diff(y))
    when = f"at t = {exhibit.time:g}"
    for title, colours in (
        (f"Density {when}: {exhibit.sample.name}", shades(exhibit.sample.share / area)),
        (f"Density {when}: expected", shades(exhibit.expected / area)),
        (f"Residuals {when}, blue −{FAR:g} σ to red +{FAR:g} σ", signed(exhibit.sample.residual, FAR)),
    ):
        panel = Panel(
            title, Scale(x[0], x[-1], LEFT, WIDTH - RIGHT), Scale(y[0], y[-1], HEIGHT - BOTTOM, TOP), exhibit.axes
        )
        panel.cells((x, y), colours)
        yield panel.svg()
    kept = exhibit.sample.residual[np.isfinite(exhibit.sample.residual)]
    if kept.size >= FEWEST:
        yield quantiles("Q–Q: residuals of the map", kept)


@drawn.register
def _(exhibit: Curve) -> Iterator[str]:
    panel = Panel.of(
        "Survival",
        ("time", "share not left"),
        [exhibit.times, np.zeros(1)],
        [exhibit.expected, exhibit.found, np.array([1.0])],
    )
    panel.line(exhibit.times, exhibit.expected, "law", "expected")
    panel.dots(exhibit.times, exhibit.found, "walk", "walkers ± 2 σ", USUAL * exhibit.error)
    yield panel.svg()


@drawn.register
def _(exhibit: Fractions) -> Iterator[str]:
    where = f"Measured fractions passed {exhibit.wall}, from x = {exhibit.start:g}"
    panel = Panel.of(where, ("time", "fraction"), [exhibit.times], [exhibit.expected, exhibit.found, np.zeros(1)])
    panel.line(exhibit.times, exhibit.expected, "law", "expected")
    panel.dots(
        exhibit.times, exhibit.found, "data", "measured ± 2 σ", np.full(exhibit.times.shape, USUAL * exhibit.error)
    )
    yield panel.svg()
    z = (exhibit.found - exhibit.expected) / exhibit.error
    panel = Panel.of(
        "Residuals of measured fractions",
        ("time", "(found − expected) / σ"),
        [exhibit.times],
        [z, np.array([-FAR, FAR])],
    )
    panel.band(-USUAL, USUAL)
    panel.dots(exhibit.times, z, "data")
    yield panel.svg()


def counts(outcomes: Outcomes) -> str:
    """Measured numbers in classes, beside those expected and twice the standard error of counting."""
    kept = np.isfinite(outcomes.labels)
    x, n = outcomes.labels[kept], outcomes.total
    p, found = outcomes.expected[kept], outcomes.observed[kept].astype(np.float64)
    error = USUAL * np.sqrt(n * p * (1.0 - p))
    panel = Panel.of(
        "Measured counts in classes",
        ("middle of the class", "number"),
        [x],
        [n * p + error, found, np.zeros(1)],
    )
    panel.area(x, n * p - error, n * p + error, "walk")
    panel.line(x, n * p, "law", "expected ± 2 σ")
    panel.dots(x, found, "data", "measured")
    return panel.svg()


def quantiles(title: str, z: Floats) -> str:
    """Standardised numbers in order beside the quantiles of the normal law."""
    expected = stats.norm.ppf((np.arange(z.size) + 0.5) / z.size)
    ends = np.array([-1.0, 1.0]) * max(FAR - 1.0, float(np.abs(expected).max()))
    panel = Panel.of(title, ("normal quantile", "found"), [expected, ends], [np.sort(z), ends])
    panel.line(ends, ends, "theory", "normal law")
    panel.dots(expected, np.sort(z), "walk")
    return panel.svg()


def convergence(*rungs: Convergence) -> str:
    """Errors under refinement with the slopes of the theory."""
    told = [(2, "law", rungs[0]), (3, "solver", rungs[1])]
    sizes = [(n, kind, c, np.array(c.widths), np.array(c.errors)) for n, kind, c in told]
    drawn = [(n, kind, c, w, e) for n, kind, c, w, e in sizes if (np.isfinite(e) & (e > 0.0)).any()]
    panel = Panel.of(
        "Convergence", ("spacing or step", "error"), [w for *_, w, _ in drawn], [e for *_, e in drawn], log=True
    )
    for number, kind, rung, widths, errors in drawn:
        panel.line(widths, errors[-1] * (widths / widths[-1]) ** rung.order, "theory", f"slope {rung.order:g}")
        panel.line(widths, errors, kind)
        panel.dots(widths, errors, kind, f"rung {number}" + ("" if rung.counted else ", not judged"))
    return panel.svg()
