"""Nothing of a folder is lost without a word: exams that fail, repeats, missing slices, images that share a name."""

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
from pydicom.uid import generate_uid

from dicom.makers import Writer, ge_product, permille, siemens_classic, siemens_mosaic
from dicom.phantom import phantom
from livermre.dicom import Reading, inspect, read, read_folder
from livermre.exam.errors import Contradiction, CorruptFile, NothingFound
from livermre.exam.flags import flag
from livermre.exam.types import Exam, Finding, LiverMask, Provenance, Roi, Stiffness

Write = Callable[[Writer], Path]
SMALL = phantom(offsets=2)


def messages(exam: Exam, code: str) -> list[str]:
    return [f.message for f in exam.flags if f.code == code]


def of(writer: Writer, series: int) -> list:
    return [ds for ds in writer.files if ds.SeriesNumber == series]


def without(writer: Writer, *series: int) -> Writer:
    writer.files = [ds for ds in writer.files if ds.SeriesNumber not in series]
    return writer


def test_a_failed_exam_beside_a_good_one_is_an_error_of_its_own(tmp_path: Path) -> None:
    ge_product(SMALL).write(tmp_path / "good")
    without(siemens_classic(SMALL), 20, 21, 23).write(tmp_path / "lonely")
    reading = read_folder([tmp_path])
    assert [s.exam.acquisition.vendor for s in reading.studies] == ["GE"]
    (failure,) = reading.failures
    assert isinstance(failure, Contradiction)
    assert "series 22 holds a stiffness map but there is no magnitude" in str(failure)
    assert len(messages(reading.studies[0].exam, "exam_left_out")) == 1


def test_two_failed_exams_are_two_errors(tmp_path: Path) -> None:
    without(ge_product(SMALL), 5).write(tmp_path / "a")
    without(siemens_classic(SMALL), 20, 21).write(tmp_path / "b")
    reading = read_folder([tmp_path])
    assert reading.studies == () and len(reading.failures) == 2
    with pytest.raises(Contradiction, match="series 22 holds a stiffness map"):
        read([tmp_path])


def test_mixed_halves_are_one_failure_not_two(write: Write) -> None:
    """The map that lost its magnitude by them is the same exam."""
    writer = ge_product(SMALL)
    acquired = of(writer, 5)
    acquired[0].InstanceNumber, acquired[-1].InstanceNumber = acquired[-1].InstanceNumber, acquired[0].InstanceNumber
    (failure,) = read_folder([write(writer)]).failures
    assert "are mixed" in str(failure)


def test_a_damaged_map_beside_a_good_exam_is_a_failure(tmp_path: Path) -> None:
    ge_product(SMALL).write(tmp_path / "good")
    writer = without(siemens_classic(SMALL), 20, 21, 23)
    for ds in writer.files:
        ds.ImageOrientationPatient = ["1", "0", "0", "1", "0", "0"]
    writer.write(tmp_path / "damaged")
    reading = read_folder([tmp_path])
    assert len(reading.studies) == 1
    (failure,) = reading.failures
    assert isinstance(failure, CorruptFile) and "must be at right angles" in str(failure)


def test_a_folder_of_nothing_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("not an image")
    with pytest.raises(NothingFound):
        read_folder([tmp_path])


def test_a_good_folder_has_no_failures(write: Write) -> None:
    reading = read_folder([write(ge_product(SMALL))])
    assert isinstance(reading, Reading) and len(reading.studies) == 1 and reading.failures == ()


def test_a_finding_keeps_every_sentence_of_a_code(write: Write) -> None:
    (study,) = read([write(ge_product(SMALL))])
    reasons = [flag("exam_left_out", reason=r) for r in ("one", "two", "two")]
    shape = study.exam.shape
    finding = Finding(
        study.exam,
        LiverMask(np.zeros(shape), np.zeros(shape, bool), None),
        Roi(np.zeros(shape, bool), np.zeros(shape, np.uint16)),
        Stiffness((), 2.0, 0.1, None, 100.0, 10, flags=tuple(reasons)),
        None,
        Provenance("0", None, None, {}, "", "vendor"),
    )
    assert finding.flags == (reasons[0], reasons[1])


def test_repeats_of_a_map_are_counted_one_by_one(write: Write) -> None:
    """Two maps sent again under new names and one file sent twice are three duplicates."""
    writer = ge_product(SMALL)
    for ds in of(writer, 500)[:2]:
        again = deepcopy(ds)
        again.SOPInstanceUID, again.InstanceNumber = generate_uid(), ds.InstanceNumber + 500
        writer.files.append(again)
    writer.files.append(deepcopy(of(writer, 507)[0]))
    (study,) = read([write(writer)])
    assert messages(study.exam, "duplicate_images") == ["3 duplicate image(s) were ignored."]
    assert study.series == tuple(sorted(set(study.series))) and study.series


def test_images_that_share_one_uid_are_not_duplicates(write: Write) -> None:
    """De-identification that gives one SOP Instance UID to every image must not leave one slice."""
    writer = ge_product(SMALL)
    for ds in writer.files:
        ds.SOPInstanceUID = "1.2.3.4"
    (study,) = read([write(writer)])
    np.testing.assert_allclose(study.exam.stiffness_kpa, SMALL.stiffness_kpa[::-1], atol=1e-3)
    np.testing.assert_allclose(study.exam.magnitude, SMALL.magnitude.mean(1)[::-1], atol=1e-3)
    assert study.exam.flags == ()


def test_different_pixels_under_one_uid_and_place_are_a_contradiction(write: Write) -> None:
    """The second map has the UID of the first but another number: it is kept, and seen to differ."""
    writer = ge_product(SMALL)
    other = deepcopy(of(writer, 500)[0])
    other.InstanceNumber += 500
    other.PixelData = (np.frombuffer(other.PixelData, np.int16) // 2).tobytes()
    writer.files.append(other)
    with pytest.raises(Contradiction, match="two different stiffness maps"):
        read([write(writer)])


@pytest.mark.parametrize(("slices", "gone"), [(4, 0), (4, 3), (3, 1), (5, 2)], ids=["top", "foot", "middle", "one"])
def test_slices_that_only_the_map_lacks_are_flagged(write: Write, slices: int, gone: int) -> None:
    p = phantom(slices=slices, offsets=2)
    writer = ge_product(p)
    z = float(p.origins_mm[gone][2])
    writer.files = [d for d in writer.files if d.SeriesNumber == 5 or abs(float(d.ImagePositionPatient[2]) - z) > 1]
    (study,) = read([write(writer)])
    assert messages(study.exam, "missing_slices") == [
        f"Slice positions have a gap: {slices - 1} slices over {slices} positions."
    ]


def _confidence(write: Write, stored: np.ndarray) -> Exam:
    """A Siemens exam, whose confidence scale nobody states, with other stored values."""
    writer = siemens_classic(SMALL)
    for ds, pixels in zip(of(writer, 23), stored, strict=True):
        writer._pixels(ds, pixels)
    return read([write(writer)])[0].exam


@pytest.mark.parametrize(
    ("most", "seen"),
    [(60, "60"), (600, "600"), (850, "850"), (1, "1")],
    ids=["60 of 100 or 1000", "600 of 1000", "850 of 1000", "mask of zeros and ones"],
)
def test_confidence_far_from_full_scale_is_left_out(write: Write, most: int, seen: str) -> None:
    """0-60 may be sixty percent or six: no scale is guessed."""
    exam = _confidence(write, np.round(SMALL.confidence / SMALL.confidence.max() * most).astype(np.int16))
    assert exam.confidence is None
    (message,) = messages(exam, "confidence_not_used")
    assert f"reaches {seen}, which is the full scale of neither 0-1, 0-100 nor 0-1000" in message


@pytest.mark.parametrize("most", [100, 1000])
def test_confidence_near_full_scale_is_used(write: Write, most: int) -> None:
    exam = _confidence(write, np.round(SMALL.confidence * most).astype(np.int16))
    np.testing.assert_allclose(exam.confidence, SMALL.confidence[::-1], atol=0.51 / most)


def test_confidence_of_the_named_vendor_may_be_low(write: Write) -> None:
    """GE writes 0-1000 whatever the largest value is."""
    writer = ge_product(SMALL)
    for ds, pixels in zip(of(writer, 507), permille(SMALL.confidence * 0.6), strict=True):
        writer._pixels(ds, pixels)
    (study,) = read([write(writer)])
    np.testing.assert_allclose(study.exam.confidence, SMALL.confidence[::-1] * 0.6, atol=6e-4)


@pytest.mark.parametrize("different", [True, False])
def test_two_confidence_images_at_one_place(write: Write, different: bool) -> None:
    writer = ge_product(SMALL)
    other = deepcopy(of(writer, 507)[0])
    other.SOPInstanceUID, other.InstanceNumber = generate_uid(), other.InstanceNumber + 500
    if different:
        other.PixelData = (np.frombuffer(other.PixelData, np.int16) // 2).tobytes()
    writer.files.append(other)
    (study,) = read([write(writer)])
    assert (study.exam.confidence is None) == different
    found = messages(study.exam, "confidence_not_used")
    assert bool(found) == different and all("series 507 holds two different confidence maps at" in m for m in found)


def test_a_mosaic_without_its_count_is_refused(write: Write) -> None:
    """De-identification removed (0019,100A): the montage must not be measured as one slice."""
    writer = siemens_mosaic(SMALL)
    for ds in writer.files:
        ds.remove_private_tags()
    folder = write(writer)
    with pytest.raises(CorruptFile, match=r"is a mosaic, but the number of its slices .0019,100A. is missing"):
        read([folder])
    assert "other" in {r.role for r in inspect([folder])}


def test_a_mosaic_map_without_its_count_beside_its_magnitude(write: Write) -> None:
    writer = siemens_mosaic(SMALL)
    for ds in of(writer, 22):
        ds.remove_private_tags()
    reading = read_folder([write(writer)])
    assert all(s.exam.stiffness_kpa is None for s in reading.studies)
    assert any("is a mosaic" in str(f) for f in reading.failures)


LEFT_OUT = {"duplicate_images", "damaged_files"}


def test_what_was_left_out_is_told_of_its_own_exam_only(write: Write) -> None:
    """Two exams in one folder: a file sent twice and a damaged file of one are no matter of the other."""
    first, second = ge_product(SMALL), siemens_classic(SMALL)
    again = deepcopy(of(first, 500)[0])
    broken = of(first, 5)[-1]
    broken.PixelData = broken.PixelData[:-1000]
    first.files.append(again)
    folder = write(first)
    second.write(folder / "second")
    studies = {s.exam.acquisition.vendor: s for s in read([folder])}
    told = {vendor: {f.code for f in s.exam.flags} & LEFT_OUT for vendor, s in studies.items()}
    assert told == {"GE": LEFT_OUT, "Siemens": set()}
    assert not set(studies["GE"].series) & set(studies["Siemens"].series)
