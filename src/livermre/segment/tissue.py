"""What this exam's liver looks like: its brightness, place by place, learnt from where the network is sure.

A network that has seen many contrasts takes bowel or fat for liver that looks like *some* liver. It does not look like
*this* liver: inside one exam the liver is one tissue, as bright everywhere as the coil's slow shading allows.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np

_FLOOR = 0.05
"""Added to the brightness before its logarithm, in foreground levels: noise in dark places is no contrast."""
_SURE = 0.8
_CORE_CELLS = 2.0
"""The sample is taken where the network is sure, this deep inside its outline (8 mm): no edges in it."""
_FEWEST_CELLS = 60
"""With fewer cells (1,000 mm2) the exam's liver is not learnt, and the network's word stands."""
_NEAR_CELLS = 12.0
"""Brightness is compared up to 48 mm from the network's outline, one cell in three less in the next slice."""
_NEXT_SLICE_CELLS = 3.0
_CUT = 2.0
"""Robust standard deviations beyond which a cell of the sample has no weight (Tukey's biweight): vessels, and whatever
the network took for liver that is not."""
_FIRST_SPREAD, _LEAST_SPREAD, _MOST_SHADING = 0.25, 0.05, 0.7  # of log brightness
_PENALTY = 0.0002
"""On the shading's coefficients, of the sample's weight: it only settles what the sample leaves open (one slice)."""
_BESIDE = 4
"""Cells around what is near that the comparison's smoothing and interpolation look at."""
_SHADING_CELLS = 25.0
_WIDER = 1.3
"""The liver's spread is taken this much wider than the core's: its edges and vessels vary more."""
_STRANGE = 0.1
"""Share of liver that may look like anything: lesions, vessels, artefacts."""
_STEP, _REACH, _SMOOTH = 0.02, 2.6, 0.08  # of the tables over log brightness


@dataclass(frozen=True)
class Tissue:
    """The liver's brightness in one exam, and how much each deviation from it speaks for or against liver.

    level  (S, N, M) float32, log brightness that liver has at each cell; 0 far from every outline
    near   (S, N, M) bool, cells where the comparison may be made
    table  (K,) float32, log likelihood ratio of liver against what surrounds it, over the deviation
    unit   brightness that counts as 1
    spread robust standard deviation of the core's log brightness
    """

    level: np.ndarray
    near: np.ndarray
    table: np.ndarray
    unit: float
    spread: float

    def evidence(self, log_image: np.ndarray, level: np.ndarray) -> np.ndarray:
        """Log likelihood ratio of liver for log brightness (...) where the liver would have `level` (...)."""
        place = (np.clip(log_image - level, -2.5, 2.5) + _REACH) / _STEP
        return self.table[place.astype(np.int32)]


def log_brightness(image: np.ndarray, unit: float) -> np.ndarray:
    """Log of the magnitude (...) in units of the foreground; float32."""
    return np.log(np.maximum(image, 0) / unit + _FLOOR, dtype=np.float32)


def learn(probability: np.ndarray, images: np.ndarray, heights: np.ndarray) -> Tissue | None:
    """The exam's liver from the network's probability and the magnitude on its grid; None where too little is sure.

    probability (S, N, M) of liver; images (S, N, M) magnitude; heights (S,) of the slices, mm
    """
    from scipy import ndimage

    outline = probability > 0.5
    place = _around(outline)
    if place is None:
        return None
    near, level = np.zeros(outline.shape, bool), np.zeros(outline.shape, np.float32)
    outline = outline[place]
    inside = np.stack([ndimage.distance_transform_edt(s) for s in outline])
    core = (inside > _CORE_CELLS) & (probability[place] > _SURE)
    foreground = images[images > np.percentile(images, 60)]
    if core.sum() < _FEWEST_CELLS or foreground.size == 0:
        return None
    unit = float(np.median(foreground))
    log_image = ndimage.gaussian_filter(log_brightness(images[place], unit), (0, 0.7, 0.7))
    bright = images[place] > 0.15 * np.median(images[place][outline])
    near[place] = bright & (_distance(outline) < _NEAR_CELLS)
    level[place], spread = _shading(log_image, core, heights)
    deviation = np.clip(log_image - level[place], -2.5, 2.5)
    return Tissue(level, near, _table(deviation[near[place] & ~outline], spread), unit, spread)


def _around(outline: np.ndarray) -> tuple[slice, slice, slice] | None:
    """All slices, and the rows and columns of all cells that are near an outline or touch one that is; None without."""
    lines = [np.flatnonzero(outline.any(axis=axes)) for axes in ((0, 2), (0, 1))]
    if lines[0].size == 0:
        return None
    more = int(_NEAR_CELLS) + _BESIDE
    rows, columns = (slice(max(int(x[0]) - more, 0), int(x[-1]) + more + 1) for x in lines)
    return slice(None), rows, columns


def _distance(outline: np.ndarray) -> np.ndarray:
    """Cells to the outline in the same slice, or in the next one with a surcharge."""
    from scipy import ndimage

    far = np.full(outline.shape[1:], 99.0)
    here = np.stack([ndimage.distance_transform_edt(~s) if s.any() else far for s in outline])
    beside = np.pad(here, ((1, 1), (0, 0), (0, 0)), constant_values=99.0)
    return np.minimum(here, np.minimum(beside[:-2], beside[2:]) + _NEXT_SLICE_CELLS)


def _shading(log_image: np.ndarray, core: np.ndarray, heights: np.ndarray) -> tuple[np.ndarray, float]:
    """The liver's log brightness as a quadratic in space, and its spread; robust regression from the core's mode."""
    basis = _basis(core, heights)
    sample, values = basis[core], log_image[core]
    start = _mode(values)
    rest, spread = values - np.float64(start), _FIRST_SPREAD
    bent = np.diag([0.0] + [1.0] * (basis.shape[-1] - 1))
    for _ in range(20):
        weight = np.square(np.maximum(1 - (rest / (_CUT * spread)) ** 2, 0.0))
        penalty = _PENALTY * len(values) * weight.mean() * bent
        weighted = sample * weight[:, None]
        coefficients = np.linalg.solve(weighted.T @ sample + penalty, weighted.T @ values)
        rest = values - sample @ coefficients
        before, spread = spread, max(1.48 * float(np.median(np.abs(rest[weight > 0]))), _LEAST_SPREAD)
        if abs(spread - before) < 1e-4:
            break
    level = np.clip(basis @ coefficients, start - _MOST_SHADING, start + _MOST_SHADING)
    return level.astype(np.float32), spread


def _basis(core: np.ndarray, heights: np.ndarray) -> np.ndarray:
    """1, z, y, x and the squares (S, N, M, 8), about the core's middle, in units of half the stack and of 100 mm."""
    half = max(float(np.ptp(heights)) / 2, 20.0)
    z, y, x = np.meshgrid(heights / half, *(np.arange(n) / _SHADING_CELLS for n in core.shape[1:]), indexing="ij")
    z, y, x = (v - v[core].mean() for v in (z, y, x))
    return np.stack([np.ones_like(z), z, y, x, y * y, x * x, y * x, z * z], axis=-1)


def _mode(values: np.ndarray) -> float:
    """The commonest value: a mean would lie between liver and whatever else is in the sample."""
    from scipy import ndimage

    edges = np.arange(values.min() - 0.2, values.max() + 0.2, 0.01)
    counts = ndimage.gaussian_filter1d(np.histogram(values, edges)[0].astype(float), 6)
    return float(edges[counts.argmax()] + 0.005)


def _table(others: np.ndarray, spread: float) -> np.ndarray:
    """Log likelihood ratio over the deviation: a normal law for liver, the surroundings' own histogram against it."""
    from scipy import ndimage

    edges = np.arange(-_REACH, _REACH + _STEP, _STEP)
    middle = (edges[1:] + edges[:-1]) / 2
    width = _WIDER * spread
    liver = np.exp(-0.5 * (middle / width) ** 2) / (np.sqrt(2 * np.pi) * width)
    counts = partial(ndimage.gaussian_filter1d, sigma=_SMOOTH / _STEP)(np.histogram(others, edges)[0].astype(float))
    around = counts / max(counts.sum() * _STEP, 1e-9)
    return np.log(((1 - _STRANGE) * liver + _STRANGE / (2 * _REACH)) / (around + 0.05)).astype(np.float32)
