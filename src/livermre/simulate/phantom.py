"""Small simulated exams for the demo and for tests: an anatomy painted as magnitude, stiffness and confidence.

There is no wave physics here: the maps are what an inversion could have given, blurred and noisy as it would be.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from scipy import ndimage

from livermre.exam.plane import Plane
from livermre.exam.types import Acquisition, Exam, Slice, read_only
from livermre.simulate.anatomy import Anatomy, BodyPlan, make_anatomy, random_plan
from livermre.simulate.tissue import LIVER_TISSUES
from livermre.simulate.tissue import Tissue as T

STAGE_KPA: Mapping[str, float] = {"F0": 2.2, "F1": 2.7, "F2": 3.3, "F3": 4.3, "F4": 6.3}
"""Mean liver stiffness of a fibrosis stage at 60 Hz: F0 Venkatesh 2014's normal, the rest the project's choice."""

# Spoiled gradient echo of 50 ms / 20 ms / 30 degrees, by eye from one real exam; 1 = subcutaneous fat.
_BRIGHTNESS = {
    T.AIR: 0.0, T.INNER_FAT: 0.85, T.SKIN_FAT: 1.0, T.MUSCLE: 0.42, T.BONE: 0.3, T.SPINAL_CANAL: 0.4, T.LUNG: 0.04,
    T.HEART: 0.6, T.ARTERY: 0.9, T.VEIN: 0.8, T.PORTAL_VEIN: 0.75, T.LIVER: 0.5, T.SPLEEN: 0.42, T.KIDNEY_RIGHT: 0.5,
    T.KIDNEY_LEFT: 0.5, T.STOMACH: 0.35, T.COLON: 0.25, T.SMALL_BOWEL: 0.4, T.PANCREAS: 0.5, T.GALLBLADDER: 0.35,
    T.LIVER_VESSEL: 0.75, T.OESOPHAGUS: 0.4, T.ARM: 0.6, T.GLAND: 0.45, T.ASCITES: 0.3, T.LIVER_LESION: 0.4,
}  # fmt: skip
# kPa at 60 Hz; the liver's own is a setting. Fluid carries no shear: what an inversion shows there is a small number.
_KPA = {
    T.AIR: 1.5, T.INNER_FAT: 1.6, T.SKIN_FAT: 2.0, T.MUSCLE: 5.0, T.BONE: 9.0, T.SPINAL_CANAL: 1.0, T.LUNG: 0.8,
    T.HEART: 4.0, T.ARTERY: 0.8, T.VEIN: 0.8, T.PORTAL_VEIN: 0.8, T.SPLEEN: 3.8, T.KIDNEY_RIGHT: 4.2,
    T.KIDNEY_LEFT: 4.2, T.STOMACH: 1.2, T.COLON: 1.0, T.SMALL_BOWEL: 1.2, T.PANCREAS: 1.4, T.GALLBLADDER: 0.7,
    T.LIVER_VESSEL: 1.0, T.OESOPHAGUS: 1.5, T.ARM: 4.0, T.GLAND: 3.0, T.ASCITES: 0.6, T.LIVER_LESION: 5.5,
}  # fmt: skip
_NO_WAVES = (T.AIR, T.LUNG, T.ARTERY, T.VEIN, T.PORTAL_VEIN, T.LIVER_VESSEL, T.GALLBLADDER, T.ASCITES, T.STOMACH)


@dataclass(frozen=True)
class PhantomSettings:
    """What one simulated exam is like."""

    liver_kpa: float = STAGE_KPA["F0"]
    liver_signal: float = 1.0
    """Factor on the liver's brightness: 0.13 is the published limit where iron ends the measurement."""
    waves: bool = True
    """Whether the driver was on."""
    snr: float = 25.0
    """Brightness of fat over the noise of one channel."""
    slices: int = 4
    matrix: int = 256
    pixel_mm: float = 1.6
    step_mm: float = 10.0
    texture: float = 0.07
    """Relative spread of stiffness within the liver, smooth over about 15 mm."""


@dataclass(frozen=True)
class Phantom:
    """A simulated exam and its truth: labels (S, R, C) uint8, `Tissue` numbers, on the exam's grid."""

    exam: Exam
    labels: np.ndarray = field(repr=False)

    def __post_init__(self) -> None:
        """Make the labels read-only."""
        object.__setattr__(self, "labels", read_only(self.labels, "uint8"))

    @property
    def liver(self) -> np.ndarray:
        """What a reader would outline (S, R, C) bool."""
        return np.isin(self.labels, LIVER_TISSUES)


def make_phantom(name: str, seed: int, settings: PhantomSettings = PhantomSettings()) -> Phantom:
    """A whole simulated exam; the same seed and settings give the same bytes."""
    rng = np.random.default_rng(seed)
    return paint_phantom(name, _body(random_plan(rng), rng, settings), rng, settings)


def _body(plan: BodyPlan, rng: np.random.Generator, settings: PhantomSettings) -> Anatomy:
    return make_anatomy(plan, rng, spacing_mm=(settings.step_mm / 2, settings.pixel_mm, settings.pixel_mm))


def paint_phantom(name: str, anatomy: Anatomy, rng: np.random.Generator, settings: PhantomSettings) -> Phantom:
    """The exam of a body whose slices lie half a step apart: magnitude, stiffness and confidence of its widest part."""
    labels = _square(_widest(anatomy.labels, settings.slices), settings.matrix)
    confidence = _confidence(labels, rng, settings)
    maps = zip(
        _magnitude(labels, rng, settings), _stiffness(labels, confidence, rng, settings), confidence, strict=True
    )
    slices = tuple(Slice(_plane(i, settings), m, k, c, sources=("simulated",)) for i, (m, k, c) in enumerate(maps))
    how = Acquisition("simulated", field_t=1.5, frequency_hz=60.0, sequence="simulated 2D GRE", dimension="2D")
    return Phantom(Exam(slices, how, pseudonym=f"simulated-{name}"), labels)


def demo_phantoms() -> dict[str, Phantom]:
    """The three exams of `livermre demo`: a soft liver, a stiff one, and one that iron makes unmeasurable."""
    return {
        "simulated-soft": make_phantom("soft", 1),
        "simulated-stiff": make_phantom("stiff", 2, PhantomSettings(liver_kpa=STAGE_KPA["F4"])),
        "simulated-iron": make_phantom("iron", 3, PhantomSettings(liver_signal=0.05)),
    }


def _widest(labels: np.ndarray, slices: int) -> np.ndarray:
    """Every second slice, so many of them, where they hold most liver."""
    area = np.isin(labels, LIVER_TISSUES).sum(axis=(1, 2))
    reach = 2 * (slices - 1) + 1
    total = [area[start : start + reach : 2].sum() for start in range(len(area) - reach + 1)]
    start = int(np.argmax(total))
    return labels[start : start + reach : 2]


def _square(labels: np.ndarray, matrix: int) -> np.ndarray:
    """Labels cut or filled up with air to a square matrix about their middle."""
    out = np.zeros((labels.shape[0], matrix, matrix), np.uint8)
    cut, place = [], []
    for size in labels.shape[1:]:
        length = min(size, matrix)
        cut.append(slice((size - length) // 2, (size - length) // 2 + length))
        place.append(slice((matrix - length) // 2, (matrix - length) // 2 + length))
    out[:, place[0], place[1]] = labels[:, cut[0], cut[1]]
    return out


def _plane(index: int, settings: PhantomSettings) -> Plane:
    corner = -settings.pixel_mm * (settings.matrix - 1) / 2
    return Plane(
        (settings.matrix, settings.matrix), (settings.pixel_mm, settings.pixel_mm),
        (corner, corner, index * settings.step_mm), (0.0, 1.0, 0.0), (1.0, 0.0, 0.0), settings.step_mm, "simulated",
    )  # fmt: skip


def _look_up(labels: np.ndarray, values: Mapping[T, float]) -> np.ndarray:
    table = np.zeros(max(T) + 1, np.float32)
    table[[int(t) for t in values]] = list(values.values())
    return table[labels]


def _smooth(rng: np.random.Generator, shape: tuple[int, ...], sigma: float) -> np.ndarray:
    """Smooth noise of mean 0 and sd 1 in each slice."""
    noise = ndimage.gaussian_filter(rng.standard_normal(shape), (0, sigma, sigma), mode="wrap")
    return noise / noise.std()


def _magnitude(labels: np.ndarray, rng: np.random.Generator, settings: PhantomSettings) -> np.ndarray:
    """Brightness with coil shading, texture, the blur of few phase-encoding lines, and Rician noise."""
    liver = _BRIGHTNESS | {t: _BRIGHTNESS[t] * settings.liver_signal for t in LIVER_TISSUES}
    image = _look_up(labels, liver) * (1 + 0.06 * _smooth(rng, labels.shape, 2.0))
    image *= np.exp(0.2 * _smooth(rng, labels.shape, settings.matrix / 4))
    image = ndimage.gaussian_filter(image, (0, 1.0, 0.5))
    real, imaginary = rng.standard_normal((2, *labels.shape)) / settings.snr
    return 1000 * np.hypot(image + real, imaginary)


def _stiffness(labels: np.ndarray, confidence: np.ndarray, rng: np.random.Generator, s: PhantomSettings) -> np.ndarray:
    """KPa with the blur of an inversion's window; the less confidence, the more it is noise."""
    clean = _look_up(labels, _KPA | {T.LIVER: s.liver_kpa}) * (
        1 + s.texture * _smooth(rng, labels.shape, 15 / s.pixel_mm / 2)
    )
    blurred = ndimage.gaussian_filter(clean, (0, 4 / s.pixel_mm, 4 / s.pixel_mm))
    junk = np.exp(0.9 * _smooth(rng, labels.shape, 4 / s.pixel_mm) + 0.6)
    trust = np.clip(confidence / 0.95, 0, 1) ** 2
    return np.clip(trust * blurred + (1 - trust) * junk, 0.05, 20)


def _confidence(labels: np.ndarray, rng: np.random.Generator, settings: PhantomSettings) -> np.ndarray:
    """Goodness of fit: high near the driver on the right, falling with depth, low where nothing carries shear."""
    amplitude = np.exp(-_depth_mm(labels, settings) / (35 * np.sqrt(settings.liver_kpa / 2.2)))
    amplitude *= np.where(np.isin(labels, _NO_WAVES), 0.02, 1.0)
    if not settings.waves:
        amplitude *= 0
    signal = np.minimum(_look_up(labels, _BRIGHTNESS | dict.fromkeys(LIVER_TISSUES, 0.5 * settings.liver_signal)), 0.5)
    clear = ndimage.gaussian_filter(amplitude * signal, (0, 2.0, 2.0))
    doubt = 0.035 / (settings.snr / 25) * np.exp(0.4 * _smooth(rng, labels.shape, 4.0))
    return np.clip(clear**2 / (clear**2 + 0.1 * doubt**2 + 1e-9), 0, 0.999)


def _depth_mm(labels: np.ndarray, settings: PhantomSettings) -> np.ndarray:
    """Distance to the driver's disc at the right front of the body wall, mm."""
    depth = np.empty(labels.shape, np.float32)
    for image, out in zip(labels, depth, strict=True):
        trunk = ~np.isin(image, (T.AIR, T.ARM))
        rows, columns = np.nonzero(trunk)
        right, front, back = columns.min(), rows.min(), rows.max()
        inwards = ndimage.distance_transform_edt(trunk)
        r, c = np.indices(image.shape)
        under_disc = trunk & (inwards <= 1) & (c < right + 60 / settings.pixel_mm) & (r < (front + 2 * back) / 3)
        out[:] = ndimage.distance_transform_edt(~under_disc) * settings.pixel_mm
    return depth
