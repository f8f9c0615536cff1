"""Flatten files into frames: one image, one header, one place, whether classic, enhanced multi-frame or mosaic."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

import numpy as np
from pydicom.dataset import Dataset

from livermre.dicom.files import DicomFile, quiet_pydicom
from livermre.dicom.header import (
    FRAME_GROUPS,
    RWV_SEQUENCE,
    SHARED_GROUPS,
    Header,
    Tag,
    Value,
    from_dataset,
)
from livermre.dicom.pixels import Pixels
from livermre.exam.errors import CorruptFile, InputError
from livermre.exam.plane import Plane, Vector

MAX_FRAMES = 20_000
"""The largest 3-D exam has some thousands of frames (32 slices x 3 directions x 8 offsets x 2 kinds)."""

_GROUPS = (
    0x00289110,  # pixel measures
    0x00209113,  # plane position
    0x00209116,  # plane orientation
    0x00289145,  # pixel value transformation
    0x00209111,  # frame content
    0x00189226,  # MR image frame type
    0x00209310,  # temporal position
    0x00209253,  # temporal position of older files
    0x2005140F,  # Philips private frame attributes
    0x002111FE,  # Siemens private frame attributes
)


@dataclass(frozen=True, eq=False)
class Frame:
    """One image of a file.

    index  frame number within the file, from 0
    tile   (row, column, rows, columns) within a mosaic; None for a whole frame
    """

    header: Header
    pixels: Pixels = field(repr=False)
    index: int = 0
    tile: tuple[int, int, int, int] | None = None

    def stored(self) -> np.ndarray:
        """(R, C) stored values; CorruptFile where they cannot be decoded."""
        values: np.ndarray = self.pixels.values[self.index]
        if self.tile is None:
            return values
        row, column, rows, columns = self.tile
        return values[row : row + rows, column : column + columns]

    @cached_property
    def shape(self) -> tuple[int, int]:
        """(rows, columns) by the header."""
        if self.tile is not None:
            return self.tile[2], self.tile[3]
        return self.header.integer(Tag.ROWS), self.header.integer(Tag.COLUMNS)

    @property
    def name(self) -> str:
        """File name and frame, for messages and provenance."""
        name = self.pixels.file.path.name
        return f"{name}#{self.index + 1}" if self.header.integer(Tag.FRAMES, 1) > 1 else name

    @property
    def normal(self) -> np.ndarray:
        """(3,) unit normal of the plane, read-only."""
        return self._placed[1]

    @property
    def plane(self) -> Plane:
        """Place in the patient; InputError where position, orientation, spacing or a mosaic's count are impossible."""
        return self._placed[0]

    @cached_property
    def _placed(self) -> tuple[Plane, np.ndarray]:
        h = self.header
        if self.tile is None and h.integer(Tag.FRAMES, 1) <= 1 and "MOSAIC" in h.words(Tag.IMAGE_TYPE):
            raise CorruptFile(
                f"{self.name} is a mosaic, but the number of its slices (0019,100A) is missing or impossible, "
                "perhaps removed by de-identification; export it with private attributes or as single slices"
            )
        origin, cosines, spacing = h.numbers(Tag.POSITION), h.numbers(Tag.ORIENTATION), h.numbers(Tag.PIXEL_SPACING)
        if len(origin) != 3 or len(cosines) != 6 or len(spacing) != 2:
            raise InputError(f"{self.name} has no position, orientation or pixel spacing")
        thickness = max(h.number(Tag.THICKNESS) or 0.0, 0.0)
        return _place(self.shape, spacing, origin, cosines, thickness, h.text(Tag.FRAME_OF_REFERENCE))


@lru_cache(maxsize=4096)
def _place(
    shape: tuple[int, int],
    spacing: tuple[float, ...],
    origin: tuple[float, ...],
    cosines: tuple[float, ...],
    thickness: float,
    frame_of_reference: str,
) -> tuple[Plane, np.ndarray]:
    """Plane and normal; the offsets of a slice share theirs, so it is made once."""
    plane = Plane(
        shape=shape,
        spacing_mm=(spacing[0], spacing[1]),
        origin_mm=_vector(origin),
        to_next_row=_vector(cosines[3:]),
        to_next_column=_vector(cosines[:3]),
        thickness_mm=thickness,
        frame_of_reference=frame_of_reference,
    )
    normal = plane.normal
    normal.flags.writeable = False
    return plane, normal


def _vector(numbers: tuple[float, ...]) -> Vector:
    return numbers[0], numbers[1], numbers[2]


def frames_of(file: DicomFile) -> list[Frame]:
    """Every image of a file; empty for objects without pixels. CorruptFile for functional groups that do not fit."""
    if not file.header.integer(Tag.ROWS):
        return []
    pixels = Pixels(file)
    if file.dataset is not None and FRAME_GROUPS in file.dataset:
        return list(_enhanced(file, file.dataset, pixels))
    header = file.header
    if file.dataset is not None:
        header = header.with_values(_classic_real_world(file, file.dataset))
    count = _count(file)
    if count > 1:
        return [Frame(header, pixels, i) for i in range(count)]
    return list(_mosaic(header, pixels)) or [Frame(header, pixels)]


def _count(file: DicomFile) -> int:
    count = max(1, file.header.integer(Tag.FRAMES, 1))
    if count > MAX_FRAMES:
        raise CorruptFile(f"{file.path.name} says that it holds {count} frames; at most {MAX_FRAMES} are opened")
    return count


def _enhanced(file: DicomFile, ds: Dataset, pixels: Pixels) -> Iterator[Frame]:
    try:
        with quiet_pydicom():
            shared = _flatten(ds[SHARED_GROUPS].value) if SHARED_GROUPS in ds else {}
            groups = [_flatten([item]) for item in ds[FRAME_GROUPS].value]
    except Exception as error:  # pydicom converts values on touch and may raise anything on damaged ones
        raise CorruptFile(f"{file.path.name} has damaged functional groups ({type(error).__name__})") from error
    count = _count(file)
    if len(groups) != count:
        raise CorruptFile(f"{file.path.name} says {count} frames but describes {len(groups)}")
    for index, own in enumerate(groups):
        values = {**shared, **own}
        if Tag.FRAME_TYPE in values:
            values[Tag.IMAGE_TYPE] = values[Tag.FRAME_TYPE]
        values.setdefault(Tag.INSTANCE_NUMBER, (float(index + 1),))
        yield Frame(file.header.with_values(values), pixels, index)


def _flatten(items: list[Dataset]) -> dict[int, tuple[Value, ...]]:
    """Wanted attributes of functional groups, private frame attributes first so that public ones win."""
    found: dict[int, tuple[Value, ...]] = {}
    for item in items:
        for tag in reversed(_GROUPS):
            if tag in item:
                for inner in item[tag].value or ():
                    found.update(from_dataset(inner))
        found.update(_real_world(item))
    return found


def _real_world(ds: Dataset) -> dict[int, tuple[Value, ...]]:
    """Slope, intercept and unit code of the first linear Real World Value Mapping in stiffness or phase units."""
    if RWV_SEQUENCE not in ds:
        return {}
    options = [m for m in map(_mapping, ds[RWV_SEQUENCE].value or ()) if m]
    known = [m for m in options if str(m[Tag.RWV_UNIT][0]).lower() in ("pa", "kpa", "n/m2", "rad", "mrad", "1", "%")]
    return (known or options or [{}])[0]


def _classic_real_world(file: DicomFile, ds: Dataset) -> dict[int, tuple[Value, ...]]:
    try:
        with quiet_pydicom():
            return _real_world(ds)
    except Exception as error:  # as in functional groups: without its mapping the image would be in another unit
        raise CorruptFile(f"{file.path.name} has a damaged mapping to real values ({type(error).__name__})") from error


def _mapping(item: Dataset) -> dict[int, tuple[Value, ...]]:
    units = item.get("MeasurementUnitsCodeSequence")
    slope, intercept = item.get("RealWorldValueSlope"), item.get("RealWorldValueIntercept")
    if not units or slope is None or intercept is None:
        return {}
    return {
        Tag.RWV_SLOPE: (float(slope),),
        Tag.RWV_INTERCEPT: (float(intercept),),
        Tag.RWV_UNIT: (str(units[0].get("CodeValue", "")),),
    }


def _mosaic(header: Header, pixels: Pixels) -> Iterator[Frame]:
    """Slices of a Siemens mosaic: tiles row by row, each moved from the corner of the mosaic to its own place.

    Source: the position in a mosaic's header belongs to a single image of the mosaic's size around the same centre;
    slices step along the normal that the header's rows and columns span (nibabel's mosaic reader, dcm2niix).
    """
    count = header.integer(Tag.SIEMENS_MOSAIC_COUNT)
    if "MOSAIC" not in header.words(Tag.IMAGE_TYPE) or count < 1 or count > 1024:
        return
    side = math.ceil(math.sqrt(count))
    rows, columns = header.integer(Tag.ROWS) // side, header.integer(Tag.COLUMNS) // side
    for i in range(count):
        tile = (i // side * rows, i % side * columns, rows, columns)
        yield Frame(header.with_values(_tile_values(header, i, side, rows, columns)), pixels, 0, tile)


def _tile_values(header: Header, i: int, side: int, rows: int, columns: int) -> dict[int, tuple[Value, ...]]:
    origin, cosines = np.array(header.numbers(Tag.POSITION)), np.array(header.numbers(Tag.ORIENTATION))
    spacing = np.array(header.numbers(Tag.PIXEL_SPACING))
    step = header.number(Tag.SPACING_BETWEEN) or header.number(Tag.THICKNESS)
    if origin.shape != (3,) or cosines.shape != (6,) or spacing.shape != (2,) or not step:
        return {}
    to_column, to_row = cosines[:3], cosines[3:]
    # half the difference between mosaic and tile, in pixels of the tile
    corner = origin + to_column * spacing[1] * columns * (side - 1) / 2 + to_row * spacing[0] * rows * (side - 1) / 2
    place = corner + i * step * np.cross(to_column, to_row)
    return {Tag.POSITION: tuple(float(v) for v in place), Tag.SPACING_BETWEEN: (float(step),)}
