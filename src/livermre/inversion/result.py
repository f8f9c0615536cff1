"""What an inversion gives."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from livermre.exam.flags import Flag
from livermre.exam.types import Exam, read_only

Components = Literal["one", "curl", "sum"]


@dataclass(frozen=True)
class SliceQuality:
    """How good the waves of one slice are; None where it cannot be told.

    harmonic_share       energy of the first harmonic over all energy that changes with time, 0..1 (needs 4 offsets)
    shear_amplitude_rad  mean amplitude of the filtered wave where the fit is confident (else in the body)
    bulk_ratio           mean amplitude of what was filtered away over that of the wave, same place
    noise_rad            median standard deviation of the phase of one offset, same place (needs 4 offsets)
    confident_share      share of the body with confidence of at least 0.95
    """

    z_mm: float
    harmonic_share: float | None
    shear_amplitude_rad: float
    bulk_ratio: float | None
    noise_rad: float | None
    confident_share: float
    flags: tuple[Flag, ...] = ()


@dataclass(frozen=True)
class Inversion:
    """Result of one exam.

    exam         the same exam with our stiffness, confidence and wave
    quantity     "|G*|" or "rho c^2", and over which frequencies if several: what the stiffness is
    modulus_kpa  (S, R, C) complex64, kPa, G' + i G'', NaN without a value; None for methods that give wave speed
    wave         (S, F, D, R, C) complex64, rad, filtered first harmonic (of the curl where it was taken, as rad at a
                 wavelength in the middle of the band), 0 outside the body
    slices       quality of each slice that was inverted, foot to head
    band_share   (S, R, C) float32, 0..1: what the first harmonic holds of the energy in the band that changes with
                 time, NaN where it is not known; None where no slice tells (three offsets, filtered waves)
    short_share  (S, 2, R, C) float32, 0..1: what the band holds of itself and of shorter waves, these along columns and
                 along rows; NaN and None like band_share
    components   how motion components were joined: "one" alone, their "curl", or the "sum" of their fits
    """

    exam: Exam
    quantity: str
    modulus_kpa: np.ndarray | None
    wave: np.ndarray
    slices: tuple[SliceQuality, ...]
    band_share: np.ndarray | None = None
    short_share: np.ndarray | None = None
    components: Components = "one"

    def __post_init__(self) -> None:
        """Arrays are read-only."""
        object.__setattr__(self, "wave", read_only(self.wave, "complex64"))
        if self.modulus_kpa is not None:
            object.__setattr__(self, "modulus_kpa", read_only(self.modulus_kpa, "complex64"))
        for name in ("band_share", "short_share"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, read_only(getattr(self, name), "float32"))

    @property
    def stiffness_kpa(self) -> np.ndarray:
        """(S, R, C) float32, kPa, NaN outside the body, in slices without phase and where nothing can be trusted."""
        kpa = self.exam.stiffness_kpa
        assert kpa is not None  # noqa: S101 (every inversion gives at least one map)
        return kpa
