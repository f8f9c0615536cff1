"""Closed contours in the patient: RTSTRUCT structures and the 3-D regions of a structured report."""

from collections.abc import Iterator

import numpy as np
from pydicom.dataset import Dataset

from livermre.dicom.files import DicomFile, read_dataset
from livermre.dicom.masks_place import Drawn
from livermre.exam.errors import Contradiction, InputError


def structures(file: DicomFile) -> list[Drawn]:
    """Every structure of an RTSTRUCT that has closed planar contours."""
    ds = read_dataset(file.path, pixels=False)
    named = {int(s.ROINumber): s for s in ds.get("StructureSetROISequence") or ()}
    found = []
    for roi in ds.get("ROIContourSequence") or ():
        polygons = tuple(_polygons(roi))
        structure = named.get(int(roi.ReferencedROINumber), Dataset())
        if polygons:
            place = str(structure.get("ReferencedFrameOfReferenceUID", ""))
            found.append(Drawn(str(structure.get("ROIName", "")), frame_of_reference=place, polygons=polygons))
    return found


def _polygons(roi: Dataset) -> Iterator[np.ndarray]:
    for contour in roi.get("ContourSequence") or ():
        if str(contour.get("ContourGeometricType", "")).startswith("CLOSED"):
            yield _points(contour.ContourData)


def _points(numbers: object) -> np.ndarray:
    points = np.asarray(numbers, dtype=float)
    if points.size % 3 or points.size < 9 or not np.isfinite(points).all():
        raise InputError("a contour needs three or more points of three coordinates")
    return points.reshape(-1, 3)


def regions(file: DicomFile) -> list[Drawn]:
    """Every polygon in the patient (SCOORD3D) of a structured report, by the group that it stands in."""
    ds = read_dataset(file.path, pixels=False)
    found = list(_regions(ds, ""))
    if not found:
        raise Contradiction(
            f"{file.path.name} is a structured report without regions in patient coordinates: give the SEG or RTSTRUCT "
            "that it refers to"
        )
    merged: dict[tuple[str, str], list[np.ndarray]] = {}
    for label, place, points in found:
        merged.setdefault((label, place), []).append(points)
    return [Drawn(label, frame_of_reference=place, polygons=tuple(p)) for (label, place), p in merged.items()]


def _regions(item: Dataset, label: str) -> Iterator[tuple[str, str, np.ndarray]]:
    """(tracking identifier of its group, Frame of Reference UID, points) of every polygon below a content item."""
    children = item.get("ContentSequence") or ()
    tracked = [c for c in children if c.get("ValueType") == "TEXT" and _code(c) == "112039"]
    label = str(tracked[0].TextValue) if tracked else label
    for child in children:
        if child.get("ValueType") == "SCOORD3D" and child.get("GraphicType") in ("POLYGON", "POLYLINE"):
            points = _points(child.GraphicData)
            if np.allclose(points[0], points[-1]) or child.GraphicType == "POLYGON":
                yield label, str(child.get("ReferencedFrameOfReferenceUID", "")), points
        yield from _regions(child, label)


def _code(item: Dataset) -> str:
    names = item.get("ConceptNameCodeSequence")
    return str(names[0].get("CodeValue", "")) if names else ""
