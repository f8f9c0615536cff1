"""A second reader of the objects: pydicom and numpy alone, no line of livermre."""

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from pydicom import dcmread
from pydicom.dataset import Dataset


@dataclass(frozen=True)
class FrameRead:
    """One frame as the file says: pixels, where it lies, which segment, which source image."""

    pixels: np.ndarray
    origin: np.ndarray
    column_step: np.ndarray
    row_step: np.ndarray
    segment: int | None
    source: tuple[str, int | None]

    def world(self) -> np.ndarray:
        """(R, C, 3) centres of the pixels, mm, by PS3.3 C.7.6.2.1.1."""
        r, c = np.indices(self.pixels.shape)
        return self.origin + c[..., None] * self.column_step + r[..., None] * self.row_step


def frames(data: bytes) -> list[FrameRead]:
    """Every frame of a multi-frame object."""
    ds = dcmread(BytesIO(data))
    shared = ds.SharedFunctionalGroupsSequence[0]
    return [
        _frame(image, shared, own) for image, own in zip(_pixels(ds), ds.PerFrameFunctionalGroupsSequence, strict=True)
    ]


def _pixels(ds: Dataset) -> np.ndarray:
    shape = (int(ds.NumberOfFrames), ds.Rows, ds.Columns)
    if "FloatPixelData" in ds:
        return np.frombuffer(ds.FloatPixelData, "<f4").reshape(shape)
    bits = np.unpackbits(np.frombuffer(ds.PixelData, np.uint8), bitorder="little")
    return bits[: np.prod(shape)].reshape(shape).astype(bool)


def _frame(image: np.ndarray, shared: Dataset, own: Dataset) -> FrameRead:
    def group(name: str) -> Dataset:
        return (own if name in own else shared)[name][0]

    cosines = np.array(group("PlaneOrientationSequence").ImageOrientationPatient, dtype=float)
    row_mm, column_mm = map(float, group("PixelMeasuresSequence").PixelSpacing)
    source = own.DerivationImageSequence[0].SourceImageSequence[0]
    segment = own.get("SegmentIdentificationSequence")
    return FrameRead(
        pixels=image,
        origin=np.array(own.PlanePositionSequence[0].ImagePositionPatient, dtype=float),
        column_step=cosines[:3] * column_mm,
        row_step=cosines[3:] * row_mm,
        segment=int(segment[0].ReferencedSegmentNumber) if segment else None,
        source=(str(source.ReferencedSOPInstanceUID), source.get("ReferencedFrameNumber")),
    )


@dataclass(frozen=True)
class SourceRead:
    """One stored image of the source: pixels, where it lies, its Image Type or that of its frame."""

    pixels: np.ndarray
    origin: np.ndarray
    column_step: np.ndarray
    row_step: np.ndarray
    kind: str

    world = FrameRead.world


def sources(folder: Path) -> dict[tuple[str, int | None], SourceRead]:
    """(SOP Instance UID, frame or None) -> every image of every file in a folder."""
    found = {}
    for path in folder.rglob("*"):
        if not path.is_file():
            continue
        ds = dcmread(path)
        uid = str(ds.SOPInstanceUID)
        if "PerFrameFunctionalGroupsSequence" not in ds:
            found[uid, None] = _source(ds.pixel_array, ds, "\\".join(ds.ImageType))
            continue
        shared = ds.SharedFunctionalGroupsSequence[0]
        for n, (image, own) in enumerate(zip(ds.pixel_array, ds.PerFrameFunctionalGroupsSequence, strict=True), 1):
            flat = Dataset()
            for groups in (shared, own):
                for element in groups:
                    for inner in element.value:
                        flat.update(inner)
            found[uid, n] = _source(image, flat, "\\".join(flat.get("FrameType", ds.ImageType)))
    return found


def _source(image: np.ndarray, ds: Dataset, kind: str) -> SourceRead:
    cosines = np.array(ds.ImageOrientationPatient, dtype=float)
    row_mm, column_mm = map(float, ds.PixelSpacing)
    origin = np.array(ds.ImagePositionPatient, dtype=float)
    return SourceRead(image, origin, cosines[:3] * column_mm, cosines[3:] * row_mm, kind)


def items(ds: Dataset):
    """Every content item of a report, depth first."""
    for item in ds.get("ContentSequence", ()):
        yield item
        yield from items(item)


def name_of(item: Dataset) -> str:
    """Code value of what an item is called."""
    names = item.get("ConceptNameCodeSequence")
    return str(names[0].get("CodeValue") or names[0].get("LongCodeValue")) if names else ""


def numbers(item: Dataset) -> dict[tuple[str, str], tuple[float, str]]:
    """(concept, derivation) -> (value, unit) of the numbers right below an item."""
    found = {}
    for child in item.ContentSequence:
        if child.ValueType == "NUM":
            value = child.MeasuredValueSequence[0]
            how = [str(c.ConceptCodeSequence[0].CodeValue) for c in child.get("ContentSequence", ())]
            key = (name_of(child), how[0] if how else "")
            found[key] = (float(value.NumericValue), str(value.MeasurementUnitsCodeSequence[0].CodeValue))
    return found
