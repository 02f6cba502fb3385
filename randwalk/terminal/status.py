"""Exit statuses of the command, besides 0 (all well)."""

from typing import Final

AGAINST: Final = 1  # everything ran, and the evidence is against a case
BAD_INPUT: Final = 2  # one line says what
FAULT: Final = 70  # of this program: a traceback, to be reported (EX_SOFTWARE of sysexits.h)
INTERRUPTED: Final = 130  # by Ctrl-C (128 + SIGINT)
CLOSED: Final = 141  # whoever read standard output has closed it (128 + SIGPIPE)


class Stopped(Exception):
    """Ctrl-C, as an exception that no library takes for something else; the message is for the user."""
