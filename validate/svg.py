"""Small figures as SVG text: one panel with axes, drawn in the colours of a style sheet, with no library to load.

A report of all cases has some two hundred panels; each takes a fraction of a millisecond and some kilobytes here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

import numpy as np

from randwalk.model.coefficient import Floats

WIDTH, HEIGHT = 360, 270
LEFT, RIGHT, TOP, BOTTOM = 58, 10, 50, 40  # margins
LETTER = 5.3  # the width of a letter of the legend, which has two rows above the panel
STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
TICKS = 5
DECADES = 6  # powers of ten that are named on a logarithmic axis
FILLED = ("#f7f7f7", "#2166ac", "#b2182b")  # none, less and more, in maps of residuals


@dataclass(frozen=True)
class Scale:
    """A linear or logarithmic map of numbers from `low` to `high` to places from `first` to `last`."""

    low: float
    high: float
    first: float
    last: float
    log: bool = False

    @classmethod
    def over(
        cls, values: Sequence[Floats], first: float, last: float, *, log: bool = False, room: float = 0.05
    ) -> Scale:
        """One that covers all finite values (above 0 if logarithmic), and a little more."""
        flat = np.concatenate([np.ravel(v) for v in values])
        flat = flat[np.isfinite(flat) & ((flat > 0.0) | (not log))]
        low, high = (float(flat.min()), float(flat.max())) if flat.size else (0.1, 1.0)
        if log:
            low, high = math.log10(low), math.log10(high)
        apart = (high - low) or max(abs(high), 1.0)
        low, high = low - room * apart, high + room * apart
        return cls(10.0**low, 10.0**high, first, last, True) if log else cls(low, high, first, last)

    def __call__(self, value: Floats | float) -> Floats:
        ends = np.array([self.low, self.high], dtype=np.float64)
        with np.errstate(divide="ignore", invalid="ignore"):
            here = np.log10(value) if self.log else np.asarray(value, dtype=np.float64)
        low, high = np.log10(ends) if self.log else ends
        return np.asarray(self.first + (here - low) / (high - low) * (self.last - self.first))

    def ticks(self) -> list[float]:
        """Round numbers inside."""
        if self.log:
            low, high = math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9)
            stride = max(1, -(-(high - low + 1) // DECADES))
            powers = [10.0**k for k in range(low, high + 1, stride)]
            return powers if len(powers) > 1 else [float(f"{v:.2g}") for v in np.geomspace(self.low, self.high, 4)[1:3]]
        rough = (self.high - self.low) / TICKS
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(s * power for s in STEPS if s * power >= rough * (1.0 - 1e-9))
        first = math.ceil(self.low / step - 1e-9)
        return [step * k for k in range(first, math.floor(self.high / step + 1e-9) + 1)]


@dataclass
class Panel:
    """A figure: scales of both axes, and the marks drawn on it so far."""

    title: str
    x: Scale
    y: Scale
    labels: tuple[str, str]
    marks: list[str] = field(default_factory=list)
    entries: list[tuple[str, str, str]] = field(default_factory=list)  # of the legend: (class, shape, text)

    @classmethod
    def of(
        cls, title: str, labels: tuple[str, str], xs: Sequence[Floats], ys: Sequence[Floats], *, log: bool = False
    ) -> Panel:
        """One whose axes cover the values; both logarithmic if `log`."""
        x = Scale.over(xs, LEFT, WIDTH - RIGHT, log=log, room=0.06 if log else 0.02)
        return cls(title, x, Scale.over(ys, HEIGHT - BOTTOM, TOP, log=log, room=0.12), labels)

    def line(self, x: Floats, y: Floats, kind: str, label: str = "") -> None:
        """A line through the points with finite places."""
        self.marks.append(f'<path class="{kind}" fill="none" d="{self._path(x, y)}"/>')
        self._name(kind, "line", label)

    def steps(self, edges: Floats, heights: Floats, kind: str, label: str = "") -> None:
        """The outline of a histogram."""
        self.line(np.repeat(edges, 2)[1:-1], np.repeat(heights, 2), kind, label)

    def dots(self, x: Floats, y: Floats, kind: str, label: str = "", bars: Floats | None = None) -> None:
        """Points, with bars of so much to either side."""
        px, py = self._at(x, y)
        if bars is not None:
            _, low = self._at(x, y - bars)
            _, high = self._at(x, y + bars)
            told = (
                f"M{a:.1f} {b:.1f}V{c:.1f}"
                for a, b, c in zip(px, low, high, strict=True)
                if np.isfinite([a, b, c]).all()
            )
            self.marks.append(f'<path class="{kind} thin" d="{"".join(told)}"/>')
        points = (f"M{a:.1f} {b:.1f}h0" for a, b in zip(px, py, strict=True) if np.isfinite([a, b]).all())
        self.marks.append(f'<path class="{kind} dots" d="{"".join(points)}"/>')
        self._name(kind, "dots", label)

    def band(self, low: float, high: float, kind: str = "band") -> None:
        """A stripe between two heights."""
        top, bottom = (float(np.clip(self.y(v), TOP, HEIGHT - BOTTOM)) for v in (high, low))
        self.marks.append(
            f'<rect class="{kind}" x="{LEFT}" y="{top:.1f}" width="{WIDTH - RIGHT - LEFT}" height="{bottom - top:.1f}"/>'
        )

    def area(self, x: Floats, low: Floats, high: Floats, kind: str) -> None:
        """The area between two lines."""
        self.marks.append(
            f'<path class="{kind} area" d="{self._path(np.append(x, x[::-1]), np.append(high, low[::-1]))}Z"/>'
        )

    def cells(self, edges: tuple[Floats, Floats], colours: np.ndarray) -> None:
        """Rectangles in the given colours, shape (bins along x, bins along y); an empty one is left out."""
        px, py = self.x(edges[0]), self.y(edges[1])
        for i, j in np.ndindex(colours.shape):
            if colours[i, j]:
                self.marks.append(
                    f'<path fill="{colours[i, j]}" d="M{px[i]:.1f} {py[j]:.1f}H{px[i + 1]:.1f}V{py[j + 1]:.1f}H{px[i]:.1f}Z"/>'
                )

    def svg(self) -> str:
        """The figure as an element of HTML."""
        title = escape(self.title)
        parts = [
            f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{title}" xmlns="http://www.w3.org/2000/svg">',
            f'<text class="title" x="8" y="14">{title}</text>',
            *self.marks, *self._axes(), *self._legend(), "</svg>",
        ]  # fmt: skip
        return "".join(parts)

    def _at(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """Places of points; those far outside are cut at the frame."""
        py = self.y(y)
        return self.x(x), np.where(np.isnan(py), np.nan, np.clip(py, TOP - 1.0, HEIGHT - BOTTOM + 1.0))

    def _path(self, x: Floats, y: Floats) -> str:
        px, py = self._at(np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64))
        told, pen = [], "M"
        for a, b in zip(px, py, strict=True):
            if math.isfinite(a) and math.isfinite(b):
                told.append(f"{pen}{a:.1f} {b:.1f}")
                pen = "L"
            else:
                pen = "M"
        return "".join(told)

    def _name(self, kind: str, shape: str, label: str) -> None:
        if label:
            self.entries.append((kind, shape, label))

    def _axes(self) -> list[str]:
        bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
        parts = [f'<path class="axis" fill="none" d="M{LEFT} {TOP}V{bottom}H{right}"/>']
        for tick in self.x.ticks():
            place = float(self.x(tick))
            parts.append(f'<path class="axis" d="M{place:.1f} {bottom}v4"/>')
            parts.append(
                f'<text class="tick" text-anchor="middle" x="{place:.1f}" y="{bottom + 15}">{_number(tick, self.x)}</text>'
            )
        for tick in self.y.ticks():
            place = float(self.y(tick))
            parts.append(f'<path class="axis" d="M{LEFT} {place:.1f}h-4"/>')
            parts.append(
                f'<text class="tick" text-anchor="end" x="{LEFT - 6}" y="{place + 3.5:.1f}">{_number(tick, self.y)}</text>'
            )
        middle = 0.5 * (TOP + bottom)
        x, y = map(escape, self.labels)
        parts.append(
            f'<text class="label" text-anchor="middle" x="{0.5 * (LEFT + right):.0f}" y="{HEIGHT - 7}">{x}</text>'
        )
        parts.append(
            f'<text class="label" text-anchor="middle" transform="translate(11 {middle:.0f}) rotate(-90)">{y}</text>'
        )
        return parts

    def _legend(self) -> list[str]:
        parts, x, y = [], 8.0, 29
        for kind, shape, text in dict.fromkeys(self.entries):
            wide = 20 + LETTER * len(text)
            if x + wide > WIDTH and x > 8.0:
                x, y = 8.0, y + 13
            mark = f"M{x:.1f} {y}h14" if shape == "line" else f"M{x + 7:.1f} {y}h0"
            dots = " dots" if shape == "dots" else ""
            parts.append(f'<path class="{kind}{dots}" fill="none" d="{mark}"/>')
            parts.append(f'<text class="tick" x="{x + 18:.1f}" y="{y + 3.5}">{escape(text)}</text>')
            x += wide + 10
        return parts


def _number(value: float, scale: Scale) -> str:
    """A tick as text, powers of ten raised."""
    if scale.log:
        exponent = round(math.log10(value))
        if math.isclose(10.0**exponent, value, rel_tol=1e-9):
            return f'10<tspan dy="-4" font-size="8">{exponent}</tspan>' if abs(exponent) > 2 else f"{value:g}"
        return f"{value:.2g}"
    small = 1e-12 * max(abs(scale.low), abs(scale.high))
    return f"{0.0 if abs(value) < small else value:.6g}".replace("-", "−")


def shades(values: Floats) -> np.ndarray:
    """Colours of densities, from white to dark blue; nothing where there is none."""
    top = float(np.nanmax(values, initial=0.0)) or 1.0
    part = np.clip(np.nan_to_num(values) / top, 0.0, 1.0) ** 0.5
    return np.array([[_mixed("#ffffff", "#08306b", p) if p > 0.0 else "" for p in row] for row in part.tolist()])


def signed(values: Floats, far: float) -> np.ndarray:
    """Colours of residuals, blue below and red above; nothing where there is none."""
    part = np.clip(values / far, -1.0, 1.0)
    return np.array(
        [
            ["" if math.isnan(p) else _mixed(FILLED[0], FILLED[1] if p < 0.0 else FILLED[2], abs(p)) for p in row]
            for row in part.tolist()
        ]
    )


def _mixed(first: str, second: str, part: float) -> str:
    ends = ([int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in (first, second))
    return "#" + "".join(f"{round(a + part * (b - a)):02x}" for a, b in zip(*ends, strict=True))
