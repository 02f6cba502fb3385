"""The tutorial as a notebook: it has all its examples, which tests/test_docs.py runs, and Jupyter runs it from top to bottom."""

from __future__ import annotations

import doctest
import importlib
import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest

DOCS = Path(__file__).parents[1] / "docs"
FENCE = re.compile(r"^```pycon\n(.*?)^```$", re.DOTALL | re.MULTILINE)
TUTORIAL = (DOCS / "tutorial.md").read_text(encoding="utf-8")
has_nbclient = all(importlib.util.find_spec(name) for name in ("nbclient", "nbformat", "ipykernel"))


def maker() -> Any:
    spec = importlib.util.spec_from_file_location("tutorial_notebook", DOCS / "tutorial_notebook.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


NOTEBOOK = maker().notebook(TUTORIAL)
CODE = [cell for cell in NOTEBOOK["cells"] if cell["cell_type"] == "code"]


@pytest.mark.quick
def test_every_statement_of_the_tutorial_is_in_a_cell() -> None:
    examples = doctest.DocTestParser().get_examples(TUTORIAL)
    stated = [example.source.strip() for example in examples]
    assert len(stated) > 50
    assert "\n".join(cell["source"] for cell in CODE) == "\n".join(stated)


@pytest.mark.quick
def test_prose_has_no_links_to_pages_and_no_fences() -> None:
    prose = "\n".join(cell["source"] for cell in NOTEBOOK["cells"] if cell["cell_type"] == "markdown")
    assert prose.startswith("# From a coin toss to a PDE") and "```" not in prose and ">>>" not in prose
    assert not re.search(r"\]\((?!http)", prose)


@pytest.mark.quick
def test_cells_have_an_answer_at_their_end_alone() -> None:
    """A notebook shows the value of the last line of a cell; a statement with an answer ends its cell."""
    cells = maker().code_cells(
        ">>> a = 1\n>>> a\n1\n>>> b = 2\n>>> c = (a +\n...      b)\n>>> c / 0\nTraceback (most recent call last):\n"
    )
    assert cells == [("a = 1\na", "1"), ("b = 2\nc = (a +\n     b)\nc / 0", "Traceback (most recent call last):")]


def answer(cell: Any) -> str:
    """What a cell that has run shows as text: what it printed, its value, or the name of its error and what that says."""
    shown = ""
    for output in cell.outputs:
        if output.output_type == "error":
            shown += f"{output.ename}: {output.evalue}"
        elif output.output_type == "stream":
            shown += output.text if output.name == "stdout" else ""
        elif "image/png" not in output.data:
            shown += output.data["text/plain"]
    return shown.strip()


@pytest.mark.skipif(not has_nbclient, reason='needs nbclient: pip install "randwalk-pde[notebook]"')
def test_jupyter_runs_it_and_shows_what_the_page_says(tmp_path: Path) -> None:
    nbclient: Any = importlib.import_module("nbclient")  # without types, and not installed wherever types are checked
    nbformat: Any = importlib.import_module("nbformat")
    notebook = nbformat.from_dict(NOTEBOOK)
    nbformat.validate(notebook)
    nbclient.NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    told = [said for session in FENCE.findall(TUTORIAL) for _, said in maker().code_cells(session)]
    ran = [answer(cell) for cell in notebook.cells if cell.cell_type == "code"]
    for said, found in zip(told, ran, strict=True):
        if said.startswith("Traceback"):
            assert said.splitlines()[-1].endswith(f".{found}")
        else:
            assert found == said
    shown = [output.get("data", {}) for cell in notebook.cells for output in cell.get("outputs", [])]
    assert any("data:image/png" in data.get("text/html", "") for data in shown)
    assert any(r"\partial_t\rho" in data.get("text/latex", "") for data in shown)
