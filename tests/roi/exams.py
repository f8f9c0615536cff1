"""Small exams with known shapes for the tests of region and measurement, and the real one."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from livermre.exam.plane import Plane
from livermre.exam.types import Acquisition, Exam, LiverMask, Slice

ROOT = Path(__file__).parents[2]
REAL = ROOT.parent / "shared" / "data" / "ge-mrtouch"
CONTOURS = ROOT / "tests" / "fixtures" / "ge_mrtouch_liver_contours.json"
GE_60 = Acquisition("GE", 1.5, 60.0, "2D GRE", "2D")


def plane(shape: tuple[int, int], spacing_mm: tuple[float, float], z_mm: float = 0.0, **directions: tuple) -> Plane:
    """An axial plane whose middle is the world's origin, rows to the back and columns to the left unless told."""
    down, right = directions.get("to_next_row", (0.0, 1.0, 0.0)), directions.get("to_next_column", (1.0, 0.0, 0.0))
    middle = [(n - 1) / 2 * step for n, step in zip(shape, spacing_mm, strict=True)]
    origin = -middle[0] * np.asarray(down) - middle[1] * np.asarray(right) + (0, 0, z_mm)
    return Plane(shape, spacing_mm, tuple(origin), down, right, 8.0)


def positions_mm(shape: tuple[int, int], spacing_mm: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Distance of each pixel centre to the middle along rows and columns, mm."""
    r, c = np.indices(shape)
    return (r - (shape[0] - 1) / 2) * spacing_mm[0], (c - (shape[1] - 1) / 2) * spacing_mm[1]


def disc(shape: tuple[int, int], spacing_mm: tuple[float, float], radius_mm: float) -> np.ndarray:
    return np.hypot(*positions_mm(shape, spacing_mm)) <= radius_mm


def exam_of(
    stiffness: Sequence[np.ndarray],
    magnitude: Sequence[np.ndarray] | None = None,
    confidence: Sequence[np.ndarray | None] | None = None,
    spacing_mm: tuple[float, float] = (2.0, 2.0),
    acquisition: Acquisition = GE_60,
) -> Exam:
    """An exam of slices 10 mm apart: even brightness and full confidence unless told."""
    shape = stiffness[0].shape
    magnitude = magnitude or [np.full(shape, 100.0)] * len(stiffness)
    confidence = confidence or [np.ones(shape)] * len(stiffness)
    slices = [
        Slice(plane(shape, spacing_mm, 10.0 * z), m, k, c)
        for z, (k, m, c) in enumerate(zip(stiffness, magnitude, confidence, strict=True))
    ]
    return Exam(tuple(slices), acquisition, "phantom")


def mask_of(liver: np.ndarray) -> LiverMask:
    return LiverMask(liver.astype(np.float32), liver, None)


def correlated_noise(rng: np.random.Generator, shape: tuple[int, ...], sigma_px: float) -> np.ndarray:
    """Gaussian noise of variance 1 whose slices are smooth over `sigma_px`; correlation exp(-d^2 / 4 sigma^2)."""
    noise = ndimage.gaussian_filter(rng.standard_normal(shape), (0, sigma_px, sigma_px), mode="wrap")
    return noise * np.sqrt(4 * np.pi) * sigma_px


def real_exam() -> tuple[Exam, LiverMask]:
    """The real GE exam with the hand contours; skips by name where either is absent."""
    if not REAL.exists():
        pytest.skip("shared/data/ge-mrtouch is absent")
    if not CONTOURS.exists():
        pytest.skip("tests/fixtures/ge_mrtouch_liver_contours.json is absent")
    from livermre.dicom import read

    exam = read([REAL / "dicom"])[0].exam
    return exam, mask_of(_contours(exam))


def _contours(exam: Exam) -> np.ndarray:
    liver = np.zeros(exam.shape, bool)
    for entry in json.loads(CONTOURS.read_text())["slices"]:
        z = int(np.argmin([abs(s.plane.origin_mm[2] - entry["z_mm"]) for s in exam.slices]))
        for polygon in entry["polygons"]:
            liver[z] |= inside_polygon(np.asarray(polygon), exam.shape[1:])
    return liver


def inside_polygon(points: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Pixels (R, C) bool whose centre lies inside a polygon of (column, row), by the even-odd rule."""
    rows, columns = np.indices(shape)
    inside = np.zeros(shape, bool)
    for (c0, r0), (c1, r1) in zip(points, np.roll(points, -1, axis=0), strict=True):
        if r0 != r1:
            crosses = (r0 > rows) != (r1 > rows)
            inside ^= crosses & (columns < (c1 - c0) * (rows - r0) / (r1 - r0) + c0)
    return inside
