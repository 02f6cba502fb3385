"""``python -m benchmarks.cuda [--device 0] [--size 1] [--json FILE]``: rates on one CUDA device, and on this host beside it.

Prints Philox words/s, walker-steps/s of the kernels, the copy rate of device memory, the same walks through `simulate` on both
backends with their counts compared bin by bin (1.3·10⁸ walkers × 10³ steps at full size), and CuPy and PyTorch on the same work
where they are installed. At full size it takes a minute or two on a host of sixteen cores.
Goals are fractions of the rate of CUDA C++ on an H100 (benchmarks/results/h100_beside.json).
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import platform
import sys
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numba
import numpy as np

import randwalk as rw
from randwalk.kernels.philox import key
from randwalk.kernels.program import FULL, NO_LEVELS, DigitsProgram, Walkers
from randwalk.run import devices
from randwalk.run.jump import Jumps
from randwalk.run.windows import Windows

Work = Callable[[], float]  # does some work and returns how much
STEPS = 1000
KEYS = key(1)
RESULTS = Path(__file__).with_name("results") / "h100_beside.json"
GOALS = {  # fractions of the rate of CUDA C++ in RESULTS
    "p = ½, kernel": ("p = ½", 0.9), "p = 0.3, q = 0.5, kernel": ("p = 0.3, q = 0.5", 0.8), "p(x), kernel": ("p(x)", 0.9),
    "p(x, t), kernel": ("p(x, t)", 0.55), "first passage (steps asked for), kernel": (
        "first passage from the middle, steps asked for", 1.0), "histogram, walkers": ("histogram, walkers", 0.85),
    "jump, walkers": ("jump, walkers", 0.85),
}  # fmt: skip
PHILOX_MULTIPLIES = (
    16  # 32 × 32 → 64 bits, to a block of four words: of 20, two depend on the walker alone, two on the block
)
MULTIPLIES_PER_CYCLE = 32  # of those, of a multiprocessor of compute capability 8.0 and 9.0


def rate(work: Work, repetitions: int, wait: Callable[[], None]) -> float:
    """The best of some repetitions, after one to warm up."""
    work()
    best = 0.0
    for _ in range(repetitions):
        wait()
        begin = time.perf_counter()
        done = work()
        wait()
        best = max(best, done / (time.perf_counter() - begin))
    return best


def walks() -> dict[str, rw.LatticeWalk]:
    return {
        "p = ½": rw.LatticeWalk(0.5, 0.5, dx=1.0, dt=1.0),
        "p = 0.3, q = 0.5": rw.LatticeWalk(0.3, 0.5, dx=1.0, dt=1.0),
        "p(x)": rw.LatticeWalk(
            rw.expression("0.4 - 0.1*tanh(x/50)"), rw.expression("0.4 + 0.1*tanh(x/50)"), dx=1.0, dt=1.0
        ),
        "p(x, t)": rw.LatticeWalk(
            rw.expression("0.4 - 0.1*tanh((x - t/50)/50)"),
            rw.expression("0.4 + 0.1*tanh((x - t/50)/50)"),
            dx=1.0,
            dt=1.0,
        ),
    }


def trapped() -> rw.LatticeWalk:
    return rw.LatticeWalk(0.5, 0.5, dx=1.0, dt=1.0, domain=rw.Interval(-50, 50, rw.Absorbing(), rw.Absorbing()))


def mixing(walkers: int, words: Any) -> Work:
    """64 Philox blocks for each of some walkers."""
    from randwalk.jit.cuda.compile import THREADS, Kernel, blocks_for, cuda, in_kernel
    from randwalk.kernels.cuda.stream import drawn, of_block, of_walker

    begun, part, made = in_kernel(of_walker), in_kernel(of_block), in_kernel(drawn)

    @Kernel
    def mix_blocks(out, blocks, keys):  # type: ignore[no-untyped-def]
        """The exclusive or of `blocks` Philox blocks a thread."""
        key0, key1, none = np.uint32(keys[0]), np.uint32(keys[1]), np.uint32(0)
        for j in range(cuda.grid(1), out.size, cuda.gridsize(1)):
            walker, mixed = begun(np.uint32(j), key0, key1), none
            for n in range(blocks):
                words = made(walker, part(np.uint32(n), none, key0, key1), key0, key1)
                mixed = np.uint32(mixed ^ words[0] ^ words[1] ^ words[2] ^ words[3])
            out[j] = mixed

    def philox() -> float:
        mix_blocks(blocks_for(walkers), THREADS, words, 64, KEYS)
        return walkers * 64 * 4.0

    return philox


def tabled(machine: Any, walk: rw.LatticeWalk, walkers: int, followed: bool) -> Work:
    """Steps from a table."""
    rows = Windows(walk, STEPS).rows
    program = rows.table.program(0, STEPS)
    starts = machine.place(range(walkers), rows.parts, KEYS)

    def work() -> float:
        here = machine.copy(starts)
        state = machine.begin(here, NO_LEVELS) if followed else None
        machine.advance(Walkers(0, here, state), program, 0, STEPS, KEYS)
        return float(walkers) * STEPS

    return work


def kernels(number: int, walkers: int) -> dict[str, Work]:
    """The kernels alone, on data that is on the device."""
    from randwalk.jit.cuda.compile import cuda
    from randwalk.run.cuda import Cuda

    machine = Cuda([number])
    site = cuda.to_device(np.zeros(walkers, dtype=np.int32))
    words, other = cuda.device_array(walkers, np.uint64), cuda.device_array(walkers, np.uint64)

    def constant(right: int, left: int, digits: int) -> Work:
        def work() -> float:
            machine.advance(Walkers(0, site), DigitsProgram((1, -1), (right, left), digits), 0, STEPS, KEYS)
            return float(walkers) * STEPS

        return work

    jumps = Jumps(Windows(walks()["p = 0.3, q = 0.5"], STEPS).rows.table, [STEPS])

    def jump() -> float:
        machine.advance(Walkers(0, site), jumps.program(0, 0, STEPS), 0, STEPS, KEYS)
        return float(walkers)

    def copy() -> float:
        other.copy_to_device(words)
        return 2.0 * words.nbytes

    def count() -> float:
        machine.histogram(site, 4096, 2048)
        return float(walkers)

    fair, biased = (FULL // 2, FULL, 1), (int(0.3 * FULL), int(0.8 * FULL), 8)
    return {
        "Philox, words": mixing(walkers, words),
        "p = ½, kernel": constant(*fair),
        "p = 0.3, q = 0.5, kernel": constant(*biased),
        "p(x), kernel": tabled(machine, walks()["p(x)"], walkers, followed=False),
        "p(x, t), kernel": tabled(machine, walks()["p(x, t)"], walkers, followed=False),
        "first passage (steps asked for), kernel": tabled(machine, trapped(), walkers, followed=True),
        "histogram, walkers": count,
        "jump, walkers": jump,
        "copy, bytes": copy,
    }


def whole(walk: rw.LatticeWalk, walkers: int, records: list[Any], **where: Any) -> tuple[float, rw.Ensemble]:
    """Steps/s of a whole run, and what it found; the second of two runs, so that nothing is compiled in it."""
    rw.simulate(walk, min(walkers, 10_000), [float(STEPS)], seed=1, method="paths", record=records, **where)
    begin = time.perf_counter()
    ensemble = rw.simulate(walk, walkers, [float(STEPS)], seed=1, method="paths", record=records, **where)
    return float(walkers) * STEPS / (time.perf_counter() - begin), ensemble


def others(walkers: int, number: int) -> dict[str, tuple[Work, Callable[[], None]]]:
    """p = ½ walks and p(x) walks as one would write them with an array library."""
    rows: dict[str, tuple[Work, Callable[[], None]]] = {}
    few = max(1000, walkers // 16)  # of these every step goes through memory
    if importlib.util.find_spec("cupy"):
        cp: Any = __import__("cupy")
        cp.cuda.Device(number).use()
        generator = cp.random.Generator(cp.random.Philox4x3210(1))

        def cupy_coin() -> float:
            generator.binomial(STEPS, 0.5, size=walkers)
            return float(walkers) * STEPS

        def cupy_curve() -> float:
            x = cp.zeros(few, dtype=cp.float32)
            for _ in range(STEPS):
                x += cp.where(generator.random(few, dtype=cp.float32) < 0.5 - 0.1 * cp.tanh(x / 50), 1.0, -1.0)
            return float(few) * STEPS

        def cupy_wait() -> None:
            cp.cuda.Device(number).synchronize()

        rows |= {"CuPy, p = ½ (binomial endpoints)": (cupy_coin, cupy_wait), "CuPy, p(x)": (cupy_curve, cupy_wait)}
    if importlib.util.find_spec("torch"):
        torch: Any = __import__("torch")
        if torch.cuda.is_available():
            where = torch.device("cuda", number)

            def torch_coin() -> float:
                x = torch.zeros(few, dtype=torch.int32, device=where)
                for _ in range(STEPS // 62):
                    bits = torch.randint(0, 1 << 62, (few,), device=where)
                    for _ in range(62):
                        x += (bits & 1).to(torch.int32)
                        bits >>= 1
                return float(few) * (STEPS // 62 * 62)

            def torch_curve() -> float:
                x = torch.zeros(few, device=where)
                for _ in range(STEPS):
                    x += torch.where(torch.rand(few, device=where) < 0.5 - 0.1 * torch.tanh(x / 50), 1.0, -1.0)
                return float(few) * STEPS

            def torch_wait() -> None:
                torch.cuda.synchronize(where)

            rows |= {"PyTorch, p = ½": (torch_coin, torch_wait), "PyTorch, p(x)": (torch_curve, torch_wait)}
    return rows


def multiply_limit() -> float:
    """Philox words/s if only its multiplications took time."""
    from randwalk.jit.cuda.compile import cuda

    properties = cuda.current_context().device
    hertz = 1e3 * properties.CLOCK_RATE
    return 4 * properties.MULTIPROCESSOR_COUNT * MULTIPLIES_PER_CYCLE * hertz / PHILOX_MULTIPLIES


def installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def measure(number: int, size: float, repetitions: int) -> dict[str, Any]:
    from randwalk.jit.cuda.compile import cuda
    from randwalk.run.cuda import SIMULATED, described

    walkers = max(64, int(size * (1 << 27)))
    rates: dict[str, float] = {}
    with cuda.gpus[number]:
        limit = 0.0 if SIMULATED else multiply_limit()
        for name, work in kernels(number, walkers).items():
            rates[name] = rate(work, repetitions, cuda.synchronize)
            show(name, rates[name])
    agree = True
    runs: list[tuple[str, rw.LatticeWalk, list[Any]]] = [(name, walk, []) for name, walk in walks().items()]
    for name, walk, records in [*runs, ("first passage", trapped(), [rw.FirstPassage()])]:
        many, gpu = whole(walk, walkers, records, backend="cuda", devices=[number])
        slow, cpu = whole(walk, walkers, records)
        same = np.array_equal(cpu.raw, gpu.raw) and all(np.array_equal(cpu[r].counts, gpu[r].counts) for r in records)
        agree = agree and same
        rates |= {f"{name}, simulate": many, f"{name}, this host": slow}
        show(f"{name}, simulate", many)
        show(f"{name}, this host", slow, "counts equal" if same else "COUNTS DIFFER")
    for name, (work, wait) in others(walkers, number).items():
        rates[name] = rate(work, repetitions, wait)
        show(name, rates[name])
    found = described()[number]
    about = {
        "device": found[1], "capability": found[2], "memory": float(found[4]), "host": platform.processor() or platform.machine(),
        "threads": numba.get_num_threads(), "python": platform.python_version(), "report": devices.report(),
        "versions": {name: installed(name) for name in ("numba", "numba-cuda", "numpy", "cupy-cuda13x", "torch")},
        "walkers": walkers, "steps": STEPS, "counts equal": agree, "philox limit": limit,
    }  # fmt: skip
    if limit:
        print(f"Philox reaches {rates['Philox, words'] / limit:.2f} of its multiplications' limit")
    return about | {"rates": rates}


def show(name: str, value: float, note: str = "") -> None:
    if name in GOALS:
        work, goal = GOALS[name]
        fastest = json.loads(RESULTS.read_text())["work"][work]["CUDA C++"]
        note = f"{value / fastest:.2f} of CUDA C++ on an H100 (goal {goal})"
    print(f"{name:42} {value:10.3g} /s  {note}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.cuda", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--device", type=int, default=0)
    parser.add_argument("--size", type=float, default=1.0, help="fraction of the full 2^27 walkers")
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--json", type=Path, help="write the results here")
    options = parser.parse_args()
    reason = devices.why_not_cuda()
    if reason is not None:
        sys.exit(f"nothing to measure: {reason}")
    for name, value in devices.report():
        print(f"{name:14} {value}")
    results = measure(options.device, options.size, options.repetitions)
    if options.json is not None:
        options.json.write_text(json.dumps(results, indent=2, default=str) + "\n")
    sys.exit(not results["counts equal"])


if __name__ == "__main__":
    main()
