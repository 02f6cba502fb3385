"""Common programs: a NumPy loop, a naive Numba loop, and installed packages."""

from __future__ import annotations

import importlib.util

import numpy as np
from numba import njit, prange

from .measure import Work


def numpy_coin(rng: np.random.Generator, walkers: int, steps: int) -> Work:
    """One random bit a step, counted: the fastest program in NumPy for p = ½."""
    words = (steps + 63) // 64

    def work() -> float:
        bits = rng.bit_generator.random_raw(walkers * words).reshape(walkers, words)
        bits[:, -1] &= np.uint64((1 << (steps - 64 * (words - 1))) - 1)
        _ = 2 * np.bitwise_count(bits).sum(1, dtype=np.int64) - steps
        return float(walkers) * steps

    return work


def numpy_table(
    rng: np.random.Generator, walkers: int, steps: int, right: np.ndarray, left: np.ndarray, origin: int | None = None
) -> Work:
    """A vectorised step for all walkers; `right` and `left` are cumulative probabilities over the sites."""
    start = steps if origin is None else origin

    def work() -> float:
        x = np.full(walkers, start)
        for _ in range(steps):
            u = rng.random(walkers)
            x += 2 * (u < right[x]) - (u < left[x])
        return float(walkers) * steps

    return work


@njit(parallel=True)
def _walk(walkers: int, steps: int, right: np.ndarray, left: np.ndarray, start: int) -> np.ndarray:
    out = np.empty(walkers, np.int64)
    for walker in prange(walkers):
        x = start
        for _ in range(steps):
            u = np.random.random()  # noqa: NPY002  (the generator of Numba)
            if u < right[x]:
                x += 1
            elif u < left[x]:
                x -= 1
        out[walker] = x
    return out


def numba_table(walkers: int, steps: int, right: np.ndarray, left: np.ndarray, origin: int | None = None) -> Work:
    """A loop over walkers and steps with np.random.random(), compiled and parallel."""

    def work() -> float:
        _walk(walkers, steps, right, left, steps if origin is None else origin)
        return float(walkers) * steps

    return work


@njit(parallel=True)
def _leave(walkers: int, end: int) -> np.ndarray:
    out = np.empty(walkers, np.int64)
    for walker in prange(walkers):
        x, n = 0, 0
        while -end < x < end:
            x += 1 if np.random.random() < 0.5 else -1  # noqa: NPY002
            n += 1
        out[walker] = n
    return out


def numba_passage(walkers: int, end: int) -> Work:
    """The steps until a fair walk leaves (-end, end), one walker after another."""
    return lambda: float(_leave(walkers, end).sum())


def numpy_occupation(rng: np.random.Generator, right: np.ndarray, left: np.ndarray, steps: int) -> Work:
    """A multinomial splitting of site counts by vectorised binomials."""

    def work() -> float:
        counts = np.full(right.size, 10**12 // right.size)
        for _ in range(steps):
            to_right = rng.binomial(counts, right)
            to_left = rng.binomial(counts - to_right, (left - right) / (1.0 - right))
            counts -= to_right + to_left
            counts[1:] += to_right[:-1]
            counts[:-1] += to_left[1:]
        return float(right.size) * steps

    return work


def numpy_endpoint(rng: np.random.Generator, walkers: int, steps: int) -> Work:
    """The endpoint of a walk with constant p and q from two binomials a walker."""

    def work() -> float:
        moved = rng.binomial(steps, 0.8, walkers)
        _ = 2 * rng.binomial(moved, 0.375) - moved
        return float(walkers)

    return work


def installed(walkers: int, steps: int) -> dict[str, Work]:
    """p = ½ by the installed packages."""
    rows: dict[str, Work] = {}
    if importlib.util.find_spec("jax"):
        import jax

        @jax.jit
        def walk(seed: jax.Array) -> jax.Array:
            bits = jax.random.bits(seed, (walkers, (steps + 31) // 32), "uint32")
            return 2 * jax.lax.population_count(bits).sum(1) - steps

        def by_jax() -> float:
            walk(jax.random.key(1)).block_until_ready()
            return float(walkers) * steps

        rows["JAX"] = by_jax
    if importlib.util.find_spec("torch"):
        import torch

        def by_torch() -> float:
            (2 * torch.randint(0, 2, (walkers, steps), dtype=torch.int8).sum(1, dtype=torch.int32) - steps).max()
            return float(walkers) * steps

        rows["PyTorch"] = by_torch
    if importlib.util.find_spec("diffusionx"):
        from diffusionx import random

        def by_diffusionx() -> float:
            (2 * random.bool_rand((walkers, steps)).sum(1) - steps).max()
            return float(walkers) * steps

        rows["diffusionx bits, NumPy"] = by_diffusionx
    if importlib.util.find_spec("stochastic") and importlib.util.find_spec("stochastic.processes"):  # from 0.5 on
        from stochastic.processes.discrete import RandomWalk

        few = max(10, walkers // 1000)

        def by_stochastic() -> float:
            walk = RandomWalk([-1, 1], [1, 1])
            _ = [walk.sample(steps)[-1] for _ in range(few)]
            return float(few) * steps

        rows["stochastic"] = by_stochastic
    return rows
