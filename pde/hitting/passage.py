"""The passage of a walk to a target: its probability, and the mean and the variance of its time.

h = Ph with h = 1 at the target is the probability. Given that it comes there, a walker steps with P(x, y) h(y)/h(x) (Doob's
transform), and with these probabilities the mean m and the variance v of the number of steps solve m = Pm + 1 and
v = Pv + V, V(x) the variance of m over a step from x. No term of these sums is negative (:mod:`randwalk.pde.hitting.site_chain`).
Norris, *Markov Chains* (1997), 1.3; Kemeny and Snell, *Finite Markov Chains* (1960), chapter 3.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from randwalk.model.coefficient import Floats

from .excursion import Excursion
from .site_chain import Gone, Over, SiteChain

ULP: Final = 2.0**-52  # of a mean


class HittingTime(NamedTuple):
    """The time until a target is hit, of the walkers that hit it.

    Attributes
    ----------
    probability : float or array
        The probability of ever hitting it. Where it is below 1 the time has no mean over all walkers.
    mean, variance : float or array
        Mean (time) and variance (time²) given that it is hit; infinite where they do not exist, NaN where it is never hit.
    """

    probability: Any
    mean: Any
    variance: Any


@dataclass(frozen=True, eq=False)
class Passage:
    """The passage of a walk to a target on a chain of sites: through `exits`, or to the sites of `target` if not to those of
    `stopped` before. `edges` are the excursions over the edges of a window, by the number of their exit.
    """

    chain: SiteChain
    target: NDArray[np.bool_]
    stopped: NDArray[np.bool_]
    exits: NDArray[np.bool_]
    edges: Mapping[int, Excursion]

    @cached_property
    def probability(self) -> Floats:
        """The probability of hitting the target, by site."""
        walls = [exit for exit in range(self.exits.size) if exit not in self.edges]
        leave = self.chain.leave[walls].sum(axis=0) + self._over(lambda edge: edge.lost)
        return self.chain.sums(self._chance, np.where(self._resting, 1.0, leave))(self._arrival)

    @cached_property
    def moments(self) -> tuple[Floats, Floats]:
        """Mean and variance of the number of steps until the target is hit, given that it is, by site; NaN where it never is."""
        chain, h = self.chain, self.probability
        hits, moving, made = h > 0.0, (h > 0.0) & ~self._resting, chain.moves
        scale = np.where(hits, h, 1.0)
        with np.errstate(over="ignore"):
            chance = np.where(moving[made.begin], self._chance * (chain.at(h) / scale[made.begin]), 0.0)
        arrival = np.where(hits, self._arrival / scale, 1.0)
        gone = self._gone._replace(chance=np.where(moving, self._gone.chance / scale, 0.0))
        sums = chain.sums(chance, arrival)
        longer = self._over(lambda edge: edge.back * edge.mean) + chain.total(chance * (made.mean - 1.0))
        longer += (gone.chance * (gone.mean - 1.0)).sum(axis=0)
        mean = sums(np.where(moving, 1.0 + longer, 0.0))
        with np.errstate(over="ignore", invalid="ignore"):
            spread = chain.total(chance * ((made.mean + chain.at(mean) - mean[made.begin]) ** 2 + made.variance))
            spread += np.maximum(arrival - gone.chance.sum(axis=0), 0.0) * (1.0 - mean) ** 2 + chain.stay
            spread += (gone.chance * ((gone.mean - mean) ** 2 + gone.variance)).sum(axis=0)
            spread += self._over(lambda edge: edge.back * ((1.0 + edge.mean) ** 2 + edge.variance))
        overflown = moving & ~np.isfinite(spread)
        variance = sums(np.where(moving & ~overflown, spread, 0.0))
        if (mean > 1.0 / ULP).any():
            with np.errstate(over="ignore", invalid="ignore"):
                noise = sums(np.where(moving, (ULP * mean) ** 2, 0.0))
                lost = (noise > ULP * mean**2) & np.isfinite(mean**2)
                squares = sums(np.where(moving, self._growth(chance, arrival, gone, mean), 0.0))
                variance = np.where(lost, squares - mean**2, variance)
        forever = self._over(lambda edge: edge.back * edge.endless) + chain.total(chance * made.endless)
        endless = np.where(moving, forever, 0.0)
        for values, where in ((mean, endless), (variance, endless + overflown)):
            if where.any():
                values[sums(where) > 0.0] = math.inf
            values[~hits] = math.nan
        return mean, variance

    def first_step(self, site: int) -> HittingTime:
        """Of a walker that makes one step from `site` first: the number of steps until it hits the target."""
        chain, h, (mean, variance) = self.chain, self.probability, self.moments
        edges = [(exit, edge) for exit, edge in self.edges.items() if edge.back]
        every = np.broadcast_arrays(*chain.moves)
        made = Over(*(values[every[0] == site] for values in every))
        there = np.append(made.to, [site] * (1 + len(edges)))
        chance = np.concatenate([
            made.chance, [chain.stay[site]], [chain.leave[exit, site] * edge.back for exit, edge in edges]
        ])  # fmt: skip
        lengths = np.where(made.endless, math.inf, made.mean)
        longer = np.concatenate([lengths, [1.0], [1.0 + edge.mean for _, edge in edges]])
        wider = np.concatenate([made.variance, [0.0], [edge.variance for _, edge in edges]])
        gone = (values[:, site] for values in self._gone)
        out = np.append(next(gone), max(float((chain.leave[self.exits, site] - self._gone.chance[:, site]).sum()), 0.0))
        mean_out, variance_out = (np.append(values, last) for values, last in zip(gone, (1.0, 0.0), strict=True))
        return mixture(
            np.append(chance * h[there], out),
            np.append(longer + mean[there], mean_out),
            np.append(wider + variance[there], variance_out),
        )

    def from_starts(self, position: NDArray[np.intp], masses: Floats | None) -> HittingTime:
        """Of walkers that start at each of the positions of the chain, or from their `masses`."""
        values = (
            np.concatenate([self.probability, self.exits]),
            *(np.concatenate([moment, np.where(self.exits, 0.0, math.nan)]) for moment in self.moments),
        )
        hit, mean, variance = (value[position] for value in values)
        if masses is None:
            return HittingTime(hit, mean, variance)
        return mixture(masses * hit, mean, variance)

    def _growth(self, chance: Floats, arrival: Floats, gone: Gone, mean: Floats) -> Floats:
        """What a step of L adds to E[T²], (n,): the mean of 2Lm + L² over steps to sites of the mean time m.

        E[T²] - m² keeps the digits of the variance where the mean is so long that the rounding of m from a site to the next
        is longer than a step: a time in a chain of n sites has a variance of m²/n - m at least (Aldous and Shepp, Stochastic
        Models 3, 467, 1987).
        """
        chain, made = self.chain, self.chain.moves
        steps = chain.total(chance * (2.0 * made.mean * chain.at(mean) + made.mean**2 + made.variance))
        back = self._over(lambda edge: edge.back * (1.0 + edge.mean))
        squares = self._over(lambda edge: edge.back * ((1.0 + edge.mean) ** 2 + edge.variance))
        squares += (gone.chance * (gone.mean**2 + gone.variance - 1.0)).sum(axis=0)
        return np.asarray(steps + arrival + chain.stay * (1.0 + 2.0 * mean) + 2.0 * back * mean + squares)

    @cached_property
    def _resting(self) -> NDArray[np.bool_]:
        return self.target | self.stopped

    @cached_property
    def _chance(self) -> Floats:
        return np.where(self._resting[self.chain.moves.begin], 0.0, self.chain.moves.chance)

    @cached_property
    def _gone(self) -> Gone:
        """The excursions that hit the target beyond the sites, (…, n) each."""
        gone = self.chain.gone
        if gone is None:
            return Gone(*(np.zeros((int(self.exits.sum()), self.target.size)),) * 3)
        return Gone(*(values[self.exits] for values in gone))

    @cached_property
    def _arrival(self) -> Floats:
        """The probability of hitting the target in a step that leads to no site, (n,); 1 at the target."""
        leave = self.chain.leave[self.exits].sum(axis=0) + self._over(lambda edge: edge.lost * edge.hits)
        return np.where(self._resting, self.target, leave)

    def _over(self, value: Callable[[Excursion], float]) -> Floats:
        """The probability of stepping over an edge in a step times a value of the excursion, summed over the edges, (n,)."""
        terms = (value(edge) * self.chain.leave[exit] for exit, edge in self.edges.items())
        return np.asarray(sum(terms, np.zeros(self.target.size)))


class HitOnly(Passage):
    """A passage whose time is not asked for."""

    @cached_property
    def moments(self) -> tuple[Floats, Floats]:
        nothing = np.full(self.target.size, math.nan)
        return nothing, nothing


def mixture(hits: Floats, mean: Floats, variance: Floats) -> HittingTime:
    """Of outcomes with these probabilities of hitting, and these means and variances of the time given that they do."""
    total, seen = float(hits.sum()), hits > 0.0
    if not total > 0.0:
        return HittingTime(0.0, math.nan, math.nan)
    share, mean, variance = hits[seen] / total, mean[seen], variance[seen]
    whole = float(share @ mean)
    if math.isinf(whole):
        return HittingTime(total, math.inf, math.inf)
    return HittingTime(total, whole, float(share @ (variance + (mean - whole) ** 2)))
