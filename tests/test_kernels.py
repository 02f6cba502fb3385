"""The shape of the kernels: few parameters, and one folder that imports CUDA."""

from __future__ import annotations

import ast
import io
import tokenize
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "randwalk" / "kernels"
MOST_PARAMETERS = 8
SILENT = {
    tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER,
}  # fmt: skip
AXIS = {"left", "right", "low", "high", "wrap", "outer", "sites"}  # sides, ends and the length of an axis


def kernels() -> dict[str, list[str]]:
    """The parameters of every kernel that Python calls, on the CPU and on CUDA, by file and name."""
    found = {}
    for path in sorted({*FOLDER.glob("*.py"), *FOLDER.glob("cuda/*.py")}):  # not those that are made and kept
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


def test_kernels_are_few_lines() -> None:
    """Lines of code, without comments, docstrings and blank lines: 3600 for every dimension, backend and kind of walk."""
    lines = 0
    for path in {*FOLDER.glob("*.py"), *FOLDER.glob("cuda/*.py")}:
        text = path.read_text(encoding="utf-8")
        told: set[int] = set()
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Module) and ast.get_docstring(node):
                told |= set(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
        code: set[int] = set()
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type not in SILENT:
                code |= set(range(token.start[0], token.end[0] + 1))
        lines += len(code - told)
    assert 1000 < lines <= 3600
