"""One simulated exam of the trust benchmark, through the real pipeline, as one flat row with everything that is known.

Sets: first (calibrates), second (checks: other bodies, grid and priors), failure (one kind each, mostly on bodies of
the second).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from scipy import ndimage

from livermre import nifti, roi, stiffness
from livermre.exam.errors import LivermreError
from livermre.exam.flags import Severity
from livermre.exam.study import Study
from livermre.exam.types import Exam, Finding, Identity, LiverMask, Roi, Stiffness
from livermre.inversion import InversionSettings, invert
from livermre.pipeline import analyze_study
from livermre.settings import Settings
from livermre.simulate.failures import FAILURES, failed_scan, iron_signal
from livermre.simulate.patient import VENDORS, Patient
from livermre.simulate.priors import STAGES
from livermre.simulate.scan import ScanSettings, SimulatedScan, scan, simulate_patient
from livermre.simulate.second import Body, second_patient, second_settings
from livermre.stiffness import IntervalSettings
from livermre.stiffness.interval import spread
from livermre.stiffness.quality import confident_share, signal_ratio

FIRST, SECOND, FAILURE = "first", "second", "failure"
SEEDS = {FIRST: 200_000, SECOND: 400_000, FAILURE: 600_000}
A_ROUND = {FIRST: 15, SECOND: 40, FAILURE: len(FAILURES)}
MATRIX = 192
"""Pixels of a side: fewer than the usual 256 to save time; on 128 the noise alone reads markedly softer."""
PATIENTS_A_BODY = 3
PLAIN = Settings(from_phase=True, interval=IntervalSettings(calibration=None))
"""The interval as it is before it is calibrated."""
_WAVE_OVER_NOISE = (2, 5, 10)


@dataclass(frozen=True)
class Case:
    """One exam to make."""

    set: str
    number: int

    @property
    def seed(self) -> int:
        """Seed of patient and visit."""
        return SEEDS[self.set] + self.number


def cases(rounds: int) -> list[Case]:
    """All exams of so many rounds, in the order in which they are made: any stop leaves balanced sets."""
    return [Case(s, r * n + i) for r in range(rounds) for s, n in A_ROUND.items() for i in range(n)]


def row_of(case: Case, bodies: Sequence[Body]) -> dict[str, object]:
    """Make, analyse and judge one exam."""
    made, patient, settings, kind = _made(case, bodies)
    truth = made.truth.parameters
    row: dict[str, object] = {
        "set": case.set, "number": case.number, "seed": case.seed, "kind": kind, "patient": type(patient).__name__,
        "stage": patient.stage, "vendor": patient.vendor, "sequence": patient.sequence, "field_t": patient.field_t,
        "matrix": settings.matrix, "slices": made.exam.shape[0], "pixel_mm": made.exam.spacing_mm[0],
        "iron_signal": iron_signal(patient) if kind != "iron" else None, "ascites": patient.plan.ascites,
        "liver_kpa": made.truth.liver_kpa, **_areas(made),
    }  # fmt: skip
    row |= {k: truth[k] for k in ("loss", "snr", "shear_rad", "bulk_ratio", "theta0_rad", "unsteady", "lines", "bmi")}
    body = getattr(patient, "body", None)
    row["body"] = body.name if body is not None else None
    row["outline"] = "network" if by_network(case) else "true"
    try:
        found = _analysed(made, by_network(case))
    except LivermreError as error:
        return row | {"own": {"error": type(error).__name__, "reportable": False}}
    row["own"] = _own(found, made)
    row["dice"] = _dice(found.liver.liver, made.liver)
    if _has_vendor(case):
        row["vendor_route"] = _vendor(made, found.liver, case.seed)
    return row


def by_network(case: Case) -> bool:
    """Whether the network outlines the liver; it takes a fifth of the time, so most exams get the true outline."""
    return case.set == FAILURE or case.number % 3 == 1


@lru_cache(maxsize=1)
def _painted(seed: int) -> np.ndarray:
    """A painted body (Z, R, C): painting takes most of an exam's time, so a few patients share one."""
    return simulate_patient(seed).labels


def _analysed(made: SimulatedScan, by_network: bool) -> Finding:
    if by_network:
        return analyze_study(Study(made.exam, Identity()), PLAIN)
    with TemporaryDirectory() as folder:  # the road that --liver takes
        file = Path(folder) / "liver.nii.gz"
        nifti.write_volume(file, made.liver.astype(np.uint8), made.exam)
        return analyze_study(Study(made.exam, Identity()), replace(PLAIN, liver_file=file))


def _made(case: Case, bodies: Sequence[Body]) -> tuple[SimulatedScan, Patient, ScanSettings, str | None]:
    stage, vendor = STAGES[case.number % 5], VENDORS[case.number // 5 % 3]
    slices = (3, 4, 2, 4, 3)[case.number // 15 % 5]
    kind = FAILURES[case.number % len(FAILURES)] if case.set == FAILURE else None
    if case.set == FAILURE:
        draw = np.random.default_rng((case.seed, 70))
        stage, vendor = STAGES[int(draw.integers(5))], VENDORS[int(draw.integers(3))]
    other = case.set == SECOND or (case.set == FAILURE and kind != "ascites")  # ascites takes a body painted for it
    for retry in range(20):
        seed = case.seed + 10_000_000 * retry
        if other:
            patient: Patient = second_patient(seed, bodies, stage=stage, vendor=vendor)
        else:
            patient = simulate_patient(seed, stage=stage, vendor=vendor)
            if kind is None:
                vars(patient)["labels"] = _painted(SEEDS[FIRST] + case.number // PATIENTS_A_BODY)
        settings = ScanSettings(slices=slices, matrix=MATRIX, readers=0)
        settings = second_settings(seed, settings) if other else settings
        if kind is None:
            return scan(patient, settings=settings), patient, settings, None
        try:
            return failed_scan(kind, patient, settings, seed), patient, settings, kind
        except ValueError:  # this body has no slice out of the liver
            continue
    raise RuntimeError("no body with slices out of the liver")


def _own(found: Finding, made: SimulatedScan) -> dict[str, object]:
    exam = found.exam
    redrawn = roi.draw_with_variants(exam, found.liver)[1]
    row = _route(exam, found.roi, found.stiffness, redrawn, made)
    row["reportable"] = found.reportable
    row["flags"] = sorted({f.code for f in found.flags} - {"simulated", "stiffness_by_livermre"})
    row["blocking"] = sorted({f.code for f in found.flags if f.severity == Severity.BLOCKING})
    row["probabilities"] = dict(found.stage.probabilities) if found.stage and found.stage.probabilities else None
    waves = found.waves
    if waves is not None:
        row |= {n: _mean(getattr(waves, n)) for n in ("harmonic_share", "bulk_ratio", "noise_rad")}
    settings = Settings().measure
    row["confident_share"] = confident_share(exam, found.liver, found.roi, settings)
    row["signal_ratio"] = signal_ratio(exam, found.liver, found.roi)
    return row


def _vendor(made: SimulatedScan, liver: LiverMask, seed: int) -> dict[str, object]:
    """The same exam with the map of a vendor whose filter and window are not ours."""
    draw, standard = np.random.default_rng((seed, 80)), InversionSettings()
    factors = draw.uniform(0.85, 1.15, 2)
    settings = replace(
        standard, window_mm=float(factors[0]) * standard.window_mm, highpass_mm=float(factors[1]) * standard.highpass_mm
    )
    exam = invert(made.exam, settings).exam
    region, redrawn = roi.draw_with_variants(exam, liver)
    measured = stiffness.measure(exam, liver, region)
    measured = stiffness.interval(exam, region, measured, [stiffness.mean_kpa(exam, r) for r in redrawn])
    flags = (*exam.flags, *liver.flags, *measured.flags)
    blocking = sorted({f.code for f in flags if f.severity == Severity.BLOCKING})
    row = _route(exam, region, measured, redrawn, made)
    return row | {"reportable": measured.mean_kpa is not None and not blocking, "blocking": blocking}


def _route(
    exam: Exam, region: Roi, measured: Stiffness, redrawn: Sequence[Roi], made: SimulatedScan
) -> dict[str, object]:
    true = made.stiffness_true_kpa[region.keep]
    pure = made.stiffness_true_kpa[region.keep & made.parenchyma]
    confidence = exam.confidence[region.keep] if exam.confidence is not None else np.empty(0)
    return {
        "mean": measured.mean_kpa, "sd": measured.sd_kpa, "between": measured.between_slice_sd_kpa,
        "area_mm2": measured.area_mm2, "interval": measured.interval_95_kpa, "repeat": measured.repeat_interval_95_kpa,
        "ungated": stiffness.mean_kpa(exam, region), "redraws": [stiffness.mean_kpa(exam, r) for r in redrawn],
        "true": _mean(true), "true_parenchyma": _mean(pure), "in_liver": float(np.mean(made.liver[region.keep]))
        if region.keep.any() else None, "confidence": _mean(confidence),
        "slice_means": [s.mean_kpa for s in measured.slices], "slice_areas": [s.area_mm2 for s in measured.slices],
        "sources": interval_sources(exam, region, measured, redrawn),
    }  # fmt: skip


def interval_sources(exam: Exam, region: Roi, measured: Stiffness, redrawn: Sequence[Roi]) -> dict[str, float] | None:
    """SD of the mean by pixels, slices and choice of region, kPa: what the interval is made of."""
    if measured.mean_kpa is None:
        return None
    means = [stiffness.mean_kpa(exam, r) for r in redrawn]
    s = spread(exam, region, measured, means, Settings().interval)
    return {"pixels": s.pixels**0.5, "slices": s.slices**0.5, "region": s.region**0.5}


def _areas(made: SimulatedScan) -> dict[str, float]:
    """Parenchyma at least 10 mm inside the liver, mm2, and the part where the shear wave exceeds its noise so often."""
    spacing, area = made.exam.spacing_mm, made.exam.pixel_area_mm2
    deep = np.stack([
        ndimage.distance_transform_edt(ndimage.binary_fill_holes(m), sampling=spacing) >= 10 for m in made.liver
    ])  # fmt: skip
    deep &= made.parenchyma
    noise_rad = np.sqrt(2) * 300 / float(made.truth.parameters["snr"]) / np.maximum(made.exam.magnitude, 1e-3)  # type: ignore[arg-type]
    ratio = np.abs(made.shear_rad) / noise_rad
    found = {f"area_wave_{n}": float((deep & (ratio >= n)).sum() * area) for n in _WAVE_OVER_NOISE}
    return {"area_liver": float(made.liver.sum() * area), "area_deep": float(deep.sum() * area), **found}


def _has_vendor(case: Case) -> bool:
    return case.number % 6 == 0 and case.set != FAILURE


def _dice(found: np.ndarray, true: np.ndarray) -> float | None:
    both = int(found.sum() + true.sum())
    return 2 * float((found & true).sum()) / both if both else None


def _mean(values: object) -> float | None:
    known = np.array([v for v in np.ravel(np.asarray(values, dtype=object)) if v is not None], float)
    known = known[np.isfinite(known)]
    return float(known.mean()) if known.size else None
