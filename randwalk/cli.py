"""The command ``randwalk``, from before its first import: whenever Ctrl-C comes, it ends in one line."""

import sys


def main() -> None:
    """Run the command that ``sys.argv`` asks for, and exit with a status of :mod:`randwalk.terminal.status`."""
    try:
        from .launch import launch

        launch()
    except KeyboardInterrupt:
        print("randwalk: interrupted", file=sys.stderr)
        sys.exit(130)
