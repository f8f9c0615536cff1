"""Stored pixel values of one file, decoded at most once and only when somebody asks."""

import hashlib
from dataclasses import dataclass

import numpy as np
from pydicom.dataset import Dataset
from pydicom.pixels import pixel_array

from livermre.dicom import codecs
from livermre.dicom.files import DicomFile, quiet_pydicom, read_dataset
from livermre.dicom.header import Tag
from livermre.dicom.scan import EXPLICIT, IMPLICIT
from livermre.exam.errors import CorruptFile

MAX_FRAME_PIXELS = 4096 * 4096
"""An MRE image has 64 x 64 to 512 x 512 pixels; whoever claims more than this is damaged or no MRE image."""

MAX_FILE_PIXELS = 2**29
"""All frames of one file together (1 GiB at 16 bit); checked before anything is allocated."""

_FLOAT_TAGS = {0x7FE00008: "<f4", 0x7FE00009: "<f8"}


@dataclass(frozen=True)
class Layout:
    """How the stored values lie in the file."""

    frames: int
    rows: int
    columns: int
    samples: int
    allocated: int
    stored: int
    high_bit: int
    signed: bool


def layout(file: DicomFile) -> Layout:
    """Pixel layout of a file; CorruptFile where it is impossible or larger than any MRE image."""
    h = file.header
    allocated = h.integer(Tag.BITS_ALLOCATED, 16)
    stored = h.integer(Tag.BITS_STORED, allocated)
    found = Layout(
        frames=max(1, h.integer(Tag.FRAMES, 1)),
        rows=h.integer(Tag.ROWS),
        columns=h.integer(Tag.COLUMNS),
        samples=h.integer(Tag.SAMPLES, 1),
        allocated=allocated,
        stored=stored,
        high_bit=h.integer(Tag.HIGH_BIT, stored - 1),
        signed=h.integer(Tag.SIGNED) == 1,
    )
    _check(file, found)
    return found


def _check(file: DicomFile, found: Layout) -> None:
    name = file.path.name
    if found.rows < 1 or found.columns < 1 or found.samples < 1:
        raise CorruptFile(f"{name} says that its image has {found.rows} x {found.columns} pixels")
    pixels = found.rows * found.columns * found.samples
    if pixels > MAX_FRAME_PIXELS or pixels * found.frames > MAX_FILE_PIXELS:
        raise CorruptFile(
            f"{name} says that it holds {found.frames} image(s) of {found.rows} x {found.columns} pixels, "
            f"far more than any MRE image; at most {MAX_FRAME_PIXELS} pixels each are opened"
        )
    if found.allocated not in (1, 8, 16, 32, 64) or not 0 < found.stored <= found.allocated:
        raise CorruptFile(f"{name} says that it stores {found.stored} of {found.allocated} bits")
    if not found.stored - 1 <= found.high_bit < found.allocated:
        raise CorruptFile(f"{name} says that its highest bit is {found.high_bit} of {found.allocated}")


class Pixels:
    """The stored values of one file: (frames, rows, columns[, samples]), and the hash of the file's bytes."""

    def __init__(self, file: DicomFile) -> None:
        self.file = file
        self._values: np.ndarray | None = None
        self._sha256 = ""

    @property
    def values(self) -> np.ndarray:
        """(F, R, C) stored values in the file's own integer or float type; CorruptFile where they cannot be decoded."""
        if self._values is None:
            self._values = self._decode()
        return self._values

    @property
    def sha256(self) -> str:
        """SHA-256 of the file's bytes."""
        if not self._sha256:
            self._sha256 = hashlib.sha256(_bytes_of(self.file)).hexdigest()
        return self._sha256

    def _decode(self) -> np.ndarray:
        plan = layout(self.file)
        plain = self.file.transfer_syntax in (IMPLICIT, EXPLICIT) and plan.samples == 1 and plan.allocated >= 8
        if plain and self.file.pixels is not None:
            data = _bytes_of(self.file)
            self._sha256 = hashlib.sha256(data).hexdigest()
            return _native(self.file, self.file.pixels, data, plan)
        return _by_pydicom(self.file, plan)


def _bytes_of(file: DicomFile) -> bytes:
    try:
        return file.path.read_bytes()
    except (OSError, MemoryError) as error:
        raise CorruptFile(f"{file.path.name} cannot be read ({type(error).__name__})") from error


def _native(file: DicomFile, where: tuple[int, int, int | None], data: bytes, plan: Layout) -> np.ndarray:
    tag, offset, length = where
    dtype = np.dtype(_FLOAT_TAGS.get(tag) or _integer(plan))
    count = plan.frames * plan.rows * plan.columns
    available = len(data) - offset if length is None else min(length, len(data) - offset)
    if available < count * dtype.itemsize:
        raise CorruptFile(
            f"{file.path.name} is cut short: {plan.frames} x {plan.rows} x {plan.columns} pixels need "
            f"{count * dtype.itemsize} bytes, found {max(available, 0)}"
        )
    values = np.frombuffer(data, dtype, count, offset).reshape(plan.frames, plan.rows, plan.columns)
    return values if tag in _FLOAT_TAGS else _used_bits(values, plan)


def _integer(plan: Layout) -> str:
    return f"<{'i' if plan.signed else 'u'}{plan.allocated // 8}"


def _used_bits(values: np.ndarray, plan: Layout) -> np.ndarray:
    """Values without the bits that do not belong to them (old files keep overlays there), sign extended."""
    left = plan.allocated - 1 - plan.high_bit
    right = plan.allocated - plan.stored
    if left == right == 0:
        return values
    return np.right_shift(np.left_shift(values, left), right)


def _by_pydicom(file: DicomFile, plan: Layout) -> np.ndarray:
    ds = read_dataset(file.path, pixels=True)
    try:
        with quiet_pydicom():
            values = _unpacked(ds, file, plan)
    except MemoryError as error:
        raise CorruptFile(f"{file.path.name} needs more memory than there is") from error
    except Exception as error:  # every codec has its own exceptions
        syntax = file.transfer_syntax or "no transfer syntax"
        raise CorruptFile(f"{file.path.name} cannot be decoded ({syntax}, {type(error).__name__})") from error
    shape = (plan.frames, plan.rows, plan.columns) + ((plan.samples,) if plan.samples > 1 else ())
    if values.size != np.prod(shape):
        raise CorruptFile(f"{file.path.name} holds {values.size} pixels where its header says {int(np.prod(shape))}")
    return values.reshape(shape)


def _unpacked(ds: Dataset, file: DicomFile, plan: Layout) -> np.ndarray:
    if codecs.decodes(file.transfer_syntax, plan.allocated):
        dtype = None if plan.allocated == 1 else np.dtype(_integer(plan))
        pixels = plan.rows * plan.columns * plan.samples
        return codecs.decode(ds.PixelData, file.transfer_syntax, plan.frames, pixels, dtype)
    if file.transfer_syntax in codecs.JPEG_LS:
        codecs.check_ends(ds.PixelData, plan.frames)
    try:
        return np.asarray(pixel_array(ds, raw=plan.samples > 1))
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # of a decoder in Rust: no Exception, as Ctrl-C is none
            raise
        raise ValueError("the decoder gave up") from None
