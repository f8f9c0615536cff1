"""From liver to region: rules applied slice by slice, every dropped pixel with its reasons."""

from dataclasses import dataclass

import numpy as np

from livermre.exam.background import background_level
from livermre.exam.errors import Contradiction
from livermre.exam.reasons import Reason
from livermre.exam.types import Exam, LiverMask, Roi
from livermre.roi.grid import islands
from livermre.roi.rules import FIXED_RULES, VARIED_RULES
from livermre.roi.settings import RoiSettings
from livermre.roi.view import LiverView, body_midline_mm, view_of


@dataclass(frozen=True)
class Prepared:
    """A slice's view with the reason bits (H, W) uint16 that do not depend on margin or threshold."""

    view: LiverView
    fixed: np.ndarray


def draw_roi(exam: Exam, liver: LiverMask, settings: RoiSettings | None = None) -> Roi:
    """The region of an exam by the published rules.

    Raises Contradiction where the liver mask does not fit the exam.
    """
    settings = settings or RoiSettings()
    return compose(prepare(exam, liver, settings), exam.shape, settings)


def given_roi(exam: Exam, mask: np.ndarray) -> Roi:
    """A region that a person or another program drew: measured as it is, without pixels that have no value.

    mask  (S, R, C) bool or 0/1

    Raises Contradiction where the mask does not fit the exam.
    """
    mask = np.asarray(mask).astype(bool)
    _check_shape("region", mask.shape, exam.shape)
    stiffness = exam.stiffness_kpa
    valued = np.zeros(exam.shape, bool) if stiffness is None else np.isfinite(stiffness) & (stiffness > 0)
    dropped = np.where(mask & ~valued, np.uint16(Reason.NO_VALUE), np.uint16(0))
    return Roi(mask & valued, dropped, author="given")


def prepare(exam: Exam, liver: LiverMask, settings: RoiSettings) -> tuple[Prepared | None, ...]:
    """The costly half of the drawing, slice by slice; None for slices without liver.

    Raises Contradiction where the liver mask does not fit the exam.
    """
    _check_shape("liver mask", liver.liver.shape, exam.shape)
    background = background_level(exam.magnitude)
    prepared: list[Prepared | None] = []
    for image, mask in zip(exam.slices, liver.liver, strict=True):
        midline = body_midline_mm(image) if settings.right_lobe_only else 0.0
        view = view_of(image, mask, settings.hole_mm2, midline, background)
        prepared.append(None if view is None else Prepared(view, _bits(view, settings, FIXED_RULES)))
    return tuple(prepared)


def compose(prepared: tuple[Prepared | None, ...], shape: tuple[int, int, int], settings: RoiSettings) -> Roi:
    """The region on the exam's grid from prepared slices, with the margin and threshold of the settings."""
    keep, dropped = np.zeros(shape, bool), np.zeros(shape, np.uint16)
    for z, slice_ in enumerate(prepared):
        if slice_ is not None:
            view = slice_.view
            bits = slice_.fixed | _bits(view, settings, VARIED_RULES)
            left = view.liver & (bits == 0)
            specks = islands(left, settings.speck_mm2 / view.pixel_area_mm2, at_least=False)
            bits[specks] = Reason.SPECK
            keep[z][view.window] = left & ~specks
            dropped[z][view.window] = bits * view.liver
    return Roi(keep, dropped)


def _bits(view: LiverView, settings: RoiSettings, rules: tuple) -> np.ndarray:
    bits = np.zeros(view.liver.shape, np.uint16)
    for reason, rule in rules:
        bits |= rule(view, settings) * np.uint16(reason)
    return bits


def _check_shape(name: str, found: tuple[int, ...], expected: tuple[int, ...]) -> None:
    if found != expected:
        words = [" x ".join(str(n) for n in s) for s in (found, expected)]
        raise Contradiction(f"the {name} is {words[0]} (slices, rows, columns) but the exam is {words[1]}")
