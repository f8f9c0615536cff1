"""Walk what a person points at and open every DICOM file in it, whatever lies around it."""

import logging
import os
import stat
import warnings
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

from pydicom import dcmread
from pydicom.dataset import Dataset

from livermre.dicom.header import NEEDS_PYDICOM, Header, Tag, from_dataset
from livermre.dicom.scan import DEFLATED, Incomplete, Scan, Unusual, looks_like_dicom, scan
from livermre.exam.errors import CorruptFile, InputError, NothingFound

MAX_FILES = 200_000
"""More files than any exam folder holds; a walk that meets more was pointed at an archive or at '/'."""

MAX_FILE_BYTES = 4 * 2**30
"""Larger files are no MRE images; they are listed as damaged instead of being read into memory."""

MAX_INFLATED_BYTES = 2**30
"""A deflated data set may not grow beyond this (a bomb of 1 MB can hold 1 GB)."""

_HEAD_BYTES = 16384  # a classic MR header has 4 to 10 KB
_MR_IMAGES = "1.2.840.10008.5.1.4.1.1.4"  # classic, and with a further number enhanced


@dataclass(frozen=True)
class DicomFile:
    """One opened file: flat header, and what is needed to find its pixels later.

    dataset  the pydicom dataset without pixels, only where functional groups or scaling sequences need it
    pixels   (tag, offset, length) of native or encapsulated pixels; None where pydicom must find them, or none exist
    """

    path: Path
    header: Header
    transfer_syntax: str
    pixels: tuple[int, int, int | None] | None
    dataset: Dataset | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Folder:
    """Everything that was found: opened files, damaged ones with a reason, and how many were no DICOM at all."""

    files: tuple[DicomFile, ...]
    damaged: tuple[tuple[Path, str], ...]
    others: int


@contextmanager
def quiet_pydicom() -> Iterator[None]:
    """Keep pydicom's remarks about odd headers off the screen: what matters becomes a flag or an error."""
    logger = logging.getLogger("pydicom")
    before = logger.disabled
    logger.disabled = True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.disabled = before


def open_all(paths: Sequence[Path]) -> Folder:
    """Every DICOM file under the given files and folders, each real file once.

    Raises NothingFound where a path does not exist or holds no file, InputError for too many files.
    """
    found: list[DicomFile] = []
    damaged: list[tuple[Path, str]] = []
    others = 0
    with quiet_pydicom():
        for path in walk(paths):
            try:
                file = open_file(path)
            except CorruptFile as error:
                damaged.append((path, str(error)))
                continue
            if file is None:
                others += 1
            else:
                found.append(file)
    if not (found or damaged or others):
        raise NothingFound(f"{_names(paths)} holds no files")
    return Folder(tuple(found), tuple(damaged), others)


def _names(paths: Sequence[Path]) -> str:
    return ", ".join(p.name or str(p) for p in paths) or "nothing"


def walk(paths: Sequence[Path]) -> Iterator[Path]:
    """Regular files under the given paths in name order; loops of links are walked once, pipes and devices never."""
    seen: set[tuple[int, int]] = set()
    for path in paths:
        if not os.path.lexists(path):
            raise NothingFound(f"{path.name or path} does not exist")
        for count, file in enumerate(_below(Path(path), seen)):
            if count >= MAX_FILES:
                raise InputError(f"{path.name or path} holds more than {MAX_FILES} files: point at one exam's folder")
            yield file


def _below(start: Path, seen: set[tuple[int, int]]) -> Iterator[Path]:
    waiting = [start]
    while waiting:
        path = waiting.pop()
        try:
            status = path.stat()
        except (OSError, ValueError):  # a broken link, a loop of links, a name that the system refuses
            continue
        if (status.st_dev, status.st_ino) in seen:
            continue
        seen.add((status.st_dev, status.st_ino))
        if stat.S_ISREG(status.st_mode):
            yield path
        elif stat.S_ISDIR(status.st_mode):
            waiting.extend(reversed(_entries(path)))


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:  # a folder without permission is passed over like a file without
        return []


def open_file(path: Path) -> DicomFile | None:
    """One file's header; None where it is no DICOM. CorruptFile where it is one but cannot be read."""
    try:
        with path.open("rb") as stream:
            head = stream.read(_HEAD_BYTES)
            if not looks_like_dicom(head):
                return None
            size = os.fstat(stream.fileno()).st_size
            if size > MAX_FILE_BYTES:
                raise CorruptFile(f"{path.name} has {size} bytes, more than any MRE image")
            return _from_head(path, head, size)
    except OSError as error:
        raise CorruptFile(f"{path.name} cannot be read ({error.strerror or 'input error'})") from error


def _from_head(path: Path, head: bytes, size: int) -> DicomFile:
    try:
        result = _scanned(path, head, size)
    except Unusual:
        return _from_pydicom(path)
    _check_whole(path, result, size)
    if Tag.SOP_CLASS not in result.values and _MR_IMAGES.encode() in head[:600]:  # so says the file meta information
        raise CorruptFile(f"{path.name} should hold an MR image but is cut short before its SOP class")
    return _checked(DicomFile(path, Header(result.values), result.transfer_syntax, result.pixels))


def _scanned(path: Path, head: bytes, size: int) -> Scan:
    try:
        return scan(head)
    except Incomplete as error:
        if size <= len(head):
            raise CorruptFile(f"{path.name} is cut short in the middle of its header") from error
    try:
        return scan(path.read_bytes())
    except Incomplete as error:
        raise CorruptFile(f"{path.name} is cut short in the middle of its header") from error


def _check_whole(path: Path, result: Scan, size: int) -> None:
    if result.pixels is None or result.pixels[2] is None:
        return
    missing = result.pixels[1] + result.pixels[2] - size
    if missing > 0:
        raise CorruptFile(f"{path.name} is cut short: {missing} bytes of its pixels are missing")


def _from_pydicom(path: Path) -> DicomFile:
    ds = read_dataset(path, pixels=False)
    try:
        values = from_dataset(ds)
        nested = any(tag in ds for tag in NEEDS_PYDICOM)
    except Exception as error:  # pydicom converts values on touch and may raise anything on damaged ones
        raise CorruptFile(f"{path.name} has a damaged header ({type(error).__name__})") from error
    syntax = str(getattr(ds, "file_meta", Dataset()).get("TransferSyntaxUID", "") or "")
    return _checked(DicomFile(path, Header(values), syntax, None, ds if nested else None))


def _checked(file: DicomFile) -> DicomFile:
    sop_class = file.header.text(Tag.SOP_CLASS)
    if f"{sop_class}.".startswith(f"{_MR_IMAGES}.") and not file.header.integer(Tag.ROWS):
        raise CorruptFile(f"{file.path.name} should hold an MR image but its header ends before it")
    return file


def read_dataset(path: Path, pixels: bool) -> Dataset:
    """A whole pydicom dataset; CorruptFile for anything that pydicom cannot read."""
    try:
        with quiet_pydicom():
            data = path.read_bytes()
            _check_inflated(path, data)
            ds = dcmread(BytesIO(data), force=True, stop_before_pixels=not pixels)
    except (OSError, MemoryError) as error:
        raise CorruptFile(f"{path.name} cannot be read ({type(error).__name__})") from error
    except CorruptFile:
        raise
    except RecursionError as error:
        raise CorruptFile(f"{path.name} nests its sequences without end") from error
    except Exception as error:  # pydicom raises a dozen kinds on damaged files
        raise CorruptFile(f"{path.name} is damaged ({type(error).__name__})") from error
    if not len(ds):
        raise CorruptFile(f"{path.name} is damaged: it holds no attribute")
    return ds


def _check_inflated(path: Path, data: bytes) -> None:
    if DEFLATED.encode() not in data[:1024]:
        return
    start = data.find(b"\x02\x00\x00\x00UL\x04\x00", 128)
    if start < 0:
        return
    body = start + 12 + int.from_bytes(data[start + 8 : start + 12], "little")
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        inflater.decompress(data[body:], MAX_INFLATED_BYTES)
    except zlib.error as error:
        raise CorruptFile(f"{path.name} is damaged: its deflated content cannot be unpacked") from error
    if inflater.unconsumed_tail:
        raise CorruptFile(f"{path.name} would unpack to more than {MAX_INFLATED_BYTES} bytes")
