"""The commands of ``randwalk``. Slow imports stand inside the commands, so that --help is fast.

Every command refuses bad input and outputs that cannot be written before it runs anything, and writes its files before it
prints.
"""

from __future__ import annotations

import functools
import math
import sys
from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from . import printed
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
    counting,
    in_keys,
    read_problem,
    read_records,
)
from .terminal.output import check_folder, check_output, write_text
from .terminal.status import Stopped

app = typer.Typer(
    help="Declare a random walk once: its simulation, its exact law, its PDE, and the evidence that they agree.",
    epilog="Exit status: 0 all well; 1 the evidence is against a case; 2 bad input (one line says what); 130 interrupted.",
    context_settings={"help_option_names": ["-h", "--help"]},
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # help in plain text takes half the time
)


class Format(StrEnum):
    """File formats of figures."""

    PNG = "png"
    SVG = "svg"
    PDF = "pdf"
    GIF = "gif"
    MP4 = "mp4"


def command(function: Callable[..., None]) -> Callable[..., None]:
    """Add a command to the application. Ctrl-C leaves it as an exception that Typer does not handle."""

    @functools.wraps(function)
    def run(*arguments: Any, **named: Any) -> None:
        try:
            function(*arguments, **named)
        except KeyboardInterrupt:
            raise Stopped("interrupted") from None

    return app.command()(run)


def _version(shown: bool) -> None:
    if shown:
        from .version import __version__

        print(f"randwalk {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Options before the name of a command."""


@command
def validate(
    cases: Annotated[
        list[str] | None,
        typer.Argument(help="Names of built-in cases, or problem files (- for standard input); all cases if none."),
    ] = None,
    walkers: Walkers = None,
    seed: Seed = None,
    alpha: Annotated[float | None, typer.Option(help="Family-wise false-alarm rate.", show_default="0.001")] = None,
    threads: Threads = None,
    html: Annotated[
        str | None, typer.Option(metavar="FILE", help="Write a report to read and to print, with figures.")
    ] = None,
    junit: Annotated[
        str | None, typer.Option(metavar="FILE", help="Write JUnit XML, for continuous integration.")
    ] = None,
    json: Annotated[str | None, typer.Option(metavar="FILE", help="Write all numbers of the report.")] = None,
    compare: Annotated[
        tuple[str, str] | None,
        typer.Option(metavar="OLD NEW", help="Say what changed between two reports of --json; nothing is run."),
    ] = None,
    list_cases: Annotated[bool, typer.Option("--list", help="List the built-in cases and what each catches.")] = False,
    faults: Annotated[
        bool,
        typer.Option(
            "--self-test", help="Plant faults, and show which rung of which case catches each; a missed one fails."
        ),
    ] = False,
    details: Annotated[
        bool | None, typer.Option("--details/--no-details", help="Print every check; the default for one case.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, help="Processes of this machine that take a case each.")
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Check that walk, exact law and equation agree: three rungs a case. Exit 0 if all pass, 1 if not, 2 on bad input."""
    check_outputs({"--html": html, "--junit": junit, "--json": json})
    reports = {"--html": html, "--junit": junit, "--json": None if faults else json}
    alone = {"--compare": compare, "--list": list_cases, "--self-test": faults}
    settings = {
        "--walkers": walkers, "--seed": seed, "--alpha": alpha, "--threads": threads, "--workers": workers, "--details": details,
        "cases": " ".join(cases or []) or None,
    }  # fmt: skip
    _refuse_beside(alone, reports, settings)
    if compare is not None:
        _tell_changes(*compare, quiet)
    rate = 1e-3 if alpha is None else alpha
    from randwalk.validate import CaseReport, case_names, load_case
    from randwalk.validate import validate as run
    from randwalk.validate.run import told

    if list_cases:
        for name in cases or case_names():
            problem = load_case(name)
            print(f"{name}  {problem.title}")
            print(f"    catches: {told(problem)}")
        return
    if faults:
        chosen = {"walkers": walkers, "seed": seed, "alpha": rate, "threads": threads}
        _self_test(cases or [], chosen, workers, json, quiet)
    names = cases or case_names()
    from .workers import workers as started

    with counting("validating", len(names), not quiet) as advance, started(workers, None) as executor:

        def done(report: CaseReport | str) -> None:
            advance(report.name if isinstance(report, CaseReport) else report)

        report = run(names, walkers=walkers, seed=seed, alpha=rate, threads=threads, done=done, executor=executor)
    try:
        for path, made in ((json, report.to_json), (junit, report.to_junit), (html, report.to_html)):
            if path is not None:
                write_text(path, made())
    finally:  # a full disk must not suppress the printed results
        if not quiet:
            if details or (details is None and len(cases or ()) == 1):
                for case in report.cases:
                    print(report.details(case))
            if report.cases:
                printed.print_table(report.table())
                print(report.summary())
        for reason in report.failures.values():
            print(f"randwalk: {reason}", file=sys.stderr)
    raise typer.Exit(report.status)


NOT_READ = {  # by what a run of another kind does not read
    "--compare": ("--walkers", "--seed", "--alpha", "--threads", "--workers", "--details", "cases"),
    "--list": ("--walkers", "--seed", "--alpha", "--threads", "--workers", "--details"),
    "--self-test": ("--details",),
}


def _refuse_beside(
    alone: Mapping[str, object], reports: Mapping[str, str | None], settings: Mapping[str, object]
) -> None:
    """Refuse two options of which each is a run of another kind, and reports and settings that such a run has no use for."""
    kinds = [option for option, given in alone.items() if given]
    written = [f"{option} {path}" for option, path in reports.items() if path is not None]
    if len(kinds) > 1:
        raise ValueError(f"{kinds[0]} and {kinds[1]}: each is a run by itself; give one of them")
    if kinds and written:
        raise ValueError(f"{written[0]}: {kinds[0]} writes no such report; leave it out")
    for name in NOT_READ[kinds[0]] if kinds else ():
        if (value := settings[name]) is not None:
            told = ("--details" if value else "--no-details") if name == "--details" else f"{name} {value}"
            raise ValueError(f"{told}: {kinds[0]} does not read it; leave it out")


def _self_test(
    names: list[str], settings: dict[str, Any], workers: int | None, json: str | None, quiet: bool
) -> NoReturn:
    """Run the self-test, print it, and exit."""
    from randwalk.validate import self_test

    from .workers import workers as started

    with counting("planting", None, not quiet) as advance, started(workers, None) as executor:
        found = self_test(names, **settings, done=lambda trial: advance(str(trial)), executor=executor)
    if json is not None:
        write_text(json, found.to_json())
    if not quiet:
        printed.print_table(found.table())
    print(found.summary())
    raise typer.Exit(found.status)


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
            raise
        ensemble, stopped = stop.ensemble, stop  # type: ignore[union-attr]
    try:
        if json is not None:
            write_text(json, printed.estimates(problem, ensemble))
    finally:  # a full disk must not suppress the printed results
        if not quiet:
            printed.print_table(printed.ensemble_table(problem, ensemble, file))
    if not quiet:
        printed.print_written(out, json)
    if isinstance(stopped, rw.Interrupted):
        raise Stopped(f"interrupted with {ensemble.walkers:,} walkers finished")
    if stopped is not None:
        raise stopped


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
    from rich.table import Table

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
    with in_keys(file):
        solution = rw.pde.solve(equation, times, tolerance=wanted)
    if out is not None:
        write_text(out, printed.densities(solution, times))
    if quiet:
        return
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
    from randwalk.validate.fitted import fit_problem

    problem = read_problem(file)
    with in_keys(file):
        found = fit_problem(problem, level=level)
    try:
        if json is not None:
            write_text(json, found.to_json())
        if out is not None:
            found.fit.to_xarray().to_netcdf(out)
        if plot is not None:
            import matplotlib

            matplotlib.use("Agg")
            found.fit.plot().savefig(plot)
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
    from randwalk.answers import checked
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
    places: list[tuple[str, list[int] | None]] = [("cpu", None), *(("cuda", [number]) for number in numbers())]
    right = True
    for backend, devices in places:
        said, well = checked(backend, devices)
        right &= well
        print(f"{'check ' + backend + ''.join(map(str, devices or [])):14} {said}", flush=True)
    if not right:
        raise typer.Exit(1)


def _tell_changes(old: str, new: str, quiet: bool) -> NoReturn:
    """Print what changed between two reports and exit, with 1 if something that passed does not any more."""
    from randwalk.validate.changes import changes

    found = changes(old, new)
    if not quiet:
        print(found)
    raise typer.Exit(found.status)
