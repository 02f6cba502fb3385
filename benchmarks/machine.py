"""What is kept of a measurement besides its numbers."""

from __future__ import annotations

import datetime
import platform
from pathlib import Path

import numba

import randwalk as rw

VECTORS = {"avx512f": "with AVX-512", "avx2": "with AVX2"}


def processor() -> str:
    """The name of the processor, and the width of its vectors."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        said = {line.split(":")[0].strip(): line.split(":")[1].strip() for line in lines if ":" in line}
        widest = next((name for flag, name in VECTORS.items() if flag in said.get("flags", "").split()), "")
        return " ".join([said["model name"], widest]).strip()
    except (OSError, KeyError):
        return platform.processor()


def about(command: str, threads: int) -> dict[str, str]:
    """The command, the machine, the version and the date."""
    machine = f"{processor()}, {threads} threads, numba {numba.__version__}, Python {platform.python_version()}"
    return {
        "command": command, "machine": machine, "randwalk": rw.__version__, "date": datetime.date.today().isoformat(),
    }  # fmt: skip
