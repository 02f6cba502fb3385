"""The command line. Heavy imports stand inside the commands, so that --help answers at once."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    help="Declare a random walk once: its simulation, its exact law, its PDE, and the evidence that they agree.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # help in plain text: half the time
)

Backend = Annotated[str, typer.Option(help="cpu, cuda or auto (a GPU where it pays): the same results.")]
Threads = Annotated[int | None, typer.Option(help="Threads at most; all processors if not given.")]
Walkers = Annotated[int | None, typer.Option(min=1, help="Walkers of the runs whose cost depends on them.")]
Seed = Annotated[int | None, typer.Option(min=0, help="Seed; the file's if not given.")]


class Format(StrEnum):
    """File formats of figures."""

    PNG = "png"
    SVG = "svg"
    PDF = "pdf"
    GIF = "gif"
    MP4 = "mp4"


@app.command()
def validate(
    cases: Annotated[
        list[str] | None, typer.Argument(help="Names of built-in cases, or problem files; all cases if none.")
    ] = None,
    walkers: Walkers = None,
    seed: Seed = None,
    alpha: Annotated[float, typer.Option(help="Family-wise false-alarm rate.")] = 1e-3,
    threads: Threads = None,
    json: Annotated[Path | None, typer.Option(help="Write the whole report to this file.")] = None,
    list_cases: Annotated[bool, typer.Option("--list", help="List the built-in cases and what each catches.")] = False,
    details: Annotated[bool, typer.Option(help="Print every check of every case.")] = False,
) -> None:
    """Check that walk, exact law and equation agree: three rungs a case. Exit 0 if all pass, 1 if not, 2 on bad input."""
    from rich.console import Console
    from rich.progress import Progress

    from randwalk.validate import CaseReport, case_names, load_case
    from randwalk.validate import validate as run

    console = Console()
    if list_cases:
        for name in case_names():
            problem = load_case(name)
            console.print(f"[bold]{name}[/]  {problem.title}")
            console.print(
                f"    catches: {problem.source.data.get('catches', '') if problem.source else ''}", style="dim"
            )
        return
    names = cases or case_names()
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("validating", total=len(names))

        def done(report: CaseReport | str) -> None:
            progress.advance(task)
            progress.update(task, description=report.name if isinstance(report, CaseReport) else report)

        report = run(names, walkers, seed, alpha, threads, done)
    if details or (cases and len(cases) == 1):
        for case in report.cases:
            console.print(report.details(case), markup=False, highlight=False)
    if report.cases:
        console.print(report.table())
        console.print(report.summary(), highlight=False)
    if json is not None:
        write(json, report.to_json())
    for reason in report.failures.values():
        print(f"randwalk: {reason}", file=sys.stderr)
    raise typer.Exit(report.status)


@app.command()
def simulate(
    file: Annotated[Path, typer.Argument(help="A problem file.")],
    out: Annotated[Path | None, typer.Option(help="Write the ensemble here (.npz, or .nc for netCDF).")] = None,
    walkers: Walkers = None,
    seed: Seed = None,
    method: Annotated[str, typer.Option(help="auto, paths, occupation or jump.")] = "auto",
    threads: Threads = None,
    backend: Backend = "cpu",
) -> None:
    """Run the walkers of a problem file and print what they found."""
    from rich.console import Console
    from rich.table import Table

    import randwalk as rw

    problem = rw.Problem.load(file)
    if out is not None and out.suffix not in (".npz", ".nc"):
        raise ValueError(f"--out {out}: must end in .npz or .nc")
    stopped: BaseException | None = None
    try:
        ensemble = rw.simulate(
            problem.walk, problem.walkers if walkers is None else walkers, problem.times,
            problem.seed if seed is None else seed, method,
            threads=threads, progress=sys.stderr.isatty(), backend=backend,
        )  # fmt: skip
    except (rw.Interrupted, rw.DeviceError) as stop:  # what is finished is shown and kept
        if stop.ensemble is None:
            raise
        ensemble, stopped = stop.ensemble, stop
    table = Table(
        title=f"{problem.title or file.stem}: {ensemble.walkers:,} walkers by {ensemble.method}", title_justify="left"
    )
    domain = problem.walk.domain
    ways = [wall for wall in ("left", "right") if getattr(domain, wall) is not None] + ["killing"]
    for heading in ("time", "alive", "mean of survivors", "variance", *ways):
        table.add_column(heading, justify="right")
    for t in ensemble.times:
        gone = (ensemble.passed(wall, [t])[0] for wall in ways)
        table.add_row(f"{t:g}", *map(str, (ensemble.survival(t), ensemble.mean(t), ensemble.variance(t), *gone)))
    Console().print(table)
    if out is not None:
        ensemble.save(out)
        print(f"written to {out}")
    if isinstance(stopped, rw.Interrupted):
        print(f"randwalk: interrupted with {ensemble.walkers:,} walkers finished", file=sys.stderr)
        raise typer.Exit(130)
    if stopped is not None:
        raise stopped


@app.command()
def solve(
    file: Annotated[Path, typer.Argument(help="A problem file.")],
    tolerance: Annotated[
        float | None, typer.Option(help="Error wanted in the distribution function; the file's if not given.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write positions and densities here (.csv).")] = None,
) -> None:
    """Solve the equation of a problem file: closed form where there is one, and finite differences."""
    from rich.console import Console
    from rich.table import Table

    import randwalk as rw

    problem = rw.Problem.load(file)
    if out is not None and out.suffix != ".csv":
        raise ValueError(f"--out {out}: must end in .csv")
    equation = rw.pde.limit(problem.walk)
    times = [t for t in problem.times if t > 0]
    solution = rw.pde.solve(equation, times, tolerance=problem.tolerance if tolerance is None else tolerance)
    console = Console()
    console.print(repr(equation), highlight=False, markup=False)
    try:
        form: rw.pde.ClosedForm | None = rw.pde.closed_form(equation)
        console.print(f"closed form: {form.description}" if form else "", highlight=False, markup=False)
    except rw.pde.NoClosedForm as reason:
        form = None
        console.print(f"no closed form: {reason}", highlight=False, markup=False)
    console.print(repr(solution), highlight=False, markup=False)
    table = Table()
    domain = equation.domain
    ways = [
        side for side in ("left", "right") if isinstance(getattr(domain, side), (rw.Absorbing, rw.PartiallyAbsorbing))
    ]
    for heading in ("time", "survival", *(f"passed {way}" for way in ways), "survival, closed form"):
        table.add_column(heading, justify="right")
    for t in times:
        passed = (f"{float(solution.passed(wall, [t])[0]):.6g}" for wall in ways)
        exact = f"{float(form.survival(t)):.6g}" if form else "—"
        table.add_row(f"{t:g}", f"{float(solution.survival(t)):.6g}", *passed, exact)
    console.print(table)
    if out is not None:
        header = "x," + ",".join(f"rho_t={t:g}" for t in times)
        rows = zip(solution.x, *(solution.pdf(solution.x, t) for t in times), strict=True)
        write(out, "\n".join([header, *(",".join(repr(float(v)) for v in row) for row in rows)]) + "\n")
        print(f"written to {out}")


@app.command()
def gallery(
    names: Annotated[list[str] | None, typer.Argument(help="Figures to make; all if none.")] = None,
    out: Annotated[Path, typer.Option(help="Folder for the figures.")] = Path("figures"),
    format: Annotated[Format, typer.Option(help="File format.")] = Format.PNG,
    quick: Annotated[bool, typer.Option("--quick", help="Small sizes.")] = False,
    list_figures: Annotated[bool, typer.Option("--list", help="List the figures.")] = False,
) -> None:
    """Make the figures of the gallery."""
    import matplotlib

    matplotlib.use("Agg")
    from randwalk import gallery as room

    if list_figures:
        for name in names or room.names():
            print(f"{name:28} {room.title(name)}")
        return
    for path in room.save(names or [], out, str(format), quick, progress=sys.stderr.isatty()):
        print(path)


@app.command()
def info() -> None:
    """Show versions, threads, kernels and devices."""
    import platform

    import numba

    import randwalk as rw
    from randwalk.device import report
    from randwalk.kernels.compile import cache_directory
    from randwalk.kernels.philox import STREAM_VERSION
    from randwalk.threads import available

    rows = {
        "randwalk": rw.__version__,
        "random stream": f"version {STREAM_VERSION}",
        "python": platform.python_version(),
        "numba": numba.__version__,
        "threads": available(),
        "processor": platform.processor() or platform.machine(),
        "kernel cache": cache_directory(),
    }
    for name, value in [*rows.items(), *report()]:
        print(f"{name:14} {value}")


def write(path: Path, text: str) -> None:
    """Write a whole file or none."""
    temporary = path.with_name(f".{path.name}.part")
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def main() -> None:
    """The command ``randwalk``: bad input is one clear line and exit status 2, Ctrl-C is 130."""
    try:
        app()
    except (ValueError, TypeError, OSError, MemoryError, ImportError) as error:
        print(f"randwalk: {error}", file=sys.stderr)
        sys.exit(2)
