"""The wall of a body: skin, fat and muscle around what a source has, and arms that are no trunk."""

import numpy as np
from scipy import ndimage

from livermre.simulate.tissue import Tissue
from livermre.train.shapes.shape import BODY, Spacing
from livermre.train.shapes.tools import largest, mask_of, near


def plane_mm(labels: np.ndarray, spacing: Spacing) -> tuple[np.ndarray, np.ndarray]:
    """Column and row coordinates in mm from the array's centre, float32 [row, column]."""
    rows = (np.arange(labels.shape[1]) - labels.shape[1] / 2) * spacing[1]
    columns = (np.arange(labels.shape[2]) - labels.shape[2] / 2) * spacing[2]
    x, y = np.meshgrid(columns, rows)
    return x.astype(np.float32), y.astype(np.float32)


def _directions(count: int = 48) -> np.ndarray:
    """Angles in radians around the body: 0 patient left, pi/2 back."""
    return np.arange(count) * (2 * np.pi / count)


def _support(mask: np.ndarray, spacing: Spacing) -> np.ndarray:
    """How far each slice of the mask reaches in each direction, mm, float32 [slice, direction], smoothed."""
    x, y = plane_mm(mask, spacing)
    planes = [x * np.cos(angle) + y * np.sin(angle) for angle in _directions()]
    reach = np.stack([np.where(mask, plane, -np.inf).max(axis=(1, 2)) for plane in planes], axis=1)
    filled = np.flatnonzero(np.isfinite(reach).all(axis=1))
    for column in reach.T:
        column[:] = np.interp(np.arange(len(column)), filled, column[filled])
    reach = np.maximum(reach, _rounded(reach))
    smooth = ndimage.maximum_filter1d(reach, max(1, round(15 / spacing[0])), axis=0)
    smooth = ndimage.gaussian_filter1d(smooth, 10 / spacing[0], axis=0)
    return np.maximum(reach, smooth).astype(np.float32)


def _rounded(reach: np.ndarray, orders: int = 3) -> np.ndarray:
    """Reach around the body without its fine detail: under the larger of both, flat sides between few points bulge."""
    waves = np.fft.rfft(reach, axis=1)
    waves[:, orders + 1 :] = 0
    return np.fft.irfft(waves, reach.shape[1], axis=1)


def _depth(reach: np.ndarray, like: np.ndarray, spacing: Spacing) -> np.ndarray:
    """Depth below the convex surface that `_support` describes, mm, float32; negative outside."""
    x, y = plane_mm(like, spacing)
    depth = np.full(like.shape, np.inf, np.float32)
    for index, angle in enumerate(_directions()):
        plane = (x * np.cos(angle) + y * np.sin(angle)).astype(np.float32)
        np.minimum(depth, reach[:, index, None, None] - plane, out=depth)
    return depth


def _layer(rng: np.random.Generator, slices: int, low: float, high: float) -> np.ndarray:
    """Layer thickness in mm that varies smoothly around and along the body, [slice, direction]."""
    angle, phase = _directions()[None, :], rng.uniform(0, 2 * np.pi, 3)
    along = np.linspace(0, np.pi, slices)[:, None]
    wave = 0.25 * np.cos(angle + phase[0]) + 0.15 * np.cos(2 * angle + phase[1]) + 0.1 * np.cos(along + phase[2])
    return np.clip(rng.uniform(low, high) * (1 + wave), 0.6 * low, None)


def wrapped(labels: np.ndarray, spacing: Spacing, rng: np.random.Generator) -> np.ndarray:
    """Labels without outline, wrapped in a muscle layer and subcutaneous fat; the inside without name is BODY."""
    pad = [round(60 / step) for step in spacing[1:]]
    out = np.pad(labels, [(0, 0), (pad[0],) * 2, (pad[1],) * 2])
    core = (out != Tissue.AIR) & (out != Tissue.ARM)
    reach = _support(core, spacing)
    muscle = _layer(rng, len(out), 5.0, 11.0)
    fat = _layer(rng, len(out), 7.0, 26.0)
    free = out == Tissue.AIR
    out[free & (_depth(reach + muscle + fat, out, spacing) > 0)] = Tissue.SKIN_FAT
    out[free & (_depth(reach + muscle, out, spacing) > 0)] = Tissue.MUSCLE
    out[free & (_depth(reach, out, spacing) > 5.0)] = BODY
    return out


def lined(labels: np.ndarray, spacing: Spacing, rng: np.random.Generator) -> np.ndarray:
    """Labels with a known outline whose rim without name became subcutaneous fat and muscle."""
    out = _part_arms(labels, spacing)
    # outside the array is not air: a field of view that cuts the body gives no skin there
    depth = ndimage.distance_transform_edt(~mask_of(out, (Tissue.AIR, Tissue.ARM)), spacing)
    fat, muscle = rng.uniform(7, 22), rng.uniform(10, 16)
    free = out == BODY
    out[free & (depth <= fat + muscle)] = Tissue.MUSCLE
    out[free & (depth <= fat)] = Tissue.SKIN_FAT
    return out


def _part_arms(labels: np.ndarray, spacing: Spacing) -> np.ndarray:
    """Labels with a known outline in which what hangs beside the trunk is ARM."""
    out = labels.copy()
    trunk = np.ones(labels.shape[1:], bool)
    for index, plane in enumerate(labels):
        # from the waist upwards the trunk may widen only slowly: so the shoulders part as well
        may = (ndimage.binary_dilation(trunk) if index % 2 else trunk) if trunk.any() else ~trunk
        trunk = _trunk_section((plane != Tissue.AIR) & may, spacing)
        beside = ~near(np.any(trunk, axis=0)[None], 6.0, spacing[1:])  # not a breast before the trunk
        out[index][(plane == BODY) & beside] = Tissue.ARM
    return out


def _trunk_section(inside: np.ndarray, spacing: Spacing) -> np.ndarray:
    """The largest part of a section after an opening with 25 mm; what leaves the field of view counts as trunk."""
    pad = [round(30 / step) for step in spacing[1:]]
    wide = np.pad(inside, [(p, p) for p in pad], mode="edge")
    core = largest(ndimage.distance_transform_edt(wide, spacing[1:]) > 25.0)
    return near(core, 25.0, spacing[1:])[pad[0] : -pad[0], pad[1] : -pad[1]] & inside
