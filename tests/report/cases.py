"""Findings to draw: a bright ellipse of a body with a disc of a liver, in one line, seeded, with known numbers."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from livermre.exam.flags import Flag, flag
from livermre.exam.plane import Plane
from livermre.exam.reasons import Reason
from livermre.exam.types import (
    Acquisition,
    Change,
    Exam,
    Finding,
    LiverMask,
    ModelCard,
    Provenance,
    Roi,
    Slice,
    SliceStiffness,
    Stage,
    Stiffness,
)

BANDS = ("normal", "normal or inflammation", "stage 1-2", "stage 2-3", "stage 3-4", "stage 4 or cirrhosis")
CUTOFFS = (2.5, 2.9, 3.5, 4.0, 5.0)

HOSTILE = "<script>alert('x')</script>\"&{{ 7 * 7 }}"

CHANGE = Change(3.9, 0.62, 15.9, False, 19.0, "Same scanner, sequence, frequency and field as the earlier exam.")


def disc(shape: tuple[int, int], row: float, column: float, radius: float) -> np.ndarray:
    """A disc as a bool mask."""
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    return (rows - row) ** 2 + (columns - column) ** 2 <= radius**2


def finding(
    slices: int = 4,
    shape: tuple[int, int] = (64, 80),
    spacing_mm: tuple[float, float] = (5.0, 4.5),
    kpa: float = 3.2,
    *,
    confidence: bool = True,
    stage: bool = True,
    interval: bool = True,
    change: Change | None = None,
    flags: tuple[Flag, ...] = (),
    acquisition: Acquisition | None = None,
    pseudonym: str = "exam-7f3a91",
    settings: Mapping[str, object] | None = None,
) -> Finding:
    """A finding over `slices` slices whose liver shrinks towards the head; blocking flags take its numbers away."""
    rng = np.random.default_rng(3)
    made = [_one(rng, i, shape, spacing_mm, kpa, confidence) for i in range(slices)]
    exam = Exam(tuple(m[0] for m in made), acquisition or _acquisition(), pseudonym)
    liver, keep, dropped = (np.stack([m[k] for m in made]) for k in (1, 2, 3))
    found = _measure(exam, liver, keep, interval, flags)
    card = ModelCard("liver-unet-resnext50", "1", "9f2c" * 16)
    mean = found.mean_kpa
    return Finding(
        exam,
        LiverMask(liver.astype(np.float32), liver, card),
        Roi(keep, dropped),
        found,
        _stage(mean, interval) if stage and mean is not None else None,
        _provenance(settings),
        change,
    )


def blocked(slices: int = 4) -> Finding:
    """A finding that must not show a number although its pixels have values."""
    return finding(slices, flags=(flag("no_waves", percent=3), flag("dark_liver", ratio=2.1)))


def unmeasured() -> Finding:
    """A finding as the pipeline makes it when nothing could be measured: None everywhere."""
    base = blocked()
    rows = tuple(
        replace(
            r, mean_kpa=None, sd_kpa=None, median_kpa=None, iqr_kpa=None, pixels=0, area_mm2=0.0, valid_fraction=0.0
        )
        for r in base.stiffness.slices
    )
    found = replace(base.stiffness, slices=rows, mean_kpa=None, sd_kpa=None, between_slice_sd_kpa=None, area_mm2=0.0)
    found = replace(found, pixels=0, interval_95_kpa=None, repeat_interval_95_kpa=None)
    empty = np.zeros_like(base.roi.keep)
    dropped = np.where(base.liver.liver, np.uint16(Reason.LOW_CONFIDENCE), np.uint16(0))
    return replace(base, stiffness=found, roi=Roi(empty, dropped), stage=None)


def _acquisition() -> Acquisition:
    return Acquisition("GE", 1.5, 60.0, "MR-Touch 2D GRE", "2D")


def _one(
    rng: np.random.Generator,
    index: int,
    shape: tuple[int, int],
    spacing_mm: tuple[float, float],
    kpa: float,
    confidence: bool,
) -> tuple[Slice, np.ndarray, np.ndarray, np.ndarray]:
    rows, columns = shape
    r, c = np.mgrid[:rows, :columns]
    inside = ((r - rows / 2) / (0.36 * rows)) ** 2 + ((c - columns / 2) / (0.42 * columns)) ** 2 <= 1
    size = min(shape)
    liver = disc(shape, rows * 0.48, columns * 0.36, size * (0.24 - 0.01 * (index % 8)))
    core = disc(shape, rows * 0.48, columns * 0.36, size * (0.19 - 0.01 * (index % 8)))
    vessel = disc(shape, rows * 0.5, columns * 0.34, size * 0.03)
    magnitude = 300.0 * inside + 60.0 * liver + 220.0 * vessel + rng.normal(0, 12, shape)
    stiffness = kpa + 0.15 * (index % 3) + 0.35 * rng.normal(size=shape) + 0.5 * np.sin(c / size * 20)
    stiffness = np.where(disc(shape, 3, columns * 0.8, 2), np.nan, np.clip(stiffness, 0.1, None))
    sure = np.clip(0.99 - 0.6 * ((c / columns) - 0.35).clip(0) + 0.01 * rng.normal(size=shape), 0, 1)
    dropped = np.zeros(shape, np.uint16)
    dropped[liver & ~core] |= np.uint16(Reason.EDGE)
    dropped[liver & vessel] |= np.uint16(Reason.VESSEL)
    if confidence:
        dropped[liver & (sure < 0.95)] |= np.uint16(Reason.LOW_CONFIDENCE)
    plane = Plane(shape, spacing_mm, (-180.0, -160.0, 10.0 * index), (0, 1, 0), (1, 0, 0), 10.0)
    made = Slice(plane, np.abs(magnitude), stiffness, sure if confidence else None)
    return made, liver, liver & (dropped == 0), dropped


def _measure(exam: Exam, liver: np.ndarray, keep: np.ndarray, interval: bool, flags: tuple[Flag, ...]) -> Stiffness:
    area = exam.pixel_area_mm2
    rows = []
    for s, inside, kept in zip(exam.slices, liver, keep):
        values = s.stiffness_kpa[kept]
        low, high = (float(v) for v in np.percentile(values, [25, 75]))
        share = float(kept.sum() / inside.sum())
        marks = (flag("slice_small_area", area_mm2=values.size * area),) if values.size * area < 4000 else ()
        rows.append(
            SliceStiffness(
                s.plane.position_mm, float(values.mean()), float(values.std()), float(np.median(values)), (low, high),
                values.size * area, values.size, float(inside.sum()) * area, share, marks,
            )
        )  # fmt: skip
    values = exam.stiffness_kpa[keep]
    mean = float(values.mean())
    near, far = ((0.94 * mean, 1.07 * mean), (0.8 * mean, 1.22 * mean)) if interval else (None, None)
    spread = float(np.std([r.mean_kpa for r in rows]))
    return Stiffness(
        tuple(rows), mean, float(values.std()), spread, values.size * area, values.size, near, far, tuple(flags)
    )


def _stage(mean: float, interval: bool) -> Stage:
    at = int(np.searchsorted(CUTOFFS, mean, side="right"))
    weights = np.exp(-1.5 * np.abs(np.arange(len(BANDS)) - at))
    chances = dict(zip(BANDS, (weights / weights.sum()).tolist())) if interval else None
    source = "ACR/RSNA RadElement RDES149, liver elastography on MR, 2D GRE at 60 Hz"
    margin = min(abs(mean - c) for c in CUTOFFS)
    return Stage("rdes149", 60.0, BANDS[at], chances, margin, CUTOFFS, BANDS, source)


def _provenance(settings: Mapping[str, object] | None) -> Provenance:
    default = {"roi": {"erode_mm": 10.0, "confidence_threshold": 0.95}, "stiffness": {"table": "rdes149"}}
    versions = {"numpy": "2.4.6", "openvino": "2026.4"}
    return Provenance(
        "0.1.0", "liver-unet-resnext50", "9f2c" * 16, settings or default, "ab12" * 16, "vendor", versions
    )
