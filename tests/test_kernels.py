"""The shape of the kernels: few parameters, and one folder that imports CUDA."""

from __future__ import annotations

import ast
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "randwalk" / "kernels"
MOST_PARAMETERS = 8
AXIS = {"left", "right", "low", "high", "wrap", "outer", "sites"}  # sides, ends and the length of an axis


def kernels() -> dict[str, list[str]]:
    """The parameters of every kernel that Python calls, on the CPU and on CUDA, by file and name."""
    found = {}
    for path in sorted(FOLDER.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            made_by = {ast.unparse(d) for d in node.decorator_list} if isinstance(node, ast.FunctionDef) else set()
            if isinstance(node, ast.FunctionDef) and made_by & {"kernel", "Kernel"}:
                found[f"{path.stem}.{node.name}"] = [argument.arg for argument in node.args.args]
    return found


def test_kernels_take_few_parameters() -> None:
    assert len(kernels()) > 15
    assert {name: names for name, names in kernels().items() if len(names) > MOST_PARAMETERS} == {}


def test_no_kernel_takes_a_side_or_the_end_of_an_axis() -> None:
    assert {name: AXIS & set(names) for name, names in kernels().items() if AXIS & set(names)} == {}
