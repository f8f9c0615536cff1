"""What was drawn, brought onto the pixels of an exam by its place in the patient alone."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from livermre.exam.errors import Contradiction
from livermre.exam.plane import Plane
from livermre.exam.types import Exam

ON_GRID = 0.1
"""A mask fits where the centres of its pixels lie within a tenth of a pixel, and of a slice distance, as for NIfTI."""

_PARALLEL = 0.999


@dataclass(frozen=True)
class Drawn:
    """One segment, structure or mask series.

    frames    planes with their masks (R, C) bool
    polygons  closed polygons (N, 3) in mm, world LPS
    """

    label: str
    code: str = ""
    frame_of_reference: str = ""
    frames: tuple[tuple[Plane, np.ndarray], ...] = field(default=(), repr=False)
    polygons: tuple[np.ndarray, ...] = field(default=(), repr=False)

    @property
    def filled(self) -> bool:
        """Whether anything is drawn at all."""
        return bool(self.polygons) or any(m.any() for _, m in self.frames)


def on_exam(name: str, parts: Sequence[Drawn], exam: Exam) -> np.ndarray:
    """(S, R, C) bool: the union of what was drawn, on the exam's pixels; Contradiction where it does not fit."""
    result = np.zeros(exam.shape, dtype=bool)
    for part in parts:
        own = exam.slices[0].plane.frame_of_reference
        if part.frame_of_reference and own and part.frame_of_reference != own:
            raise Contradiction(f"{name} belongs to another frame of reference than the exam")
        for plane, mask in part.frames:
            _add_frame(name, result, plane, mask, exam)
        _add_polygons(name, result, part.polygons, exam)
    if any(p.filled for p in parts) and not result.any():
        raise Contradiction(f"{name} has nothing drawn at the slices of the exam ({_places(exam)})")
    return result


def _places(exam: Exam) -> str:
    return ", ".join(f"{p:.1f}" for p in exam.positions_mm) + " mm"


def _tolerance_mm(exam: Exam) -> float:
    steps = np.diff(exam.positions_mm)
    return ON_GRID * (float(steps.min()) if steps.size else max(exam.slices[0].plane.thickness_mm, 1.0))


def _slice_at(name: str, position_mm: float, exam: Exam) -> int | None:
    """The slice at a position; None outside the exam. Contradiction between two slices: it was drawn on others."""
    places = np.asarray(exam.positions_mm)
    nearest = int(np.abs(places - position_mm).argmin())
    if abs(places[nearest] - position_mm) <= _tolerance_mm(exam):
        return nearest
    if places[0] < position_mm < places[-1]:
        raise Contradiction(
            f"{name} is drawn at {position_mm:.1f} mm, between the slices of the exam ({_places(exam)})"
        )
    return None


def _add_frame(name: str, result: np.ndarray, own: Plane, mask: np.ndarray, exam: Exam) -> None:
    if not mask.any():
        return
    normal = exam.slices[0].plane.normal
    if float(own.normal @ normal) < _PARALLEL:
        raise Contradiction(f"{name} is drawn in planes that are tilted against those of the exam")
    index = _slice_at(name, float(normal @ np.asarray(own.origin_mm)), exam)
    if index is None:
        return
    wanted = exam.slices[index].plane
    rows, columns = np.meshgrid(np.arange(wanted.shape[0]), np.arange(wanted.shape[1]), indexing="ij")
    r, c = own.index(wanted.world_mm(rows, columns))
    ri, ci = np.rint(r).astype(int), np.rint(c).astype(int)
    inside = (ri >= 0) & (ci >= 0) & (ri < own.shape[0]) & (ci < own.shape[1])
    off = max(np.abs(r - ri).max(), np.abs(c - ci).max())
    if off > ON_GRID or not inside.all() or own.shape[0] * own.shape[1] != ri.size:
        raise Contradiction(
            f"{name} does not lie on the pixels of the exam: it has {own.shape[0]} x {own.shape[1]} pixels of "
            f"{own.spacing_mm[0]:.3g} x {own.spacing_mm[1]:.3g} mm, the exam {wanted.shape[0]} x {wanted.shape[1]} of "
            f"{wanted.spacing_mm[0]:.3g} x {wanted.spacing_mm[1]:.3g} mm"
        )
    result[index] |= mask[ri, ci]


def _add_polygons(name: str, result: np.ndarray, polygons: Sequence[np.ndarray], exam: Exam) -> None:
    """Polygons of one structure: where two of them overlap there is a hole (even-odd, as PS3.3 C.8.8.6.3 allows)."""
    normal = exam.slices[0].plane.normal
    own = np.zeros_like(result)
    for points in polygons:
        heights = points @ normal
        if np.ptp(heights) > _tolerance_mm(exam):
            raise Contradiction(f"{name} holds a contour that does not lie in the planes of the exam")
        index = _slice_at(name, float(heights.mean()), exam)
        if index is not None:
            own[index] ^= inside(points, exam.slices[index].plane)
    result |= own


def inside(points: np.ndarray, plane: Plane) -> np.ndarray:
    """(R, C) bool: pixels of a plane whose centre lies in a closed polygon (N, 3) mm; a line through a row's centres
    belongs to the side below it.
    """
    r, c = plane.index(points)
    r2, c2 = np.roll(r, -1), np.roll(c, -1)
    mask = np.zeros(plane.shape, dtype=bool)
    columns = np.arange(plane.shape[1])
    first, last = max(int(np.floor(r.min())), 0), min(int(np.ceil(r.max())), plane.shape[0] - 1)
    for row in range(first, last + 1):
        crossed = (r <= row) != (r2 <= row)
        at = c[crossed] + (row - r[crossed]) / (r2[crossed] - r[crossed]) * (c2[crossed] - c[crossed])
        mask[row] = (at[:, None] <= columns).sum(axis=0) % 2 == 1
    return mask
