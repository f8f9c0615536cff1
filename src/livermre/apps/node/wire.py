"""The one file of the node that knows DICOM's tags: what an instance belongs to, and the data sets of commitment."""

import hashlib
import json
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filereader import read_dataset
from pydicom.filewriter import write_file_meta_info
from pydicom.uid import UID, generate_uid

from livermre.apps.node import keys

COMMITMENT_CLASS = "1.2.840.10008.1.20.1"
COMMITMENT_INSTANCE = "1.2.840.10008.1.20.1.1"
VERIFICATION = "1.2.840.10008.1.1"
BIG_ENDIAN, DEFLATED = "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99"
IMPLICIT = "1.2.840.10008.1.2"
TRANSFER_SYNTAXES = (
    "1.2.840.10008.1.2.1", IMPLICIT, "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.57",
    "1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81", "1.2.840.10008.1.2.4.90",
    "1.2.840.10008.1.2.4.91", "1.2.840.10008.1.2.5", BIG_ENDIAN,
)  # fmt: skip
"""PS3.5 annex A, those that livermre's codecs read; deflated is left out: a small message could become a huge one."""
SOP_CLASSES = (
    "1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.5.1.4.1.1.4.1", "1.2.840.10008.5.1.4.1.1.4.3",  # MR, enhanced, colour
    "1.2.840.10008.5.1.4.1.1.4.4", "1.2.840.10008.5.1.4.1.1.66",  # legacy converted MR, raw data
    "1.2.840.10008.5.1.4.1.1.7", "1.2.840.10008.5.1.4.1.1.7.1", "1.2.840.10008.5.1.4.1.1.7.2",  # secondary captures
    "1.2.840.10008.5.1.4.1.1.7.3", "1.2.840.10008.5.1.4.1.1.7.4", "1.2.840.10008.5.1.4.1.1.66.4",  # segmentation
    "1.2.840.10008.5.1.4.1.1.30", "1.2.840.10008.5.1.4.1.1.88.11", "1.2.840.10008.5.1.4.1.1.88.22",  # map, SR
    "1.2.840.10008.5.1.4.1.1.88.33", "1.2.840.10008.5.1.4.1.1.88.34", "1.2.840.10008.5.1.4.1.1.88.59",
    "1.2.840.10008.5.1.4.1.1.104.1", "1.2.840.10008.5.1.4.1.1.11.1", "1.2.840.10008.5.1.4.1.1.11.2",  # PDF, GSPS
)  # fmt: skip
"""What an MR study holds (PS3.4 annex B.5): a sender whose other series were refused might give the study up."""
_KINDS = {
    "1.2.840.10008.5.1.4.1.1.66.4": "SEG", "1.2.840.10008.5.1.4.1.1.30": "PMAP", "1.2.840.10008.5.1.4.1.1.104.1": "PDF",
    "1.2.840.10008.5.1.4.1.1.7": "SC", "1.2.840.10008.5.1.4.1.1.88.33": "SR", "1.2.840.10008.5.1.4.1.1.88.34": "SR",
    "1.2.840.10008.5.1.4.1.1.88.22": "SR", "1.2.840.10008.5.1.4.1.1.88.11": "SR",
}  # fmt: skip
_IMPLEMENTATION = generate_uid(entropy_srcs=["livermre node"])
MAKER, MODEL = b"The livermre developers", b"livermre"
"""Manufacturer and Manufacturer's Model Name of every object that livermre makes (dicom/objects/base.py)."""
_STUDY, _SERIES, _SOP = 0x0020000D, 0x0020000E, 0x00080018
_MAKER, _MODEL = 0x00080070, 0x00081090
_STATED_STUDY, _STATED_SERIES, _LAST = 0x00201208, 0x00201209, 0x00201209


class Unreadable(Exception):
    """An instance that cannot be filed; `status` is the answer of PS3.4, table B.2-1."""

    def __init__(self, reason: str, status: int = 0xC000) -> None:
        super().__init__(reason)
        self.status = status


@dataclass(frozen=True)
class Header:
    """What a study's journal needs to know of an instance; `own`: some livermre made it, this node or another."""

    study_uid: str
    series: str
    stated_study: int | None
    stated_series: int | None
    own: bool = False


def header(data: bytes | memoryview, transfer_syntax: str, sop_uid: str) -> Header:
    """The header of an encoded data set, read no further than it must; Unreadable where it cannot be filed."""
    wanted = [_STUDY, _SERIES, _SOP, _STATED_STUDY, _STATED_SERIES]
    try:
        found = read_dataset(
            BytesIO(data), transfer_syntax == IMPLICIT, transfer_syntax != BIG_ENDIAN,
            stop_when=lambda tag, vr, length: tag > _LAST, specific_tags=[*wanted, _MAKER, _MODEL],
        )  # fmt: skip
        own = (_raw(found, _MAKER), _raw(found, _MODEL)) == (MAKER, MODEL)
        values = {tag: str(found[tag].value) if tag in found else "" for tag in wanted}
    except Exception as error:  # whatever a damaged header makes of the parser
        raise Unreadable("the header cannot be read") from error
    if values[_SOP] != sop_uid:
        raise Unreadable("the data set has another SOP Instance UID than its message", 0xA900)
    if not is_uid(values[_STUDY]):
        raise Unreadable("the data set has no Study Instance UID")
    series = hashlib.sha256(values[_SERIES].encode()).hexdigest()[:24]
    return Header(values[_STUDY], series, _count(values[_STATED_STUDY]), _count(values[_STATED_SERIES]), own)


def _raw(found: Dataset, tag: int) -> bytes:
    """The bytes of an element as they came, without padding."""
    value = getattr(found.get_item(tag), "value", None) if tag in found else None
    return value.strip(b" \0") if isinstance(value, bytes) else b""


def _count(text: str) -> int | None:
    return int(text) if text.strip().isdecimal() and 0 < int(text) < 10**6 else None


def is_uid(text: object) -> bool:
    """Whether a text can be a UID; more is not asked of other people's files."""
    return isinstance(text, str) and keys.UID.fullmatch(text) is not None


def file_start(sop_class: str, sop_uid: str, transfer_syntax: str) -> bytes:
    """Preamble and file meta information (PS3.10, 7.1) of an instance; always the same for the same instance."""
    meta = FileMetaDataset()
    meta.FileMetaInformationVersion = b"\x00\x01"
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = UID(sop_class), UID(sop_uid)
    meta.TransferSyntaxUID, meta.ImplementationClassUID = UID(transfer_syntax), _IMPLEMENTATION
    out = BytesIO()
    out.write(bytes(128) + b"DICM")
    write_file_meta_info(out, meta)
    return out.getvalue()


@dataclass(frozen=True)
class Part10:
    """A DICOM file in memory: its file meta information, and where the data set begins."""

    sop_class: str
    sop_uid: str
    transfer_syntax: str
    data: memoryview


def part10(content: bytes) -> Part10:
    """The parts of a DICOM file; Unreadable where it is none."""
    try:
        stream = BytesIO(content)
        meta = dcmread(stream, stop_before_pixels=True, specific_tags=[]).file_meta
        length = int(meta.FileMetaInformationGroupLength)
        start = 132 + 12 + length  # preamble, "DICM", the element of the group's length
        return Part10(
            str(meta.MediaStorageSOPClassUID), str(meta.MediaStorageSOPInstanceUID), str(meta.TransferSyntaxUID),
            memoryview(content)[start:],
        )  # fmt: skip
    except Exception as error:
        raise Unreadable("this is no DICOM file") from error


def file_identity(path: Path) -> tuple[str, str, str]:
    """SOP class, SOP instance and transfer syntax of a file; Unreadable where it is no DICOM file."""
    try:
        meta = dcmread(path, stop_before_pixels=True, specific_tags=[]).file_meta
        return str(meta.MediaStorageSOPClassUID), str(meta.MediaStorageSOPInstanceUID), str(meta.TransferSyntaxUID)
    except Exception as error:
        raise Unreadable("this is no DICOM file") from error


def kind_of(sop_class: str) -> str:
    """The kind of a result, as destinations name it."""
    return _KINDS.get(sop_class, "OTHER")


def asked_commitment(information: Dataset) -> dict:
    """What a request for storage commitment names; Unreadable where it is not of PS3.4, table J.3-1."""
    try:
        transaction = str(information.TransactionUID)
        items = [
            [str(i.ReferencedSOPClassUID), str(i.ReferencedSOPInstanceUID)] for i in information.ReferencedSOPSequence
        ]
    except Exception as error:
        raise Unreadable("the request names no transaction or no instances", 0x0115) from error
    if not is_uid(transaction) or not all(is_uid(u) for pair in items for u in pair):
        raise Unreadable("the request holds what are no UIDs", 0x0115)
    return {"transaction": transaction, "items": items}


def commitment_answer(content: str, held: dict[str, bool]) -> tuple[Dataset, int]:
    """The event report of a request and its event type: 1 all are here, 2 some are not (PS3.4, J.3.3)."""
    asked, answer = json.loads(content), Dataset()
    answer.TransactionUID = asked["transaction"]
    good = [_reference(*pair) for pair in asked["items"] if held[pair[1]]]
    bad = [_reference(pair[0], pair[1], 0x0112) for pair in asked["items"] if not held[pair[1]]]  # no such instance
    if good:
        answer.ReferencedSOPSequence = good
    if bad:
        answer.FailedSOPSequence = bad
    return answer, 2 if bad else 1


def _reference(sop_class: str, sop_uid: str, failure: int | None = None) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = sop_class, sop_uid
    if failure is not None:
        item.FailureReason = failure
    return item
