"""Bring the images of a group into order: by slice position, and within a slice by frequency, direction, offset."""

from collections.abc import Sequence

import numpy as np

from livermre.dicom.frames import Frame
from livermre.dicom.header import Tag
from livermre.dicom.series import directions, wave_index
from livermre.exam.errors import InputError
from livermre.exam.plane import Plane

PARALLEL = 0.999
"""Cosine between normals of slices that belong together (2.6 degrees)."""

TOLERANCE = 0.1
"""Slices of different series are the same where they lie within 10 % of the slice spacing."""


def positions_mm(planes: Sequence[Plane], normal: np.ndarray) -> np.ndarray:
    """(N,) positions along a normal, mm."""
    return np.array([float(normal @ np.asarray(p.origin_mm)) for p in planes])


def spacing_mm(positions: np.ndarray, thickness_mm: float) -> float:
    """Distance of neighbouring slices, mm: from the positions themselves, for a single slice its thickness."""
    steps = np.diff(np.sort(positions))
    steps = steps[steps > 0.05]  # repeated positions differ by rounding only
    return float(steps.min()) if steps.size else max(thickness_mm, 1.0)


def at_position(frames: Sequence[Frame], plane: Plane, tolerance_mm: float) -> list[Frame]:
    """The frames that lie in a plane, parallel to it and within a tolerance along its normal."""
    normal, wanted = plane.normal, plane.position_mm
    found = []
    for frame in frames:
        near = abs(float(normal @ frame.plane.origin_mm) - wanted) <= tolerance_mm
        if near and float(frame.normal @ normal) >= PARALLEL:
            found.append(frame)
    return found


def waves(frames: Sequence[Frame]) -> tuple[tuple[int, int, int], list[Frame]]:
    """(frequencies, directions, offsets) of one slice's phase images and the images in that order.

    Raises InputError where the images do not fill such a table.
    """
    index = [wave_index(f.header) for f in frames]
    if all(i is not None for i in index):
        stated = {i: f for i, f in zip(index, frames, strict=True) if i is not None}
        shape = tuple(max(i[axis] for i in stated) + 1 for axis in range(3))
        if len(stated) != len(frames) or len(stated) != int(np.prod(shape)):
            raise InputError(
                f"its {len(frames)} images of a slice do not fill {shape[0]} x {shape[1]} x {shape[2]} offsets"
            )
        return (shape[0], shape[1], shape[2]), [stated[i] for i in sorted(stated)]
    count = directions(frames[0].header)
    if len(frames) % count:
        raise InputError(f"{len(frames)} images of a slice cannot be {count} directions")
    return (1, count, len(frames) // count), sorted(frames, key=_time)


def _time(frame: Frame) -> tuple[float, float, float, float]:
    h = frame.header
    return (
        h.number(Tag.TEMPORAL_INDEX) or h.number(Tag.TEMPORAL_POSITION) or 0.0,
        h.number(Tag.TRIGGER_TIME) or 0.0,
        h.number(Tag.INSTANCE_NUMBER) or 0.0,
        float(frame.index),
    )
