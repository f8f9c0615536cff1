"""A series of mask images: one value beside 0, one image a slice (MRE/Quant: 0 and 255, in series +98 and +99)."""

from collections.abc import Sequence

import numpy as np

from livermre.dicom.files import DicomFile
from livermre.dicom.frames import Frame, frames_of
from livermre.dicom.header import Tag
from livermre.dicom.masks_place import Drawn
from livermre.exam.errors import Contradiction


def mask_images(name: str, files: Sequence[DicomFile]) -> Drawn:
    """The one mask series among files; Contradiction for several series or images that are no masks."""
    series = sorted({(f.header.text(Tag.SERIES_UID), f.header.integer(Tag.SERIES_NUMBER)) for f in files})
    if len(series) > 1:
        numbers = ", ".join(str(n) for _, n in sorted(series, key=lambda s: s[1]))
        raise Contradiction(f"{name} holds {len(series)} series ({numbers}); give the folder of one mask series")
    frames = [frame for file in files for frame in frames_of(file)]
    values = {int(v) for f in frames for v in np.unique(_grey(name, f))[:4]} - {0}
    if len(values) > 1:
        raise Contradiction(f"{name} holds images, not a mask: a mask has 0 and one other value")
    return Drawn(
        label=files[0].header.text(Tag.SERIES_DESCRIPTION),
        frame_of_reference=files[0].header.text(Tag.FRAME_OF_REFERENCE),
        frames=tuple((f.plane, f.stored() != 0) for f in frames),
    )


def _grey(name: str, frame: Frame) -> np.ndarray:
    stored = frame.stored()
    if stored.ndim != 2:
        raise Contradiction(f"{name} holds coloured pictures, not a mask")
    return stored
