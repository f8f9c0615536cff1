"""From acquired phase to maps, files and page, on plane waves whose stiffness is known."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from livermre import inverting, nifti, pipeline
from livermre.dicom import Reading
from livermre.exam.errors import InputError, OutputError, SettingsError
from livermre.exam.plane import Plane
from livermre.exam.study import ReadOptions, Study
from livermre.exam.types import Acquisition, Exam, Identity, Slice
from livermre.from_phase import compared, inverted
from livermre.inversion import InversionSettings
from livermre.inverting import InvertRequest, Region, invert_path, invert_study
from livermre.pipeline import Settings
from livermre.results import whole_folder

KPA = 3.0
PIXELS, PIXEL_MM = 160, 2.0


def wave_exam(offsets: int = 4, frequency_hz: float | None = 60.0, vendor: bool = False) -> Exam:
    """Two slices of a disc of 3 kPa crossed by a weakly damped plane wave on top of smooth bulk motion."""
    rng = np.random.default_rng(0)
    y, x = (np.indices((PIXELS, PIXELS)) - PIXELS / 2) * PIXEL_MM
    body = np.hypot(x, y) < 140
    modulus = 1000 * KPA * np.exp(0.05j)
    k = 2 * np.pi * 60 * np.sqrt(1000 / modulus) / 1000  # 1/mm
    slices = []
    for i in range(2):
        angle = 0.3 + i
        along = x * np.cos(angle) + y * np.sin(angle)
        wave = 0.5 * np.exp(-1j * k * (along + 140)) + 1.2 * np.exp(1j * (0.004 * x - 0.003 * y))
        time = np.exp(2j * np.pi * np.arange(offsets) / offsets)
        phase = (wave[None] * time[:, None, None]).real + 0.05 * rng.standard_normal((offsets, PIXELS, PIXELS))
        phase = np.where(body, np.angle(np.exp(1j * phase)), rng.uniform(-np.pi, np.pi, phase.shape))
        plane = Plane((PIXELS, PIXELS), (PIXEL_MM, PIXEL_MM), (0, 0, 10.0 * i), (0, 1, 0), (1, 0, 0), 8.0)
        maps = {"stiffness_kpa": np.where(body, 1.1 * KPA, np.nan), "confidence": body * 1.0} if vendor else {}
        magnitude = np.where(body, 100.0, 0) + np.abs(rng.normal(0, 2, body.shape))
        slices.append(Slice(plane, magnitude, phase_rad=phase[None, None], **maps))
    return Exam(tuple(slices), Acquisition("test", 1.5, frequency_hz, "test", "2D"), "test")


def study(exam: Exam) -> Study:
    return Study(exam, Identity(), (), "0" * 64)


def disc(path: Path, exam: Exam, radius_mm: float = 60.0) -> Path:
    y, x = (np.indices((PIXELS, PIXELS)) - PIXELS / 2) * PIXEL_MM
    mask = np.broadcast_to(np.hypot(x, y) < radius_mm, exam.shape).astype(np.uint8)
    return nifti.write_volume(path, mask, exam)[0]


def test_analyze_from_phase_measures_our_own_map_and_says_so(tmp_path: Path) -> None:
    exam = wave_exam(vendor=True)
    settings = Settings(
        from_phase=True,
        region_file=disc(tmp_path / "disc.nii.gz", exam),
        liver_file=disc(tmp_path / "liver.nii.gz", exam, 90),
    )
    finding = pipeline.analyze_study(study(exam), settings)
    assert finding.exam.stiffness_source == finding.provenance.stiffness_source == "livermre"
    assert finding.stiffness.mean_kpa == pytest.approx(KPA, rel=0.05)
    assert finding.waves is not None and finding.waves.agreement is not None
    # the made-up scanner map is 10 % stiffer than the wave
    assert finding.waves.agreement["bias_percent"] == pytest.approx(-9, abs=5)


def test_an_exam_without_a_map_asks_for_from_phase_and_works_with_it() -> None:
    with pytest.raises(InputError, match="add --from-phase"):
        pipeline.analyze_study(study(wave_exam()), Settings())


def test_the_scanners_map_without_confidence_gets_ours() -> None:
    exam = wave_exam(vendor=True)
    bare = replace(exam, slices=tuple(replace(s, confidence=None) for s in exam.slices))
    own, waves = pipeline._with_map(bare, Settings())
    assert waves is None and own.stiffness_source == "vendor"
    assert own.confidence is not None and float(np.nanmax(own.confidence)) > 0.5
    assert "confidence_from_phase" in [f.code for f in own.flags]


def test_invert_writes_a_set_that_analyze_reads_as_livermres_own(tmp_path: Path) -> None:
    exam = wave_exam(vendor=True)
    request = InvertRequest(InversionSettings(), regions=(Region(disc(tmp_path / "disc.nii.gz", exam), KPA),))
    made = invert_study(study(exam), tmp_path / "out", request)
    back = nifti.read(tmp_path / "out").exam
    assert back.stiffness_source == "livermre" and back.acquisition.frequency_hz == 60
    own = inverted(exam, InversionSettings()).exam
    np.testing.assert_allclose(back.stiffness_kpa, own.stiffness_kpa, rtol=1e-6)
    assert back.slices[0].wave_rad is not None and back.slices[0].wave_rad.shape == (1, 1, 4, PIXELS, PIXELS)
    with (tmp_path / "out" / "regions.csv").open() as file:
        row = next(iter(csv.DictReader(file)))
    assert float(row["mean_kpa"]) == pytest.approx(KPA, rel=0.05)
    assert float(row["difference_percent"]) == pytest.approx(100 * (float(row["mean_kpa"]) / KPA - 1), abs=0.01)
    assert made.rows[0]["region"] == "disc"
    record = json.loads((tmp_path / "out" / "inversion.json").read_text())
    assert record["quantity"] == "|G*|" and len(record["slices"]) == 2
    assert (tmp_path / "out" / "inversion.png").read_bytes().startswith(b"\x89PNG")


def test_earlier_maps_are_replaced_only_when_asked_and_a_persons_set_never(tmp_path: Path) -> None:
    exam, out = wave_exam(), tmp_path / "out"
    nifti.write_exam(tmp_path / "set", exam)
    request = InvertRequest(InversionSettings())

    def run(**changes: object):
        return invert_path(tmp_path / "set", out, ReadOptions(), replace(request, **changes))[0]

    assert run().result is not None
    kept = run()
    assert kept.result is None and not kept.error
    assert "add --overwrite" in run(start="phase", settings=InversionSettings(window_mm=5.0)).error
    assert run(overwrite=True, settings=InversionSettings(window_mm=5.0)).result is not None
    (out / "inversion.json").unlink()  # what is left looks like a set that a person made
    with pytest.raises(OutputError, match="did not write"):
        invert_study(study(exam), out, request)


def test_no_door_takes_away_what_another_made(tmp_path: Path) -> None:
    exam, out = wave_exam(vendor=True), tmp_path / "out"
    invert_study(study(exam), out, InvertRequest(InversionSettings()))
    before = {p.name: p.read_bytes() for p in out.iterdir()}
    nifti.write_exam(tmp_path / "in" / "out", exam)
    settings = Settings(liver_file=disc(tmp_path / "liver.nii.gz", exam, 90))
    for overwrite in (False, True):
        (outcome,) = pipeline.analyze_path(tmp_path / "in" / "out", tmp_path, settings, overwrite=overwrite)
        assert outcome.failed and "holds an inversion" in outcome.message
    assert {p.name: p.read_bytes() for p in out.iterdir()} == before
    (outcome,) = pipeline.analyze_path(tmp_path / "in" / "out", tmp_path / "found", settings)
    assert not outcome.failed
    with pytest.raises(OutputError, match="holds a finding"):
        invert_study(study(exam), tmp_path / "found" / "out", InvertRequest(InversionSettings(), overwrite=True))


def test_a_persons_maps_without_a_record_are_left_alone(tmp_path: Path) -> None:
    exam, own = wave_exam(), tmp_path / "own"
    own.mkdir()
    disc(own / "liver.nii.gz", exam)
    for do in (
        lambda: invert_study(study(exam), own, InvertRequest(InversionSettings(), overwrite=True)),
        lambda: whole_folder(own).__enter__(),
    ):
        with pytest.raises(OutputError, match=r"did not write \(liver\.nii\.gz\)"):
            do()
    assert [p.name for p in own.iterdir()] == ["liver.nii.gz"]


def test_one_bad_exam_of_a_folder_does_not_stop_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    exam = wave_exam()
    bare = replace(exam, slices=tuple(replace(s, phase_rad=None) for s in exam.slices))
    reading = Reading((study(bare), study(exam)), (InputError("unreadable"),))
    monkeypatch.setattr(inverting, "read_folder", lambda path, options: reading)
    found = invert_path(tmp_path / "in", tmp_path / "out", ReadOptions(), InvertRequest(InversionSettings()))
    assert [bool(o.error) for o in found] == [True, False, True]
    assert [o.folder.name for o in found] == ["in", "in-2", "in-3"]


def test_the_frequency_is_asked_for_never_assumed() -> None:
    with pytest.raises(InputError, match="--frequency-hz"):
        inverted(wave_exam(frequency_hz=None), InversionSettings())


def test_a_region_off_the_body_is_refused(tmp_path: Path) -> None:
    exam = wave_exam()
    corner = np.zeros(exam.shape, np.uint8)
    corner[:, :8, :8] = 1
    path = nifti.write_volume(tmp_path / "corner.nii.gz", corner, exam)[0]
    with pytest.raises(SettingsError, match="air around the body"):
        invert_study(study(exam), tmp_path / "out", InvertRequest(InversionSettings(), regions=(Region(path),)))
    assert not (tmp_path / "out").exists()


def test_maps_are_compared_only_where_both_are_confident() -> None:
    exam = wave_exam(vendor=True)
    made = inverted(exam, InversionSettings())
    liver = pipeline.LiverMask(np.ones(exam.shape), np.ones(exam.shape, bool), None)
    unsure = replace(made.waves, vendor_confidence=np.zeros(exam.shape))
    assert compared(unsure, made.exam, liver).agreement is None
    assert compared(replace(made.waves, vendor_kpa=None), made.exam, liver).compared is None
