"""NIfTI both ways: 48 orientations in, RAS+ out, sets that come back whole, and what is refused."""

import errno
import gzip
import itertools
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livermre import nifti
from livermre.exam.errors import Contradiction, CorruptFile, InputError, NothingFound, OutputError, UnclearUnit
from livermre.exam.plane import Plane
from livermre.exam.study import ReadOptions
from livermre.exam.types import Acquisition, Exam, Slice
from livermre.exam.volume import affine_of, planes_of, slice_axis

ORIENTATIONS = [(p, f) for p in itertools.permutations(range(3)) for f in itertools.product((1, -1), repeat=3)]


def make_exam(slices: int = 4, gap: tuple[float, ...] | None = None, tilt: float = 0.08) -> Exam:
    """An exam with every volume, rows and columns different, slightly oblique; gap: irregular slice positions, mm."""
    rng = np.random.default_rng(2)
    column, row = np.array([np.cos(tilt), np.sin(tilt), 0]), np.array([-np.sin(tilt), np.cos(tilt), 0])
    normal = np.cross(column, row)
    positions = gap or tuple(9.0 * i for i in range(slices))
    made = []
    for z in positions:
        origin = np.array([-60.0, -80.0, 10.0]) + z * normal
        kpa = rng.uniform(1.5, 4.0, (12, 10)).astype(np.float32)
        kpa[:2] = np.nan
        plane = Plane((12, 10), (2.0, 1.5), tuple(origin), tuple(row), tuple(column), 8.0)
        made.append(
            Slice(
                plane=plane,
                magnitude=rng.integers(100, 900, (12, 10)),
                stiffness_kpa=kpa,
                confidence=rng.uniform(0, 1, (12, 10)),
                phase_rad=rng.uniform(-3, 3, (1, 1, 4, 12, 10)),
                wave_rad=rng.uniform(-3, 3, (2, 3, 8, 12, 10)),
            )
        )
    return Exam(tuple(made), Acquisition("GE", 1.5, 60.0, "MR-Touch", "2D"), "a1b2c3")


def reoriented(array: np.ndarray, affine: np.ndarray, order: tuple[int, ...], signs: tuple[int, ...]) -> Any:
    """The same voxels in the same places with axes permuted and turned."""
    turned = nib.orientations.inv_ornt_aff(np.column_stack([order, signs]), array.shape)
    out = nib.orientations.apply_orientation(array, np.column_stack([order, signs]))
    return nib.Nifti1Image(out, affine @ turned)


def canonical(exam: Exam) -> tuple[np.ndarray, np.ndarray]:
    affine = affine_of([s.plane for s in exam.slices])
    assert affine is not None
    return np.transpose(exam.magnitude, (2, 1, 0)), affine


def assert_same_places(found: Exam, exam: Exam) -> None:
    np.testing.assert_array_equal(found.magnitude, exam.magnitude)
    for a, b in zip(found.slices, exam.slices, strict=True):
        np.testing.assert_allclose(a.plane.origin_mm, b.plane.origin_mm, atol=2e-4)  # the header holds float32
        np.testing.assert_allclose(a.plane.to_next_row, b.plane.to_next_row, atol=1e-5)
        np.testing.assert_allclose(a.plane.to_next_column, b.plane.to_next_column, atol=1e-5)
        np.testing.assert_allclose(a.plane.spacing_mm, b.plane.spacing_mm, atol=1e-5)


@pytest.mark.parametrize(("order", "signs"), ORIENTATIONS)
def test_image_and_mask_of_any_orientation(tmp_path: Path, order: tuple[int, ...], signs: tuple[int, ...]) -> None:
    """All 48 ways to store one volume give one exam; a mask goes back on the layout that the image had."""
    exam = make_exam()
    image = reoriented(*canonical(exam), order, signs)
    nib.save(image, tmp_path / "image.nii.gz")
    found = nifti.read_image(tmp_path / "image.nii.gz")
    assert_same_places(found, exam)
    mask = exam.magnitude > 500
    like = nifti.write_like(tmp_path / "mask.nii.gz", mask, tmp_path / "image.nii.gz")
    written = nib.load(like)
    np.testing.assert_array_equal(np.asarray(written.dataobj), np.asarray(image.dataobj) > 500)
    np.testing.assert_allclose(written.affine, image.affine, atol=1e-4)
    assert written.get_data_dtype() == np.uint8
    np.testing.assert_array_equal(nifti.read_mask(like, exam), mask)


@settings(max_examples=60, deadline=None)
@given(
    angles=st.tuples(*[st.floats(-0.5, 0.5)] * 3),
    orientation=st.sampled_from(ORIENTATIONS),
    spacing=st.tuples(st.floats(0.5, 3), st.floats(0.5, 3), st.floats(5, 20)),
)
def test_voxels_keep_their_places_for_any_affine(
    angles: tuple[float, ...], orientation: tuple[tuple[int, ...], tuple[int, ...]], spacing: tuple[float, ...]
) -> None:
    """planes_of is checked by the law: layout and planes lead each voxel to where the affine says it is."""
    order, signs = orientation
    affine = np.eye(4)
    affine[:3, :3] = _rotation(angles) @ np.diag(spacing)
    affine[:3, 3] = (10, -20, 30)
    image = reoriented(np.arange(60.0).reshape(3, 4, 5), affine, order, signs)
    axis = slice_axis(image.affine)
    planes, layout = planes_of(image.affine, image.shape, axis)
    values = layout.to_exam(np.asarray(image.dataobj))
    np.testing.assert_array_equal(layout.from_exam(values), np.asarray(image.dataobj))
    for s, plane in enumerate(planes):
        for r, c in ((0, 0), (plane.shape[0] - 1, 0), (1, plane.shape[1] - 1)):
            world_ras = plane.world_mm(r, c) * (-1, -1, 1)
            voxel = np.rint(np.linalg.inv(image.affine) @ (*world_ras, 1))[:3].astype(int)
            assert np.asarray(image.dataobj)[tuple(voxel)] == values[s, r, c]
    assert np.all(np.diff([p.position_mm for p in planes]) > 0)


def _rotation(angles: tuple[float, ...]) -> np.ndarray:
    a, b, c = angles
    x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    y = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    z = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return x @ y @ z


def test_what_is_written_is_ras_column_row_slice_foot_to_head(tmp_path: Path) -> None:
    exam = make_exam()
    (path,) = nifti.write_volume(tmp_path / "magnitude.nii.gz", exam.magnitude, exam)
    image = nib.load(path)
    assert nib.aff2axcodes(image.affine) == ("R", "A", "S")
    assert image.shape == (10, 12, 4)
    assert image.header.get_dim_info()[2] == 2
    assert int(image.header["sform_code"]) == int(image.header["qform_code"]) == 1
    # LPS axial: columns run to the left and rows to the back, so both are turned round
    np.testing.assert_array_equal(np.asarray(image.dataobj), np.transpose(exam.magnitude, (2, 1, 0))[::-1, ::-1])
    assert image.affine[2, 2] > 0


@pytest.mark.parametrize("dtype", [bool, np.uint16, np.float64])
def test_types_of_what_is_written(tmp_path: Path, dtype: type) -> None:
    exam = make_exam()
    nifti.write_volume(tmp_path / "a.nii.gz", (exam.magnitude > 300).astype(dtype), exam)
    expected = {bool: np.uint8, np.uint16: np.uint16, np.float64: np.float32}[dtype]
    assert nib.load(tmp_path / "a.nii.gz").get_data_dtype() == expected


def test_the_same_volume_gives_the_same_bytes(tmp_path: Path) -> None:
    exam = make_exam()
    a, b = tmp_path / "a.nii.gz", tmp_path / "b.nii.gz"
    nifti.write_volume(a, exam.magnitude, exam)
    nifti.write_volume(b, exam.magnitude, exam)
    assert a.read_bytes() == b.read_bytes()


@pytest.mark.parametrize("gap", [None, (0.0, 9.0, 27.0, 36.0), (0.0,)], ids=["regular", "irregular", "single"])
def test_a_set_comes_back_whole(tmp_path: Path, gap: tuple[float, ...] | None) -> None:
    exam = make_exam(gap=gap)
    nifti.write_exam(tmp_path / "set", exam)
    assert nifti.is_set(tmp_path / "set")
    study = nifti.read(tmp_path / "set")
    found = study.exam
    assert_same_places(found, exam)
    assert found.acquisition == exam.acquisition and found.pseudonym == exam.pseudonym and found.flags == ()
    np.testing.assert_array_equal(found.stiffness_kpa, exam.stiffness_kpa)
    np.testing.assert_array_equal(found.confidence, exam.confidence)
    for a, b in zip(found.slices, exam.slices, strict=True):
        np.testing.assert_array_equal(a.phase_rad, b.phase_rad)
        np.testing.assert_array_equal(a.wave_rad, b.wave_rad)
        assert a.plane.thickness_mm == 8.0
    assert len(study.inputs_sha256) == 64 and study.headers == ()


def test_irregular_slices_give_one_file_each_and_masks_find_them(tmp_path: Path) -> None:
    exam = make_exam(gap=(0.0, 9.0, 27.0))
    mask = exam.magnitude > 500
    written = nifti.write_volume(tmp_path / "roi.nii.gz", mask, exam)
    assert [p.name for p in written] == ["roi_z001.nii.gz", "roi_z002.nii.gz", "roi_z003.nii.gz"]
    np.testing.assert_array_equal(nifti.read_mask(tmp_path / "roi.nii.gz", exam), mask)


@pytest.mark.parametrize("plane", ["coronal", "sagittal"])
def test_other_planes_than_axial_come_back(tmp_path: Path, plane: str) -> None:
    column, normal = {"coronal": ((1.0, 0, 0), (0, 1.0, 0)), "sagittal": ((0, 1.0, 0), (1.0, 0, 0))}[plane]
    exam = make_exam()
    origins = [tuple(9.0 * i * np.array(normal)) for i in range(4)]
    slices = tuple(
        replace(s, plane=replace(s.plane, to_next_column=column, to_next_row=(0, 0, -1.0), origin_mm=o))
        for s, o in zip(exam.slices, origins, strict=True)
    )
    exam = replace(exam, slices=slices)
    nifti.write_exam(tmp_path, exam)
    assert nib.aff2axcodes(nib.load(tmp_path / "magnitude.nii.gz").affine) == ("R", "A", "S")
    assert_same_places(nifti.read(tmp_path).exam, exam)


def test_magnitude_on_a_finer_grid_is_resampled_with_a_flag(tmp_path: Path) -> None:
    exam = make_exam()
    nifti.write_exam(tmp_path, exam)
    fine = np.eye(4)
    fine[:3] = nib.load(tmp_path / "magnitude.nii.gz").affine[:3]
    fine[:3, :2] /= 2
    i, j = np.mgrid[:20, :24]
    ramp = np.repeat((3.0 * i + 5.0 * j + 100)[:, :, None], 4, axis=2).astype(np.float32)
    nib.save(nib.Nifti1Image(ramp, fine), tmp_path / "magnitude.nii.gz")
    found = nifti.read(tmp_path).exam
    assert [f.code for f in found.flags] == ["magnitude_resampled"]
    rows, columns = np.mgrid[:12, :10]
    np.testing.assert_allclose(found.magnitude[1], 100 + 6.0 * (9 - columns) + 10.0 * (11 - rows), atol=1e-3)


def test_set_refuses_pascal_in_a_file_named_kpa(tmp_path: Path) -> None:
    exam = make_exam()
    nifti.write_exam(tmp_path, exam)
    nifti.write_volume(tmp_path / "stiffness_kpa.nii.gz", exam.stiffness_kpa * 1000, exam)
    with pytest.raises(UnclearUnit, match=r"by the name of the file the median .* kPa, which no tissue has"):
        nifti.read(tmp_path)


def test_set_refuses_another_unit_than_its_name(tmp_path: Path) -> None:
    nifti.write_exam(tmp_path, make_exam())
    with pytest.raises(Contradiction, match=r"in kPa by its name but --stiffness-unit says Pa"):
        nifti.read(tmp_path, ReadOptions(stiffness_unit="Pa"))
    with pytest.raises(Contradiction, match=r"exam.json says 60 Hz but --frequency-hz says 40"):
        nifti.read(tmp_path, ReadOptions(frequency_hz=40))


def test_set_refuses_confidence_beyond_one(tmp_path: Path) -> None:
    exam = make_exam()
    nifti.write_exam(tmp_path, exam)
    nifti.write_volume(tmp_path / "confidence.nii.gz", exam.confidence * 1000, exam)
    with pytest.raises(Contradiction, match=r"confidence runs from .* must lie between 0 and 1"):
        nifti.read(tmp_path)


def test_set_without_magnitude(tmp_path: Path) -> None:
    with pytest.raises(NothingFound, match=r"it holds neither magnitude nor stiffness_kpa"):
        nifti.read(tmp_path)
    nifti.write_exam(tmp_path, make_exam())
    (tmp_path / "magnitude.nii.gz").unlink()
    with pytest.raises(NothingFound, match=r"it holds stiffness_kpa but no magnitude"):
        nifti.read(tmp_path)


def test_set_without_sidecar_and_without_maps(tmp_path: Path) -> None:
    exam = make_exam()
    nifti.write_volume(tmp_path / "magnitude.nii.gz", exam.magnitude, exam)
    found = nifti.read(tmp_path, ReadOptions(frequency_hz=60)).exam
    assert found.stiffness_kpa is None and found.confidence is None
    assert found.acquisition == Acquisition("unknown", None, 60.0) and len(found.pseudonym) == 12


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "exam.json is not readable"),
        ("[]", "exam.json must hold one object"),
        ('{"frequency_hz": "60"}', "frequency_hz must be a number or null, not '60'"),
        ('{"dimension": "4D"}', "dimension must be 2D, 3D or null"),
    ],
)
def test_bad_sidecar(tmp_path: Path, content: str, words: str) -> None:
    nifti.write_exam(tmp_path, make_exam())
    (tmp_path / "exam.json").write_text(content)
    with pytest.raises(CorruptFile, match=words):
        nifti.read(tmp_path)


def test_a_name_in_the_sidecar_does_not_become_the_pseudonym(tmp_path: Path) -> None:
    nifti.write_exam(tmp_path, make_exam())
    sidecar = json.loads((tmp_path / "exam.json").read_text())
    (tmp_path / "exam.json").write_text(json.dumps({**sidecar, "pseudonym": "Doe, Jane / 1970"}))
    assert "Doe" not in nifti.read(tmp_path).exam.pseudonym


def test_damaged_files_are_refused(tmp_path: Path) -> None:
    """Cut at every hundredth, and with bits flipped in the header: an error of ours or a readable image."""
    exam = make_exam()
    (path,) = nifti.write_volume(tmp_path / "image.nii.gz", exam.magnitude, exam)
    whole = path.read_bytes()
    for length in range(0, len(whole), max(1, len(whole) // 100)):
        path.write_bytes(whole[:length])
        with pytest.raises(CorruptFile, match=r"image.nii.gz"):
            nifti.read_image(path)
    plain = gzip.decompress(whole)
    rng = np.random.default_rng(4)
    for _ in range(300):
        changed = bytearray(plain)
        for place in rng.integers(0, 352, 6):
            changed[place] ^= 1 << int(rng.integers(8))
        (tmp_path / "flipped.nii").write_bytes(changed)
        try:
            nifti.read_image(tmp_path / "flipped.nii")
        except InputError as error:
            assert "\n" not in str(error)


def test_image_without_orientation(tmp_path: Path) -> None:
    image = nib.Nifti1Image(np.ones((4, 5, 6), np.float32), None)
    nib.save(image, tmp_path / "a.nii.gz")
    with pytest.raises(InputError, match=r"a.nii.gz says nothing about its orientation"):
        nifti.read_image(tmp_path / "a.nii.gz")


def test_four_dimensional_image(tmp_path: Path) -> None:
    nib.save(nib.Nifti1Image(np.ones((4, 5, 6, 3), np.float32), np.diag([1, 1, 5, 1])), tmp_path / "a.nii.gz")
    with pytest.raises(InputError, match=r"a.nii.gz holds 3 images; give one image"):
        nifti.read_image(tmp_path / "a.nii.gz")


def test_claimed_voxels_are_refused_before_they_are_allocated(tmp_path: Path) -> None:
    image = nib.Nifti1Image(np.ones((4, 5, 6), np.uint8), np.diag([1, 1, 5, 1]))
    raw = bytearray(image.to_bytes())
    raw[42:48] = np.array([30000, 30000, 30000], "<i2").tobytes()
    (tmp_path / "a.nii").write_bytes(raw)
    with pytest.raises(CorruptFile, match=r"says that it has 30000 x 30000 x 30000 voxels"):
        nifti.read_image(tmp_path / "a.nii")


def test_mask_of_another_grid(tmp_path: Path) -> None:
    exam = make_exam()
    other = make_exam(tilt=0.0)
    nifti.write_volume(tmp_path / "mask.nii.gz", other.magnitude > 500, other)
    with pytest.raises(Contradiction, match=r"mask.nii.gz does not lie on the pixels of the exam"):
        nifti.read_mask(tmp_path / "mask.nii.gz", exam)


def test_mask_without_a_slice(tmp_path: Path) -> None:
    exam, fewer = make_exam(), make_exam(slices=3)
    nifti.write_volume(tmp_path / "mask.nii.gz", fewer.magnitude > 500, fewer)
    with pytest.raises(Contradiction, match=r"mask.nii.gz has no slice at 37.0 mm, where the exam has one"):
        nifti.read_mask(tmp_path / "mask.nii.gz", exam)


def test_mask_with_several_labels(tmp_path: Path) -> None:
    exam = make_exam()
    nifti.write_volume(tmp_path / "mask.nii.gz", exam.magnitude.astype(np.uint16), exam)
    with pytest.raises(Contradiction, match=r"mask.nii.gz should hold 0 and one label"):
        nifti.read_mask(tmp_path / "mask.nii.gz", exam)


@pytest.mark.parametrize("outside", [0.0, np.nan], ids=["nan-beside-0", "nan-for-0"])
def test_pixels_without_a_number_are_outside_a_mask(tmp_path: Path, outside: float) -> None:
    exam = make_exam()
    inside = exam.magnitude > 500
    values = np.where(inside, 1.0, outside).astype(np.float32)
    values[0, 0, :3] = np.nan
    inside[0, 0, :3] = False
    nifti.write_volume(tmp_path / "mask.nii.gz", values, exam)
    np.testing.assert_array_equal(nifti.read_mask(tmp_path / "mask.nii.gz", exam), inside)


def test_empty_mask_is_a_mask(tmp_path: Path) -> None:
    exam = make_exam()
    nifti.write_volume(tmp_path / "mask.nii.gz", np.zeros(exam.shape, bool), exam)
    assert not nifti.read_mask(tmp_path / "mask.nii.gz", exam).any()


def test_a_full_disk_leaves_no_half_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    exam = make_exam()
    (path,) = nifti.write_volume(tmp_path / "liver.nii.gz", exam.magnitude > 500, exam)
    before = path.read_bytes()
    real = os.fdopen

    class Full:
        def __init__(self, stream: Any) -> None:
            self.stream = stream

        def __enter__(self) -> "Full":
            return self

        def __exit__(self, *more: object) -> None:
            self.stream.close()

        def write(self, data: bytes) -> None:
            self.stream.write(data[: len(data) // 2])
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fdopen", lambda *a, **k: Full(real(*a, **k)))
    with pytest.raises(OutputError, match=r"liver.nii.gz cannot be written .No space left on device"):
        nifti.write_volume(path, exam.magnitude > 100, exam)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["liver.nii.gz"]


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    exam = make_exam()
    with pytest.raises(OutputError, match=r"a.nii.gz cannot be written .No such file or directory"):
        nifti.write_volume(tmp_path / "nowhere" / "a.nii.gz", exam.magnitude, exam)
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"set cannot be made"):
        nifti.write_exam(tmp_path / "file" / "set", exam)


def test_array_that_does_not_fit_the_exam(tmp_path: Path) -> None:
    exam = make_exam()
    with pytest.raises(Contradiction, match=r"does not fit the exam"):
        nifti.write_volume(tmp_path / "a.nii.gz", exam.magnitude[:2], exam)
