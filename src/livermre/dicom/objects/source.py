"""What the objects take from their source: patient, study, dates, and which image each slice came from."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from livermre.dicom.deidentify.clean import NO_SECRET, Secret, cleaned
from livermre.dicom.headers import SourceHeaders, SourceImage
from livermre.exam.errors import InputError
from livermre.exam.study import Study
from livermre.exam.types import Finding

PATIENT = (
    "PatientName", "PatientID", "IssuerOfPatientID", "PatientBirthDate", "PatientSex", "PatientAge", "PatientSize",
    "PatientWeight", "OtherPatientIDs", "EthnicGroup",
)  # fmt: skip
STUDY = (
    "StudyInstanceUID", "StudyDate", "StudyTime", "AccessionNumber", "ReferringPhysicianName", "StudyID",
    "StudyDescription",
)  # fmt: skip
KIND = ("SyntheticData", "PatientIdentityRemoved", "DeidentificationMethod")
"""What is true of the objects because it is true of their source."""
TYPE_2 = frozenset(
    {"PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "AccessionNumber",
     "ReferringPhysicianName", "StudyID"}
)  # fmt: skip
"""Attributes that stand empty where the source has none (PS3.3 C.7.1.1, C.7.2.1)."""

_LONGEST = 64
"""Characters of a long string (PS3.5 6.2)."""

_CUT = frozenset({"StudyDescription", "DeidentificationMethod"})
"""Long strings that are words; an ID is never cut, for half of it is another's."""

_DATE, _TIME, _UID = re.compile(r"\d{8}"), re.compile(r"\d{2,6}(\.\d{1,6})?"), re.compile(r"[\d.]{1,64}")
_NUMBER = re.compile(r"[+-]?\d*\.?\d+([eE][+-]?\d+)?")
_FORMS = {
    "StudyDate": _DATE, "StudyTime": _TIME, "PatientBirthDate": _DATE, "PatientAge": re.compile(r"\d{3}[DWMY]"),
    "PatientSize": _NUMBER, "PatientWeight": _NUMBER,
}  # fmt: skip
"""What these must look like; a source's own way of writing them would make the object invalid."""

NO_DATE, NO_TIME = "19000101", "000000"
"""Where no header holds a date: an object must state one, and the clock is not asked."""


@dataclass(frozen=True)
class Source:
    """The images that a finding was measured on.

    header  of the first of them
    images  one a slice, foot to head: the scanner's map where that was measured, else the first magnitude image
    """

    header: Dataset
    images: tuple[SourceImage, ...]

    @property
    def date(self) -> str:
        """When the images were made, YYYYMMDD."""
        return self._first(_DATE, "ContentDate", "AcquisitionDate", "SeriesDate", "StudyDate") or NO_DATE

    @property
    def time(self) -> str:
        """When the images were made, HHMMSS with what further digits the header has."""
        return self._first(_TIME, "ContentTime", "AcquisitionTime", "SeriesTime", "StudyTime") or NO_TIME

    @property
    def frame_of_reference(self) -> str:
        """Frame of Reference UID; empty where the source has none."""
        return self._first(_UID, "FrameOfReferenceUID")

    def _first(self, form: re.Pattern[str], *keywords: str) -> str:
        """The first of some attributes that has the form that it should have."""
        texts = (" ".join(_values(self.header, k)) for k in keywords)
        return next((t for t in texts if form.fullmatch(t)), "")


def source_of(study: Study, finding: Finding, *, deidentify: bool = False, secret: Secret = NO_SECRET) -> Source | None:
    """The source images of a finding; None where the exam did not come from DICOM.

    deidentify  give the header and UIDs that `livermre deidentify` gives the same images with the same secret

    Raises InputError where the headers lack what names a study or an image.
    """
    headers = study.headers
    if not isinstance(headers, SourceHeaders) or not len(headers):
        return None
    measured = headers.maps if finding.exam.stiffness_source == "vendor" and headers.maps else headers.magnitudes
    images = tuple(_chosen(study, finding, measured))
    header = headers[images[0].header]
    if not _values(header, "StudyInstanceUID"):
        raise InputError("the source headers have no Study Instance UID")
    if not all(i.sop_instance and i.sop_class and i.series for i in images):
        raise InputError("a source image has no SOP Instance UID, SOP Class UID or Series Instance UID")
    return _anonymous(header, images, secret) if deidentify else Source(header, images)


def _anonymous(header: Dataset, images: tuple[SourceImage, ...], secret: Secret) -> Source:
    uid = secret.uid
    renamed = (replace(i, sop_instance=uid(i.sop_instance), series=uid(i.series)) for i in images)
    return Source(cleaned(header, secret)[0], tuple(renamed))


def _chosen(study: Study, finding: Finding, images: Sequence[SourceImage]) -> Iterator[SourceImage]:
    """The image of each slice of the finding; slices are told by their place, for an inversion may leave some out."""
    if len(images) != len(study.exam.slices):
        raise InputError(f"{len(study.exam.slices)} slices have {len(images)} source headers")
    for s in finding.exam.slices:
        at = min(range(len(images)), key=lambda i: abs(study.exam.positions_mm[i] - s.plane.position_mm))
        yield images[at]


def copied(header: Dataset, keywords: Sequence[str]) -> dict[str, str | list[str]]:
    """Attributes of a source header by keyword; those that must be there stand empty where it has none.

    Descriptions longer than their attribute may hold are cut, values that break its rules left out: they would make the
    object invalid, and are no reason to have none.
    """
    found: dict[str, str | list[str]] = {}
    for keyword in keywords:
        form = _FORMS.get(keyword)
        many = [v for v in _values(header, keyword) if form is None or form.fullmatch(v)]
        if keyword in _CUT:
            many = [v[:_LONGEST] for v in many]
        if many or keyword in TYPE_2:
            found[keyword] = many if len(many) > 1 else "".join(many)
    return found


def _values(header: Dataset, keyword: str) -> list[str]:
    """The values of an attribute as text; none where it is empty or cannot be read."""
    try:
        value = header.get(keyword)
        values = value if isinstance(value, MultiValue) else [value]
        return [text for v in values if v is not None and (text := str(v).strip())]
    except Exception:  # pydicom converts on touch and may raise anything on damaged values
        return []
