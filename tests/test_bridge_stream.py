"""Known answers of the random stream at walls: the blocks that docs/stream.md names, and walkers that leave a disc."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from numba import njit

import randwalk as rw
from randwalk.kernels.philox import BRIDGE, LOW, PLACE, SPHERES, U, key, of_axis, philox
from tests import naive
from tests.walkers import walked

LEFT = [  # exit, time, place of walkers 0, 1, 2 of seed 1
    (5, "0x1.9548c029fc2d7p+0", ["0x1.5ed9f6ebed927p-2", "0x1.26696a44b2b75p+0"]),
    (5, "0x1.218aa5b969470p-1", ["-0x1.86bd0a298c5fap-2", "-0x1.234150eb62dabp+0"]),
    (5, "0x1.2c86a9e73648cp+0", ["0x1.b4ea327bfab9ep-1", "0x1.aff6c07a4f64fp-1"]),
]


@njit
def _words(walker, step, purpose, k0, k1):  # type: ignore[no-untyped-def]
    a, b, c, d = philox(walker & LOW, walker >> U(32), step, purpose, k0, k1)
    return a & LOW, b & LOW, c & LOW, d & LOW


def test_blocks_are_those_of_the_page() -> None:
    text = " ".join(Path("docs/stream.md").read_text(encoding="utf-8").split())
    for purpose in (of_axis(BRIDGE, 1), of_axis(PLACE, 0), of_axis(SPHERES, 1)):
        words = _words(U(5), U(7), purpose, *key(1))
        assert f"`{' '.join(f'{word:08x}' for word in words)}`" in text


def test_known_answers_of_blocks() -> None:
    """Against the paper's algorithm in plain Python and against the committed words."""
    for answer in json.loads(Path("tests/stream_answers.json").read_text())["blocks"]:
        walker, _, step, purpose = answer["counter"]
        words = [f"{word:08x}" for word in _words(U(walker), U(step), U(purpose), *key(answer["seed"]))]
        plain = naive.philox(tuple(answer["counter"]), naive.key(answer["seed"]))
        assert words == [f"{word:08x}" for word in plain] == answer["words"]


def test_walkers_leave_a_disc_as_ever() -> None:
    disc = (rw.Line() ** 2).inside(rw.Ball((0, 0), 1.2), rw.Absorbing(), "rim")
    state = walked(rw.ItoWalk((0.0, 0.0), 0.3, dt=0.1, domain=disc, start=(0.0, 0.0)), 3, 40)
    seen = [
        (int(e), float(t).hex(), [float(v).hex() for v in x])
        for e, t, x in zip(state.exit, state.gone_at, state.x.T, strict=True)
    ]
    assert seen == LEFT and np.isfinite(state.x).all()
