"""Fast reading of ordinary DICOM headers; anything unusual is left to pydicom.

pydicom needs 2-3 ms for each of the 72 headers of a small exam; walking the same bytes for the few attributes that
livermre looks at needs a tenth of it.
"""

import struct
from dataclasses import dataclass
from functools import lru_cache

from livermre.dicom.header import NEEDS_PYDICOM, WANTED, Value, parse, vr_of

PIXEL_TAGS = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})
IMPLICIT, EXPLICIT, DEFLATED, BIG = (
    "1.2.840.10008.1.2",
    "1.2.840.10008.1.2.1",
    "1.2.840.10008.1.2.1.99",
    "1.2.840.10008.1.2.2",
)

_LONG_VR = frozenset((b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"))
_SHORT_VR = frozenset(
    (b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FD", b"FL", b"IS", b"LO", b"LT", b"PN", b"SH", b"SL", b"SS",
     b"ST", b"TM", b"UI", b"UL", b"US")
)  # fmt: skip
_LOOKED_AT = WANTED | NEEDS_PYDICOM | PIXEL_TAGS
_UNDEFINED = 0xFFFFFFFF
_SYNTAX_TAG = 0x00020010
_DEEPEST = 20
_REMEMBERED_BYTES = 64
"""Most values repeat from image to image and are short; a long one must not fill a node's memory."""
_ITEM, _ITEM_END, _SEQUENCE_END = (0xFFFE, 0xE000), (0xFFFE, 0xE00D), (0xFFFE, 0xE0DD)
_EXPLICIT_HEAD = struct.Struct("<HH2sH")
_IMPLICIT_HEAD = struct.Struct("<HHI")
_LENGTH = struct.Struct("<I")


class Unusual(Exception):
    """These bytes are not an ordinary little-endian header; pydicom decides what they are."""


class Incomplete(Unusual):
    """The header goes on behind the bytes that were given."""


@dataclass(frozen=True)
class Scan:
    """What the quick walk found: wanted attributes, and where the pixels lie (tag, offset, length; None without)."""

    values: dict[int, tuple[Value, ...]]
    transfer_syntax: str
    pixels: tuple[int, int, int | None] | None


def looks_like_dicom(start: bytes) -> bool:
    """Whether a file starts as a DICOM file does, with or without the 128 byte preamble."""
    if start[128:132] == b"DICM":
        return True
    # without preamble: group 2 or 8 comes first, little or big endian, with a known first element
    if len(start) < 8 or start[:2] not in (b"\x02\x00", b"\x08\x00", b"\x00\x08"):
        return False
    explicit = start[4:6].isalpha() and start[4:6].isupper()
    return explicit or _LENGTH.unpack_from(start, 4)[0] < 4096


def scan(data: bytes) -> Scan:
    """Wanted attributes of an ordinary file with preamble; Unusual for every other, Incomplete when cut short."""
    if data[128:132] != b"DICM":
        raise Unusual("no preamble")
    syntax, position = _meta(data)
    if syntax in (DEFLATED, BIG) or syntax.startswith("1.2.840.10008.1.2.8"):
        raise Unusual(syntax)
    values, pixels = _walk(data, position, explicit=syntax != IMPLICIT)
    return Scan(values, syntax, pixels)


def _meta(data: bytes) -> tuple[str, int]:
    """Transfer syntax and the position behind group 2."""
    position, syntax, end = 132, "", len(data)
    while True:
        if position + 8 > end:
            raise Incomplete
        group, element, vr, length = _EXPLICIT_HEAD.unpack_from(data, position)
        if group != 2:
            break
        value = position + 8
        if vr in _LONG_VR:
            if position + 12 > end:
                raise Incomplete
            value, length = position + 12, _LENGTH.unpack_from(data, position + 8)[0]
        if (group << 16 | element) == _SYNTAX_TAG:
            syntax = data[value : value + length].decode("ascii", "replace").strip("\0 ")
        position = value + length
    if not syntax:
        raise Unusual("no transfer syntax")
    return syntax, position


def _walk(
    data: bytes, position: int, explicit: bool
) -> tuple[dict[int, tuple[Value, ...]], tuple[int, int, int | None] | None]:
    found: dict[int, tuple[Value, ...]] = {}
    end, last = len(data), 0
    head, short_vr, looked_at = _EXPLICIT_HEAD.unpack_from, _SHORT_VR if explicit else (), _LOOKED_AT
    while position + 8 <= end:
        group, element, vr, length = head(data, position)
        if vr in short_vr:  # the common case stands here, not in _element: a header has some 250 elements
            tag, value = group << 16 | element, position + 8
            if tag > last and tag not in looked_at:
                last, position = tag, value + length
                continue
        else:
            tag, vr, length, value = _element(data, position, explicit)
        if tag <= last:
            raise Unusual(f"{tag:08X}")
        last = tag
        if tag in looked_at:
            if tag in NEEDS_PYDICOM:
                raise Unusual(f"{tag:08X}")
            if tag in PIXEL_TAGS:
                return found, (tag, value, None if length == _UNDEFINED else length)
            if length != _UNDEFINED:
                _note(found, tag, vr, data, value, value + length)
        if length == _UNDEFINED:
            if vr == b"UN":
                raise Unusual("implicit sequence within an explicit file")
            position = _behind_items(data, value, explicit, 0)
        else:
            position = value + length
    if position != end:
        raise Incomplete
    return found, None


def _note(found: dict[int, tuple[Value, ...]], tag: int, vr: bytes, data: bytes, value: int, behind: int) -> None:
    if behind > len(data):
        raise Incomplete
    raw = data[value:behind]
    values = _parsed(tag, vr, raw) if len(raw) <= _REMEMBERED_BYTES else _parsed.__wrapped__(tag, vr, raw)
    if values:
        found[tag] = values


@lru_cache(maxsize=4096)
def _parsed(tag: int, vr: bytes, raw: bytes) -> tuple[Value, ...]:
    return parse(vr_of(tag, vr.decode("ascii", "replace")), raw)


def _element(data: bytes, position: int, explicit: bool) -> tuple[int, bytes, int, int]:
    """Tag, VR, length and position of the value of the element at a position."""
    if not explicit:
        group, element, length = _IMPLICIT_HEAD.unpack_from(data, position)
        return group << 16 | element, b"", length, position + 8
    group, element, vr, length = _EXPLICIT_HEAD.unpack_from(data, position)
    if vr in _LONG_VR:
        if position + 12 > len(data):
            raise Incomplete
        return group << 16 | element, vr, _LENGTH.unpack_from(data, position + 8)[0], position + 12
    if not vr.isalpha():
        raise Unusual("no VR")
    return group << 16 | element, vr, length, position + 8


def _behind_items(data: bytes, position: int, explicit: bool, depth: int) -> int:
    """The position behind a sequence of undefined length."""
    if depth > _DEEPEST:
        raise Unusual("nested too deep")
    while True:
        if position + 8 > len(data):
            raise Incomplete
        group, element, length = _IMPLICIT_HEAD.unpack_from(data, position)
        position += 8
        if (group, element) == _SEQUENCE_END:
            return position
        if (group, element) != _ITEM:
            raise Unusual("no item")
        position = _behind_item(data, position, explicit, depth) if length == _UNDEFINED else position + length


def _behind_item(data: bytes, position: int, explicit: bool, depth: int) -> int:
    while True:
        if position + 8 > len(data):
            raise Incomplete
        if _IMPLICIT_HEAD.unpack_from(data, position)[:2] == _ITEM_END:
            return position + 8
        _, vr, length, value = _element(data, position, explicit)
        if length != _UNDEFINED:
            position = value + length
        elif vr == b"UN":
            raise Unusual("implicit sequence within an explicit one")
        else:
            position = _behind_items(data, value, explicit, depth + 1)
