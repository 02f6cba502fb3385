"""The steps by which kernels are compiled: what Numba's own make of the same text, references returned, and refusals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numba import njit
from numba.core import compiler, runtime

from randwalk.jit.compile import OPTIONS, aside, kernel, maker
from randwalk.jit.pipeline import Flags

numba_compiler: Any = compiler
numba_runtime: Any = runtime
flags_of_kernels: Any = Flags
VALUES = np.random.default_rng(5).normal(size=37)


@aside
def larger(a, b):  # type: ignore[no-untyped-def]
    return a if a > b else b


@maker
def squares(values, rounds):  # type: ignore[no-untyped-def]
    found = np.empty(values.size)
    for j in range(values.size):
        found[j] = values[j] * values[j] + rounds
    return found


def one_name_of_two_types(values):  # type: ignore[no-untyped-def]
    found: Any = 0
    for j in range(values.size):
        value = values[j:]
        value = value[0]
        found = found + value
    rounds = 3
    while rounds > 0:
        rounds -= 1
        if found < 0.0:
            continue
        found, low = found / 3.0, found
        if low > 10.0:
            break
    else:
        found = -found
    return found, rounds


def branches_that_are_never_taken(values, given=None):  # type: ignore[no-untyped-def]
    if given is not None:
        return given[0][0] + values.nothing
    if values.ndim == 2:
        return values[0, 0]
    return larger(values[0], values[1]) + larger(1, 2)


def arrays_that_are_made_in_a_loop(values):  # type: ignore[no-untyped-def]
    found, last = np.zeros(3), values
    for k in range(3):
        some = squares(last, k)
        last = some[1:] if some[0] > 2.0 else np.append(some, values[:2])
        found[k] = last.sum()
    return found, last


def an_error(values):  # type: ignore[no-untyped-def]
    total = 0.0
    for j in range(values.size):
        if total > 1.0:
            raise ValueError("more than 1")
        total += squares(values, j)[j]
    return total


def views_of_more_dimensions(values):  # type: ignore[no-untyped-def]
    plane = values[:36].reshape(6, 6)
    for j, row in enumerate(plane):
        for k in range(j, row.size):
            row[k] = row[k] - plane[k, j] * 0.25
    return plane.T[1:, ::2].copy(), (plane.shape[0], -0.0, True, np.uint32(7) << 30)


def a_comprehension(values):  # type: ignore[no-untyped-def]
    return [2.0 * value for value in values][3]


def a_closure(values):  # type: ignore[no-untyped-def]
    def twice(x):  # type: ignore[no-untyped-def]
        return 2.0 * x

    return twice(values[0])  # type: ignore[no-untyped-call]


def a_generator(values):  # type: ignore[no-untyped-def]
    yield values[0]
    yield values[1]


def told(function: Callable[..., Any]) -> str:
    """The result, or the error, with every bit."""
    values = VALUES.copy()
    try:
        found = function(values)
    except ValueError as error:
        found = str(error)
    return repr(
        [np.asarray(part).tolist() for part in (found if isinstance(found, tuple) else [found])] + values.tolist()
    )


TEXTS = [
    one_name_of_two_types,
    branches_that_are_never_taken,
    arrays_that_are_made_in_a_loop,
    an_error,
    views_of_more_dimensions,
]


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: text.__name__)
def test_results_are_those_of_all_steps(text: Callable[..., Any]) -> None:
    assert told(kernel(text)) == told(njit(**OPTIONS)(text))


def test_arrays_are_given_back() -> None:
    """Each that is made is freed once; where an error ends a kernel Numba frees nothing, by all steps and by these."""

    def left(compiled: Callable[..., Any]) -> tuple[int, int]:
        told(compiled)
        before = numba_runtime.rtsys.get_allocation_stats()
        for _ in range(10):
            told(compiled)
        after = numba_runtime.rtsys.get_allocation_stats()
        return after.alloc - before.alloc - (after.free - before.free), after.mi_alloc - before.mi_alloc

    allocator = numba_runtime._nrt_python
    allocator.memsys_enable_stats()
    try:
        for text in (arrays_that_are_made_in_a_loop, views_of_more_dimensions):
            still, made = left(kernel(text))
            assert still == 0 and made == left(njit(**OPTIONS)(text))[1] >= 10
        assert left(kernel(an_error)) == left(njit(**OPTIONS)(an_error))
    finally:
        allocator.memsys_disable_stats()


@pytest.mark.parametrize("text", [a_comprehension, a_closure, a_generator], ids=lambda text: text.__name__)
def test_text_that_needs_other_steps_is_refused(text: Callable[..., Any]) -> None:
    """Or has its result (a comprehension is a loop from Python 3.12 on), but no other."""

    def listed(compiled: Callable[..., Any]) -> list[float]:
        return np.ravel(list(found) if hasattr(found := compiled(VALUES.copy()), "__next__") else found).tolist()

    try:
        found = listed(kernel(text))
    except Exception as error:
        assert type(error).__module__.startswith("numba.")
    else:
        assert found == listed(text)


def test_flags_stay_as_they_are() -> None:
    own = numba_compiler.Flags()
    own.nrt = True
    made: Any = flags_of_kernels(own)
    assert made == flags_of_kernels(own) and hash(made) == hash(flags_of_kernels(own)) and made != own
    with pytest.raises(TypeError):
        made.nrt = False
    changed = made.copy()
    changed.nrt = False
    assert made.nrt and flags_of_kernels(changed) != made
