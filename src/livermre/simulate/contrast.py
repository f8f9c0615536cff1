"""Brightness of a labelled body: tissues, iron and fat in the liver, coil shading, signal loss beside gas."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from livermre.simulate.priors import Sequence
from livermre.simulate.tissue import LIVER_TISSUES
from livermre.simulate.tissue import Tissue as T

# By eye: spoiled gradient echo of 50 ms / 20 ms / 30 degrees from one real exam, EPI with fat suppression from general
# knowledge (u). 1 = subcutaneous fat of the gradient echo.
_GRE = {
    T.AIR: 0.0, T.INNER_FAT: 0.75, T.SKIN_FAT: 0.95, T.MUSCLE: 0.34, T.BONE: 0.3, T.SPINAL_CANAL: 0.4, T.LUNG: 0.04,
    T.HEART: 0.45, T.ARTERY: 0.75, T.VEIN: 0.65, T.PORTAL_VEIN: 0.65, T.LIVER: 0.5, T.SPLEEN: 0.42,
    T.KIDNEY_RIGHT: 0.48, T.KIDNEY_LEFT: 0.48, T.STOMACH: 0.32, T.COLON: 0.25, T.SMALL_BOWEL: 0.38, T.PANCREAS: 0.48,
    T.GALLBLADDER: 0.35, T.LIVER_VESSEL: 0.78, T.OESOPHAGUS: 0.4, T.ARM: 0.5, T.GLAND: 0.45, T.ASCITES: 0.3,
    T.LIVER_LESION: 0.42,
}  # fmt: skip
_EPI = _GRE | {
    T.INNER_FAT: 0.15, T.SKIN_FAT: 0.2, T.BONE: 0.12, T.SPLEEN: 0.75, T.KIDNEY_RIGHT: 0.8, T.KIDNEY_LEFT: 0.8,
    T.SPINAL_CANAL: 0.9, T.GALLBLADDER: 0.95, T.ASCITES: 1.0, T.ARTERY: 0.1, T.VEIN: 0.3, T.PORTAL_VEIN: 0.3,
    T.LIVER_VESSEL: 0.35, T.LIVER_LESION: 0.7,
}  # fmt: skip
LIVER_SIGNAL = _GRE[T.LIVER]
_BRIGHTNESS: Mapping[Sequence, Mapping[T, float]] = {"GRE": _GRE, "SE-EPI": _EPI}


@dataclass(frozen=True)
class Shine:
    """What one scan does to brightness.

    iron         factor on the liver: exp(-TE R2*) over that of a normal liver
    fat          fat fraction of the liver; it brightens a gradient echo at in-phase times (u)
    seed         of textures and shading
    """

    sequence: Sequence
    iron: float
    fat: float
    seed: int


def paint(labels: np.ndarray, gas: np.ndarray, spacing_mm: float, shine: Shine) -> np.ndarray:
    """Magnitude (S, R, C) float32 without noise, about 0..1.5.

    labels  (S, R, C) uint8
    gas     (S, R, C) bool
    """
    rng = np.random.default_rng(shine.seed)
    values = {t: v * rng.normal(1, 0.06) for t, v in _BRIGHTNESS[shine.sequence].items()}
    liver = shine.iron * (1 + (0.6 if shine.sequence == "GRE" else -0.3) * shine.fat)
    values |= {t: values[t] * liver for t in LIVER_TISSUES}
    table = np.zeros(max(T) + 1, np.float32)
    table[list(values)] = list(values.values())
    image = table[labels] * (1 + 0.05 * _texture(rng, labels.shape, 5 / spacing_mm))
    image[gas] = 0.02
    lean = float(rng.normal(0.35, 0.25))
    for one, trunk, bubble in zip(image, ~np.isin(labels, (T.AIR, T.ARM)), gas, strict=True):
        one *= _coils(trunk, spacing_mm, lean)
        if bubble.any():
            reach = 9 if shine.sequence == "GRE" else 4  # mm that the field of gas dephases
            lost = ndimage.gaussian_filter(bubble.astype(np.float32), reach / spacing_mm)
            one *= np.exp(-((4 * lost) ** 2))
    return image * np.exp(0.3 * _texture(rng, labels.shape, 60 / spacing_mm))


def _coils(trunk: np.ndarray, spacing_mm: float, lean: float) -> np.ndarray:
    """Shading of surface coils: bright within 3 cm of the skin, brighter at the back by exp(lean)."""
    depth = ndimage.distance_transform_edt(trunk).astype(np.float32) * np.float32(spacing_mm)
    rows = np.nonzero(trunk.any(axis=1))[0]
    height = np.linspace(-1, 1, len(trunk)) if rows.size == 0 else _span(len(trunk), rows[0], rows[-1])
    return (0.8 + 0.5 * np.exp(-depth / 25)) * np.exp(0.5 * lean * height)[:, None].astype(np.float32)


def _span(count: int, first: int, last: int) -> np.ndarray:
    """-1 at `first`, 1 at `last`, straight between."""
    return (2 * np.arange(count) - first - last) / max(last - first, 1)


def _texture(rng: np.random.Generator, shape: tuple[int, ...], sigma: float) -> np.ndarray:
    """Smooth noise (S, R, C) float32 of sd 1 in each slice, drawn coarse where it is smooth."""
    step = max(1, int(sigma))
    small = (shape[0], shape[1] // step + 4, shape[2] // step + 4)
    width = (0, sigma / step, sigma / step)
    noise = ndimage.gaussian_filter(rng.standard_normal(small, np.float32), width, mode="wrap")
    noise /= noise.std()
    if step == 1:
        return noise[:, : shape[1], : shape[2]]
    zoom = [ndimage.zoom(n, step, order=1)[: shape[1], : shape[2]] for n in noise]
    return np.stack(zoom)
