"""What shakes the body: a pneumatic drum of about 19 cm on the right lower chest wall, at the height of the xiphoid.

It moves the ribs as a whole; the shear waves seen in the liver start from its capsule, not from the skin (u): a
source on the skin alone traps the wave in the muscles.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

CAPSULE_MM = 3.0
"""Depth to which the capsule is pushed (1/e), about one element: regions start 10 mm inside, and no force is there."""


@dataclass(frozen=True)
class Drive:
    """The drum and how the capsule answers.

    angle_rad     of the drum's centre about the trunk's: 0 = patient's right, pi/2 = front
    width_rad     standard deviation of the push along the wall
    spill         push of the capsule far from the drum, relative to its centre
    wall          push of the chest wall itself, relative to the capsule's
    capsule       push of the capsule away from the wall, relative to that at the wall
    phase_rad     sd of the push's phase along the wall
    ripple        complex Fourier series along the wall, mean square 1: what makes that phase, one for all slices
    """

    angle_rad: float
    width_rad: float
    spill: float
    wall: float
    capsule: float
    phase_rad: float
    ripple: tuple[complex, ...]

    def push(self, angle: np.ndarray) -> np.ndarray:
        """Complex push at angles about the trunk's centre, rad."""
        away = np.angle(np.exp(1j * (angle - self.angle_rad)))
        wave = sum((c * np.exp(1j * (k + 1) * away)).real for k, c in enumerate(self.ripple))
        return (np.exp(-((away / self.width_rad) ** 2) / 2) + self.spill) * np.exp(1j * self.phase_rad * wave)


def draw_drive(rng: np.random.Generator) -> Drive:
    """A drum at its usual place."""
    terms = rng.normal(size=(6, 2)) @ np.array([1, 1j]) / np.arange(2, 8)
    terms *= np.sqrt(2 / np.sum(np.abs(terms) ** 2))
    return Drive(
        angle_rad=float(np.clip(rng.normal(0.5, 0.25), -0.2, 1.1)),
        width_rad=float(rng.uniform(0.5, 0.9)),
        spill=float(rng.uniform(0.1, 0.35)),
        wall=float(rng.uniform(2.0, 9.0)),
        capsule=float(rng.uniform(0.05, 0.2)),
        phase_rad=1.0,
        ripple=tuple(complex(t) for t in terms),
    )


def angles(trunk: np.ndarray) -> np.ndarray:
    """Angle (R, C) about the middle of the trunk, rad: 0 = patient's right (left of the image), pi/2 = front."""
    rows, columns = np.nonzero(trunk)
    r, c = np.indices(trunk.shape)
    middle_r, middle_c = (rows.min() + rows.max()) / 2, (columns.min() + columns.max()) / 2
    return np.arctan2(middle_r - r, middle_c - c)


def capsule_force(
    liver: np.ndarray, wall: np.ndarray, trunk: np.ndarray, drive: Drive, spacing_mm: float
) -> np.ndarray:
    """Force density (R, C) complex on the elements of one slice.

    liver, wall, trunk: (R, C) bool. It lies in the liver's capsule, strong where that faces the wall, weaker along the
    rest, and in the wall. None inside the liver: there the wave equation holds without a source, as inversions assume.
    """
    around = np.linspace(-np.pi, np.pi, 721)
    push = np.interp(angles(trunk), around, drive.push(around))
    near_wall = ndimage.distance_transform_edt(~wall) * spacing_mm
    inside = ndimage.distance_transform_edt(ndimage.binary_fill_holes(liver)) * spacing_mm
    capsule = np.exp(-((inside / CAPSULE_MM) ** 2)) * liver / CAPSULE_MM
    facing = np.exp(-((near_wall / 10) ** 2))
    depth = ndimage.distance_transform_edt(trunk) * spacing_mm
    shell = np.exp(-((depth / 35) ** 2)) * wall  # the drum moves ribs and skin, not the spine
    return push * (8 * capsule * (facing + drive.capsule) + drive.wall * shell)


def drum_spot(trunk: np.ndarray, angle_rad: float) -> tuple[int, int]:
    """(row, column) of the trunk's surface under the drum's centre."""
    away = np.abs(np.angle(np.exp(1j * (angles(trunk) - angle_rad))))
    rows, columns = np.nonzero(trunk & (away < 0.06))
    if rows.size == 0:
        rows, columns = np.nonzero(trunk)
    middle = np.array(ndimage.center_of_mass(trunk))
    outermost = int(np.argmax((rows - middle[0]) ** 2 + (columns - middle[1]) ** 2))
    return int(rows[outermost]), int(columns[outermost])
