"""How the objects of the package draw themselves: one colour for each kind of evidence, everywhere."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .lookup import NoAnswer

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

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


def in_notebook(text: str, draw: Callable[[Axes], Any]) -> str:
    """HTML of a text with the small picture that `draw` puts on axes; where that has no answer, of the text alone."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(3.6, 2.4), layout="constrained")
    try:
        draw(figure.subplots())
    except NoAnswer:
        return f"<pre>{html.escape(text)}</pre>"
    return figure_in_notebook(text, figure)


def figure_in_notebook(text: str, figure: Figure) -> str:
    """HTML of a text and a figure."""
    file, said = io.BytesIO(), html.escape(text)
    figure.savefig(file, format="png", dpi=80)
    picture = base64.b64encode(file.getvalue()).decode()
    return f'<pre>{said}</pre><img alt="{said}" src="data:image/png;base64,{picture}">'
