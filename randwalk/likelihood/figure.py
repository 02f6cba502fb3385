"""A figure of data, fit and residuals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

from randwalk.data.datum import Series

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MARKERS = "osv^Dp"


SIZE = 4.4, 4.8  # of a column, in inches

Parts: TypeAlias = Sequence[tuple[tuple[str, str], list[Series]]]  # labels of the axes and series of each datum


def drawn(fig: Figure, parts: Parts, title: str) -> Figure:
    """A column for each datum: its series beside the fit, and the residuals below."""
    axes = fig.subplots(2, len(parts), height_ratios=(3, 1), sharex="col", squeeze=False)
    for (labels, series), upper, lower in zip(parts, axes[0], axes[1], strict=True):
        for number, one in enumerate(series):
            colour, marker = f"C{number % 10}", MARKERS[number % len(MARKERS)]
            upper.errorbar(
                one.x, one.observed, one.error, fmt=marker, ms=3, lw=0.8, color=colour, label=f"data, {one.label}"
            )
            upper.plot(*one.line, color=colour, lw=1.2, label=f"fit, {one.label}")
            lower.plot(one.x, one.residuals, marker, ms=3, color=colour)
        lower.axhspan(-2.0, 2.0, color="0.9", lw=0)
        lower.axhline(0.0, color="0.5", lw=0.8)
        upper.set(ylabel=labels[1])
        upper.legend(fontsize="small")
        lower.set(xlabel=labels[0], ylabel="residual (σ)")
    fig.suptitle(title, fontsize="medium")
    return fig
