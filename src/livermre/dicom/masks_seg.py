"""DICOM Segmentation of any maker: BINARY, FRACTIONAL (half and more is in) and LABELMAP."""

import numpy as np
from pydicom.dataset import Dataset

from livermre.dicom.files import DicomFile
from livermre.dicom.frames import Frame, frames_of
from livermre.dicom.header import FRAME_GROUPS, SHARED_GROUPS, Tag
from livermre.dicom.masks_place import Drawn
from livermre.exam.errors import CorruptFile, InputError


def segments(file: DicomFile) -> list[Drawn]:
    """Every segment of a SEG; InputError where its frames have no place in a patient."""
    ds, name = file.dataset, file.path.name
    if ds is None or FRAME_GROUPS not in ds or "SegmentSequence" not in ds:
        raise InputError(f"{name} is a SEG whose frames do not say where in a patient they lie")
    frames = frames_of(file)
    numbers = [int(s.SegmentNumber) for s in ds.SegmentSequence]
    if ds.get("SegmentationType") == "LABELMAP":
        masks = {n: [f.stored() == n for f in frames] for n in numbers if n not in (0, _padding(ds))}
    else:
        masks = _of_frames(ds, frames, numbers)
    place = file.header.text(Tag.FRAME_OF_REFERENCE)
    return [_drawn(s, place, frames, masks[int(s.SegmentNumber)]) for s in ds.SegmentSequence
            if int(s.SegmentNumber) in masks]  # fmt: skip


def _padding(ds: Dataset) -> int:
    """The background of a label map that does not use 0 for it."""
    return int(ds.get("PixelPaddingValue", 0) or 0)


def _of_frames(ds: Dataset, frames: list[Frame], numbers: list[int]) -> dict[int, list[np.ndarray | None]]:
    """For each segment its mask in every frame; None where a frame is of another segment."""
    threshold = 1.0
    if ds.SegmentationType == "FRACTIONAL":
        threshold = float(ds.get("MaximumFractionalValue", 255)) / 2
    shared = _number(ds[SHARED_GROUPS].value[0]) if ds.get(SHARED_GROUPS) else None
    owners = [_number(group) or shared for group in ds[FRAME_GROUPS].value]
    if any(o not in numbers for o in owners):
        raise CorruptFile("a frame of the SEG belongs to no segment")
    return {
        n: [f.stored() >= threshold if owner == n else None for f, owner in zip(frames, owners, strict=True)]
        for n in numbers
    }


def _number(group: Dataset) -> int | None:
    found = group.get("SegmentIdentificationSequence")
    return int(found[0].ReferencedSegmentNumber) if found else None


def _drawn(segment: Dataset, place: str, frames: list[Frame], masks: list[np.ndarray | None]) -> Drawn:
    kind = segment.get("SegmentedPropertyTypeCodeSequence")
    return Drawn(
        label=str(segment.get("SegmentLabel", "")),
        code=str(kind[0].get("CodeValue", "")) if kind else "",
        frame_of_reference=place,
        frames=tuple((f.plane, m) for f, m in zip(frames, masks, strict=True) if m is not None and m.any()),
    )
