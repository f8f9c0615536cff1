"""How bright each liver pixel is beside the parenchyma around it, whatever the coil shading."""

import numpy as np
from scipy import ndimage

from livermre.roi.grid import masked_mean, robust_spread
from livermre.roi.settings import RoiSettings
from livermre.roi.view import LiverView

_SMOOTH_MM = 1.5
"""Noise is averaged over this Gaussian width; hepatic vessels worth leaving out are wider."""


def relative_brightness(view: LiverView, settings: RoiSettings) -> np.ndarray:
    """Brightness (H, W) float32 over that of the parenchyma around; 1 = alike. Only liver pixels mean something.

    First a smooth surface over the whole liver (a gallbladder cannot bend it), then the neighbourhood, both without
    the pixels that stand out.
    """
    inner = view.liver & (view.depth_mm >= min(settings.rim_mm, float(view.depth_mm.max())))
    smooth = masked_mean(view.magnitude, view.liver, _SMOOTH_MM, view.spacing_mm)
    floor = 1e-3 * robust_spread(smooth[inner])[0] + 1e-12
    log = np.log(np.maximum(smooth, floor))
    log = log - _surface(log, inner)
    middle, spread = robust_spread(log[inner])
    alike = inner & (np.abs(log - middle) <= 2.5 * spread)
    if not alike.any():
        return np.exp(log)
    return np.exp(log - _neighbourhood(log, alike, settings.background_mm, view.spacing_mm))


def _surface(log: np.ndarray, inner: np.ndarray) -> np.ndarray:
    """A quadratic surface (H, W) through the pixels of a mask; pixels that stand out are left out, three times."""
    pixels = np.flatnonzero(inner)
    pixels = pixels[:: max(1, pixels.size // 1000)]  # six numbers need no more pixels
    rows, columns = (np.linspace(-1, 1, n, dtype=np.float32) for n in log.shape)
    r, c = rows[pixels // log.shape[1]], columns[pixels % log.shape[1]]
    x, y = np.stack([np.ones_like(r), r, r * r, c, c * c, r * c]), log.ravel()[pixels]
    used, steady = np.ones(y.shape, bool), 1e-4 * np.eye(6, dtype=np.float32)  # a line of pixels has no one surface
    for _ in range(3):
        a = x[:, used]
        k = np.linalg.solve(a @ a.T + steady, a @ y[used])
        rest = y - k @ x
        middle, spread = robust_spread(rest)
        used = np.abs(rest - middle) <= 2.0 * spread + 1e-6
    along_rows, along_columns = k[0] + k[1] * rows + k[2] * rows**2, k[3] * columns + k[4] * columns**2
    return along_rows[:, None] + along_columns + (k[5] * rows)[:, None] * columns


def _neighbourhood(log: np.ndarray, alike: np.ndarray, size_mm: float, spacing_mm: tuple[float, float]) -> np.ndarray:
    """Mean (H, W) over a neighbourhood of about this size, of like pixels alone (twice a box: near a Gaussian)."""
    size = [max(1, round(size_mm / step / np.sqrt(2))) for step in spacing_mm]
    parts = [np.where(alike, log, 0), alike.astype(np.float32)]
    for _ in range(2):
        parts = [ndimage.uniform_filter(p.astype(np.float32), size, mode="constant") for p in parts]
    return np.where(parts[1] > 0.02, parts[0] / np.maximum(parts[1], 0.02), 0)
