"""One slice as the rules see it: cropped to the liver, with the depth of each pixel below the liver's edge."""

from dataclasses import dataclass

import numpy as np

from livermre.exam.types import Slice
from livermre.roi.grid import depth_mm, small_holes


@dataclass(frozen=True)
class LiverView:
    """A slice cropped to its liver.

    window         where the crop lies in the slice (rows, columns)
    liver          (H, W) bool
    holes          (H, W) bool, small holes of the liver mask: vessels that the outline already left out
    depth_mm       (H, W) float32, mm from the outline, small holes closed; 0 outside
    magnitude      (H, W) float32, arbitrary unit
    stiffness_kpa  (H, W) float32, kPa, NaN = no value; None when the slice has no map
    confidence     (H, W) float32, 0..1; None when the slice has no map
    to_right_mm    (H, W) float32, mm to the patient's right from the middle of the body
    outward        (H, W) float32, mm towards the patient's right front from the liver's centre
    background     mean magnitude of the empty background of the exam; None when there is none
    """

    window: tuple[slice, slice]
    spacing_mm: tuple[float, float]
    liver: np.ndarray
    holes: np.ndarray
    depth_mm: np.ndarray
    magnitude: np.ndarray
    stiffness_kpa: np.ndarray | None
    confidence: np.ndarray | None
    to_right_mm: np.ndarray
    outward: np.ndarray
    background: float | None

    @property
    def pixel_area_mm2(self) -> float:
        """Area of one pixel, mm2."""
        return self.spacing_mm[0] * self.spacing_mm[1]


def view_of(
    image: Slice, liver: np.ndarray, hole_mm2: float, midline_mm: float, background: float | None
) -> LiverView | None:
    """The view of one slice; None where it holds no liver.

    liver       (R, C) bool
    midline_mm  world LPS x of the body's midline
    """
    window = _window(liver)
    if window is None:
        return None
    cropped = liver[window]
    holes = small_holes(cropped, hole_mm2 / image.plane.pixel_area_mm2)
    rows, columns = np.ogrid[window]
    left, back = _left_and_back(image, rows, columns)
    centre = float(np.mean(left[cropped])), float(np.mean(back[cropped]))
    return LiverView(
        window=window,
        spacing_mm=image.plane.spacing_mm,
        liver=cropped,
        holes=holes,
        depth_mm=depth_mm(cropped | holes, image.plane.spacing_mm),
        magnitude=image.magnitude[window],
        stiffness_kpa=None if image.stiffness_kpa is None else image.stiffness_kpa[window],
        confidence=None if image.confidence is None else image.confidence[window],
        to_right_mm=midline_mm - left,
        outward=-(left - centre[0] + back - centre[1]) / np.float32(np.sqrt(2)),
        background=background,
    )


def _window(liver: np.ndarray) -> tuple[slice, slice] | None:
    """The liver's bounding box with one pixel around it, so that only the image border can cut the liver."""
    rows, columns = np.flatnonzero(liver.any(axis=1)), np.flatnonzero(liver.any(axis=0))
    if rows.size == 0:
        return None
    return (
        slice(max(int(rows[0]) - 1, 0), min(int(rows[-1]) + 2, liver.shape[0])),
        slice(max(int(columns[0]) - 1, 0), min(int(columns[-1]) + 2, liver.shape[1])),
    )


def _left_and_back(image: Slice, rows: np.ndarray, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """World LPS x and y (H, W) float32, mm, of pixel centres."""
    plane = image.plane
    left, back = (
        plane.origin_mm[axis]
        + rows * (plane.spacing_mm[0] * plane.to_next_row[axis])
        + columns * (plane.spacing_mm[1] * plane.to_next_column[axis])
        for axis in (0, 1)
    )
    return left.astype(np.float32), back.astype(np.float32)


def body_midline_mm(image: Slice) -> float:
    """World LPS x of the body's midline: the middle of what is bright along left-right in one slice.

    Arms count on both sides alike; noise and zeroed borders do not count.
    """
    bright = image.magnitude > 0.2 * np.percentile(image.magnitude, 95)
    rows, columns = np.nonzero(bright)
    if rows.size == 0:
        rows, columns = np.indices(image.magnitude.shape).reshape(2, -1)
    left = image.plane.world_mm(rows, columns)[:, 0]
    return float(np.percentile(left, [2, 98]).mean())
