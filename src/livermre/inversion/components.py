"""Curl of three-component motion: shear without compression."""

import numpy as np


def curl(wave: np.ndarray, spacing_mm: tuple[float, float], step_mm: float) -> np.ndarray:
    """Curl (3, S, R, C) complex64, rad/mm, of motion with three components by central differences.

    wave        (3, S, R, C) complex, rad: components along columns (x), rows (y) and slices (z), at least 3 slices
    spacing_mm  (to the next row, to the next column), mm
    step_mm     distance of neighbouring slices, mm
    """

    def slope(component: int, axis: int) -> np.ndarray:
        return np.gradient(wave[component], (step_mm, *spacing_mm)[axis], axis=axis)

    x, y, z = 0, 1, 2
    along = {x: 2, y: 1, z: 0}  # axis of [slice, row, column] in which each direction runs
    parts = (
        slope(z, along[y]) - slope(y, along[z]),
        slope(x, along[z]) - slope(z, along[x]),
        slope(y, along[x]) - slope(x, along[y]),
    )
    return np.stack(parts).astype(np.complex64)
