"""De-identified files: nothing of the patient in any byte, the same exam to measure, and one world of UIDs."""

import json
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom.datadict import dictionary_VR, keyword_for_tag, tag_for_keyword
from pydicom.dataset import Dataset

from dicom.makers import ge_product, siemens_mosaic
from dicom.objects import cases
from dicom.phantom import phantom
from dicom.write.exams import exam, oblique
from livermre.dicom import ReadOptions, read
from livermre.dicom.deidentify import Secret, cleaned, deidentify, moments
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


def test_dates_and_times_move_together(planted, tmp_path):
    """A day and some hours between study and acquisition stay what they are, over a leap day."""
    out = tmp_path / "out"
    out.mkdir()
    for path in planted.iterdir():
        ds = dcmread(path)
        ds.StudyTime = "081500.250"
        ds.save_as(path)
    deidentify(planted, out)
    ds = _datasets(out)[0]
    a, b = (_moment(ds[f"{k}Date"].value, ds[f"{k}Time"].value) for k in ("Study", "Acquisition"))
    assert b - a == datetime(2024, 3, 1, 10, 11, 12) - datetime(2024, 2, 29, 8, 15, 0, 250000)
    assert a < datetime(2024, 2, 29) and ds.LongitudinalTemporalInformationModified == "MODIFIED"
    assert len(ds.AcquisitionTime) == 6 and len(ds.StudyTime) == 10  # as exact as before
    assert ds.AcquisitionTime != "101112" and not ds.StudyTime.endswith("1500.250")


def _moment(date: str, time: str) -> datetime:
    return datetime.strptime(date + time, "%Y%m%d%H%M%S" + ".%f" * ("." in time))


@given(
    st.datetimes(datetime(1990, 1, 1), datetime(2030, 1, 1)), st.timedeltas(timedelta(0), timedelta(days=900)),
    st.text("0123456789", min_size=1, max_size=8), st.sampled_from(["pair", "one value"]),
)  # fmt: skip
def test_every_interval_of_a_patient_stays(first, between, patient, form):
    """Whatever the moment, the shift and the form: also where midnight, a month or a leap day lies between."""
    secret, moved = Secret(b"k" * 16), []
    for moment in (first, first + between):
        date, time = f"{moment:%Y%m%d}", f"{moment:%H%M%S.%f}"
        ds = Dataset()
        if form == "pair":
            ds.AcquisitionDate, ds.AcquisitionTime = date, time
            new = [
                moments.moved(k, ds[k].value, ds, secret.shift(patient)) for k in ("AcquisitionDate", "AcquisitionTime")
            ]
        else:
            new = [moments.moved("AcquisitionDateTime", date + time + "+0100", ds, secret.shift(patient))]
        moved.append(datetime.strptime("".join(new), "%Y%m%d%H%M%S.%f"))
    assert moved[1] - moved[0] == between and moved[0] < first


def test_a_time_without_its_date_or_that_is_none():
    """Alone it moves within its day; what is no time or date does not stay, for nobody could move it."""
    shift = timedelta(days=-3, seconds=-7200)
    ds = Dataset()
    assert moments.moved("ContentTime", "0130", ds, shift) == "2330"
    assert moments.moved("ContentDate", "20240301", ds, shift) == "20240227"  # no time: 3 days, not 4
    ds.ContentTime = "0130"
    assert moments.moved("ContentDate", "20240301", ds, shift) == "20240226"
    for keyword, text in (
        ("ContentTime", "10:11:12"),
        ("ContentTime", "noon"),
        ("ContentDate", "2024.03.01"),
        ("ContentDate", "00010101"),
        ("AcquisitionDateTime", "2024"),
        ("ContentTime", ""),
    ):
        assert moments.moved(keyword, text, ds, shift) == "", text


def test_the_shift_is_not_the_same_for_all_and_never_nothing():
    shifts = {Secret().shift(str(n)) for n in range(300)}
    assert len(shifts) > 290 and all(timedelta(days=-3651) < s < timedelta(hours=-20) for s in shifts)
    assert len({s.seconds % 60 for s in shifts}) > 40


def test_several_patients_and_studies_do_not_mix(tmp_path):
    """A folder each, named as the patient is in the files; one patient keeps one name and one shift in both studies."""
    for name, patient, study in (("a", "One", "1.2.3"), ("b", "One", "1.2.4"), ("c", "Two", "1.2.5")):
        writer = ge_product(phantom(slices=1))
        for n, ds in enumerate(writer.files):
            ds.PatientID, ds.StudyInstanceUID = patient, study
            ds.SOPInstanceUID, ds.SeriesInstanceUID = f"{study}.9.{n}", f"{study}.{ds.SeriesNumber}"
        writer.write(tmp_path / "in" / name)
    (tmp_path / "out").mkdir()
    done = deidentify(tmp_path / "in", tmp_path / "out", Secret(b"k" * 16))
    folders = sorted({p.parent.parent for p in (tmp_path / "out").rglob("*.dcm")})
    assert len(folders) == 3 and done.written == 3 * len(writer.files)
    found = {f: {(d.PatientID, d.StudyInstanceUID, d.StudyDate) for d in _datasets(f)} for f in folders}
    assert all(len(v) == 1 for v in found.values()) and len({s for v in found.values() for _, s, _ in v}) == 3
    assert all(f.parent.name == next(iter(found[f]))[0] for f in folders)
    assert sorted(f.name for f in folders) == ["study001", "study001", "study002"]
    same = [v for v in found.values() if sum(p == next(iter(v))[0] for w in found.values() for p, *_ in w) == 2]
    assert len(same) == 2 and len({next(iter(v))[2] for v in same}) == 1
    assert len(read([folders[0]], ReadOptions())) == 1


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
    secret = Secret(b"k" * 16)
    keyed = object_bytes(study, cases.finding_of(study.exam), pages, deidentify=True, secret=secret)
    header = cleaned(source, secret)[0]
    for name, data in keyed.items():  # with a key: its UIDs and name, and other object UIDs than without
        ds, other = dcmread(BytesIO(data)), dcmread(BytesIO(made[name]))
        assert (ds.PatientID, ds.StudyInstanceUID) == (header.PatientID, header.StudyInstanceUID)
        assert other.StudyInstanceUID != ds.StudyInstanceUID and other.SOPInstanceUID != ds.SOPInstanceUID
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
