"""Frames that pydicom's plugins leave alone: deflated frames, and run lengths of one-bit masks."""

import zlib
from collections.abc import Iterator

import numpy as np
from pydicom.encaps import generate_frames

DEFLATED_FRAMES = "1.2.840.10008.1.2.8.1"
RUN_LENGTH = "1.2.840.10008.1.2.5"
JPEG_LS = ("1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81")
_END_OF_IMAGE = b"\xff\xd9"

_HEADER_BYTES = 64


def decodes(transfer_syntax: str, bits_allocated: int) -> bool:
    """Whether decode() is the way for such pixels."""
    return transfer_syntax == DEFLATED_FRAMES or (transfer_syntax == RUN_LENGTH and bits_allocated == 1)


def decode(data: bytes, transfer_syntax: str, frames: int, pixels: int, dtype: np.dtype | None) -> np.ndarray:
    """(frames, pixels) values of encapsulated pixel data; dtype None for one-bit pixels, which become uint8 0/1.

    Raises ValueError or zlib.error where a frame does not hold what the header says.
    """
    size = -(-pixels // 8) if dtype is None else pixels * dtype.itemsize
    found = [_frame(raw, transfer_syntax, size) for raw in _raw_frames(data, frames)]
    if len(found) != frames:
        raise ValueError(f"found {len(found)} of {frames} frames")
    if dtype is None:
        bits = np.unpackbits(np.frombuffer(b"".join(found), np.uint8).reshape(frames, size), axis=1, bitorder="little")
        return bits[:, :pixels]
    return np.frombuffer(b"".join(found), dtype).reshape(frames, pixels)


def check_ends(data: bytes, frames: int) -> None:
    """ValueError where a JPEG-LS frame lacks the marker that ends it (ITU-T T.87, C.1.1).

    CharLS looks on behind the end of such a frame for seconds before it gives up.
    """
    if not all(_END_OF_IMAGE in raw[-4:] for raw in _raw_frames(data, frames)):
        raise ValueError("a frame was cut short")


def _raw_frames(data: bytes, frames: int) -> Iterator[bytes]:
    yield from generate_frames(data, number_of_frames=frames)


def _frame(raw: bytes, transfer_syntax: str, size: int) -> bytes:
    found = _inflated(raw, size) if transfer_syntax == DEFLATED_FRAMES else _run_lengths(raw, size)
    if len(found) < size:
        raise ValueError(f"a frame holds {len(found)} of {size} bytes")
    return found[:size]


def _inflated(raw: bytes, size: int) -> bytes:
    return zlib.decompressobj(-zlib.MAX_WBITS).decompress(raw, size + 1)


def _run_lengths(raw: bytes, size: int) -> bytes:
    """One segment of PackBits (DICOM PS3.5 annex G) behind its 64 byte header."""
    if len(raw) < _HEADER_BYTES or int.from_bytes(raw[:4], "little") != 1:
        raise ValueError("not one segment of run lengths")
    found, position = bytearray(), int.from_bytes(raw[4:8], "little")
    while position < len(raw) - 1 and len(found) < size:
        head = raw[position]
        if head < 128:
            found += raw[position + 1 : position + 2 + head]
            position += 2 + head
        elif head > 128:
            found += raw[position + 1 : position + 2] * (257 - head)
            position += 2
        else:
            position += 1
    return bytes(found)
