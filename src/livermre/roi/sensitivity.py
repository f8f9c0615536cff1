"""The region redrawn under small changes: how much the number hangs on choices that others would make differently."""

from dataclasses import replace

from livermre.exam.types import Exam, LiverMask, Roi
from livermre.roi.region import Prepared, compose, prepare
from livermre.roi.settings import RoiSettings

OUTLINE_MM = 2.0
"""Two careful readers' liver outlines differ by about this much (project's choice)."""

MARGIN_MM = 3.0
"""Margins from a few mm to half a wavelength are in use; 10 +- 3 mm spans most of it (project's choice)."""

CONFIDENCE = 0.02
"""Change of the confidence threshold (project's choice)."""


def draw_with_variants(
    exam: Exam, liver: LiverMask, settings: RoiSettings | None = None
) -> tuple[Roi, tuple[Roi, ...]]:
    """The region and its redraws, sharing what is costly: use this where both are needed."""
    settings = settings or RoiSettings()
    prepared = prepare(exam, liver, settings)
    return compose(prepared, exam.shape, settings), _redraws(prepared, exam, settings)


def variants(exam: Exam, liver: LiverMask, settings: RoiSettings | None = None) -> tuple[Roi, ...]:
    """Six redraws: outline 2 mm out and in, margin 3 mm less and more, threshold 0.02 less and more.

    An outline moved by a length is a margin changed by that length: one distance transform serves all. No redraw
    reaches beyond the outline. Without a confidence map the last two equal the region itself.
    """
    settings = settings or RoiSettings()
    return _redraws(prepare(exam, liver, settings), exam, settings)


def variant_settings(settings: RoiSettings) -> tuple[RoiSettings, ...]:
    """The settings of the six redraws, in the order of `variants`."""
    margins = [settings.erode_mm + change for change in (-OUTLINE_MM, OUTLINE_MM, -MARGIN_MM, MARGIN_MM)]
    thresholds = [settings.confidence_threshold + change for change in (-CONFIDENCE, CONFIDENCE)]
    return (
        *(replace(settings, erode_mm=max(m, 0.0)) for m in margins),
        *(replace(settings, confidence_threshold=min(max(t, 0.0), 1.0)) for t in thresholds),
    )


def _redraws(prepared: tuple[Prepared | None, ...], exam: Exam, settings: RoiSettings) -> tuple[Roi, ...]:
    return tuple(compose(prepared, exam.shape, changed) for changed in variant_settings(settings))
