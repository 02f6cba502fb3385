"""The tutorial as a Jupyter notebook: prose in cells of Markdown, its examples in cells of code, without the answers.

``python docs/tutorial_notebook.py tutorial.ipynb`` writes it; as an extension of Sphinx it writes the one that the pages offer.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
FENCE = re.compile(r"^```(\S+)[^\n]*\n(.*?)^```[ \t]*\n", re.DOTALL | re.MULTILINE)
FIRST, NEXT = ">>> ", "... "


def code_cells(session: str) -> list[tuple[str, str]]:
    """The statements of a session, a cell for each answer, and the answer."""
    cells: list[tuple[str, str]] = []
    lines: list[str] = []
    answer: list[str] = []

    def end() -> None:
        cells.append(("\n".join(lines), "\n".join(answer).strip()))
        lines.clear()
        answer.clear()

    for line in session.splitlines():
        if line.startswith((FIRST, NEXT.rstrip() + " ")) or line == NEXT.rstrip():
            if answer:
                end()
            lines.append(line[len(FIRST) :])
        else:
            answer.append(line)
    if lines:
        end()
    return cells


def markdown(text: str) -> str:
    """Prose of a page for a notebook: links between pages are their text."""
    return re.sub(r"\[([^\]]+)\]\((?!https?:)[^)]*\)", r"\1", text).strip()


def notebook(page: str) -> dict[str, Any]:
    """The notebook of a page of Markdown, as the JSON of format 4.5."""
    cells: list[dict[str, Any]] = []

    def add(kind: str, source: str, **more: Any) -> None:
        if source:
            cells.append({"cell_type": kind, "id": f"cell-{len(cells)}", "metadata": {}, "source": source, **more})

    at = 0
    for block in FENCE.finditer(page):
        add("markdown", markdown(page[at : block.start()]))
        at = block.end()
        if block[1] == "pycon":
            for source, answer in code_cells(block[2]):
                add("code", source, outputs=[], execution_count=None)
                if answer.startswith("Traceback"):
                    cells[-1]["metadata"] = {"tags": ["raises-exception"]}
    add("markdown", markdown(page[at:]))
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": kernel}, "cells": cells}


def write(path: Path) -> None:
    """Write the notebook of the tutorial."""
    made = notebook((HERE / "tutorial.md").read_text("utf-8"))
    path.write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n", "utf-8")


def setup(app: Any) -> dict[str, bool]:
    def written(app: Any) -> None:
        folder = Path(app.srcdir) / "auto_gallery"
        folder.mkdir(exist_ok=True)
        write(folder / "tutorial.ipynb")

    app.connect("builder-inited", written)
    return {"parallel_read_safe": True}


if __name__ == "__main__":
    write(Path(sys.argv[1]))
