"""The network's word weighed with what the exam's own liver looks like, at the image's full resolution."""

import numpy as np

from livermre.segment.grid import NetworkGrid
from livermre.segment.tissue import Tissue, learn, log_brightness

_TRUST = 0.8
"""The network's log odds count this much: it is surer than it is right."""
_MOST_ODDS = 4.0
_EVIDENCE = (-2.5, 3.0)
"""What brightness may say against and for liver, in log odds: neither side can be outvoted by one dark pixel."""
_FAR = -9.0
"""Log odds of what lies far from every outline of the network."""
_NEIGHBOUR_SHARE, _NEIGHBOUR_MM = 0.3, 12.0
"""Slices at most 12 mm apart lend one another this share of their log odds."""
_IMAGE_MM, _EVIDENCE_MM = 1.5, 1.5
"""Smoothing of the image before the comparison, and of the evidence after it (standard deviations)."""


def refine(
    probability: np.ndarray,
    images: np.ndarray,
    magnitude: np.ndarray,
    grid: NetworkGrid,
    spacing_mm: tuple[float, float],
    positions_mm: tuple[float, ...],
) -> np.ndarray:
    """Liver probability (S, R, C) float32 on the image's own pixels.

    probability  (S, N, M) float32, the network's, on its grid
    images       (S, N, M) float32, magnitude on that grid
    magnitude    (S, R, C) float, without NaN
    positions_mm (S,) along the normal

    Bayes' rule with two witnesses, log odds added: the network's (softened and bounded) and the exam's own tissue
    (`tissue.learn`). Where too little liver is sure, the network's probability is only brought to the image's pixels.
    """
    heights = np.asarray(positions_mm)
    tissue = learn(probability, images, heights)
    if tissue is None:
        return np.clip(grid.up(probability), 0.0, 1.0)
    odds = grid.up(np.where(tissue.near, _shared(_log_odds(probability), heights), _FAR).astype(np.float32))
    place = _where_it_matters(odds)
    odds[place] += _evidence(tissue, magnitude[place], grid.up(tissue.level, place[1:]), spacing_mm)
    return 1 / (1 + np.exp(-odds))


def _log_odds(probability: np.ndarray) -> np.ndarray:
    p = np.clip(probability, 1e-4, 1 - 1e-4)
    return np.clip(_TRUST * np.log(p / (1 - p)), -_MOST_ODDS, _MOST_ODDS).astype(np.float32)


def _shared(odds: np.ndarray, positions_mm: np.ndarray) -> np.ndarray:
    """Each slice's log odds with a share of its near neighbours' (a missing or far one is replaced by itself)."""
    near = (np.abs(np.diff(positions_mm)) <= _NEIGHBOUR_MM)[:, None, None]
    below, above = odds.copy(), odds.copy()
    below[1:] = np.where(near, odds[:-1], odds[1:])
    above[:-1] = np.where(near, odds[1:], odds[:-1])
    return (1 - _NEIGHBOUR_SHARE) * odds + _NEIGHBOUR_SHARE / 2 * (below + above)


def _evidence(tissue: Tissue, magnitude: np.ndarray, level: np.ndarray, spacing_mm: tuple[float, float]) -> np.ndarray:
    """What brightness says of liver (S, R, C), log odds."""
    from scipy import ndimage

    blur = [(0, *(mm / s for s in spacing_mm)) for mm in (_IMAGE_MM, _EVIDENCE_MM)]
    image = ndimage.gaussian_filter(log_brightness(magnitude, tissue.unit), blur[0])
    return ndimage.gaussian_filter(np.clip(tissue.evidence(image, level), *_EVIDENCE), blur[1])


def _where_it_matters(odds: np.ndarray) -> tuple[slice, slice, slice]:
    """The window outside which no brightness could make liver of what the network denies."""
    open_to_doubt = np.any(odds > -_EVIDENCE[1], axis=0)
    return slice(None), _window(np.any(open_to_doubt, axis=1)), _window(np.any(open_to_doubt, axis=0))


def _window(held: np.ndarray) -> slice:
    places = np.flatnonzero(held)
    return slice(int(places[0]), int(places[-1]) + 1) if places.size else slice(0, 0)
