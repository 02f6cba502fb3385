"""Options that commands share, and what they do before and around a run. Slow imports stand inside functions, as in
:mod:`randwalk.commands`."""

from __future__ import annotations

import functools
import logging
import math
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .terminal.output import check_output
from .terminal.streams import read_standard_input

if TYPE_CHECKING:
    from .problem import Problem


def _number_of_walkers(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        try:
            meant = float(text)
        except ValueError:
            meant = math.nan
        hint = f": write {int(meant):_}" if meant.is_integer() else ""
        raise typer.BadParameter(f"{text!r} is not a whole number{hint}") from None
    if number < 1:
        raise typer.BadParameter(f"{number} must be at least 1")
    return number


Backend = Annotated[str, typer.Option(help="cpu, cuda or auto (a GPU where it pays): the same results.")]
Threads = Annotated[int | None, typer.Option(min=1, help="Threads at most; all processors if not given.")]
Walkers = Annotated[
    int | None,
    typer.Option(parser=_number_of_walkers, metavar="N", help="Walkers of the runs whose cost depends on them."),
]
Workers = Annotated[
    int | None, typer.Option("--workers", min=1, help="Processes of this machine that share the walkers.")
]
Dask = Annotated[
    str | None, typer.Option("--dask", metavar="ADDRESS", help="A Dask scheduler, whose workers share the walkers.")
]
Kept = Annotated[
    list[str] | None,
    typer.Option("--record", metavar="RECORD", help="Keep this, too: Maximum, LastVisit(0.5), ... May be repeated."),
]
Seed = Annotated[int | None, typer.Option(min=0, help="Seed; the file's if not given.")]


def _silenced(context: typer.Context, quiet: bool) -> bool:
    """--quiet also silences the notice of compiled kernels while the command runs."""
    logger = logging.getLogger("randwalk")
    if quiet:
        context.call_on_close(functools.partial(logger.setLevel, logger.level))
        logger.setLevel(logging.ERROR)
    return quiet


Quiet = Annotated[bool, typer.Option("--quiet", "-q", callback=_silenced, help="Print nothing but errors.")]
File = Annotated[str, typer.Argument(help="A problem file; - reads it from standard input.")]


def read_records(names: list[str] | None) -> list[Any]:
    """The records of --record."""
    from .named_records import read_record

    return [read_record(name) for name in names or ()]


def check_outputs(given: Mapping[str, str | None]) -> None:
    """Refuse output files, by their options, that cannot be written, or two that are one."""
    places: dict[Path, str] = {}
    for option, path in given.items():
        if path is None:
            continue
        place = check_output(option, path).resolve()
        if place.is_file() or not place.exists():  # a stream may be written to twice
            if place in places:
                raise ValueError(f"{option} {path}: this is the file of {places[place]}; give another name")
            places[place] = option


def read_problem(file: str) -> Problem:
    """The problem in a file, or on standard input for "-"."""
    from .problem import Problem, Source

    if file == "-":
        return Problem.of(Source.parse(read_standard_input(), "standard input"))
    return Problem.load(file)


@contextmanager
def in_keys(file: str) -> Iterator[None]:
    """Errors of a run get the name of the problem file, and its keys in place of Python's arguments."""
    from .problem import as_keys

    try:
        yield
    except ValueError as error:
        name = "standard input" if file == "-" else file
        raise ValueError(f"{name}: {as_keys(str(error))}") from None


@contextmanager
def counting(description: str, total: int | None, shown: bool) -> Iterator[Callable[[str], None]]:
    """A progress bar on standard error, if that is a terminal; yields a function to call with the name of each finished item."""
    from rich.console import Console
    from rich.progress import Progress

    if not (shown and sys.stderr.isatty()):
        yield lambda name: None
        return
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(description, total=total)
        yield lambda name: progress.update(task, advance=1, description=name)
