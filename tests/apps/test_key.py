"""`--key`: what is de-identified while it is analysed belongs to what `deidentify` makes of the images with it."""

import json

import pytest
from pydicom import dcmread

from apps.helpers import left_over
from dicom.makers import ge_product
from dicom.phantom import phantom

SECRET = b"a key of some bytes that nobody else has"


@pytest.fixture
def place(tmp_path):
    """The exam `ge` and the key `key`."""
    ge_product(phantom(slices=2, rows=60, columns=60)).write(tmp_path / "ge")
    (tmp_path / "key").write_bytes(SECRET)
    return tmp_path


def _finding(folder):
    return json.loads((folder / "finding.json").read_text(encoding="utf-8"))


def test_the_analysis_and_the_images_go_under_one_name(livermre, place):
    """Studies, patient and exam: those of the copy, made with the same key; the key and the old names stand nowhere."""
    key = ("--key", place / "key")
    assert livermre("deidentify", place / "ge", "--out", place / "copy", *key).status == 0
    for name, exam in (("direct", place / "ge"), ("of copy", place / "copy")):
        more = key if name == "direct" else ()
        assert livermre("analyze", exam, "--out", place / name, "--deidentify", *more, "--erode-mm", "4").status == 0
    direct, of_copy = place / "direct" / "ge", place / "of copy" / "copy"
    image, report = dcmread(next((place / "copy").rglob("*.dcm"))), dcmread(direct / "sr.dcm")
    assert (report.StudyInstanceUID, report.PatientID) == (image.StudyInstanceUID, image.PatientID)
    assert report.StudyDate == image.StudyDate
    old = dcmread(next((place / "ge").iterdir()))
    for path in direct.iterdir():
        assert SECRET not in path.read_bytes() and str(old.StudyInstanceUID).encode() not in path.read_bytes()
    found, known = _finding(direct), _finding(of_copy)
    assert found["stiffness_kpa"] == known["stiffness_kpa"]
    assert known["exam"] != found["exam"]  # de-identified twice: a name of its own
    assert len(found["provenance"]["settings"]["key_fingerprint"]) == 16


def test_the_name_of_the_exam_is_that_of_the_copy(livermre, place):
    """Else it would be a hash of the old UID, which whoever knows that UID can compute."""
    key = ("--key", place / "key")
    livermre("deidentify", place / "ge", "--out", place / "copy", *key)
    livermre("analyze", place / "copy", "--out", place / "a", "--erode-mm", "4")
    livermre("analyze", place / "ge", "--out", place / "b", "--deidentify", *key, "--erode-mm", "4")
    livermre("analyze", place / "ge", "--out", place / "c", "--erode-mm", "4")
    a, b, c = (_finding(next((place / n).glob("*/finding.json")).parent)["exam"] for n in "abc")
    assert a == b != c


def test_another_key_is_another_result(livermre, place):
    """A finished exam is not taken for done where the key is another; UIDs of the objects differ."""
    arguments = ("analyze", place / "ge", "--out", place / "out", "--deidentify", "--erode-mm", "4")
    assert livermre(*arguments, "--key", place / "key").status == 0
    first = dcmread(place / "out" / "ge" / "sr.dcm").SOPInstanceUID
    assert livermre(*arguments, "--key", place / "key").status == 0  # the same: skipped
    assert "other settings" in livermre(*arguments).err
    assert livermre(*arguments, "--overwrite").status == 0
    assert dcmread(place / "out" / "ge" / "sr.dcm").SOPInstanceUID != first
    assert "key_fingerprint" not in _finding(place / "out" / "ge")["provenance"]["settings"]


def test_a_key_that_is_none_is_wrong_usage(livermre, place):
    out = ("analyze", place / "ge", "--out", place / "out")
    assert livermre(*out, "--key", place / "key").sentence.endswith(
        "a key is for --deidentify, which was not asked for"
    )
    (place / "short").write_bytes(b"abc")
    for name, told in (("short", "holds 3 bytes"), ("none", "cannot be read")):
        ran = livermre(*out, "--deidentify", "--key", place / name)
        assert ran.status == 2 and told in ran.sentence
    assert left_over(place) == []
