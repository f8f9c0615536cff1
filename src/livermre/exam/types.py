"""The frozen types that every room speaks: arrays are read-only, index order [slice, row, column]."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from livermre.exam.errors import Contradiction, InputError
from livermre.exam.flags import Flag, Severity
from livermre.exam.plane import Plane

Dimension = Literal["2D", "3D"]


def read_only(array: np.ndarray, dtype: type | np.dtype | str) -> np.ndarray:
    """A read-only copy of an array in the given dtype (no copy where it already is both)."""
    array = np.asarray(array)
    if array.dtype == np.dtype(dtype) and not array.flags.writeable:
        return array
    copy = np.array(array, dtype=dtype)
    copy.flags.writeable = False
    return copy


def _freeze(thing: object, name: str, dtype: type | str) -> None:
    value = getattr(thing, name)
    if value is not None:
        object.__setattr__(thing, name, read_only(value, dtype))


@dataclass(frozen=True)
class Acquisition:
    """How the exam was acquired; None where the headers do not say (never a silent default).

    frequency_hz    of the driver; None where it is not known, or where there are several
    frequencies_hz  of each entry of the frequency axis, where there are several
    directions      towards which each entry of the direction axis counts: R or L, A or P, I or S; empty if not known
    """

    vendor: str
    field_t: float | None = None
    frequency_hz: float | None = None
    sequence: str = ""
    dimension: Dimension | None = None
    frequencies_hz: tuple[float, ...] = ()
    directions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Identity:
    """Who and when, for the page alone: never in finding.json, tables, logs or a repr."""

    patient_id: str = field(default="", repr=False)
    study_date: str = field(default="", repr=False)


@dataclass(frozen=True)
class Slice:
    """One slice on the grid of its stiffness map.

    magnitude      (R, C) float32, arbitrary unit
    stiffness_kpa  (R, C) float32, kPa, NaN = no value; None when the exam has no map
    confidence     (R, C) float32, 0..1; None when the exam has none
    phase_rad      (F, D, O, R, C) float32, rad: frequency, direction, offset, row, column; None when absent
    wave_rad       like phase_rad, the vendor's filtered wave; None when absent
    sources        names of the files that it came from, for provenance
    """

    plane: Plane
    magnitude: np.ndarray
    stiffness_kpa: np.ndarray | None = None
    confidence: np.ndarray | None = None
    phase_rad: np.ndarray | None = None
    wave_rad: np.ndarray | None = None
    sources: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raise Contradiction where an image does not fit its plane, InputError for confidence outside 0..1."""
        for name in ("magnitude", "stiffness_kpa", "confidence", "phase_rad", "wave_rad"):
            _freeze(self, name, "float32")
            image = getattr(self, name)
            if image is not None and image.shape[-2:] != self.plane.shape:
                raise Contradiction(f"{name} is {_size(image.shape[-2:])} but its plane says {_size(self.plane.shape)}")
        for name in ("phase_rad", "wave_rad"):
            image = getattr(self, name)
            if image is not None and image.ndim != 5:
                raise InputError(f"{name} needs 5 axes (frequency, direction, offset, row, column), found {image.ndim}")
        if self.confidence is not None and not _within(self.confidence, 0.0, 1.0):
            raise InputError("confidence must lie between 0 and 1")


def _size(shape: tuple[int, ...]) -> str:
    return " x ".join(str(n) for n in shape)


def _within(image: np.ndarray, low: float, high: float) -> bool:
    finite = image[np.isfinite(image)]
    return finite.size == 0 or bool(finite.min() >= low and finite.max() <= high)


@dataclass(frozen=True)
class Exam:
    """One acquisition: parallel slices foot to head on one in-plane grid.

    flags: what the reader noticed about the input (units by plausibility, gaps, duplicates ...).
    quantity: what stiffness_kpa is: "|G*|", or "rho c^2" where only the wave speed was found.
    inversion: how livermre made the map, plain JSON values (method, start, settings); None where it did not or where
        that is not known.
    """

    slices: tuple[Slice, ...]
    acquisition: Acquisition
    pseudonym: str
    flags: tuple[Flag, ...] = ()
    stiffness_source: Literal["vendor", "livermre"] = "vendor"
    quantity: str = "|G*|"
    inversion: Mapping[str, object] | None = None

    def __post_init__(self) -> None:
        """Raise InputError for no slices, Contradiction for mixed grids, tilted planes or a wrong order."""
        if not self.slices:
            raise InputError("an exam needs at least one slice")
        first = self.slices[0].plane
        for s in self.slices[1:]:
            if s.plane.shape != first.shape or not np.allclose(s.plane.spacing_mm, first.spacing_mm, rtol=1e-3):
                raise Contradiction(f"slices of one exam need one grid, found {first.shape} and {s.plane.shape}")
            if float(s.plane.normal @ first.normal) < 0.999:
                raise Contradiction("slices of one exam must be parallel")
        positions = [float(first.normal @ np.asarray(s.plane.origin_mm)) for s in self.slices]
        if any(b <= a for a, b in itertools.pairwise(positions)):
            raise Contradiction("slices of one exam must be ordered foot to head at different positions")

    @property
    def shape(self) -> tuple[int, int, int]:
        """(slices, rows, columns)."""
        return (len(self.slices), *self.slices[0].plane.shape)

    @property
    def spacing_mm(self) -> tuple[float, float]:
        """In-plane pixel spacing (row, column), mm."""
        return self.slices[0].plane.spacing_mm

    @property
    def pixel_area_mm2(self) -> float:
        """Area of one pixel, mm2."""
        return self.slices[0].plane.pixel_area_mm2

    @property
    def positions_mm(self) -> tuple[float, ...]:
        """Positions of the slices along the normal, mm, foot to head."""
        return tuple(s.plane.position_mm for s in self.slices)

    @property
    def magnitude(self) -> np.ndarray:
        """Magnitude (S, R, C) float32."""
        return np.stack([s.magnitude for s in self.slices])

    @property
    def stiffness_kpa(self) -> np.ndarray | None:
        """Stiffness (S, R, C) float32, kPa, NaN = no value; None when no slice has a map."""
        return _stack([s.stiffness_kpa for s in self.slices], np.nan)

    @property
    def confidence(self) -> np.ndarray | None:
        """Confidence (S, R, C) float32, 0..1, NaN where a slice lacks it; None when no slice has a map."""
        return _stack([s.confidence for s in self.slices], np.nan)


def _stack(images: list[np.ndarray | None], missing: float) -> np.ndarray | None:
    known = [i for i in images if i is not None]
    if not known:
        return None
    blank = np.full(known[0].shape, missing, dtype=np.float32)
    return np.stack([blank if i is None else i for i in images])


@dataclass(frozen=True)
class ModelCard:
    """Which network made a mask: name, version and the SHA-256 of its weights."""

    name: str
    version: str
    sha256: str


@dataclass(frozen=True)
class LiverMask:
    """Where the liver is.

    probability  (S, R, C) float32, 0..1
    liver        (S, R, C) bool
    """

    probability: np.ndarray
    liver: np.ndarray
    model: ModelCard | None  # None when a person or another program gave the mask
    flags: tuple[Flag, ...] = ()

    def __post_init__(self) -> None:
        """Raise Contradiction where the two arrays differ in shape."""
        _freeze(self, "probability", "float32")
        _freeze(self, "liver", "bool")
        if self.probability.shape != self.liver.shape:
            raise Contradiction(f"probability is {self.probability.shape} but the mask is {self.liver.shape}")


@dataclass(frozen=True)
class Roi:
    """The measured region.

    keep     (S, R, C) bool
    dropped  (S, R, C) uint16, reason bits (exam.reasons.Reason) of liver pixels left out; 0 where kept or not liver
    """

    keep: np.ndarray
    dropped: np.ndarray
    author: str = "livermre"

    def __post_init__(self) -> None:
        """Raise Contradiction where the arrays differ in shape or a kept pixel carries a reason."""
        _freeze(self, "keep", "bool")
        _freeze(self, "dropped", "uint16")
        if self.keep.shape != self.dropped.shape:
            raise Contradiction(f"region is {self.keep.shape} but its reasons are {self.dropped.shape}")
        if np.any(self.dropped[self.keep]):
            raise Contradiction("a kept pixel carries a reason for being dropped")


@dataclass(frozen=True)
class Waves:
    """What livermre's own inversion saw on its way to the stiffness map, for people who want to check it.

    wave_rad           (S, R, C) float32, rad, filtered shear wave at one moment of the cycle, 0 outside the body
    amplitude_rad      (S, R, C) float32, rad, its amplitude
    band_share         (S, R, C) float32, 0..1, energy at the driver's frequency over all in the shear waves' band that
                       changes with time; NaN where unknown; None where no slice tells
    short_share        (S, 2, R, C) float32, 0..1, what that band holds of itself and of waves too short for a liver,
                       these along columns and along rows; NaN where unknown; None where no slice tells
    vendor_kpa         (S, R, C) float32, kPa, the scanner's own map; None where it gave none
    vendor_confidence  (S, R, C) float32, 0..1, the scanner's own; None where it gave none
    compared           (S, R, C) bool, pixels in which the two maps are compared; None without a scanner's map
    harmonic_share     one a slice: energy at the driver's frequency over all that changes in time; None where unknown
    bulk_ratio         one a slice: amplitude of the filtered-away motion over that of the wave; None where unknown
    noise_rad          one a slice: standard deviation of the phase, rad; None where unknown
    agreement          ours against the scanner's over `compared`, numbers by name; None without enough pixels
    """

    method: str
    quantity: str
    wave_rad: np.ndarray
    amplitude_rad: np.ndarray
    harmonic_share: tuple[float | None, ...]
    bulk_ratio: tuple[float | None, ...]
    noise_rad: tuple[float | None, ...]
    band_share: np.ndarray | None = None
    short_share: np.ndarray | None = None
    vendor_kpa: np.ndarray | None = None
    vendor_confidence: np.ndarray | None = None
    compared: np.ndarray | None = None
    agreement: Mapping[str, float | None] | None = None

    def __post_init__(self) -> None:
        """Arrays are read-only."""
        for name in ("wave_rad", "amplitude_rad", "band_share", "short_share", "vendor_kpa", "vendor_confidence"):
            _freeze(self, name, "float32")
        _freeze(self, "compared", "bool")


@dataclass(frozen=True)
class SliceStiffness:
    """Stiffness of one slice; the numbers are None when no pixel could be measured (never 0)."""

    z_mm: float
    mean_kpa: float | None
    sd_kpa: float | None
    median_kpa: float | None
    iqr_kpa: tuple[float, float] | None  # 25th and 75th percentile
    area_mm2: float
    pixels: int
    liver_area_mm2: float
    valid_fraction: float  # measured share of the liver's area in this slice, 0..1
    flags: tuple[Flag, ...] = ()


@dataclass(frozen=True)
class Stiffness:
    """Stiffness of the exam; None when not measurable, with a blocking flag that says why."""

    slices: tuple[SliceStiffness, ...]
    mean_kpa: float | None
    sd_kpa: float | None  # pooled within slices
    between_slice_sd_kpa: float | None
    area_mm2: float
    pixels: int
    interval_95_kpa: tuple[float, float] | None = None
    repeat_interval_95_kpa: tuple[float, float] | None = None
    flags: tuple[Flag, ...] = ()


@dataclass(frozen=True)
class Stage:
    """The band of a named cut-off table.

    probabilities: chance that the true stiffness lies in each band, never of a disease; sums to 1.
    margin_kpa: distance to the nearest cut-off.
    """

    table: str
    frequency_hz: float
    band: str
    probabilities: Mapping[str, float] | None  # None without an interval
    margin_kpa: float
    cutoffs_kpa: tuple[float, ...] = ()
    bands: tuple[str, ...] = ()
    source: str = ""


@dataclass(frozen=True)
class Provenance:
    """What made the finding; no clock, so that a rerun gives the same bytes."""

    livermre: str
    model: str | None
    model_sha256: str | None
    settings: Mapping[str, object]
    inputs_sha256: str
    stiffness_source: str
    versions: Mapping[str, str] = field(default_factory=dict)
    series: tuple[int, ...] = ()  # Series Numbers of the images used; none from NIfTI


@dataclass(frozen=True)
class Finding:
    """Everything that was found in one exam."""

    exam: Exam
    liver: LiverMask
    roi: Roi
    stiffness: Stiffness
    stage: Stage | None
    provenance: Provenance
    change: "Change | None" = None
    waves: Waves | None = None  # of livermre's own inversion; None where the scanner's map was measured

    @property
    def flags(self) -> tuple[Flag, ...]:
        """All flags of the exam level, each sentence once, blocking ones first."""
        order = {Severity.BLOCKING: 0, Severity.WARNING: 1, Severity.INFO: 2}
        unique = {(f.code, f.message): f for f in (*self.exam.flags, *self.liver.flags, *self.stiffness.flags)}
        return tuple(sorted(unique.values(), key=lambda f: order[f.severity]))

    @property
    def reportable(self) -> bool:
        """Whether there is a number to report."""
        return self.stiffness.mean_kpa is not None and all(f.severity != Severity.BLOCKING for f in self.flags)


@dataclass(frozen=True)
class Change:
    """Change of exam stiffness since an earlier exam of the same patient."""

    earlier_kpa: float
    change_kpa: float
    change_percent: float  # relative to the earlier exam
    exceeds_limit: bool | None  # None where the limit does not apply
    limit_percent: float
    remark: str  # one sentence for people
