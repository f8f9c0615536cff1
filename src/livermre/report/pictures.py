"""What all pages draw, computed once: turned and cropped tiles, their lines in mm, histograms, areas by reason."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from livermre.exam.reasons import Reason
from livermre.exam.types import Exam, Finding
from livermre.report.colours import stiffness_index
from livermre.report.outline import body, hatching, outlines
from livermre.report.upright import Upright, upright

HISTOGRAM_STEP_KPA = 0.2
HISTOGRAM_TOP_KPA = 8.0
"""Stiffer pixels are counted in the last column, as they take the last colour of the scale."""

DEFAULT_CONFIDENCE = 0.95
"""The 95 % mask of doi 10.1007/s00261-015-0372-5; used when the settings of the finding name no threshold."""

_HATCH_MM = 7.5
"""Distance of the hatching across the picture: wide enough to see what lies below."""


@dataclass(frozen=True)
class SlicePictures:
    """One slice, ready to draw; lines are (x, y) in mm from the tile's upper left corner.

    magnitude, confidence   (R, C) uint8 grey; confidence None without a map
    stiffness               (R, C) uint8, index into colours.palette(); None without a map
    liver, region           closed outlines, each (N, 2)
    hatch                   (N, 2, 2) strokes [start, end] over the part of low confidence
    histogram_mm2           area of kept pixels in each column
    dropped_mm2             area by reason, each pixel counted once
    """

    magnitude: np.ndarray
    stiffness: np.ndarray | None
    confidence: np.ndarray | None
    liver: list[np.ndarray]
    region: list[np.ndarray]
    hatch: np.ndarray
    histogram_mm2: np.ndarray
    dropped_mm2: dict[Reason, float]


@dataclass(frozen=True)
class Pictures:
    """Every slice on one crop and one scale.

    size_mm      (width, height) of a tile
    letters      (left, right, top, bottom) of every tile
    threshold    confidence below which the tiles are hatched
    window       (rows, columns) of the turned image that the tiles show
    """

    slices: tuple[SlicePictures, ...]
    size_mm: tuple[float, float]
    letters: tuple[str, str, str, str]
    threshold: float
    window: tuple[slice, slice]

    @property
    def aspect(self) -> float:
        """Width over height of a tile."""
        return self.size_mm[0] / self.size_mm[1]

    histogram_step_kpa: float = HISTOGRAM_STEP_KPA

    @property
    def histogram_peak_mm2(self) -> float:
        """The tallest histogram column of all slices: their common upper end."""
        return max(float(s.histogram_mm2.max()) for s in self.slices)

    @property
    def dropped_mm2(self) -> dict[Reason, float]:
        """Area left out for each reason, all slices together, largest first; reasons that never struck are absent."""
        total = {r: sum(s.dropped_mm2.get(r, 0.0) for s in self.slices) for r in Reason}
        return dict(sorted(((r, a) for r, a in total.items() if a > 0), key=lambda pair: -pair[1]))


def pictures(finding: Finding) -> Pictures:
    """Everything that the pages draw of one finding."""
    exam = finding.exam
    turn = upright(exam.slices[0].plane)
    bodies = np.stack([turn.apply(body(s.magnitude)) for s in exam.slices])
    liver = turn.apply(finding.liver.liver)
    window = _window(bodies, np.asarray(liver.any(axis=0)))
    threshold = confidence_threshold(finding.provenance.settings)
    grey_top = _grey_top(exam, finding.liver.liver)
    slices = tuple(
        _slice_pictures(finding, i, turn, window, bodies[i][window], threshold, grey_top)
        for i in range(len(exam.slices))
    )
    height, width = slices[0].magnitude.shape
    size_mm = (width * turn.spacing_mm[1], height * turn.spacing_mm[0])
    return Pictures(slices, size_mm, turn.letters, threshold, window)


def confidence_threshold(settings: Mapping[str, object]) -> float:
    """The `confidence_threshold` that the settings name, of whichever stage, or the vendors' 0.95."""
    found = [
        v for k, v in flat(settings) if k.endswith("confidence_threshold") and isinstance(v, int | float) and 0 < v <= 1
    ]
    return float(found[0]) if found else DEFAULT_CONFIDENCE


def flat(settings: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    """Nested settings as ("roi.erode_mm", value) pairs, in their order."""
    for key, value in settings.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _window(bodies: np.ndarray, liver: np.ndarray) -> tuple[slice, slice]:
    """Rows and columns around the bodies (S, R, C) and the liver (R, C), with a margin of 2 % of the image."""
    inside = bodies.any(axis=0)
    spans = []
    for axis, length in enumerate(inside.shape):
        filled = inside.sum(axis=1 - axis)
        # a body is broad almost to its ends: narrow lines at the ends are ghosts or an arm
        at = np.nonzero((filled > 0.2 * filled.max()) | liver.any(axis=1 - axis))[0]
        margin = max(1, round(0.02 * length))
        spans.append(slice(max(0, int(at[0]) - margin), min(length, int(at[-1]) + margin + 1)))
    return spans[0], spans[1]


def _grey_top(exam: Exam, liver: np.ndarray) -> float:
    """The magnitude shown white: bright fat may saturate, the liver may not."""
    magnitude = np.where(np.isfinite(exam.magnitude), exam.magnitude, 0)
    top = float(np.percentile(magnitude[:, ::2, ::2], 99))
    inside = magnitude[liver]
    liver_top = 1.1 * float(np.percentile(inside, 95)) if inside.size else 0.0
    return max(top, liver_top) or 1.0


def _slice_pictures(
    finding: Finding,
    index: int,
    turn: Upright,
    window: tuple[slice, slice],
    inside: np.ndarray,
    threshold: float,
    grey_top: float,
) -> SlicePictures:
    source = finding.exam.slices[index]

    def tile(image: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(turn.apply(image)[window])

    liver, keep = tile(finding.liver.liver[index]), tile(finding.roi.keep[index])
    inside = inside | liver
    stiffness = confidence = None
    unsure = np.zeros(inside.shape, dtype=bool)
    if source.stiffness_kpa is not None:
        stiffness = stiffness_index(np.where(inside, tile(source.stiffness_kpa), np.nan))
    if source.confidence is not None:
        values = tile(source.confidence)
        confidence = _grey(np.where(inside, values, 0), 1.0, gamma=1.0)
        unsure = inside & ~(values >= threshold)
    step = max(2, round(_HATCH_MM / turn.spacing_mm[1]))
    return SlicePictures(
        magnitude=_grey(tile(source.magnitude), grey_top, gamma=0.8),
        stiffness=stiffness,
        confidence=confidence,
        liver=[_to_mm(line, turn.spacing_mm) for line in outlines(liver)],
        region=[_to_mm(line, turn.spacing_mm) for line in outlines(keep)],
        hatch=_to_mm(hatching(unsure, step), turn.spacing_mm),
        histogram_mm2=_histogram(finding, index),
        dropped_mm2=_dropped(finding.roi.dropped[index], finding.exam.pixel_area_mm2),
    )


def _grey(image: np.ndarray, top: float, gamma: float) -> np.ndarray:
    share = np.clip(np.nan_to_num(image) / top, 0, 1)
    return np.rint(255 * (share if gamma == 1 else share**gamma)).astype(np.uint8)


def _to_mm(points: np.ndarray, spacing_mm: tuple[float, float]) -> np.ndarray:
    """(..., 2) of (row, column) at pixel centres to (x, y) in mm from the tile's corner, half a pixel before them."""
    return (points[..., ::-1] + 0.5) * np.array([spacing_mm[1], spacing_mm[0]])


def _histogram(finding: Finding, index: int) -> np.ndarray:
    """Area (mm2) of the kept pixels by stiffness, columns of HISTOGRAM_STEP_KPA."""
    edges = np.linspace(0, HISTOGRAM_TOP_KPA, round(HISTOGRAM_TOP_KPA / HISTOGRAM_STEP_KPA) + 1)
    stiffness = finding.exam.slices[index].stiffness_kpa
    if stiffness is None:
        return np.zeros(len(edges) - 1)
    kept = stiffness[finding.roi.keep[index]]
    kept = np.clip(kept[np.isfinite(kept)], 0, HISTOGRAM_TOP_KPA - 1e-6)
    return np.histogram(kept, edges)[0] * finding.exam.pixel_area_mm2


def _dropped(bits: np.ndarray, pixel_area_mm2: float) -> dict[Reason, float]:
    """Area by reason; a pixel with several reasons counts for the first in the order of the registry."""
    struck = bits[bits > 0]
    lowest = struck & (~struck + np.uint16(1))
    return {r: int(np.count_nonzero(lowest == r.value)) * pixel_area_mm2 for r in Reason if np.any(lowest == r.value)}
