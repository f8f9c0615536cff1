"""Automatic against reference stiffness: Bland-Altman in percent, and one against the other."""

from collections.abc import Sequence

import numpy as np

from livermre.study.figures.axes import Axes
from livermre.study.figures.drawing import INK, Drawing, side_by_side


def bland_altman(
    name: str, title: str, measured: Sequence[float], reference: Sequence[float], colour: str, against: str
) -> Drawing:
    """Measured against reference with the line of identity; their difference in percent against their mean.

    measured, reference  kPa, one an exam; the lines of the second panel are bias and bias -+ 1.96 SD
    """
    x, y = np.asarray(measured, dtype=float), np.asarray(reference, dtype=float)
    both = np.isfinite(x) & np.isfinite(y)
    x, y = x[both], y[both]
    top = float(max(x.max(), y.max(), 1.0) * 1.06) if x.size else 8.0
    scatter = Axes(f"{name}-a", title, (0, top), (0, top), f"{against}, kPa", "automatic, kPa", 248)
    scatter.line((0, top), (0, top), INK, 0.6, (3, 2))
    scatter.dots(y.tolist(), x.tolist(), colour)
    percent = 200 * (x - y) / (x + y) if x.size else x
    reach = max(float(np.abs(percent).max(initial=0.0)) * 1.15, 5.0)
    difference = Axes(f"{name}-b", "", (0, top), (-reach, reach), "mean of both, kPa", f"automatic − {against}, %", 248)
    difference.across(0.0, INK, (3, 2), 0.6)
    if x.size > 2:
        bias, sd = float(percent.mean()), float(percent.std(ddof=1))
        low, high = bias - 1.96 * sd, bias + 1.96 * sd
        for value, dash in ((bias, ()), (low, (4, 2)), (high, (4, 2))):
            difference.across(value, colour, dash)
        words = f"bias {bias:+.1f} %, limits {low:+.1f} to {high:+.1f} %".replace("-", "−")
        difference.note(top * 0.99, reach * 0.92, words, "end")
    difference.dots(((x + y) / 2).tolist(), percent.tolist(), colour)
    return side_by_side(name, title, [scatter.finish(), difference.finish()])
