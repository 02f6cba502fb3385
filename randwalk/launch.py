"""Around the commands of :mod:`randwalk.commands`: streams, Ctrl-C and exit statuses."""

from __future__ import annotations

import atexit
import functools
import gc
import io
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, NoReturn, TextIO

from .terminal.status import BAD_INPUT, CLOSED, FAULT, INTERRUPTED, Stopped
from .terminal.streams import close_output, prepare

AGAIN = 0.05  # seconds after which Ctrl-C that was lost is pressed again


class _Pressed(KeyboardInterrupt):
    """Ctrl-C. A class of its own, because Python remembers a KeyboardInterrupt that has passed through `exec`, even if it was
    caught, and then ends the process by SIGINT whatever the exit status."""


class _Listener:
    """Remembers Ctrl-C, because an interrupted call may end in another exception (an import in an ImportError)."""

    heard = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        self.heard = True
        while frame is not None:
            if frame.f_globals.get("__name__") == "importlib._bootstrap":
                sys.stderr = io.StringIO()  # extension modules print the traceback before they raise an ImportError
            frame = frame.f_back
        raise _Pressed

    def lost(self, told: Any, otherwise: Callable[[Any], object]) -> None:
        """What a finalizer or a callback of C raised, which nobody gets. Ctrl-C is pressed again, when that is over."""
        if not isinstance(told.exc_value, _Pressed):
            otherwise(told)
        elif os.name == "posix":
            main = threading.main_thread().ident
            threading.Timer(AGAIN, signal.pthread_kill, (main, signal.SIGINT)).start()


@contextmanager
def _listening() -> Iterator[_Listener]:
    listener = _Listener()
    before = signal.getsignal(signal.SIGINT)
    if before is not signal.default_int_handler or threading.current_thread() is not threading.main_thread():
        yield listener  # SIGINT is ignored on purpose (nohup), or another program handles it
        return
    hook = sys.unraisablehook
    signal.signal(signal.SIGINT, listener)
    sys.unraisablehook = functools.partial(listener.lost, otherwise=hook)
    try:
        yield listener
    finally:  # a second Ctrl-C, while threads end, ends the process at once
        sys.unraisablehook = hook
        signal.signal(signal.SIGINT, signal.SIG_DFL if listener.heard else before)


def launch() -> None:
    """Run the command that ``sys.argv`` asks for, and exit with a status of :mod:`randwalk.terminal.status`."""
    prepare()
    output, errors = sys.stdout, sys.stderr
    with _listening() as interrupt:
        try:
            status = _run(output)
        except (Exception, KeyboardInterrupt) as error:
            sys.stderr = errors
            stopped = interrupt.heard or isinstance(error, KeyboardInterrupt)
            status = _told(Stopped("interrupted") if stopped and not isinstance(error, Stopped) else error)
        try:
            output.flush()
        except (OSError, ValueError):  # reported above; Python would flush once more at its end
            close_output()
    atexit.register(
        gc.freeze
    )  # else Python looks for garbage in all modules as it ends, which takes a fifth of a second
    if status == INTERRUPTED:
        _leave(status)
    sys.exit(status)


def _leave(status: int) -> NoReturn:
    """Exit; if there are still threads of a run, without waiting for them, as Python would: one may compile for some seconds."""
    from .jit.pools import left

    if left():
        atexit._run_exitfuncs()
        os._exit(status)
    sys.exit(status)


def _run(output: TextIO) -> int:
    """Run the command; its status. BrokenPipeError if the reader of its output has closed it."""
    from .commands import app

    try:
        status = app(prog_name="randwalk", standalone_mode=False)
    except SystemExit as stop:
        if sys.stdout is not output:  # at a closed pipe Typer replaces the stream and exits with status 1
            sys.stdout = output
            raise BrokenPipeError from None
        status = stop.code
    if status == INTERRUPTED:
        raise Stopped("interrupted")
    output.flush()
    return status if isinstance(status, int) else 0


def _told(error: BaseException) -> int:
    """Report an error, in one line if the user can mend it; its exit status."""
    if isinstance(error, BrokenPipeError):
        return CLOSED
    if hasattr(error, "show") and hasattr(error, "exit_code"):  # an error of Typer, which shows the usage
        error.show()
        return int(error.exit_code)
    if isinstance(error, Stopped):
        _say(str(error))
        return INTERRUPTED
    if isinstance(error, (ValueError, TypeError, OSError, MemoryError, ImportError)):
        _say(_in_words(error))
        return BAD_INPUT
    _say(
        "".join(traceback.format_exception(error)) + "This is a fault of randwalk: please report it, with these lines."
    )
    return FAULT


def _in_words(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    if isinstance(error, OSError) and error.strerror:
        return str(error.strerror)
    if isinstance(error, MemoryError) and not str(error):
        return "there is not enough memory"
    return " ".join(str(error).split()) or type(error).__name__


def _say(message: str) -> None:
    with suppress(OSError):  # standard error may be closed, too
        print(f"randwalk: {message}", file=sys.stderr, flush=True)
