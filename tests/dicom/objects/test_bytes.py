"""Bytes and names: same study, same bytes; anything else, other UIDs; a second writer agrees on every byte."""

import re
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread, dcmwrite
from pydicom.dataset import Dataset

from dicom.objects import cases
from dicom.objects.reading import items
from dicom.write.exams import exam, oblique
from livermre.dicom import ReadOptions, read
from livermre.dicom.files import quiet_pydicom
from livermre.dicom.objects import NAMES, Pages, write_objects
from livermre.dicom.objects.items import Item, encoded
from livermre.dicom.objects.write import object_bytes
from livermre.exam.errors import InputError
from livermre.exam.flags import flag

PAGES = Pages(b"%PDF-1.7 odd", np.random.default_rng(2).integers(0, 256, (11, 13, 3), dtype=np.uint8))


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return cases.simulated(exam(vectors=oblique()), tmp_path_factory.mktemp("exam"))


@pytest.fixture(scope="module")
def finding(study):
    return cases.own_map(cases.finding_of(study.exam))


def test_all_objects_by_name(study, finding, tmp_path):
    written = write_objects(study, finding, tmp_path, PAGES)
    assert [p.name for p in written] == list(NAMES) == sorted(NAMES, key=NAMES.index)
    assert {p.name for p in tmp_path.iterdir()} == set(NAMES)
    assert [p.read_bytes() for p in written] == list(object_bytes(study, finding, PAGES).values())


def test_a_second_writer_gives_the_same_bytes(study, finding):
    """pydicom reads every object and writes it again: tags, VRs, lengths, padding and nesting are as it writes them."""
    for name, data in object_bytes(study, finding, PAGES).items():
        ds = dcmread(BytesIO(data))
        again = BytesIO()
        dcmwrite(again, ds, enforce_file_format=True)
        assert again.getvalue() == data, name
        assert ds.file_meta.MediaStorageSOPInstanceUID == ds.SOPInstanceUID


def test_values_of_every_kind_by_the_second_writer():
    """Odd and even lengths, several values, letters beyond ASCII, empty values and empty sequences."""
    values = {
        "PatientName": "Müller^Ä", "PatientID": "1", "ImageType": ["DERIVED", "PRIMARY"], "Rows": 7,
        "PixelSpacing": ["1.5", "2"], "StudyDate": "", "FrameIncrementPointer": [0x00200032, 0x0062000B],
        "RealWorldValueSlope": 0.1, "WindowCenter": "4.0", "StudyInstanceUID": "1.2.3", "PixelData": b"\1\2\3",
        "ReferencedSeriesSequence": [], "FloatPixelData": b"\0\0\x80?", "LongCodeValue": "x" * 17,
    }  # fmt: skip
    inner = {"ReferencedSegmentNumber": 2, "DimensionIndexValues": [1, 4]}
    plain = Item(**values, DerivationImageSequence=[Item(**inner), Item(**inner)])
    ds = Dataset()
    ds.SpecificCharacterSet = plain.SpecificCharacterSet = "ISO_IR 192"
    for keyword, value in values.items():
        setattr(ds, keyword, value)
    ds["PixelData"].VR = "OB"
    ds.DerivationImageSequence = [Dataset(), Dataset()]
    for item in ds.DerivationImageSequence:
        item.update(inner)
    stream = BytesIO()
    dcmwrite(stream, ds, implicit_vr=False, little_endian=True)
    assert encoded(plain) == stream.getvalue()


def test_an_unknown_keyword_is_a_mistake_of_ours():
    with pytest.raises(KeyError):
        encoded(Item(StiffnessOfLiver=2.0))


def _uids(made: dict[str, bytes]) -> set[str]:
    """UIDs that livermre gave: of objects, series, tracked things and dimensions."""
    found = set()
    for data in made.values():
        ds = dcmread(BytesIO(data))
        found |= {ds.SOPInstanceUID, ds.SeriesInstanceUID}
        found |= {d.DimensionOrganizationUID for d in ds.get("DimensionOrganizationSequence", ())}
        found |= {s.TrackingUID for s in ds.get("SegmentSequence", ())}
        found |= {
            i.UID for i in items(ds) if i.ValueType == "UIDREF" and i.ConceptNameCodeSequence[0].CodeValue == "112040"
        }
    return set(map(str, found))


def test_a_rerun_is_byte_identical_and_anything_else_gets_new_uids(study, finding):
    first = object_bytes(study, finding, PAGES)
    assert first == object_bytes(study, finding, PAGES)
    p, keep = finding.provenance, finding.roi.keep.copy()
    keep[0, keep[0].any(axis=1).argmax()] = False
    others = {
        "inputs": replace(finding, provenance=replace(p, inputs_sha256="cd" * 32)),
        "version": replace(finding, provenance=replace(p, livermre="0.1.1")),
        "model": replace(finding, provenance=replace(p, model_sha256="0" * 64)),
        "settings": replace(finding, provenance=replace(p, settings={"erode_mm": 4.0})),
        "region": replace(finding, roi=replace(finding.roi, keep=keep)),
        "flags": replace(finding, exam=replace(finding.exam, flags=(flag("few_slices", slices=1),))),
    }
    seen = _uids(first)
    assert len(seen) > 12
    for what, other in others.items():
        new = _uids(object_bytes(study, other, PAGES))
        assert len(new) == len(_uids(first)) and not new & seen, what
        seen |= new
    for what, pages in (
        ("pdf", replace(PAGES, pdf=b"%PDF other")),
        ("picture", replace(PAGES, picture=PAGES.picture[:5])),
    ):
        new = _uids(object_bytes(study, finding, pages))
        assert not new & seen, what
        seen |= new
    assert all(re.fullmatch(r"2\.25\.[1-9]\d{0,38}", uid) and len(uid) <= 44 for uid in seen)


def test_dates_are_those_of_the_source_and_nobody_asks_the_clock(study, finding):
    source = study.headers[0]
    for data in object_bytes(study, finding, PAGES).values():
        ds = dcmread(BytesIO(data))
        assert (ds.StudyDate, ds.StudyTime) == (source.StudyDate, source.StudyTime)
        assert (ds.ContentDate, ds.ContentTime) == (source.ContentDate, source.ContentTime)
        assert "InstanceCreationDate" not in ds
        assert ds.SyntheticData == "YES"  # what is made of a simulated exam is simulated, too
        assert (ds.PatientID, ds.PatientName) == (source.PatientID, source.PatientName)
        assert ds.StudyInstanceUID == source.StudyInstanceUID


def test_pages_come_back_whole(study, finding):
    made = object_bytes(study, finding, PAGES)
    pdf, picture = (dcmread(BytesIO(made[n])) for n in ("report_pdf.dcm", "report_sc.dcm"))
    assert pdf.EncapsulatedDocument[: pdf.EncapsulatedDocumentLength] == PAGES.pdf
    assert pdf.MIMETypeOfEncapsulatedDocument == "application/pdf" and pdf.BurnedInAnnotation == "YES"
    np.testing.assert_array_equal(picture.pixel_array, PAGES.picture)


def test_nothing_for_an_exam_that_is_no_dicom(study, finding, tmp_path):
    assert write_objects(replace(study, headers=()), finding, tmp_path, PAGES) == []
    assert not list(tmp_path.iterdir())


def test_a_source_without_names_is_refused_in_one_sentence(tmp_path):
    for keyword, what in (("StudyInstanceUID", "Study Instance UID"), ("SOPInstanceUID", "SOP Instance UID")):
        folder = tmp_path / keyword
        study = cases.simulated(exam(slices=2), folder)
        finding = cases.finding_of(study.exam)
        for path in folder.rglob("*"):
            if path.is_file():
                ds = dcmread(path)
                delattr(ds, keyword)
                dcmwrite(path, ds)
        (bare,) = read([folder], ReadOptions())
        with pytest.raises(InputError, match=what):
            object_bytes(bare, finding)


def test_headers_that_break_their_own_rules_still_give_valid_objects(tmp_path):
    """A date with dots, a weight in words, an ID longer than it may be: no reason to have no objects."""
    cases.simulated(exam(slices=2), tmp_path)
    for path in [p for p in tmp_path.rglob("*") if p.is_file()]:
        data = path.read_bytes()
        ds = dcmread(BytesIO(data))
        with quiet_pydicom():
            ds.StudyDate, ds.ContentDate = "2024.01", "20x40102"
            ds.PatientWeight = "72.123"
            ds.AccessionNumber = "A" * 20
            out = BytesIO()
            dcmwrite(out, ds)
        path.write_bytes(out.getvalue().replace(b"72.123", b"heavy "))
    (study,) = read([tmp_path], ReadOptions())
    made = object_bytes(study, cases.finding_of(study.exam))
    for data in made.values():
        ds = dcmread(BytesIO(data))
        assert ds.StudyDate == "" and ds.ContentDate == "20000101"  # of the Series Date
        assert "PatientWeight" not in ds
        with quiet_pydicom():
            assert ds.AccessionNumber == "A" * 20  # never cut: half of it is another's


def test_a_source_without_a_frame_of_reference_still_has_places(tmp_path):
    cases.simulated(exam(slices=2), tmp_path)
    for path in [p for p in tmp_path.rglob("*") if p.is_file()]:
        ds = dcmread(path)
        del ds.FrameOfReferenceUID
        with quiet_pydicom():
            ds.DeidentificationMethod = "x" * 70  # longer than an LO may be: a real archive's word for what it did
            dcmwrite(path, ds)
    (study,) = read([Path(tmp_path)], ReadOptions())
    ds = dcmread(BytesIO(object_bytes(study, cases.finding_of(study.exam))["seg.dcm"]))
    assert ds.FrameOfReferenceUID.startswith("2.25.") and len(ds.DeidentificationMethod) == 64
