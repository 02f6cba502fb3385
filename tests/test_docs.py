"""The documentation does what it says: code blocks of all pages and examples of all public docstrings run, and every public
name is there.

A page is a session: its blocks run in order, in one namespace and an empty folder. ``python`` blocks are executed, ``pycon``
blocks must print what the page shows, and a ``toml`` block that begins with the name of a file is that file.
"""

from __future__ import annotations

import ast
import doctest
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import matplotlib
import numba
import pytest

import randwalk as rw
from randwalk.run.devices import why_not_cuda

from .test_py_pde import has_py_pde

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
BUILT = {"_build", "auto_gallery", "generated"}
PAGES = [ROOT / "README.md", *sorted(p for p in DOCS.rglob("*.md") if not BUILT & set(p.parts))]
FENCE = re.compile(r"^(`{3,})(\w+)[^\n]*\n(.*?)^\1[ \t]*$", re.DOTALL | re.MULTILINE)
NEEDS = re.compile(r"<!-- needs (a GPU|py-pde) -->$")
SETTINGS: Any = numba.config
HAS_A_GPU = not SETTINGS.ENABLE_CUDASIM and why_not_cuda() is None  # the simulator is too slow for the pages
THERE = {"a GPU": HAS_A_GPU, "py-pde": has_py_pde()}
FLOORS = ("", ".inputs", ".model", ".model.coefficient", ".laws", ".tables", ".kernels", ".data", ".run", ".terminal",
          ".pde", ".pde.forms", ".pde.hitting", ".pde.solver", ".pde.values", ".likelihood", ".validate", ".gallery")  # fmt: skip
MODULES = sorted(
    {"randwalk"}
    | {
        module.name
        for floor in (f"randwalk{floor}" for floor in FLOORS)
        for module in pkgutil.iter_modules(importlib.import_module(floor).__path__, f"{floor}.")
        if module.name != "randwalk.__main__" and ".cuda" not in module.name  # needs its extra
    }
)


@dataclass(frozen=True)
class Block:
    """A code block of a page: its language, text and line, and what must be there for it."""

    language: str
    text: str
    line: int
    needs: str | None


def blocks(page: Path) -> Iterator[Block]:
    text = page.read_text(encoding="utf-8")
    for match in FENCE.finditer(text):
        before = text[: match.start()]
        needs = NEEDS.search(before.rstrip())
        yield Block(match[2], match[3], before.count("\n") + 1, needs and needs[1])


def run_examples(text: str, names: dict[str, Any], where: str, line: int) -> None:
    """Run the examples of a text; what they print must be what stands there."""
    test = doctest.DocTestParser().get_doctest(text, names, where, where, line)
    test.globs = names  # not a copy: the next block goes on with them
    told: list[str] = []
    failed = doctest.DocTestRunner(verbose=False).run(test, out=told.append, clear_globs=False).failed
    assert not failed, "".join(told)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    matplotlib.use("Agg")
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_the_code_of_a_page_runs(page: Path) -> None:
    names: dict[str, Any] = {"__name__": "page"}
    for block in blocks(page):
        where = f"{page.relative_to(ROOT)}, line {block.line}"
        if block.needs and not THERE[block.needs]:
            continue
        if block.language == "python":
            exec(compile("\n" * block.line + block.text, str(page), "exec"), names)
        elif block.language == "pycon":
            run_examples(block.text, names, where, block.line)
        elif block.language == "toml":
            named = re.match(r"# (\S+\.toml)\n", block.text)
            name = named[1] if named else "problem.toml"
            Path(name).write_text(block.text, encoding="utf-8")
            rw.Problem.load(name)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_code_fits_into_its_box(page: Path) -> None:
    """120 columns, for which docs/_static/randwalk.css makes room; of sessions, what is typed."""
    for block in blocks(page):
        for line in block.text.splitlines():
            if block.language != "pycon" or line.startswith((">>> ", "... ")):
                assert len(line) <= 120, f"line {block.line}: {line}"


@pytest.mark.parametrize("module", MODULES)
def test_the_examples_of_docstrings_run(module: str) -> None:
    told = importlib.import_module(module)
    for test in doctest.DocTestFinder(exclude_empty=True).find(told, module):
        failures: list[str] = []
        assert not doctest.DocTestRunner(verbose=False).run(test, out=failures.append).failed, "".join(failures)


def test_the_reference_has_every_public_name() -> None:
    for floor, pages in (
        (rw, ("randwalk", "data")), (rw.pde, ("pde",)), (rw.validate, ("validate",)), (rw.gallery, ("gallery",)),
    ):  # fmt: skip
        told = "".join((DOCS / "api" / f"{page}.rst").read_text(encoding="utf-8") for page in pages)
        entries = re.findall(r"^   (\w+)$|``(?:\w+\.)*(\w+)``|:doc:`(\w+)`", told, re.MULTILINE)
        listed = {name for entry in entries for name in entry}
        assert not set(floor.__all__) - listed, f"{pages} do not show them"


def test_no_shown_signature_takes_what_is_not_public() -> None:
    """A class whose constructor takes an internal type is made by a function, and docs/conf.py lists it."""
    conf = ast.parse((DOCS / "conf.py").read_text(encoding="utf-8"))
    (listed,) = (
        node.value.args[0]
        for node in conf.body
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Call)
        and ast.unparse(node.targets[0]) == "RESULTS"
    )
    results = ast.literal_eval(listed)
    public = [getattr(floor, name) for floor in (rw, rw.pde, rw.validate) for name in floor.__all__]
    for floor in (rw, rw.pde, rw.validate):
        for name in sorted(set(floor.__all__) - results):
            thing = getattr(floor, name)
            if (
                isinstance(thing, type)
                and thing.__module__.startswith("randwalk")
                and not issubclass(thing, (Enum, Exception))
            ):
                parameters = inspect.signature(thing).parameters.values()
                words = {
                    word
                    for p in parameters
                    if p.name not in ("declared", "source")
                    for word in re.findall(r"\w+", str(p.annotation))
                }
                used = {word: getattr(inspect.getmodule(thing), word, None) for word in words}
                internal = {
                    word
                    for word, kind in used.items()
                    if isinstance(kind, type) and kind.__module__.startswith("randwalk.")
                    if not any(isinstance(known, type) and issubclass(known, kind) for known in public)
                }
                assert not internal, f"{name} takes {internal}"


def test_every_public_object_has_a_docstring() -> None:
    for floor in (rw, rw.pde, rw.validate, rw.gallery):
        for name in floor.__all__:
            thing = getattr(floor, name)
            assert not callable(thing) or (thing.__doc__ and not thing.__doc__.startswith(f"{name}(")), name


def test_links_between_pages_lead_somewhere() -> None:
    for page in PAGES:
        prose = FENCE.sub("", page.read_text(encoding="utf-8"))
        for target in re.findall(r"\]\(([^)#\s]+)\)", prose):
            if target.startswith(("http://", "https://")):
                continue
            # pages of the gallery are made from its scripts when the site is built
            made = re.fullmatch(r"(?:\.\./)?auto_gallery/(\w+)\.(?:rst|png)", target)
            if made:
                assert made[1] in ("index", *rw.gallery.names()), f"{page}: {target}"
            else:
                assert (page.parent / target).exists(), f"{page}: {target}"


def test_the_citation_and_the_changelog_speak_of_this_version() -> None:
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    latest = re.search(r"^## (\S+) — (\S+)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert latest is not None and latest[1] == rw.__version__
    assert f"\nversion: {latest[1]}\n" in citation and f"\ndate-released: {latest[2]}\n" in citation
