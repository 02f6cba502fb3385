"""The application ``randwalk``, to which its commands are added."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Annotated, Any

import typer

from .terminal.status import Stopped

app = typer.Typer(
    help="Declare a random walk once: its simulation, its exact law, its PDE, and the evidence that they agree.",
    epilog="Exit status: 0 all well; 1 the evidence is against a case; 2 bad input (one line says what); 130 interrupted.",
    context_settings={"help_option_names": ["-h", "--help"]},
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # help in plain text takes half the time
)


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
