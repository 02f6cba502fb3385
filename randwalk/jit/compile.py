"""How kernels are compiled. The machine code is kept on disk (:mod:`randwalk.jit.disk`)."""

from __future__ import annotations

import gc
import logging
import os
from collections.abc import Callable
from functools import cached_property
from typing import Any

import numba
from numba import njit
from numba.core import compiler, event
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler_lock import global_compiler_lock
from numba.core.registry import CPUDispatcher
from numba.core.types import unliteral
from numba.core.typing import templates

from .called import Kernel
from .disk import REMEDY, KernelCache, cache_place
from .lanes import Vector
from .pipeline import Pipeline, flags
from .pools import apart

F = Callable[..., Any]
lock: Any = global_compiler_lock
template: Any = templates.make_concrete_template
of_any_value: Any = unliteral
dispatcher: Any = Kernel
OPTIONS: dict[str, Any] = {  # without a wrapper for C, which nobody calls, a kernel is compiled in a tenth less time
    "error_model": "numpy",
    "no_cfunc_wrapper": True,
}


def _ours(event: Any) -> bool:
    """Whether a function of the package is compiled."""
    function = getattr(event.data.get("dispatcher"), "py_func", None)
    module = getattr(function, "__module__", None) or ""  # Numba is everybody's: not every function has one
    return module.startswith("randwalk.")


class _Notice(event.Listener):
    """Says once that kernels are being compiled, because nothing else moves for some seconds. Kernels that come from the disk
    are not compiled. ``logging.getLogger("randwalk").setLevel("ERROR")`` silences it."""

    said = False

    def on_start(self, event: Any) -> None:
        if not self.said and _ours(event):
            self.said = True
            directory, reason = cache_place()
            logging.getLogger("randwalk").warning(
                "randwalk: compiling kernels for this machine, some seconds each; they are %s",
                f"kept in {directory}" if directory else f"not kept: {reason}; {REMEDY}",
            )

    def on_end(self, event: Any) -> None:
        pass


class _Uncollected(event.Listener):
    """Keeps Python from looking for garbage while a kernel is compiled, which took a twentieth of the time: nearly all that Numba
    makes is in use until the code is made. Numba compiles on one thread at a time."""

    depth, before = 0, False  # functions that are being compiled, and whether Python looked for garbage before

    def on_start(self, event: Any) -> None:
        if _ours(event):
            if self.depth == 0:
                self.before = gc.isenabled()
                gc.disable()
            self.depth += 1

    def on_end(self, event: Any) -> None:
        if _ours(event):
            self.depth -= 1
            if self.depth == 0 and self.before:
                gc.enable()


event.register("numba:compile", _Notice())  # type: ignore[no-untyped-call]
event.register("numba:compile", _Uncollected())  # type: ignore[no-untyped-call]


class DeviceError(OSError):
    """A device is missing or failed.

    After a failure during a run `ensemble` holds the walkers that were finished, as a run of that many walkers gives them (None
    if there are none); ``ensemble.extend(walkers)`` continues, on any backend. `partial` is the same as the runner of the
    walkers returns it. Of values at points `reached` holds what the finished walkers say.
    """

    partial: Any = None
    ensemble: Any = None
    reached: Any = None


class CompilerOff(OSError):
    """Compiling is switched off, and what was asked for runs compiled only."""


def check_compiler() -> None:
    """Refuse to run kernels where NUMBA_DISABLE_JIT is set: Python's integers do not wrap as theirs do, and it has no vectors."""
    settings: Any = numba.config
    if settings.DISABLE_JIT:
        raise CompilerOff(
            "NUMBA_DISABLE_JIT is set, and walkers and exact laws are moved by compiled kernels only: unset it; closed forms and "
            "rw.pde.solve run without (slowly)"
        )


class _Part(JITCodeLibrary):
    """The code of a function that stands in its callers'. LLVM optimises it there and makes machine code of it there, once;
    Numba's own libraries do so for each function as well, which takes a seventh of the time to compile a kernel."""

    def _optimize_final_module(self) -> None:
        pass

    def _finalize_final_module(self) -> None:
        self._finalized = True


part: Any = _Part


class _Device(CPUDispatcher):
    """Compiled to a :class:`_Part`, without the wrapper for Python that Numba gives to every function, which takes a third of
    the time to compile small ones. Where Python calls it (tests, the simulator of CUDA), it is compiled again, with one."""

    def __init__(self, function: F, options: dict[str, Any]) -> None:
        super().__init__(function, targetoptions=options)
        self._vectors: F = function
        self._flags = flags(self.targetdescr, options)

    def get_call_template(self, given: Any, named: Any) -> Any:
        """What Numba asks of a function that is called, without what is for functions that Python calls: the function is compiled
        once for all whole numbers that are known."""
        folded: Any = self.fold_argument_types(given, named)
        arguments = tuple(of_any_value(kind) for kind in folded[1])
        if arguments not in self.overloads:
            self.overloads[arguments] = self._part(arguments)
        name = self.py_func.__name__
        made: Any = self.overloads[arguments]
        return template(name, key=name, signatures=[made.signature]), folded[0], arguments, {}

    def _part(self, arguments: Any) -> Any:
        """The function for arguments of these types; others find it by its descriptor, as it has no address."""
        function = self._vectors if any(isinstance(kind, Vector) for kind in arguments) else self.py_func
        numba_core: Any = compiler
        target = self.targetdescr.target_context
        library = part(target.codegen(), self.py_func.__qualname__)
        made = numba_core.compile_extra(
            self.typingctx, target, function, arguments, None, self._flags, {}, library, Pipeline
        )
        target.insert_user_function(made.fndesc, made.fndesc, [library])
        return made._replace(entry_point=made.fndesc)

    def of_vectors(self, function: F) -> F:
        """Decorate what does the same for vectors, where that cannot be told by operators."""
        self._vectors = function
        return function

    def __call__(self, *arguments: Any) -> Any:
        return self._for_python(*arguments)

    @cached_property
    def _for_python(self) -> Callable[..., Any]:
        function, compiled = self.py_func, njit(**OPTIONS)(self.py_func)
        fixed = (function.__module__ or "").startswith("randwalk.kernels.")
        return _kept(function, compiled) if fixed else compiled  # a file's name knows no changed global


BORROWS: dict[str, Any] = {"nopython": True, "no_cpython_wrapper": True, "_nrt": False, **OPTIONS}


def device(function: F) -> Any:
    """A function of scalars, lanes or arrays called from kernels, on the CPU and on CUDA; always inlined.

    It does not count references to its arrays, which its callers keep alive: it can neither make nor return one. Counting those
    to the arrays of a program took ten times as long as a step.
    """
    return _Device(function, {"forceinline": True, **BORROWS})


def aside(function: F) -> Callable[..., Any]:
    """As :func:`device`, for a rare branch: called where it is, not inlined, so that a kernel is compiled sooner."""
    return _Device(function, {"forceinline": False, **BORROWS})


def maker(function: F) -> Callable[..., Any]:
    """A function called from kernels that makes arrays, and returns them."""
    return _Device(function, {"nopython": True, "no_cpython_wrapper": True, **OPTIONS})


def _heard(function: Any, kept: KernelCache | None) -> Callable[..., Any]:
    """What compiles a function, so that Ctrl-C is heard meanwhile: LLVM works for seconds in one call, in which it calls Python
    functions, and these hear Ctrl-C and cannot hand it over. What is `kept` is read here: where another thread reads it, the C
    library gives back memory after every run and asks for it again, which takes a quarter of the time of short ones."""
    compiles = function.compile

    def compiled(signature: Any) -> Any:
        inside = lock.is_locked()  # by this thread, which compiles what calls this
        if inside or (kept and kept.holds(signature, function.targetctx)):
            return compiles(signature)
        return apart(lambda: compiles(signature))

    return compiled


def kernel(function: F) -> Callable[..., Any]:
    """A kernel that Python calls, on one thread. It releases the interpreter's lock, so that threads can share the work. Its
    machine code is kept if its text stands in a file."""
    return _kept(function, _compiled(function, OPTIONS))


def subkernel(function: F) -> Callable[..., Any]:
    """A kernel that other kernels call, and Python does not."""
    return _kept(function, _compiled(function, {"no_cpython_wrapper": True, **OPTIONS}))


def _compiled(function: F, options: dict[str, Any]) -> Kernel:
    return dispatcher(function, targetoptions={"nopython": True, "nogil": True, **options}, pipeline_class=Pipeline)


def _kept(function: F, compiled: Any) -> Callable[..., Any]:
    settings: Any = numba.config
    if settings.DISABLE_JIT:
        return function
    kept = None
    if not function.__closure__ and os.path.exists(function.__code__.co_filename) and cache_place()[0] is not None:
        compiled._cache = kept = KernelCache(function)
    compiled.compile = _heard(compiled, kept)
    made: Callable[..., Any] = compiled
    return made
