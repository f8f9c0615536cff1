"""Several frequencies in one exam: exact waves, one sum, and a name that says what it is."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from inversion.sources import SHAPE, exam_of, inner, plane_wave, wavenumber
from livermre import nifti, pipeline
from livermre.exam.errors import Contradiction, CorruptFile, InputError
from livermre.exam.study import ReadOptions, Study
from livermre.exam.types import Exam, Identity
from livermre.inversion import InversionSettings, invert
from livermre.settings import Settings

HZ = (40.0, 60.0, 80.0)


def waves(kpa: complex = 2.5 * np.exp(0.1j), hz: tuple[float, ...] = HZ, noise_rad: float = 0.03) -> Exam:
    """One medium at several frequencies, a wave of its own direction each: (F, 1, R, C)."""
    field = [0.5 * plane_wave(wavenumber(kpa, f), 0.4 + 0.9 * i) for i, f in enumerate(hz)]
    made = exam_of(np.stack(field)[:, None], np.random.default_rng(1), noise_rad, frequency_hz=None)
    return replace(made, acquisition=replace(made.acquisition, frequencies_hz=hz))


def mean(exam: Exam, **settings) -> float:
    found = invert(exam, InversionSettings(**settings))
    where = inner() & (found.exam.confidence[0] >= 0.95)
    assert where.sum() > 0.5 * inner().sum()
    return float(found.stiffness_kpa[0][where].mean())


@pytest.mark.parametrize("kpa", [2.5, 4.0])
def test_exact_waves_at_three_frequencies_give_their_modulus(kpa: float) -> None:
    assert mean(waves(kpa * np.exp(0.1j))) == pytest.approx(kpa, rel=0.03)


def test_each_frequency_counts_with_its_own() -> None:
    """Frequencies in the wrong order read another stiffness: they are really used, each with its images."""
    turned = replace(waves(), acquisition=replace(waves().acquisition, frequencies_hz=HZ[::-1]))
    found = invert(turned)
    assert abs(np.nanmean(found.stiffness_kpa[0][inner()]) / 2.5 - 1) > 0.2


def test_the_map_is_named_by_its_frequencies_and_gets_no_stage(tmp_path: Path) -> None:
    found = invert(waves())
    assert found.quantity == found.exam.quantity == "|G*| joined over 40, 60 and 80 Hz"
    assert found.exam.acquisition.frequency_hz is None and found.exam.acquisition.frequencies_hz == HZ
    assert any(f.code == "several_frequencies" and "40, 60 and 80 Hz" in f.message for f in found.exam.flags)
    mask = nifti.write_volume(tmp_path / "liver.nii.gz", inner()[None], found.exam)[0]
    settings = Settings(from_phase=True, liver_file=mask)
    finding = pipeline.analyze_study(Study(waves(), Identity(), (), "0" * 64), settings)
    assert finding.stiffness.mean_kpa == pytest.approx(2.5, rel=0.04)
    assert finding.stage is None and "quantity_not_g" in {f.code for f in finding.flags}


def test_a_set_keeps_its_frequencies_and_directions(tmp_path: Path) -> None:
    exam = waves()
    exam = replace(exam, acquisition=replace(exam.acquisition, directions=("S",)))
    nifti.write_exam(tmp_path / "set", exam)
    back = nifti.read(tmp_path / "set").exam
    assert back.acquisition == exam.acquisition
    assert back.slices[0].phase_rad.shape == (3, 1, 4, *SHAPE)
    with pytest.raises(Contradiction, match="several frequencies"):
        nifti.read(tmp_path / "set", ReadOptions(frequency_hz=60))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("frequencies_hz", [60]),
        ("frequencies_hz", [60, "80"]),
        ("frequencies_hz", [60, 0]),
        ("frequencies_hz", {"a": 1}),
        ("directions", ["R", "L", "S"]),
        ("directions", ["X"]),
        ("directions", "RAS"),
        ("directions", [1, 2, 3]),
    ],
)
def test_a_sidecar_that_cannot_be_is_refused(tmp_path: Path, key: str, value: object) -> None:
    nifti.write_exam(tmp_path / "set", waves())
    path = tmp_path / "set" / "exam.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), key: value}))
    with pytest.raises(CorruptFile, match=key):
        nifti.read(tmp_path / "set")


def test_frequencies_must_fit_the_images_and_the_exam() -> None:
    nameless = replace(waves(), acquisition=replace(waves().acquisition, frequencies_hz=()))
    with pytest.raises(InputError, match="never assumed"):
        invert(nameless)
    with pytest.raises(InputError, match="3 frequencies but 2"):
        invert(nameless, InversionSettings(frequencies_hz=(40.0, 60.0)))
    with pytest.raises(InputError, match="repeat"):
        invert(nameless, InversionSettings(frequencies_hz=(40.0, 40.0, 60.0)))
    with pytest.raises(Contradiction, match="the exam says 40, 60 and 80 Hz"):
        invert(waves(), InversionSettings(frequencies_hz=(40.0, 60.0, 90.0)))


def test_many_frequencies_have_a_name_that_a_set_can_hold() -> None:
    hz = tuple(float(f) for f in range(30, 70, 4))
    assert len(invert(waves(hz=hz)).quantity) <= 64
