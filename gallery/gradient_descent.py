"""
Stochastic gradient descent is a biased walk
============================================

A parameter x descends the loss L(x) = x⁴/4 - x²/2 + x/10 by steps of size η along gradients of mini-batches of B data,
whose noise has variance σ²/B. Run for real (points), it is a walk with drift -L'(x) and D = ησ²/2B: the batch size is
an inverse temperature. Walkers of that walk, its stationary law, and exp(-L/D): small batches spread over both minima, large ones
choose the deeper one.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

import randwalk as rw
from randwalk.plotting import COLOURS


def figure(quick: bool = False) -> Figure:
    return plt.figure()


if __name__ == "__main__":
    plt.style.use("randwalk.gallery.randwalk")
    figure()
    plt.show()
