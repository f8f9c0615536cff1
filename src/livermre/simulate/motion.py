"""How the body of one visit moves: shear waves solved slice by slice, bulk motion added, both scaled to phase."""

from dataclasses import dataclass, field

import numpy as np

from livermre.simulate.conditions import Conditions, ScanSettings
from livermre.simulate.patient import GRID_MM, HALF_STEP_MM
from livermre.simulate.tissue import LIVER_TISSUES
from livermre.simulate.tissue import Tissue as T
from livermre.simulate.waves import Medium, WaveSolver, at_centres, at_corners
from livermre.simulate.waves.drive import capsule_force, drum_spot

_WALL = (T.MUSCLE, T.BONE, T.SKIN_FAT)


@dataclass(frozen=True)
class Motion:
    """First harmonics on the body's grid, rad of phase.

    shear     (S, R+1, C+1) complex, at the corners of the elements
    bulk      (S, R, C) complex, at their centres
    kz_per_m  through-plane wavenumber
    """

    shear: np.ndarray = field(repr=False)
    bulk: np.ndarray = field(repr=False)
    kz_per_m: float


def move(
    labels: np.ndarray,
    modulus_kpa: np.ndarray,
    solid: np.ndarray,
    now: Conditions,
    settings: ScanSettings,
    grid_mm: float = GRID_MM,
) -> Motion:
    """The motion of slices 10 mm apart; labels (S, R, C) uint8, modulus_kpa complex, solid bool.

    Both amplitudes are means over the liver; over all that moves where no slice shows the liver.
    """
    liver = np.isin(labels, LIVER_TISSUES)
    kz = _through_plane(modulus_kpa[labels == T.LIVER], now.theta0_rad, settings.frequency_hz)
    shear = np.zeros((len(labels), labels.shape[1] + 1, labels.shape[2] + 1), complex)
    bulk = np.zeros(labels.shape, complex)
    if not settings.driver_on:
        return Motion(shear, bulk, kz)
    for i, image in enumerate(labels):
        trunk = ~np.isin(image, (T.AIR, T.ARM))
        wall = np.isin(image, _WALL)
        force = capsule_force(liver[i], wall, trunk, now.drive, grid_mm)
        solver = WaveSolver(Medium(modulus_kpa[i], solid[i].astype(float), grid_mm), settings.frequency_hz, kz)
        onward = np.exp(1j * kz * i * 2 * HALF_STEP_MM * 1e-3)
        shear[i] = onward * solver.solve(solver.body_force(at_corners(force)))
        bulk[i] = now.bulk.field(trunk, drum_spot(trunk, now.drive.angle_rad), grid_mm)
    where = liver & solid if (liver & solid).any() else solid
    centres = np.stack([at_centres(u) for u in shear])
    together = np.angle(np.vdot(bulk[where], centres[where]))
    shear *= now.shear_rad / _mean(centres, where)
    bulk *= now.bulk_ratio * now.shear_rad / _mean(bulk, where) * np.exp(1j * (together + now.bulk.lag_rad))
    return Motion(shear, bulk, kz)


def _through_plane(liver_kpa: np.ndarray, theta_rad: float, frequency_hz: float) -> float:
    """k_liver sin(theta), rad/m: the component of a liver's wave that leaves the image plane."""
    if liver_kpa.size == 0:
        return 0.0
    k = 2 * np.pi * frequency_hz / np.sqrt(liver_kpa.mean())
    return float(k.real * np.sin(theta_rad))


def _mean(u: np.ndarray, where: np.ndarray) -> float:
    """Mean amplitude in a region, never zero."""
    return max(float(np.abs(u[where]).mean()) if where.any() else 0.0, 1e-12)
