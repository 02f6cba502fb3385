"""What a Python function is: its code, its closure, the globals that it reads and what it reads of modules, as a value that can
be compared.

Two functions that are written twice, or that were sent to another process, are one if these agree; a function that reads a
global is another one when the global has changed.
"""

from __future__ import annotations

import dis
import functools
import hashlib
import pickle
import sys
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

DEEPEST = 20  # levels of objects inside each other; deeper ones are not looked at
FIXED = (int, float, complex, str, bytes, type(None), types.ModuleType, types.FunctionType, type, np.ufunc, np.generic)
DATA = (int, float, complex, str, bytes, np.generic, np.ndarray, tuple, list, dict, set, frozenset)  # of a module
READ, ATTRIBUTE = ("LOAD_GLOBAL", "LOAD_DEREF"), ("LOAD_ATTR", "LOAD_METHOD")  # instructions of Python
TRIED = (
    0.4142135,
    1.7320508e-7,
    -0.7320508,
    2.2360679,
)  # arguments of the calls that show what a function changes itself


@dataclass(frozen=True)
class Identity:
    """The digest of a function's code, and those of what it reads, by name."""

    code: bytes
    reads: tuple[tuple[str, bytes], ...]

    @classmethod
    def of(cls, function: Callable[..., Any], arguments: int) -> Identity:
        """The identity of a function of so many numbers. What a call itself changes, like a counter or a memory of values, is no
        part of it: where something that the function reads could be changed, it is called to see."""
        found = cls._now(function)
        if all(isinstance(value, FIXED) for value in _anatomy(function)[1].values()):
            return found
        for value in TRIED:
            try:
                with np.errstate(all="ignore"):
                    function(*(value * (1.0 + 0.1 * i) for i in range(arguments)))
            except Exception:  # of whatever kind: the function is the user's
                continue
        changed = found.differs(cls._now(function))
        return cls(found.code, tuple((name, digest) for name, digest in found.reads if name not in changed))

    @classmethod
    def _now(cls, function: Callable[..., Any]) -> Identity:
        code, reads = _anatomy(function)
        home = getattr(function, "__module__", "")
        digests = [(name, _Digest(home).of(value)) for name, value in sorted(reads.items())]
        return cls(_Digest(home).of(code), tuple(digests))

    def changed(self, function: Callable[..., Any]) -> tuple[str, ...]:
        """The names of what the function reads and that has changed since."""
        return self.differs(self._now(function))

    def differs(self, other: Identity) -> tuple[str, ...]:
        """The names of what both read, and not the same."""
        others = dict(other.reads)
        return tuple(name for name, digest in self.reads if others.get(name) != digest)


def _anatomy(function: Any) -> tuple[Any, dict[str, Any]]:
    """(code, what it reads by name) of a function or of another callable object."""
    match function:
        case types.FunctionType():
            reads = _globals_read(function.__code__, function.__globals__) | _closure(function)
            reads |= _numbers_of_modules(function.__code__, reads)
            for i, value in enumerate(function.__defaults__ or ()):
                reads[f"its default {i}"] = value
            return function.__code__, reads | {f"its {name}": v for name, v in (function.__kwdefaults__ or {}).items()}
        case types.MethodType():
            code, reads = _anatomy(function.__func__)
            return code, reads | {"self": function.__self__}
        case functools.partial():
            code, reads = _anatomy(function.func)
            return code, reads | {"its given arguments": (function.args, function.keywords)}
    compiled = getattr(function, "py_func", None) or getattr(function, "__wrapped__", None)
    if isinstance(compiled, types.FunctionType) and not hasattr(type(function).__call__, "__code__"):
        return _anatomy(compiled)  # compiled by Numba, or with a cache
    method = type(function).__call__
    if isinstance(method, types.FunctionType) and not isinstance(function, type):
        code, reads = _anatomy(method)
        return code, reads | _state(function)
    return function, {}


def _state(value: Any) -> dict[str, Any]:
    """The attributes of an object, but for those that describe it or are found from the others."""

    def found(name: str) -> bool:
        return isinstance(getattr(type(value), name, None), functools.cached_property)

    return {name: part for name, part in vars(value).items() if not (name.startswith("__") or found(name))}


def _closure(function: types.FunctionType) -> dict[str, Any]:
    """What the function has from the function that made it; not what it stores there itself."""
    code = function.__code__
    cells = zip(code.co_freevars, function.__closure__ or (), strict=True)
    stored = set(_names(code, "STORE_DEREF"))
    return {name: cell.cell_contents for name, cell in cells if name not in stored and _filled(cell)}


def _filled(cell: types.CellType) -> bool:
    try:
        cell.cell_contents  # noqa: B018
    except ValueError:
        return False
    return True


def _globals_read(code: types.CodeType, known: Mapping[str, Any]) -> dict[str, Any]:
    """The globals that code reads, also inside the functions that it makes; not those of Python itself, nor what it stores."""
    stored = set(_names(code, "STORE_GLOBAL"))
    return {name: known[name] for name in _names(code, "LOAD_GLOBAL") if name in known and name not in stored}


def _numbers_of_modules(code: types.CodeType, reads: Mapping[str, Any]) -> dict[str, Any]:
    """Numbers, texts, arrays and collections that code reads as attributes of the modules among `reads`: ``settings.rate``."""
    found = {}
    name, value = "", None
    for instruction in dis.get_instructions(code):
        if instruction.opname in READ:
            name, value = str(instruction.argval), reads.get(str(instruction.argval))
        elif instruction.opname in ATTRIBUTE and isinstance(value, types.ModuleType):
            name, value = f"{name}.{instruction.argval}", getattr(value, str(instruction.argval), None)
            if isinstance(value, DATA):
                found[name] = value
        else:
            name, value = "", None
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            found |= _numbers_of_modules(constant, reads)
    return found


def _names(code: types.CodeType, operation: str) -> Iterator[str]:
    for instruction in dis.get_instructions(code):
        if instruction.opname == operation:
            yield instruction.argval
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _names(constant, operation)


class _Digest:
    """The digest of a value. Functions that the reader's own module does not have are known by their names, if they have such."""

    def __init__(self, home: str) -> None:
        self.total, self.home = hashlib.sha256(), home
        self.seen: dict[int, int] = {}  # numbers of objects that were looked at: an object may hold itself

    def of(self, value: Any) -> bytes:
        self._add(value, 0)
        return self.total.digest()

    def _text(self, text: bytes | str) -> None:
        data = text if isinstance(text, bytes) else text.encode()
        self.total.update(len(data).to_bytes(8, "little") + data)

    def _add(self, value: Any, level: int) -> None:
        kind = type(value)
        self._text(
            f"{kind.__module__}.{kind.__qualname__}".replace("__mp_main__", "__main__", 1)
        )  # of a spawned process
        if level > DEEPEST:
            return
        match value:
            case None | bool() | int() | float() | complex() | str():
                self._text(repr(value))
            case bytes():
                self._text(value)
            case tuple() | list():
                self._each(value, level)
            case set() | frozenset():
                self._each(sorted(_Digest(self.home).of(part) for part in value), level)
            case dict():
                self._each(value.items(), level)
            case np.ndarray() if value.dtype != object:
                self._text(f"{value.dtype} {value.shape}")
                self._text(np.ascontiguousarray(value).tobytes())
            case np.generic():
                self._text(value.tobytes())
            case types.CodeType():
                self._text(value.co_code)
                numbers = (value.co_argcount, value.co_kwonlyargcount, value.co_flags)
                names = (value.co_names, value.co_varnames, value.co_freevars, value.co_cellvars)
                self._each((*numbers, *names, value.co_consts), level)
            case types.ModuleType():
                self._text(value.__name__)
            case _:
                self._object(value, level)

    def _each(self, parts: Iterable[Any], level: int) -> None:
        for part in parts:
            self._add(part, level + 1)

    def _object(self, value: Any, level: int) -> None:
        """An object of another class: a function by its anatomy, a class by its name, others by their attributes."""
        if (known := self.seen.setdefault(id(value), len(self.seen))) < len(self.seen) - 1:
            self._text(f"{known}")
            return
        name = f"{getattr(value, '__module__', '')}.{getattr(value, '__qualname__', getattr(value, '__name__', ''))}"
        code, reads = _anatomy(value) if callable(value) and not self._elsewhere(value) else (value, {})
        if code is not value:
            self._each((code, sorted(reads.items())), level)
        elif isinstance(value, (type, types.FunctionType, types.BuiltinFunctionType, np.ufunc)):
            self._text(name)
        elif getattr(value, "__dict__", None):
            self._each(sorted(_state(value).items()), level)
        else:
            try:
                self._text(pickle.dumps(value, protocol=4))
            except Exception:  # of whatever kind: nothing is known of the object but that it is itself
                self._text(f"{id(value)}")

    def _elsewhere(self, value: Any) -> bool:
        """Whether a function is one that another module has by its name."""
        module = getattr(value, "__module__", None)
        if not isinstance(value, types.FunctionType) or module in (self.home, "__main__", None):
            return False
        return getattr(sys.modules.get(module), value.__qualname__, None) is value
