"""The scalar functions of the kernels on random and on extreme inputs, as Python runs them: python -m tests.plain, with
NUMBA_DISABLE_JIT=1. tests/test_plain.py compares what this prints with the same calls of the compiled functions.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from random import Random
from typing import Any

import numpy as np

from randwalk.kernels import alias, binomial, bits, functionals, occupation, philox, portable, step
from randwalk.kernels.program import DigitsProgram

from . import naive, plane

U, U32, I32, I64, F = np.uint64, np.uint32, np.int32, np.int64, np.float64
FULL = 1 << 62
WORD = 1 << 64
KEYS = U(0x243F6A88), U(0x85A308D3)
EDGES_64 = (0, 1, 2**31, 2**32 - 1, 2**32, 2**63, 2**64 - 1)
THRESHOLDS = (0, 1, 2**31 - 1, 2**31, 2**46, 3 * 2**31 + 5, FULL // 2, FULL - 1, FULL)

Call = tuple[Callable[..., Any], tuple[Any, ...]]


def python_intrinsics() -> None:
    """Put plain Python in place of the instructions that only a compiler has, in every module that names them."""

    def ten_rounds(c0: Any, c1: Any, c2: Any, c3: Any, k0: Any, k1: Any) -> tuple[np.uint64, ...]:
        counter = (int(c0) % 2**32, int(c1) % 2**32, int(c2) % 2**32, int(c3) % 2**32)
        high = U(0xDEADBEEF00000000)  # the high halves are undefined
        return tuple(high | U(word) for word in naive.philox(counter, (int(k0), int(k1))))

    def two_words(*block: Any) -> tuple[np.uint64, ...]:
        y0, y1, y2, y3 = ten_rounds(*block)
        return joined(y0, y1), joined(y2, y3)

    def joined(low: Any, high: Any) -> np.uint64:
        return U(int(low) % 2**32 + int(high) % 2**32 * 2**32)

    def ones(word: Any) -> np.int64:
        return I64((int(word) % WORD).bit_count())

    def zeros_below(word: Any) -> np.uint64:
        return U((int(word) & -int(word)).bit_length() - 1)

    def polynomial(x: Any, coefficients: tuple[float, ...]) -> Any:
        value: Any = coefficients[-1]
        for coefficient in coefficients[-2::-1]:
            value = coefficient + x * value
        return value

    def where(chosen: Any, first: Any, second: Any) -> Any:
        return first if chosen else second

    vector = import_module("randwalk.jit.vector")
    modules = [philox, vector, step, bits, alias, functionals, portable, binomial, occupation]
    for function in (joined, ones, polynomial, where, zeros_below):
        name = function.__name__
        compiled = getattr(vector, name)
        for module in modules:
            for known, value in list(vars(module).items()):
                if value is compiled:
                    setattr(module, known, function)
    setattr(philox, "_four_words", ten_rounds)  # noqa: B010 - mypy knows its type
    setattr(philox, "_two_words", two_words)  # noqa: B010


def words(random: Random, count: int, size: int = 64) -> list[int]:
    """Extreme and random whole numbers of `size` binary digits."""
    return [edge for edge in EDGES_64 if edge < 2**size] + [random.getrandbits(size) for _ in range(count)]


def of_portable(random: Random) -> Iterator[Call]:
    positive = [2.0**-1022, 2.0**-53, 0.5, np.nextafter(1.0, 0.0), 1.0, 2.0**0.5, 16.0, 1.7e308]
    positive += [random.lognormvariate(0.0, 20.0) for _ in range(200)]
    for x in positive:
        yield portable.log, (F(x),)
    for x in [-700.0, -0.5, -1e-300, 0.0, 1e-17, 0.34657359, 700.0, *(random.uniform(-700, 700) for _ in range(200))]:
        yield portable.exp, (F(x),)
    for n in [1, 2, 15, 16, 17, 2**53, *(random.getrandbits(40) + 1 for _ in range(50))]:
        yield portable.stirling_error, (F(n),)
    for word in words(random, 100):
        for function in (portable.real, portable._real):
            yield function, (U(word),)
        for function in (portable.signed_real, portable._signed_real):
            yield function, (I64(word - WORD if word >= WORD // 2 else word),)
    for x in [0.0, 0.5, 1.0, 2.0**51, *(random.expovariate(1e-9) for _ in range(100))]:
        yield portable.floor, (F(x), 2.0**52)
        yield portable.floor, (F(-x) if x < 2.0**51 else F(x), 3 * 2.0**51 if x < 2.0**51 else 2.0**52)
        yield portable.whole, (F(np.floor(x)), 2.0**52)
    for _ in range(200):
        x = F(random.randrange(1, 2**53))
        difference = F(round(random.choice([0.0, 1e-9, 0.1, 0.9]) * x))
        for function in (portable.deviance, portable.near, portable.log_quotient):
            yield function, (x, F(x - difference), difference)


def of_binomial(random: Random) -> Iterator[Call]:
    """Inversion and rejection, rarer and commoner outcomes, certain ones, and the largest numbers."""
    cases = [
        (0, 1, 2),
        (5, 0, 7),
        (5, 7, 7),
        (2**53, 1, 2**53),
        (2**53, 2**52, 2**53),
        (19, FULL // 2, FULL),
        (63, 1, 9),
    ]
    for _ in range(150):
        total = random.choice([2**31, 2**53, FULL, random.randrange(1, 2**53) + 1, random.randrange(1, FULL)])
        n = round(random.lognormvariate(6.0, 5.0)) % 2**53
        cases.append((n, random.choice([random.randrange(total + 1), random.randrange(min(total, 4096) + 1)]), total))
    for i, (n, a, total) in enumerate(cases):
        yield binomial.binomial, (I64(n), I64(a), I64(total), U(i), U(7), U(0), philox.SPLIT, *KEYS)
        if 0 < a < total and n * min(a, total - a) >= 10 * total:
            mean = n * a // total
            for k in (mean, min(n, mean + 1 + round((n * 0.1) ** 0.5)), max(0, mean - 3)):
                yield binomial.log_acceptance, (I64(n), I64(a), I64(total), I64(k))


def compared(walker: Any, word: Any, planes: int, wanted: Any) -> list[int]:
    """The masks that :func:`bits.compare` makes of four thresholds, and the digit that it keeps."""
    cut = 62 - planes if planes < 8 else 0
    walk = DigitsProgram((1, -1, 7, -7), (1 << cut, FULL // 2, FULL - (1 << cut), FULL), planes)
    below, tie = np.zeros(4, U), np.zeros(4, U)
    kept = bits.compare(below, tie, U(0), wanted, walker, word, walk, KEYS)
    return [*(below & wanted).tolist(), int(kept)]


def of_bits(random: Random) -> Iterator[Call]:
    for _ in range(100):
        below, tie, drawn = (U(random.getrandbits(64)) for _ in range(3))
        yield bits.next_digit, (below, tie, drawn, random.choice([U(0), U(WORD - 1)]))
        yield bits.next_digits, (below, tie, drawn, U(random.getrandbits(64)), U(random.getrandbits(62)))
    for start in (0, 1, 63, 64, 127, 128):
        for stop in (64, 65, 127, 128, 200):
            for n in (0, 64, 128):
                yield bits.screen, (I64(n), I64(start), I64(stop))
    for t in [*THRESHOLDS, *words(random, 20, 62)]:
        yield bits.always, (U(t),)
        for digit in (0, 7, 30, 61):
            yield bits.spread, (U(t), I64(digit))
        for planes in (1, 5, 8):
            yield bits.remainder, (U(t), I64(planes))
    for planes in range(1, 9):
        for word in range(6):
            yield compared, (U(random.getrandbits(48)), I64(word), planes, U(random.getrandbits(64)))


def of_alias(random: Random) -> Iterator[Call]:
    """Draws that tie with the cut of their cell and draws that do not; the first and the last cell."""
    for size in (1, 3, 10):
        cells = np.array([random.getrandbits(32 - size) << 32 | i for i in range(1 << size)], np.uint64)
        rests = np.array([random.getrandbits(21) for _ in cells], np.uint32)
        cells[0], cells[-1] = U(0), U((1 << (32 - size)) - 1 << 32)
        rests[::3], rests[1::3] = 0, 2**21 - 1
        drawn = [0, 2**32 - 1, *(random.getrandbits(32) for _ in range(30))]
        drawn += [i << (32 - size) | int(cells[i]) >> 32 for i in range(0, 1 << size, 7)]
        for walker, word in enumerate(drawn):
            yield alias.draw, (U(word), I64(size), cells)
            yield alias.settle_draw, (U(word), I64(size), cells, rests, U(walker), I64(2), I64(0), *KEYS)


def of_functionals(random: Random) -> Iterator[Call]:
    killed = I32(8)
    for before in range(9):
        for there in {max(before - 1, 0), before, min(before + 1, 8)}:
            yield functionals.highest, (I32(there), killed, I32(random.randrange(8)))
            for level in (-1, 0, 4, 7, 9):
                yield functionals.above, (I32(before), I32(there), I32(level), killed)


def of_step(random: Random) -> Iterator[Call]:
    """Steps from every cell of a small plane; uniforms beside thresholds, and uniforms whose high halves tie with one."""
    walk = plane.program(rows=3)
    for i in range(600):
        cell, row = I32(random.randrange(plane.LAYOUT.cells)), I64(random.randrange(3))
        c = walk.column[cell]
        limits = [int(step.limit(walk, row, I64(k), c)) for k in range(5)]
        word = min(max(random.choice([*limits, random.randrange(FULL)]) + random.randrange(-1, 2), 0), FULL - 1)
        high = U32(word >> 46)
        yield step.rests, (cell, walk)
        yield step.column, (cell, walk)
        yield step.limit, (walk, row, I64(i % 5), c)
        yield step.less, (I64(word), walk, row, I64(i % 5), c, I64(0))
        yield step.step, (cell, I64(word), walk, row, I64(0))
        yield step.step, (cell, high, walk, row, I64(46))
        yield step.table_step, (cell, high, U(2**32 + i), I64(i), walk, row, KEYS)
        yield step.uniform, (high, U(2**32 + i), I64(i), KEYS)
        pair = U32(min(limits[0] >> 46, 0xFFFF) << 16 | min(limits[1] >> 46, 0xFFFF))
        yield step.half_moves, (U32(cell), high, pair, U32(12), U32(2**32 - 7))
    for word in words(random, 100):
        yield step.after, (U(word), I64(16))


def of_occupation(random: Random) -> Iterator[Call]:
    """Walkers on every column that take each step or die: nobody, few, and more than 32 bits count."""
    walk = plane.program()
    for c in range(walk.thresholds.shape[2]):
        for k in range(len(walk.offsets) + 1):
            yield occupation.odds, (walk, I64(0), I64(k), I64(c))
            for walkers in (0, 1, 40, 10**6, 2**53):
                yield (
                    occupation.share,
                    (I64(k), I64(walkers), walk, I64(0), I64(c), (U(random.getrandbits(32)), I64(k)), KEYS),
                )


PARTS: dict[str, Callable[[Random], Iterator[Call]]] = {
    "portable": of_portable, "binomial": of_binomial, "bits": of_bits, "alias": of_alias, "functionals": of_functionals,
    "step": of_step, "occupation": of_occupation,
}  # fmt: skip


def told(result: Any) -> Any:
    """A result as JSON keeps it, every bit of a float64 included."""
    if isinstance(result, Sequence):
        return [told(part) for part in result]
    return float(result).hex() if isinstance(result, (float, np.floating)) else int(result)


def answers(part: str) -> list[tuple[str, Any]]:
    """(call, result) of all calls of a part."""
    found = []
    with np.errstate(over="ignore"):  # whole numbers wrap, as those of compiled code
        for function, arguments in PARTS[part](Random(part)):
            name = getattr(function, "py_func", function).__name__
            found.append(
                (
                    f"{name}{tuple(a for a in arguments if not isinstance(a, (np.ndarray, tuple)))}",
                    told(function(*arguments)),
                )
            )
    return found


if __name__ == "__main__":
    python_intrinsics()
    print(json.dumps({part: answers(part) for part in PARTS}))
