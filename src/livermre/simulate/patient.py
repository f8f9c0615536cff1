"""Simulated patients: who they are, and the body that all their scans share."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from livermre.simulate import priors
from livermre.simulate.anatomy import BodyPlan, Resection, make_anatomy, random_plan
from livermre.simulate.anatomy.canvas import smooth_noise
from livermre.simulate.priors import Sequence, Vendor
from livermre.simulate.tissue import LIVER_TISSUES
from livermre.simulate.tissue import Tissue as T

VENDORS: tuple[Vendor, ...] = ("GE", "Siemens", "Philips")
GRID_MM = 2.25  # of the body's labels and of the wave, unless a patient says otherwise
HALF_STEP_MM = 5.0  # between the slices of the body
_HEIGHT_MM = 160.0  # of the body that is made: from above the dome to below the widest part


@dataclass(frozen=True)
class Patient:
    """One simulated patient: everything that a second scan would find again.

    stiffness_kpa: the liver's mean |G*| at 60 Hz; loss: its tan d. tissue_kpa: G* of each other tissue, kPa.
    r2star_per_s: the liver's, at the patient's field. fat_fraction: of the liver, 0..1.
    grid_mm: of the body's labels and of the wave, in the image plane.
    """

    seed: int
    stage: str
    etiology: str
    stiffness_kpa: float
    loss: float
    bmi: float
    fat_fraction: float
    r2star_per_s: float
    field_t: float
    vendor: Vendor
    sequence: Sequence
    plan: BodyPlan = field(repr=False)
    tissue_kpa: Mapping[T, complex] = field(repr=False)
    inflamed: bool = False
    grid_mm: float = GRID_MM

    @property
    def name(self) -> str:
        """simulated-SEED."""
        return f"simulated-{self.seed}"

    @cached_property
    def labels(self) -> np.ndarray:
        """The body (Z, R, C) uint8, `Tissue` numbers: foot to head in steps of 5 mm, `grid_mm` in the plane."""
        size = (_HEIGHT_MM, *_extent(self.plan))
        body = make_anatomy(self.plan, self._rng(1), (HALF_STEP_MM, self.grid_mm, self.grid_mm), size)
        return body.labels

    @cached_property
    def heterogeneity(self) -> np.ndarray:
        """Local factor on stiffness (Z, R, C) float32, lognormal about 1: 8 % with a grain of 14 mm, 6 % of 34 mm."""
        rng, shape, step = self._rng(2), self.labels.shape, np.array([HALF_STEP_MM, self.grid_mm, self.grid_mm])
        fields = [size * smooth_noise(rng, shape, tuple(grain / step)) for size, grain in ((0.08, 14.0), (0.06, 34.0))]
        return np.exp(fields[0] + fields[1])

    def widest(self, slices: int) -> int:
        """Where in `labels` the lowest of so many slices, 10 mm apart, lies so that they hold most liver."""
        area = np.isin(self.labels, LIVER_TISSUES).sum(axis=(1, 2))
        reach = 2 * (slices - 1) + 1
        total = [area[start : start + reach : 2].sum() for start in range(max(len(area) - reach + 1, 1))]
        return int(np.argmax(total))

    def _rng(self, part: int) -> np.random.Generator:
        return np.random.default_rng((self.seed, part))


def _extent(plan: BodyPlan) -> tuple[float, float]:
    """(rows, columns) in mm that hold the trunk wherever the anatomy's jitter puts it."""
    depth = plan.front + max(plan.belly, 0) + 72 + 2.9 * plan.fat + 40 + 20 * plan.breasts
    return float(np.clip(depth, 250, 410)), 2 * (plan.half_width + 1.5 * plan.fat) + 45


def simulate_patient(
    seed: int,
    *,
    stage: str | None = None,
    etiology: str | None = None,
    stiffness_kpa: float | None = None,
    bmi: float | None = None,
    r2star_per_s: float | None = None,
    field_t: float | None = None,
    vendor: Vendor | None = None,
    sequence: Sequence | None = None,
) -> Patient:
    """A patient drawn from the priors; what is given is kept, the rest follows from the seed.

    Raises ValueError for a name that has no prior, or a stiffness, BMI, R2* or field that no patient meets.
    """
    _check_names(stage=stage, etiology=etiology, vendor=vendor, sequence=sequence)
    _check_sizes(stiffness_kpa=stiffness_kpa, bmi=bmi, r2star_per_s=r2star_per_s, field_t=field_t)
    rng = np.random.default_rng((seed, 0))
    drawn_stage = str(rng.choice(priors.STAGES, p=priors.STAGE_SHARE))
    drawn_cause = str(rng.choice(list(priors.ETIOLOGY_SHARE), p=list(priors.ETIOLOGY_SHARE.values())))
    stage, etiology = stage or drawn_stage, etiology or drawn_cause
    drawn_bmi = float(np.clip(rng.normal(31 if etiology == "MASLD" else 26.5, 4.5), 17, 48))
    bmi = drawn_bmi if bmi is None else bmi
    drawn_vendor: Vendor = VENDORS[int(rng.choice(3, p=[0.5, 0.3, 0.2]))]
    drawn_field = 1.5 if rng.random() < 0.55 else 3.0
    drawn_sequence: Sequence = "GRE" if rng.random() < 0.65 else "SE-EPI"
    field_t = drawn_field if field_t is None else field_t
    inflamed = bool(rng.random() < priors.INFLAMED_SHARE) and stage in ("F0", "F1", "F2")
    drawn_kpa = priors.LIVER_KPA[stage].draw(rng) * priors.ETIOLOGY_FACTOR[etiology]
    drawn_kpa *= float(rng.uniform(*priors.INFLAMED_FACTOR)) if inflamed else 1.0
    kpa = drawn_kpa if stiffness_kpa is None else stiffness_kpa
    fat = float(np.clip(rng.beta(1.2, 5 if etiology == "MASLD" else 20), 0, 0.45))
    drawn_r2star = priors.r2star_of(rng, field_t)
    return Patient(
        seed, stage, etiology, kpa, priors.LIVER_LOSS.draw(rng), bmi, fat,
        drawn_r2star if r2star_per_s is None else r2star_per_s, field_t,
        vendor or drawn_vendor, sequence or drawn_sequence, _plan(rng, stage, bmi), _tissues(rng, kpa), inflamed,
    )  # fmt: skip


_KNOWN = {
    "stage": priors.STAGES, "etiology": tuple(priors.ETIOLOGY_SHARE), "vendor": VENDORS, "sequence": ("GRE", "SE-EPI"),
}  # fmt: skip
_LIMITS = {"stiffness_kpa": (0.3, 30.0), "bmi": (12.0, 70.0), "r2star_per_s": (5.0, 3000.0), "field_t": (0.3, 7.0)}


def _check_names(**given: str | None) -> None:
    for name, value in given.items():
        if value is not None and value not in _KNOWN[name]:
            raise ValueError(f"{name} is one of {', '.join(_KNOWN[name])}, not {value!r}")


def _check_sizes(**given: float | None) -> None:
    for name, value in given.items():
        low, high = _LIMITS[name]
        if value is not None and not low <= value <= high:
            raise ValueError(f"{name} lies between {low:g} and {high:g}, not {value:g}")


def _plan(rng: np.random.Generator, stage: str, bmi: float) -> BodyPlan:
    """A body of this BMI (the fat of a trunk and its width follow it (u)) with a liver of this stage."""
    plan = random_plan(rng)
    obesity = float(np.clip((bmi - 19) / 24 + rng.normal(0, 0.05), 0.02, 1.0))
    size = float(rng.normal(0, 1))
    cirrhosis = {"F3": 0.3 * rng.random(), "F4": 0.25 + 0.75 * rng.random()}.get(stage, 0.0)
    wet = stage == "F4" and rng.random() < 0.25
    return replace(
        plan, cirrhosis=float(cirrhosis), ascites=float(rng.uniform(0.2, 1.0)) if wet else 0.0, arms=(0.0, 0.0),
        half_width=float(np.clip(138 + 8 * size + 32 * obesity, 120, 186)),
        front=float(np.clip(128 + 6 * size + 42 * obesity, 108, 190)),
        belly=float(-28 + 62 * obesity), waist=float(np.clip(0.9 + 0.14 * obesity, 0.84, 1.06)),
        fat=float(np.clip(4 + 38 * obesity, 3, 48)), visceral_fat=float(np.clip(obesity, 0.03, 1)),
        resection=plan.resection if rng.random() < 0.4 else Resection.NONE,
        liver_ml=float(plan.liver_ml * (1 - 0.2 * cirrhosis)),
    )  # fmt: skip


def _tissues(rng: np.random.Generator, liver_kpa: float) -> Mapping[T, complex]:
    """G* of everything but the liver's parenchyma; portal hypertension stiffens the spleen (u)."""
    found = {}
    for tissue, (size, loss) in priors.TISSUE_KPA.items():
        found[tissue] = _complex(size.draw(rng), loss.draw(rng))
    found[T.SPLEEN] *= 1 + 0.2 * max(liver_kpa - 4, 0) * rng.random()
    found[T.KIDNEY_LEFT] = found[T.KIDNEY_RIGHT]
    fluid = _complex(priors.FLUID_KPA.draw(rng) * max(1, liver_kpa / 4), priors.FLUID_LOSS.draw(rng))
    return found | dict.fromkeys(priors.FLUIDS, fluid)


def _complex(size_kpa: float, loss: float) -> complex:
    """G* of a magnitude and a loss tangent."""
    return size_kpa * complex(1, loss) / float(np.hypot(1, loss))
