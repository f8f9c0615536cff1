"""One series of grey images as an exam without maps, for those who only want the liver outlined."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from livermre.dicom import units
from livermre.dicom.arrange import PARALLEL, TOLERANCE, positions_mm, spacing_mm
from livermre.dicom.files import open_all
from livermre.dicom.frames import Frame
from livermre.dicom.header import Tag
from livermre.dicom.patterns import vendor
from livermre.dicom.series import Group, sort
from livermre.dicom.study import pseudonym
from livermre.exam.errors import Contradiction, CorruptFile, NothingFound
from livermre.exam.types import Acquisition, Exam, Slice

_NOT_MEASURABLE = ("not-mr", "colour", "capture", "mask-series", "masked-stiffness")


def read_image(paths: Sequence[Path]) -> Exam:
    """The magnitude images of one MR series; images at one position (offsets, echoes) become their mean.

    Of several series the one that is the magnitude of an MRE is taken. Raises NothingFound without grey MR images,
    Contradiction for several series, CorruptFile for damaged images.
    """
    paths = [Path(p) for p in paths]
    folder = open_all(paths)
    found = sort(folder.files)
    group = _only(paths, [g for g in found.groups if g.rule.name not in _NOT_MEASURABLE])
    slices = [_slice(frames) for frames in _stacked(group)]
    h = group.header
    return Exam(tuple(slices), Acquisition(vendor(h), h.number(Tag.FIELD)), pseudonym(group.study))


def _only(paths: Sequence[Path], groups: Sequence[Group]) -> Group:
    where = ", ".join(p.name for p in paths)
    magnitudes = [g for g in groups if g.role == "magnitude"] or [g for g in groups if g.role == "other"]
    if not magnitudes:
        raise NothingFound(f"{where} holds no grey MR images")
    series = sorted({g.number for g in magnitudes})
    if len({g.uid for g in magnitudes}) > 1:
        raise Contradiction(f"{where} holds {len(series)} series ({', '.join(map(str, series))}); give one of them")
    if magnitudes[0].problem:
        raise CorruptFile(magnitudes[0].problem)
    return magnitudes[0]


def _stacked(group: Group) -> list[list[Frame]]:
    """Frames by position, foot to head."""
    normal = group.frames[0].normal
    frames = [f for f in group.frames if f.shape == group.frames[0].shape and float(f.normal @ normal) >= PARALLEL]
    positions = positions_mm([f.plane for f in frames], normal)
    tolerance = TOLERANCE * spacing_mm(positions, frames[0].plane.thickness_mm)
    stacks: dict[int, list[Frame]] = defaultdict(list)
    last, place = -np.inf, -1
    for i in np.argsort(positions, kind="stable"):
        if positions[i] - last > tolerance:
            last, place = positions[i], place + 1
        stacks[place].append(frames[i])
    return list(stacks.values())


def _slice(frames: Sequence[Frame]) -> Slice:
    return Slice(frames[0].plane, units.mean_value(frames), sources=tuple(dict.fromkeys(f.name for f in frames)))
