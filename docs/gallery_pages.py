"""A Sphinx extension that draws the gallery: a page for every script, and an index of thumbnails.

A figure is drawn again when its script is newer than its picture; delete ``docs/auto_gallery`` to draw all of them again.
"""

from __future__ import annotations

import ast
import os
import re
from pathlib import Path

import matplotlib
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.display import status_iterator

from randwalk import gallery

GROUPS = {
    "From coin tosses to equations": (
        "galton_board", "symmetric_walk", "generating_function", "asymmetric_drift", "parity", "modified_equation",
        "moving_walkers",
    ),
    "Walls and first passages": ("walls", "absorbing_wall", "gamblers_ruin", "arcsine_law", "first_return"),
    "The plane and space": (
        "plane_walk", "polya", "maze", "torus", "tensor_diffusion", "plume", "disc_survival", "committor",
    ),
    "A value at a point": ("walk_on_spheres", "ten_dimensions", "barrier_option", "response_times"),
    "Forces and wells": (
        "ornstein_uhlenbeck", "double_well", "time_dependent_bias", "tabulated_drift", "schroedinger", "free_energy",
        "gradient_descent",
    ),
    "Measured data": ("perrin_displacements", "perrin_sedimentation", "bead_tracks", "breakthrough", "column"),
    "Evidence and cost": ("convergence", "report_anatomy", "who_wins", "cost", "many_walkers", "scaling"),
}  # fmt: skip
REST = "More"
OUT = "auto_gallery"

PAGE = """\
{docstring}

.. image:: {name}.{form}
   :width: 560px
   :alt: {title}

{seeds}:download:`Download the script <../../gallery/{name}.py>`, or draw it by itself: ``randwalk gallery {name}{option}``.

.. literalinclude:: ../../gallery/{name}.py
   :language: python
   :lines: {first}-
"""
INDEX = """\
Gallery
=======

Every figure states one result and is drawn by a script of some fifty lines, which its page shows. The scripts come with the
package: ``randwalk gallery`` draws them all, ``randwalk gallery --list`` lists them, and ``--format gif`` or ``mp4`` makes the
moving ones.

"""
CARD = """\
   .. grid-item-card:: {title}
      :img-top: {name}.png
      :link: {name}
      :link-type: doc

      {claim}

"""


def draw(name: str, folder: Path) -> None:
    """Draw the figure of a script, and its animation if it has one, unless the files are newer than the script."""
    script = gallery.FOLDER / f"{name}.py"
    for form in ("png", *(["gif"] if name in gallery.names(moving=True) else [])):
        picture = folder / f"{name}.{form}"
        if not picture.exists() or picture.stat().st_mtime < script.stat().st_mtime:
            gallery.save([name], folder, format=form, quick="RANDWALK_DOCS_QUICK" in os.environ)


def write(path: Path, text: str) -> None:
    """Write a page if it changed, so that Sphinx reads changed pages only."""
    if not path.exists() or path.read_text("utf-8") != text:
        path.write_text(text, "utf-8")


def page(name: str) -> str:
    source = (gallery.FOLDER / f"{name}.py").read_text("utf-8")
    tree = ast.parse(source)
    docstring = (ast.get_docstring(tree) or name).replace("|", "\\|")  # |x| is no substitution
    after = tree.body[0].end_lineno or 0
    title = gallery.title(name)
    form, option = ("gif", " --format gif") if name in gallery.names(moving=True) else ("png", "")
    return PAGE.format(
        docstring=docstring, name=name, title=title, form=form, option=option, first=after + 2, seeds=seeds(tree)
    )


def seeds(tree: ast.Module) -> str:
    """The seeds of a script's walkers, for its page."""
    given = [
        word for call in ast.walk(tree) if isinstance(call, ast.Call) for word in call.keywords if word.arg == "seed"
    ]
    told = sorted({ast.unparse(word.value) for word in given})
    return f"The walkers have {' and '.join(f'``seed={seed}``' for seed in told)}. " if told else ""


def claim(name: str) -> str:
    """The first sentence of what a script says of its figure."""
    docstring = ast.get_docstring(ast.parse((gallery.FOLDER / f"{name}.py").read_text("utf-8"))) or name
    told = re.sub(r" \((?:above|below)[^)]*\)", "", docstring.split("\n\n")[1] if "\n\n" in docstring else "")
    return re.split(r"(?<![A-Z])\.\s+(?=[A-Z])", " ".join(told.split()))[0].rstrip(".").replace("|", "\\|") + "."


def make_pages(app: Sphinx) -> None:
    matplotlib.use("Agg")
    folder = Path(app.srcdir) / OUT
    folder.mkdir(exist_ok=True)
    names = gallery.names()
    for name in status_iterator(names, "drawing the gallery... ", "blue", len(names)):
        draw(name, folder)
        write(folder / f"{name}.rst", page(name))
    grouped = {name for group in GROUPS.values() for name in group}
    index = INDEX
    for heading, group in {**GROUPS, REST: tuple(name for name in names if name not in grouped)}.items():
        present = [name for name in group if name in names]
        if len(present) < len(group):
            logging.getLogger(__name__).warning("no script for %s", set(group) - set(present))
        if present:
            index += f"{heading}\n{'-' * len(heading)}\n\n.. grid:: 1 2 3 3\n   :gutter: 3\n\n"
            index += "".join(CARD.format(name=name, title=gallery.title(name), claim=claim(name)) for name in present)
            index += ".. toctree::\n   :hidden:\n\n" + "".join(f"   {name}\n" for name in present) + "\n"
    write(folder / "index.rst", index)


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("builder-inited", make_pages)
    return {"parallel_read_safe": True}
