"""The command ``randwalk validate``: cases, its self-test, and what changed between two reports."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Annotated, Any, NoReturn

import typer

from . import printed
from .application import command
from .options import Quiet, Seed, Threads, Walkers, check_outputs, counting
from .terminal.output import write_text


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


def _tell_changes(old: str, new: str, quiet: bool) -> NoReturn:
    """Print what changed between two reports and exit, with 1 if something that passed does not any more."""
    from randwalk.validate.changes import changes

    found = changes(old, new)
    if not quiet:
        print(found)
    raise typer.Exit(found.status)
