"""Imports run one way, without circles, and every folder is imported by one name only."""

from __future__ import annotations

import ast
import functools
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# Each may import the ones before it.
FLOORS = ("randwalk", "randwalk.pde", "randwalk.likelihood", "randwalk.validate", "randwalk.gallery")
FOLDERS = {name: ROOT / name.removeprefix("randwalk.") for name in FLOORS} | {
    "randwalk.likelihood": ROOT / "randwalk" / "likelihood"
}
# The floors of randwalk/: a folder may import itself and folders of a smaller number; `top` is the files outside the folders.
RANKS = {
    "inputs": 0,
    "terminal": 0,
    "jit": 0,
    "model": 1,
    "kernels": 1,
    "laws": 2,
    "tables": 3,
    "data": 3,
    "run": 4,
    "top": 5,
}
# The package itself, which imports nothing before its first use, and its version.
ANYWHERE = {"randwalk", "randwalk.version"}


def floor_of(module: str) -> int | None:
    """The number of the floor that a module is on, None for other packages."""
    parts = module.split(".")
    if parts[0] != "randwalk":
        return None
    return FLOORS.index(".".join(parts[:2])) if ".".join(parts[:2]) in FLOORS else 0


def files(floor: int) -> Iterator[Path]:
    """The files of a floor, without those of the floors above, which are in folders of it or behind symbolic links."""
    folder = FOLDERS[FLOORS[floor]]
    for path in sorted(folder.rglob("*.py")):
        first = folder / path.relative_to(folder).parts[0]
        if not first.is_symlink() and first not in FOLDERS.values():
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


@dataclass(frozen=True)
class Import:
    """The absolute name that is imported, and whether this is for type checkers alone or of :func:`lazy`."""

    name: str
    ignored: bool


@functools.cache
def imported(path: Path, floor: int) -> tuple[Import, ...]:
    """Every import of a file, `from . import x` and importlib.import_module included."""
    package = FLOORS[floor].split(".") + list(path.relative_to(FOLDERS[FLOORS[floor]]).parts[:-1])
    tree = ast.parse(path.read_text(encoding="utf-8"))
    ignored = typing_only(tree) | lazy(path, tree)
    found = []
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            names = [f"{module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "import_module":
            argument = node.args[0]
            names = [str(argument.value) if isinstance(argument, ast.Constant) else "randwalk.gallery"]  # or the worst
        found += [Import(name, node in ignored) for name in names]
    return tuple(found)


def lazy(path: Path, tree: ast.Module) -> set[ast.AST]:
    """Where a file imports what it is asked for by name: the commands, `randwalk.x` and earlier import paths."""
    names = {"commands.py": None, "validate_command.py": None, "moved.py": None, "__init__.py": "__getattr__"}
    if path.parent != ROOT / "randwalk" or path.name not in names:
        return set()
    wanted = names[path.name]
    inside = [n for n in tree.body if isinstance(n, (ast.FunctionDef, ast.ClassDef)) and wanted in (None, n.name)]
    return {inner for n in inside for inner in ast.walk(n)}


def upward(floor: int) -> list[tuple[str, str]]:
    """The imports of a floor from one above it, but for those of :func:`lazy`."""
    return [
        (str(path.relative_to(ROOT)), one.name)
        for path in files(floor)
        for one in imported(path, floor)
        if not one.ignored and (floor_of(one.name) or 0) > floor
    ]


@pytest.mark.parametrize("floor", range(len(FLOORS)))
def test_imports_run_one_way(floor: int) -> None:
    assert len(list(files(floor))) > 0
    assert upward(floor) == []


def modules() -> dict[str, Path]:
    """Every module of the package by its dotted name."""
    found = {}
    for floor in range(len(FLOORS)):
        for path in files(floor):
            inner = path.relative_to(FOLDERS[FLOORS[floor]]).with_suffix("").parts
            found[".".join([FLOORS[floor], *(inner[:-1] if inner[-1] == "__init__" else inner)])] = path
    return found


def graph(known: dict[str, Path]) -> dict[str, set[str]]:
    """module: the modules that it imports, at its top or inside a function, but for type checkers and names of :func:`lazy`."""
    arrows: dict[str, set[str]] = {}
    for module, path in known.items():
        names = [one.name for one in imported(path, floor_of(module) or 0) if not one.ignored]
        arrows[module] = {_module(name, known) for name in names} & set(known) - {module}
    return arrows


@functools.cache
def house() -> dict[str, set[str]]:
    """The graph of the package."""
    return graph(modules())


def _module(name: str, known: dict[str, Path]) -> str:
    """The module that an imported name is, or is in."""
    return name if name in known else name.rpartition(".")[0]


def circles(arrows: dict[str, set[str]]) -> list[set[str]]:
    """The sets of nodes that all lead to each other, by Tarjan's algorithm [1972]."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[set[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in sorted(arrows[node]):
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            at = stack.index(node)
            found.append(set(stack[at:]))
            del stack[at:]

    for node in sorted(arrows):
        if node not in index:
            visit(node)
    return [circle for circle in found if len(circle) > 1]


def folder(module: str) -> str:
    """inputs, model, …, `top` for the other files of randwalk/, and the three upper floors."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and (parts[1] in RANKS or ".".join(parts[:2]) in FLOORS) else "top"


def test_no_circle_of_modules() -> None:
    arrows = house()
    assert len(arrows) > 100 and sum(map(len, arrows.values())) > 300
    assert circles(arrows) == []


def test_no_circle_of_folders() -> None:
    arrows: dict[str, set[str]] = {}
    for module, others in house().items():
        arrows.setdefault(folder(module), set()).update(folder(other) for other in others - ANYWHERE)
    assert circles({place: others - {place} for place, others in arrows.items()}) == []


def test_imports_inside_randwalk_run_down_the_floors() -> None:
    found = []
    for module, others in house().items():
        if floor_of(module) == 0:
            mine = folder(module)
            inside = {other for other in others - ANYWHERE if floor_of(other) == 0 and folder(other) != mine}
            found += [f"{module} imports {other}" for other in sorted(inside) if RANKS[folder(other)] >= RANKS[mine]]
    assert found == []


def test_the_wheel_has_every_folder() -> None:
    told = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["packages"]
    assert sorted(told) == sorted(module for module, path in modules().items() if path.name == "__init__.py")


def test_the_wheel_has_all_data() -> None:
    setuptools = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    found, told = set[Path](), set[Path]()
    for floor in ("randwalk", *setuptools["package-dir"]):
        folder = FOLDERS[floor]
        here = {path for path in folder.rglob("*") if path.is_file() and path.suffix != ".py"}
        found |= {path for path in here if "__pycache__" not in path.parts}
        told |= {path for pattern in setuptools["package-data"].get(floor, []) for path in folder.glob(pattern)}
    assert len(found) > 50 and found - told == set()


def test_circles_are_found() -> None:
    arrows = {"a": {"b"}, "b": {"c", "d"}, "c": {"a"}, "d": {"e"}, "e": {"d"}, "f": {"a", "e"}}
    assert sorted(map(sorted, circles(arrows))) == [["a", "b", "c"], ["d", "e"]]


def test_imports_inside_functions_make_circles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One module imports the other inside a function; a third does so for type checkers alone."""
    for name, text in {
        "one": "from randwalk.pde.two import x\nimport numpy\n",
        "two": "def f():\n    from .one import y\n",
        "three": "from typing import TYPE_CHECKING\nfrom . import one\nif TYPE_CHECKING:\n    from . import four\n",
        "four": "from .three import z\n",
    }.items():
        (tmp_path / f"{name}.py").write_text(text)
    monkeypatch.setitem(FOLDERS, "randwalk.pde", tmp_path)
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)
    known = {f"randwalk.pde.{path.stem}": path for path in tmp_path.glob("*.py")}
    assert circles(graph(known)) == [{"randwalk.pde.one", "randwalk.pde.two"}]


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


def test_what_runs_without_the_dependencies_of_tests_imports_no_test() -> None:
    """tests/simulated.py and what it takes from its neighbours, which .ci/cuda runs with pytest alone."""
    seen, ahead = set(), {"simulated"}
    while ahead:
        name = ahead.pop()
        seen.add(name)
        tree = ast.parse((ROOT / "tests" / f"{name}.py").read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.level == 1:
                ahead |= {node.module} if node.module else {alias.name for alias in node.names}
        ahead -= seen
    assert len(seen) > 3 and not [name for name in seen if name.startswith("test_")]


def test_cuda_is_imported_in_one_folder() -> None:
    found = {
        path.parent.name
        for floor in range(len(FLOORS))
        for path in files(floor)
        for one in imported(path, floor)
        if one.name.startswith(("numba.cuda", "cuda."))
    }
    assert found == {"cuda"}
    texts = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "benchmarks").rglob("*.py")}
    assert [name for name, text in texts.items() if re.search(r"^ *(import|from) numba\.cuda", text, re.M)] == []
    assert "numba.cuda" not in texts["cuda.py"]


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


def test_type_checkers_see_the_public_names() -> None:
    """The imports under `if TYPE_CHECKING:` are the table of names and homes."""
    import randwalk as rw

    tree = ast.parse((ROOT / "randwalk" / "__init__.py").read_text(encoding="utf-8"))
    imports = [node for node in typing_only(tree) if isinstance(node, ast.ImportFrom) and node.level == 1]
    seen = {alias.asname: node.module for node in imports for alias in node.names}
    assert seen == {**rw._HOME, "gallery": None, "pde": None, "validate": None}
    assert {*seen, "__version__"} == set(rw.__all__)


OLD_PATHS = """
import importlib, sys, warnings
import randwalk
from randwalk.moved import MOVED

def warned(ask):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        got = ask()
    here = [w for w in caught if str(w.message).endswith((" since 0.4: import that", " since 0.6: import that"))]
    assert len(here) == 1 and here[0].filename == __file__ and here[0].category is DeprecationWarning, [str(w) for w in caught]
    return got

for old, new in MOVED.items():
    name = old.removeprefix("randwalk.")
    if "." not in name:  # as an attribute, before anything has imported it
        assert warned(lambda: getattr(randwalk, name)) is importlib.import_module(new)
    space = {"__file__": __file__}
    warned(lambda: exec(compile(f"import {old} as it", __file__, "exec"), space))
    assert space["it"] is importlib.import_module(new), old
"""


def test_import_paths_of_earlier_releases_go_on_and_warn_at_the_line_that_uses_them(tmp_path: Path) -> None:
    script = tmp_path / "user.py"
    script.write_text(OLD_PATHS, encoding="utf-8")
    ended = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=False)
    assert not ended.returncode, ended.stderr
