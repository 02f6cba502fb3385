"""How the objects of the package draw themselves: one colour for each kind of evidence, everywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe and Ito's palette (2008): told apart by colour-blind readers, and by their lightness in grey.
COLOURS = {
    "walk": "#0072B2",
    "exact law": "#000000",
    "finite differences": "#D55E00",
    "closed form": "#E69F00",
    "data": "#009E73",
}


def axes(ax: Axes | None) -> Axes:
    """The given axes, or new ones."""
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(layout="constrained")[1]
