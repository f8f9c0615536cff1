"""One image a file: MR Image Storage."""

from dataclasses import dataclass

import numpy as np
from pydicom.dataset import Dataset

from livermre.dicom.write.encode import Template
from livermre.dicom.write.header import (
    MR_IMAGE,
    Maker,
    cosines,
    describe_pixels,
    header,
    number,
    pixel_bytes,
    place,
    spacing,
    timed,
)
from livermre.dicom.write.order import Order
from livermre.exam.plane import Plane

Written = tuple[str, bytes]
"""Path of a file within the exam's folder, and what goes into it."""


@dataclass(frozen=True)
class Series:
    """What the images of one classic series share.

    content      what the images are, for the folder's name
    image_type   values of Image Type, with spaces between them
    comment      Image Comments
    rescale      slope, intercept, type; None without these attributes
    window       centre and width for display; None: the range of each image
    bits         stored bits of 16
    signed       int16 instead of uint16
    """

    number: int
    content: str
    image_type: str
    description: str
    comment: str
    rescale: tuple[str, str, str] | None = None
    window: tuple[int, int] | None = None
    bits: int = 16
    signed: bool = False


class Classic:
    """Makes the files of one classic series; what they share is set once."""

    def __init__(self, order: Order, maker: Maker, series: Series) -> None:
        self._order, self._series = order, series
        self.common = header(order, maker, MR_IMAGE, series.number, series.image_type, series.description)
        _sequence(self.common, order)
        if series.rescale:
            self.common.RescaleSlope, self.common.RescaleIntercept, self.common.RescaleType = series.rescale
        plane = order.exam.slices[0].plane
        self.common.AcquisitionNumber = 1
        self.common.PixelSpacing, self.common.SliceThickness = spacing(plane), number(plane.thickness_mm)
        describe_pixels(self.common, plane.shape, series.bits, series.signed)
        self._template = Template(self.common)

    def image(self, instance: int, plane: Plane, pixels: np.ndarray, comment: str = "") -> Written:
        """One image.

        instance  its number in the series
        pixels    (R, C) int16 where the series is signed, else uint16
        comment   put before the series' Image Comments
        """
        series, own = self._series, Dataset()
        own.SOPInstanceUID = self._order.uid("image", series.number, instance)
        own.InstanceNumber = instance
        own.ImageComments = f"{comment} {series.comment}".strip()
        own.ImagePositionPatient, own.ImageOrientationPatient = place(plane), cosines(plane)
        own.SliceLocation = number(plane.position_mm)
        own.WindowCenter, own.WindowWidth = map(number, series.window or _range(pixels, series.rescale))
        data = self._template.file(own, pixel_bytes(pixels))
        return f"s{series.number:04d}_{series.content}/IM{instance:04d}.dcm", data


def _range(pixels: np.ndarray, rescale: tuple[str, str, str] | None) -> tuple[float, float]:
    """Centre and width of what an image holds, after rescaling as windows are."""
    slope, intercept = map(float, rescale[:2]) if rescale else (1.0, 0.0)
    low, high = float(pixels.min()), float(pixels.max())
    return intercept + slope * (low + high) / 2, max(slope * (high - low), 1.0)


def _sequence(ds: Dataset, order: Order) -> None:
    protocol = order.protocol
    ds.ScanningSequence = ["SE", "EP"] if protocol.spin_echo_epi else ["GR"]
    ds.SequenceVariant, ds.ScanOptions = "NONE", ""
    ds.RepetitionTime, ds.EchoTime = number(protocol.repetition_ms), number(protocol.echo_ms)
    ds.FlipAngle, ds.EchoTrainLength = number(protocol.flip_deg), "1"
    ds.SpacingBetweenSlices = number(order.step_mm)
    ds.AcquisitionDate, ds.AcquisitionTime = order.date, timed(order)[8:]
