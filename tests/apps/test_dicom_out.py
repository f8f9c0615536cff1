"""`analyze` with DICOM objects, masks of others as `--liver` and `--roi`, and `deidentify`, as a person calls them."""

import json
import shutil
from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread, dcmwrite

from apps.helpers import left_over
from dicom.makers import ge_product
from dicom.objects.reading import items, name_of, numbers
from dicom.phantom import phantom
from livermre import nifti, objects_out, pipeline
from livermre.dicom import ReadOptions, read
from livermre.report import png

OBJECTS = {"seg.dcm", "sr.dcm", "report_pdf.dcm", "report_sc.dcm"}


@pytest.fixture(scope="module")
def exam_folder(tmp_path_factory):
    return ge_product(phantom(slices=2, rows=60, columns=60)).write(tmp_path_factory.mktemp("exams") / "ge")


def _finding(folder):
    return json.loads((folder / "finding.json").read_text(encoding="utf-8"))


def test_objects_lie_beside_the_pages_and_say_the_same(livermre, exam_folder, tmp_path):
    assert livermre("analyze", exam_folder, "--out", tmp_path, "--erode-mm", "4").status == 0
    folder = tmp_path / "ge"
    assert {p.name for p in folder.glob("*.dcm")} == OBJECTS
    found = _finding(folder)
    assert found["reportable"] and "objects_not_written" not in {f["code"] for f in found["flags"]}
    report = dcmread(folder / "sr.dcm")
    group = next(i for i in items(report) if name_of(i) == "125007")
    assert numbers(group)["110830", "373098007"] == (found["stiffness_kpa"], "kPa")
    said = [i.TextValue for i in items(report) if i.ValueType == "TEXT"]
    assert f"inputs SHA-256: {found['provenance']['inputs_sha256']}" in said
    pdf = dcmread(folder / "report_pdf.dcm")
    assert pdf.EncapsulatedDocument[: pdf.EncapsulatedDocumentLength] == (folder / "report.pdf").read_bytes()
    picture = np.asarray(Image.open(folder / "overlay.png").convert("RGB"))
    np.testing.assert_array_equal(dcmread(folder / "report_sc.dcm").pixel_array, picture)
    np.testing.assert_array_equal(png.decode((folder / "overlay.png").read_bytes()), picture)


def test_own_maps_come_with_from_phase(livermre, tmp_path, monkeypatch):
    """Where livermre made the maps they are written as parametric maps; the values are those of the NIfTI files."""
    from dicom.write.exams import exam
    from livermre.dicom.write import write_exam
    from livermre.exam.types import Waves

    write_exam(exam(slices=2, rows=60, columns=60), tmp_path / "in", "ge", seed=1)
    flat = np.zeros((2, 60, 60), np.float32)

    def with_map(exam, settings):
        from dataclasses import replace

        waves = Waves("helmholtz", "|G*|", flat, flat, (None, None), (None, None), (None, None))
        return replace(exam, stiffness_source="livermre"), waves

    monkeypatch.setattr(pipeline, "_with_map", with_map)
    monkeypatch.setattr(nifti, "write_maps", lambda folder, exam: None)
    assert livermre("analyze", tmp_path / "in", "--out", tmp_path / "out").status == 0
    folder = tmp_path / "out" / "in"
    assert {p.name for p in folder.glob("*.dcm")} == OBJECTS | {"stiffness_pmap.dcm", "confidence_pmap.dcm"}
    assert livermre("analyze", tmp_path / "in", "--out", tmp_path / "out", "--overwrite").status == 0  # its own files


def test_no_dicom_and_no_dicom_source(livermre, exam_folder, tmp_path):
    """Without headers there is no study to belong to: nothing is written, and nothing is said to be wrong."""
    assert livermre("analyze", exam_folder, "--out", tmp_path / "a", "--no-dicom").status == 0
    assert not list((tmp_path / "a" / "ge").glob("*.dcm"))
    (study,) = read([exam_folder], ReadOptions())
    nifti.write_exam(tmp_path / "set", study.exam)
    ran = livermre("analyze", tmp_path / "set", "--out", tmp_path / "b")
    assert ran.status == 0 and not list((tmp_path / "b" / "set").glob("*.dcm"))
    assert "objects_not_written" not in {f["code"] for f in _finding(tmp_path / "b" / "set")["flags"]}


def test_a_finding_is_not_lost_where_objects_cannot_be_written(livermre, exam_folder, tmp_path):
    """An exam whose headers name no study has its number, its pages, and a warning on both."""
    bare = tmp_path / "bare"
    shutil.copytree(exam_folder, bare)
    for path in bare.iterdir():
        ds = dcmread(path)
        del ds.StudyInstanceUID
        dcmwrite(path, ds)
    ran = livermre("analyze", bare, "--out", tmp_path / "out")
    assert ran.status == 0, ran.err
    found = _finding(tmp_path / "out" / "bare")
    (told,) = [f for f in found["flags"] if f["code"] == "objects_not_written"]
    assert told["severity"] == "warning" and "no Study Instance UID" in told["message"]
    assert found["stiffness_kpa"] is not None
    assert "no Study Instance UID" in (tmp_path / "out" / "bare" / "report.html").read_text(encoding="utf-8")
    assert not list((tmp_path / "out" / "bare").glob("*.dcm"))


def test_headers_that_break_their_own_rules_cost_no_finding(livermre, exam_folder, tmp_path, monkeypatch):
    def broken(*_, **__):
        raise ValueError("secret value of a header")

    monkeypatch.setattr(objects_out, "write_objects", broken)
    assert livermre("analyze", exam_folder, "--out", tmp_path).status == 0
    (told,) = [f for f in _finding(tmp_path / "ge")["flags"] if f["code"] == "objects_not_written"]
    assert "damaged (ValueError)" in told["message"] and "secret" not in told["message"]


def test_results_among_the_images_change_nothing(livermre, exam_folder, tmp_path):
    """A PACS sends source and objects together the next time: livermre's own maps and pictures are never measured."""
    livermre("analyze", exam_folder, "--out", tmp_path / "first")
    both = tmp_path / "ge"
    shutil.copytree(exam_folder, both)
    for path in (tmp_path / "first" / "ge").glob("*.dcm"):
        shutil.copy(path, both / f"result-{path.name}")
    assert livermre("analyze", both, "--out", tmp_path / "second").status == 0
    a, b = (_finding(tmp_path / n / "ge") for n in ("first", "second"))
    assert a["stiffness_kpa"] == b["stiffness_kpa"] and a["flags"] == b["flags"]
    assert a["provenance"]["inputs_sha256"] == b["provenance"]["inputs_sha256"]
    for name in ("seg.dcm", "sr.dcm"):
        assert (tmp_path / "first/ge" / name).read_bytes() == (tmp_path / "second/ge" / name).read_bytes()


def test_a_seg_is_a_mask_for_liver_and_roi(livermre, exam_folder, tmp_path):
    livermre("analyze", exam_folder, "--out", tmp_path / "first", "--erode-mm", "4")
    seg = tmp_path / "first" / "ge" / "seg.dcm"
    ran = livermre("analyze", exam_folder, "--out", tmp_path / "again", "--liver", seg, "--roi", seg)
    assert ran.status == 0, ran.err
    a, b = (_finding(tmp_path / n / "ge") for n in ("first", "again"))
    assert a["stiffness_kpa"] == b["stiffness_kpa"] and a["roi_area_mm2"] == b["roi_area_mm2"]
    assert b["provenance"]["settings"]["liver_sha256"] and {"liver_given", "roi_given"} <= {
        f["code"] for f in b["flags"]
    }
    outline = dcmread(tmp_path / "again" / "ge" / "seg.dcm")
    assert [s.SegmentAlgorithmType for s in outline.SegmentSequence] == ["MANUAL", "MANUAL"]
    report = dcmread(exam_folder / "f0000")
    other = livermre("analyze", exam_folder, "--out", tmp_path / "x", "--liver", exam_folder / "f0000")
    assert other.status == 2 and "images, not a mask" in other.sentence and report.Modality == "MR"


def test_deidentify_as_a_person_calls_it(livermre, exam_folder, tmp_path):
    out = tmp_path / "clean"
    ran = livermre("deidentify", exam_folder, "--out", out)
    assert ran.status == 0 and "image(s) written" in ran.out and "pixel(s) of burned-in text blanked" in ran.out
    told = json.loads((out / "deidentified.json").read_text(encoding="utf-8"))
    assert told["files_written"] == len(list(exam_folder.iterdir())) and told["pixels_blanked"] > 0
    assert "PHANTOM-1" not in (out / "deidentified.json").read_text(encoding="utf-8")
    again = livermre("deidentify", exam_folder, "--out", out)
    assert again.status == 2 and "not empty" in again.sentence
    short = tmp_path / "key"
    short.write_bytes(b"abc")
    assert livermre("deidentify", exam_folder, "--out", tmp_path / "k", "--key", short).status == 2
    assert (
        "which is, holds or lies in the input"
        in livermre("deidentify", exam_folder, "--out", exam_folder / "o").sentence
    )
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.txt").write_text("no DICOM")
    nothing = livermre("deidentify", tmp_path / "notes", "--out", tmp_path / "none")
    assert nothing.status == 3 and "it holds no DICOM" in nothing.sentence
    assert not list((tmp_path / "none").iterdir()) and left_over(tmp_path) == []
    for name, folder in (("a", exam_folder), ("b", out)):
        assert livermre("analyze", folder, "--out", tmp_path / name, "--deidentify").status == 0
    a, b = (_finding(next((tmp_path / n).glob("*/finding.json")).parent) for n in ("a", "b"))
    assert a["stiffness_kpa"] == b["stiffness_kpa"]
    one = dcmread(next((tmp_path / "a").glob("*/sr.dcm")))
    assert b"PHANTOM-1" not in next((tmp_path / "a").glob("*/sr.dcm")).read_bytes()
    assert one.StudyInstanceUID == dcmread(next(out.glob("series*/*.dcm"))).StudyInstanceUID
    assert BytesIO(next((tmp_path / "a").glob("*/report_pdf.dcm")).read_bytes()).getvalue().count(b"PHANTOM-1") == 0
