"""Whether measured values follow known ones on a line."""

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats

from livermre.evaluate.interval import LEVEL
from livermre.evaluate.line import LeastSquares, least_squares
from livermre.evaluate.pairs import Column, is_flat, pairs_of, too_few


@dataclass(frozen=True)
class Linearity:
    """Whether measured values follow known ones on a line."""

    line: LeastSquares
    """measured on truth: slope, intercept, R squared."""
    curvature_p: float | None
    """Two-sided, of the square term of a parabola; small means that a line is not enough."""
    left_out: int


def linearity(measured: Column, truth: Column, *, level: float = LEVEL) -> Linearity:
    """Linearity against known values (phantom, simulation; Raunig 2015, section 3).

    measured, truth  (N,) float, one unit, independent points; NaN leaves a point out

    The curvature is tested from five points with three different true values on.
    """
    pairs = pairs_of(measured, truth)
    line = least_squares(pairs.reference, pairs.measured, level=level)
    x = pairs.reference
    if too_few(pairs.n) or is_flat(x) or np.unique(x).size < 3:
        return Linearity(line, None, pairs.left_out)
    x = (x - x.mean()) / x.std()
    design = np.stack([np.ones_like(x), x, x**2], 1)
    root = np.linalg.qr(design)
    on = root.Q.T @ pairs.measured
    error = float(pairs.measured @ pairs.measured - on @ on)
    if error <= 1e-20 * float(pairs.measured @ pairs.measured):
        return Linearity(line, None, pairs.left_out)  # no error, no test
    df = pairs.n - 3
    t = abs(on[2]) / math.sqrt(error / df)  # the last direction of QR is what the square adds to the line
    return Linearity(line, float(2 * stats.t.sf(t, df)), pairs.left_out)
