"""The commands of ``randwalk``. Slow imports stand inside the commands, so that --help is fast.

Every command refuses bad input and outputs that cannot be written before it runs anything, and writes its files before it
prints.
"""

from __future__ import annotations

import functools
import io
import math
import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import printed
from .application import app as app
from .application import command
from .options import (
    Backend,
    Dask,
    File,
    Kept,
    Quiet,
    Seed,
    Threads,
    Walkers,
    Workers,
    check_outputs,
    in_keys,
    read_problem,
    read_records,
)
from .terminal.output import check_folder, check_output, write_bytes, write_text
from .terminal.status import Stopped
from .validate_command import validate as validate  # the first one of the help

if TYPE_CHECKING:
    from .collect import Interrupted
    from .pde.equation import FokkerPlanck
    from .pde.solver.solution import Solution


class Format(StrEnum):
    """File formats of figures."""

    PNG = "png"
    SVG = "svg"
    PDF = "pdf"
    GIF = "gif"
    MP4 = "mp4"


@command
def simulate(
    file: File,
    out: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Keep the ensemble here (.npz, or .nc for netCDF), every minute; run again, it goes on where it stopped.",
        ),
    ] = None,
    json: Annotated[str | None, typer.Option(metavar="FILE", help="Write the estimates to this file.")] = None,
    walkers: Walkers = None,
    seed: Seed = None,
    method: Annotated[str, typer.Option(help="auto, paths, occupation or jump.")] = "auto",
    record: Kept = None,
    threads: Threads = None,
    backend: Backend = "cpu",
    workers: Workers = None,
    dask: Dask = None,
    quiet: Quiet = False,
) -> None:
    """Run the walkers of a problem file and print what they found."""
    if out is not None:
        check_output("--out", out, (".npz", ".nc"))
    if json is not None:
        check_output("--json", json)
    if out is not None and json is not None and Path(out).resolve() == Path(json).resolve():
        raise ValueError(f"--json {json}: this is the file of --out; give another name")
    import randwalk as rw

    from .workers import workers as started

    problem, kept = read_problem(file), read_records(record)
    stopped: BaseException | None = None
    try:
        with started(workers, dask) as executor, in_keys(file):
            given: dict[str, Any] = {} if problem.bins is None else {"bins": problem.bins}
            ensemble: Any = rw.simulate(
                problem.walk, problem.walkers if walkers is None else walkers, problem.times,
                seed=problem.seed if seed is None else seed, method=method, record=kept, threads=threads,
                progress=sys.stderr.isatty() and not quiet, backend=backend, executor=executor, out=out, **given,
            )  # fmt: skip
    except (
        rw.Interrupted,
        rw.DeviceError,
        OSError,
    ) as stop:  # the finished walkers are shown, and kept if a file takes them
        if getattr(stop, "ensemble", None) is None:
            if isinstance(stop, rw.Interrupted):
                raise Stopped(_in_words(stop, out)) from None
            raise
        ensemble, stopped = stop.ensemble, stop  # type: ignore[union-attr]
    try:
        if json is not None:
            write_text(json, printed.estimates(problem, ensemble))
    finally:  # a full disk must not suppress the printed results
        if not quiet:
            printed.print_table(printed.ensemble_table(problem, ensemble, file))
    if not quiet:
        written = stopped is None or isinstance(stopped, (rw.Interrupted, rw.DeviceError, rw.RangeFailed))
        printed.print_written(out if written else None, json)
    if isinstance(stopped, rw.Interrupted):
        raise Stopped(_in_words(stopped, out))
    if stopped is not None:
        raise stopped


def _in_words(stopped: Interrupted, out: str | None) -> str:
    """What an interruption says, to whom a command was interrupted."""
    if out is None:
        return f"{stopped.done}; with --out run.npz the same command goes on from what is finished"
    return str(stopped).replace("the same call", "the same command")


@command
def explain(
    file: File,
    walkers: Walkers = None,
    record: Kept = None,
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, help="Workers of an executor, of one core each.")
    ] = None,
) -> None:
    """Say which method ``simulate`` takes for a problem file, and how long each would; with --workers also what the run costs.
    Nothing is run."""
    import randwalk as rw

    problem, kept = read_problem(file), read_records(record)
    with in_keys(file):
        given: dict[str, Any] = {} if problem.bins is None else {"bins": problem.bins}
        asked = problem.walkers if walkers is None else walkers
        print(rw.explain(problem.walk, asked, problem.times, record=kept, workers=workers, **given))


@command
def solve(
    file: File,
    tolerance: Annotated[
        float | None, typer.Option(help="Error wanted in the distribution function; the file's if not given.")
    ] = None,
    out: Annotated[str | None, typer.Option(metavar="FILE", help="Write positions and densities here (.csv).")] = None,
    quiet: Quiet = False,
) -> None:
    """Solve the equation of a problem file: closed form where there is one, and finite differences."""
    if out is not None:
        check_output("--out", out, (".csv",))
    import randwalk as rw

    problem = read_problem(file)
    with in_keys(file):
        equation = rw.pde.limit(problem.walk)
    times = [t for t in problem.times if t > 0]
    if not times and problem.source is not None:
        problem.source.fail(
            "run", "times", "times = [0]: the equation is solved at later times; give one that is positive"
        )
    wanted = problem.tolerance if tolerance is None else tolerance
    assert wanted is not None
    stopped: Interrupted | None = None
    try:
        with in_keys(file):
            solution = rw.pde.solve(equation, times, tolerance=wanted, progress=sys.stderr.isatty() and not quiet)
    except rw.Interrupted as stop:  # what was reached is shown, and written
        if stop.reached is None:
            raise Stopped(stop.done) from None
        solution, stopped = stop.reached, stop
    if out is not None:
        write_text(out, printed.densities(solution, times))
    if not quiet:
        _print_solution(equation, solution, times, out)
    if stopped is not None:
        raise Stopped(stopped.done)


def _print_solution(equation: FokkerPlanck, solution: Solution, times: list[float], out: str | None) -> None:
    """The equation, the solution, and a table of it beside the closed form where there is one."""
    from rich.table import Table

    import randwalk as rw

    print(repr(equation))
    columns: dict[str, Callable[[float], float]] = {
        "survival": lambda t: float(solution.survival(t)),
        **{
            heading: functools.partial(lambda heading, t: float(printed.spreads(solution, t)[heading]), heading)
            for heading in printed.spreads(solution, times[0])
        },
        **{
            f"absorbed {exit}": functools.partial(lambda exit, t: float(solution.absorbed(exit, t)), exit)
            for exit in equation.domain.open_exits(killed=False)
        },
    }  # fmt: skip
    try:
        form = rw.pde.closed_form(equation)
        print(f"closed form: {form.description}")
        columns["survival, closed form"] = lambda t: float(form.survival(t))
        if isinstance(equation.domain, rw.Line):
            columns["mean, closed form"] = lambda t: float(form.mean(t))
            columns["sd, closed form"] = lambda t: math.sqrt(float(form.variance(t)))
    except rw.pde.NoClosedForm as reason:
        print(f"no closed form: {reason}")
    print(repr(solution))
    table = Table()
    for heading in ("time", *columns):
        table.add_column(heading, justify="right")
    for t in times:
        table.add_row(f"{t:g}", *(printed.number(column, t) for column in columns.values()))
    printed.print_table(table)
    printed.print_written(out)


@command
def fit(
    file: File,
    json: Annotated[
        str | None, typer.Option(metavar="FILE", help="Write estimates and intervals to this file.")
    ] = None,
    out: Annotated[str | None, typer.Option(metavar="FILE", help="Write draws for ArviZ here (.nc).")] = None,
    plot: Annotated[
        str | None, typer.Option(metavar="FILE", help="Draw data, fit and residuals here (.png, .svg, .pdf).")
    ] = None,
    level: Annotated[float, typer.Option(help="Of the intervals.")] = 0.95,
    quiet: Quiet = False,
) -> None:
    """Fit parameters of a problem file to its measured data: estimates, errors, profile intervals, and a test of the fit."""
    check_outputs({"--json": json, "--out": out, "--plot": plot})
    for option, path, endings in (("--out", out, (".nc",)), ("--plot", plot, (".png", ".svg", ".pdf"))):
        if path is not None:
            check_output(option, path, endings)
    from randwalk.store import netcdf
    from randwalk.validate.fitted import fit_problem

    problem = read_problem(file)
    with in_keys(file):
        found = fit_problem(problem, level=level)
    try:
        if json is not None:
            write_text(json, found.to_json())
        if out is not None:
            write_bytes(out, netcdf(found.fit.to_xarray()))
        if plot is not None:
            import matplotlib

            matplotlib.use("Agg")
            figure = io.BytesIO()
            found.fit.plot().savefig(figure, format=Path(plot).suffix[1:])
            write_bytes(plot, figure.getvalue())
    finally:  # a full disk must not suppress the printed results
        if not quiet:
            printed.print_table(found.table(file))
            print("\n".join((*found.fit.notes, found.verdict)))
    if not quiet:
        printed.print_written(json, out, plot)


@command
def gallery(
    names: Annotated[list[str] | None, typer.Argument(help="Figures to make; all if none.")] = None,
    out: Annotated[
        str, typer.Option(metavar="FOLDER", help="Folder for the figures; made if it is not there.")
    ] = "figures",
    format: Annotated[Format, typer.Option(help="File format.")] = Format.PNG,
    quick: Annotated[bool, typer.Option("--quick", help="Small sizes.")] = False,
    list_figures: Annotated[bool, typer.Option("--list", help="List the figures.")] = False,
    quiet: Quiet = False,
) -> None:
    """Make the figures of the gallery."""
    if not list_figures:
        check_folder("--out", out)
    import matplotlib

    matplotlib.use("Agg")
    from randwalk import gallery as room

    if list_figures:
        for name in names or room.names():
            print(f"{name:28} {room.title(name)}")
        return
    for path in room.save(
        names or [], out, format=str(format), quick=quick, progress=sys.stderr.isatty() and not quiet
    ):
        if not quiet:
            print(path)


@command
def info(
    check: Annotated[bool, typer.Option("--check", help="Compare runs of every kind with known answers.")] = False,
) -> None:
    """Show versions, threads, kernels and devices; with --check, whether processor and devices give the right results."""
    import platform
    from importlib.metadata import version

    import randwalk as rw
    from randwalk.jit.disk import REMEDY, cache_place
    from randwalk.kernels.philox import STREAM_VERSION
    from randwalk.run.devices import numbers, report
    from randwalk.run.threads import available

    cache, reason = cache_place()
    rows = {
        "randwalk": rw.__version__,
        "random stream": f"version {STREAM_VERSION}",
        "python": platform.python_version(),
        **{name: version(name) for name in ("numpy", "scipy", "numba")},
        "threads": available(),
        "processor": platform.processor() or platform.machine(),
        "kernel cache": cache or f"none: {reason}; {REMEDY}",
    }
    for name, value in [*rows.items(), *report()]:
        print(f"{name:14} {value}")
    if not check:
        return
    from randwalk.validate.answers import checked

    places: list[tuple[str, list[int] | None]] = [("cpu", None), *(("cuda", [number]) for number in numbers())]
    right = True
    for backend, devices in places:
        said, well = checked(backend, devices)
        right &= well
        print(f"{'check ' + backend + ''.join(map(str, devices or [])):14} {said}", flush=True)
    if not right:
        raise typer.Exit(1)
