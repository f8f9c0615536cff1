"""Many frames a file: Enhanced MR Image Storage, with the functional groups that PS3.3 A.36.2 asks for."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydicom.dataset import Dataset

from livermre.dicom.write.encode import encoded
from livermre.dicom.write.groups import acquisition_groups, derivation, evidence, item, laid_out, pulse_sequence
from livermre.dicom.write.header import (
    ENHANCED_MR_IMAGE,
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
from livermre.dicom.write.order import SIMULATED, Order
from livermre.exam.plane import Plane
from livermre.exam.types import Slice


@dataclass(frozen=True)
class Look:
    """How the frames of one kind are described.

    frame_type  four values with spaces between them
    component   Complex Image Component
    rescale     slope and intercept of the pixel value transformation
    unit        UCUM code of a Real World Value Mapping by the numbers of `mapping`; empty without
    mapping     slope and intercept to that unit
    meaning     what the mapped value is
    """

    frame_type: str
    component: str = "MAGNITUDE"
    rescale: tuple[float, float] = (1.0, 0.0)
    unit: str = ""
    mapping: tuple[float, float] = (1.0, 0.0)
    meaning: str = ""


@dataclass(frozen=True)
class Frame:
    """One frame: stored pixels (R, C), its place in stack and time (from 1), and how it is described."""

    plane: Plane
    stack: int
    offset: int
    pixels: np.ndarray
    look: Look


def stack(slices: Sequence[Slice], images: Sequence[np.ndarray], look: Look) -> list[Frame]:
    """Frames of a stack of slices, offset after offset; images (O, R, C) stored pixels, one array a slice."""
    return [
        Frame(s.plane, n, o, pixels, look)
        for n, (s, stored) in enumerate(zip(slices, images, strict=True), start=1)
        for o, pixels in enumerate(stored, start=1)
    ]


def enhanced(
    order: Order,
    maker: Maker,
    series: int,
    description: str,
    frames: Sequence[Frame],
    sequence: str,
    source: int,
    bits: int = 16,
) -> bytes:
    """One multi-frame file.

    frames    their pixels as uint16
    sequence  name of the pulse sequence
    source    number of the acquired series, which derived frames refer to
    bits      stored bits of 16
    """
    looks = list(dict.fromkeys(f.look for f in frames))
    first = looks[0]
    ds = header(order, maker, ENHANCED_MR_IMAGE, series, first.frame_type, description)
    ds.SOPInstanceUID = _name(order, series)
    ds.InstanceNumber = 1
    ds.ImageComments = SIMULATED
    ds.update(_kind(first, mixed=len(looks) > 1))
    _whole_file(ds, order)
    original = first.frame_type.startswith("ORIGINAL")
    if original:
        pulse_sequence(ds, order, sequence)
    else:
        del ds.MRAcquisitionType  # PS3.3 C.8.13.4: only of original frames
        ds.SourceImageEvidenceSequence = [evidence(order, source, _name(order, source))]
    shared = acquisition_groups(order, original)
    shared.PixelMeasuresSequence = [_measures(order, frames[0].plane)]
    shared.PlaneOrientationSequence = [item(ImageOrientationPatient=cosines(frames[0].plane))]
    if len(looks) == 1:
        shared.update(_look(first, frames))
    if not original:
        shared.DerivationImageSequence = [derivation(first.meaning, _name(order, source))]
    ds.SharedFunctionalGroupsSequence = [shared]
    ds.PerFrameFunctionalGroupsSequence = [_own(order, f, looks, frames) for f in frames]
    laid_out(ds, order.uid("dimensions", series), mixed=len(looks) > 1)
    ds.NumberOfFrames = len(frames)
    pixels = np.stack([f.pixels for f in frames])
    describe_pixels(ds, pixels.shape, bits)
    ds.add_new(0x7FE00010, "OW", pixel_bytes(pixels))
    return encoded(ds)


def _name(order: Order, series: int) -> str:
    return order.uid("multi-frame", series)


def _kind(look: Look, mixed: bool = False) -> Dataset:
    return item(
        PixelPresentation="MONOCHROME",
        VolumetricProperties="VOLUME",
        VolumeBasedCalculationTechnique="NONE",
        ComplexImageComponent="MIXED" if mixed else look.component,
        AcquisitionContrast="UNKNOWN",
    )


def _whole_file(ds: Dataset, order: Order) -> None:
    ds.AcquisitionDateTime, ds.AcquisitionDuration, ds.AcquisitionNumber = timed(order), 15.0, 1
    ds.ContentQualification, ds.ResonantNucleus = "RESEARCH", "1H"
    ds.KSpaceFiltering, ds.ApplicableSafetyStandardAgency = "NONE", "IEC"
    ds.BurnedInAnnotation, ds.LossyImageCompression, ds.PresentationLUTShape = "NO", "00", "IDENTITY"
    ds.AcquisitionContextSequence = []


def _measures(order: Order, plane: Plane) -> Dataset:
    return item(
        PixelSpacing=spacing(plane),
        SliceThickness=number(plane.thickness_mm),
        SpacingBetweenSlices=number(order.step_mm),
    )


def _own(order: Order, frame: Frame, looks: Sequence[Look], frames: Sequence[Frame]) -> Dataset:
    index = [1, frame.stack, frame.offset] + ([looks.index(frame.look) + 1] if len(looks) > 1 else [])
    own = item(
        FrameContentSequence=[
            item(
                FrameAcquisitionDateTime=timed(order),
                FrameReferenceDateTime=timed(order),
                FrameAcquisitionDuration=15000.0,
                StackID="1",
                InStackPositionNumber=frame.stack,
                TemporalPositionIndex=frame.offset,
                DimensionIndexValues=index,
            )
        ],
        PlanePositionSequence=[item(ImagePositionPatient=place(frame.plane))],
    )
    if len(looks) > 1:
        own.update(_look(frame.look, [f for f in frames if f.look is frame.look]))
    return own


def _look(look: Look, frames: Sequence[Frame]) -> Dataset:
    slope, intercept = look.rescale
    low, high = min(int(f.pixels.min()) for f in frames), max(int(f.pixels.max()) for f in frames)
    window = item(
        WindowCenter=number(intercept + slope * (low + high) / 2), WindowWidth=number(max(slope * (high - low), 1.0))
    )
    groups = item(
        MRImageFrameTypeSequence=[item(FrameType=look.frame_type.split(), **_plain(_kind(look)))],
        PixelValueTransformationSequence=[
            item(RescaleSlope=number(slope), RescaleIntercept=number(intercept), RescaleType="US")
        ],
        FrameVOILUTSequence=[window],
    )
    if look.unit:
        groups.RealWorldValueMappingSequence = [_real_world(look, frames[0].pixels.dtype)]
    return groups


def _plain(ds: Dataset) -> dict[str, Any]:
    return {element.keyword: element.value for element in ds}


def _real_world(look: Look, dtype: np.dtype) -> Dataset:
    units = item(CodeValue=look.unit, CodingSchemeDesignator="UCUM", CodeMeaning=look.unit)
    return item(
        RealWorldValueFirstValueMapped=0,
        RealWorldValueLastValueMapped=int(np.iinfo(dtype).max),
        RealWorldValueSlope=float(look.mapping[0]),
        RealWorldValueIntercept=float(look.mapping[1]),
        LUTExplanation=look.meaning,
        LUTLabel=look.meaning.upper().replace(" ", "_")[:16],
        MeasurementUnitsCodeSequence=[units],
    )
