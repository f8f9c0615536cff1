"""Which images make an exam: several in a folder, gaps, duplicates, other grids, odd orientations, packed pixels."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
    generate_uid,
)

from dicom.makers import Writer, ge_product, philips_classic, siemens_classic, siemens_xa
from dicom.phantom import Phantom, phantom
from livermre.dicom import inspect, read, read_image
from livermre.dicom.files import open_file
from livermre.dicom.pixels import Pixels
from livermre.exam.errors import CorruptFile
from livermre.exam.plane import Plane
from livermre.exam.types import Exam

Write = Callable[[Writer], Path]


def codes(exam: Exam) -> set[str]:
    return {f.code for f in exam.flags}


def test_exams_of_several_vendors_in_one_folder(tmp_path: Path) -> None:
    for make in (ge_product, siemens_classic, siemens_xa, philips_classic):
        make(phantom()).write(tmp_path / make.__name__)
    studies = read([tmp_path])
    assert sorted(s.exam.acquisition.vendor for s in studies) == ["GE", "Philips", "Siemens", "Siemens"]
    assert len({s.exam.pseudonym for s in studies}) == 4
    assert len({s.inputs_sha256 for s in studies}) == 4


def test_two_acquisitions_of_one_study_are_two_exams(write: Write) -> None:
    """The same sequence twice: series 5 -> 500, 507 and 6 -> 600, 607, told apart by the base of their numbers."""
    writer, second = ge_product(phantom()), ge_product(phantom(seed=8))
    for ds in second.files:
        ds.SOPInstanceUID, ds.SeriesInstanceUID = generate_uid(), writer.uid("again", ds.SeriesNumber)
        ds.SeriesNumber = {5: 6, 500: 600, 507: 607}[ds.SeriesNumber]
    writer.files += second.files
    first, again = read([write(writer)])
    assert not codes(first.exam) | codes(again.exam)
    np.testing.assert_allclose(first.exam.magnitude, phantom().magnitude.mean(1)[::-1], atol=1e-3)
    np.testing.assert_allclose(again.exam.magnitude, phantom(seed=8).magnitude.mean(1)[::-1], atol=1e-3)


def test_two_frequencies_are_two_exams(write: Write) -> None:
    writer, second = ge_product(phantom()), ge_product(replace(phantom(), frequency_hz=40.0))
    for ds in second.files:
        ds.SOPInstanceUID, ds.SeriesInstanceUID = generate_uid(), writer.uid("forty", ds.SeriesNumber)
        ds.SeriesNumber += 1 if ds.SeriesNumber < 100 else 100
    writer.files += second.files
    assert [s.exam.acquisition.frequency_hz for s in read([write(writer)])] == [60.0, 40.0]


def test_one_series_a_slice_is_one_exam(write: Write) -> None:
    """A breath-hold a slice, each with its own series."""
    writer = siemens_classic(phantom())
    for ds in writer.files:
        z = float(ds.ImagePositionPatient[2])
        ds.SeriesInstanceUID = writer.uid(ds.SeriesNumber, z)
        ds.SeriesNumber = int(ds.SeriesNumber) + 10 * round((80 - z) / 11)
    (study,) = read([write(writer)])
    np.testing.assert_allclose(study.exam.stiffness_kpa, phantom().stiffness_kpa[::-1], atol=1e-3)


def test_second_map_of_one_acquisition_is_named_and_left(write: Write) -> None:
    writer = ge_product(phantom())
    for ds in [d for d in writer.files if d.SeriesNumber == 500]:
        other = deepcopy(ds)
        other.SOPInstanceUID, other.SeriesInstanceUID, other.SeriesNumber = generate_uid(), writer.uid("offline"), 520
        writer.files.append(other)
    (study,) = read([write(writer)])
    (flag,) = [f for f in study.exam.flags if f.code == "other_maps_ignored"]
    assert "series 500 was measured, not 520" in flag.message


def test_missing_slices_leave_a_flag(write: Write) -> None:
    writer = ge_product(phantom(slices=5))
    gone = float(phantom(slices=5).origins_mm[1][2])
    writer.files = [ds for ds in writer.files if abs(float(ds.ImagePositionPatient[2]) - gone) > 1]
    (study,) = read([write(writer)])
    assert study.exam.shape[0] == 4
    assert "Slice positions have a gap: 4 slices over 5 positions." in [f.message for f in study.exam.flags]


def test_a_slice_without_magnitude_is_left_out(write: Write) -> None:
    writer = ge_product(phantom())
    gone = float(phantom().origins_mm[0][2])
    writer.files = [d for d in writer.files if d.SeriesNumber != 5 or abs(float(d.ImagePositionPatient[2]) - gone) > 1]
    (study,) = read([write(writer)])
    assert study.exam.shape[0] == 2 and "missing_slices" in codes(study.exam)


def test_slices_pair_within_a_tenth_of_their_spacing(write: Write) -> None:
    """Maps that lie 1 mm off (of 11) belong to their magnitude, maps 2 mm off do not."""
    for shift, expected in ((1.0, 3), (2.0, 0)):
        writer = ge_product(phantom())
        normal = np.cross(phantom().cosines[:3], phantom().cosines[3:])
        for ds in writer.files:
            if ds.SeriesNumber != 5:
                ds.ImagePositionPatient = [
                    f"{v:.6f}" for v in np.array(ds.ImagePositionPatient, float) + shift * normal
                ]
        folder = write(writer)
        if expected:
            assert read([folder])[0].exam.shape[0] == expected
        else:
            with pytest.raises(Exception, match="there is no magnitude image of the same slices"):
                read([folder])


def test_magnitude_of_another_grid_is_resampled(write: Write) -> None:
    """Magnitude at twice the matrix: a plane through its values comes back exactly, as linear interpolation must."""
    p = phantom()
    writer = ge_product(p)
    rows, columns = np.mgrid[:96, :80]
    for ds in writer.files:
        if ds.SeriesNumber == 5:
            phase = ds.InstanceNumber < 100
            plane = np.round(-3141 + 30 * rows + 20 * columns) if phase else 2 * rows + 4 * columns
            writer._pixels(ds, plane.astype(np.int16))
            ds.PixelSpacing = ["1.25", "1"]
    (study,) = read([write(writer)])
    assert codes(study.exam) == {"magnitude_resampled", "phase_not_used"}
    rows, columns = np.mgrid[:48, :40]
    np.testing.assert_allclose(study.exam.magnitude[0], 4.0 * rows + 8.0 * columns, atol=1e-3)


@pytest.mark.parametrize("turn", range(8))
def test_any_orientation_in_plane_keeps_every_pixel_in_its_place(write: Write, turn: int) -> None:
    """The phantom turned and mirrored in its plane: the same value at the same place in the patient."""
    p = phantom()
    (straight,) = read([write(ge_product(p))])
    turned = _turned(p, turn)
    (found,) = read([ge_product(turned).write(write(ge_product(p)).parent / f"turn{turn}")])
    for a, b in zip(straight.exam.slices, found.exam.slices, strict=True):
        assert a.stiffness_kpa is not None and b.stiffness_kpa is not None
        rows, columns = np.mgrid[: a.plane.shape[0], : a.plane.shape[1]]
        r, c = b.plane.index(a.plane.world_mm(rows, columns))
        np.testing.assert_array_equal(a.stiffness_kpa, b.stiffness_kpa[np.rint(r).astype(int), np.rint(c).astype(int)])


def _turned(p: Phantom, turn: int) -> Phantom:
    """One of the eight ways to lay the same pixels out in rows and columns."""
    column, row = np.array(p.cosines[:3]), np.array(p.cosines[3:])
    origins, spacing = p.origins_mm.copy(), p.spacing_mm
    arrays = {n: getattr(p, n) for n in ("magnitude", "stiffness_kpa", "confidence", "phase_rad")}
    if turn & 1:
        origins = origins + column * spacing[1] * (p.shape[1] - 1)
        column = -column
        arrays = {n: a[..., ::-1] for n, a in arrays.items()}
    if turn & 2:
        origins = origins + row * spacing[0] * (p.shape[0] - 1)
        row = -row
        arrays = {n: a[..., ::-1, :] for n, a in arrays.items()}
    if turn & 4:
        column, row, spacing = row, column, spacing[::-1]
        arrays = {n: np.swapaxes(a, -1, -2) for n, a in arrays.items()}
    return replace(p, origins_mm=origins, cosines=(*column, *row), spacing_mm=spacing, **arrays)


@pytest.mark.parametrize("normal", ["coronal", "sagittal"])
def test_other_planes_than_axial(write: Write, normal: str) -> None:
    cosines = (1.0, 0, 0, 0, 0, -1.0) if normal == "coronal" else (0, 1.0, 0, 0, 0, -1.0)
    step = np.cross(cosines[:3], cosines[3:])
    p = replace(
        phantom(), cosines=cosines, origins_mm=np.array([-50.0, -60.0, 70.0]) - np.arange(3)[:, None] * 11 * step
    )
    (study,) = read([write(ge_product(p))])
    assert study.exam.shape == (3, 48, 40)
    np.testing.assert_allclose(np.diff(study.exam.positions_mm), 11.0, atol=1e-4)


@pytest.mark.parametrize(
    "syntax",
    [
        ImplicitVRLittleEndian,
        ExplicitVRBigEndian,
        DeflatedExplicitVRLittleEndian,
        RLELossless,
        JPEGLSLossless,
        JPEG2000Lossless,
    ],
    ids=lambda s: s.name,
)
def test_every_transfer_syntax_gives_the_same_exam(tmp_path: Path, syntax: str) -> None:
    (plain,) = read([ge_product(phantom(slices=2, offsets=2)).write(tmp_path / "plain")])
    writer = ge_product(phantom(slices=2, offsets=2))
    for ds in writer.files:
        if syntax in (RLELossless, JPEGLSLossless, JPEG2000Lossless):
            ds.compress(syntax, generate_instance_uid=False)
        else:
            if syntax == ExplicitVRBigEndian:
                ds.PixelData = np.frombuffer(ds.PixelData, "<i2").astype(">i2").tobytes()
            ds.file_meta.TransferSyntaxUID = syntax
    (packed,) = read([writer.write(tmp_path / "packed")])
    assert _same(plain.exam, packed.exam)


def test_a_jpeg_ls_frame_without_its_end_is_refused_before_the_decoder_sees_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found by the fuzzing: the decoder looked on behind the end of 1862 bytes for seven seconds."""
    path = next(ge_product(phantom(slices=1, offsets=2)).write(tmp_path / "exam").iterdir())
    ds = dcmread(path)
    ds.compress(JPEGLSLossless, generate_instance_uid=False)
    frame = next(generate_frames(ds.PixelData, number_of_frames=1)).rstrip(b"\0")
    assert frame.endswith(b"\xff\xd9")
    ds.save_as(path)
    whole = Pixels(open_file(path)).values
    ds.PixelData = encapsulate([frame[:-2]])
    ds.save_as(path)
    monkeypatch.setattr("livermre.dicom.pixels.pixel_array", lambda *_, **__: whole)
    with pytest.raises(CorruptFile, match="cannot be decoded"):
        _ = Pixels(open_file(path)).values


@pytest.mark.parametrize("process", ["JPEGLosslessProcess14_1", "JPEGLosslessProcess14"])
def test_lossless_jpeg_by_gdcm(tmp_path: Path, process: str) -> None:
    gdcm = pytest.importorskip("gdcm")
    folder = ge_product(phantom(slices=2, offsets=2)).write(tmp_path / "plain")
    (tmp_path / "packed").mkdir()
    for path in folder.iterdir():
        reader, change, writer = gdcm.ImageReader(), gdcm.ImageChangeTransferSyntax(), gdcm.ImageWriter()
        reader.SetFileName(str(path))
        assert reader.Read()
        change.SetTransferSyntax(gdcm.TransferSyntax(getattr(gdcm.TransferSyntax, process)))
        change.SetInput(reader.GetImage())
        assert change.Change()
        writer.SetFileName(str(tmp_path / "packed" / path.name))
        writer.SetFile(reader.GetFile())
        writer.SetImage(change.GetOutput())
        assert writer.Write()
    assert _same(read([folder])[0].exam, read([tmp_path / "packed"])[0].exam)


def _same(a: Exam, b: Exam) -> bool:
    phases = zip(a.slices, b.slices, strict=True)
    return (
        np.array_equal(a.magnitude, b.magnitude)
        and np.array_equal(a.stiffness_kpa, b.stiffness_kpa, equal_nan=True)
        and np.array_equal(a.confidence, b.confidence)
        and all(np.array_equal(s.phase_rad, t.phase_rad) for s, t in phases)
    )


def test_bits_above_the_stored_ones_are_no_value(write: Write) -> None:
    """Twelve bits in sixteen with an overlay bit above, as old scanners write."""
    writer = siemens_classic(phantom())
    for ds in writer.files:
        if ds.SeriesNumber in (20, 21):
            stored = np.frombuffer(ds.PixelData, np.uint16).copy()
            stored[::3] |= 0x8000
            ds.PixelData, ds.BitsStored, ds.HighBit = stored.tobytes(), 12, 11
    (study,) = read([write(writer)])
    np.testing.assert_allclose(study.exam.magnitude, phantom().magnitude.mean(1)[::-1], atol=1e-3)


def test_phase_that_no_rule_can_scale_is_left_out_with_a_flag(write: Write) -> None:
    writer = philips_classic(phantom())
    for ds in writer.files:
        if "P" in ds.ImageType:
            del ds.RescaleSlope, ds.RescaleIntercept, ds.RescaleType
    (study,) = read([write(writer)])
    (flag,) = [f for f in study.exam.flags if f.code == "phase_not_used"]
    assert "no rule says the scale of the phase images (0 to 409" in flag.message


def test_confidence_that_fits_no_scale_is_left_out_with_a_flag(write: Write) -> None:
    writer = ge_product(phantom())
    for ds in writer.files:
        if ds.SeriesNumber == 507:
            ds.PixelData = (np.frombuffer(ds.PixelData, np.int16) * 4).tobytes()
    (study,) = read([write(writer)])
    assert study.exam.confidence is None
    (flag,) = [f for f in study.exam.flags if f.code == "confidence_not_used"]
    assert "reaches 39" in flag.message


def test_philips_magnitude_of_another_method_is_not_taken(tmp_path: Path) -> None:
    """Every Philips gradient echo looks like the magnitude of an MRE: alone it is none."""
    writer = philips_classic(phantom())
    writer.files = [ds for ds in writer.files if "M" in ds.ImageType]
    for ds in writer.files:
        ds.ProtocolName = "T1 FFE"
    (report,) = inspect([writer.write(tmp_path / "t1")])
    assert report.role == "other" and "no phase or stiffness of an MRE at the same slices" in report.why


def test_three_directions_are_kept_apart(tmp_path: Path) -> None:
    """Siemens states direction and offset in a comment; the table is filled by it, not by the order of files."""
    p = phantom(directions=3)
    writer = siemens_classic(p)
    for ds in writer.files:
        if ds.SeriesNumber == 21:
            n = (ds.InstanceNumber - 1) % 12
            ds.ImageComments = f"MRE: fI[0]dI[{n // 4}]az[0]po[0]tI[{n % 4}]VP[1]"
            ds.InstanceNumber = 1000 - ds.InstanceNumber
    (study,) = read([writer.write(tmp_path / "exam")])
    assert study.exam.acquisition.dimension == "3D"
    for s, truth in zip(study.exam.slices, p.phase_rad[::-1], strict=True):
        assert s.phase_rad is not None
        turned = np.angle(np.exp(1j * (s.phase_rad[0] - truth)))
        assert np.abs(turned).max() <= np.pi / 2048


def test_mains_are_not_the_driver(write: Write) -> None:
    """(0043,1082) says lineFreq=50; without MEG data the frequency is not known."""
    writer = ge_product(phantom())
    for ds in writer.files:
        del ds[0x0043, 0x10A2]
    (study,) = read([write(writer)])
    assert study.exam.acquisition.frequency_hz is None


def test_plane_of_every_slice_is_checked(write: Write) -> None:
    writer = ge_product(phantom())
    for ds in writer.files:
        if ds.SeriesNumber == 500:
            ds.ImageOrientationPatient = ["1", "0", "0", "1", "0", "0"]
    (study,) = read([write(writer)])
    assert study.exam.stiffness_kpa is None
    assert codes(study.exam) == {"damaged_files", "exam_left_out"}
    assert "direction vectors of rows and columns must be at right angles" in study.exam.flags[-1].message


def test_reading_twice_gives_the_same(write: Write) -> None:
    folder = write(ge_product(phantom()))
    (a,), (b,) = read([folder]), read([folder])
    assert _same(a.exam, b.exam) and a.inputs_sha256 == b.inputs_sha256 and a.exam.pseudonym == b.exam.pseudonym
    assert isinstance(a.exam.slices[0].plane, Plane)


def test_one_series_as_an_image(write: Write) -> None:
    """For outlining alone: the magnitude of an MRE, or any single grey MR series."""
    folder = write(ge_product(phantom()))
    found = read_image([folder])
    np.testing.assert_allclose(found.magnitude, phantom().magnitude.mean(1)[::-1], atol=1e-3)
    assert found.stiffness_kpa is None and found.slices[0].phase_rad is None


def test_one_series_as_an_image_refuses_a_choice(tmp_path: Path) -> None:
    writer = ge_product(phantom())
    for ds in writer.files:
        ds[0x0019, 0x109C].value, ds.ImageComments, ds.SeriesDescription = "efgre3d", "", "T1"
    folder = writer.write(tmp_path / "t1")
    with pytest.raises(Exception, match=r"t1 holds 3 series .5, 500, 507.; give one of them"):
        read_image([folder])
    for ds in writer.files:
        ds.Modality = "CT"
    with pytest.raises(Exception, match=r"ct holds no grey MR images"):
        read_image([writer.write(tmp_path / "ct")])
