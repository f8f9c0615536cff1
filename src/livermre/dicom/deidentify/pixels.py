"""What is written into pixels: blanked where it can be told from the image, else the image is refused."""

import numpy as np
from pydicom.dataset import Dataset

from livermre.dicom.files import DicomFile
from livermre.dicom.frames import frames_of
from livermre.dicom.header import Tag
from livermre.dicom.invalid import BURNED_IN
from livermre.dicom.patterns import captured, coloured, vendor
from livermre.dicom.scan import EXPLICIT, IMPLICIT
from livermre.dicom.vendors import rule_of

_MR = ("1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.5.1.4.1.1.4.1")
_DRAWN = ("masked-stiffness", "colour", "capture")


def refusal(file: DicomFile) -> str:
    """Why a file cannot be de-identified, one phrase without any of its values; empty where it can."""
    h = file.header
    if not h.integer(Tag.ROWS) or h.text(Tag.SOP_CLASS) not in _MR:
        return "no MR image: reports, documents and screens hold free text"
    if coloured(h) or captured(h):
        return "a coloured picture or a screen: text may be drawn into it"
    if h.integer(Tag.BITS_ALLOCATED, 16) < 16 and "DERIVED" in h.words(Tag.IMAGE_TYPE):
        return "a derived image of 8 bits: text may be drawn into it"
    if any(rule_of(f.header).name in _DRAWN for f in frames_of(file)[:1]):
        return "hatching, a mask or letters are drawn into the image"
    return ""


def blanked(file: DicomFile, ds: Dataset) -> int:
    """Take the letters out of a GE map, in place; how many pixels that were.

    GE writes them as 32766 and 32767, which no stiffness reaches; 0 is its "no value". ValueError where the pixels are
    compressed and cannot be changed in place.
    """
    h = file.header
    if vendor(h) != "GE" or rule_of(h).role not in ("stiffness", "confidence", "wave"):
        return 0
    stored = np.concatenate([f.stored().ravel() for f in frames_of(file)])
    letters = int(np.count_nonzero(stored >= BURNED_IN))
    if letters:
        if file.transfer_syntax not in (EXPLICIT, IMPLICIT) or stored.dtype.itemsize != 2:
            raise ValueError("letters in compressed pixels")
        ds.PixelData = np.where(stored >= BURNED_IN, 0, stored).astype(stored.dtype.newbyteorder("<")).tobytes()
    return letters
