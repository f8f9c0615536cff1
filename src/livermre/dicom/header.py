"""A flat view of the attributes that livermre looks at, whichever way the file stores them."""

import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from pydicom.datadict import dictionary_VR
from pydicom.dataset import Dataset

Value = str | float


class Tag:
    """Tags that livermre looks at; every one of them is collected, no other is kept."""

    IMAGE_TYPE = 0x00080008
    SYNTHETIC = 0x0008001C
    SOP_CLASS = 0x00080016
    SOP_INSTANCE = 0x00080018
    STUDY_DATE = 0x00080020
    ACQUISITION_TIME = 0x00080032
    MODALITY = 0x00080060
    MANUFACTURER = 0x00080070
    STUDY_DESCRIPTION = 0x00081030
    SERIES_DESCRIPTION = 0x0008103E
    FRAME_TYPE = 0x00089007
    COMPLEX_COMPONENT = 0x00089208
    PATIENT_ID = 0x00100020
    SCANNING_SEQUENCE = 0x00180020
    SEQUENCE_NAME = 0x00180024
    THICKNESS = 0x00180050
    FIELD = 0x00180087
    SPACING_BETWEEN = 0x00180088
    PROTOCOL = 0x00181030
    TRIGGER_TIME = 0x00181060
    PULSE_SEQUENCE_NAME = 0x00189005
    SIEMENS_MOSAIC_COUNT = 0x0019100A
    GE_DIRECTIONS_EPI = 0x0019107E
    GE_SEQUENCE = 0x0019109C
    GE_DIRECTIONS_GRE = 0x001910F2
    STUDY_UID = 0x0020000D
    SERIES_UID = 0x0020000E
    SERIES_NUMBER = 0x00200011
    ACQUISITION_NUMBER = 0x00200012
    INSTANCE_NUMBER = 0x00200013
    POSITION = 0x00200032
    ORIENTATION = 0x00200037
    FRAME_OF_REFERENCE = 0x00200052
    TEMPORAL_POSITION = 0x00200100
    TEMPORAL_POSITIONS = 0x00200105
    COMMENTS = 0x00204000
    FRAME_COMMENTS = 0x00209158
    TEMPORAL_INDEX = 0x00209128
    DIMENSION_INDEX = 0x00209157
    SIEMENS_DIRECTIONS = 0x0021118E
    SAMPLES = 0x00280002
    PHOTOMETRIC = 0x00280004
    FRAMES = 0x00280008
    ROWS = 0x00280010
    COLUMNS = 0x00280011
    PIXEL_SPACING = 0x00280030
    BITS_ALLOCATED = 0x00280100
    BITS_STORED = 0x00280101
    HIGH_BIT = 0x00280102
    SIGNED = 0x00280103
    PADDING = 0x00280120
    WINDOW_CENTER = 0x00281050
    WINDOW_WIDTH = 0x00281051
    INTERCEPT = 0x00281052
    SLOPE = 0x00281053
    RESCALE_TYPE = 0x00281054
    SIEMENS_CSA = 0x00291010
    RWV_INTERCEPT = 0x00409224
    RWV_SLOPE = 0x00409225
    RWV_UNIT = 0x004008EA
    GE_MEG = 0x004310A2


WANTED = frozenset(v for k, v in vars(Tag).items() if k.isupper())

RWV_SEQUENCE = 0x00409096
SHARED_GROUPS = 0x52009229
FRAME_GROUPS = 0x52009230
NEEDS_PYDICOM = frozenset({RWV_SEQUENCE, SHARED_GROUPS, FRAME_GROUPS})

_PRIVATE_VR = {
    Tag.SIEMENS_MOSAIC_COUNT: "US",
    Tag.GE_DIRECTIONS_EPI: "SS",
    Tag.GE_SEQUENCE: "LO",
    Tag.GE_DIRECTIONS_GRE: "SS",
    Tag.SIEMENS_DIRECTIONS: "LO",
    Tag.GE_MEG: "DS",
}
"""VR of private attributes, which implicit files and archives that write UN do not carry."""

_BINARY = {"US": "H", "SS": "h", "UL": "I", "SL": "i", "FL": "f", "FD": "d"}
_NUMERIC_TEXT = {"DS", "IS"}
_SINGLE_TEXT = {"LT", "ST", "UT"}


@dataclass(frozen=True)
class Header:
    """Attributes of one frame: tag -> values (text or numbers), missing ones absent."""

    values: Mapping[int, tuple[Value, ...]] = field(repr=False)

    def words(self, tag: int) -> tuple[str, ...]:
        """All values of an attribute as text, upper case, without spaces around them."""
        return tuple(str(v).strip().upper() for v in self.values.get(tag, ()))

    def text(self, tag: int) -> str:
        """The values of an attribute as one text, joined by spaces; empty when absent."""
        return " ".join(str(v).strip() for v in self.values.get(tag, ()))

    def numbers(self, tag: int) -> tuple[float, ...]:
        """All values of an attribute that are numbers."""
        return tuple(n for n in map(_as_number, self.values.get(tag, ())) if n is not None)

    def number(self, tag: int) -> float | None:
        """The first value of an attribute as a number; None when absent or not a number."""
        for value in self.values.get(tag, ()):
            number = _as_number(value)
            if number is not None:
                return number
        return None

    def integer(self, tag: int, default: int = 0) -> int:
        """The first value of an attribute as an integer, default when absent, not a number or not finite."""
        number = self.number(tag)
        return default if number is None or abs(number) > 2**53 else int(number)

    def with_values(self, values: Mapping[int, tuple[Value, ...]]) -> "Header":
        """A header in which the given attributes replace or join the present ones."""
        return Header({**self.values, **values})


def _as_number(value: Value) -> float | None:
    try:
        number = float(value)
    except ValueError:
        return None
    return number if number - number == 0 else None  # inf and nan are no numbers to compute with


def vr_of(tag: int, vr: str) -> str:
    """The VR to read an attribute by: its own, or the dictionary's where the file says none."""
    if vr not in ("", "UN"):
        return vr
    known = _PRIVATE_VR.get(tag)
    if known is not None:
        return known
    try:
        return dictionary_VR(tag)
    except KeyError:
        return "UN"


@lru_cache(maxsize=20000)
def parse(vr: str, raw: bytes) -> tuple[Value, ...]:
    """Values of one little-endian attribute; empty where the bytes cannot hold that VR."""
    code = _BINARY.get(vr)
    if code is not None:
        count = len(raw) // struct.calcsize(code)
        return tuple(float(v) for v in struct.unpack_from(f"<{count}{code}", raw))
    text = _decode(raw).strip("\0 ")
    if vr in _SINGLE_TEXT:
        return (text,) if text else ()
    parts = [p.strip("\0 ") for p in text.split("\\")] if text else []
    if vr in _NUMERIC_TEXT:
        return tuple(n for n in map(_as_number, parts) if n is not None)
    return tuple(parts)


def _decode(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def from_dataset(ds: Dataset) -> dict[int, tuple[Value, ...]]:
    """Wanted attributes of one level of a pydicom dataset (sequences are left to the caller)."""
    found: dict[int, tuple[Value, ...]] = {}
    tags = ds.keys()
    for tag in WANTED.intersection(map(int, tags)):
        values = _plain(ds, tag)
        if values:
            found[tag] = values
    return found


def _plain(ds: Dataset, tag: int) -> tuple[Value, ...]:
    element = ds[tag]
    if isinstance(element.value, bytes):
        return parse(vr_of(tag, element.VR), element.value)
    if element.VR == "SQ" or element.value is None:
        return ()
    many = element.VM > 1
    return tuple(
        float(v) if isinstance(v, (int, float)) else str(v) for v in (element.value if many else [element.value])
    )


def describe(header: Header) -> str:
    """Free text of a series in lower case, for rules that look for words."""
    tags = (Tag.SERIES_DESCRIPTION, Tag.PROTOCOL, Tag.COMMENTS, Tag.FRAME_COMMENTS)
    return re.sub(r"\s+", " ", " | ".join(header.text(t) for t in tags)).lower()
