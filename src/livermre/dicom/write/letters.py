"""Text in the pixels of a stiffness map, as GE writes it."""

import numpy as np

from livermre.dicom.invalid import BURNED_IN

_LETTERS = {
    "S": ("01111", "10000", "10000", "01110", "00001", "00001", "11110"),
    "I": ("11111", "00100", "00100", "00100", "00100", "00100", "11111"),
    "M": ("10001", "11011", "10101", "10101", "10001", "10001", "10001"),
    "U": ("10001", "10001", "10001", "10001", "10001", "10001", "01110"),
    "L": ("10000", "10000", "10000", "10000", "10000", "10000", "11111"),
    "A": ("01110", "10001", "10001", "11111", "10001", "10001", "10001"),
    "T": ("11111", "00100", "00100", "00100", "00100", "00100", "00100"),
    "E": ("11111", "10000", "10000", "11110", "10000", "10000", "11111"),
    "D": ("11110", "10001", "10001", "10001", "10001", "10001", "11110"),
}
_FROM_BOTTOM = 12  # rows; the real exam has its text 4 to 12 rows above the lower edge, in the middle


def burn_in(stored: np.ndarray) -> np.ndarray:
    """(R, C) int16: the map with SIMULATED written across its lower edge, where there is room for it."""
    text = _drawn("SIMULATED")
    row, column = stored.shape[0] - _FROM_BOTTOM, (stored.shape[1] - text.shape[1]) // 2
    if row < 0 or column < 0:
        return stored
    written = stored.copy()
    written[row : row + text.shape[0], column : column + text.shape[1]][text] = BURNED_IN
    return written


def _drawn(word: str) -> np.ndarray:
    rows = ("0".join(_LETTERS[c][i] for c in word) for i in range(7))
    return np.array([[c == "1" for c in row] for row in rows])
