"""Pixels of a stiffness map that hold no stiffness: text, padding, zeros, hatching."""

import numpy as np

from livermre.dicom.header import Header, Tag
from livermre.dicom.patterns import vendor

BURNED_IN = 32766
"""GE writes text into the stiffness pixels with this value (real exam); one more is the largest that fits."""


def no_value(stored: np.ndarray, header: Header) -> np.ndarray:
    """(R, C) bool: stored pixels without stiffness: burned-in text, padding, zeros, hatching and what it covers."""
    invalid = stored == 0
    signed = stored.dtype.kind == "i" and stored.dtype.itemsize == 2
    if signed or vendor(header) == "GE":
        invalid |= (stored == BURNED_IN) | (stored == BURNED_IN + 1)
    padding = header.number(Tag.PADDING)
    if padding is not None:
        invalid |= stored == padding
    return invalid | hatched(stored, invalid)


def hatched(stored: np.ndarray, invalid: np.ndarray) -> np.ndarray:
    """(R, C) bool: area under hatching: thin lines of one value that stands apart, or of zeros, dense over an area.

    Between the lines the map still has numbers, but the vendor marked them as not to be read.
    """
    valid = np.count_nonzero(~invalid)
    if valid < 100:
        return np.zeros(stored.shape, dtype=bool)
    lines = _thin(invalid) | _thin(_set_apart(stored, invalid))
    if np.count_nonzero(lines) < 0.03 * valid:
        return np.zeros(stored.shape, dtype=bool)
    return _under(lines, invalid)


def _under(lines: np.ndarray, invalid: np.ndarray) -> np.ndarray:
    from scipy import ndimage  # half a second to import, and hardly any map is hatched

    tissue = ndimage.uniform_filter((lines | ~invalid).astype(np.float32), 9)
    dense = ndimage.uniform_filter(lines.astype(np.float32), 9) > 0.12 * np.maximum(tissue, 0.1)
    # what lies between lines closer than ten pixels
    between = ndimage.binary_closing(np.pad(lines | invalid, 8), iterations=5)[8:-8, 8:-8]
    return np.asarray(dense & between)


def _thin(mask: np.ndarray) -> np.ndarray:
    """Pixels of a mask that belong to lines of one or two pixels' width: all that a 3 x 3 opening removes."""
    core = np.pad(_within(mask), 1)
    return mask & ~_touched(core) if mask.any() else mask


def _within(mask: np.ndarray) -> np.ndarray:
    """(R-2, C-2): whether all nine pixels around a place are set."""
    rows = mask[:-2] & mask[1:-1] & mask[2:]
    return rows[:, :-2] & rows[:, 1:-1] & rows[:, 2:]


def _touched(core: np.ndarray) -> np.ndarray:
    """Whether any of the nine pixels around a place is set, same shape."""
    padded = np.pad(core, 1)
    rows = padded[:-2] | padded[1:-1] | padded[2:]
    return rows[:, :-2] | rows[:, 1:-1] | rows[:, 2:]


def _set_apart(stored: np.ndarray, invalid: np.ndarray) -> np.ndarray:
    """Pixels with the largest value, where that value is common and a fifth above the next one."""
    valid = stored[~invalid]
    top = valid.max()
    below = valid[valid < top]
    alone = below.size > 0 and float(below.max()) < 0.8 * float(top)
    common = np.count_nonzero(valid == top) >= 0.005 * valid.size
    return (stored == top) & ~invalid if alone and common else np.zeros(stored.shape, dtype=bool)
