"""dicom-validator on every object, with the conditions and enumerated values of PS3.3; skips without the tables."""

import logging
import warnings
from collections.abc import Callable
from io import BytesIO

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset

from dicom.objects import cases
from dicom.objects.conditions import PLACE, standard
from dicom.write.exams import exam, oblique
from livermre.dicom.objects import Pages
from livermre.dicom.objects.write import NAMES, object_bytes

pytest.importorskip("dicom_validator", reason="dicom-validator (extra [dev]) is not installed")
pytestmark = pytest.mark.skipif(
    not (PLACE / "module_to_attributes.json").exists(),
    reason="the tables of PS3.3 (dicom_standard, extra [dev]) are not here",
)

PAGES = Pages(b"%PDF-1.7\n", np.zeros((8, 10, 3), np.uint8))
NEWER = "(0008,001C)"
"""Synthetic Data, on simulated exams only: newer than the tables (PS3.3 C.12.1)."""


def said(ds: Dataset) -> list[str]:
    """What dicom-validator says of a data set."""
    from dicom_validator.validator.error_handler import NullValidationResultHandler
    from dicom_validator.validator.iod_validator import IODValidator

    logging.getLogger("validator").setLevel(logging.CRITICAL)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = IODValidator(ds, standard()[0], error_handler=NullValidationResultHandler()).validate()
    errors = [(tag, error) for of_module in result.module_errors.values() for tag, error in of_module.items()]
    return [f"{tag} {error.code.name} {error.type}" for tag, error in errors if str(tag) != NEWER]


@pytest.fixture(scope="module", params=["ge", "siemens", "siemens-enhanced", "philips-enhanced"])
def sets(request, tmp_path_factory):
    """Objects of a reportable finding and of a blocked one, both with our own maps."""
    study = cases.simulated(exam(slices=2, vectors=oblique()), tmp_path_factory.mktemp("exam"), request.param)
    finding = cases.finding_of(study.exam)
    return [object_bytes(study, cases.own_map(f), PAGES) for f in (finding, cases.blocked(finding))]


def test_the_tables_were_understood():
    counted = standard()[1]
    assert counted["conditions"] > 1000 and counted["enumerations"] > 300


@pytest.mark.parametrize("name", NAMES)
def test_conditions_and_enumerated_values_hold(sets, name):
    for objects in sets:
        assert said(dcmread(BytesIO(objects[name]))) == []


def _fractional(ds: Dataset) -> None:
    ds.SegmentationType = "FRACTIONAL"


def _nameless(ds: Dataset) -> None:
    del ds.SegmentSequence[0].SegmentAlgorithmName


def _unsure(ds: Dataset) -> None:
    ds.ContentQualification = "SURE"


def _verified(ds: Dataset) -> None:
    ds.VerificationFlag = "VERIFIED"


def _planeless(ds: Dataset) -> None:
    del ds.PlanarConfiguration


@pytest.mark.parametrize(
    ("name", "change", "found"),
    [
        ("seg.dcm", _fractional, "(0062,0010) TagMissing 1C"),
        ("seg.dcm", _fractional, "(0028,0100) EnumValueNotAllowed 1"),
        ("seg.dcm", _nameless, "(0062,0002) / (0062,0009) TagMissing 1C"),
        ("stiffness_pmap.dcm", _unsure, "(0018,9004) EnumValueNotAllowed 1"),
        ("sr.dcm", _verified, "(0040,A073) TagMissing 1C"),
        ("report_sc.dcm", _planeless, "(0028,0006) TagMissing 1C"),
    ],
)
def test_the_validator_would_have_noticed(sets, name: str, change: Callable[[Dataset], None], found: str):
    ds = dcmread(BytesIO(sets[0][name]))
    change(ds)
    assert found in said(ds)
