"""Masks of other people: written by highdicom or by hand, read onto an exam by place, refused where they do not fit."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from dicom.makers import mmdi_2d, mmdi_3d
from dicom.objects import cases
from dicom.phantom import phantom
from livermre import nifti
from livermre.dicom import ReadOptions, masks, read
from livermre.dicom.files import open_file, quiet_pydicom
from livermre.dicom.masks_place import inside
from livermre.dicom.masks_seg import segments
from livermre.dicom.objects import write_objects
from livermre.exam.errors import Contradiction, InputError, LivermreError
from livermre.exam.plane import Plane


@pytest.fixture(scope="module")
def maps(folder, study):
    """The source images of the map, head to foot on purpose, by pydicom alone."""
    found = [ds for p in folder.rglob("*") if p.is_file() and "iffness" in (ds := dcmread(p)).get("ImageComments", "")]
    assert len(found) == len(study.exam.slices)
    return sorted(found, key=lambda ds: -ds.ImagePositionPatient[2])


def _by_highdicom(maps, array, kind: str, labels=("Liver",), **more) -> Dataset:
    """A SEG of masks (S, R, C, segments) in the order of the source images, by the second implementation."""
    import highdicom as hd
    from pydicom.sr.codedict import codes

    segments = [
        hd.seg.SegmentDescription(
            n, label, codes.SCT.AnatomicalStructure, codes.SCT.Liver, hd.seg.SegmentAlgorithmTypeValues.MANUAL
        )
        for n, label in enumerate(labels, start=1)
    ]
    return hd.seg.Segmentation(
        maps, array, kind, segments, generate_uid(), 7, generate_uid(), 1, "Somebody", "Reader", "1", "2", **more
    )


def _saved(ds: Dataset, place: Path) -> Path:
    ds.save_as(place / "mask.dcm")
    return place / "mask.dcm"


def test_livermres_own_objects_come_back(study, tmp_path):
    """What a correction would start from: the liver for --liver, the region for --roi."""
    finding = cases.finding_of(study.exam)
    seg = write_objects(study, finding, tmp_path)[0]
    np.testing.assert_array_equal(masks.read_mask(seg, study.exam, masks.LIVER), finding.liver.liver)
    np.testing.assert_array_equal(masks.read_mask(seg, study.exam, masks.REGION), finding.roi.keep)


@pytest.mark.parametrize(
    ("kind", "omit"), [("BINARY", True), ("BINARY", False), ("FRACTIONAL", True), ("LABELMAP", True)]
)
def test_segs_by_another_maker(kind, omit, study, maps, tmp_path):
    """Slices in another order, empty frames left out or not, the three kinds of pixels."""
    liver, _ = cases.masks(study.exam)
    liver[1] = False
    array = liver[::-1].astype(np.uint8)
    if kind == "FRACTIONAL":  # a probability of half and more is in
        array = np.where(liver[::-1], 0.7, 0.3)
    seg = _by_highdicom(maps, array, kind, omit_empty_frames=omit)
    assert seg.NumberOfFrames == (4 if kind == "FRACTIONAL" or not omit else 3)
    np.testing.assert_array_equal(masks.read_mask(_saved(seg, tmp_path), study.exam, masks.LIVER), liver)


def test_which_segment_is_meant_is_said_or_asked(study, maps, tmp_path):
    liver, keep = cases.masks(study.exam)
    both = np.stack([keep[::-1], liver[::-1]], axis=-1)
    named = _saved(_by_highdicom(maps, both.astype(np.uint8), "BINARY", ("Measured region", "Leber")), tmp_path)
    np.testing.assert_array_equal(masks.read_mask(named, study.exam, masks.LIVER), liver)
    np.testing.assert_array_equal(masks.read_mask(named, study.exam, masks.REGION), keep)
    unclear = _saved(_by_highdicom(maps, both.astype(np.uint8), "BINARY", ("Reader 1", "Reader 2")), tmp_path)
    with pytest.raises(Contradiction, match="'Reader 1', 'Reader 2': 2 of them are called the liver"):
        masks.read_mask(unclear, study.exam, masks.LIVER)
    with pytest.raises(Contradiction, match=r"0 of them are called a measured region"):
        masks.check_mask(unclear, masks.REGION)


def _moved(study, shift_mm) -> object:
    """The exam somewhere else in the patient."""
    slices = [
        replace(s, plane=replace(s.plane, origin_mm=tuple(np.array(s.plane.origin_mm) + shift_mm)))
        for s in study.exam.slices
    ]
    return replace(study.exam, slices=tuple(slices))


def test_masks_that_do_not_fit_are_refused(study, maps, tmp_path):
    liver, _ = cases.masks(study.exam)
    seg = _saved(_by_highdicom(maps, liver[::-1].astype(np.uint8), "BINARY"), tmp_path)
    plane = study.exam.slices[0].plane
    right, up = np.array(plane.to_next_column), plane.normal
    cases_and_words = [
        (_moved(study, 0.5 * plane.spacing_mm[1] * right), "does not lie on the pixels of the exam"),
        (_moved(study, 1.0 * plane.spacing_mm[1] * right), "does not lie on the pixels of the exam"),
        (_moved(study, 5.0 * up), "between the slices of the exam"),
        (_moved(study, 100.0 * up), "nothing drawn at the slices of the exam"),
    ]
    for other, words in cases_and_words:
        with pytest.raises(Contradiction, match=words):
            masks.read_mask(seg, other, masks.LIVER)
    turned = [replace(s, plane=replace(s.plane, frame_of_reference="1.2.3")) for s in study.exam.slices]
    with pytest.raises(Contradiction, match="another frame of reference"):
        masks.read_mask(seg, replace(study.exam, slices=tuple(turned)), masks.LIVER)


def test_empty_and_foreign_files_are_refused(study, maps, folder, tmp_path):
    empty = np.zeros((4, *study.exam.shape[1:]), np.uint8)
    seg = _saved(_by_highdicom(maps, empty, "BINARY", omit_empty_frames=False), tmp_path)
    with pytest.raises(InputError, match="is empty"):
        masks.check_mask(seg, masks.LIVER)
    with pytest.raises(Contradiction, match=r"holds \d+ series"):
        masks.check_mask(folder, masks.LIVER)
    one = tmp_path / "one.dcm"
    maps[0].save_as(one)
    with pytest.raises(Contradiction, match="images, not a mask"):
        masks.check_mask(one, masks.LIVER)
    data = seg.read_bytes()
    rng = np.random.default_rng(4)
    for _ in range(40):  # damaged in the middle of its groups: our error or a mask, never anything else
        broken = bytearray(data)
        for at in rng.integers(300, len(data), 6):
            broken[at] = int(rng.integers(256))
        (tmp_path / "broken.dcm").write_bytes(bytes(broken[: int(rng.integers(400, len(data)))]))
        try:
            masks.read_mask(tmp_path / "broken.dcm", study.exam, masks.LIVER)
        except LivermreError as error:
            assert len(str(error)) > 15


@pytest.mark.parametrize(("maker", "series"), [(mmdi_2d, 698), (mmdi_3d, 799)])
def test_mask_series_of_mre_quant(maker, series, tmp_path):
    """8 bits, 0 and 255, beside the exam that they were drawn on."""
    writer = maker(phantom())
    writer.write(tmp_path / "exam")
    (study,) = read([tmp_path / "exam"], ReadOptions(frequency_hz=60.0 if maker is mmdi_3d else None))
    writer.files = [ds for ds in writer.files if ds.SeriesNumber == series]
    found = masks.read_mask(writer.write(tmp_path / "mask"), study.exam, masks.REGION)
    truth = np.isfinite(writer.phantom.stiffness_kpa)[::-1]  # the phantom is ordered head to foot
    np.testing.assert_array_equal(found, truth)


def _header(sop_class: str) -> Dataset:
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.SOPClassUID, ds.SOPInstanceUID = sop_class, generate_uid()
    ds.file_meta.MediaStorageSOPClassUID, ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPClassUID, ds.SOPInstanceUID
    return ds


def _item(**values) -> Dataset:
    ds = Dataset()
    for keyword, value in values.items():
        setattr(ds, keyword, value)
    return ds


def _contour(plane: Plane, corners) -> list[str]:
    rows, columns = np.array(corners, dtype=float).T
    return [f"{v:.6f}" for v in plane.world_mm(rows, columns).ravel()]


def _rtstruct(exam, contours, place: Path) -> Path:
    """Two structures: the liver from (slice, corners), and a heart that is not meant."""
    ds = _header("1.2.840.10008.5.1.4.1.1.481.3")
    frame = exam.slices[0].plane.frame_of_reference
    ds.StructureSetROISequence = [
        _item(ROINumber=n, ROIName=name, ReferencedFrameOfReferenceUID=frame)
        for n, name in ((1, "Heart"), (2, "liver"))
    ]
    items = [
        _item(ContourGeometricType="CLOSED_PLANAR", NumberOfContourPoints=len(c),
              ContourData=_contour(exam.slices[s].plane, c))
        for s, c in contours
    ]  # fmt: skip
    square = _item(
        ContourGeometricType="CLOSED_PLANAR", ContourData=_contour(exam.slices[0].plane, [(1, 1), (1, 3), (3, 3)])
    )
    ds.ROIContourSequence = [
        _item(ReferencedROINumber=1, ContourSequence=[square]), _item(ReferencedROINumber=2, ContourSequence=items)
    ]  # fmt: skip
    ds.save_as(place / "rtstruct.dcm", enforce_file_format=True)
    return place / "rtstruct.dcm"


def test_contours_of_an_rtstruct(study, tmp_path):
    """On oblique planes: a rectangle through pixel edges holds the pixels that it encloses, a second one is a hole."""
    outer, hole = (
        [(4.5, 3.5), (4.5, 20.5), (16.5, 20.5), (16.5, 3.5)],
        [(8.5, 8.5), (8.5, 12.5), (10.5, 12.5), (10.5, 8.5)],
    )
    found = masks.read_mask(
        _rtstruct(study.exam, [(1, outer), (1, hole), (3, hole)], tmp_path), study.exam, masks.LIVER
    )
    truth = np.zeros(study.exam.shape, bool)
    truth[1, 5:17, 4:21] = True
    truth[1, 9:11, 9:13] = False
    truth[3, 9:11, 9:13] = True
    np.testing.assert_array_equal(found, truth)


def test_polygons_as_a_second_implementation_fills_them():
    from skimage.draw import polygon2mask

    plane = Plane((40, 50), (2.0, 1.5), (-3.0, 7.0, 2.0), (0, 1, 0), (1, 0, 0), 8.0)
    rng = np.random.default_rng(5)
    for _ in range(20):  # stars of any form, around and beyond the image
        angle = np.sort(rng.uniform(0, 2 * np.pi, 9))
        radius = rng.uniform(4, 30, 9)
        rows, columns = 20.13 + radius * np.sin(angle), 25.27 + radius * np.cos(angle)
        mine = inside(plane.world_mm(rows, columns), plane)
        np.testing.assert_array_equal(mine, polygon2mask(plane.shape, np.stack([rows, columns], axis=1)))


def test_contours_between_slices_are_refused(study, tmp_path):
    path = _rtstruct(study.exam, [(1, [(4, 4), (4, 9), (9, 9)])], tmp_path)
    with pytest.raises(Contradiction, match="between the slices"):
        masks.read_mask(path, _moved(study, 4.0 * study.exam.slices[0].plane.normal), masks.LIVER)


def test_regions_of_a_report(study, tmp_path):
    """Polygons in patient coordinates inside measurement groups; a report with none says what to give instead."""
    plane = study.exam.slices[2].plane
    corners = [(2.5, 2.5), (2.5, 9.5), (7.5, 9.5), (7.5, 2.5), (2.5, 2.5)]
    polygon = _item(ValueType="SCOORD3D", GraphicType="POLYGON", GraphicData=list(map(float, _contour(plane, corners))),
                    ReferencedFrameOfReferenceUID=plane.frame_of_reference)  # fmt: skip
    ds = _header("1.2.840.10008.5.1.4.1.1.88.34")
    ds.ContentSequence = [_item(ValueType="CONTAINER", ContentSequence=[polygon])]
    path = tmp_path / "sr.dcm"
    ds.save_as(path, enforce_file_format=True)
    truth = np.zeros(study.exam.shape, bool)
    truth[2, 3:8, 3:10] = True
    np.testing.assert_array_equal(masks.read_mask(path, study.exam, masks.REGION), truth)
    ds.ContentSequence = []
    ds.save_as(path, enforce_file_format=True)
    with pytest.raises(Contradiction, match="give the SEG or RTSTRUCT that it refers to"):
        masks.check_mask(path, masks.REGION)


@pytest.mark.data
def test_real_segs_hold_what_their_nifti_twins_hold():
    """SEGs of a public archive beside the same masks as NIfTI: two readers, two formats, one place."""
    data = Path(__file__).parents[4] / "shared" / "data" / "shapes" / "tcga-lihc-mr-liver-masks"
    if not data.is_dir():
        pytest.skip("shared/data/shapes/tcga-lihc-mr-liver-masks is not beside this checkout")
    compared = 0
    for seg in sorted((data / "dicom_seg").glob("*.seg.dcm"), key=lambda p: p.stat().st_size)[:8]:  # 14 take long
        name = seg.name.removesuffix(".seg.dcm") + ".nii.gz"
        twin = next((p for p in (data / "ai" / name, data / "reviewed" / name) if p.is_file()), None)
        if twin is None:
            continue
        image = nifti.read_image(twin)
        np.testing.assert_array_equal(masks.read_mask(seg, image, masks.LIVER), image.magnitude > 0)
        compared += 1
    assert compared >= 4


@pytest.mark.data
def test_every_real_seg_gives_the_pixels_that_pydicom_counts(conformance):
    """BINARY, FRACTIONAL and LABELMAP of several makers: per segment the same number of pixels, by a second reading."""
    compared = 0
    for path in sorted(conformance.rglob("*.dcm")):
        with quiet_pydicom():
            ds = dcmread(path, stop_before_pixels=True, force=True)
            relevant = "SegmentSequence" in ds
        if not relevant:
            continue
        try:
            found = {d.label: sum(int(m.sum()) for _, m in d.frames) for d in segments(open_file(path))}
        except InputError:  # slide microscopy and projections: no planes in a patient
            continue
        ds = dcmread(path)
        if ds.file_meta.TransferSyntaxUID not in ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1"):
            continue  # packed single bits, which pydicom does not decode
        pixels = ds.pixel_array.reshape(-1, ds.Rows, ds.Columns)
        for segment in ds.SegmentSequence:
            n, label = int(segment.SegmentNumber), str(segment.SegmentLabel)
            if ds.SegmentationType == "LABELMAP":
                counted = int((pixels == n).sum())
                if label not in found:
                    assert n in (0, int(ds.get("PixelPaddingValue", 0)))
                    continue
            else:
                own = [
                    i for i, f in enumerate(ds.PerFrameFunctionalGroupsSequence)
                    if f.SegmentIdentificationSequence[0].ReferencedSegmentNumber == n
                ]  # fmt: skip
                least = ds.get("MaximumFractionalValue", 2) / 2
                counted = int((pixels[own] >= least).sum())
            assert found[label] == counted > 0, path.name
            compared += 1
    assert compared >= 8
