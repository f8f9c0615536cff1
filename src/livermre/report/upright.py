"""How a slice is turned for reading: patient's right on the left, front on top; other planes by the same rule."""

from dataclasses import dataclass

import numpy as np

from livermre.exam.plane import Plane

_ENDS = (("R", "L"), ("A", "P"), ("F", "H"))  # world LPS: below zero, above zero


@dataclass(frozen=True)
class Upright:
    """Axis swaps and flips that bring a plane's image to the reading position; no pixel is interpolated.

    spacing_mm  (down, across) after turning
    letters     (left, right, top, bottom) of the picture
    """

    transpose: bool
    flip_rows: bool
    flip_columns: bool
    spacing_mm: tuple[float, float]
    letters: tuple[str, str, str, str]

    def apply(self, image: np.ndarray) -> np.ndarray:
        """The image (..., R, C) in the reading position."""
        turned = np.swapaxes(image, -1, -2) if self.transpose else image
        if self.flip_rows:
            turned = turned[..., ::-1, :]
        return turned[..., ::-1] if self.flip_columns else turned


def upright(plane: Plane) -> Upright:
    """How to turn images of this plane: across right to left or front to back, down front to back or head to foot."""
    row, column = np.asarray(plane.to_next_row), np.asarray(plane.to_next_column)
    main_row, main_column = int(np.argmax(np.abs(row))), int(np.argmax(np.abs(column)))
    # the lower world axis runs across: x in axial and coronal pictures, y in sagittal ones
    transpose = main_row < main_column
    down, across = (column, row) if transpose else (row, column)
    spacing = plane.spacing_mm[::-1] if transpose else plane.spacing_mm
    axis_down, axis_across = int(np.argmax(np.abs(down))), int(np.argmax(np.abs(across)))
    flip_rows = (down[axis_down] > 0) == (axis_down == 2)  # the head is on top
    flip_columns = bool(across[axis_across] < 0)
    left, right = _ENDS[axis_across]
    top, bottom = _ENDS[axis_down] if axis_down != 2 else ("H", "F")
    return Upright(transpose, bool(flip_rows), flip_columns, (spacing[0], spacing[1]), (left, right, top, bottom))
