"""Purity of a measurement region: how much of it lies where stiffness should not be read."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from livermre.evaluate.empty import two_masks


@dataclass(frozen=True)
class Purity:
    """Shares 0..1 of a region's pixels; all None where the region is empty, and `reason` says so."""

    pixels: int
    pure: float | None
    """On none of the places given."""
    share: Mapping[str, float | None]
    """On each place, by name; a pixel may be on several, so shares need not sum to 1 - pure."""
    reason: str | None = None


def purity(region: np.ndarray, places: Mapping[str, np.ndarray]) -> Purity:
    """Share of a region on places to avoid.

    region  bool or 0/1 array, the pixels that were measured
    places  masks of the region's shape by name: "edge", "vessel", "low confidence", "outside the liver", ...

    Raises Contradiction for different shapes, SettingsError for values other than 0 and 1.
    """
    masks = {name: two_masks(place, region)[0] for name, place in places.items()}
    inside = two_masks(region, region)[0]
    pixels = int(inside.sum())
    if pixels == 0:
        return Purity(0, None, MappingProxyType(dict.fromkeys(masks)), "the region is empty")
    impure = np.any([inside & m for m in masks.values()], axis=0) if masks else np.zeros_like(inside)
    share = {name: int((inside & m).sum()) / pixels for name, m in masks.items()}
    return Purity(pixels, 1 - int(impure.sum()) / pixels, MappingProxyType(share))
