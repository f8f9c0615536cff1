"""Overlap of two masks."""

import numpy as np

from livermre.exam.errors import Contradiction


def dice(found: np.ndarray, true: np.ndarray) -> float | None:
    """Dice coefficient 2 |A and B| / (|A| + |B|); None where both masks are empty, since nothing was there to find.

    found, true  bool arrays of one shape

    Raises Contradiction for different shapes.
    """
    both, a, b = _counts(found, true)
    return None if a + b == 0 else 2 * both / (a + b)


def iou(found: np.ndarray, true: np.ndarray) -> float | None:
    """Intersection over union (Jaccard) |A and B| / |A or B|; None where both masks are empty."""
    both, a, b = _counts(found, true)
    return None if a + b == 0 else both / (a + b - both)


def _counts(found: np.ndarray, true: np.ndarray) -> tuple[int, int, int]:
    found, true = np.asarray(found, dtype=bool), np.asarray(true, dtype=bool)
    if found.shape != true.shape:
        raise Contradiction(f"masks to compare must have one shape, found {found.shape} and {true.shape}")
    return int((found & true).sum()), int(found.sum()), int(true.sum())
