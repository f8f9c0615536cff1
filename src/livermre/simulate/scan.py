"""Simulated MRE exams of simulated patients, from the drum on the chest wall to wrapped phase, with the truth beside.

    patient = simulate_patient(7, stage="F3")
    first, second = scan(patient), scan(patient, repeat=1)

One patient has one body and one stiffness; every scan has its own positioning, drum, noise and a few percent of
physiological change. The same seed, repeat and settings give the same bytes.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

import numpy as np

from livermre.exam.plane import Plane
from livermre.exam.types import Acquisition, Exam, Slice, read_only
from livermre.simulate import priors
from livermre.simulate.conditions import Conditions, ScanSettings, draw_conditions
from livermre.simulate.contrast import LIVER_SIGNAL, Shine, paint
from livermre.simulate.medium import gas_of, modulus_kpa, solid_of
from livermre.simulate.motion import Motion, move
from livermre.simulate.mri import acquire, offsets_of
from livermre.simulate.patient import HALF_STEP_MM, Patient, simulate_patient
from livermre.simulate.pose import Pose
from livermre.simulate.readers import draw_regions
from livermre.simulate.tissue import LIVER_TISSUES
from livermre.simulate.tissue import Tissue as T
from livermre.simulate.truth import Truth

__all__ = ["Patient", "ScanSettings", "SimulatedScan", "scan", "simulate_patient"]

_PULSATING = (T.ARTERY, T.VEIN, T.HEART)
_DEFAULT = ScanSettings()


@dataclass(frozen=True)
class SimulatedScan:
    """One simulated exam and its truth, slices foot to head, all on the exam's grid.

    exam                magnitude and phase_rad (1, 1, O, R, C); no stiffness, no confidence
    labels              (S, R, C) uint8, `Tissue` numbers
    stiffness_true_kpa  (S, R, C) float32, |G*| at the exam's frequency, kPa; NaN in air, lung and gas
    shear_rad           (S, R, C) complex64, rad: first harmonic of the shear wave in the phase, Re(u e^{iwt})
    bulk_rad            (S, R, C) complex64, rad: the same of the bulk motion
    readers             regions (S, R, C) bool of different readers
    """

    exam: Exam
    labels: np.ndarray = field(repr=False)
    stiffness_true_kpa: np.ndarray = field(repr=False)
    shear_rad: np.ndarray = field(repr=False)
    bulk_rad: np.ndarray = field(repr=False)
    readers: tuple[np.ndarray, ...] = field(repr=False)
    truth: Truth

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        kinds = {"labels": "uint8", "stiffness_true_kpa": "float32", "shear_rad": "complex64", "bulk_rad": "complex64"}
        for name, dtype in kinds.items():
            object.__setattr__(self, name, read_only(getattr(self, name), dtype))
        object.__setattr__(self, "readers", tuple(read_only(r, "bool") for r in self.readers))

    @property
    def liver(self) -> np.ndarray:
        """What a reader would outline (S, R, C) bool: parenchyma, vessels and lesions."""
        return np.isin(self.labels, LIVER_TISSUES)

    @property
    def parenchyma(self) -> np.ndarray:
        """The part of the liver whose mean is the truth (S, R, C) bool."""
        return self.labels == T.LIVER


def scan(patient: Patient, repeat: int = 0, settings: ScanSettings = _DEFAULT) -> SimulatedScan:
    """One exam of a patient: `repeat` numbers the visits; the same arguments give the same bytes."""
    rng = np.random.default_rng((patient.seed, 100 + repeat))
    now = draw_conditions(patient, settings, rng)
    chosen = _chosen(patient, settings.slices, now)
    body = patient.labels[chosen]
    gas = gas_of(body, now.gas_share)
    solid = solid_of(body, gas)
    liver = patient.stiffness_kpa * now.change * np.exp(1j * np.arctan(patient.loss))
    modulus = modulus_kpa(body, patient.heterogeneity[chosen], liver, patient.tissue_kpa, settings.frequency_hz)
    motion = move(body, modulus, solid, now, settings, patient.grid_mm)
    pose = _pose(body, patient.grid_mm, now, settings)
    labels = _images(pose, body, 0)
    stiffness = _images(pose, np.where(solid, np.abs(modulus), np.nan).astype(np.float32), 0)
    stiffness[labels == T.AIR] = np.nan
    shear, bulk = _images(pose, motion.shear, 3, corners=True), _images(pose, motion.bulk, 1)
    inside = labels > 0
    shear, bulk = shear * (inside & np.isfinite(stiffness)), bulk * inside
    snapshots = _snapshots(shear, settings.offsets, now.unsteady, rng) + _snapshots(
        bulk, settings.offsets, now.unsteady, rng
    )
    magnitude, phase = _acquired(patient, body, gas, pose, snapshots, now, rng)
    return SimulatedScan(
        _exam(patient, magnitude, phase, pose, chosen[0], settings),
        labels,
        stiffness,
        shear,
        bulk,
        _readers(body, labels, pose, settings.readers, rng),
        _truth(labels, stiffness, pose, _parameters(patient, repeat, motion, pose, now, settings)),
    )


def _chosen(patient: Patient, slices: int, now: Conditions) -> np.ndarray:
    """Indices of the body's slices, 10 mm apart, moved by this visit's positioning."""
    last = len(patient.labels) - 1
    count = min(slices, last // 2 + 1)
    start = int(np.clip(patient.widest(count) + now.shift_half_steps, 0, last - 2 * (count - 1)))
    return start + 2 * np.arange(count)


def _pose(body: np.ndarray, grid_mm: float, now: Conditions, settings: ScanSettings) -> Pose:
    """The trunk in the middle of a field of view that leaves some air beside it."""
    rows, columns = (np.nonzero((body > 0).any(axis=axes))[0] for axes in ((0, 2), (0, 1)))
    width = max(columns[-1] - columns[0], 1.2 * (rows[-1] - rows[0])) * grid_mm
    fov = float(np.clip(10 * np.ceil(width * now.air / 10), 300, 500))
    centre = ((rows[0] + rows[-1]) / 2, (columns[0] + columns[-1]) / 2)
    return Pose(settings.matrix, fov / settings.matrix, grid_mm, centre, now.turn_rad, now.shift_mm)


def _images(pose: Pose, maps: np.ndarray, order: int, corners: bool = False) -> np.ndarray:
    return np.stack([pose.image(one, order, corners) for one in maps])


def _snapshots(motion: np.ndarray, offsets: int, unsteady: float, rng: np.random.Generator) -> np.ndarray:
    """Motion (S, O, R, C) float32, rad, at each offset of each slice, each a little off."""
    off = rng.normal(0, unsteady, (len(motion), offsets, 2)) @ np.array([1, 1j]) / np.sqrt(2)
    return np.stack([offsets_of(m, offsets, 1 + g) for m, g in zip(motion, off, strict=True)])


def _acquired(
    patient: Patient,
    body: np.ndarray,
    gas: np.ndarray,
    pose: Pose,
    motion_rad: np.ndarray,
    now: Conditions,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Magnitude (S, R, C) and phase (S, O, R, C) of the motion at the offsets (S, O, R, C)."""
    excess = patient.r2star_per_s - priors.normal_r2star(patient.field_t)
    iron = float(np.exp(-max(excess, -10) * priors.IRON_TIME_MS[patient.sequence] / 1000))
    shine = Shine(patient.sequence, iron, patient.fat_fraction, int(rng.integers(2**31)))
    bright = paint(body, gas, patient.grid_mm, shine)
    pulsating = np.where(np.isin(body, _PULSATING), bright, 0)
    magnitudes, phases = [], []
    for one, vessels, moved in zip(_images(pose, bright, 1), _images(pose, pulsating, 1), motion_rad, strict=True):
        m, p = acquire(one, vessels, moved, now.encoding, rng)
        magnitudes.append(m)
        phases.append(p)
    return 300 / LIVER_SIGNAL * np.stack(magnitudes), np.stack(phases)


def _exam(
    patient: Patient, magnitude: np.ndarray, phase: np.ndarray, pose: Pose, first: int, settings: ScanSettings
) -> Exam:
    corner = -pose.pixel_mm * (pose.matrix - 1) / 2
    slices = []
    for i, (m, p) in enumerate(zip(magnitude, phase, strict=True)):
        z = (first + 2 * i) * HALF_STEP_MM
        plane = Plane(
            (pose.matrix, pose.matrix), (pose.pixel_mm, pose.pixel_mm), (corner, corner, z),
            (0.0, 1.0, 0.0), (1.0, 0.0, 0.0), settings.thickness_mm, "simulated",
        )  # fmt: skip
        slices.append(Slice(plane, m, phase_rad=p[None, None], sources=("simulated",)))
    how = Acquisition(
        "simulated", patient.field_t, settings.frequency_hz, f"simulated 2D {patient.sequence}", dimension="2D"
    )
    return Exam(tuple(slices), how, patient.name)


def _readers(
    body: np.ndarray, labels: np.ndarray, pose: Pose, count: int, rng: np.random.Generator
) -> tuple[np.ndarray, ...]:
    """Regions (S, R, C) bool; 100 mm are added so that the air around the body's grid, 0, lies outside."""
    drawn = [_images(pose, region + 100, 1) > 100 for region in draw_regions(body, pose.grid_mm, count, rng)]
    return tuple(d & np.isin(labels, LIVER_TISSUES) for d in drawn)


def _truth(labels: np.ndarray, stiffness: np.ndarray, pose: Pose, parameters: Mapping[str, object]) -> Truth:
    liver = labels == T.LIVER
    means = tuple(_mean(k[m]) for k, m in zip(stiffness, liver, strict=True))
    areas = tuple(float(m.sum() * pose.pixel_mm**2) for m in liver)
    return Truth(_mean(stiffness[liver]), means, areas, parameters)


def _mean(kpa: np.ndarray) -> float | None:
    return float(kpa.mean(dtype=np.float64)) if kpa.size else None


def _parameters(
    patient: Patient, repeat: int, motion: Motion, pose: Pose, now: Conditions, settings: ScanSettings
) -> Mapping[str, object]:
    who = {
        name: getattr(patient, name)
        for name in (
            "seed", "stage", "etiology", "stiffness_kpa", "loss", "bmi", "fat_fraction", "r2star_per_s", "field_t",
            "vendor", "sequence", "inflamed",
        )
    }  # fmt: skip
    body = {f"plan_{k}": v for k, v in asdict(patient.plan).items() if k in ("ascites", "cirrhosis", "lesions", "fat")}
    found = {
        "repeat": repeat, "frequency_hz": settings.frequency_hz, "offsets": settings.offsets, "pixel_mm": pose.pixel_mm,
        "kz_per_m": motion.kz_per_m, "driver_on": settings.driver_on,
    }  # fmt: skip
    return who | {"resection": patient.plan.resection.name.lower()} | body | found | now.row
