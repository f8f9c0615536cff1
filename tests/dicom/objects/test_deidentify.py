"""De-identified files: nothing of the patient in any byte, the same exam to measure, and one world of UIDs."""

import json
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.datadict import dictionary_VR, keyword_for_tag, tag_for_keyword
from pydicom.dataset import Dataset

from dicom.makers import ge_product, siemens_mosaic
from dicom.objects import cases
from dicom.phantom import phantom
from dicom.write.exams import exam, oblique
from livermre.dicom import ReadOptions, read
from livermre.dicom.deidentify import Secret, cleaned, deidentify
from livermre.dicom.deidentify.attributes import ACTIONS
from livermre.dicom.files import quiet_pydicom
from livermre.dicom.objects import Pages
from livermre.dicom.objects.write import object_bytes
from livermre.exam.errors import NothingFound

PLANTED = "Nobody-Knows-7731"
TEXT = {"LO", "SH", "ST", "LT", "UT", "UC", "PN", "UR", "AE"}


def _datasets(folder: Path) -> list[Dataset]:
    return [dcmread(p) for p in sorted(folder.rglob("*.dcm"))]


def _bytes(folder: Path) -> bytes:
    return b"".join(p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file())


@pytest.fixture
def planted(tmp_path):
    """A GE exam with the patient's secret in every text attribute outside the short list, and in private ones."""
    writer = ge_product(phantom(slices=2, offsets=2))
    names = [k for k in map(keyword_for_tag, _text_tags()) if k not in ACTIONS]
    with quiet_pydicom():
        for ds in writer.files:
            for keyword in names:
                setattr(ds, keyword, PLANTED[:16] if dictionary_VR(keyword) in ("SH", "AE") else PLANTED)
            ds.PatientName, ds.PatientID, ds.PatientBirthDate = f"{PLANTED}^A", PLANTED, "19570813"
            ds.AccessionNumber, ds.StudyID, ds.ReferringPhysicianName = "Nobody-Knows-77", "Nobody-Knows-77", PLANTED
            ds.SeriesDescription = f"{PLANTED} {ds.get('SeriesDescription', 'MRE')} of {PLANTED} 60 Hz"
            ds.ImageComments = f"{ds.get('ImageComments', '')} for {PLANTED}"
            ds.private_block(0x0033, "SITE", create=True).add_new(1, "LO", PLANTED)
            ds.private_block(0x0043, "GEMS_PARM_01", create=True).add_new(0x10, "LT", PLANTED)
            nested = Dataset()
            nested.RequestedProcedureDescription, nested.CodeMeaning = PLANTED, PLANTED
            ds.RequestAttributesSequence = [nested]
            ds.StudyDate, ds.AcquisitionDate, ds.AcquisitionTime = "20240229", "20240301", "101112"
        writer.write(tmp_path / "in")
    return tmp_path / "in"


def _text_tags() -> list[int]:
    from pydicom._dicom_dict import DicomDictionary

    rows = DicomDictionary.items()
    wanted = [t for t, (vr, vm, _, retired, _) in rows if vr in TEXT and vm in ("1", "1-n") and not retired]
    return [t for t in wanted if 0x0008 <= t >> 16 <= 0x0040]


def test_no_byte_tells_who_it_was(planted, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    assert _bytes(planted).count(b"Nobody-Knows") > 2000
    done = deidentify(planted, out)
    written = _bytes(out)
    for secret in (b"Nobody-Knows", b"7731", b"19570813", b"20240229", b"20240301", b"SITE"):
        assert secret not in written, secret
    assert not {p.name for p in out.rglob("*")} & {p.name for p in planted.iterdir()}
    ds = _datasets(out)[0]
    assert ds.PatientIdentityRemoved == "YES" and ds.PatientName == ds.PatientID
    assert {c.CodeValue for c in ds.DeidentificationMethodCodeSequence} >= {"113100", "113105", "113107"}
    told = json.dumps(done.as_dict())
    assert "Nobody" not in told and "20240229" not in told and "RequestAttributesSequence" in told


def test_old_uids_are_gone_and_new_ones_belong_together(planted, tmp_path):
    for name in ("one", "two", "keyed"):
        (tmp_path / name).mkdir()
        deidentify(planted, tmp_path / name, Secret(b"k" * 16 if name == "keyed" else b""))
    old = {str(ds[k].value) for ds in map(dcmread, planted.iterdir()) for k in _UIDS}
    new = _datasets(tmp_path / "one")
    assert not old & {str(ds[k].value) for ds in new for k in _UIDS}
    assert len({ds.SOPInstanceUID for ds in new}) == len(new) == len(list(planted.iterdir()))
    assert len({ds.StudyInstanceUID for ds in new}) == len({ds.FrameOfReferenceUID for ds in new}) == 1
    assert len({ds.SeriesInstanceUID for ds in new}) == len({ds.SeriesNumber for ds in new}) == 3
    assert _bytes(tmp_path / "one") == _bytes(tmp_path / "two")
    keyed = _datasets(tmp_path / "keyed")
    assert not {ds.StudyInstanceUID for ds in keyed} & {ds.StudyInstanceUID for ds in new}
    assert keyed[0].PatientID != new[0].PatientID


_UIDS = ("SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID", "FrameOfReferenceUID")


def test_dates_move_together(planted, tmp_path):
    """A day between study and acquisition stays a day, over a leap day."""
    out = tmp_path / "out"
    out.mkdir()
    deidentify(planted, out)
    ds = _datasets(out)[0]
    a, b = (np.datetime64(f"{d[:4]}-{d[4:6]}-{d[6:]}") for d in (ds.StudyDate, ds.AcquisitionDate))
    assert b - a == np.timedelta64(1, "D") and a < np.datetime64("2024-02-29")
    assert ds.AcquisitionTime == "101112" and ds.LongitudinalTemporalInformationModified == "MODIFIED"


@pytest.mark.parametrize("make", [ge_product, siemens_mosaic])
def test_the_exam_is_still_the_same_exam(make, tmp_path):
    """Roles, places, pixels, frequency: all that is measured comes through; letters in a GE map are gone."""
    make(phantom(slices=3)).write(tmp_path / "in")
    (tmp_path / "out").mkdir()
    done = deidentify(tmp_path / "in", tmp_path / "out")
    (before,), (after,) = (read([tmp_path / n], ReadOptions()) for n in ("in", "out"))
    assert before.exam.acquisition == after.exam.acquisition and before.series == after.series
    for s, t in zip(before.exam.slices, after.exam.slices, strict=True):
        np.testing.assert_array_equal(s.stiffness_kpa, t.stiffness_kpa)
        np.testing.assert_array_equal(s.magnitude, t.magnitude)
        np.testing.assert_array_equal(s.phase_rad, t.phase_rad)
        assert s.plane.origin_mm == t.plane.origin_mm
    assert (done.letters > 0) == (make is ge_product)
    assert not any((ds.pixel_array >= 32766).any() for ds in _datasets(tmp_path / "out"))


@pytest.mark.parametrize("style", ["siemens-enhanced", "philips-enhanced"])
def test_enhanced_files_keep_their_frames(style, tmp_path):
    study = cases.simulated(exam(vectors=oblique()), tmp_path / "in", style)
    (tmp_path / "out").mkdir()
    deidentify(tmp_path / "in", tmp_path / "out")
    (after,) = read([tmp_path / "out"], ReadOptions())
    np.testing.assert_array_equal(after.exam.stiffness_kpa, study.exam.stiffness_kpa)
    np.testing.assert_allclose(after.exam.positions_mm, study.exam.positions_mm)
    assert after.exam.acquisition.frequency_hz == study.exam.acquisition.frequency_hz


def test_what_may_hold_drawn_text_is_refused(tmp_path):
    writer = ge_product(phantom(slices=2))
    marked, coloured, eight = writer.files[0], writer.files[1], writer.files[2]
    marked.BurnedInAnnotation = "YES"
    writer._pixels(coloured, np.zeros((4, 4), np.uint8))
    coloured.SamplesPerPixel, coloured.PhotometricInterpretation, coloured.PlanarConfiguration = 3, "RGB", 0
    coloured.PixelData = bytes(48)
    writer._pixels(eight, np.zeros((4, 4), np.uint8))
    eight.ImageType = ["DERIVED", "SECONDARY"]
    writer.write(tmp_path / "in")
    (tmp_path / "out").mkdir()
    done = deidentify(tmp_path / "in", tmp_path / "out")
    assert sorted(done.refused.values()) == [1, 1, 1] and done.written == len(writer.files) - 3
    assert {ds.SOPInstanceUID for ds in _datasets(tmp_path / "out")}.isdisjoint({marked.SOPInstanceUID})
    assert any("burned in" in r for r in done.refused) and any("coloured" in r for r in done.refused)


def test_objects_and_screens_alone_are_refused_with_the_reason(tmp_path):
    study = cases.simulated(exam(slices=2), tmp_path / "in")
    pages = Pages(b"%PDF-1.7", np.zeros((4, 4, 3), np.uint8))
    (tmp_path / "objects").mkdir()
    (tmp_path / "out").mkdir()
    for name, data in object_bytes(study, cases.finding_of(study.exam), pages).items():
        (tmp_path / "objects" / name).write_bytes(data)
    with pytest.raises(NothingFound, match="reports, documents and screens hold free text"):
        deidentify(tmp_path / "objects", tmp_path / "out")


def test_objects_of_a_deidentified_analysis_refer_to_the_deidentified_exam(tmp_path):
    """The same UIDs, dates and pseudonym as `livermre deidentify` gives the source images."""
    study = cases.simulated(exam(vectors=oblique()), tmp_path / "in")
    (tmp_path / "out").mkdir()
    deidentify(tmp_path / "in", tmp_path / "out")
    images = {str(ds.SOPInstanceUID): ds for ds in _datasets(tmp_path / "out")}
    source = study.headers[0]
    pages = Pages(b"%PDF-1.7", np.zeros((4, 4, 3), np.uint8))
    made = object_bytes(study, cases.finding_of(study.exam), pages, deidentify=True)
    for name, data in made.items():
        for old in (source.PatientID, source.StudyInstanceUID, source.SeriesInstanceUID, source.FrameOfReferenceUID):
            assert str(old).encode() not in data, (name, old)
        ds = dcmread(BytesIO(data))
        one = next(iter(images.values()))
        assert (ds.PatientID, ds.StudyInstanceUID, ds.StudyDate) == (one.PatientID, one.StudyInstanceUID, one.StudyDate)
        assert ds.PatientIdentityRemoved == "YES"
        assert {c.CodeValue for c in ds.DeidentificationMethodCodeSequence} >= {"113100"}
    seg = dcmread(BytesIO(made["seg.dcm"]))
    for frame in seg.PerFrameFunctionalGroupsSequence:
        image = images[frame.DerivationImageSequence[0].SourceImageSequence[0].ReferencedSOPInstanceUID]
        assert image.ImagePositionPatient == pytest.approx(list(frame.PlanePositionSequence[0].ImagePositionPatient))
    assert dcmread(BytesIO(made["report_pdf.dcm"])).BurnedInAnnotation == "NO"
    assert made["seg.dcm"] != object_bytes(study, cases.finding_of(study.exam), pages)["seg.dcm"]


def test_every_name_of_the_list_exists():
    """A misspelt keyword would silently remove what must stay, or promise what is not done."""
    assert all(tag_for_keyword(k) is not None for k in ACTIONS)
    assert len(ACTIONS) > 120


def test_words_that_are_no_description_go(planted):
    ds = dcmread(next(iter(planted.iterdir())))
    for text, kept in {
        "MRE 60 Hz Stiffness Schmidt": "MRE 60 Hz Stiffness",
        "Waverly phase": "phase",
        "patient 60hz confidence": "60hz confidence",
        "MRE: fI[0]dI[1]az[0]po[0]tI[7]VP[16667]": "MRE fI[0]dI[1]az[0]po[0]tI[7]VP[16667]",
    }.items():
        ds.SeriesDescription = text
        assert cleaned(ds)[0].SeriesDescription == kept
