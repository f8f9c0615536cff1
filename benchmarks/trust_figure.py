"""One figure: coverage by stratum before and now, and the error of the surest exams."""

from collections.abc import Sequence

import numpy as np
from trust_calibrate import intervals
from trust_gate import risk
from trust_rows import Columns, band_of

from livermre.evaluate.proportion import share_of
from livermre.stiffness.calibrated import Calibration
from livermre.study.figures.axes import Axes
from livermre.study.figures.drawing import COLOURS, SOFT, side_by_side
from livermre.study.figures.svg import to_svg


def figure(rows: Sequence[dict], second: Columns, how: Calibration) -> str:
    """The figure as SVG."""
    return to_svg(side_by_side("trust", "Coverage and risk", [_coverage(second, how), _risk(rows, how)]))


def _coverage(second: Columns, how: Calibration):
    low, high = intervals(how, second)
    inside = [(a <= second.true) & (second.true <= b) for a, b in ((second.low, second.high), (low, high))]
    vendor, stage, band = second.of("vendor"), second.of("stage"), band_of(second.mean)
    groups = [("all", np.ones(second.mean.size, bool))]
    groups += [(s, stage == s) for s in sorted(set(stage))]
    groups += [(v[:4], vendor == v) for v in sorted(set(vendor))]
    groups += [(b, band == b) for b in ("< 2.5", "2.5-3.5", "3.5-5", ">= 5")]
    names = tuple(n for n, _ in groups)
    axes = Axes("coverage", "Truths inside, second generator", (0, len(groups)), (0.7, 1.0),
                "all, stage, vendor, measured kPa", "share inside", 420, 236, x_names=names)  # fmt: skip
    axes.band([0, len(groups)], [0.93, 0.93], [0.97, 0.97], COLOURS[1])
    axes.across(0.95, SOFT, (3, 2))
    for which, (hits, colour, ring) in enumerate(zip(inside, (COLOURS[0], COLOURS[1]), (True, False), strict=True)):
        for place, (_, keep) in enumerate(groups):
            p = share_of(hits[keep], method="exact")
            if p.share is not None:
                x = place + 0.38 + 0.24 * which
                axes.whisker(x, p.low or 0, p.high or 1, colour)
                axes.dots([x], [p.share], colour, 2.2, ring=ring)
    axes.legend([("before", COLOURS[0], True), ("calibrated", COLOURS[1], False)])
    return axes.finish()


def _risk(rows: Sequence[dict], how: Calibration):
    curve, _ = risk(rows, how)
    axes = Axes("risk", "Error of the surest exams", (0, 1), (0, float(curve.risk.max()) * 1.15),
                "share of reported exams kept", "mean |error|, %", 248, 236)  # fmt: skip
    axes.line(curve.coverage.tolist(), curve.risk.tolist(), COLOURS[1], 1.2)
    return axes.finish()
