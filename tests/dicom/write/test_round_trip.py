"""What is written in every vendor's style comes back through our own reader: values, units, places, frequency."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dicom.write.exams import AXIAL, CORONAL, exam, oblique
from livermre.dicom import read
from livermre.dicom.write import STYLES, write_exam
from livermre.exam.types import Exam, Slice

HALF_PHASE_RAD = {
    "ge": 6e-4,
    "siemens": np.pi / 4096,
    "siemens-enhanced": np.pi / 4096,
    "philips-enhanced": np.pi / 4096,
}
"""Half a quantum; GE cuts half a turn at 3141 mrad, which is 0.593 mrad away."""
HALF_WAVE_RAD = {"ge": 5e-4, "siemens": np.pi / 8192, "siemens-enhanced": np.pi / 8192, "philips-enhanced": 5e-4}
VENDOR = {"ge": "GE", "siemens": "Siemens", "siemens-enhanced": "Siemens", "philips-enhanced": "Philips"}

SHAPES = {
    "4 slices": exam(),
    "10 slices": exam(slices=10, offsets=3),
    "3 offsets": exam(slices=2, offsets=3),
    "8 offsets": exam(slices=2, offsets=8),
    "oblique at 22 mm": exam(slices=4, vectors=oblique(-20.0, 30.0), step_mm=22.0),
    "coronal": exam(slices=2, vectors=CORONAL),
    "one slice": exam(slices=1),
    "spin-echo EPI at 62.5 Hz": exam(slices=3, sequence="SE-EPI", frequency_hz=62.5),
}


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("shape", SHAPES)
def test_everything_comes_back(style: str, shape: str, tmp_path: Path) -> None:
    given = SHAPES[shape]
    write_exam(given, tmp_path, style, seed=1)
    (study,) = read([tmp_path])
    found = study.exam
    assert found.acquisition.vendor == VENDOR[style]
    assert found.acquisition.frequency_hz == given.acquisition.frequency_hz
    assert (found.acquisition.field_t, found.acquisition.dimension) == (1.5, "2D")
    assert {f.code for f in found.flags} - {"vendor_rule_untested"} == {"simulated"}
    _same_places(found, given)
    for s, truth in zip(found.slices, given.slices, strict=True):
        _same_values(s, truth, style)


def _same_places(found: Exam, given: Exam) -> None:
    np.testing.assert_allclose(found.positions_mm, given.positions_mm, atol=1e-5)
    for s, truth in zip(found.slices, given.slices, strict=True):
        last = truth.plane.shape[0] - 1, truth.plane.shape[1] - 1
        for corner in ((0, 0), last):
            np.testing.assert_allclose(s.plane.world_mm(*corner), truth.plane.world_mm(*corner), atol=1e-5)
        assert s.plane.thickness_mm == truth.plane.thickness_mm


def _same_values(s: Slice, truth: Slice, style: str) -> None:
    np.testing.assert_allclose(s.magnitude, truth.magnitude, atol=0.5001)
    assert s.stiffness_kpa is not None and s.confidence is not None and s.phase_rad is not None
    np.testing.assert_allclose(s.stiffness_kpa, truth.stiffness_kpa, atol=5.01e-4)  # NaN at the same places
    np.testing.assert_allclose(s.confidence, truth.confidence, atol=5.01e-4)
    assert truth.phase_rad is not None and s.phase_rad.shape == truth.phase_rad.shape
    turned = np.angle(np.exp(1j * (s.phase_rad.astype(float) - truth.phase_rad)))
    assert np.abs(turned).max() <= HALF_PHASE_RAD[style] * 1.001
    assert truth.wave_rad is not None and s.wave_rad is not None
    wave = truth.wave_rad if style != "ge" else _eight(truth.wave_rad)
    np.testing.assert_allclose(s.wave_rad, wave, atol=HALF_WAVE_RAD[style] * 1.01)


def _eight(wave_rad: np.ndarray) -> np.ndarray:
    """The same harmonic at eight offsets, by real sine and cosine sums."""
    time = 2 * np.pi * np.arange(wave_rad.shape[2]) / wave_rad.shape[2]
    c = np.mean(wave_rad * np.cos(time)[:, None, None], axis=2, keepdims=True) * 2
    s = np.mean(wave_rad * np.sin(time)[:, None, None], axis=2, keepdims=True) * 2
    eighths = 2 * np.pi * np.arange(8)[:, None, None] / 8
    return c * np.cos(eighths) + s * np.sin(eighths)


def test_ge_wave_repeats_its_first_half_negated(tmp_path: Path) -> None:
    """As on the real exam, where offsets 5 to 8 are the negatives of 1 to 4."""
    write_exam(exam(), tmp_path, "ge", seed=1)
    for s in read([tmp_path])[0].exam.slices:
        assert s.wave_rad is not None and s.wave_rad.shape[2] == 8
        np.testing.assert_allclose(s.wave_rad[0, 0, :4], -s.wave_rad[0, 0, 4:], atol=0.0011)


def test_siemens_keeps_three_directions(tmp_path: Path) -> None:
    given = exam(slices=2, directions=3)
    write_exam(given, tmp_path, "siemens", seed=1)
    (study,) = read([tmp_path])
    assert study.exam.acquisition.dimension == "3D"
    for s, truth in zip(study.exam.slices, given.slices, strict=True):
        _same_values(s, truth, "siemens")


@pytest.mark.parametrize("style", STYLES)
def test_an_exam_without_maps_is_read_as_acquired(style: str, tmp_path: Path) -> None:
    bare = exam(slices=2)
    bare = replace(
        bare, slices=tuple(replace(s, stiffness_kpa=None, confidence=None, wave_rad=None) for s in bare.slices)
    )
    write_exam(bare, tmp_path, style, seed=1)
    (study,) = read([tmp_path])
    assert study.exam.stiffness_kpa is None and study.exam.confidence is None
    assert all(s.phase_rad is not None and s.wave_rad is None for s in study.exam.slices)


@pytest.mark.parametrize("style", STYLES)
def test_a_low_confidence_keeps_its_scale(style: str, tmp_path: Path) -> None:
    """A map that nowhere comes near 1 must not be read as another scale."""
    low = exam(slices=2)
    low = replace(low, slices=tuple(replace(s, confidence=0.3 * np.asarray(s.confidence)) for s in low.slices))
    write_exam(low, tmp_path, style, seed=1)
    np.testing.assert_allclose(read([tmp_path])[0].exam.confidence, low.confidence, atol=5.01e-4)


@pytest.mark.parametrize("style", ["ge", "philips-enhanced"])
@pytest.mark.parametrize(("scale", "factor"), [(1e-3, None), (100.0, None), (0.5, 1.0)])
def test_magnitude_of_any_size_uses_the_type(style: str, scale: float, factor: float | None, tmp_path: Path) -> None:
    """Arbitrary units: where they would use the type badly all slices share one factor, else it is 1."""
    given = exam(slices=2, vectors=AXIAL)
    given = replace(given, slices=tuple(replace(s, magnitude=scale * s.magnitude) for s in given.slices))
    write_exam(given, tmp_path, style, seed=1)
    found = read([tmp_path])[0].exam.magnitude
    ratio = float(np.sum(found * given.magnitude) / np.sum(given.magnitude**2))
    np.testing.assert_allclose(found, ratio * given.magnitude, atol=0.51)
    assert factor is None or abs(ratio - factor) < 1e-4
    assert 250 <= found.max() <= 32767


def test_the_frequency_is_not_made_up(tmp_path: Path) -> None:
    for style in STYLES:
        write_exam(exam(slices=2, frequency_hz=None), tmp_path / style, style, seed=1)
        assert read([tmp_path / style])[0].exam.acquisition.frequency_hz is None


def test_text_in_the_pixels_is_no_stiffness(tmp_path: Path) -> None:
    given = exam(slices=2, rows=80, columns=90)
    write_exam(given, tmp_path, "ge", seed=1, burned_in=True)
    stored = list((tmp_path / "s0500_stiffness").iterdir())
    assert len(stored) == 2 and all(b"\xfe\x7f" * 3 in p.read_bytes() for p in stored)
    found = read([tmp_path])[0].exam.stiffness_kpa
    assert found is not None and given.stiffness_kpa is not None
    valid = np.isfinite(found)
    np.testing.assert_allclose(found[valid], given.stiffness_kpa[valid], atol=5.01e-4)
    lost = np.isfinite(given.stiffness_kpa) & ~valid
    assert lost[:, :68].sum() == 0 and lost[:, 68:].any()


@pytest.mark.parametrize("style", STYLES)
def test_what_the_type_cannot_hold_is_no_value(style: str, tmp_path: Path) -> None:
    """70 kPa do not fit into 16 bits of Pa: never 65.5, never what is left after wrapping."""
    s = exam(slices=1).slices[0]
    stiff = np.array(s.stiffness_kpa)
    stiff[15, 18], stiff[15, 20] = 70.0, np.inf
    write_exam(replace(exam(slices=1), slices=(replace(s, stiffness_kpa=stiff),)), tmp_path, style, seed=1)
    found = read([tmp_path])[0].exam.stiffness_kpa
    assert found is not None and np.isnan(found[0, 15, [18, 20]]).all() and np.nanmax(found) < 4
