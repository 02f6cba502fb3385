"""
The decaying walk finds the ground state
========================================

Walkers that are killed at a rate κ(x) obey ρ_t = ½ρ_xx - κρ, Schrödinger's equation in imaginary time. For κ = x²/2 the
rate of their decay tends to the ground-state energy E₀ = ½ (above), and their density to the ground state
exp(-x²/2) (below). Closed form of the survival from x = 0: (cosh t)^(-1/2), Mehler's. The energy in the figure is the rate of
decay of the walkers from t = 3 to 4, with its standard error.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

import randwalk as rw
from randwalk.laws.plotting import COLOURS


def figure(quick: bool = False) -> Figure:
    walkers, dx = (10**4, 0.2) if quick else (10**5, 0.1)
    times = np.arange(1, 17) * 0.25
    walk = rw.LatticeWalk.from_drift(
        drift=0.0, diffusion=0.5, killing=rw.expression("x**2 / 2"), dx=dx, times=list(times)
    )
    ensemble = rw.simulate(walk, walkers, times, seed=1)
    exact = rw.pde.exact_law(walk, times)

    fig, (top, bottom) = plt.subplots(2, 1, figsize=(3.5, 4.2))
    alive = np.append(walkers, ensemble.counts.sum(axis=1))
    middle, h = times - 0.125, 0.25
    energy = np.log(alive[:-1] / alive[1:]) / h
    error = np.sqrt(1 / alive[1:] - 1 / alive[:-1]) / h  # the number of survivors of the stretch is binomial
    survival = np.append(1, [exact.survival(t) for t in times])
    fine = np.linspace(0, 4, 200)
    top.axhline(0.5, color="0.8", lw=0.6)
    top.plot(fine, np.tanh(fine) / 2, color=COLOURS["closed form"], lw=3)
    top.plot(middle, np.log(survival[:-1] / survival[1:]) / h, color=COLOURS["exact law"])
    top.errorbar(middle, energy, error, fmt="o", ms=2, color=COLOURS["walk"], lw=0.8)
    top.set(xlabel="time $t$", ylabel=r"decay rate $-d\,\ln S/dt$", xlim=(0, 4), ylim=(0, 0.6))
    late = np.log(alive[-5] / alive[-1]), np.sqrt(1 / alive[-1] - 1 / alive[-5])
    top.text(3.9, 0.33, f"$t > 3$: ${late[0]:.3f} \\pm {late[1]:.3f}$", color=COLOURS["walk"], ha="right")
    top.text(0.05, 0.515, "$E_0$")
    top.text(3.9, 0.24, "exact law", color=COLOURS["exact law"], ha="right")
    top.text(3.9, 0.15, r"$\frac{1}{2}\tanh t$", color=COLOURS["closed form"], ha="right")

    x, t = np.linspace(-3, 3, 300), float(times[-1])
    bottom.plot(x, np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi), color=COLOURS["closed form"], lw=3)
    places, law = exact.density(t)
    bottom.plot(places, law / exact.survival(t), color=COLOURS["exact law"])
    rho, s = ensemble.density(t), alive[-1] / walkers
    bottom.errorbar(rho.x[::2], rho.value[::2] / s, rho.error[::2] / s, fmt="o", color=COLOURS["walk"], lw=0.8)
    bottom.set(xlabel="position $x$", ylabel="density of survivors", xlim=(-3.1, 3.1), ylim=(0, 0.47))
    bottom.text(3, 0.41, f"$10^{{{round(np.log10(walkers))}}}$ walkers", color=COLOURS["walk"], ha="right")
    bottom.text(-3, 0.41, r"$\psi_0 \propto e^{-x^2/2}$", color=COLOURS["closed form"])
    return fig


if __name__ == "__main__":
    plt.style.use("randwalk.gallery.randwalk")
    figure()
    plt.show()
