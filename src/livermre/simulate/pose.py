"""How a patient lies in the scanner: from the body's own grid to the grid of the images."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage


@dataclass(frozen=True)
class Pose:
    """A turn and a shift of the body in the image plane, and the image grid.

    centre   (row, column) of the body's grid that lies in the middle of the image before the shift
    """

    matrix: int
    pixel_mm: float
    grid_mm: float
    centre: tuple[float, float]
    turn_rad: float
    shift_mm: tuple[float, float]

    def image(self, body: np.ndarray, order: int, corners: bool = False) -> np.ndarray:
        """An image (matrix, matrix) of a map on the body's grid (R, C), or on the corners of its elements.

        order: 0 nearest, 1 linear, 3 cubic. Zero outside the body's grid.
        """
        c, s = np.cos(self.turn_rad), np.sin(self.turn_rad)
        turn = np.array([[c, -s], [s, c]])
        scale = self.pixel_mm / self.grid_mm
        middle = np.full(2, (self.matrix - 1) / 2)
        start = np.asarray(self.centre) - turn @ (middle * scale + np.asarray(self.shift_mm) / self.grid_mm)
        start = start + (0.5 if corners else 0.0)
        return ndimage.affine_transform(
            body, turn * scale, start, output_shape=(self.matrix, self.matrix), order=order, mode="constant"
        )
