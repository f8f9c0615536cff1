"""One data set without what tells who the patient is."""

import hashlib
import hmac
import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta

from pydicom.datadict import keyword_for_tag
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.uid import UID

from livermre.dicom.deidentify import moments
from livermre.dicom.deidentify.attributes import ACTIONS, OPTIONS, PRIVATE, WORDS
from livermre.version import __version__

_KEPT_TEXT = re.compile(
    rf"(?<![a-z0-9.])(?:(?:{WORDS})(?![a-z0-9])|\d{{2,3}}(?:\.\d+)? ?hz\b|fi\[\d+\]di\[\d+\][a-z0-9\[\]]*)",
    re.IGNORECASE,
)
_STANDARD = "1.2.840.10008."
"""UIDs under this root name things of the standard, not of a patient."""

_DAYS, _SECONDS = 3650, 3 * 3600


@dataclass(frozen=True)
class Secret:
    """What the new UIDs, pseudonyms and the shift of dates are made from.

    key  bytes that whoever shall not find the way back must not have; without them the same input gives the same output
         everywhere, and whoever holds an old UID can compute the new one
    """

    key: bytes = field(default=b"", repr=False)

    def digest(self, kind: str, value: str) -> bytes:
        """HMAC-SHA256 of a value, one family a kind."""
        return hmac.new(b"livermre" + self.key, f"{kind}\0{value}".encode("utf-8", "replace"), hashlib.sha256).digest()

    def uid(self, old: str) -> str:
        """The UID that takes the place of another; those of the standard stay."""
        if not old or old.startswith(_STANDARD):
            return old
        number = bytearray(self.digest("uid", old)[:16])
        number[6], number[8] = number[6] & 0x0F | 0x80, number[8] & 0x3F | 0x80
        return f"2.25.{int.from_bytes(number, 'big')}"

    def pseudonym(self, patient: str) -> str:
        """Name and ID of a patient."""
        return f"P-{self.digest('patient', patient).hex()[:12]}"

    def shift(self, patient: str) -> timedelta:
        """By how much all dates and times of a patient move: 1 to 3650 days back, and up to 3 hours either way.

        Intervals stay, to the fraction of a second: which map belongs to which breath-hold is told by them.
        """
        days = 1 + int.from_bytes(self.digest("days", patient)[:4], "big") % _DAYS
        seconds = int.from_bytes(self.digest("seconds", patient)[:4], "big") % (2 * _SECONDS + 1) - _SECONDS
        return timedelta(days=-days, seconds=seconds)

    @property
    def fingerprint(self) -> str:
        """Tells one key from another in records and UIDs; empty without a key."""
        return self.digest("fingerprint", "").hex()[:16] if self.key else ""


def patient_of(patient_id: str, patient_name: str) -> str:
    """What a patient is told by: the ID, else the name."""
    return patient_id or patient_name


NO_SECRET = Secret()


def cleaned(ds: Dataset, secret: Secret = NO_SECRET) -> tuple[Dataset, Counter[tuple[str, str]]]:
    """A new data set of what is allowed, and (attribute, action) -> how often; never an old value.

    Pixels are kept as they are: `pixels.blanked` sees to what is written into them.
    """
    counts: Counter[tuple[str, str]] = Counter()
    patient = patient_of(str(ds.get("PatientID", "") or ""), str(ds.get("PatientName", "") or ""))
    result = _level(ds, patient, secret, counts)
    result.PatientName = result.PatientID = secret.pseudonym(patient)
    counts["PatientName", "D"] += 1
    counts["PatientID", "D"] += 1
    for keyword in ("PatientBirthDate", "PatientSex", "StudyID", "AccessionNumber", "ReferringPhysicianName"):
        setattr(result, keyword, "")
    result.PatientIdentityRemoved = "YES"
    result.DeidentificationMethod = f"livermre {__version__} allow-list"
    result.DeidentificationMethodCodeSequence = [_code(v, m) for v, m in OPTIONS.items()]
    result.LongitudinalTemporalInformationModified = "MODIFIED"
    return result, counts


def _code(value: str, meaning: str) -> Dataset:
    ds = Dataset()
    ds.CodeValue, ds.CodingSchemeDesignator, ds.CodeMeaning = value, "DCM", meaning
    return ds


def _level(ds: Dataset, patient: str, secret: Secret, counts: Counter[tuple[str, str]]) -> Dataset:
    result = Dataset()
    for tag in sorted(ds.keys()):
        name = keyword_for_tag(tag) or f"({tag.group:04X},{tag.elem:04X})"
        try:
            element = ds[tag]
        except Exception:  # pydicom converts on touch and may raise anything on damaged values
            counts[name, "X"] += 1
            continue
        if element.tag.is_private:
            counts[name, _private(ds, element, result)] += 1
            continue
        action = ACTIONS.get(name)
        if action is None or name in ("PatientName", "PatientID"):
            if action is None:
                counts[name, "X"] += 1
            continue
        new = _element(element, action, ds, patient, secret, counts)
        counts[name, action if new is not None else "X"] += 1
        if new is not None:
            result.add(new)
    return result


def _private(ds: Dataset, element: DataElement, result: Dataset) -> str:
    """Keep a private attribute of the short list, with its creator; K or X."""
    tag = element.tag
    if tag.is_private_creator:
        return "X"  # written with the attribute that needs it
    creator = str(ds.get((tag.group, tag.elem >> 8), DataElement(0x00090010, "LO", "")).value).strip()
    if tag.elem & 0xFF not in PRIVATE.get((tag.group, creator), frozenset()) or element.VR == "SQ":
        return "X"
    result.private_block(tag.group, creator, create=True).add_new(tag.elem & 0xFF, element.VR, element.value)
    return "K"


def _element(
    element: DataElement, action: str, ds: Dataset, patient: str, secret: Secret, counts: Counter[tuple[str, str]]
) -> DataElement | None:
    """The element as it may stay; None where nothing of it may. `ds` is where it stands: a time needs its date."""
    if element.VR == "SQ":
        return DataElement(element.tag, "SQ", [_level(i, patient, secret, counts) for i in element.value or ()])
    if action == "K":
        return element
    if action == "Z":
        return DataElement(element.tag, element.VR, "")
    if action == "U":
        many = element.value if isinstance(element.value, list) else [element.value]
        new = [UID(secret.uid(str(v or ""))) for v in many]
        return DataElement(element.tag, "UI", new if len(new) > 1 else new[0])
    if action in ("date", "time"):
        moved = moments.moved(element.keyword, str(element.value or ""), ds, secret.shift(patient))
        return DataElement(element.tag, element.VR, moved) if moved else None
    text = " ".join(str(element.value or "").split())
    return DataElement(element.tag, element.VR, " ".join(m[0] for m in _KEPT_TEXT.finditer(text)))
