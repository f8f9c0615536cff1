"""Simulated failures: exams that nobody could measure, one kind at a time, each at a severity declared beforehand.

kind               what is simulated
driver off         no vibration at all
iron               the liver's signal at or below 0.13 of a normal one, the published limit of failure (R2* of 101 /s in
                   GRE and of 289 /s in SE-EPI at 3 T)
motion             a free breath through the acquisition: offsets displaced by 10 mm (sd), each with a smooth phase
                   error of 1 to 4 rad, ghosts of 0.3 to 0.6 of the signal
ascites            much fluid about the liver, and a shear wave of at most 0.05 rad in it
fold-over          a field of view of half to two thirds of the body: its front and back lie upon the liver
phase wrap         motion encoded so strongly (shear wave of 4 to 8 rad) that the phase wraps between neighbours
wrong series       phase of no elastography: echo times of a chemical-shift scan, or phases of a flow scan
liver out of view  slices above the dome, or so low that they hold less than 10 cm2 of liver together
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy import ndimage

from livermre.exam.types import Exam
from livermre.simulate import priors
from livermre.simulate.anatomy.canvas import smooth_noise
from livermre.simulate.conditions import ScanSettings
from livermre.simulate.patient import Patient
from livermre.simulate.scan import SimulatedScan, scan
from livermre.simulate.tissue import LIVER_TISSUES
from livermre.simulate.tissue import Tissue as T

Failure = Literal[
    "driver off", "iron", "motion", "ascites", "fold-over", "phase wrap", "wrong series", "liver out of view"
]
IRON_SIGNAL = 0.13
ASCITES_RAD = 0.05
OUT_OF_VIEW_MM2 = 1000.0


def failed_scan(kind: Failure, patient: Patient, settings: ScanSettings, seed: int) -> SimulatedScan:
    """An exam of a patient that failed this way; raises ValueError for a body that has no place out of the liver."""
    return _MAKERS[kind](patient, settings, np.random.default_rng((seed, 60)))


def iron_signal(patient: Patient) -> float:
    """What iron leaves of the liver's signal, 1 for a normal liver."""
    excess = patient.r2star_per_s - priors.normal_r2star(patient.field_t)
    return float(np.exp(-max(excess, -10) * priors.IRON_TIME_MS[patient.sequence] / 1000))


def _driver_off(patient: Patient, settings: ScanSettings, rng: np.random.Generator) -> SimulatedScan:
    return scan(patient, settings=replace(settings, driver_on=False))


def _iron(patient: Patient, settings: ScanSettings, rng: np.random.Generator) -> SimulatedScan:
    excess = -np.log(rng.uniform(0.02, IRON_SIGNAL)) * 1000 / priors.IRON_TIME_MS[patient.sequence]
    return scan(replace(patient, r2star_per_s=priors.normal_r2star(patient.field_t) + float(excess)), settings=settings)


def _ascites(patient: Patient, settings: ScanSettings, rng: np.random.Generator) -> SimulatedScan:
    wet = replace(patient, plan=replace(patient.plan, ascites=float(rng.uniform(0.7, 1.0))))
    return scan(wet, settings=replace(settings, shear_rad=float(rng.uniform(0.01, ASCITES_RAD)), bulk_ratio=10.0))


def _phase_wrap(patient: Patient, settings: ScanSettings, rng: np.random.Generator) -> SimulatedScan:
    return scan(patient, settings=replace(settings, shear_rad=float(rng.uniform(4, 8))))


@dataclass(frozen=True)
class _Elsewhere(Patient):
    """A patient whose slices were planned away from the liver."""

    planned: int = 0
    whole: Patient | None = None

    @property
    def labels(self) -> np.ndarray:  # type: ignore[override]
        """The body of the patient."""
        return self.whole.labels  # type: ignore[union-attr]

    @property
    def heterogeneity(self) -> np.ndarray:  # type: ignore[override]
        """The grain of the patient."""
        return self.whole.heterogeneity  # type: ignore[union-attr]

    def widest(self, slices: int) -> int:
        """The lowest slice that was planned."""
        return self.planned


def _out_of_view(patient: Patient, settings: ScanSettings, rng: np.random.Generator) -> SimulatedScan:
    reach = 2 * (settings.slices - 1) + 3  # a half step up or down beside the planned slices
    area = np.isin(patient.labels, LIVER_TISSUES).sum(axis=(1, 2)) * patient.grid_mm**2
    solid = (~np.isin(patient.labels, priors.VOIDS)).mean(axis=(1, 2)) > 0.02
    places = [
        start + 1 for start in range(len(area) - reach + 1)
        if area[start : start + reach].sum() < OUT_OF_VIEW_MM2 and solid[start : start + reach].all()
    ]  # fmt: skip
    if not places:
        raise ValueError("this body has no slices without liver")
    known = {name: getattr(patient, name) for name in Patient.__dataclass_fields__}
    return scan(_Elsewhere(**known, planned=int(rng.choice(places)), whole=patient), settings=settings)


def _motion(patient: Patient, settings: ScanSettings, rng: np.random.Generator) -> SimulatedScan:
    made = scan(patient, settings=settings)

    def breathe(image: np.ndarray) -> np.ndarray:
        """One offset (R, C) complex, acquired in another breath."""
        rows = image.shape[0]
        moved = ndimage.shift(image, (rng.normal(0, 10) / made.exam.spacing_mm[0], 0), order=1)
        moved = moved * np.exp(
            1j * rng.uniform(1, 4) * smooth_noise(rng, (1, *image.shape), (1, rows / 3, rows / 3))[0]
        )
        size, away = rng.uniform(0.3, 0.6), int(rng.integers(rows // 8, rows // 2))
        return moved + size * np.exp(2j * np.pi * rng.random()) * np.roll(moved, away, axis=0)

    return _changed(made, breathe)


def _fold_over(patient: Patient, settings: ScanSettings, rng: np.random.Generator) -> SimulatedScan:
    made = scan(patient, settings=settings)
    rows = np.flatnonzero((made.labels > 0).any(axis=(0, 2)))
    field = int(rng.uniform(0.5, 0.66) * (rows[-1] - rows[0]))
    first = rows[0] + int(rng.uniform(0.3, 0.7) * (rows[-1] - rows[0] - field))

    def fold(image: np.ndarray) -> np.ndarray:
        """One offset (R, C) complex with all rows folded into the field; air beyond it holds little noise."""
        out = np.full_like(image, 1e-3)
        inside = np.zeros((field, image.shape[1]), image.dtype)
        for row in range(image.shape[0]):
            inside[(row - first) % field] += image[row]
        out[first : first + field] = inside
        return out

    return _changed(made, fold)


def _wrong_series(patient: Patient, settings: ScanSettings, rng: np.random.Generator) -> SimulatedScan:
    made = scan(patient, settings=replace(settings, driver_on=False))
    flow = rng.random() < 0.5
    fat = np.isin(made.labels, (T.SKIN_FAT, T.INNER_FAT, T.BONE))
    vessel = np.isin(made.labels, (T.ARTERY, T.VEIN, T.HEART, T.PORTAL_VEIN))
    shape = made.labels.shape
    field_hz = 40 * smooth_noise(rng, shape, (2, shape[1] / 3, shape[1] / 3)) - 220 * fat * patient.field_t / 1.5
    step_s = float(rng.uniform(0.9e-3, 1.5e-3))
    slices = []
    for i, s in enumerate(made.exam.slices):
        noise = s.phase_rad[0, 0]  # type: ignore[index]  # without a driver the phase is noise
        number = np.arange(1, len(noise) + 1)[:, None, None]
        if flow:
            beat = np.sin(2 * np.pi * number / len(noise) + rng.uniform(0, 6)) + 0.4
            phase = 0.02 * field_hz[i] + 1.5 * vessel[i] * beat + noise
        else:
            phase = 2 * np.pi * field_hz[i] * step_s * number + noise
        slices.append(replace(s, phase_rad=np.angle(np.exp(1j * phase))[None, None]))
    return replace(made, exam=replace(made.exam, slices=tuple(slices)))


def _changed(made: SimulatedScan, change: Callable[[np.ndarray], np.ndarray]) -> SimulatedScan:
    """The scan with each offset's complex image changed."""
    slices = []
    for s in made.exam.slices:
        images = [change(s.magnitude * np.exp(1j * p)) for p in s.phase_rad[0, 0]]  # type: ignore[index]
        magnitude = np.mean(np.abs(images), axis=0)
        slices.append(replace(s, magnitude=magnitude, phase_rad=np.angle(images)[None, None]))
    exam: Exam = replace(made.exam, slices=tuple(slices))
    return replace(made, exam=exam)


_MAKERS: Mapping[Failure, Callable[[Patient, ScanSettings, np.random.Generator], SimulatedScan]] = {
    "driver off": _driver_off,
    "iron": _iron,
    "motion": _motion,
    "ascites": _ascites,
    "fold-over": _fold_over,
    "phase wrap": _phase_wrap,
    "wrong series": _wrong_series,
    "liver out of view": _out_of_view,
}
FAILURES: tuple[Failure, ...] = tuple(_MAKERS)
