"""Label maps and masks on another grid."""

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from livermre.train.shapes.shape import Spacing


def _axis_weights(count: int, step: float, new_step: float) -> np.ndarray:
    """Weights float32 [new, old] of a triangle filter as wide as the coarser of the two steps, centres aligned."""
    new_count = max(1, round(count * step / new_step))
    old = (np.arange(count) - (count - 1) / 2) * step
    new = (np.arange(new_count) - (new_count - 1) / 2) * new_step
    weights = np.clip(1 - np.abs(new[:, None] - old[None, :]) / max(step, new_step), 0, None)
    empty = weights.sum(1) == 0
    weights[empty, np.abs(new[empty, None] - old[None, :]).argmin(1)] = 1
    return (weights / weights.sum(1, keepdims=True)).astype(np.float32)


def _resample_field(field: np.ndarray, weights: Sequence[np.ndarray]) -> np.ndarray:
    """Float field resampled along its three axes with one weight matrix each."""
    out = field @ weights[2].T
    out = weights[1] @ out
    return np.einsum("zs,syx->zyx", weights[0], out, optimize=True)


def resample_labels(labels: np.ndarray, spacing: Spacing, new_spacing: Spacing) -> np.ndarray:
    """Label map on a new grid: each voxel takes the tissue with the largest share in it (uint8)."""
    if np.allclose(spacing, new_spacing):
        return labels.copy()
    weights = [_axis_weights(*args) for args in zip(labels.shape, spacing, new_spacing, strict=True)]
    best = np.zeros([len(weight) for weight in weights], np.float32)
    out = np.zeros(best.shape, np.uint8)
    for value in np.unique(labels):
        box = ndimage.find_objects((labels == value).astype(np.uint8))[0]
        parts = [weight[:, cut] for weight, cut in zip(weights, box, strict=True)]
        # only the new voxels that the box reaches
        hit = tuple(slice(*(np.flatnonzero(part.any(1))[[0, -1]] + (0, 1))) for part in parts)
        parts = [part[cut] for part, cut in zip(parts, hit, strict=True)]
        share = _resample_field((labels[box] == value).astype(np.float32), parts)
        wins = share > best[hit] + 1e-6
        best[hit][wins] = share[wins]
        out[hit][wins] = value
    return out


def _signed_distance(mask: np.ndarray, spacing: Spacing) -> np.ndarray:
    """Distance to the border in mm (float32), positive inside."""
    inside = ndimage.distance_transform_edt(mask, spacing)
    return (inside - ndimage.distance_transform_edt(~mask, spacing)).astype(np.float32)


def resample_mask(mask: np.ndarray, spacing: Spacing, new_spacing: Spacing) -> np.ndarray:
    """Mask on a new grid through its distance map, so that thick slices become a smooth surface."""
    weights = [_axis_weights(*args) for args in zip(mask.shape, spacing, new_spacing, strict=True)]
    field = _resample_field(_signed_distance(mask, spacing), weights)
    return ndimage.gaussian_filter(field, 0.8) > 0
