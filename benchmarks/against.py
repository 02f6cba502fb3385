"""``python -m benchmarks.against CHECKOUT [--size 1] [--repetitions 5]``: every workload by this checkout and by another one.

Two processes take turns, so that both meet the same noise; the last column is the ratio of the best rates. A row that compiles
its kernels does so before it is timed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, Any

from rich.console import Console
from rich.table import Table

HERE = Path(__file__).resolve()
BY = "randwalk"


def serve(size: float, threads: int) -> None:
    """Answer on standard output: first the names of the workloads, then for each name that is read its rate."""
    from benchmarks.workloads import workloads

    works = {w.name: w.rows[BY] for w in workloads(size, threads, lambda *_, **__: {})}
    print(json.dumps(list(works)), flush=True)
    for line in sys.stdin:
        work = works[json.loads(line)]
        begun = time.perf_counter()
        done = work()
        print(json.dumps(done / (time.perf_counter() - begun)), flush=True)


class Checkout:
    """A process that runs the workloads of a checkout when asked to."""

    def __init__(self, folder: Path, size: float, threads: int) -> None:
        path = os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH", "")]))
        command = [sys.executable, str(HERE), "--serve", "--size", str(size), "--threads", str(threads)]
        self._process = subprocess.Popen(
            command, cwd=folder, env=os.environ | {"PYTHONPATH": path}, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True,
        )  # fmt: skip
        self.names: list[str] = self._read()

    def rate(self, name: str) -> float:
        """The rate of one run of a workload."""
        asked: IO[str] | None = self._process.stdin
        assert asked is not None
        print(json.dumps(name), file=asked, flush=True)
        return float(self._read())

    def _read(self) -> Any:
        answered = self._process.stdout
        assert answered is not None
        return json.loads(answered.readline())

    def close(self) -> None:
        self._process.communicate()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.against", description=__doc__)
    parser.add_argument("checkout", type=Path, nargs="?", help="the folder of the other checkout")
    parser.add_argument("--size", type=float, default=1.0, help="fraction of the full size")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.size, options.threads)
        return
    if options.checkout is None or not (options.checkout / "benchmarks").is_dir():
        parser.error(f"{options.checkout} is no checkout of randwalk: give its folder")
    both = [Checkout(folder, options.size, options.threads) for folder in (HERE.parents[1], options.checkout.resolve())]
    table = Table("workload", "here", "there", "here ÷ there")
    for name in both[0].names:
        if name not in both[1].names:
            continue
        best = [0.0, 0.0]
        for repetition in range(options.repetitions + 1):
            for i, checkout in enumerate(both):
                rate = checkout.rate(name)
                best[i] = max(best[i], rate if repetition else 0.0)
        table.add_row(name, f"{best[0]:.4g}", f"{best[1]:.4g}", f"{best[0] / best[1]:.3f}")
    for checkout in both:
        checkout.close()
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
