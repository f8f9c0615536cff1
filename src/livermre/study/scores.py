"""How one outline and one region compare with the reference: the plain values that every run keeps of every exam."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from livermre.evaluate.overlap import Overlap, overlap
from livermre.evaluate.surface import SurfaceDistance, exam_distance, slice_distance


@dataclass(frozen=True)
class MaskScore:
    """Two masks compared: what they share and how far their borders lie apart.

    both, found, true  sizes, mm2 of a slice or mm3 of an exam
    """

    both: float
    found: float
    true: float
    unit: str
    hd95_mm: float | None = None
    assd_mm: float | None = None
    surface_dice: float | None = None

    @property
    def overlap(self) -> Overlap:
        """Dice, IoU, precision, recall and their like."""
        return Overlap(self.both, self.found, self.true, self.unit)


@dataclass(frozen=True)
class Reading:
    """One exam as one run, or one program, read it.

    whole      the liver of the exam against the reference; None where there is no mask to compare
    slices     the same, slice by slice, foot to head
    region     the measured region against the one that the same rules draw inside the reference
    purity     share of the region's pixels on each place to avoid, by name; empty where there is no region
    kpa        mean stiffness of the region, kPa; None where not reportable
    interval_95  kPa; None where there is none
    blocking   codes of the flags that forbid a number
    error      why the exam could not be read at all; empty where it could
    """

    exam: str
    whole: MaskScore | None = None
    slices: tuple[MaskScore, ...] = ()
    region: MaskScore | None = None
    purity: Mapping[str, float | None] = field(default_factory=dict)
    kpa: float | None = None
    interval_95: tuple[float, float] | None = None
    region_area_mm2: float = 0.0
    blocking: tuple[str, ...] = ()
    error: str = ""


def reading_from(values: Mapping) -> Reading:
    """The reading that `dataclasses.asdict` and JSON made plain."""
    plain = dict(values)
    for name in ("whole", "region"):
        plain[name] = None if plain[name] is None else MaskScore(**plain[name])
    plain["slices"] = tuple(MaskScore(**s) for s in plain["slices"])
    plain["blocking"] = tuple(plain["blocking"])
    interval = plain["interval_95"]
    plain["interval_95"] = None if interval is None else (interval[0], interval[1])
    return Reading(**plain)


def compare_exam(
    found: np.ndarray, true: np.ndarray, spacing_mm: Sequence[float], tolerance_mm: float
) -> tuple[MaskScore, tuple[MaskScore, ...]]:
    """The score of an exam and of each of its slices.

    found, true   (S, R, C) bool
    spacing_mm    (slice, row, column) distance of centres, mm
    tolerance_mm  of the surface Dice
    """
    whole = _score(overlap(found, true, spacing_mm), exam_distance(found, true, spacing_mm, tolerance_mm=tolerance_mm))
    in_plane = tuple(spacing_mm)[1:]
    slices = tuple(
        _score(overlap(f, t, in_plane), slice_distance(f, t, in_plane, tolerance_mm=tolerance_mm))
        for f, t in zip(found, true, strict=True)
    )
    return whole, slices


def compare_region(found: np.ndarray, true: np.ndarray, spacing_mm: Sequence[float]) -> MaskScore:
    """Overlap alone of two regions (S, R, C) bool."""
    o = overlap(found, true, spacing_mm)
    return MaskScore(o.both, o.found, o.true, o.unit)


def _score(o: Overlap, d: SurfaceDistance) -> MaskScore:
    return MaskScore(o.both, o.found, o.true, o.unit, d.hd95_mm, d.assd_mm, d.surface_dice)


def slice_spacing_mm(positions_mm: Sequence[float], thickness_mm: float) -> float:
    """Distance of neighbouring slices; the thickness of a lone slice (1 mm where even that is unknown)."""
    steps = np.diff(positions_mm)
    return float(np.median(steps)) if steps.size else thickness_mm or 1.0
