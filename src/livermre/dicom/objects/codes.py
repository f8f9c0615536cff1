"""Coded words of the objects: public ones by their scheme, livermre's own where no scheme has the word.

Public codes: PS3.16 (DCM, CIDs 218, 7150, 7180, 7203, 7469, 12321), SNOMED CT (SCT) and UCUM, as the dictionaries of
pydicom list them. Own codes: docs/dicom.md lists every one with its meaning.
"""

from collections.abc import Sequence
from typing import NamedTuple

from livermre.dicom.objects.items import Item

OWN = "99LIVERMRE"
OWN_NAME = "livermre private codes"
OWN_UID = "2.25.143372498183402837184906523127744219387"  # a UUID as number, made once


class Code(NamedTuple):
    """One coded concept: value, scheme, meaning."""

    value: str
    scheme: str
    meaning: str


def coded(code: Code) -> Item:
    """An item of a code sequence; values of more than 16 characters have an attribute of their own (PS3.3 8.1)."""
    ds = Item(CodingSchemeDesignator=code.scheme, CodeMeaning=code.meaning)
    setattr(ds, "CodeValue" if len(code.value) <= 16 else "LongCodeValue", code.value)
    return ds


def sequence(*codes: Code) -> Sequence[Item]:
    """The value of a code sequence."""
    return [coded(c) for c in codes]


def own_scheme() -> Item:
    """The item of Coding Scheme Identification Sequence that tells what 99LIVERMRE is."""
    return Item(
        CodingSchemeDesignator=OWN,
        CodingSchemeUID=OWN_UID,
        CodingSchemeName=OWN_NAME,
        CodingSchemeResponsibleOrganization="The livermre developers",
    )


LIVER = Code("10200004", "SCT", "Liver")
ANATOMY = Code("91723000", "SCT", "Anatomical Structure")
ELASTICITY = Code("110830", "DCM", "Elasticity")
QUANTITY = Code("246205007", "SCT", "Quantity")
CONFIDENCE = Code("confidence", OWN, "Confidence of the stiffness value, 0 to 1")

KPA = Code("kPa", "UCUM", "kPa")
NO_UNIT = Code("1", "UCUM", "no units")
PIXELS = Code("{pixels}", "UCUM", "pixels")
SQUARE_MM = Code("mm2", "UCUM", "mm2")
HERTZ = Code("Hz", "UCUM", "Hz")

SEGMENTATION = Code("113076", "DCM", "Segmentation")
CALCULATED = Code("112187", "DCM", "Unspecified method of calculation")
SOURCE_IMAGE = Code("121322", "DCM", "Source image for image processing operation")
INTELLIGENCE = Code("123110", "DCM", "Artificial Intelligence")
