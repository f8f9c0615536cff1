"""Between a volume with an affine (NIfTI, RAS) and slices in the patient (LPS), for any order and sign of the axes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from livermre.exam.errors import InputError
from livermre.exam.plane import Plane, Vector

_TO_LPS = np.diag([-1.0, -1.0, 1.0])

_TARGETS = {2: ((0, 1.0), (1, 1.0)), 1: ((0, 1.0), (2, -1.0)), 0: ((1, 1.0), (2, -1.0))}
"""Strongest axis of the normal -> where columns and rows run in LPS: the way radiologists look at slices."""

REGULAR_MM = 0.05
"""Slices count as evenly spaced where each lies within this of its place; a volume's affine can say no more."""

_ISOTROPIC = 1.3
"""An axis is taken as the slice axis by its spacing where that is at least this much larger than the others."""


@dataclass(frozen=True)
class Layout:
    """How an array (i, j, k) becomes [slice, row, column]: order of its axes, and which of them are turned round."""

    order: tuple[int, int, int]
    flips: tuple[bool, bool, bool]

    def to_exam(self, array: np.ndarray) -> np.ndarray:
        """(S, R, C, ...) view of an array (i, j, k, ...)."""
        turned = np.transpose(array, (*self.order, *range(3, array.ndim)))
        return turned[tuple(slice(None, None, -1 if f else 1) for f in self.flips)]

    def from_exam(self, array: np.ndarray) -> np.ndarray:
        """(i, j, k, ...) view of an array (S, R, C, ...): undoes to_exam."""
        turned = array[tuple(slice(None, None, -1 if f else 1) for f in self.flips)]
        return np.transpose(turned, (*np.argsort(self.order), *range(3, array.ndim)))


def slice_axis(affine: np.ndarray) -> int:
    """Which axis of a volume counts slices: the one with clearly the largest spacing, else the one along the body.

    affine  (4, 4) float, voxel (i, j, k) -> mm
    """
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    widest = int(np.argmax(spacing))
    if spacing[widest] >= _ISOTROPIC * np.sort(spacing)[1]:
        return widest
    along = np.abs(affine[2, :3]) / spacing
    return int(np.argmax(along))


def planes_of(affine_ras: np.ndarray, shape: Sequence[int], axis: int) -> tuple[tuple[Plane, ...], Layout]:
    """Planes foot to head of a volume, seen as a radiologist does, and how its array comes into that order.

    affine_ras  (4, 4) float, voxel (i, j, k) -> mm RAS
    axis        which voxel axis counts slices

    Raises InputError for an affine that is singular or whose in-plane axes are not at right angles.
    """
    lps = _TO_LPS @ affine_ras[:3, :]
    if not np.all(np.isfinite(lps)) or abs(np.linalg.det(lps[:, :3])) < 1e-9:
        raise InputError("the affine of the volume is singular: it says nothing about places in the patient")
    layout = _layout(lps[:, :3], axis)
    steps = [lps[:, a] * (-1 if f else 1) for a, f in zip(layout.order, layout.flips, strict=True)]
    last = [(shape[a] - 1) if f else 0 for a, f in zip(layout.order, layout.flips, strict=True)]
    origin = lps[:, 3] + sum(n * lps[:, a] for n, a in zip(last, layout.order, strict=True))
    row, column = (np.linalg.norm(s) for s in steps[1:])
    planes = tuple(
        Plane(
            shape=(int(shape[layout.order[1]]), int(shape[layout.order[2]])),
            spacing_mm=(float(row), float(column)),
            origin_mm=_vector(origin + i * steps[0]),
            to_next_row=_vector(steps[1] / row),
            to_next_column=_vector(steps[2] / column),
            thickness_mm=float(np.linalg.norm(steps[0])),
        )
        for i in range(int(shape[axis]))
    )
    return planes, layout


def _layout(axes: np.ndarray, axis: int) -> Layout:
    a, b = (i for i in range(3) if i != axis)
    normal = np.cross(axes[:, a], axes[:, b])
    strongest = int(np.argmax(np.abs(normal)))
    (column_axis, column_sign), (row_axis, row_sign) = _TARGETS[strongest]
    unit = axes / np.linalg.norm(axes, axis=0)
    straight = abs(unit[column_axis, a]) + abs(unit[row_axis, b]) >= abs(unit[column_axis, b]) + abs(unit[row_axis, a])
    column, row = (a, b) if straight else (b, a)
    normal = normal if normal[strongest] > 0 else -normal
    return Layout(
        order=(axis, row, column),
        flips=(
            bool(axes[:, axis] @ normal < 0),
            bool(axes[row_axis, row] * row_sign < 0),
            bool(axes[column_axis, column] * column_sign < 0),
        ),
    )


def _vector(numbers: np.ndarray) -> Vector:
    return float(numbers[0]), float(numbers[1]), float(numbers[2])


def affine_of(planes: Sequence[Plane]) -> np.ndarray | None:
    """(4, 4) affine, (column, row, slice) -> mm RAS, of slices foot to head; None where they are not evenly spaced.

    A single slice steps along its normal by its thickness.
    """
    first = planes[0]
    origins = np.array([p.origin_mm for p in planes])
    if len(planes) == 1:
        step = first.normal * (first.thickness_mm or 1.0)
    else:
        step = (origins[-1] - origins[0]) / (len(planes) - 1)
        expected = origins[0] + np.arange(len(planes))[:, None] * step
        turned = any(not _same_directions(first, p) for p in planes[1:])
        if turned or float(np.abs(origins - expected).max()) > REGULAR_MM:
            return None
    affine = np.eye(4)
    affine[:3, 0] = np.asarray(first.to_next_column) * first.spacing_mm[1]
    affine[:3, 1] = np.asarray(first.to_next_row) * first.spacing_mm[0]
    affine[:3, 2], affine[:3, 3] = step, origins[0]
    affine[:3] = _TO_LPS @ affine[:3]
    return affine


def _same_directions(a: Plane, b: Plane) -> bool:
    """Whether the far corners of two planes lie alike, within REGULAR_MM."""
    far = np.array([0, a.shape[0] - 1]), np.array([a.shape[1] - 1, 0])
    shift = (a.world_mm(*far) - np.asarray(a.origin_mm)) - (b.world_mm(*far) - np.asarray(b.origin_mm))
    return bool(np.abs(shift).max() <= REGULAR_MM)


def resampled(image: np.ndarray, own: Plane, wanted: Plane) -> np.ndarray:
    """(R, C) float32 image of one plane, linearly interpolated at the pixels of another; 0 outside.

    image  (R', C') float on the plane own
    """
    rows, columns = np.meshgrid(np.arange(wanted.shape[0]), np.arange(wanted.shape[1]), indexing="ij")
    r, c = own.index(wanted.world_mm(rows, columns))
    padded = np.pad(np.asarray(image, dtype=np.float32), ((0, 1), (0, 1)), mode="edge")
    # a rounding error outside is still the edge
    inside = (r > -1e-3) & (c > -1e-3) & (r < own.shape[0] - 1 + 1e-3) & (c < own.shape[1] - 1 + 1e-3)
    r, c = np.clip(r, 0, own.shape[0] - 1), np.clip(c, 0, own.shape[1] - 1)
    r0, c0 = r.astype(int), c.astype(int)
    fr, fc = (r - r0).astype(np.float32), (c - c0).astype(np.float32)
    upper = padded[r0, c0] * (1 - fc) + padded[r0, c0 + 1] * fc
    lower = padded[r0 + 1, c0] * (1 - fc) + padded[r0 + 1, c0 + 1] * fc
    return np.where(inside, upper * (1 - fr) + lower * fr, np.float32(0))
