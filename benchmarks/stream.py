"""``python -m benchmarks.stream [--words 4_000_000] [--seed 1] [--dieharder] [--markdown FILE]``.

A battery for the random stream as it is used: the blocks that docs/stream.md gives to walkers, steps, seeds, sites and purposes,
in the orders in which walks take them. Monobit, runs, pairs of nibbles, birthday spacings, Hamming weights and their dependence
from word to word, and every bit by itself. With ``--dieharder`` the program of that name (a Debian package) reads the same words.
"""

from __future__ import annotations

import argparse
import math
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy import stats

from randwalk.kernels.philox import NORMALS, SPLIT, STEPS, STREAM_VERSION, key, philox
from randwalk.validate.power import holm
from randwalk.version import __version__

Words = NDArray[np.uint32]
LIMIT = 1e-3  # of Holm's adjusted p-values
DAYS, BIRTHDAYS = 32, 2**12  # bits of a day; λ = n³/4d = 4 repeated spacings are expected
TESTS = {  # of dieharder, by number, with the words that each reads
    0: "birthdays", 1: "operm5", 2: "rank_32x32", 8: "count_1s_str", 15: "runs", 100: "sts_monobit", 101: "sts_runs",
    102: "sts_serial", 202: "rgb_permutations", 203: "rgb_lagged_sum", 204: "rgb_kstest_test", 208: "dab_filltree2",
    209: "dab_monobit2",
}  # fmt: skip


@njit
def blocks(counters: Any, keys: Any, out: Any) -> None:
    """The words of blocks: counters (n, 4) or (1, 4), keys (n, 2) or (1, 2), out (n, 4)."""
    for i in range(out.shape[0]):
        j, k = min(i, counters.shape[0] - 1), min(i, keys.shape[0] - 1)
        a, b, c, d = philox(counters[j, 0], counters[j, 1], counters[j, 2], counters[j, 3], keys[k, 0], keys[k, 1])
        out[i, 0], out[i, 1], out[i, 2], out[i, 3] = np.uint32(a), np.uint32(b), np.uint32(c), np.uint32(d)


def words(counters: Any, keys: Any) -> Words:
    """The words of blocks one after the other; the four columns of the counters broadcast."""
    columns = np.broadcast_arrays(*(np.asarray(column, dtype=np.uint64) for column in counters))
    stacked = np.stack([column.ravel() for column in columns], axis=1)
    pairs = np.atleast_2d(np.array(keys, dtype=np.uint64))
    out = np.empty((max(len(stacked), len(pairs)), 4), dtype=np.uint32)
    blocks(stacked, pairs, out)
    return out.ravel()


def orders(count: int, seed: int) -> dict[str, Callable[[], Words]]:
    """The orders in which words are used, each of about `count` words."""
    n, keys = count // 4, key(seed)
    side = math.isqrt(n)
    each, many = np.arange(n), np.arange(side)
    return {
        "steps of one walker": lambda: words((5, 0, each, STEPS), keys),
        "walkers at one step": lambda: words((each, 0, 7, STEPS), keys),
        "walkers, then steps": lambda: words((many[None, :], 0, many[:, None], STEPS), keys),
        "steps, then walkers": lambda: words((many[:, None], 0, many[None, :], STEPS), keys),
        "walkers 2³² apart": lambda: words((3, each, 0, STEPS), keys),
        "seeds 0, 1, 2, …": lambda: words((0, 0, 0, STEPS), [key(s) for s in range(min(n, 100_000))]),
        "parts of an occupation run": lambda: words((0, 0, 0, SPLIT), [key(seed, s) for s in range(min(n, 100_000))]),
        "sites of a line at one step": lambda: words((each - n // 2 & 0xFFFFFFFF, 11, 0, SPLIT), keys),
        "normals of one walker": lambda: words((9, 0, each, NORMALS), keys),
        "all purposes of one walker": lambda: words(
            (2, 0, np.arange(n // 13 + 1)[:, None], (np.arange(13) | 3 << 8)[None, :]), keys
        ),
    }


def bits(sample: Words) -> NDArray[np.uint8]:
    return np.unpackbits(sample.view(np.uint8))


def two_sided(z: float) -> float:
    return float(2.0 * stats.norm.sf(abs(z)))


def monobit(sample: Words) -> float:
    """As many ones as zeros."""
    ones, n = int(np.bitwise_count(sample).sum()), 32 * sample.size
    return two_sided((2 * ones - n) / math.sqrt(n))


def runs(sample: Words) -> float:
    """Changes from bit to bit: a binomial number."""
    given = bits(sample)
    changes = int((given[1:] != given[:-1]).sum())
    n = given.size - 1
    return two_sided((2 * changes - n) / math.sqrt(n))


def serial(sample: Words) -> float:
    """Pairs of nibbles, all 256 alike: in a word, and the low ones of two words."""
    inside = np.bincount(sample.view(np.uint8), minlength=256)
    low = (sample & 15).astype(np.int64)
    across = np.bincount(16 * low[0 : low.size - 1 : 2] + low[1::2], minlength=256)
    return min(1.0, 2.0 * min(float(stats.chisquare(inside).pvalue), float(stats.chisquare(across).pvalue)))


def birthdays(sample: Words) -> float:
    """Marsaglia's birthday spacings: repeated spacings of 4096 birthdays in 2³² days are Poisson with mean 4."""
    groups = sample[: sample.size // BIRTHDAYS * BIRTHDAYS].reshape(-1, BIRTHDAYS).astype(np.int64)
    spacings = np.sort(np.diff(np.sort(groups, axis=1), axis=1), axis=1)
    repeated = int((np.diff(spacings, axis=1) == 0).sum())
    mean = groups.shape[0] * BIRTHDAYS**3 / 2.0 ** (DAYS + 2)
    return min(1.0, 2.0 * min(float(stats.poisson.cdf(repeated, mean)), float(stats.poisson.sf(repeated - 1, mean))))


def weights(sample: Words) -> float:
    """The number of ones of a word is binomial."""
    counts = np.bincount(np.bitwise_count(sample), minlength=33)
    expected = sample.size * stats.binom.pmf(np.arange(33), 32, 0.5)
    kept = expected >= 10.0
    seen = np.append(counts[kept], counts[~kept].sum())
    wanted = np.append(expected[kept], expected[~kept].sum())
    return float(stats.chi2.sf(((seen - wanted) ** 2 / wanted).sum(), seen.size - 1))


def dependence(sample: Words) -> float:
    """Hamming weights of words 1, 2, 3, 4, 8 and 64 apart are uncorrelated."""
    centred = np.bitwise_count(sample).astype(np.float64) - 16.0
    found = []
    for lag in (1, 2, 3, 4, 8, 64):
        product = centred[lag:] * centred[:-lag]
        found.append(two_sided(float(product.sum()) / (8.0 * math.sqrt(product.size))))
    return min(1.0, len(found) * min(found))


def each_bit(sample: Words) -> float:
    """Each of the 32 bits of a word is as often 1 as 0, and as often as not equal to that of the next word."""
    found = []
    for place in range(32):
        bit = (sample >> np.uint32(place)) & np.uint32(1)
        same = bit[1:] == bit[:-1]
        found += [two_sided((2 * int(x.sum()) - x.size) / math.sqrt(x.size)) for x in (bit, same)]
    return min(1.0, len(found) * min(found))


BATTERY = {
    "monobit": monobit, "runs": runs, "serial": serial, "birthday spacings": birthdays, "Hamming weights": weights,
    "their dependence": dependence, "each bit": each_bit,
}  # fmt: skip


def battery(count: int, seed: int) -> dict[str, dict[str, float]]:
    """The p-value of each test of each order."""
    found = {}
    for name, made in orders(count, seed).items():
        sample = made()
        found[name] = {test: of(sample) for test, of in BATTERY.items()}
    return found


def table(found: dict[str, dict[str, float]]) -> str:
    """The p-values as a table in Markdown, with the verdict below."""
    lines = ["| order of the words | " + " | ".join(BATTERY) + " |", "|---" * (1 + len(BATTERY)) + "|"]
    for name, row in found.items():
        lines.append(f"| {name} | " + " | ".join(f"{p:.2g}" for p in row.values()) + " |")
    smallest = float(holm([p for row in found.values() for p in row.values()]).min())
    verdict = "passed" if smallest >= LIMIT else "FAILED"
    return "\n".join([*lines, "", f"Smallest p-value after Holm's correction: {smallest:.2g} ({verdict})."])


def stream(seed: int) -> Iterator[bytes]:
    """Words for ever, of 4096 walkers and 256 blocks of steps at a time, the steps of a walker together."""
    first, keys = 0, key(seed)
    while True:
        walkers = np.arange(first, first + 4096)
        yield words((walkers[:, None], 0, np.arange(256)[None, :], STEPS), keys).tobytes()
        first += 4096


def dieharder(seed: int) -> list[tuple[str, float, str]]:
    """(test, p-value, verdict) of the program dieharder, which must be installed; some minutes."""
    found = []
    for number in TESTS:
        command = ["dieharder", "-g", "200", "-d", str(number)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as program:
            assert program.stdin is not None and program.stdout is not None
            try:
                for chunk in stream(seed):
                    program.stdin.write(chunk)
            except BrokenPipeError:  # it has read enough
                pass
            told = program.stdout.read().decode()
        rows = [line.split("|") for line in told.splitlines()]
        found += [
            (f"{row[0].strip()} {row[1].strip()}", float(row[4]), row[5].strip())
            for row in rows
            if len(row) == 6 and row[5].strip() in ("PASSED", "WEAK", "FAILED")
        ]
        print(*(f"{name}: p = {p:.4f}, {verdict}" for name, p, verdict in found[-1:]), flush=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--words", type=int, default=4_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--dieharder", action="store_true")
    parser.add_argument("--markdown", type=Path)
    given = parser.parse_args()
    head = f"Stream {STREAM_VERSION}, randwalk {__version__}, seed {given.seed}, {given.words} words of each order."
    text = f"{head}\n\n{table(battery(given.words, given.seed))}\n"
    print(text)
    if given.dieharder:
        rows = dieharder(given.seed)
        text += "\n| dieharder | p-value | verdict |\n|---|---|---|\n"
        text += "".join(f"| {name} | {p:.4f} | {verdict} |\n" for name, p, verdict in rows)
    if given.markdown:
        given.markdown.write_text(text, encoding="utf-8")
    sys.exit("FAILED" in text)


if __name__ == "__main__":
    main()
