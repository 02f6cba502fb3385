"""``python -m benchmarks.ptx``: every CUDA kernel compiled to PTX and SASS, without a GPU and without a driver.

Needs numba-cuda and the wheels nvidia-nvvm, nvidia-cuda-nvrtc and nvidia-cuda-nvcc. Prints instructions, registers, spills and
shared memory of each kernel; exit status 1 on an error, a spill, or floating-point arithmetic that may be contracted.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import randwalk as rw
from randwalk.kernels.cuda import digits, occupation, table, walkers
from randwalk.kernels.cuda.compile import Kernel, cuda, plain_arithmetic, replaced
from randwalk.kernels.cuda.ito import kernel as walk_kernel
from randwalk.kernels.ito import State
from randwalk.kernels.program import DigitsProgram, Halves, JumpProgram, Levels, TableProgram, Walkers
from randwalk.tables.ito_program import program as compiled_walk

ABSORB = rw.Absorbing()
CONTINUOUS = {  # a walk of each kind in continuous space
    "well": rw.ItoWalk(rw.expression("x - x**3"), noise=0.7, dt=0.01),
    "functions": rw.ItoWalk(
        (rw.expression("sin(y) - tanh(x)"), rw.expression("exp(-x**2) + log(2 + t)")), noise=((0.5, 0.1), (0.0, 0.3)), dt=0.01,
        start=(0.0, 0.0),
    ),
    "interval": rw.ItoWalk(-1.0, 0.5, dt=0.01, killing=rw.expression("x**2"), domain=rw.Interval(-1.0, 1.0, ABSORB, ABSORB)),
    "disc": rw.ItoWalk(
        (0.0, 0.0), 0.5, dt=0.01, start=(0.0, 0.0), domain=(rw.Line() ** 2).inside(rw.Ball((0.0, 0.0), 1.0), ABSORB),
    ),
    "ten axes": rw.ItoWalk(
        tuple(rw.expression(f"-x[{i}]") for i in range(10)), 0.5, dt=0.01, start=(0.0,) * 10, increments=rw.TwoPoint(),
    ),
}  # fmt: skip
CAPABILITIES = ((8, 0), (9, 0))
# (what is recorded, whether something is known of each cell, whether paths are followed)
WAYS = ("ends", False, False), ("paths", False, True), ("paths and cells", True, True)
# A line of PTX that is no declaration: those begin with a point.
INSTRUCTION = re.compile(r"^\s+(?:@!?%p\d+ )?[a-z][\w.]*\s.*;$", re.MULTILINE)
# fma fuses; mul, add and sub without a rounding mode may be fused by ptxas.
CONTRACTED = re.compile(r"\b(?:fma\.\S+|(?:mul|add|sub|mad)\.f(?:32|64))\b")


def ptxas() -> str:
    """The assembler: of the nvidia-cuda-nvcc wheel, else on the path."""
    wheels = sorted(Path(sysconfig.get_path("purelib")).glob("nvidia/**/bin/ptxas"))
    found = str(wheels[0]) if wheels else shutil.which("ptxas")
    if found is None:
        sys.exit('no ptxas: pip install "nvidia-cuda-nvcc==13.0.*"')
    return found


def assemble(ptx: str, capability: tuple[int, int]) -> tuple[str, str]:
    """(what ptxas says, error)."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "kernel.ptx"
        source.write_text(ptx)
        arguments = [
            ptxas(),
            "-v",
            f"-arch=sm_{capability[0]}{capability[1]}",
            str(source),
            "-o",
            str(Path(folder) / "kernel.cubin"),
        ]
        done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    return done.stderr, done.stderr if done.returncode else ""


def number(pattern: str, text: str) -> int:
    found = re.search(pattern, text)
    return int(found.group(1)) if found else 0


def compile_all(capability: tuple[int, int]) -> Iterator[tuple[str, str]]:
    """Every kernel as PTX for a compute capability: (name, PTX)."""
    dispatcher, types = import_module("numba.cuda.dispatcher"), import_module("numba.cuda.types")
    device = SimpleNamespace(compute_capability=capability)
    for name, kernel, arguments in (*_signatures(types), *_continuous(types)):
        with replaced(dispatcher, "get_current_device", lambda: device), plain_arithmetic():
            yield name, cuda.compile_ptx(kernel.function, types.void(*arguments), cc=capability)[0]


def _signatures(types: Any) -> Iterator[tuple[str, Kernel, tuple[Any, ...]]]:
    """(name, kernel, types of its arguments)."""

    def fields(of: Any, *kinds: Any) -> Any:
        return types.BaseTuple.from_types(kinds, of)

    i64, flag, keys = types.int64, types.boolean, types.UniTuple(types.uint64, 2)
    sites, longs, words = types.int32[::1], types.int64[::1], types.uint64[::1]
    state, gone, ways = types.int32[:, ::1], types.int64[:, ::1], types.uint8[::1]
    thresholds, lives = types.uint32[:, :, ::1], types.uint32[:, ::1]
    levels = fields(Levels, sites, sites, types.uint8[:, ::1], state, state, lives)
    told = types.Tuple((sites, sites, types.none))
    every = types.Tuple((sites, sites, types.Tuple((types.uint8[:, ::1], state, state, lives))))
    batch, everything = (fields(Walkers, i64, sites, state, kept, flag, sites) for kept in (told, every))
    moves = types.UniTuple(i64, 2)
    digits_program = fields(DigitsProgram, moves, moves, i64)
    program = fields(TableProgram, moves, thresholds, sites, sites, ways, flag, flag)
    halves, span = fields(Halves, thresholds, lives, moves, flag), types.UniTuple(i64, 3)
    yield "place", walkers.place, (sites, i64, i64, sites, longs, keys)
    yield "toss", digits.toss, (batch, digits_program, span, keys)
    for name, kept, followed in WAYS:
        given = everything if kept else batch
        yield f"digits, {name}", digits.walk_digits(2, followed), (given, digits_program, span, keys)
        for capacity in (0, *table.CAPACITIES):
            kernel = table.walk_table(capacity, 1, "uint32", followed)
            yield f"table[{capacity}], {name}", kernel, (given, program, halves, span, keys)
    jump = fields(JumpProgram, i64, i64, i64, words, types.uint32[::1], i64)
    yield "jump", walkers.jump, (sites, i64, jump, keys)
    yield "begin", walkers.begin, (state, sites, levels)
    yield "count", walkers.count, (longs, flag, sites, sites, ways, types.UniTuple(i64, 4))
    tiles = types.Tuple((state, types.boolean[:, ::1], longs))
    yield "occupy", occupation.occupy_tiles, (longs, longs, tiles, program, words, span, gone, keys)


def _continuous(types: Any) -> Iterator[tuple[str, Kernel, tuple[Any, ...]]]:
    """As :func:`_signatures`, of walks in continuous space."""
    floats, i64 = types.float64[::1], types.int64
    state = types.BaseTuple.from_types((types.float64[:, ::1], types.int32[::1], floats, floats, floats), State)
    for name, walk in CONTINUOUS.items():
        made = compiled_walk(walk)
        parameters = types.Tuple((*[types.float64] * (len(made.parameters) - 1), floats))
        keys = types.UniTuple(types.uint64, 2)
        yield f"ito, {name}", walk_kernel(made.module, 1), (state, i64, i64, i64, types.float64, parameters, keys)


def main() -> None:
    failures = []
    print(f"{'kernel':20} {'target':7} {'instructions':>12} {'registers':>9} {'stack':>6} {'spilled':>8} {'shared':>7}")
    for capability in CAPABILITIES:
        target = f"sm_{capability[0]}{capability[1]}"
        for name, ptx in compile_all(capability):
            said, error = assemble(ptx, capability)
            spilled = number(r"(\d+) bytes spill stores", said) + number(r"(\d+) bytes spill loads", said)
            registers, stack = number(r"Used (\d+) registers", said), number(r"(\d+) bytes stack frame", said)
            shared = number(r"(\d+) bytes smem", said)
            instructions = len(INSTRUCTION.findall(ptx))
            print(f"{name:20} {target:7} {instructions:12} {registers:9} {stack:6} {spilled:8} {shared:7}", flush=True)
            contracted = CONTRACTED.search(ptx)
            if error or f".target {target}" not in ptx or not registers:
                failures.append(f"{name} for {target} does not compile: {error}")
            if spilled:
                failures.append(f"{name} for {target} spills {spilled} bytes")
            if contracted:
                failures.append(f"{name} for {target} has {contracted.group()}: its bits would not be the CPU's")
    print("\n".join(failures) if failures else "all compile, without spills and without contraction")
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
