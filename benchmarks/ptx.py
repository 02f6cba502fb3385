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
from randwalk.jit.cuda.compile import Kernel, cuda, plain_arithmetic, replaced
from randwalk.kernels.cuda import digits, occupation, table, walkers
from randwalk.kernels.cuda.ito import kernel as walk_kernel
from randwalk.kernels.cuda.spheres import kernel as sphere_kernel
from randwalk.kernels.ito import State
from randwalk.kernels.program import DigitsProgram, JumpProgram, Levels, TableProgram, Walkers
from randwalk.model.barrier import barriers
from randwalk.tables.ito_program import program as compiled_walk
from randwalk.tables.sphere_program import sphere_program

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
LAPLACE, SOURCE, SCREENED = (rw.expression("0"), 0.0), (rw.expression("1 + x"), 0.0), (rw.expression("2 - x"), 1.5)
SPHERES = {  # (dimension, (source, killing rate)) of a problem of each kind in a ball
    "disc": (2, LAPLACE), "disc, source": (2, SOURCE), "ball, screened": (3, SCREENED), "ten axes": (10, SCREENED),
}  # fmt: skip
CAPABILITIES = ((8, 0), (9, 0))
# (name, moves, what the kernel is compiled for)
FORMS = (
    ("p(x)", 2, table.Form(1, 0, False, True, True, False, (0, 0))),
    ("p(x, t)", 2, table.Form(1, 0, False, True, False, False, (0, 0))),
    ("first passage", 2, table.Form(1, 0, False, True, True, True, (0, 0))),
    ("p(x), killed, ring", 2, table.Form(2, 2, True, True, True, False, (0, 0))),
    ("p(x, t), killed", 2, table.Form(2, 2, False, True, False, True, (0, 0))),
    ("p(x, y)", 4, table.Form(2, 0, False, False, True, False, (0, 0))),
    ("p(x, y, z), killed", 6, table.Form(4, 6, True, False, False, True, (0, 0))),
)
# A line of PTX that is no declaration: those begin with a point.
INSTRUCTION = re.compile(r"^\s+(?:@!?%p\d+ )?[a-z][\w.]*\s.*;$", re.MULTILINE)
# fma fuses; mul, add and sub without a rounding mode may be fused by ptxas.
CONTRACTED = re.compile(r"\b(?:fma\.\S+|(?:mul|add|sub|mad)\.f(?:32|64))\b")


WHEELS = {"ptxas": "nvidia-cuda-nvcc==13.0.*", "nvdisasm": "nvidia-cuda-nvdisasm"}


def tool(name: str) -> str:
    """The assembler or the disassembler: of its wheel, else on the path."""
    wheels = sorted(Path(sysconfig.get_path("purelib")).glob(f"nvidia/**/bin/{name}"))
    found = str(wheels[0]) if wheels else shutil.which(name)
    if found is None:
        sys.exit(f'no {name}: pip install "{WHEELS[name]}"')
    return found


def assemble(ptx: str, capability: tuple[int, int], kernel: Kernel, folder: Path) -> tuple[str, str]:
    """(what ptxas says, error); the machine code is kernel.cubin in the folder."""
    (folder / "kernel.ptx").write_text(ptx)
    most = kernel.options.get("max_registers")
    limit = [f"--maxrregcount={most}"] if most else []
    target = f"-arch=sm_{capability[0]}{capability[1]}"
    arguments = [tool("ptxas"), "-v", target, *limit, "kernel.ptx", "-o", "kernel.cubin"]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False, cwd=folder)
    return done.stderr, done.stderr if done.returncode else ""


def number(pattern: str, text: str) -> int:
    found = re.search(pattern, text)
    return int(found.group(1)) if found else 0


def compile_all(capability: tuple[int, int]) -> Iterator[tuple[str, Kernel, str]]:
    """Every kernel as PTX for a compute capability: (name, kernel, PTX)."""
    types = import_module("numba.cuda.types")
    for name, kernel, arguments in (*signatures(types, capability), *_continuous(types), *_spheres(types)):
        yield name, kernel, ptx_of(kernel, arguments, capability)


def ptx_of(kernel: Kernel, arguments: tuple[Any, ...], capability: tuple[int, int]) -> str:
    dispatcher, types = import_module("numba.cuda.dispatcher"), import_module("numba.cuda.types")
    device = SimpleNamespace(compute_capability=capability)
    with replaced(dispatcher, "get_current_device", lambda: device), plain_arithmetic():
        return str(cuda.compile_ptx(kernel.function, types.void(*arguments), cc=capability)[0])


def signatures(types: Any, capability: tuple[int, int]) -> Iterator[tuple[str, Kernel, tuple[Any, ...]]]:
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
    span, u32 = types.UniTuple(i64, 3), types.uint32

    def digits_program(moves: int) -> Any:
        return fields(DigitsProgram, types.UniTuple(i64, moves), types.UniTuple(i64, moves), i64)

    def program(moves: int) -> Any:
        return fields(TableProgram, types.UniTuple(i64, moves), thresholds, sites, sites, ways, flag, flag)

    yield "place", walkers.place, (sites, i64, i64, sites, longs, keys)
    for blocks in (1, digits.MOST):
        parts, masks = types.UniTuple(u32, 3 * blocks), types.UniTuple(u32, 8)
        every_key = types.Tuple((u32, u32, types.UniTuple(u32, 8), types.UniTuple(u32, 8)))
        yield f"toss[{blocks}]", digits.toss(blocks), (batch, digits_program(2), parts, masks, span, every_key)
        counting = longs, types.UniTuple(i64, 2), digits_program(2), parts, masks, span, every_key
        yield f"toss and count[{blocks}]", walkers.toss_and_count(blocks), counting
    for moves, planes in ((2, 8), (2, 3), (4, 2), (4, 8), (6, 8)):
        kernel = digits.walk_digits(moves, planes)
        yield f"digits[{moves}, {planes}]", kernel, (batch, digits_program(moves), span, keys)
    for name, kept in (("paths", batch), ("paths and cells", everything)):
        yield f"digits, {name}", digits.follow_digits(2), (kept, digits_program(2), span, keys)
        yield f"table, {name}", table.follow_table, (kept, program(2), span, keys)
    yield "cut", table.cut, (types.uint32[::1], program(2), i64, i64)
    for name, moves, form in FORMS:
        cut = fields(table.Cuts, types.uint32[::1], i64, types.UniTuple(u32, form.pairs * (1 if form.near else 2)))
        kernel = table.walk_cuts(form._replace(capability=capability))
        yield name, kernel, (batch, program(moves), cut, span, keys)
    jump = fields(JumpProgram, i64, i64, i64, words, types.uint32[::1], i64)
    yield "jump", walkers.jump, (sites, i64, jump, keys)
    yield "begin", walkers.begin, (state, sites, levels)
    yield "count sites", walkers.count_sites, (longs, sites, i64, i64)
    yield "count", walkers.count, (longs, flag, sites, sites, ways, types.UniTuple(i64, 4))
    tiles = types.Tuple((state, types.boolean[:, ::1], longs))
    yield "occupy", occupation.occupy_tiles, (longs, longs, tiles, program(2), words, span, gone, keys)


def _continuous(types: Any) -> Iterator[tuple[str, Kernel, tuple[Any, ...]]]:
    """As :func:`signatures`, of walks in continuous space."""
    floats, i64 = types.float64[::1], types.int64
    state = types.BaseTuple.from_types((types.float64[:, ::1], types.int32[::1], floats, floats, floats), State)
    for name, walk in CONTINUOUS.items():
        made = compiled_walk(walk)
        parameters = types.Tuple((*[types.float64] * (len(made.parameters) - 1), floats))
        keys = types.UniTuple(types.uint64, 2)
        yield f"ito, {name}", walk_kernel(made.module, 1), (state, i64, i64, i64, types.float64, parameters, keys)


def _spheres(types: Any) -> Iterator[tuple[str, Kernel, tuple[Any, ...]]]:
    """As :func:`signatures`, of walks on spheres."""
    rows, i64, pair = types.float64[:, ::1], types.int64, types.UniTuple(types.float64, 2)
    for name, (d, (source, killing)) in SPHERES.items():
        domain = (rw.Line() ** d).inside(rw.Ball((0.0,) * d, 2.0), ABSORB)
        walls = barriers(domain)
        made = sphere_program(
            [wall.distance for wall in walls], [rw.expression("3 + x")] * len(walls), source, (0.5, killing), [None] * d
        )
        parameters = types.Tuple((*[types.float64] * (len(made.parameters) - 1), types.float64[::1]))
        limits, keys = types.Tuple((types.float64, i64)), types.UniTuple(types.uint64, 2)
        yield f"spheres, {name}", sphere_kernel(made.module), (rows, i64, rows, parameters, limits, pair, rows, keys)


def main() -> None:
    failures = []
    print(f"{'kernel':20} {'target':7} {'instructions':>12} {'registers':>9} {'stack':>6} {'spilled':>8} {'shared':>7}")
    for capability in CAPABILITIES:
        target = f"sm_{capability[0]}{capability[1]}"
        for name, kernel, ptx in compile_all(capability):
            with tempfile.TemporaryDirectory() as folder:
                said, error = assemble(ptx, capability, kernel, Path(folder))
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
