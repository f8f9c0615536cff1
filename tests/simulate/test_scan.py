"""Simulated exams: truth that the images hold, one body for all scans of a patient, same seed same bytes."""

from dataclasses import replace

import numpy as np
import pytest

from livermre.simulate import priors
from livermre.simulate.conditions import draw_conditions
from livermre.simulate.motion import move
from livermre.simulate.patient import HALF_STEP_MM, Patient, simulate_patient
from livermre.simulate.scan import ScanSettings, SimulatedScan, scan
from livermre.simulate.tissue import Tissue as T

TWO = ScanSettings(slices=2, matrix=128)
CLEAN = replace(TWO, snr=1e6, lines=128, artefacts=False, shear_rad=0.4, bulk_ratio=2.0)


@pytest.fixture(scope="module")
def patient() -> Patient:
    return simulate_patient(11, stage="F2", vendor="GE", sequence="GRE", field_t=1.5, bmi=25, r2star_per_s=32)


@pytest.fixture(scope="module")
def first(patient: Patient) -> SimulatedScan:
    return scan(patient, 0, TWO)


@pytest.fixture(scope="module")
def clean(patient: Patient) -> SimulatedScan:
    return scan(patient, 0, CLEAN)


def wrapped(phase: np.ndarray) -> np.ndarray:
    return np.angle(np.exp(1j * phase))


def test_same_seed_same_bytes(patient, first):
    twin = simulate_patient(11, stage="F2", vendor="GE", sequence="GRE", field_t=1.5, bmi=25, r2star_per_s=32)
    again = scan(twin, 0, TWO)
    for a, b in zip(first.exam.slices, again.exam.slices, strict=True):
        assert a.magnitude.tobytes() == b.magnitude.tobytes() and a.phase_rad.tobytes() == b.phase_rad.tobytes()
    for name in ("labels", "stiffness_true_kpa", "shear_rad", "bulk_rad"):
        assert getattr(first, name).tobytes() == getattr(again, name).tobytes()
    assert first.truth == again.truth and twin == patient


def test_what_an_exam_holds(first):
    exam = first.exam
    assert exam.shape == (2, 128, 128) and exam.acquisition.vendor == "simulated" and "simulated" in exam.pseudonym
    assert np.allclose(np.diff(exam.positions_mm), 2 * HALF_STEP_MM)
    for s in exam.slices:
        assert s.phase_rad.shape == (1, 1, 4, 128, 128) and np.abs(s.phase_rad).max() <= np.float32(np.pi)
        assert s.stiffness_kpa is None and s.confidence is None and s.wave_rad is None
    assert first.shear_rad.shape == first.bulk_rad.shape == first.labels.shape == (2, 128, 128)
    assert np.isnan(first.stiffness_true_kpa[np.isin(first.labels, priors.VOIDS)]).all()
    assert np.isfinite(first.stiffness_true_kpa[first.liver]).all()
    with pytest.raises(ValueError, match="read-only"):
        first.labels[0, 0, 0] = 1


def test_without_noise_the_phase_is_shear_plus_bulk(clean):
    """End to end: drum, solve, pose, polarity, k-space; only the blur of the readout samples is left."""
    turns = np.exp(2j * np.pi * np.arange(4) / 4)[:, None, None]
    for s, shear, bulk, liver in zip(clean.exam.slices, clean.shear_rad, clean.bulk_rad, clean.liver, strict=True):
        off = wrapped(s.phase_rad[0, 0] - ((shear + bulk) * turns).real)[:, liver]
        assert np.median(np.abs(off)) < 0.01 and np.percentile(np.abs(off), 95) < 0.1


def test_amplitudes_are_what_was_asked_for(clean):
    inside = clean.liver & np.isfinite(clean.stiffness_true_kpa)
    assert np.abs(clean.shear_rad[inside]).mean() == pytest.approx(0.4, rel=0.05)
    assert np.abs(clean.bulk_rad[inside]).mean() == pytest.approx(0.8, rel=0.05)


def test_truth_is_the_mean_over_parenchyma(first):
    kpa = first.stiffness_true_kpa[first.parenchyma]
    assert first.truth.liver_kpa == pytest.approx(kpa.mean(dtype=np.float64), rel=1e-6)
    weights = np.array(first.truth.areas_mm2)
    assert np.average(first.truth.slices_kpa, weights=weights) == pytest.approx(first.truth.liver_kpa, rel=1e-5)
    assert kpa.std() / kpa.mean() == pytest.approx(0.1, abs=0.04)  # 8 % and 6 % of two grains
    vessels = first.labels == T.LIVER_VESSEL
    assert vessels.any() and not first.parenchyma[vessels].any() and first.liver[vessels].all()


def test_truth_is_one_flat_row(first):
    row = first.truth.row
    assert {"liver_kpa", "liver_kpa_1", "stage", "etiology", "r2star_per_s", "bmi", "snr", "bulk_ratio"} <= set(row)
    assert all(isinstance(v, str | int | float | bool) for v in row.values())


def test_a_repeat_shares_the_patient_and_not_the_images(patient, first):
    again = scan(patient, 1, TWO)
    assert again.truth.liver_kpa == pytest.approx(first.truth.liver_kpa, rel=0.12)
    assert again.truth.liver_kpa != first.truth.liver_kpa
    assert again.truth.parameters["stiffness_kpa"] == first.truth.parameters["stiffness_kpa"]
    assert again.truth.parameters["drum_angle_rad"] != first.truth.parameters["drum_angle_rad"]
    assert not np.array_equal(again.exam.slices[0].phase_rad, first.exam.slices[0].phase_rad)


def test_slices_belong_together(patient):
    """One slice taken twice, 10 mm apart, differs by e^{i kz dz} and by nothing else."""
    settings = replace(TWO, theta0_rad=0.25)
    now = draw_conditions(patient, settings, np.random.default_rng(0))
    labels = np.repeat(patient.labels[[patient.widest(1)]], 2, axis=0)
    modulus = np.where(np.isin(labels, priors.VOIDS), 0, patient.stiffness_kpa * np.exp(0.3j))
    moved = move(labels, modulus, modulus != 0, now, settings)
    k = 2 * np.pi * 60 / np.sqrt(patient.stiffness_kpa) * np.cos(0.15)
    assert moved.kz_per_m == pytest.approx(k * np.sin(0.25), rel=1e-6)
    onward = np.exp(1j * moved.kz_per_m * 0.01)
    np.testing.assert_allclose(moved.shear[1], moved.shear[0] * onward, rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(moved.bulk[1], moved.bulk[0])


def test_neighbouring_slices_look_alike(clean):
    """The bodies of two slices differ, the drum is one: their waves correlate, which those of strangers do not."""
    both = clean.parenchyma[0] & clean.parenchyma[1]
    a, b = (clean.shear_rad[i][both] for i in (0, 1))
    near = abs(np.vdot(a, b)) / np.sqrt(np.vdot(a, a).real * np.vdot(b, b).real)
    assert near > 0.5


def test_iron_darkens_the_liver_by_the_formula(patient, clean):
    iron = scan(replace(patient, r2star_per_s=132.0), 0, CLEAN)
    deep = clean.parenchyma[0]
    darker = np.median(iron.exam.magnitude[0][deep] / clean.exam.magnitude[0][deep])
    assert darker == pytest.approx(np.exp(-0.0205 * 100), rel=0.05)


def test_no_driver_no_motion(patient):
    off = scan(patient, 0, replace(CLEAN, driver_on=False))
    assert not off.shear_rad.any() and not off.bulk_rad.any()
    assert np.median(np.abs(off.exam.slices[0].phase_rad[:, :, :, off.liver[0]])) < 1e-3


@pytest.mark.parametrize("offsets", [3, 8])
def test_other_numbers_of_offsets(patient, offsets: int):
    exam = scan(patient, 0, replace(TWO, slices=1, offsets=offsets)).exam
    assert exam.slices[0].phase_rad.shape == (1, 1, offsets, 128, 128)


def test_readers_draw_alike_and_not_the_same(first):
    one, two = first.readers
    for region in (one, two):
        assert not (region & ~first.liver).any()
        assert 0.1 < region.sum() / first.liver.sum() < 0.9
    assert 0.4 < 2 * (one & two).sum() / (one.sum() + two.sum()) < 0.99


def test_stage_and_stiffness_go_together():
    kpa = {s: np.median([simulate_patient(i, stage=s).stiffness_kpa for i in range(60)]) for s in priors.STAGES}
    assert list(kpa.values()) == sorted(kpa.values())
    assert kpa["F0"] == pytest.approx(2.2, abs=0.25) and kpa["F4"] > 5


def test_what_is_asked_for_is_what_comes():
    asked = {"stage": "F4", "etiology": "HBV", "stiffness_kpa": 9.0, "bmi": 41, "r2star_per_s": 300, "field_t": 3.0}
    p = simulate_patient(3, **asked, vendor="Philips", sequence="SE-EPI")
    assert asked == {name: getattr(p, name) for name in asked} and (p.vendor, p.sequence) == ("Philips", "SE-EPI")
    assert p.plan.fat > simulate_patient(3, bmi=20).plan.fat + 10


def test_impossible_requests_are_refused():
    with pytest.raises(ValueError, match="stage is one of"):
        simulate_patient(1, stage="F5")
    with pytest.raises(ValueError, match="stiffness_kpa lies between"):
        simulate_patient(1, stiffness_kpa=2500)
    with pytest.raises(ValueError, match="offsets lies between"):
        ScanSettings(offsets=2)
