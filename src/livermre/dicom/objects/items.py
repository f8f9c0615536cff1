"""Items and their bytes, explicit VR little endian: the same item gives the same bytes.

pydicom needs a tenth of a millisecond to make and write one element, and a report has two thousand of them; plain
objects written at once need a thirtieth of that. The tests let pydicom read every object and write it again: the bytes
are the same.
"""

import struct
from collections.abc import Sequence
from functools import cache
from typing import Any

from pydicom.datadict import dictionary_VR, tag_for_keyword

from livermre.dicom.write.encode import IMPLEMENTATION

EXPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"

_LONG = frozenset({"OB", "OF", "OW", "SQ", "UC", "UN", "UT"})
_NUMBERS = {"US": "H", "SS": "h", "UL": "I", "FL": "f", "FD": "d"}
_ASCII = frozenset({"AS", "CS", "DA", "DS", "DT", "IS", "TM", "UI"})
_PIXELS = {"PixelData": "OB"}  # the dictionary says OB or OW: these objects have pixels of one or eight bits


class Item:
    """A data set: DICOM keywords as attributes. Values are text, numbers, bytes, lists of them, or lists of items."""

    def __init__(self, **values: Any) -> None:
        self.__dict__.update(values)

    def __getattr__(self, keyword: str) -> Any:
        """Only asked for what is not there."""
        raise AttributeError(keyword)

    def __setattr__(self, keyword: str, value: Any) -> None:
        self.__dict__[keyword] = value


def file_bytes(ds: Item) -> bytes:
    """The file of a data set (PS3.10 7.1): preamble, file meta information, data set."""
    meta = encoded(
        Item(
            FileMetaInformationVersion=b"\0\1",
            MediaStorageSOPClassUID=ds.SOPClassUID,
            MediaStorageSOPInstanceUID=ds.SOPInstanceUID,
            TransferSyntaxUID=EXPLICIT_LITTLE_ENDIAN,
            ImplementationClassUID=IMPLEMENTATION,
            ImplementationVersionName="LIVERMRE",
        )
    )
    length = struct.pack("<HH2sHI", 2, 0, b"UL", 4, len(meta))
    return b"".join((bytes(128), b"DICM", length, meta, encoded(ds)))


def encoded(ds: Item) -> bytes:
    """Every element of a data set as bytes, by tag in order (PS3.5 7.1.2)."""
    elements = sorted((_element(keyword), value) for keyword, value in vars(ds).items() if value is not None)
    return b"".join(_written(tag, vr, value) for (tag, vr), value in elements)


@cache
def _element(keyword: str) -> tuple[int, str]:
    tag = tag_for_keyword(keyword)
    if tag is None:
        raise KeyError(keyword)
    return int(tag), _PIXELS.get(keyword) or dictionary_VR(tag)


def _written(tag: int, vr: str, value: Any) -> bytes:
    data = _items(value) if vr == "SQ" else _value(vr, value)
    group, element = tag >> 16, tag & 0xFFFF
    if vr in _LONG:
        return struct.pack("<HH2sHI", group, element, vr.encode(), 0, len(data)) + data
    return struct.pack("<HH2sH", group, element, vr.encode(), len(data)) + data


def _items(items: Sequence[Item]) -> bytes:
    parts = [encoded(i) for i in items]
    return b"".join(struct.pack("<HHI", 0xFFFE, 0xE000, len(p)) + p for p in parts)


def _value(vr: str, value: Any) -> bytes:
    """A value padded to even length (PS3.5 6.2): UIDs and bytes by zero, text by a space."""
    if isinstance(value, bytes):
        return value + b"\0" * (len(value) % 2)
    values = list(value) if isinstance(value, list | tuple) else [value]
    code = _NUMBERS.get(vr)
    if code is not None:
        return struct.pack(f"<{len(values)}{code}", *values)
    if vr == "AT":
        return b"".join(struct.pack("<HH", v >> 16, v & 0xFFFF) for v in values)
    data = "\\".join(map(str, values)).encode("ascii" if vr in _ASCII else "utf-8", "replace")
    return data + (b"\0" if vr == "UI" else b" ") * (len(data) % 2)
