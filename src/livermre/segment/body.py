"""Where the body is on the network's grid: the network need not look at the air around it."""

import numpy as np

from livermre.segment.grid import STRIDE

_FAINT = 0.2
"""Of the foreground's level: skin and fat-suppressed fat far from the coil still are brighter."""
_LINE_SHARE = 0.04
"""A row or column belongs to the body where at least this share of it is not faint: a speck does not count."""
_SKIN = 1
"""Cells of the outermost skin that may fall off on each side where that saves a third of the work: the liver lies
deeper than 4 mm."""


def body_window(squashed: np.ndarray) -> tuple[slice, slice]:
    """Rows and columns of the smallest window whose sides are multiples of 32 and that holds the body in every slice
    but for its skin.

    squashed  (S, N, M) float32, 0..1, as `squash` gives it: 0.5 is the foreground's level
    """
    seen = squashed > _FAINT / (1 + _FAINT)
    rows, columns = seen.mean(axis=2).max(axis=0), seen.mean(axis=1).max(axis=0)
    return _window(rows >= _LINE_SHARE), _window(columns >= _LINE_SHARE)


def _window(held: np.ndarray) -> slice:
    """The window of one axis; all of it where nothing is seen."""
    places = np.flatnonzero(held)
    if places.size == 0:
        return slice(0, held.size)
    first, last = places[0], places[-1] + 1
    size = min(max(-(-(last - first - 2 * _SKIN) // STRIDE), 1) * STRIDE, held.size)
    start = min(max((first + last - size) // 2, 0), held.size - size)
    return slice(int(start), int(start + size))
