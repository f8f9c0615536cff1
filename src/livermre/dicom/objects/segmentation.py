"""The liver and the measured region as DICOM Segmentation, every frame on the plane of its source image."""

import itertools

import numpy as np

from livermre.dicom.objects import planes
from livermre.dicom.objects.base import Kind, Order, base, placed, refer_to_source
from livermre.dicom.objects.codes import ANATOMY, INTELLIGENCE, LIVER, SEGMENTATION, sequence
from livermre.dicom.objects.items import Item

KIND = Kind("segmentation", "1.2.840.10008.5.1.4.1.1.66.4", "SEG", 9010, "livermre liver and measured region")
LIVER_SEGMENT, REGION_SEGMENT = 1, 2

_COLOURS = {LIVER_SEGMENT: (43908, 22000, 48000), REGION_SEGMENT: (56000, 39000, 14500)}
"""CIELab as 16-bit numbers (PS3.3 C.10.7.1.1): brown for the liver, green for the region."""


def segmentation(order: Order) -> Item:
    """Segmentation Storage, BINARY (PS3.3 A.51): all slices of the liver, then all of the region, empty ones too."""
    exam = order.finding.exam
    masks = np.concatenate([order.finding.liver.liver, order.finding.roi.keep])
    ds = base(order, KIND)
    placed(ds, order)
    refer_to_source(ds, order)
    _describe(ds, masks.shape)
    ds.SegmentSequence = [_liver(order), _region(order)]
    order_of_frames = list(itertools.product((LIVER_SEGMENT, REGION_SEGMENT), range(len(exam.slices))))
    shared, frames = planes.groups(
        order, SEGMENTATION, [(n, s + 1) for n, s in order_of_frames], [s for _, s in order_of_frames]
    )
    for frame, (number, _) in zip(frames, order_of_frames, strict=True):
        frame.SegmentIdentificationSequence = [Item(ReferencedSegmentNumber=number)]
    ds.SharedFunctionalGroupsSequence, ds.PerFrameFunctionalGroupsSequence = [shared], frames
    planes.dimensions(ds, order, planes.SEGMENT, planes.POSITION)
    ds.PixelData = packed(masks)
    return ds


def packed(masks: np.ndarray) -> bytes:
    """(F, R, C) bool as one-bit pixels: the first pixel in the lowest bit, frames without a gap (PS3.5 8.1.1, D.1)."""
    data = np.packbits(masks.ravel(), bitorder="little").tobytes()
    return data + b"\0" * (len(data) % 2)


def frame_number(segment: int, index: int, slices: int) -> int:
    """Frame, from 1, of a segment in a slice."""
    return (segment - 1) * slices + index + 1


def _describe(ds: Item, shape: tuple[int, ...]) -> None:
    ds.ImageType = ["DERIVED", "PRIMARY"]
    ds.NumberOfFrames, ds.Rows, ds.Columns = shape
    ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.PixelRepresentation = 1, "MONOCHROME2", 0
    ds.BitsAllocated = ds.BitsStored = 1
    ds.HighBit = 0
    ds.LossyImageCompression, ds.BodyPartExamined = "00", "LIVER"
    ds.SegmentationType, ds.SegmentsOverlap = "BINARY", "YES"
    ds.ContentLabel, ds.ContentDescription, ds.ContentCreatorName = "LIVER_MRE", KIND.description, ""


def _liver(order: Order) -> Item:
    model, made = order.finding.liver.model, order.finding.provenance
    ds = _segment(order, LIVER_SEGMENT, "Liver", automatic=model is not None)
    if model is not None:
        ds.SegmentAlgorithmName = f"{model.name} {model.version}"[:64]
        ds.SegmentationAlgorithmIdentificationSequence = [
            Item(
                AlgorithmFamilyCodeSequence=sequence(INTELLIGENCE),
                AlgorithmName=model.name[:64],
                AlgorithmVersion=f"{model.version}"[:64],
                AlgorithmParameters=f"weights SHA-256 {model.sha256}; livermre {made.livermre}",
            )
        ]
    return ds


def _region(order: Order) -> Item:
    automatic = order.finding.roi.author == "livermre"
    ds = _segment(order, REGION_SEGMENT, "Liver MRE ROI", automatic)
    if automatic:
        ds.SegmentAlgorithmName = f"livermre {order.finding.provenance.livermre}"
    return ds


def _segment(order: Order, number: int, label: str, automatic: bool) -> Item:
    return Item(
        SegmentNumber=number,
        SegmentLabel=label,
        SegmentDescription=label if automatic else f"{label}, given by a person",
        SegmentAlgorithmType="AUTOMATIC" if automatic else "MANUAL",
        SegmentedPropertyCategoryCodeSequence=sequence(ANATOMY),
        SegmentedPropertyTypeCodeSequence=sequence(LIVER),
        RecommendedDisplayCIELabValue=list(_COLOURS[number]),
        TrackingID=tracking_id(order, number),
        TrackingUID=tracking_uid(order, number),
    )


def tracking_id(order: Order, segment: int) -> str:
    """The name under which SEG and SR speak of the same thing."""
    return f"{order.finding.exam.pseudonym} {'liver' if segment == LIVER_SEGMENT else 'Liver MRE ROI'}"


def tracking_uid(order: Order, segment: int) -> str:
    """The UID under which SEG and SR speak of the same thing."""
    return order.names.uid("tracking", segment)
