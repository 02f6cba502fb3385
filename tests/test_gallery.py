"""Every figure of the gallery, at quick size: it draws what it claims, with labelled axes and error bars."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure
from PIL import Image

from randwalk import gallery
from randwalk.laws.plotting import COLOURS

FOLDER = Path(gallery.__file__).parent
NOTHING_SIMULATED = {"breakthrough", "generating_function", "perrin_displacements"}
SCHEMATIC = {"galton_board"}  # its upper axes are a drawing of the board, above the axes that share its x


@pytest.fixture(autouse=True)
def headless() -> Iterator[None]:
    matplotlib.use("Agg")
    yield
    pyplot.close("all")


_made: dict[str, Figure] = {}


def made(name: str) -> Figure:
    """The quick figure, drawn once for all tests."""
    if name not in _made:
        _made[name] = gallery.make(name, quick=True)
    return _made[name]


def colours(figure: Figure) -> set[str]:
    """The kinds of evidence whose colours a figure's lines and markers have."""
    used = {to_hex(line.get_color()).upper() for ax in figure.axes for line in ax.lines}
    used |= {to_hex(patch.get_edgecolor()).upper() for ax in figure.axes for patch in ax.patches}
    return {name for name, colour in COLOURS.items() if colour.upper() in used}


def error_bars(figure: Figure) -> list[tuple[Axes, ErrorbarContainer]]:
    return [(ax, c) for ax in figure.axes for c in ax.containers if isinstance(c, ErrorbarContainer)]


def texts(figure: Figure) -> str:
    return " | ".join(text.get_text() for ax in figure.axes for text in ax.texts)


def test_there_are_enough() -> None:
    assert len(gallery.names()) >= 36
    assert len(gallery.names(moving=True)) >= 5
    assert {"symmetric_walk", "asymmetric_drift", "convergence"} <= set(gallery.names())


@pytest.mark.parametrize("name", gallery.names())
def test_script_is_a_short_example(name: str) -> None:
    lines = (FOLDER / f"{name}.py").read_text(encoding="utf-8").splitlines()
    assert 20 <= len(lines) <= (90 if name in gallery.names(moving=True) else 80)
    assert lines[0] == '"""' and lines[2] == "=" * len(lines[1])  # a reST title, as sphinx-gallery wants it
    assert gallery.title(name) == lines[1]
    assert 'if __name__ == "__main__":' in lines


@pytest.mark.parametrize("name", gallery.names())
def test_figure(name: str) -> None:
    figure = made(name)
    figure.canvas.draw()
    assert figure.get_figwidth() <= 3.6  # one column
    shared = {
        id(other) for ax in figure.axes for other in ax.get_shared_x_axes().get_siblings(ax) if other.get_xlabel()
    }
    for ax in figure.axes:
        siblings = ax.get_shared_x_axes().get_siblings(ax)
        assert any(a.get_xlabel() for a in siblings) and ax.get_ylabel(), f"unlabelled axes: {ax}"
        assert ax.lines or ax.patches or ax.collections
    assert shared or all(ax.get_xlabel() for ax in figure.axes)
    if name not in NOTHING_SIMULATED:
        assert "walk" in colours(figure)
        bars = error_bars(figure)
        assert bars or name == "cost"  # which draws the standard error itself
        assert all(container.has_yerr for _, container in bars) or name == "cost"
    assert colours(figure) & {"exact law", "closed form", "finite differences"}
    nothing_is_cut_or_overlaps(figure)


def nothing_is_cut_or_overlaps(figure: Figure) -> None:
    """Of a figure that is drawn: checked with it, as workers of pytest-xdist would draw it once more for another test."""
    page = figure.bbox
    for ax in figure.axes:
        boxes = []
        for text in [*ax.texts, ax.xaxis.label, ax.yaxis.label]:
            if not text.get_text() or not text.get_visible():
                continue
            box = text.get_window_extent()
            assert page.x0 - 1 <= box.x0 and box.x1 <= page.x1 + 1, f"{text.get_text()!r} is cut"
            assert page.y0 - 1 <= box.y0 and box.y1 <= page.y1 + 1, f"{text.get_text()!r} is cut"
            boxes.append((box.padded(-1), text.get_text()))
        for i, (box, text_) in enumerate(boxes):
            for other, second in boxes[:i]:
                assert not box.overlaps(other), f"{text_!r} overlaps {second!r}"


def slopes(name: str) -> dict[str, float]:
    """Fitted exponents of the straight lines of log-log axes, by colour and axes."""
    found = {}
    for number, ax in enumerate(made(name).axes):
        for k, line in enumerate(ax.lines):
            x, y = np.asarray(line.get_xdata(), float), np.asarray(line.get_ydata(), float)
            if line.get_linestyle() == "-" and x.size > 2:
                found[f"{number}.{k}"] = float(np.polyfit(np.log(x), np.log(y), 1)[0])
    return found


def test_orders_of_the_three_rungs() -> None:
    sampling, second, fourth, grid = slopes("convergence").values()
    assert sampling == pytest.approx(-0.5, abs=0.05)
    assert second == pytest.approx(-2.0, abs=0.1)
    assert fourth == pytest.approx(-4.0, abs=0.1)
    assert grid == pytest.approx(-2.0, abs=0.1)
    assert texts(made("convergence")).count("slope") == 4


def test_difference_of_coin_walk_and_kernel_is_first_order() -> None:
    assert r"n^{-0.99}" in texts(made("generating_function")) or r"n^{-1.0" in texts(made("generating_function"))


def test_walkers_lie_on_the_correction_of_the_modified_equation() -> None:
    (ax,) = made("modified_equation").axes
    curves = [line for line in ax.lines if to_hex(line.get_color()).upper() == COLOURS["closed form"]]
    for curve, (_, container) in zip(curves, error_bars(made("modified_equation")), strict=True):
        points = container.lines[0]
        assert points is not None
        x, y = (np.asarray(v, float) for v in points.get_data())
        segments = np.array(container.lines[2][0].get_segments())
        error = (segments[:, 1, 1] - segments[:, 0, 1]) / 2
        places, heights = (np.asarray(v, float) for v in curve.get_data())
        expected = np.interp(x, places, heights)
        pull = (y - expected) / np.hypot(error, 0.03)  # 0.03: the next order, dx⁴
        assert np.sqrt(np.mean(pull**2)) < 2.0


def test_free_energy_falls() -> None:
    (ax,) = made("free_energy").axes
    law = next(line for line in ax.lines if to_hex(line.get_color()) == COLOURS["exact law"])
    assert (np.diff(np.asarray(law.get_ydata(), float)) < 0).all()


def test_perrin_p_values() -> None:
    assert "p = 0.12" in texts(made("perrin_displacements")) and "p = 0.71" in texts(made("perrin_displacements"))
    labels = made("perrin_sedimentation").axes[0].get_legend_handles_labels()[1]
    assert [label.split("$")[1].split(r"\pm")[0].strip() for label in labels] == ["H = 41.4", "H = 13.0", "H = 9.7"]


def test_survival_energy_is_near_one_half() -> None:
    words = next(t for t in texts(made("schroedinger")).split(" | ") if t.startswith("$t > 3$"))
    value, error = (float(v) for v in words.removeprefix("$t > 3$: $").removesuffix("$").split(r"\pm"))
    assert abs(value - 0.5) < 4 * error


@pytest.mark.parametrize("format", gallery.FORMATS)
def test_save(tmp_path: Path, format: str) -> None:
    (path,) = gallery.save(["symmetric_walk"], tmp_path, format=format, quick=True)
    assert path == tmp_path / f"symmetric_walk.{format}" and path.stat().st_size > 5000
    first = path.read_bytes()
    gallery.save(["symmetric_walk"], tmp_path, format=format, quick=True)
    assert path.read_bytes() == first  # the same figure is the same file
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_save_animation(tmp_path: Path) -> None:
    (path,) = gallery.save(["moving_walkers"], tmp_path, format="gif", quick=True)
    with Image.open(path) as image:
        assert getattr(image, "n_frames", 1) == 12


def test_save_refuses(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="did you mean 'symmetric_walk'"):
        gallery.save(["symetric_walk"], tmp_path)
    with pytest.raises(ValueError, match="format = 'bmp': must be one of png, svg, pdf"):
        gallery.save(["symmetric_walk"], tmp_path, format="bmp")
    with pytest.raises(ValueError, match="convergence has no animation"):
        gallery.save(["convergence"], tmp_path, format="gif")
    with pytest.raises(ValueError, match=r"out = .*__init__\.py: this is a file, not a folder"):
        gallery.save(["symmetric_walk"], FOLDER / "__init__.py")
    assert not list(tmp_path.iterdir())


def test_mp4_says_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str, *_: object) -> None:
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", absent)
    with pytest.raises(ImportError, match="pip install imageio-ffmpeg"):
        gallery.save(["moving_walkers"], tmp_path, format="mp4", quick=True)
