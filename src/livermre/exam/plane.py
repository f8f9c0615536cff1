"""Where one image lies in the patient."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from livermre.exam.errors import InputError

Vector = tuple[float, float, float]

_UNIT_TOLERANCE = 1e-3
"""Scanners write direction cosines with six decimals; 1e-3 accepts every rounding seen and no shear worth naming."""


@dataclass(frozen=True)
class Plane:
    """One image plane in the patient, world LPS in mm.

    shape            (rows, columns)
    spacing_mm       (to the next row, to the next column), mm
    origin_mm        world position of the centre of pixel (0, 0)
    to_next_row      unit vector from row r to r+1 (DICOM's second triple of Image Orientation)
    to_next_column   unit vector from column c to c+1 (DICOM's first triple)
    """

    shape: tuple[int, int]
    spacing_mm: tuple[float, float]
    origin_mm: Vector
    to_next_row: Vector
    to_next_column: Vector
    thickness_mm: float
    frame_of_reference: str = ""

    def __post_init__(self) -> None:
        """Raise InputError where shape, spacing or directions cannot be a plane."""
        if len(self.shape) != 2 or min(self.shape) < 1:
            raise InputError(f"an image plane needs (rows, columns) above zero, found {self.shape}")
        numbers = (*self.spacing_mm, *self.origin_mm, *self.to_next_row, *self.to_next_column, self.thickness_mm)
        if not np.all(np.isfinite(numbers)):
            raise InputError(f"an image plane needs finite numbers, found {numbers}")
        if min(self.spacing_mm) <= 0 or self.thickness_mm < 0:
            raise InputError(f"pixel spacing must be above zero, found {self.spacing_mm} mm")
        self._check_directions()

    def _check_directions(self) -> None:
        row, column = np.asarray(self.to_next_row), np.asarray(self.to_next_column)
        lengths = (float(np.linalg.norm(row)), float(np.linalg.norm(column)))
        if max(abs(length - 1) for length in lengths) > _UNIT_TOLERANCE:
            raise InputError(f"direction vectors must have length 1, found {lengths[0]:.4f} and {lengths[1]:.4f}")
        if abs(float(row @ column)) > _UNIT_TOLERANCE:
            raise InputError("direction vectors of rows and columns must be at right angles")

    @cached_property
    def normal(self) -> np.ndarray:
        """Unit normal (3,), read-only, pointing to the head for axial planes whatever way the image is turned."""
        n = np.cross(self.to_next_column, self.to_next_row)
        strongest = int(np.argmax(np.abs(n)))
        # foot -> head, and for other orientations right -> left, front -> back: one sign for a plane and its mirror
        n = n if n[strongest] > 0 else -n
        n.flags.writeable = False
        return n

    @cached_property
    def position_mm(self) -> float:
        """Position along the normal, mm: slices of one stack are ordered and paired by it."""
        return float(self.normal @ np.asarray(self.origin_mm))

    @property
    def pixel_area_mm2(self) -> float:
        """Area of one pixel, mm2."""
        return float(self.spacing_mm[0] * self.spacing_mm[1])

    def world_mm(self, row: np.ndarray | float, column: np.ndarray | float) -> np.ndarray:
        """World LPS positions (..., 3) in mm of pixel centres (row, column)."""
        r = np.asarray(row, dtype=float)[..., None] * self.spacing_mm[0]
        c = np.asarray(column, dtype=float)[..., None] * self.spacing_mm[1]
        return np.asarray(self.origin_mm) + r * np.asarray(self.to_next_row) + c * np.asarray(self.to_next_column)

    def index(self, world_mm: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(row, column) as floats of world LPS positions (..., 3), projected onto the plane."""
        offset = np.asarray(world_mm, dtype=float) - np.asarray(self.origin_mm)
        return (
            offset @ np.asarray(self.to_next_row) / self.spacing_mm[0],
            offset @ np.asarray(self.to_next_column) / self.spacing_mm[1],
        )

    def same_grid(self, other: "Plane", tolerance_mm: float = 0.1) -> bool:
        """Whether both planes have their pixels in the same in-plane places (position along the normal aside)."""
        if self.shape != other.shape:
            return False
        corners_r, corners_c = np.array([0, 0, self.shape[0] - 1]), np.array([0, self.shape[1] - 1, 0])
        shift = self.world_mm(corners_r, corners_c) - other.world_mm(corners_r, corners_c)
        in_plane = shift - (shift @ self.normal)[..., None] * self.normal
        return bool(np.abs(in_plane).max() <= tolerance_mm)
