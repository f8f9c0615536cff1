"""Functional groups: where each frame lies, and which source image it was made from (PS3.3 C.7.6.16)."""

from collections.abc import Sequence

import numpy as np
from pydicom.valuerep import format_number_as_ds

from livermre.dicom.headers import SourceImage
from livermre.dicom.objects.base import Order
from livermre.dicom.objects.codes import SOURCE_IMAGE, Code, sequence
from livermre.dicom.objects.items import Item
from livermre.exam.plane import Plane

SAME_MM = 0.005
"""Slices share one orientation where their far corners move less than this: scanners round it slice by slice, and many
viewers look for it among the shared groups only.
"""


def decimal(value: float) -> str:
    """A decimal string: the number itself where 16 characters hold it, else the nearest that they hold."""
    number = float(value) + 0.0  # no minus before a zero
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else format_number_as_ds(number)


def measures(planes: Sequence[Plane]) -> Item:
    """Pixel Measures of a stack."""
    first = planes[0]
    found = Item(
        PixelSpacing=[decimal(v) for v in first.spacing_mm],
        SliceThickness=decimal(first.thickness_mm or step_mm(planes)),
    )
    steps = np.diff([p.position_mm for p in planes])
    if steps.size and np.ptp(steps) < 0.01 * steps.min():  # evenly spaced: else the positions alone tell the truth
        found.SpacingBetweenSlices = decimal(float(np.round(steps.mean(), 6)))
    return found


def step_mm(planes: Sequence[Plane]) -> float:
    """Distance of neighbouring slices, mm; 1 for a single one."""
    steps = np.diff([p.position_mm for p in planes])
    return float(steps.min()) if steps.size else 1.0


def _corner_shift_mm(a: Plane, b: Plane) -> float:
    """How far the corners of a plane move when it takes another's directions, mm."""
    rows, columns = np.array([0, a.shape[0] - 1, a.shape[0] - 1]), np.array([a.shape[1] - 1, 0, a.shape[1] - 1])
    own, other = (p.world_mm(rows, columns) - np.asarray(p.origin_mm) for p in (a, b))
    return float(np.linalg.norm(own - other, axis=1).max())


def orientation(plane: Plane) -> Item:
    """Plane Orientation: direction of a row first, then that of a column."""
    return Item(ImageOrientationPatient=[decimal(v) for v in (*plane.to_next_column, *plane.to_next_row)])


def groups(order: Order, derivation: Code, index: Sequence[tuple[int, ...]], slices: Sequence[int]) -> tuple:
    """(shared groups, one groups dataset a frame).

    index   dimension index values of each frame
    slices  which slice each frame shows
    """
    planes = [s.plane for s in order.finding.exam.slices]
    shared = Item(PixelMeasuresSequence=[measures(planes)])
    turned = any(_corner_shift_mm(planes[0], p) > SAME_MM for p in planes)
    if not turned:
        shared.PlaneOrientationSequence = [orientation(planes[0])]
    frames = []
    for values, s in zip(index, slices, strict=True):
        frame = Item(
            FrameContentSequence=[Item(DimensionIndexValues=list(values))],
            PlanePositionSequence=[Item(ImagePositionPatient=[decimal(v) for v in planes[s].origin_mm])],
            DerivationImageSequence=[_derived(order.source.images[s], derivation)],
        )
        if turned:
            frame.PlaneOrientationSequence = [orientation(planes[s])]
        frames.append(frame)
    return shared, frames


def _derived(image: SourceImage, derivation: Code) -> Item:
    source = Item(
        ReferencedSOPClassUID=image.sop_class,
        ReferencedSOPInstanceUID=image.sop_instance,
        PurposeOfReferenceCodeSequence=sequence(SOURCE_IMAGE),
    )
    if image.frame is not None:
        source.ReferencedFrameNumber = image.frame
    return Item(DerivationCodeSequence=sequence(derivation), SourceImageSequence=[source])


def dimensions(ds: Item, order: Order, *pointers: tuple[int, int, str]) -> None:
    """Multi-frame Dimension (PS3.3 C.7.6.17): (attribute, functional group, label) of each index."""
    organisation = order.names.uid("dimensions", ds.SOPClassUID)
    ds.DimensionOrganizationSequence = [Item(DimensionOrganizationUID=organisation)]
    ds.DimensionIndexSequence = [
        Item(
            DimensionOrganizationUID=organisation,
            DimensionIndexPointer=tag,
            FunctionalGroupPointer=group,
            DimensionDescriptionLabel=label,
        )
        for tag, group, label in pointers
    ]


POSITION = (0x00200032, 0x00209113, "Image Position Patient")
SEGMENT = (0x0062000B, 0x0062000A, "Segment Number")
