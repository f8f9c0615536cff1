"""Small mask files of every kind that livermre reads, for the fuzzing: SEG and SR of our own, RTSTRUCT, SR regions."""

from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from dicom.objects import cases
from livermre.dicom.objects import write_objects
from livermre.exam.study import Study
from livermre.exam.types import Exam
from node.made import uid

CORNERS = ((2.5, 2.5), (2.5, 9.5), (7.5, 9.5), (7.5, 2.5))


def mask_files(study: Study, folder: Path) -> list[Path]:
    """The files, in a folder that exists."""
    own = write_objects(study, cases.finding_of(study.exam), folder)
    return [*own[:2], _structures(study.exam, folder / "rtstruct.dcm"), _regions(study.exam, folder / "regions.dcm")]


def _item(**values: object) -> Dataset:
    ds = Dataset()
    for keyword, value in values.items():
        setattr(ds, keyword, value)
    return ds


def _saved(ds: Dataset, sop_class: str, path: Path) -> Path:
    ds.SOPClassUID, ds.SOPInstanceUID = sop_class, uid(path.name)
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.save_as(path, enforce_file_format=True)
    return path


def _contour(exam: Exam, number: int) -> list[str]:
    rows, columns = np.array(CORNERS).T
    return [f"{v:.6f}" for v in exam.slices[number].plane.world_mm(rows, columns).ravel()]


def _structures(exam: Exam, path: Path) -> Path:
    frame = exam.slices[0].plane.frame_of_reference
    contours = [_item(ContourGeometricType="CLOSED_PLANAR", NumberOfContourPoints=4, ContourData=_contour(exam, n))
                for n in range(len(exam.slices))]  # fmt: skip
    named = _item(ROINumber=1, ROIName="liver", ReferencedFrameOfReferenceUID=frame)
    drawn = _item(ReferencedROINumber=1, ContourSequence=contours)
    return _saved(_item(StructureSetROISequence=[named], ROIContourSequence=[drawn]),
                  "1.2.840.10008.5.1.4.1.1.481.3", path)  # fmt: skip


def _regions(exam: Exam, path: Path) -> Path:
    points = _contour(exam, 0)
    polygon = _item(ValueType="SCOORD3D", GraphicType="POLYGON", GraphicData=[float(p) for p in points + points[:3]],
                    ReferencedFrameOfReferenceUID=exam.slices[0].plane.frame_of_reference)  # fmt: skip
    tree = _item(ContentSequence=[_item(ValueType="CONTAINER", ContentSequence=[polygon])])
    return _saved(tree, "1.2.840.10008.5.1.4.1.1.88.34", path)
