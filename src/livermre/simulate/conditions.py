"""What differs from visit to visit: positioning, physiology, the drum, the motion's size, noise and artefacts."""

from dataclasses import dataclass, replace

import numpy as np

from livermre.simulate.contrast import LIVER_SIGNAL
from livermre.simulate.mri import Encoding
from livermre.simulate.patient import Patient
from livermre.simulate.waves.bulk import Bulk, draw_bulk
from livermre.simulate.waves.drive import Drive, draw_drive


@dataclass(frozen=True)
class ScanSettings:
    """What the caller decides about a scan; None = drawn from the priors.

    slices are 10 mm apart. shear_rad and bulk_ratio: mean amplitude of the shear wave in the liver, and that of the
    bulk motion relative to it. theta0_rad: obliquity of the waves to the image plane. snr: of a normal liver's
    magnitude to one channel's noise. lines: phase-encoding lines over the field of view.
    """

    slices: int = 4
    matrix: int = 256
    offsets: int = 4
    frequency_hz: float = 60.0
    thickness_mm: float = 8.0
    readers: int = 2
    driver_on: bool = True
    shear_rad: float | None = None
    bulk_ratio: float | None = None
    theta0_rad: float | None = None
    snr: float | None = None
    lines: int | None = None
    artefacts: bool = True

    def __post_init__(self) -> None:
        """Raise ValueError for what no scanner does."""
        limits = {"slices": (1, 12), "matrix": (32, 1024), "offsets": (3, 32), "frequency_hz": (20, 200)}
        for name, (low, high) in limits.items():
            if not low <= getattr(self, name) <= high:
                raise ValueError(f"{name} lies between {low} and {high}, not {getattr(self, name)}")


@dataclass(frozen=True)
class Conditions:
    """One visit.

    change: factor on the liver's stiffness (meal, breath, congestion). air: field of view over the trunk's width.
    unsteady: sd of what the motion of one offset differs from the mean's (drum, breath), relative; it leaves a second
    and a zeroth temporal harmonic that look like the wave itself, as in the real exam.
    """

    change: float
    shift_half_steps: int
    shift_mm: tuple[float, float]
    turn_rad: float
    air: float
    gas_share: float
    drive: Drive
    bulk: Bulk
    shear_rad: float
    bulk_ratio: float
    theta0_rad: float
    snr: float
    unsteady: float
    encoding: Encoding

    @property
    def row(self) -> dict[str, object]:
        """Flat parameters for truth.csv."""
        e = self.encoding
        return {
            "change": self.change, "shear_rad": self.shear_rad, "bulk_ratio": self.bulk_ratio,
            "theta0_rad": self.theta0_rad, "snr": self.snr, "unsteady": self.unsteady,
            "lines": e.lines, "columns": e.columns, "wobble_rad": e.wobble_rad,
            "pulsation": e.pulsation, "drum_angle_rad": self.drive.angle_rad,
            "bulk_reach_mm": self.bulk.reach_mm, "shift_x_mm": self.shift_mm[1], "shift_y_mm": self.shift_mm[0],
            "shift_z_mm": 5.0 * self.shift_half_steps, "turn_rad": self.turn_rad,
        }  # fmt: skip


def draw_conditions(patient: Patient, settings: ScanSettings, rng: np.random.Generator) -> Conditions:
    """One visit of a patient; what the settings fix is kept, everything else is drawn in a fixed order."""
    change = float(np.exp(rng.normal(0, 0.025)))
    place = rng.normal(0, 5, 2)
    step, turn = int(rng.choice([-1, 0, 0, 1])), float(rng.normal(0, 0.03))
    air, gas = float(rng.uniform(1.1, 1.4)), float(rng.uniform(0.05, 0.6))
    drive, bulk = draw_drive(rng), draw_bulk(rng)
    total = float(np.exp(rng.normal(np.log(1.2), 0.25)) * np.exp(-max(patient.bmi - 28, 0) / 60))
    ratio, theta0 = float(rng.uniform(0.9, 2.9)), float(rng.uniform(0, 0.3))
    shear = total / float(np.hypot(1, ratio))
    snr = float(rng.uniform(6, 16) * (1.25 if patient.field_t > 2 else 1.0) * np.exp(-max(patient.bmi - 28, 0) / 60))
    shear = shear if settings.shear_rad is None else settings.shear_rad
    snr = snr if settings.snr is None else settings.snr
    return Conditions(
        change, step, (float(place[0]), float(place[1])), turn, air, gas, drive, bulk,
        shear if settings.driver_on else 0.0,
        (ratio if settings.bulk_ratio is None else settings.bulk_ratio) if settings.driver_on else 0.0,
        theta0 if settings.theta0_rad is None else settings.theta0_rad, snr,
        float(rng.uniform(0.12, 0.42)) * settings.artefacts, _encoding(patient, settings, snr, rng),
    )  # fmt: skip


def _encoding(patient: Patient, settings: ScanSettings, snr: float, rng: np.random.Generator) -> Encoding:
    echo_planar = patient.sequence == "SE-EPI"
    lines = int(rng.integers(80, 101) if echo_planar else rng.integers(72, 97))
    columns = int(rng.integers(90, 121) if echo_planar else rng.integers(200, 257))
    wobble, pulse = float(rng.uniform(0.05, 0.18)), float(rng.uniform(0.1, 0.7))
    ghost, shown, nyquist = float(rng.uniform(4, 12)), float(rng.uniform(0.75, 1.0)), float(rng.uniform(0.02, 0.12))
    lines = min(lines if settings.lines is None else settings.lines, settings.matrix)
    columns = min(columns, settings.matrix)
    noise = LIVER_SIGNAL / snr if snr > 0 else 0.0
    if echo_planar:  # one shot an image: all lines within a heartbeat, odd and even ones read in opposite directions
        encoding = Encoding(lines, columns, noise, 0.5 * wobble, 0.0, ghost, nyquist_rad=nyquist)
    else:
        encoding = Encoding(lines, columns, noise, wobble, pulse, ghost, shown if patient.vendor == "GE" else 1.0)
    return encoding if settings.artefacts else replace(encoding, wobble_rad=0.0, pulsation=0.0, nyquist_rad=0.0)
