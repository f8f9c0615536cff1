"""The four-target box: a simulated phantom with known stiffness, the honest test of what an inversion can resolve.

80 x 100 mm, matrix 3 kPa, discs of 10 kPa with radii 10, 5, 3 and 2 mm, all of viscosity 1 Pa s (Voigt), shaken on one
long side and free elsewhere. It is the 2-D analogue of the finite-element boxes of the literature: no noise and no bulk
motion unless asked for, and still nobody's direct inversion gives 10 kPa in the small discs.
"""

from dataclasses import dataclass, field

import numpy as np
from scipy import ndimage

from livermre.exam.plane import Plane
from livermre.exam.types import Acquisition, Exam, Slice, read_only
from livermre.simulate.mri import offsets_of
from livermre.simulate.waves import Medium, WaveSolver, at_centres

SIZE_MM = (80.0, 100.0)  # rows, columns
MATRIX_KPA, DISC_KPA, VISCOSITY_PA_S = 3.0, 10.0, 1.0
DISCS = ((40.0, 18.0, 10.0), (40.0, 45.0, 5.0), (40.0, 66.0, 3.0), (40.0, 84.0, 2.0))
"""(row, column, radius) of each disc, mm from the corner."""
_FINE_MM = 0.5  # of the solve
_MARGIN_MM = 10.0  # of air around the box


@dataclass(frozen=True)
class Box:
    """The phantom's exam and truth on one grid.

    exam                magnitude and phase_rad (1, 1, O, R, C), one slice
    stiffness_true_kpa  (R, C) float32, |G*| at the exam's frequency, NaN in air
    regions             (R, C) uint8: 0 air, 1 matrix, 2 ... 5 the discs, largest first
    wave_rad            (R, C) complex64, the exact first harmonic, 0 in air
    """

    exam: Exam
    stiffness_true_kpa: np.ndarray = field(repr=False)
    regions: np.ndarray = field(repr=False)
    wave_rad: np.ndarray = field(repr=False)

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        for name, dtype in (("stiffness_true_kpa", "float32"), ("regions", "uint8"), ("wave_rad", "complex64")):
            object.__setattr__(self, name, read_only(getattr(self, name), dtype))


def simulate_box(
    frequency_hz: float = 60.0,
    pixel_mm: float = 1.0,
    offsets: int = 4,
    amplitude_rad: float = 1.0,
    snr: float | None = None,
    seed: int = 0,
) -> Box:
    """The box at one frequency.

    pixel_mm: a multiple of 0.5 that parts 80, 100 and 10 mm evenly. amplitude_rad: mean in the matrix. snr: of the
    magnitude to the noise of one channel; None = no noise. Raises ValueError for a pixel that does not fit.
    """
    step = round(pixel_mm / _FINE_MM)
    if step < 1 or abs(step * _FINE_MM - pixel_mm) > 1e-9 or any(n % pixel_mm for n in (*SIZE_MM, _MARGIN_MM)):
        raise ValueError(f"pixel_mm must be a multiple of {_FINE_MM} that parts 80, 100 and 10 mm, not {pixel_mm}")
    fine = _regions(_FINE_MM)
    loss = 2 * np.pi * frequency_hz * VISCOSITY_PA_S * 1e-3
    modulus = np.where(fine > 1, DISC_KPA, MATRIX_KPA) + 1j * loss
    wave = at_centres(_solve(modulus, frequency_hz))
    margin = round(_MARGIN_MM / pixel_mm)
    wave = np.pad(_binned(wave, step), margin)
    regions = np.pad(_nearest(fine, step), margin)
    wave *= amplitude_rad / np.abs(wave[regions == 1]).mean()
    true = np.abs(np.where(regions > 1, DISC_KPA, MATRIX_KPA) + 1j * loss)
    exam = _exam(wave, regions, frequency_hz, pixel_mm, offsets, snr, seed)
    return Box(exam, np.where(regions > 0, true, np.nan), regions, wave)


def _regions(pixel_mm: float) -> np.ndarray:
    """1 for the matrix, 2 ... for the discs, without margin."""
    rows, columns = (np.arange(round(n / pixel_mm)) * pixel_mm + pixel_mm / 2 for n in SIZE_MM)
    out = np.ones((len(rows), len(columns)), np.uint8)
    for number, (r, c, radius) in enumerate(DISCS, 2):
        out[np.hypot(rows[:, None] - r, columns[None, :] - c) <= radius] = number
    return out


def _solve(modulus_kpa: np.ndarray, frequency_hz: float) -> np.ndarray:
    """Corner displacements of the box whose first row is shaken with one phase all along."""
    solver = WaveSolver(Medium(modulus_kpa, np.ones(modulus_kpa.shape), _FINE_MM), frequency_hz)
    load = np.zeros(solver.shape, complex)
    load[0] = 1.0
    return solver.solve(load)


def _binned(image: np.ndarray, step: int) -> np.ndarray:
    """Mean of each step x step block: what a voxel of the scanner holds."""
    rows, columns = image.shape
    return image.reshape(rows // step, step, columns // step, step).mean(axis=(1, 3))


def _nearest(regions: np.ndarray, step: int) -> np.ndarray:
    """Region of the middle of each block."""
    return regions[step // 2 :: step, step // 2 :: step]


def _exam(
    wave: np.ndarray,
    regions: np.ndarray,
    frequency_hz: float,
    pixel_mm: float,
    offsets: int,
    snr: float | None,
    seed: int,
) -> Exam:
    rng = np.random.default_rng(seed)
    magnitude = np.where(regions > 0, 1000.0, 0.0)
    motion = offsets_of(wave, offsets)
    if snr is not None:
        magnitude = magnitude * (1 + 0.02 * ndimage.gaussian_filter(rng.standard_normal(regions.shape), 2))
        motion = motion + rng.normal(0, np.sqrt(2) / snr, motion.shape)
    phase = np.angle(np.exp(1j * motion))
    if snr is not None:
        phase[:, regions == 0] = rng.uniform(-np.pi, np.pi, (offsets, int(np.count_nonzero(regions == 0))))
    shape = (regions.shape[0], regions.shape[1])
    plane = Plane(shape, (pixel_mm, pixel_mm), (0.0, 0.0, 0.0), (0, 1, 0), (1, 0, 0), 5.0, "simulated box")
    one = Slice(plane, magnitude, phase_rad=phase[None, None], sources=("simulated",))
    how = Acquisition("simulated", None, frequency_hz, "simulated box", dimension="2D")
    return Exam((one,), how, "simulated-box")
