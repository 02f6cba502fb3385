"""Figures, one result each: short scripts with a function ``figure(quick)``; some also have ``animation(quick)``."""

from __future__ import annotations

if __name__ != "randwalk.gallery":
    raise ImportError("this folder is imported as randwalk.gallery: import randwalk, then use randwalk.gallery")

import ast
import importlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from randwalk.inputs.keywords import once_positional
from randwalk.inputs.wording import did_you_mean
from randwalk.terminal.output import check_folder
from randwalk.terminal.progress import progress_bar

if TYPE_CHECKING:
    from matplotlib.animation import FuncAnimation
    from matplotlib.figure import Figure

STYLE = "randwalk.gallery.randwalk"  # as matplotlib.style.use takes it
FORMATS = ("png", "svg", "pdf")
MOVING = ("gif", "mp4")
FRAMES_PER_SECOND, DOTS_PER_INCH = 12, 160  # of animations; mp4 needs even numbers of pixels
FOLDER = Path(__file__).parent

__all__ = ["FORMATS", "MOVING", "STYLE", "animate", "make", "names", "save", "title"]


def names(moving: bool = False) -> list[str]:
    """The scripts in alphabetical order; only scripts with an animation if `moving`."""
    scripts = sorted(path for path in FOLDER.glob("*.py") if not path.stem.startswith("_"))
    return [path.stem for path in scripts if not moving or "\ndef animation(" in path.read_text(encoding="utf-8")]


def title(name: str) -> str:
    """The first line of a script's docstring."""
    _check(name)
    text = ast.get_docstring(ast.parse((FOLDER / f"{name}.py").read_text(encoding="utf-8"))) or name
    return text.splitlines()[0]


@once_positional("quick")
def make(name: str, *, quick: bool = False) -> Figure:
    """Run a script and return its figure; `quick` takes fewer walkers and smaller lattices."""
    from matplotlib import style

    with style.context(STYLE):
        figure: Figure = _script(name).figure(quick)
    return figure


@once_positional("quick")
def animate(name: str, *, quick: bool = False) -> FuncAnimation:
    """Run a script and return its animation."""
    from matplotlib import style

    script = _script(name)
    if not hasattr(script, "animation"):
        raise ValueError(f"{name} has no animation; these have one: {', '.join(names(moving=True))}")
    with style.context(STYLE):
        moving: FuncAnimation = script.animation(quick)
    return moving


@once_positional("format", "quick", "progress")
def save(
    chosen: Sequence[str] = (),
    out: str | Path = "figures",
    *,
    format: str = "png",
    quick: bool = False,
    progress: bool = False,
) -> list[Path]:
    """Make figures and write each to ``out/name.format``; animations if the format is ``gif`` or ``mp4``.

    Parameters
    ----------
    chosen : sequence of str
        Scripts to run; none means all that can be written in this format.
    out : path
        A folder, made if it is not there. Files are written to a temporary name first.
    format : "png", "svg", "pdf", "gif" or "mp4"
        ``mp4`` needs the package imageio-ffmpeg.
    progress : bool
        Show a progress bar.

    Raises
    ------
    ValueError, ImportError
        before anything is drawn: for a name or a format that is not known, a folder that cannot be written to, or a
        missing package.
    """
    if format not in (*FORMATS, *MOVING):
        raise ValueError(f"format = {format!r}: must be one of {', '.join((*FORMATS, *MOVING))}")
    known = names(moving=format in MOVING)
    for name in chosen:
        _check(name)
        if name not in known:
            raise ValueError(f"{name} has no animation; these have one: {', '.join(known)}")
    if format == "mp4":
        _find_ffmpeg()
    todo = list(chosen) or known
    folder = check_folder("out =", out)
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    with progress_bar("drawing", len(todo), progress) as advance:
        for name in todo:
            path = folder / f"{name}.{format}"
            temporary = path.with_name(f".{name}.{os.getpid()}.{format}")
            try:
                (_save_animation if format in MOVING else _save_figure)(name, temporary, quick, advance)
                temporary.replace(path)
            finally:
                temporary.unlink(missing_ok=True)
            written.append(path)
    return written


def _save_figure(name: str, path: Path, quick: bool, advance: Callable[[float], None]) -> None:
    from matplotlib import pyplot, style

    # without a date, equal figures are equal files
    metadata = {".png": {"Software": "randwalk"}, ".svg": {"Date": None}, ".pdf": {"CreationDate": None}}[path.suffix]
    with style.context(STYLE):
        figure = make(name, quick=quick)
        figure.savefig(path, metadata=metadata)
    pyplot.close(figure)
    advance(1.0)


def _save_animation(name: str, path: Path, quick: bool, advance: Callable[[float], None]) -> None:
    from matplotlib import animation, pyplot, style

    settings = {"animation.ffmpeg_path": _find_ffmpeg()} if path.suffix == ".mp4" else {}
    with style.context([STYLE, settings]):
        moving = animate(name, quick=quick)
        pyplot.gcf().canvas.draw()
        pyplot.gcf().set_layout_engine("none")  # all frames keep the layout of the first: faster, and steady
        writer: animation.AbstractMovieWriter = animation.PillowWriter(fps=FRAMES_PER_SECOND)
        if path.suffix == ".mp4":
            writer = animation.FFMpegWriter(fps=FRAMES_PER_SECOND, extra_args=["-pix_fmt", "yuv420p"])
        moving.save(path, writer, dpi=DOTS_PER_INCH, progress_callback=lambda frame, frames: advance(1.0 / frames))
    pyplot.close()


def _find_ffmpeg() -> str:
    """The path of the ffmpeg of the package imageio-ffmpeg."""
    try:
        return str(importlib.import_module("imageio_ffmpeg").get_ffmpeg_exe())
    except ImportError:
        raise ImportError(
            'format = mp4 needs imageio-ffmpeg: pip install imageio-ffmpeg, or take format="gif"'
        ) from None


def _script(name: str) -> ModuleType:
    _check(name)
    return importlib.import_module(f"{__name__}.{name}")


def _check(name: str) -> None:
    if name not in names():
        raise ValueError(f"there is no figure {name!r}: there are {', '.join(names())}{did_you_mean(name, names())}")
