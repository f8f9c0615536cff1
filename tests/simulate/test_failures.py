"""Simulated failures are what they say."""

from dataclasses import replace

import numpy as np
import pytest

from livermre.simulate.failures import ASCITES_RAD, FAILURES, IRON_SIGNAL, OUT_OF_VIEW_MM2, failed_scan, iron_signal
from livermre.simulate.scan import ScanSettings, SimulatedScan, scan
from livermre.simulate.second import SecondPatient, second_patient
from simulate.bodies import plain_body

SETTINGS = ScanSettings(slices=2, matrix=64, readers=0, snr=200.0)


@pytest.fixture(scope="module")
def patient() -> SecondPatient:
    return replace(second_patient(3, [plain_body()], stage="F2", vendor="GE"), sequence="GRE", r2star_per_s=30.0)


@pytest.fixture(scope="module")
def whole(patient: SecondPatient) -> SimulatedScan:
    return scan(patient, settings=SETTINGS)


def offsets(made: SimulatedScan) -> np.ndarray:
    """(S, O, R, C) complex images of the offsets."""
    return np.stack([s.magnitude * np.exp(1j * s.phase_rad[0, 0]) for s in made.exam.slices])


@pytest.mark.parametrize("kind", FAILURES)
def test_every_kind_gives_an_exam_of_the_same_shape(kind, patient, whole) -> None:
    made = failed_scan(kind, patient, SETTINGS, 1)
    assert made.exam.shape == whole.exam.shape
    assert all(np.isfinite(s.phase_rad).all() and np.abs(s.phase_rad).max() <= np.pi + 1e-5 for s in made.exam.slices)
    again = failed_scan(kind, patient, SETTINGS, 1)
    assert all(np.array_equal(a.phase_rad, b.phase_rad) for a, b in zip(made.exam.slices, again.exam.slices))


def test_without_a_driver_nothing_moves(patient) -> None:
    made = failed_scan("driver off", patient, SETTINGS, 1)
    assert not made.shear_rad.any() and not made.bulk_rad.any()


def test_iron_takes_the_signal_down_to_the_published_limit(patient, whole) -> None:
    # catches: R2* added where its excess is meant, the echo time of the other sequence
    dark = [failed_scan("iron", patient, SETTINGS, seed) for seed in range(6)]
    level = [
        np.median(m.exam.magnitude[m.parenchyma]) / np.median(whole.exam.magnitude[whole.parenchyma]) for m in dark
    ]
    assert max(level) < 1.25 * IRON_SIGNAL and min(level) < 0.08
    assert iron_signal(replace(patient, r2star_per_s=131.5, field_t=1.5)) == pytest.approx(0.13, abs=0.003)


def test_ascites_leaves_a_faint_wave(patient) -> None:
    made = failed_scan("ascites", patient, SETTINGS, 2)
    assert 0 < np.abs(made.shear_rad[made.liver]).mean() < 1.1 * ASCITES_RAD


def test_strong_encoding_wraps_the_phase_between_neighbours(patient, whole) -> None:
    def steep(made: SimulatedScan) -> float:
        steps = np.abs(np.diff((made.shear_rad + made.bulk_rad).real, axis=1))
        return float(np.mean(steps[made.liver[:, 1:]] > np.pi / 2))

    assert steep(failed_scan("phase wrap", patient, SETTINGS, 1)) > 0.1 > steep(whole)


def test_a_small_field_folds_what_lies_beyond_it(patient, whole) -> None:
    # what is folded in adds up: no signal is lost and none invented
    made = failed_scan("fold-over", patient, SETTINGS, 4)
    before, after = offsets(whole)[0, 0], offsets(made)[0, 0]
    rows = np.flatnonzero(np.abs(after).max(axis=1) > 1)
    body = np.flatnonzero((whole.labels > 0).any(axis=(0, 2)))
    assert 0.45 < len(rows) / len(body) < 0.7
    first = rows[0]
    step = len(rows)
    expected = sum(before[r] for r in range(before.shape[0]) if (r - first) % step == 0)
    assert np.angle(after[first] * np.conj(expected))[np.abs(expected) > 50] == pytest.approx(0, abs=1e-3)


def test_a_breathing_patient_has_other_images_at_every_offset(patient, whole) -> None:
    still, moved = offsets(whole)[0], offsets(failed_scan("motion", patient, SETTINGS, 1))[0]

    def likeness(images: np.ndarray) -> float:
        a, b = images[0], images[2]
        return abs(np.vdot(a, b)) / (np.linalg.norm(a) * np.linalg.norm(b))

    assert likeness(moved) < 0.8 * likeness(still)


def test_phase_of_another_scan_is_no_vibration(patient) -> None:
    # echo times: phase goes on by the same angle from echo to echo; flow: nothing but vessels changes
    found = set()
    for seed in range(8):
        images = offsets(failed_scan("wrong series", patient, replace(SETTINGS, artefacts=False), seed))[0]
        inside = np.abs(images[0]) > 100
        steps = np.angle(images[1:] * np.conj(images[:-1]))[:, inside]
        same = np.abs(np.angle(np.exp(1j * (steps[0] - steps[1])))) < 0.1
        assert same.mean() > 0.9
        found.add(bool(np.median(np.abs(steps)) > 0.05))
    assert found == {True, False}


def test_slices_beside_the_liver_show_next_to_none_and_move_as_much(patient, whole) -> None:
    # catches: an amplitude scaled to the mean over a liver that is not there, which would be endless
    made = failed_scan("liver out of view", patient, SETTINGS, 5)
    assert made.liver.sum() * made.exam.pixel_area_mm2 < OUT_OF_VIEW_MM2
    moving = np.abs(made.shear_rad[np.isfinite(made.stiffness_true_kpa)])
    assert 0.05 < moving.mean() < 5


def test_a_body_that_is_all_liver_has_no_such_slices(patient) -> None:
    with pytest.raises(ValueError, match="no slices without liver"):
        failed_scan("liver out of view", patient, replace(SETTINGS, slices=12), 5)
