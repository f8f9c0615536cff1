"""Bulk motion: the body shaken as a whole. It is most of the acquired phase and says nothing about stiffness.

Read off one real exam (reference physics.md, section 1): smooth over many centimetres, strongest under the drum, where
the ribs drive it, falling off within 4 to 7 cm, its phase nearly constant within the liver.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

_NEAR_MM = 15.0


@dataclass(frozen=True)
class Bulk:
    """A rib-driven part that decays from the drum, and a smooth rest: rigid motion, tilt and low-order curvature.

    reach_mm     1/e depth of the rib-driven part
    near         of the steep part right under the drum, which every high-pass leaves in
    drum_mm      radius of the drum's contact
    delay_rad    phase that the rib-driven part gathers per 100 mm
    lag_rad      phase against the shear wave where both are strong: the same ribs drive both
    rest         complex coefficients of 1, x, y, x2, xy, y2 (x, y in units of 150 mm), relative to the ribs' push
    """

    reach_mm: float
    near: float
    drum_mm: float
    delay_rad: float
    lag_rad: float
    rest: tuple[complex, ...]

    def field(self, trunk: np.ndarray, spot: tuple[int, int], spacing_mm: float) -> np.ndarray:
        """Complex displacement (R, C), about 1 to 2 under the drum, zero outside the trunk (R, C) bool."""
        r, c = np.indices(trunk.shape)
        away = np.hypot(r - spot[0], c - spot[1]) * spacing_mm
        depth = np.maximum(np.sqrt(away**2 + (0.5 * self.drum_mm) ** 2) - 0.5 * self.drum_mm, 0)
        ribs = np.exp(-depth / self.reach_mm) + self.near * np.exp(-depth / _NEAR_MM)
        ribs = ribs * np.exp(-1j * self.delay_rad * depth / 100)
        middle = ndimage.center_of_mass(trunk)
        y, x = (r - middle[0]) * spacing_mm / 150, (c - middle[1]) * spacing_mm / 150
        rest = sum(a * p for a, p in zip(self.rest, (1, x, y, x * x, x * y, y * y), strict=True))
        return np.where(trunk, ribs + rest, 0)


def draw_bulk(rng: np.random.Generator) -> Bulk:
    """The bulk motion of one scan."""
    sizes = np.array([0.12, 0.08, 0.08, 0.04, 0.04, 0.04])
    rest = sizes * (rng.normal(size=(6, 2)) @ np.array([1, 1j])) / np.sqrt(2)
    return Bulk(
        reach_mm=float(rng.uniform(34, 56)),
        near=float(rng.uniform(0, 1.0)),
        drum_mm=float(rng.uniform(20, 60)),
        delay_rad=float(rng.normal(0.5, 0.6)),
        lag_rad=float(rng.normal(0, 0.5)),
        rest=tuple(complex(a) for a in rest),
    )
