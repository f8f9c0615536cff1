"""ROC, reliability, risk-coverage and spread: the other charts of the report."""

from collections.abc import Mapping, Sequence

import numpy as np

from livermre.evaluate.reliability import ReliabilityBin
from livermre.evaluate.risk_coverage import RiskCoverage
from livermre.evaluate.roc import RocCurve
from livermre.study.figures.axes import Axes
from livermre.study.figures.drawing import COLOURS, INK, Drawing


def roc(name: str, title: str, curves: Mapping[str, RocCurve]) -> Drawing:
    """ROC curves, one a stage, with the line of chance."""
    axes = Axes(name, title, (0, 1), (0, 1), "1 − specificity", "sensitivity", 248, 236)
    axes.line((0, 1), (0, 1), INK, 0.6, (3, 2))
    for i, curve in enumerate(curves.values()):
        colour = COLOURS[i % len(COLOURS)]
        axes.line(curve.false_positive_rate.tolist(), curve.sensitivity.tolist(), colour, 1.2)
    axes.legend([(label, COLOURS[i % len(COLOURS)], False) for i, label in enumerate(curves)])
    return axes.finish()


def reliability(name: str, title: str, bins: Mapping[str, Sequence[ReliabilityBin]]) -> Drawing:
    """Observed share against predicted chance with its interval, one series a stage."""
    axes = Axes(name, title, (0, 1), (0, 1), "predicted chance", "observed share", 248, 236)
    axes.line((0, 1), (0, 1), INK, 0.6, (3, 2))
    for i, found in enumerate(bins.values()):
        colour = COLOURS[i % len(COLOURS)]
        seen = [b for b in found if b.observed.share is not None]
        for b in seen:
            axes.whisker(
                b.predicted, b.observed.low or 0.0, 1.0 if b.observed.high is None else b.observed.high, colour
            )
        shares = [float(b.observed.share or 0.0) for b in seen]
        axes.line([b.predicted for b in seen], shares, colour, 0.8)
        axes.dots([b.predicted for b in seen], shares, colour, 2.2)
    axes.legend([(label, COLOURS[i % len(COLOURS)], False) for i, label in enumerate(bins)])
    return axes.finish()


def risk_coverage(name: str, title: str, curves: Mapping[str, RiskCoverage], colours: Mapping[str, str]) -> Drawing:
    """Mean absolute error in percent of the surest exams against the share that is kept."""
    top = max((float(c.risk.max()) for c in curves.values() if c.risk.size), default=1.0) * 1.1
    axes = Axes(name, title, (0, 1), (0, max(top, 1e-6)), "share of exams kept", "mean |error|, %", 248, 236)
    for label, curve in curves.items():
        axes.line(curve.coverage.tolist(), curve.risk.tolist(), colours[label], 1.2)
    axes.legend([(label, colours[label], False) for label in curves], y=0.86)
    return axes.finish()


def spread(name: str, title: str, values: Mapping[str, Sequence[float]], colours: Mapping[str, str]) -> Drawing:
    """Dice of every exam by network: all points, and median and quartiles as a box of lines."""
    axes = Axes(name, title, (0, max(len(values), 1)), (0, 1), "", "Dice an exam", 248, 236, x_names=tuple(values))
    for i, (label, found) in enumerate(values.items()):
        v = np.asarray(found, dtype=float)
        v = v[np.isfinite(v)]
        if not v.size:
            continue
        # a fixed pattern in place of chance: the same figure every time
        aside = 0.5 + 0.32 * (np.arange(v.size) * 0.618 % 1 - 0.5)
        axes.dots((i + aside).tolist(), np.sort(v).tolist(), colours[label], 1.4)
        low, middle, high = np.quantile(v, [0.25, 0.5, 0.75])
        for q, width in ((low, 0.8), (middle, 2.0), (high, 0.8)):
            axes.line((i + 0.2, i + 0.8), (q, q), INK, width)
    return axes.finish()
