"""The label volume that the anatomy generator hands out."""

from dataclasses import dataclass

import numpy as np

from livermre.simulate.tissue import Tissue


@dataclass(frozen=True, eq=False)
class Anatomy:
    """A body as one label per voxel.

    labels: uint8 [z, row, column], `Tissue` numbers; z from foot to head, rows from anterior to posterior,
        columns from the patient's right to left (radiological view: the liver on the picture's left). Read-only.
    spacing_mm: voxel size (z, row, column).
    Raises ValueError when the array is no such volume or the spacing is not positive.
    """

    labels: np.ndarray
    spacing_mm: tuple[float, float, float]

    def __post_init__(self) -> None:
        if self.labels.dtype != np.uint8 or self.labels.ndim != 3 or self.labels.size == 0:
            raise ValueError(f"labels must be a filled uint8 volume, not {self.labels.dtype} {self.labels.shape}")
        if int(self.labels.max()) > max(Tissue):
            raise ValueError(f"label {int(self.labels.max())} names no tissue")
        object.__setattr__(self, "spacing_mm", checked_spacing(self.spacing_mm))
        frozen = self.labels.copy()  # a view handed in could still be written through its base
        frozen.setflags(write=False)
        object.__setattr__(self, "labels", frozen)


def checked_spacing(spacing_mm: tuple[float, float, float]) -> tuple[float, float, float]:
    """Three positive finite floats; ValueError otherwise."""
    values = tuple(float(value) for value in spacing_mm)
    if len(values) != 3 or not all(np.isfinite(value) and value > 0 for value in values):
        raise ValueError(f"spacing must be three positive sizes in mm, not {spacing_mm}")
    return values
