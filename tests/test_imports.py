"""The house stands: imports run one way, and the folders are imported by one name only."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FLOORS = ("randwalk", "randwalk.pde", "randwalk.validate", "randwalk.gallery")  # each may import the ones before it
FOLDERS = {"randwalk": ROOT / "randwalk", **{name: ROOT / name.split(".")[1] for name in FLOORS[1:]}}


def floor_of(module: str) -> int | None:
    """The number of the floor that a module is on, None for other packages."""
    parts = module.split(".")
    if parts[0] != "randwalk":
        return None
    return FLOORS.index(".".join(parts[:2])) if ".".join(parts[:2]) in FLOORS else 0


def files(floor: int) -> Iterator[Path]:
    """The files of a floor, without those behind the symbolic links of the floors above."""
    folder = FOLDERS[FLOORS[floor]]
    for path in sorted(folder.rglob("*.py")):
        if not any((folder / part).is_symlink() for part in path.relative_to(folder).parts[:1]):
            yield path


def typing_only(tree: ast.AST) -> set[ast.AST]:
    """Everything under `if TYPE_CHECKING:`, which is never run."""
    return {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for statement in node.body
        for inner in ast.walk(statement)
    }


def inside_functions(tree: ast.AST) -> set[ast.AST]:
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {inner for node in ast.walk(tree) if isinstance(node, functions) for inner in ast.walk(node)}


def imported(path: Path, floor: int) -> Iterator[tuple[ast.AST, str]]:
    """(node, absolute name) of every import, `from . import x` and importlib.import_module included."""
    package = FLOORS[floor].split(".") + list(path.relative_to(FOLDERS[FLOORS[floor]]).parts[:-1])
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node, alias.name
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                yield node, f"{module}.{alias.name}"
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "import_module":
            argument = node.args[0]
            yield (
                node,
                str(argument.value) if isinstance(argument, ast.Constant) else "randwalk.gallery",
            )  # unknown: the worst


def places(nodes: Iterable[ast.AST]) -> set[tuple[int, int]]:
    """Where nodes stand in their file, because `imported` parses for itself."""
    return {(node.lineno, node.col_offset) for node in nodes if isinstance(node, (ast.stmt, ast.expr))}


def upward(floor: int) -> list[tuple[str, str]]:
    """The imports of a floor from one above it, but for the two exceptions of the design."""
    found = []
    for path in files(floor):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        ignored = places(typing_only(tree))
        if path == ROOT / "randwalk" / "commands.py":
            ignored |= places(inside_functions(tree))
        if path == ROOT / "randwalk" / "moved.py":  # whose table names modules of this floor alone
            ignored |= places(inside_functions(tree))
        if path == ROOT / "randwalk" / "__init__.py":
            lazy = [n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == "__getattr__"]
            ignored |= places(inner for n in lazy for inner in ast.walk(n))
        for node, name in imported(path, floor):
            level = floor_of(name)
            if level is not None and level > floor and (node.lineno, node.col_offset) not in ignored:  # type: ignore[attr-defined]
                found.append((str(path.relative_to(ROOT)), name))
    return found


@pytest.mark.parametrize("floor", range(4))
def test_imports_run_one_way(floor: int) -> None:
    assert len(list(files(floor))) > 0
    assert upward(floor) == []


def test_the_scan_sees_upward_imports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each way to write one is found, and what is only for type checkers is not."""
    (tmp_path / "bad.py").write_text(
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from randwalk import gallery\n"
        "import randwalk.validate\nfrom randwalk import validate\nfrom ..validate import compare\nfrom .. import gallery\n"
        "import randwalk.model.walk, numpy\nfrom .stencil import x\nfrom randwalk.pde import y\n"
        "def f():\n    from randwalk.validate.compare import z\n"
    )
    monkeypatch.setitem(FOLDERS, "randwalk.pde", tmp_path)
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)
    assert [name for _, name in upward(1)] == [
        "randwalk.validate", "randwalk.validate", "randwalk.validate.compare", "randwalk.gallery", "randwalk.validate.compare.z",
    ]  # fmt: skip


def test_cuda_is_imported_in_one_folder() -> None:
    found = [
        path.parent.name
        for floor in range(4)
        for path in files(floor)
        for _, name in imported(path, floor)
        if name.startswith(("numba.cuda", "cuda."))
    ]
    assert set(found) <= {"cuda"}


def python(code: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    return subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("name", ["pde", "validate", "gallery"])
def test_folders_have_one_name(name: str) -> None:
    """`import pde` from the root of the repository finds the folder; it must not go through as a second copy."""
    ran = python(f"import {name}")
    assert ran.returncode == 1
    assert f"ImportError: this folder is imported as randwalk.{name}" in ran.stderr


def test_upper_floors_come_when_asked_for(tmp_path: Path) -> None:
    code = (
        "import sys, randwalk as rw\n"
        "heavy = {'randwalk.pde', 'randwalk.validate', 'randwalk.gallery', 'matplotlib.pyplot', 'xarray', 'rich', 'typer'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
        "print(rw.pde.__name__, rw.validate.__name__, rw.gallery.__name__)\n"
        "try: rw.nothing\nexcept AttributeError as e: print(e)\n"
    )
    ran = python(code, tmp_path)
    assert ran.stdout.splitlines() == [
        "[]", "randwalk.pde randwalk.validate randwalk.gallery", "module 'randwalk' has no attribute 'nothing'",
    ], ran.stderr  # fmt: skip


def test_every_public_name_is_there() -> None:
    import randwalk as rw

    for name in rw.__all__:
        assert getattr(rw, name) is not None
    for package in (rw.pde, rw.validate, rw.gallery):
        for name in getattr(package, "__all__", []):
            assert getattr(package, name) is not None
