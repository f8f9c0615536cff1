"""Learning curves: training loss and validation Dice of every run over its steps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from livermre.study.figures.axes import Axes
from livermre.study.figures.drawing import COLOURS, Drawing, side_by_side


@dataclass(frozen=True)
class Curve:
    """One run: its network, loss of every step, and (step, Dice) of its validations."""

    run: str
    network: str
    loss: tuple[float, ...]
    validations: tuple[tuple[int, float], ...]


def learning_curves(curves: Sequence[Curve], colours: Mapping[str, str]) -> Drawing:
    """Loss (running mean) and validation Dice, all runs of a network in its colour."""
    steps = max((len(c.loss) for c in curves), default=1)
    smooth = {c.run: _smooth(c.loss) for c in curves}
    top = max((float(np.nanmax(s)) for s in smooth.values() if s.size), default=1.0)
    loss = Axes("loss", "Training loss", (0, max(steps, 2)), (0, top * 1.05), "step", "loss (running mean)", 248)
    dice = Axes("dice", "Validation", (0, max(steps, 2)), (0, 1), "step", "mean Dice an exam", 248)
    for c in curves:
        s = smooth[c.run]
        loss.line(list(range(1, s.size + 1)), s.tolist(), colours[c.network], 0.8)
        xs, ys = [v[0] for v in c.validations], [v[1] for v in c.validations]
        dice.line(xs, ys, colours[c.network], 0.8)
        dice.dots(xs, ys, colours[c.network], 1.3)
        if ys:
            best = int(np.argmax(ys))
            dice.dots([xs[best]], [ys[best]], colours[c.network], 3.2, ring=True)
    dice.legend([(name, colour, False) for name, colour in colours.items()])
    return side_by_side("learning-curves", "Learning curves of all runs", [loss.finish(), dice.finish()])


def _smooth(values: Sequence[float]) -> np.ndarray:
    """Running mean over a twentieth of the run, shorter at its start."""
    v = np.asarray(values, dtype=float)
    width = max(1, v.size // 20)
    total = np.concatenate([[0.0], np.cumsum(v)])
    ends = np.arange(1, v.size + 1)
    starts = np.maximum(ends - width, 0)
    return (total[ends] - total[starts]) / (ends - starts)


def colours_of(networks: Sequence[str]) -> dict[str, str]:
    """A colour a network, the same in every figure."""
    return {name: COLOURS[i % len(COLOURS)] for i, name in enumerate(networks)}
