"""From acquired phase to maps, files and page, on plane waves whose stiffness is known."""

import csv
import json
import sys
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from livermre import inverting, nifti, pipeline
from livermre.dicom import Reading
from livermre.exam.errors import InputError, OutputError, SettingsError
from livermre.exam.flags import Flag, flag
from livermre.exam.plane import Plane
from livermre.exam.study import ReadOptions, Study
from livermre.exam.types import Acquisition, Exam, Identity, Slice
from livermre.from_phase import compared, inverted, with_confidence
from livermre.inversion import InversionSettings
from livermre.inverting import InvertRequest, Region, invert_path, invert_study
from livermre.report.inversion_picture import _columns, inversion_picture
from livermre.results import whole_folder
from livermre.settings import Settings

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


def changed(exam: Exam, index: int, **values: object) -> Exam:
    """The exam with other images in one slice."""
    return replace(exam, slices=tuple(replace(s, **values) if i == index else s for i, s in enumerate(exam.slices)))


def damaged(exam: Exam, index: int) -> Exam:
    """One offset of one slice is noise."""
    phase = np.array(exam.slices[index].phase_rad)
    phase[:, :, 3] = np.random.default_rng(5).uniform(-np.pi, np.pi, phase[:, :, 3].shape)
    return changed(exam, index, phase_rad=phase)


def bare(exam: Exam) -> Exam:
    """The scanner's map without its confidence."""
    return replace(exam, slices=tuple(replace(s, confidence=None) for s in exam.slices))


def blank_phase() -> np.ndarray:
    return np.zeros((1, 1, 4, PIXELS, PIXELS))


def messages(flags: tuple[Flag, ...]) -> dict[str, str]:
    return {f.code: f.message for f in flags}


def given(tmp_path: Path, exam: Exam, from_phase: bool) -> Settings:
    mask, liver = disc(tmp_path / "disc.nii.gz", exam), disc(tmp_path / "liver.nii.gz", exam, 90)
    return Settings(from_phase=from_phase, region_file=mask, liver_file=liver)


@pytest.mark.parametrize("from_phase", [True, False], ids=["our map", "the scanner's"])
def test_a_region_given_by_hand_measures_no_slice_that_is_not_trusted(from_phase: bool, tmp_path: Path) -> None:
    exam = damaged(bare(wave_exam(vendor=True)), 1)
    finding = pipeline.analyze_study(study(exam), given(tmp_path, exam, from_phase))
    good, bad = finding.stiffness.slices
    assert good.mean_kpa == pytest.approx(KPA if from_phase else 1.1 * KPA, rel=0.05)
    assert bad.mean_kpa is None and bad.pixels == 0
    assert "Phase offset 4 of the slice at 10 mm" in messages(finding.flags)["phase_offset_damaged"]
    assert finding.stiffness.mean_kpa == pytest.approx(good.mean_kpa)


def test_phase_that_cannot_be_used_for_confidence_is_named() -> None:
    for exam, words in (
        (wave_exam(vendor=True, frequency_hz=None), "driver frequency is not in the headers"),
        (wave_exam(vendor=True, offsets=2), "2 phase offset"),
    ):
        own = with_confidence(bare(exam), InversionSettings())
        assert own.confidence is None and words in messages(own.flags)["phase_not_used"]


@pytest.mark.parametrize("phase", [None, blank_phase()], ids=["none", "blank"])
def test_confidence_of_some_slices_says_of_which(phase: np.ndarray | None, tmp_path: Path) -> None:
    exam = changed(bare(wave_exam(vendor=True)), 1, phase_rad=phase)
    finding = pipeline.analyze_study(study(exam), given(tmp_path, exam, from_phase=False))
    told = messages(finding.flags)
    assert "in the slices at 0 mm. The slices at 10 mm have none" in told["confidence_partly_from_phase"]
    assert "no_confidence_map" in told and finding.stiffness.interval_95_kpa is None
    assert not {"confidence_from_phase", "slices_without_phase", "stiffness_by_livermre"} & set(told)
    assert ("slice_not_inverted" in told) == (phase is not None)


def test_the_scanners_map_is_not_measured_where_the_phase_holds_no_wave(tmp_path: Path) -> None:
    exam = bare(wave_exam(vendor=True))
    rng = np.random.default_rng(6)
    noise = rng.normal(0, 0.1, (1, 1, 4, PIXELS, PIXELS))
    exam = replace(exam, slices=tuple(replace(s, phase_rad=noise + 0.1 * i) for i, s in enumerate(exam.slices)))
    finding = pipeline.analyze_study(study(exam), given(tmp_path, exam, from_phase=False))
    assert not finding.reportable and finding.stiffness.mean_kpa is None
    told = messages(finding.flags)
    assert {"phase_contradicts_map"} <= set(told) and "phase_without_waves" not in told


def test_chance_pixels_of_silent_phase_do_not_pass_for_a_wave(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("livermre.inversion.quality.LEAST_CONFIDENT_SHARE", 1.1)  # every exam is silent then
    own = with_confidence(bare(wave_exam(vendor=True)), InversionSettings())
    assert own.confidence is not None and not own.confidence.any()
    assert "phase_contradicts_map" in messages(own.flags)
    assert "phase_without_waves" not in messages(own.flags)


def test_a_slice_with_blank_phase_does_not_reject_the_exam(tmp_path: Path) -> None:
    exam = changed(wave_exam(), 1, phase_rad=blank_phase())
    finding = pipeline.analyze_study(study(exam), given(tmp_path, exam, from_phase=True))
    assert finding.stiffness.slices[0].mean_kpa == pytest.approx(KPA, rel=0.05)
    assert finding.stiffness.slices[1].mean_kpa is None
    assert "slice at 10.0 mm: all 4 phase offsets" in messages(finding.flags)["slice_not_inverted"]


def test_the_picture_says_simulated_for_the_flag_too_and_takes_no_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    exam = wave_exam()
    magnitude = np.array(exam.slices[0].magnitude)
    magnitude[:3] = np.nan
    made = inverted(changed(exam, 0, magnitude=magnitude), InversionSettings())
    said: list[str] = []
    module = sys.modules[inversion_picture.__module__]  # the room gives a function of the same name
    monkeypatch.setattr(module, "draw_text", lambda pen, at, text, *a, **k: said.append(text))
    plain = inversion_picture(made.exam, made.waves)
    labelled = replace(made.exam, flags=(*made.exam.flags, flag("simulated")))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert inversion_picture(labelled, made.waves) == plain  # but for the words, which are caught here
    assert [t.startswith("Simulated exam: ") for t in said if "by livermre" in t] == [False, True]
    grey = _columns(made.exam, made.waves)[0][1][0]
    assert grey.max() == 255 and not grey[:3].any()
