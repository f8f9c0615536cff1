"""One exam through one network: outline, region and stiffness by the rules of `analyze`, beside the reference."""

from collections.abc import Mapping

import numpy as np

from livermre.evaluate.purity import purity
from livermre.exam.errors import LivermreError
from livermre.exam.reasons import Reason
from livermre.exam.types import Exam, LiverMask, Roi
from livermre.roi import draw_roi, draw_with_variants
from livermre.segment import Segmenter
from livermre.stiffness import calibrated, mean_kpa, measure
from livermre.study.entry import blocking
from livermre.study.reading import Loaded
from livermre.study.scores import Reading, compare_exam, compare_region, slice_spacing_mm
from livermre.study.settings import StudySettings


def read_exam(name: str, loaded: Loaded, segmenter: Segmenter, settings: StudySettings) -> tuple[Reading, np.ndarray]:
    """What a network makes of an exam, and its outline (S, R, C) bool.

    A failure inside is an outcome too: a reading with `error` and an empty outline, compared as that.
    """
    try:
        liver = segmenter.segment(loaded.exam)
        return _compared(name, loaded, liver, settings), liver.liver
    except LivermreError as error:
        nothing = np.zeros(loaded.exam.shape, bool)
        whole, slices = compare_exam(nothing, loaded.liver, spacing_mm(loaded.exam), settings.tolerance_mm)
        return Reading(name, whole, slices, error=str(error)), nothing


def _compared(name: str, loaded: Loaded, liver: LiverMask, settings: StudySettings) -> Reading:
    exam = loaded.exam
    spacing = spacing_mm(exam)
    whole, slices = compare_exam(liver.liver, loaded.liver, spacing, settings.tolerance_mm)
    if exam.stiffness_kpa is None:
        return Reading(name, whole, slices, blocking=("no_map",))
    region, redrawn = draw_with_variants(exam, liver, settings.roi)
    measured = measure(exam, liver, region, settings.measure)
    measured = calibrated(exam, region, measured, [mean_kpa(exam, r) for r in redrawn], settings.interval)
    reference = draw_roi(exam, _as_liver(loaded.liver), settings.roi)
    silenced = bool(blocking(measured))  # an interval too wide to report is known only after the mean
    return Reading(
        name,
        whole,
        slices,
        compare_region(region.keep, reference.keep, spacing),
        dict(purity(region.keep, places(loaded, reference)).share),
        None if silenced else measured.mean_kpa,
        None if silenced else measured.interval_95_kpa,
        float(region.keep.sum() * exam.pixel_area_mm2),
        blocking(measured),
    )


def spacing_mm(exam: Exam) -> tuple[float, float, float]:
    """(slice, row, column) distance of centres, mm."""
    apart = slice_spacing_mm(exam.positions_mm, exam.slices[0].plane.thickness_mm)
    return apart, float(exam.spacing_mm[0]), float(exam.spacing_mm[1])


def places(loaded: Loaded, reference: Roi) -> Mapping[str, np.ndarray]:
    """Where stiffness should not be read, by the reference: masks (S, R, C) bool by name."""
    dropped = reference.dropped
    vessel = (dropped & Reason.VESSEL) > 0
    if loaded.parenchyma is not None:
        vessel = loaded.liver & ~loaded.parenchyma  # a simulated liver: known, not judged by brightness
    return {
        "outside the liver": ~loaded.liver,
        "edge": (dropped & Reason.EDGE) > 0,
        "vessel or lesion": vessel,
        "low confidence": (dropped & Reason.LOW_CONFIDENCE) > 0,
    }


def _as_liver(mask: np.ndarray) -> LiverMask:
    return LiverMask(mask.astype(np.float32), mask, None)
