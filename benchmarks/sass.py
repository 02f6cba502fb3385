"""``python -m benchmarks.sass [--json FILE]``: machine instructions a step of the CUDA kernels, without a GPU.

Counts, in the machine code for an H100 (sm_90), the instructions of the shortest way round the loop that does the work, so
without what is rare: ties, walkers that begin or leave. Needs numba-cuda and the wheels nvidia-nvvm, nvidia-cuda-nvrtc,
nvidia-cuda-nvcc and nvidia-cuda-nvdisasm.
"""

from __future__ import annotations

import argparse
import heapq
import json
import re
import subprocess
import tempfile
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

from .ptx import assemble, ptx_of, signatures, tool

CAPABILITY = (9, 0)
JUMP = re.compile(r"(@!?U?P\d+ +)?(?:BRA|EXIT)\b(?:.*`\((\.L_x_\d+)\))?")


class Work(NamedTuple):
    """What a kernel does in a turn of its loop: so many units, and the last of its instructions of this kind is on the way. Of an
    inner loop, which has an instruction of the second kind, so many turns."""

    unit: str
    done: int
    mark: str
    inner: str = ""
    turns: int = 0


WORK = {
    "toss[8]": Work("step", 1024, "POPC"),
    "toss and count[8]": Work("step", 1024, "POPC"),
    "digits[2, 8]": Work("step", 64, "POPC", r"LOP3.* 0xd4,", 4),
    "digits[4, 2]": Work("step", 64, "POPC"),
    "digits[4, 8]": Work("step", 64, "POPC", r"LOP3.* 0xd4,", 4),
    "p(x)": Work("step", 8, "IDP"),
    "p(x, t)": Work("step", 8, "IDP"),
    "first passage": Work("step", 8, "IDP"),
    "p(x, y)": Work("step", 8, "VIADDMNMX"),
    "count sites": Work("walker", 4, "ATOMS"),
    "jump": Work("walker", 4, r"STG\.E\.128"),
}


class Code:
    """The instructions of a kernel, and which may follow each."""

    def __init__(self, listing: str) -> None:
        lines = [line.strip() for line in listing[listing.index("\n.text.") :].splitlines()]
        labels: dict[str, int] = {}
        self.instructions: list[str] = []
        for line in lines:
            if re.match(r"\.L_x_\d+:", line):
                labels[line[:-1]] = len(self.instructions)
            elif found := re.match(r"/\*[0-9a-f]+\*/\s+(.*?) *;", line):
                self.instructions.append(found.group(1))
        self.next: list[list[int]] = []
        for i, text in enumerate(self.instructions):
            jump, after = JUMP.match(text), [i + 1] if i + 1 < len(self.instructions) else []
            if jump:
                there = [labels[jump.group(2)]] if jump.group(2) else []
                after = (after if jump.group(1) or " P" in text else []) + there
            self.next.append(after)

    def round(self, i: int) -> int | None:
        """The fewest instructions from one execution of number i to the next; None outside loops."""
        queue, seen = [(1, n) for n in self.next[i]], set()
        while queue:
            count, n = heapq.heappop(queue)
            if n == i:
                return count
            if n not in seen:
                seen.add(n)
                for after in self.next[n]:
                    heapq.heappush(queue, (count + 1, after))
        return None

    def loop(self, mark: str) -> int:
        """The fewest instructions of a turn that executes the last instruction of a kind which is in a loop with a short turn."""
        turns = [self.round(i) for i, text in enumerate(self.instructions) if re.search(rf"\b{mark}", text)]
        found = [turn for turn in turns if turn is not None]
        return max(found) if mark in ("POPC", "IDP", "VIADDMNMX") else min(found)


def counts() -> dict[str, tuple[float, str]]:
    """Instructions a unit of work, and the unit, of each kernel of WORK."""
    found = {}
    for name, kernel, arguments in signatures(import_module("numba.cuda.types"), CAPABILITY):
        if name not in WORK:
            continue
        with tempfile.TemporaryDirectory() as folder:
            _, error = assemble(ptx_of(kernel, arguments, CAPABILITY), CAPABILITY, kernel, Path(folder))
            assert not error, error
            listing = [tool("nvdisasm"), "-c", str(Path(folder) / "kernel.cubin")]
            code = Code(subprocess.run(listing, capture_output=True, text=True, check=True).stdout)
        work = WORK[name]
        total = code.loop(work.mark)
        if work.inner:
            total += (work.turns - 1) * code.loop(work.inner)
        found[name] = total / work.done, work.unit
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.sass", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--json", type=Path, help="write the numbers here")
    options = parser.parse_args()
    found = counts()
    for name, (count, unit) in found.items():
        print(f"{name:16} {count:7.3f} a {unit}", flush=True)
    if options.json is not None:
        numbers = {name: {"instructions": count, "unit": unit} for name, (count, unit) in found.items()}
        options.json.write_text(json.dumps({"target": "sm_90", "kernels": numbers}, indent=2) + "\n")


if __name__ == "__main__":
    main()
