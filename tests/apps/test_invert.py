"""`livermre invert` and `livermre simulate` as people type them."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from livermre import nifti
from road.test_from_phase import wave_exam


@pytest.fixture
def phase_set(tmp_path: Path) -> Path:
    nifti.write_exam(tmp_path / "phase", wave_exam())
    return tmp_path / "phase"


def test_invert_says_what_it_saw_and_where_to_look(livermre, phase_set, tmp_path):
    ran = livermre("invert", phase_set, "--out", tmp_path / "maps")
    assert ran.status == 0, ran.err
    assert "|G*| from 2 slices" in ran.out and "of the motion at the driver's frequency" in ran.out
    assert Path(ran.out.strip().splitlines()[-1]).read_bytes().startswith(b"\x89PNG")
    again = livermre("invert", phase_set, "--out", tmp_path / "maps")
    assert again.status == 0 and "finished earlier" in again.out
    assert livermre("invert", phase_set, "--out", tmp_path / "maps", "--overwrite").status == 0


def test_the_frequency_is_asked_for(livermre, tmp_path):
    exam = wave_exam(frequency_hz=None)
    nifti.write_exam(tmp_path / "phase", exam)
    ran = livermre("invert", tmp_path / "phase", "--out", tmp_path / "maps")
    assert ran.status == 3 and "--frequency-hz" in ran.sentence
    assert not (tmp_path / "maps").exists()
    assert livermre("invert", tmp_path / "phase", "--out", tmp_path / "maps", "--frequency-hz", "60").status == 0
    assert json.loads((tmp_path / "maps" / "exam.json").read_text())["frequency_hz"] == 60


def test_several_frequencies_are_given_one_by_one(livermre, tmp_path):
    """Three frequencies of 3 kPa: their images in the order of the options, the name and the record say which."""
    exam = wave_exam(frequency_hz=None)
    nifti.write_exam(tmp_path / "phase", several_waves(exam, (40, 60, 80)))
    options = [o for hz in (40, 60, 80) for o in ("--frequency-hz", hz)]
    ran = livermre("invert", tmp_path / "phase", "--out", tmp_path / "maps", *options)
    assert ran.status == 0, ran.err
    assert "|G*| joined over 40, 60 and 80 Hz" in ran.out
    said = json.loads((tmp_path / "maps" / "exam.json").read_text())
    assert said["frequency_hz"] is None and said["frequencies_hz"] == [40, 60, 80]
    made = nifti.read(tmp_path / "maps").exam
    where = np.zeros(made.shape, bool)
    where[:, 60:100, 60:100] = True
    assert np.median(made.stiffness_kpa[where & (made.confidence >= 0.95)]) == pytest.approx(3, rel=0.06)
    fewer = livermre("invert", tmp_path / "phase", "--out", tmp_path / "fewer", *options[:4])
    assert fewer.status == 3 and "3 frequencies but 2 were given" in fewer.sentence
    beyond = livermre("invert", tmp_path / "phase", "--out", tmp_path / "beyond", *options[:4], "--frequency-hz", 6000)
    assert beyond.status == 2 and "between 10 and 500 Hz" in beyond.sentence


def several_waves(exam, frequencies_hz):
    """The exam with a plane wave of 3 kPa at each frequency."""
    y, x = (np.indices(exam.shape[1:]) - np.array(exam.shape[1:])[:, None, None] / 2) * exam.spacing_mm[0]
    time = np.exp(2j * np.pi * np.arange(4) / 4)[:, None, None]
    slices = []
    for i, s in enumerate(exam.slices):
        rng = np.random.default_rng(i)
        images = []
        for n, hz in enumerate(frequencies_hz):
            k = 2 * np.pi * hz / np.sqrt(3.0) / 1000
            angle = 0.3 + i + 0.7 * n
            wave = 0.5 * np.exp(-1j * k * (x * np.cos(angle) + y * np.sin(angle)))
            phase = (wave * time).real + 0.05 * rng.standard_normal((4, *exam.shape[1:]))
            images.append(np.where(np.hypot(x, y) < 140, phase, rng.uniform(-np.pi, np.pi, phase.shape)))
        slices.append(replace(s, phase_rad=np.stack(images)[:, None]))
    return replace(exam, slices=tuple(slices))


def test_magnitude_alone_or_degrees_give_no_map(livermre, tmp_path):
    exam = wave_exam()
    bare = replace(exam, slices=tuple(replace(s, phase_rad=None) for s in exam.slices))
    degrees = replace(exam, slices=tuple(replace(s, phase_rad=np.degrees(s.phase_rad)) for s in exam.slices))
    for name, one in (("bare", bare), ("degrees", degrees)):
        nifti.write_exam(tmp_path / name, one)
        ran = livermre("invert", tmp_path / name, "--out", tmp_path / f"{name}-maps")
        assert ran.status == 3 and "phase" in ran.sentence, ran
        assert not (tmp_path / f"{name}-maps").exists()


def test_results_never_go_into_the_input(livermre, phase_set):
    ran = livermre("invert", phase_set, "--out", phase_set)
    assert ran.status == 2 and "choose an --out elsewhere" in ran.sentence


def test_phantom_regions_are_measured_beside_their_nominal_value(livermre, phase_set, tmp_path):
    exam = wave_exam()
    mask = np.zeros(exam.shape, np.uint8)
    mask[:, 60:100, 60:100] = 1
    nifti.write_volume(tmp_path / "disc.nii.gz", mask, exam)
    ran = livermre("invert", phase_set, "--out", tmp_path / "maps", "--phantom", f"{tmp_path / 'disc.nii.gz'}=3")
    assert ran.status == 0 and "disc" in ran.out and "nominal_kpa" in ran.out
    with (tmp_path / "maps" / "regions.csv").open() as file:
        row = next(iter(csv.DictReader(file)))
    assert float(row["mean_kpa"]) == pytest.approx(3, rel=0.06)
    assert float(row["confident_mean_kpa"]) == pytest.approx(3, rel=0.06)
    pascal = livermre("invert", phase_set, "--out", tmp_path / "pa", "--phantom", f"{tmp_path / 'disc.nii.gz'}=3000")
    assert pascal.status == 2 and "give kPa, not Pa" in pascal.sentence
    missing = livermre("invert", phase_set, "--out", tmp_path / "other", "--phantom", "missing.nii.gz=3")
    assert missing.status == 2 and "missing.nii.gz" in missing.sentence


@pytest.mark.slow
def test_simulate_makes_a_cohort_that_inspect_and_analyze_read(livermre, tmp_path):
    out = tmp_path / "cohort"
    ran = livermre("simulate", "--patients", "1", "--slices", "1", "--vendor", "ge", "--seed", "4", "--out", out)
    assert ran.status == 0 and ran.out.strip().endswith("truth.csv")
    with (out / "truth.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [r["exam"] for r in rows] == ["patient-0001"] and float(rows[0]["liver_kpa"]) > 1
    seen = livermre("inspect", out / "exams" / "patient-0001")
    assert seen.status == 0 and "phase" in seen.out and "stiffness" in seen.out
    kept = livermre("simulate", "--patients", "1", "--slices", "1", "--vendor", "ge", "--seed", "4", "--out", out)
    assert "1 of them made earlier" in kept.out
    assert livermre("simulate", "--patients", "0", "--out", out).status == 2
    assert livermre("simulate", "--patients", "1", "--slices", "99", "--out", out).status == 2
