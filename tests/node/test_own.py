"""What livermre made is known by its header, whoever sends it: a result must never start an analysis."""

from io import BytesIO
from pathlib import Path

import numpy as np
from pydicom import dcmread
from pydicom.dataset import Dataset
from pynetdicom.dsutils import encode

from dicom.objects import cases
from dicom.write.exams import exam
from livermre.apps.node import wire
from livermre.dicom.objects import Pages
from livermre.dicom.objects.base import MAKER
from livermre.dicom.objects.write import NAMES, object_bytes


def header(ds: Dataset, *, implicit: bool = False, little: bool = True) -> wire.Header:
    syntax = wire.IMPLICIT if implicit else "1.2.840.10008.1.2.1" if little else wire.BIG_ENDIAN
    return wire.header(encode(ds, implicit, little), syntax, str(ds.SOPInstanceUID))


def test_every_object_of_livermre_is_known_and_no_source_image_is(tmp_path: Path) -> None:
    study = cases.simulated(exam(slices=2), tmp_path / "exam")
    pages = Pages(b"%PDF-1.7", np.zeros((4, 4, 3), np.uint8))
    made = object_bytes(study, cases.own_map(cases.finding_of(study.exam)), pages)
    assert set(made) == set(NAMES)
    for name, data in made.items():
        ds = dcmread(BytesIO(data))
        assert header(ds).own and header(ds, implicit=True).own, name
    assert not any(header(dcmread(p)).own for p in (tmp_path / "exam").rglob("*") if p.is_file())
    assert wire.MAKER.decode() == MAKER


def test_a_maker_that_cannot_be_decoded_is_somebody_else(tmp_path: Path) -> None:
    """The name is compared as bytes: odd letters of others must not make an instance unreadable."""
    study = cases.simulated(exam(slices=1), tmp_path / "exam")
    ds = study.headers[0]
    ds.SpecificCharacterSet, ds.Manufacturer = "ISO_IR 100", "Müller & Söhne"
    assert not header(ds).own
