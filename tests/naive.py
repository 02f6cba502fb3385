"""Slow and obvious versions of what the package does fast, in plain Python numbers. The tests compare the two."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

import randwalk as rw
from randwalk.model.start import start_masses

Gone = Literal["left", "right", "killed"]
Place = int | Gone  # a lattice number, or the way out
Key = tuple[int, int]
WORD = 2**32
FULL = 2**62
STEPS, TIES, START, SPLIT = (purpose + 256 for purpose in range(4))  # the fourth counter word
JUMP, JUMP_TIES = 4 + 512, 5 + 512


# ---------------------------------------------------------------- random words


def philox(counter: tuple[int, int, int, int], key: Key) -> tuple[int, int, int, int]:
    """Philox4x32-10 as the paper writes it: ten rounds, the key raised by the Weyl constants between them."""
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(10):
        high0, low0 = divmod(0xD2511F53 * c0, WORD)
        high1, low1 = divmod(0xCD9E8D57 * c2, WORD)
        c0, c1, c2, c3 = high1 ^ c1 ^ k0, low1, high0 ^ c3 ^ k1, low0
        k0, k1 = (k0 + 0x9E3779B9) % WORD, (k1 + 0xBB67AE85) % WORD
    return c0, c1, c2, c3


@cache
def key(seed: int) -> Key:
    first, second = np.random.SeedSequence(seed).generate_state(2, np.uint32).tolist()
    return first, second


def block(walker: int, number: int, purpose: int, seed: int) -> tuple[int, int, int, int]:
    return philox((walker % WORD, walker // WORD, number, purpose), key(seed))


def word53(walker: int, number: int, purpose: int, seed: int) -> int:
    y = block(walker, number, purpose, seed)
    return (y[0] + WORD * y[1]) >> 11


def jump_uniform(walker: int, number: int, seed: int) -> int:
    """The 53 bits of a jump: a word of a block that four walkers share, then 21 bits of a block of its own."""
    high = block(walker // 4, number, JUMP, seed)[walker % 4]
    low = block(walker, number, JUMP_TIES, seed)[0] >> 11
    return high * 2**21 + low


def table_uniform(walker: int, n: int, seed: int) -> int:
    """The 62 bits of step n, table family: 16 bits of a block that eight steps share, then 15 and 31 of a block of its own."""
    y = block(walker, n // 8, STEPS, seed)
    word = y[n % 4]
    high = word // 2**16 if n % 8 < 4 else word % 2**16
    first, second, _, _ = block(walker, n, TIES, seed)
    return high * 2**46 + (first >> 17) * 2**31 + (second >> 1)


def constant_uniform(walker: int, n: int, digits: int, seed: int) -> int:
    """The 62 bits of step n, constant family: `digits` bit planes of 64 steps each, then bits of a block of its own."""
    value = 0
    for j in range(digits):
        number = (n // 64) * digits + j
        y = block(walker, number // 2, STEPS, seed)
        plane = y[2] + WORD * y[3] if number % 2 else y[0] + WORD * y[1]
        value = 2 * value + (plane >> (n % 64)) % 2
    rest = 31 - digits
    first, second, _, _ = block(walker, n, TIES, seed)
    return (value * 2**rest + (first >> (32 - rest))) * 2**31 + (second >> 1)


# ---------------------------------------------------------------- the walk


def quantise(right: float, left: float, killed: float) -> tuple[int, int, int]:
    """Whole numbers of 2⁻⁶² for right, left and alive, each rounded to the nearest from exact fractions. Right and left that sum
    to 1 within 4 ulp sum to 1."""
    live = FULL - round(Fraction(killed) * FULL)
    p = round(Fraction(right) * live)
    q = min(round(Fraction(left) * live), live - p)
    if Fraction(right) + Fraction(left) >= 1 - 4 * Fraction(1, 2**52):
        q = live - p
    return p, q, live


def out_through(wall: rw.PartiallyAbsorbing, walk: rw.LatticeWalk, x: float, t: float, inward: float) -> float:
    """MATH.md item 8 where D does not depend on x: flux Kρ(wall), ρ(wall) from ρ(site) by a first-order step of half a dx."""
    a, d = inward * float(walk.drift(x, t)), float(walk.diffusion(x, t))
    return wall.reactivity * walk.dt / walk.dx / (1.0 + (wall.reactivity + a) * walk.dx / (2.0 * d))


def thresholds(walk: rw.LatticeWalk, k: int, n: int) -> tuple[int, int, int]:
    """(right, left, live) of site k at step n, in units of 2⁻⁶²."""
    lattice = walk.lattice
    x, t = lattice.origin + lattice.dx * k, n * walk.dt
    p, q = float(walk.right(x, t)), float(walk.left(x, t))
    domain = walk.domain
    first, last = k == lattice.first, k == lattice.last
    if not lattice.periodic:
        if last and isinstance(domain.right, rw.Reflecting):
            p = 0.0
        if last and isinstance(domain.right, rw.PartiallyAbsorbing):
            p = out_through(domain.right, walk, x, t, -1.0)
        if first and isinstance(domain.left, rw.Reflecting):
            q = 0.0
        if first and isinstance(domain.left, rw.PartiallyAbsorbing):
            q = out_through(domain.left, walk, x, t, 1.0)
    return quantise(p, q, -math.expm1(-float(walk.killing(x, t)) * walk.dt))


def move(walk: rw.LatticeWalk, k: int, step: int) -> Place:
    """Where a walker gets that goes from site k by `step`."""
    lattice, k = walk.lattice, k + step
    if lattice.periodic:
        assert lattice.last is not None
        return k % (lattice.last + 1)
    if lattice.first is not None and k < lattice.first:
        return "left"
    if lattice.last is not None and k > lattice.last:
        return "right"
    return k


def digits(walk: rw.LatticeWalk) -> int:
    """Binary digits of a constant walk on the line (8 at most); 0 for the table family."""
    constant = not any(c.depends_on_x or c.depends_on_t for c in (walk.right, walk.left, walk.killing))
    if not (constant and isinstance(walk.domain, rw.Line)) or thresholds(walk, 0, 0)[2] != FULL:
        return 0
    p, q, _ = thresholds(walk, 0, 0)
    return next(d for d in range(1, 9) if d == 8 or (p * 2**d % FULL == 0 and (p + q) * 2**d % FULL == 0))


def start(walk: rw.LatticeWalk, walker: int, seed: int) -> Place:
    """The start of a walker: places beyond a wall belong to it if it absorbs, else to the site before it."""
    lattice = walk.lattice
    first, masses = start_masses(walk.start, lattice)
    shares: dict[int, int] = {}
    for k, mass in enumerate(masses.tolist(), start=first):
        if lattice.periodic:
            assert lattice.last is not None
            k %= lattice.last + 1
        elif lattice.first is not None and k < lattice.first:
            k = lattice.first - 1 if isinstance(walk.domain.left, rw.Absorbing) else lattice.first
        elif lattice.last is not None and k > lattice.last:
            k = lattice.last + 1 if isinstance(walk.domain.right, rw.Absorbing) else lattice.last
        shares[k] = shares.get(k, 0) + mass
    ordered = sorted((k, mass) for k, mass in shares.items() if mass)
    word = word53(walker, 0, START, seed) if len(ordered) > 1 else 0
    for k, mass in ordered:
        if word < mass:
            return move(walk, k, 0)
        word -= mass
    raise AssertionError("masses do not sum to 2⁵³")


def path(walk: rw.LatticeWalk, walker: int, steps: int, seed: int) -> list[Place]:
    """The places of a walker after 0, 1, … `steps` steps."""
    family = digits(walk)
    limits = thresholds(walk, 0, 0) if family else None
    here = start(walk, walker, seed)
    places = [here]
    for n in range(steps):
        if isinstance(here, int):
            u = constant_uniform(walker, n, family, seed) if family else table_uniform(walker, n, seed)
            p, q, live = limits or thresholds(walk, here, n)
            here = move(walk, here, 1 if u < p else -1 if u < p + q else 0) if u < live else "killed"
        places.append(here)
    return places


def position(walk: rw.LatticeWalk, place: Place) -> float:
    """Where the package says a walker is: at the outer site of its wall when absorbed, nowhere when killed."""
    lattice = walk.lattice
    if place == "killed":
        return math.nan
    if place == "left":
        assert lattice.first is not None
        place = lattice.first - 1
    if place == "right":
        assert lattice.last is not None
        place = lattice.last + 1
    assert isinstance(place, int)
    return lattice.origin + lattice.dx * place


# ---------------------------------------------------------------- functionals of a path


def first_passage(places: Sequence[Place]) -> tuple[int, Gone] | None:
    """(step, way) of leaving, None for a walker that is still there."""
    for n, place in enumerate(places):
        if isinstance(place, str):
            return n, place
    return None


def number(walk: rw.LatticeWalk, place: Place) -> int:
    """The lattice number of a place, a wall being the outer site."""
    return round((position(walk, place) - walk.lattice.origin) / walk.lattice.dx)


def last_visit(walk: rw.LatticeWalk, places: Sequence[Place], level: int) -> int:
    """The step of the last visit to site `level`, -1 if there was none. Arriving at a wall is a visit of its site."""
    gone = first_passage(places)
    walked = places if gone is None else places[: gone[0] + 1]
    return max((n for n, place in enumerate(walked) if place != "killed" and number(walk, place) == level), default=-1)


def time_positive(walk: rw.LatticeWalk, places: Sequence[Place], level: int) -> int:
    """Feller's convention: a step counts if it lies above `level`, ends on the level included, both ends not."""
    count = 0
    for before, after in pairwise(places):
        if isinstance(before, str) or after == "killed":
            continue
        ends = before, number(walk, after)
        count += min(ends) >= level and max(ends) > level
    return count


def maximum(walk: rw.LatticeWalk, places: Sequence[Place]) -> float:
    """The highest position reached, the outer site of the right wall included."""
    return max(position(walk, place) for place in places if place != "killed")


# ---------------------------------------------------------------- the master equation


@dataclass(frozen=True)
class Chain:
    """The walk as a dense matrix over sites first … last, then "left", "right", "killed"."""

    walk: rw.LatticeWalk
    first: int
    last: int

    @property
    def size(self) -> int:
        return self.last - self.first + 4

    def index(self, place: Place) -> int:
        if isinstance(place, int):
            if place < self.first:
                return self.size - 3
            return self.size - 2 if place > self.last else place - self.first
        return self.size - 3 + ("left", "right", "killed").index(place)

    def matrix(self, n: int) -> NDArray[np.float64]:
        """M[to, from] of step n."""
        m = np.zeros((self.size, self.size))
        for k in range(self.first, self.last + 1):
            p, q, live = thresholds(self.walk, k, n)
            for place, mass in (
                (move(self.walk, k, 1), p),
                (move(self.walk, k, -1), q),
                (move(self.walk, k, 0), live - p - q),
            ):
                m[self.index(place), k - self.first] += mass / FULL
            m[self.size - 1, k - self.first] += (FULL - live) / FULL
        for out in range(self.size - 3, self.size):
            m[out, out] = 1.0
        return m

    def begin(self) -> NDArray[np.float64]:
        """The start law."""
        v = np.zeros(self.size)
        first, masses = start_masses(self.walk.start, self.walk.lattice)
        for k, mass in enumerate(masses.tolist(), start=first):
            place = move(self.walk, k, 0)
            if place == "left" and not isinstance(self.walk.domain.left, rw.Absorbing):
                place = self.first
            if place == "right" and not isinstance(self.walk.domain.right, rw.Absorbing):
                place = self.last
            v[self.index(place)] += mass / 2.0**53
        return v

    def law(self, steps: int) -> NDArray[np.float64]:
        """The probabilities of every place after `steps` steps."""
        v = self.begin()
        constant = self.matrix(0)
        for n in range(steps):
            v = (self.matrix(n) if self.walk.time_dependent else constant) @ v
        return v
