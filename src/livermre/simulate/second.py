"""The second generator: what was calibrated on the first is checked on this one.

Same field equation and scanner; other bodies (any label maps, stretched and bent), another grid of the solver, another
grain, and other priors of stiffness, loss, neighbours, obliquity, bulk motion and noise. Its numbers are the project's
choice: wider than the first's, and not tuned to anything.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from scipy import ndimage

from livermre.simulate.anatomy.canvas import smooth_noise
from livermre.simulate.conditions import ScanSettings
from livermre.simulate.patient import HALF_STEP_MM, Patient, simulate_patient
from livermre.simulate.priors import Vendor
from livermre.simulate.tissue import LIVER_TISSUES
from livermre.simulate.tissue import Tissue as T

GRID_MM = 3.0  # of labels and wave; its phase error is below 0.35 % of |G*| from 1.5 kPa on
STIFFNESS_KPA: Mapping[str, tuple[float, float]] = {
    "F0": (1.6, 3.0), "F1": (1.9, 3.6), "F2": (2.3, 4.6), "F3": (2.9, 6.2), "F4": (3.8, 10.5),
}  # fmt: skip
"""Range of each stage, drawn evenly in its logarithm."""
_AROUND_MM = 40.0  # of body kept below and above the liver
_BENDS = ((8.0, 70.0), (3.0, 28.0))  # size and grain of the bending, mm


@dataclass(frozen=True)
class Body:
    """A label map to make patients of: labels (Z, R, C) uint8 `Tissue` numbers, foot to head, front to back."""

    name: str
    labels: np.ndarray = field(repr=False)
    spacing_mm: tuple[float, float, float]


@dataclass(frozen=True)
class SecondPatient(Patient):
    """A patient with a bent copy of a body, and a grain of 10 % over 22 mm and 5 % over 9 mm."""

    body: Body | None = None

    @cached_property
    def labels(self) -> np.ndarray:
        """The body (Z, R, C) uint8: foot to head in steps of 5 mm, `grid_mm` in the plane."""
        if self.body is None:
            raise ValueError("a patient of the second generator needs a body")
        return bent(self.body, self.grid_mm, self._rng(1))

    @cached_property
    def heterogeneity(self) -> np.ndarray:
        """Local factor on stiffness (Z, R, C) float32, lognormal about 1."""
        rng, shape, step = self._rng(2), self.labels.shape, np.array([HALF_STEP_MM, self.grid_mm, self.grid_mm])
        fields = [size * smooth_noise(rng, shape, tuple(grain / step)) for size, grain in ((0.10, 22.0), (0.05, 9.0))]
        return np.exp(fields[0] + fields[1])


def bent(body: Body, grid_mm: float, rng: np.random.Generator) -> np.ndarray:
    """A copy of a body about its liver (Z, R, C) uint8: each axis stretched by up to 10 %, bent by up to some 20 mm."""
    liver = np.flatnonzero(np.isin(body.labels, LIVER_TISSUES).any(axis=(1, 2)))
    if liver.size == 0:
        raise ValueError(f"body {body.name} has no liver")
    stretch = np.exp(rng.uniform(-0.1, 0.1, 3))
    spacing = np.array(body.spacing_mm) * stretch
    low = max(0.0, liver[0] * spacing[0] - _AROUND_MM)
    high = min((len(body.labels) - 1) * spacing[0], liver[-1] * spacing[0] + _AROUND_MM)
    step = np.array([HALF_STEP_MM, grid_mm, grid_mm])
    size = (high - low, *((np.array(body.labels.shape[1:]) - 1) * spacing[1:]))
    shape = tuple(int(s // d) + 1 for s, d in zip(size, step, strict=True))
    places = np.indices(shape, np.float32)
    for axis, (start, d, s) in enumerate(zip((low, 0.0, 0.0), step, spacing, strict=True)):
        bend = sum(b * smooth_noise(rng, shape, tuple(grain / step)) for b, grain in _BENDS)
        places[axis] = (start + places[axis] * d + bend) / s
    return ndimage.map_coordinates(body.labels, places, order=0, mode="constant", cval=T.AIR)


def second_patient(seed: int, bodies: Sequence[Body], *, stage: str, vendor: Vendor) -> SecondPatient:
    """A patient of the second generator: everything follows from seed, stage, vendor and the list of bodies."""
    rng = np.random.default_rng((seed, 40))
    low, high = STIFFNESS_KPA[stage]
    kpa = float(np.exp(rng.uniform(np.log(low), np.log(high))))
    first = simulate_patient(
        seed, stage=stage, vendor=vendor, stiffness_kpa=kpa, bmi=float(rng.uniform(19, 40)),
        field_t=1.5 if rng.random() < 0.5 else 3.0, sequence="GRE" if rng.random() < _GRE_SHARE[vendor] else "SE-EPI",
    )  # fmt: skip
    tissues = {t: g * float(np.exp(rng.normal(0, 0.25))) for t, g in first.tissue_kpa.items()}
    known = {k: v for k, v in vars(first).items() if k in Patient.__dataclass_fields__}
    return SecondPatient(
        **(known | {"loss": float(rng.uniform(0.2, 0.55)), "tissue_kpa": tissues, "grid_mm": GRID_MM}),
        body=bodies[int(rng.integers(len(bodies)))],
    )


_GRE_SHARE: Mapping[Vendor, float] = {"GE": 0.8, "Siemens": 0.35, "Philips": 0.6}


def second_settings(seed: int, base: ScanSettings) -> ScanSettings:
    """The visit of a patient of the second generator: what the first draws inside `scan`, drawn otherwise."""
    rng = np.random.default_rng((seed, 41))
    return replace(
        base,
        shear_rad=float(np.exp(rng.normal(np.log(0.45), 0.35))),
        bulk_ratio=float(rng.uniform(1.5, 4.0)),
        theta0_rad=float(min(abs(rng.normal(0, 0.15)), 0.4)),
        snr=float(np.clip(np.exp(rng.normal(np.log(11), 0.35)), 5, 30)),
        lines=int(rng.integers(64, 101)),
    )
