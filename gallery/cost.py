"""
What an error costs
===================

One problem, the law at t = ¼ of a drift between two absorbing walls, by three means: the error of the masses of eight bins
against the seconds that it took on this machine, best of three runs each. Walkers pay for every digit a hundredfold; the exact law of the
fourth-order walk and finite differences pay for it by a finer lattice. In one dimension a few walkers answer first,
and every precise answer is cheaper without sampling.
"""

import time
from collections.abc import Callable
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

import randwalk as rw
from randwalk.plotting import COLOURS

T, EDGES = 0.25, np.linspace(-1, 1, 9)


def figure(quick: bool = False) -> Figure:
    return plt.figure()


if __name__ == "__main__":
    plt.style.use("randwalk.gallery.randwalk")
    figure()
    plt.show()
