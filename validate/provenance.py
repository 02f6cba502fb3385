"""What made a report: versions, the machine, the date, and the command that makes it again."""

from __future__ import annotations

import platform
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from randwalk.kernels.philox import STREAM_VERSION
from randwalk.run.threads import available
from randwalk.version import __version__

from .compare import FALSE_ALARMS

DEPENDENCIES = ("numpy", "scipy", "numba", "llvmlite")
CPUINFO = Path("/proc/cpuinfo")


@dataclass(frozen=True)
class Provenance:
    """What a report says about its origin.

    Attributes
    ----------
    randwalk, python : str
        Versions.
    stream : int
        The version of the random stream.
    dependencies : dict
        The version of each package, by name.
    system, processor, backend : str
        The operating system, the model of the processor, and where the walkers were moved.
    threads : int
        Threads at most; no result depends on their number.
    date : str
        When the report was begun, in UTC, by ISO 8601.
    seconds : float
        How long it took.
    command : str
        What makes it again.
    """

    randwalk: str
    stream: int
    python: str
    dependencies: dict[str, str]
    system: str
    processor: str
    threads: int
    backend: str
    date: str
    seconds: float
    command: str

    @classmethod
    def here(cls, command: str = "randwalk validate", seconds: float = 0.0, threads: int | None = None) -> Provenance:
        """That of this process; `seconds` ago it began."""
        begun = datetime.fromtimestamp(datetime.now(UTC).timestamp() - seconds, UTC)
        return cls(
            __version__, STREAM_VERSION, f"{platform.python_implementation()} {platform.python_version()}", _versions(),
            platform.platform(), processor(), available() if threads is None else threads, "cpu",
            begun.isoformat(timespec="seconds"), seconds, command,
        )  # fmt: skip


def command(names: Sequence[str], walkers: int | None, seed: int | None, alpha: float) -> str:
    """The command line that validates the same cases in the same way.

    >>> command(["lazy_line", "my problem.toml"], 1000, None, 0.001)
    "randwalk validate lazy_line 'my problem.toml' --walkers 1000"
    """
    options = {"--walkers": walkers, "--seed": seed, "--alpha": None if alpha == FALSE_ALARMS else alpha}
    given = [part for name, value in options.items() if value is not None for part in (name, f"{value}")]
    return shlex.join(["randwalk", "validate", *names, *given])


def processor() -> str:
    """The model of the processor, as far as the system tells it."""
    try:
        lines = CPUINFO.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return next(filter(None, (*models[:1], platform.processor(), platform.machine())), "unknown")


def _versions() -> dict[str, str]:
    found = {}
    for name in DEPENDENCIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "unknown"
    return found
