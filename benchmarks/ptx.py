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
from pathlib import Path

import randwalk as rw
from randwalk.kernels.cuda.ito import kernel
from randwalk.kernels.cuda.ptx import compile_all, compile_one, ito_types
from randwalk.tables.ito_program import program

CAPABILITIES = ((8, 0), (9, 0))
# A line of PTX that is no declaration: those begin with a point.
INSTRUCTION = re.compile(r"^\s+(?:@!?%p\d+ )?[a-z][\w.]*\s.*;$", re.MULTILINE)
# fma fuses; mul, add and sub without a rounding mode may be fused by ptxas.
CONTRACTED = re.compile(r"\b(?:fma\.\S+|(?:mul|add|sub|mad)\.f(?:32|64))\b")


ABSORB = rw.Absorbing()
CONTINUOUS = {  # a walk of each kind in continuous space
    "ito well": rw.ItoWalk(rw.expression("x - x**3"), noise=0.7, dt=0.01),
    "ito functions": rw.ItoWalk(
        (rw.expression("sin(y) - tanh(x)"), rw.expression("exp(-x**2) + log(2 + t)")), noise=((0.5, 0.1), (0.0, 0.3)), dt=0.01,
        start=(0.0, 0.0),
    ),
    "ito interval": rw.ItoWalk(-1.0, 0.5, dt=0.01, killing=rw.expression("x**2"), domain=rw.Interval(-1.0, 1.0, ABSORB, ABSORB)),
    "ito disc": rw.ItoWalk(
        (0.0, 0.0), 0.5, dt=0.01, start=(0.0, 0.0), domain=(rw.Line() ** 2).inside(rw.Ball((0.0, 0.0), 1.0), ABSORB),
    ),
    "ito ten": rw.ItoWalk(
        tuple(rw.expression(f"-x[{i}]") for i in range(10)), 0.5, dt=0.01, start=(0.0,) * 10, increments=rw.TwoPoint(),
    ),
}  # fmt: skip


def compiled(capability: tuple[int, int]) -> Iterator[tuple[str, str]]:
    """Every kernel, and those of some walks in continuous space: (name, PTX)."""
    yield from compile_all(capability)
    for name, walk in CONTINUOUS.items():
        made = program(walk)
        yield name, compile_one(kernel(made.module, 1), ito_types(len(made.parameters) - 1), capability)


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


def main() -> None:
    failures = []
    print(f"{'kernel':20} {'target':7} {'instructions':>12} {'registers':>9} {'stack':>6} {'spilled':>8} {'shared':>7}")
    for capability in CAPABILITIES:
        target = f"sm_{capability[0]}{capability[1]}"
        for name, ptx in compiled(capability):
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
