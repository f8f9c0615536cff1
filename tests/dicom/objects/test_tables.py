"""dicom-validator on every object, with tables that need no network: those of PS3.3 that highdicom carries.

dicom-validator reads the standard from the web; its engine takes any tables. highdicom's have modules, nested
attributes and types, but no conditions and no enumerated values: 1C and 2C count as "may be there". What is found are
types 1 and 2 that are missing or empty, also in sequences, attributes that the object's IOD does not know, and values
that break their VR.
"""

import json
import logging
import warnings
from functools import cache
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from dicom.objects import cases
from dicom.write.exams import exam, oblique
from livermre.dicom.objects import Pages
from livermre.dicom.objects.write import NAMES, object_bytes

pytest.importorskip("dicom_validator", reason="dicom-validator (extra [dev]) is not installed")

PAGES = Pages(b"%PDF-1.7\n", np.zeros((8, 10, 3), np.uint8))
OURS = {
    "1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.88.34", "1.2.840.10008.5.1.4.1.1.30",
    "1.2.840.10008.5.1.4.1.1.104.1", "1.2.840.10008.5.1.4.1.1.7",
}  # fmt: skip
_GROUPS = (["SharedFunctionalGroupsSequence"], ["PerFrameFunctionalGroupsSequence"])
ALLOWED = {
    "sr-document-content: (0040,A730) / (0040,A730) TagError(type=<TagType.Undefined": (
        "content in content without end: the table shows it once (PS3.3 C.17.3.2.4)"
    ),
}
"""What may be said, and why."""


def _key(keyword: str) -> str:
    return str(Tag(tag_for_keyword(keyword) or 0)).upper().replace(" ", "")


@cache
def tables() -> object:
    """highdicom's tables in the form that dicom-validator reads."""
    import highdicom
    from dicom_validator.validator.dicom_info import DicomInfo

    place = Path(highdicom.__file__).parent / "_standard"
    kinds, modules_of, attributes_of = (
        json.loads((place / f"{name}.json").read_text(encoding="utf-8"))
        for name in ("sop_class_iod_map", "iod_module_map", "module_attribute_map")
    )
    kinds = {sop_class: iod for sop_class, iod in kinds.items() if sop_class in OURS}
    modules = {m["key"]: _nested(m["key"], attributes_of[m["key"]]) for iod in kinds.values() for m in modules_of[iod]}
    iods = {
        sop_class: {
            "title": iod,
            "modules": {m["key"]: {"ref": m["key"], "use": m["usage"]} for m in modules_of[iod]},
            "group_macros": {},
        }
        for sop_class, iod in kinds.items()
    }
    return DicomInfo({}, iods, modules)


def _nested(module: str, attributes: list[dict]) -> dict:
    """One module. A macro may stand in the shared group or in each frame's, and the attributes of every value type of a
    report stand side by side: of both, that they are there cannot be asked.
    """
    found: dict = {}
    for a in sorted(attributes, key=lambda a: len(a["path"])):
        level = found
        for sequence in a["path"]:
            level = level.setdefault(_key(sequence), {"name": sequence, "type": "3"}).setdefault("items", {})
        free = a["path"][-1:] in _GROUPS or (module == "sr-document-content" and a["keyword"] != "ValueType")
        level.setdefault(_key(a["keyword"]), {"name": a["keyword"], "type": "3" if free else a["type"]})
    return found


def said(ds: Dataset) -> list[str]:
    """What dicom-validator says of a data set."""
    from dicom_validator.validator.error_handler import NullValidationResultHandler
    from dicom_validator.validator.iod_validator import IODValidator

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = IODValidator(ds, tables(), error_handler=NullValidationResultHandler()).validate()
    return [f"{m}: {tag} {error}" for m, errors in result.module_errors.items() for tag, error in errors.items()]


@pytest.fixture(scope="module")
def objects(tmp_path_factory):
    study = cases.simulated(exam(slices=2, vectors=oblique()), tmp_path_factory.mktemp("exam"))
    return object_bytes(study, cases.own_map(cases.finding_of(study.exam)), PAGES)


@pytest.mark.parametrize("name", NAMES)
def test_the_validator_has_nothing_to_say(objects, name):
    logging.getLogger("validator").setLevel(logging.CRITICAL)
    found = said(dcmread(BytesIO(objects[name])))
    assert not [f for f in found if not any(a in f for a in ALLOWED)], found


def test_the_validator_would_have_noticed(objects):
    """Taken out, emptied or added in the depth of the frames, and a value that its VR forbids: each is found."""
    ds = dcmread(BytesIO(objects["seg.dcm"]))
    segment, frame = ds.SegmentSequence[0], ds.PerFrameFunctionalGroupsSequence[0]
    segment.SegmentAlgorithmType = ""
    del segment.SegmentedPropertyTypeCodeSequence[0].CodeMeaning
    frame.PatientName = "Nobody"
    ds.EchoTrainLength = 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ds.Manufacturer = "x" * 65
    found = said(ds)
    for tag, what in (
        ("(0062,0008)", "TagEmpty"),
        ("(0008,0104)", "TagMissing"),
        ("(0010,0010)", "TagUnexpected"),
        ("(0018,0091)", "TagUnexpected"),
        ("(0008,0070)", "InvalidValue"),
    ):
        assert any(f"{tag} TagError" in f and what in f for f in found), (tag, found)
