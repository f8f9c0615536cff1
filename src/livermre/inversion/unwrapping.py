"""Phase unwrapping inside the body, with one rule that brings all offsets to the same turn."""

import numpy as np
from scipy import ndimage

TURN = 2 * np.pi


def foreground(magnitude: np.ndarray) -> np.ndarray:
    """The body (R, C) bool: the largest bright piece, holes filled; all pixels where nothing stands out.

    magnitude  (R, C) float; what is no number counts as dark
    """
    magnitude = np.nan_to_num(magnitude, posinf=0.0, neginf=0.0)
    bright = magnitude > 0.1 * np.percentile(magnitude, 98)
    bright = ndimage.binary_opening(ndimage.binary_closing(bright, iterations=3), iterations=2)
    labels, count = ndimage.label(bright)
    if count == 0:
        return np.ones(magnitude.shape, dtype=bool)
    sizes = np.bincount(labels.ravel())[1:]
    return ndimage.binary_fill_holes(labels == 1 + int(np.argmax(sizes)))


def unwrap(phase_rad: np.ndarray, body: np.ndarray) -> np.ndarray:
    """Unwrapped phase (..., R, C) float32, rad, 0 outside the body; turns between offsets are removed.

    phase_rad  (..., O, R, C) float, rad, wrapped into -pi..pi
    body       (R, C) bool

    Each offset is unwrapped along its most reliable pixels (Herraez et al. 2002, doi 10.1364/AO.41.007437), then
    shifted by whole turns to lie closest to the one before: neighbours in time differ least.
    """
    from skimage.restoration import unwrap_phase  # half a second that measuring a scanner's map does not need

    out = np.zeros(phase_rad.shape, dtype=np.float32)
    if not body.any():
        return out
    rows, columns = box(body, 0)
    inside = body[rows, columns]
    for index in np.ndindex(phase_rad.shape[:-2]):
        image = np.ma.masked_array(np.asarray(phase_rad[index][rows, columns], dtype=np.float64), mask=~inside)
        out[index][rows, columns] = np.ma.filled(unwrap_phase(image, rng=0), 0)
    steps = np.median(np.diff(out, axis=-3)[..., body], axis=-1)
    turns = np.cumsum(np.round(steps / TURN), axis=-1)
    turns = np.concatenate([np.zeros_like(turns[..., :1]), turns], axis=-1)
    return np.where(body, out - np.float32(TURN) * turns[..., None, None].astype(np.float32), np.float32(0))


def box(mask: np.ndarray, margin: int) -> tuple[slice, slice]:
    """Rows and columns of the smallest box around a mask, wider by a margin in pixels."""
    spans = []
    for axis in (1, 0):
        hits = np.flatnonzero(mask.any(axis))
        spans.append(slice(max(int(hits[0]) - margin, 0), int(hits[-1]) + 1 + margin))
    return spans[0], spans[1]
