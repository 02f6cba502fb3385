"""Exit statuses of the command, besides 0 (success)."""

from typing import Final

AGAINST: Final = 1  # everything ran, and the evidence is against a case
BAD_INPUT: Final = 2  # one line on standard error names it
FAULT: Final = 70  # an error of this program: a traceback to report (EX_SOFTWARE of sysexits.h)
INTERRUPTED: Final = 130  # by Ctrl-C (128 + SIGINT)
CLOSED: Final = 141  # the reader of standard output has closed it (128 + SIGPIPE)


class Stopped(Exception):
    """Ctrl-C, as an exception that no library handles; the message is for the user."""
