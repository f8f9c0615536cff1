"""`livermre analyze`: files, names and exit statuses that people's scripts rely on."""

import csv
import json
import shutil
from pathlib import Path

import nibabel
import numpy as np
import pytest

from apps.helpers import left_over
from livermre import given, network, pipeline
from livermre.exam.errors import InputError
from livermre.exam.types import ModelCard
from livermre.results import base_name, exam_names, input_names

FILES = {"finding.json", "report.html", "report.pdf", "overlay.png", "liver.nii.gz", "roi.nii.gz", "roi_reasons.nii.gz"}
OBJECTS = {"seg.dcm", "sr.dcm", "report_pdf.dcm", "report_sc.dcm"}
KEYS = {
    "stiffness_kpa", "stiffness_sd_kpa", "interval_95_kpa", "repeat_interval_95_kpa", "roi_area_mm2", "reportable",
    "stage", "slices", "flags", "provenance",
}  # fmt: skip


def finding(folder: Path) -> dict:
    return json.loads((folder / "finding.json").read_text(encoding="utf-8"))


def summary(out: Path) -> dict[str, dict]:
    with (out / "summary.csv").open(encoding="utf-8", newline="") as stream:
        return {row["exam"]: row for row in csv.DictReader(stream)}


def test_one_exam_gives_all_files(livermre, ge_exam, tmp_path):
    ran = livermre("analyze", ge_exam, "--out", tmp_path / "out")
    assert ran.status == 0, ran.err
    assert {p.name for p in (tmp_path / "out" / "ge").iterdir()} == FILES | OBJECTS
    found = finding(tmp_path / "out" / "ge")
    assert found.keys() >= KEYS
    assert {"livermre", "model", "model_sha256", "settings", "inputs_sha256", "stiffness_source"} <= found[
        "provenance"
    ].keys()
    assert "kPa" in ran.out and ran.err == "" and left_over(tmp_path) == []


def test_the_number_is_the_mean_of_the_kept_pixels(livermre, ge_exam, tmp_path):
    """Seen from outside: roi.nii.gz and the stiffness of the phantom give stiffness_kpa."""
    livermre("analyze", ge_exam, "--out", tmp_path, "--erode-mm", "4")
    from livermre.dicom import ReadOptions, read

    exam = read([ge_exam], ReadOptions())[0].exam
    image = nibabel.load(tmp_path / "ge" / "roi.nii.gz")
    assert nibabel.aff2axcodes(image.affine) == ("R", "A", "S")
    keep = np.asarray(image.dataobj) > 0  # (column, row, slice) in RAS+: LPS turned about both in-plane axes
    assert keep.shape == exam.shape[::-1]
    as_exam = keep.transpose(2, 1, 0)[:, ::-1, ::-1]
    # JSON keeps four decimals
    assert finding(tmp_path / "ge")["stiffness_kpa"] == pytest.approx(exam.stiffness_kpa[as_exam].mean(), abs=2e-4)


def test_same_exam_same_bytes(livermre, ge_exam, tmp_path):
    for out in ("a", "b"):
        assert livermre("analyze", ge_exam, "--out", tmp_path / out).status == 0
    for name in FILES | OBJECTS:
        assert (tmp_path / "a/ge" / name).read_bytes() == (tmp_path / "b/ge" / name).read_bytes(), name


def test_finished_exams_are_skipped(livermre, ge_exam, tmp_path, monkeypatch):
    livermre("analyze", ge_exam, "--out", tmp_path)
    before = (tmp_path / "ge" / "finding.json").stat().st_mtime_ns
    monkeypatch.setattr(pipeline, "analyze_study", lambda *_: pytest.fail("analysed again"))
    ran = livermre("analyze", ge_exam, "--out", tmp_path)
    assert ran.status == 0 and "finished earlier" in ran.out
    assert (tmp_path / "ge" / "finding.json").stat().st_mtime_ns == before


def test_the_right_lobe_alone_is_what_lies_right_of_one_sagittal_plane(livermre, ge_exam, tmp_path):
    def columns(*more: str) -> list[set[int]]:
        livermre("analyze", ge_exam, "--out", tmp_path / "-".join(("out", *more)), "--erode-mm", "4", *more)
        keep = np.asarray(nibabel.load(tmp_path / "-".join(("out", *more)) / "ge/roi.nii.gz").dataobj) > 0
        return [set(np.flatnonzero(plane.any(axis=1))) for plane in np.moveaxis(keep, 2, 0)]

    for whole, right in zip(columns(), columns("--right-lobe"), strict=True):  # RAS+: columns grow to the right
        assert right < whole and (not right or min(right) > max(whole - right))


def test_other_files_or_settings_are_never_answered_by_an_old_finding(livermre, ge_exam, other_exam, tmp_path):
    livermre("analyze", ge_exam, "--out", tmp_path / "out")
    old = (tmp_path / "out/ge/finding.json").read_bytes()
    row = summary(tmp_path / "out")["ge"]
    ran = livermre("analyze", ge_exam, "--out", tmp_path / "out", "--erode-mm", "5")
    assert ran.status == 3 and "holds the finding of other settings: choose" in ran.sentence
    shutil.copytree(other_exam, tmp_path / "ge")
    ran = livermre("analyze", tmp_path / "ge", "--out", tmp_path / "out")
    assert ran.status == 3 and "the finding of other files: choose another --out, or add --overwrite" in ran.sentence
    assert f"ge (from {tmp_path / 'ge'}): " in ran.sentence  # which of the two inputs of this name
    assert (tmp_path / "out/ge/finding.json").read_bytes() == old
    kept = summary(tmp_path / "out")["ge"]  # its numbers are those of the finding that lies there
    assert "a later run failed: " in kept["message"] and "the finding of other files" in kept["message"]
    assert kept | {"message": ""} == row
    assert livermre("analyze", tmp_path / "ge", "--out", tmp_path / "out", "--overwrite").status == 0
    assert (tmp_path / "out/ge/finding.json").read_bytes() != old


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("model_card", lambda model: ModelCard("whole-body", "2", "1" * 64), "the finding of other network weights:"),
        ("__version__", "99.0", "the finding of another livermre ("),
    ],
)
def test_another_livermre_is_not_answered_by_an_old_finding(
    livermre, ge_exam, tmp_path, monkeypatch, name, value, words
):
    livermre("analyze", ge_exam, "--out", tmp_path)
    monkeypatch.setattr(pipeline, name, value)
    ran = livermre("analyze", ge_exam, "--out", tmp_path)
    assert ran.status == 3 and words in ran.sentence and "settings" not in ran.sentence


def test_some_fail(livermre, ge_exam, tmp_path):
    (tmp_path / "empty").mkdir()
    out = tmp_path / "out"
    ran = livermre("analyze", ge_exam, tmp_path / "empty", "--out", out)
    assert ran.status == 4
    assert ran.sentence.startswith("livermre: empty holds no files")  # its name once
    error = json.loads((out / "empty/error.json").read_text())
    assert error["error"] == "NothingFound" and "holds no files" in error["message"]
    assert [p.name for p in (out / "empty").iterdir()] == ["error.json"]
    assert summary(out)["empty"]["status"] == "failed" and summary(out)["ge"]["status"] in (
        "measured",
        "not reportable",
    )
    assert "failed" in ran.out and "summary.csv" in ran.out


def test_an_unmeasurable_exam_is_a_finding(livermre, ge_exam, tmp_path):
    """Poor data is no error: status 0, nulls, a flag that says why."""
    ran = livermre("analyze", ge_exam, "--out", tmp_path, "--erode-mm", "500")
    found = finding(tmp_path / "ge")
    assert ran.status == 0 and not found["reportable"]
    assert all(found[key] is None for key in ("stiffness_kpa", "interval_95_kpa", "stage"))
    assert any(f["severity"] == "blocking" for f in found["flags"])
    assert "not measurable" in ran.out


def test_names_of_exams(tmp_path):
    (tmp_path / "a.b").mkdir()
    assert base_name(tmp_path / "a.b") == "a.b"
    assert base_name(Path("x/Müller, Exam 1.dcm")) == "Müller_Exam_1"
    assert base_name(Path("../..hidden/..")) != ""
    assert base_name(Path("?*")) == "exam"
    assert input_names([Path("a/x"), Path("b/x"), Path("c/X"), Path("x-2")]) == ["x", "x-2", "X-3", "x-2-2"]
    assert exam_names("x", 3, others=["x", "x-2"]) == ["x", "x-3", "x-4"]


def test_several_exams_in_one_folder(livermre, ge_exam, other_exam, tmp_path):
    from dicom.makers import ge_product, siemens_classic
    from dicom.phantom import phantom

    both, out = tmp_path / "day", tmp_path / "out"
    ge_product(phantom(slices=2)).write(both / "1")
    siemens_classic(phantom(slices=3)).write(both / "2")
    ran = livermre("analyze", both, "--out", out)
    assert ran.status == 0, ran.err
    assert {p.name for p in out.iterdir()} == {"day", "day-2", "summary.csv"}
    found = {name: finding(out / name) for name in ("day", "day-2")}
    which = {name: (f["acquisition"]["vendor"], len(f["slices"])) for name, f in found.items()}
    assert which == {"day": ("Siemens", 3), "day-2": ("GE", 2)}  # by series number: 22 before 500
    rows = summary(out)  # which is which stands beside the names, and nothing of the patient
    assert set(rows) == {"day", "day-2"}
    assert rows["day"]["series"].split() == [str(n) for n in found["day"]["provenance"]["series"]]
    assert "22" in rows["day"]["series"].split() and "500" in rows["day-2"]["series"].split()
    assert rows["day-2"]["frequency_hz"] == "60.0" and rows["day"]["slices"] == "3"
    line = next(row for row in ran.out.splitlines() if row.startswith("day-2 "))
    assert rows["day-2"]["series"] in line and " 60 " in line
    assert "Series" in (out / "day-2/report.html").read_text(encoding="utf-8")


def test_an_unreadable_exam_beside_a_good_one(livermre, tmp_path):
    """It has its own error.json, its row and its share of the exit status, and the good one has its finding."""
    from dicom.makers import ge_product, siemens_classic
    from dicom.phantom import phantom

    both, out = tmp_path / "day", tmp_path / "out"
    ge_product(phantom(slices=2)).write(both / "1")
    unclear = siemens_classic(phantom(slices=2))
    for ds in unclear.files:
        if ds.SeriesNumber == 22:  # neither as Pa (0.05 kPa) nor as kPa (50 kPa) a liver
            ds.PixelData = np.full((ds.Rows, ds.Columns), 50, np.int16).tobytes()
    unclear.write(both / "2")
    ran = livermre("analyze", both, "--out", out)
    assert ran.status == 4 and "day-2: " in ran.sentence and "--stiffness-unit" in ran.sentence
    assert finding(out / "day")["acquisition"]["vendor"] == "GE"
    assert [p.name for p in (out / "day-2").iterdir()] == ["error.json"]
    assert json.loads((out / "day-2/error.json").read_text())["error"] == "UnclearUnit"
    assert {name: row["status"] == "failed" for name, row in summary(out).items()} == {"day": False, "day-2": True}


def test_summary_keeps_earlier_exams(livermre, ge_exam, other_exam, tmp_path):
    for exam in (ge_exam, other_exam):
        livermre("analyze", exam, "--out", tmp_path)
    assert set(summary(tmp_path)) == {"ge", "other"}


def test_no_identity_outside_the_page(livermre, ge_exam, tmp_path):
    ran = livermre("analyze", ge_exam, "--out", tmp_path)
    assert "PHANTOM-1" in (tmp_path / "ge/report.html").read_text(encoding="utf-8")
    for text in (ran.out, (tmp_path / "ge/finding.json").read_text(), (tmp_path / "summary.csv").read_text()):
        assert "PHANTOM-1" not in text and "20250101" not in text and "2025-01-01" not in text
    assert str(tmp_path) not in (tmp_path / "ge/finding.json").read_text()


def test_deidentify(livermre, ge_exam, tmp_path):
    livermre("analyze", ge_exam, "--out", tmp_path, "--deidentify")
    page = (tmp_path / "ge/report.html").read_text(encoding="utf-8")
    assert "PHANTOM-1" not in page and "20250101" not in page and "2025-01-01" not in page
    assert b"PHANTOM-1" not in (tmp_path / "ge/report.pdf").read_bytes()


def test_a_given_region_is_measured(livermre, ge_exam, tmp_path):
    """A reviewer's correction goes down the same road: its own region given back gives its own number."""
    livermre("analyze", ge_exam, "--out", tmp_path / "a")
    masks = tmp_path / "a/ge"
    ran = livermre(
        "analyze", ge_exam, "--out", tmp_path / "b", "--roi", masks / "roi.nii.gz", "--liver", masks / "liver.nii.gz"
    )
    assert ran.status == 0, ran.err
    before, after = finding(masks), finding(tmp_path / "b/ge")
    assert after["stiffness_kpa"] == before["stiffness_kpa"]
    assert {f["code"] for f in after["flags"]} >= {"roi_given", "liver_given"}
    assert after["provenance"]["model"] is None and len(after["provenance"]["settings"]["region_sha256"]) == 64


def test_masks_of_an_irregular_exam(livermre, gap_exam, tmp_path):
    """Slices that lie irregularly have one file each; the name of the whole mask is enough to give them back."""
    assert livermre("analyze", gap_exam, "--out", tmp_path / "a").status == 0
    masks = tmp_path / "a/gap"
    assert {p.name for p in masks.glob("liver*")} == {f"liver_z00{i}.nii.gz" for i in (1, 2, 3)}
    command = ("analyze", gap_exam, "--roi", masks / "roi.nii.gz", "--liver", masks / "liver.nii.gz", "--out")
    ran = livermre(*command, tmp_path / "b")
    assert ran.status == 0, ran.err
    after = finding(tmp_path / "b/gap")
    assert after["stiffness_kpa"] == finding(masks)["stiffness_kpa"]
    shutil.copy(masks / "roi_z003.nii.gz", masks / "liver_z003.nii.gz")  # every part is in the hash
    ran = livermre(*command, tmp_path / "b")
    assert ran.status == 3 and "the finding of other settings" in ran.sentence


def test_compare_with_an_earlier_exam(livermre, ge_exam, tmp_path):
    livermre("analyze", ge_exam, "--out", tmp_path / "a")
    ran = livermre("analyze", ge_exam, "--out", tmp_path / "b", "--compare", tmp_path / "a/ge/finding.json")
    change, number = finding(tmp_path / "b/ge")["change"], finding(tmp_path / "b/ge")["stiffness_kpa"]
    assert change["change_percent"] == pytest.approx(0, abs=0.01) and change["exceeds_limit"] is not True
    said = next(line for line in ran.out.splitlines() if line.startswith("change: "))
    assert f"{number:.2f} kPa earlier, {number:.2f} kPa now, +0.0 %: " in said and "limit of 19 %" in said
    assert change["remark"] in ran.out


def test_compare_with_another_kind_of_region(livermre, ge_exam, tmp_path):
    livermre("analyze", ge_exam, "--out", tmp_path / "a")
    earlier, region = tmp_path / "a/ge/finding.json", tmp_path / "a/ge/roi.nii.gz"
    for more, words in ((("--roi", region), "a given region now"), (("--erode-mm", "5"), "erode_mm of the region")):
        ran = livermre("analyze", ge_exam, "--out", tmp_path / more[0], "--compare", earlier, *more)
        assert ran.status == 0 and "Caution: " in ran.out and words in ran.out


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"%PDF-1.4 \xff", "is no finding.json of livermre: it is not JSON"),
        (b"[" * 100000, "is no finding.json of livermre: it is not JSON"),
        (b"[1, 2]", "is no finding.json of livermre: it is JSON of another kind"),
        (b'{"name": 1}', "no finding.json of livermre: it lacks stiffness_kpa or reportable"),
        (b'{"stiffness_kpa": null, "reportable": false}', "the earlier exam was not reportable"),
    ],
)
def test_a_wrong_file_to_compare_with(livermre, ge_exam, tmp_path, content, words):
    (tmp_path / "wrong.json").write_bytes(content)
    ran = livermre("analyze", ge_exam, "--out", tmp_path / "out", "--compare", tmp_path / "wrong.json")
    assert ran.status == 2 and ran.sentence.startswith("livermre: --compare: ") and words in ran.sentence
    assert "line 1" not in ran.sentence and "codec" not in ran.sentence  # the parser's own words
    assert not (tmp_path / "out").exists()


def test_a_region_in_the_air_belongs_to_another_exam(livermre, ge_exam, tmp_path):
    livermre("analyze", ge_exam, "--out", tmp_path / "a")
    given = nibabel.load(tmp_path / "a/ge/roi.nii.gz")
    corner = np.zeros(given.shape, np.uint8)
    corner[:4, :4] = 1
    half = np.asarray(given.dataobj).copy()
    half[:9] = 1  # a strip of air beside the body
    for name, mask in (("corner", corner), ("half", half)):
        nibabel.save(nibabel.Nifti1Image(mask, given.affine), tmp_path / f"{name}.nii.gz")
    for option in ("--roi", "--liver"):
        ran = livermre("analyze", ge_exam, "--out", tmp_path / "b", option, tmp_path / "corner.nii.gz")
        assert ran.status == 3 and f"{option}: 100 % of the mask corner.nii.gz lies in the air" in ran.sentence
    ran = livermre("analyze", ge_exam, "--out", tmp_path / "c", "--roi", tmp_path / "half.nii.gz")
    assert ran.status == 0 and "mask_outside_body" in {f["code"] for f in finding(tmp_path / "c/ge")["flags"]}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--table", "nonsense"], "no cut-off table is called 'nonsense'"),
        (["--liver", "missing.nii.gz"], "--liver: there is no file missing.nii.gz"),
        (["--compare", "missing.json"], "--compare: there is no file missing.json"),
        (["--roi", __file__], "--roi: "),
        (["--model", "missing.onnx"], "--model: no network weights at missing.onnx"),
        (["--erode-mm", "-1"], "must not be below zero, found -1"),
        (["--erode-mm", "nan"], "must be a number, found nan"),
        (["--frequency-hz", "0"], "must be above zero, found 0"),
        (["--frequency-hz", "6000"], "between 10 and 500 Hz"),
        (["--stiffness-unit", "MPa"], "invalid choice: 'MPa'"),
        (["--jobs", "0"], "must be a whole number of 1 or more, found 0"),
    ],
)
def test_wrong_usage(livermre, ge_exam, tmp_path, monkeypatch, arguments, words):
    monkeypatch.setattr(given, "model_card", network.model_card)
    ran = livermre("analyze", ge_exam, "--out", tmp_path / "out", *arguments)
    assert ran.status == 2 and words in ran.sentence
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["segment", "image.nii.gz", "--out", "mask.png"], "must end in .nii.gz or .nii"),
        (["segment", "image.nii.gz", "--out", "mask.nii", "--model", "missing.onnx"], "--model: no network weights at"),
        (["demo", "--out", "demo", "--model", "missing.onnx"], "--model: no network weights at missing.onnx"),
        (["train", "--out", "run"], "give either DATA"),
        (["train", ".", "--synthetic", ".", "--out", "run"], "not both"),
        (["train", "missing", "--out", "run"], "DATA: there is no folder missing"),
        (["train", "--synthetic", "missing", "--out", "run"], "--synthetic: there is no folder missing"),
        (["train", ".", "--out", "run", "--from", "missing.pt"], "--from: there is no file missing.pt"),
        (["train", ".", "--out", "run", "--stages", "64:10"], "must be SIZE:STEPS:BATCH"),
        (["analyse", "exam"], "invalid choice: 'analyse'"),
        ([], "required: COMMAND"),
    ],
)
def test_wrong_usage_of_other_commands(livermre, tmp_path, monkeypatch, command, words):
    """One status for all wrong usage, one sentence, and nothing written."""
    monkeypatch.setattr(given, "model_card", network.model_card)
    monkeypatch.chdir(tmp_path)
    ran = livermre(*command)
    assert ran.status == 2 and words in ran.sentence
    assert list(tmp_path.iterdir()) == []


def test_one_mask_for_several_exams(livermre, ge_exam, other_exam, tmp_path):
    mask = tmp_path / "mask.nii.gz"
    mask.touch()
    ran = livermre("analyze", ge_exam, other_exam, "--out", tmp_path / "out", "--roi", mask)
    assert ran.status == 2 and "--roi belongs to one exam, but 2 were given" in ran.sentence


def test_out_is_a_file(livermre, ge_exam, tmp_path):
    (tmp_path / "file").touch()
    ran = livermre("analyze", ge_exam, "--out", tmp_path / "file")
    assert ran.status == 2 and "--out must be a folder" in ran.sentence


def test_our_own_mistakes_ask_for_a_report(livermre, ge_exam, tmp_path, monkeypatch):
    def broken(*_):
        raise ZeroDivisionError("secret header value")

    monkeypatch.setattr(pipeline, "analyze_study", broken)
    ran = livermre("analyze", ge_exam, "--out", tmp_path)
    assert ran.status == 3 and "ZeroDivisionError" in ran.sentence and "--debug" in ran.sentence
    assert "secret" not in ran.err + (tmp_path / "ge/error.json").read_text()
    ran = livermre("analyze", ge_exam, "--out", tmp_path, "--debug")
    assert "Traceback" in ran.err and "secret header value" in ran.err


def test_one_bad_exam_does_not_stop_the_others(livermre, ge_exam, other_exam, tmp_path, monkeypatch):
    honest = pipeline.analyze_study

    def picky(study, settings):
        if len(study.exam.slices) == 3:
            raise InputError("three slices are one too many")
        return honest(study, settings)

    monkeypatch.setattr(pipeline, "analyze_study", picky)
    ran = livermre("analyze", ge_exam, other_exam, "--out", tmp_path)
    assert ran.status == 4 and "three slices are one too many" in ran.sentence
    assert (tmp_path / "other/finding.json").exists()
