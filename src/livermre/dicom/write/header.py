"""Attributes that every written image has: patient, study, series, equipment, and that it was simulated."""

from dataclasses import dataclass

import numpy as np
from pydicom.dataset import Dataset

from livermre.dicom.write.order import SIMULATED, Order
from livermre.exam.plane import Plane
from livermre.version import __version__

MR_IMAGE, ENHANCED_MR_IMAGE = "1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.5.1.4.1.1.4.1"
_SYNTHETIC_DATA = 0x0008001C
_CLOCK = "090000"


@dataclass(frozen=True)
class Maker:
    """The vendor whose habits are followed: his name in the header, and a model name that says who wrote it."""

    name: str
    model: str = "livermre simulator"


def header(order: Order, maker: Maker, sop_class: str, series: int, image_type: str, description: str) -> Dataset:
    """A dataset with all that the images of one series share beside planes and pixels.

    image_type  values of Image Type, with spaces between them
    """
    ds = Dataset()
    ds.SpecificCharacterSet = "ISO_IR 100"
    ds.ImageType = image_type.split()
    ds.SOPClassUID = sop_class
    ds.add_new(_SYNTHETIC_DATA, "CS", "YES")  # PS3.3 C.12.1: content made artificially
    _patient_and_study(ds, order)
    ds.Modality = "MR"
    ds.SeriesInstanceUID = order.uid("series", series)
    ds.SeriesNumber = series
    ds.SeriesDescription = description
    ds.PatientPosition = "HFS"
    ds.FrameOfReferenceUID = order.uid("frame of reference")
    ds.PositionReferenceIndicator = ""
    ds.Manufacturer, ds.ManufacturerModelName = maker.name, maker.model
    ds.DeviceSerialNumber, ds.SoftwareVersions = SIMULATED, f"livermre {__version__}"
    ds.ProtocolName = f"MRE{order.at_frequency} {SIMULATED}"
    ds.BodyPartExamined = "LIVER"
    if order.exam.acquisition.field_t is not None:
        ds.MagneticFieldStrength = number(order.exam.acquisition.field_t)
    ds.MRAcquisitionType = "2D"
    return ds


def _patient_and_study(ds: Dataset, order: Order) -> None:
    ds.PatientName, ds.PatientID, ds.PatientBirthDate, ds.PatientSex = order.patient_name, order.patient_id, "", ""
    ds.StudyInstanceUID, ds.StudyID, ds.AccessionNumber = order.uid("study"), SIMULATED, ""
    ds.ReferringPhysicianName = ""
    ds.StudyDate = ds.SeriesDate = ds.ContentDate = order.date
    ds.StudyTime = ds.SeriesTime = ds.ContentTime = _CLOCK
    ds.StudyDescription = f"{SIMULATED} liver MR elastography"


def timed(order: Order) -> str:
    """Date and time of the acquisition; maps carry that of their source."""
    return f"{order.date}{_CLOCK}"


def describe_pixels(ds: Dataset, shape: tuple[int, ...], bits: int, signed: bool = False) -> None:
    """Set the attributes that describe 16-bit pixels (..., R, C) of which so many bits are stored."""
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.Rows, ds.Columns = shape[-2:]
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = 16, bits, bits - 1
    ds.PixelRepresentation = int(signed)


def pixel_bytes(pixels: np.ndarray) -> bytes:
    """Pixels as they lie in a little-endian file."""
    return np.ascontiguousarray(pixels, dtype=pixels.dtype.newbyteorder("<")).tobytes()


def number(value: float) -> str:
    """A decimal string of at most 16 characters; nine digits keep a micrometre anywhere in a scanner."""
    return f"{float(value):.9g}"


def place(plane: Plane) -> list[str]:
    """Image Position (Patient)."""
    return [number(v) for v in plane.origin_mm]


def cosines(plane: Plane) -> list[str]:
    """Image Orientation (Patient): the direction of a row first, then that of a column."""
    return [f"{v:.10f}" for v in (*plane.to_next_column, *plane.to_next_row)]


def spacing(plane: Plane) -> list[str]:
    """Pixel Spacing: to the next row, to the next column."""
    return [number(v) for v in plane.spacing_mm]
