"""Readers: regions as different people would draw them into the same liver."""

import numpy as np
from scipy import ndimage

from livermre.simulate.tissue import LIVER_TISSUES
from livermre.simulate.tissue import Tissue as T

_NOT_PARENCHYMA = (T.LIVER_VESSEL, T.LIVER_LESION)


def draw_regions(labels: np.ndarray, spacing_mm: float, count: int, rng: np.random.Generator) -> list[np.ndarray]:
    """So many readers' regions, each (S, R, C) float32: inside where it is above 0, mm within the drawn line.

    labels: (S, R, C) uint8. Each reader has a habit (distance from the edge 5-16 mm, how much of the left lobe, care
    for vessels) and an unsteady hand (border off by about 2 mm, smooth over 15 mm). Limits between readers as wide as
    +-15 to 23 % are published (Dzyubak 2013); how much of it is drawing is the project's choice.
    """
    if count == 0:
        return []
    inside, from_vessel = zip(*(_distances(image, spacing_mm) for image in labels), strict=True)
    return [_draw(np.stack(inside), np.stack(from_vessel), spacing_mm, rng) for _ in range(count)]


def _distances(image: np.ndarray, spacing_mm: float) -> tuple[np.ndarray, np.ndarray]:
    """Depth in the liver and distance from its vessels and lesions, mm (R, C) float32."""
    depth = ndimage.distance_transform_edt(np.isin(image, LIVER_TISSUES)) * spacing_mm
    vessels = ndimage.binary_opening(np.isin(image, _NOT_PARENCHYMA), iterations=1)
    away = ndimage.distance_transform_edt(~vessels) * spacing_mm if vessels.any() else np.full(image.shape, 1e3)
    return depth.astype(np.float32), away.astype(np.float32)


def _draw(depth: np.ndarray, away: np.ndarray, spacing_mm: float, rng: np.random.Generator) -> np.ndarray:
    edge, hand = float(np.clip(rng.normal(10, 2.5), 5, 16)), float(rng.uniform(1.0, 3.0))
    left, care = float(rng.uniform(0.5, 0.9)), float(rng.uniform(0.0, 3.0))
    sigma = 15 / spacing_mm / 2.355
    rough = ndimage.gaussian_filter(rng.standard_normal(depth.shape), (0, sigma, sigma))
    region = np.minimum(depth - edge + hand * rough / rough.std(), away - care)
    for one, liver in zip(region, depth > 0, strict=True):
        columns = np.nonzero(liver.any(axis=0))[0]
        if columns.size:
            limit = columns[0] + left * (columns[-1] - columns[0])
            one[:] = np.minimum(one, (limit - np.arange(one.shape[1])) * spacing_mm)
    return np.where(depth > 0, region, -1).astype(np.float32)
