"""Tracks as a camera would see Brownian motion, drawn exactly."""

from __future__ import annotations

import numpy as np

import randwalk as rw


def seen_tracks(
    seed: int,
    *,
    particles: int,
    frames: int,
    diffusion: float,
    drift: tuple[float, ...],
    sigma: float,
    interval: float,
    exposure: float = 0.0,
    gap: int = 0,
) -> rw.Tracks:
    """Means of X over the exposure before each frame, plus a normal error; `gap` frames in the middle of each track are left out.

    Over an exposure e, X moves by B of variance 2De, and its mean is X₀ + B/2 + a normal number of variance 2De/12, that of the
    mean of a Brownian bridge.
    """
    rng, dimension = np.random.default_rng(seed), len(drift)
    shape = particles, frames, dimension
    velocity = np.array(drift)
    before = rng.normal(0.0, np.sqrt(2.0 * diffusion * (interval - exposure)), shape) + velocity * (interval - exposure)
    during = rng.normal(0.0, np.sqrt(2.0 * diffusion * exposure), shape) + velocity * exposure
    ends = np.cumsum(before + during, axis=1)
    means = ends - 0.5 * during + rng.normal(0.0, np.sqrt(2.0 * diffusion * exposure / 12.0), shape)
    seen = means + rng.normal(0.0, sigma, shape)
    kept = np.ones(frames, dtype=bool)
    kept[frames // 2 : frames // 2 + gap] = False
    time = np.tile(interval * np.arange(frames)[kept], particles)
    name = np.repeat(np.arange(particles), kept.sum())
    return rw.Tracks(name, time, seen[:, kept].reshape(-1, dimension), interval=interval)
