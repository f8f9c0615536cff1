"""Real files of other people: what we know of them must come out."""

from pathlib import Path

import numpy as np
import pytest

from dicom.damage import damaged
from livermre.dicom import ReadOptions, inspect, read
from livermre.dicom.files import open_file
from livermre.dicom.frames import frames_of
from livermre.exam.errors import LivermreError

pytestmark = pytest.mark.data


def test_ge_exam_has_the_vendors_numbers(ge_exam: Path) -> None:
    """ROI means at vendor confidence >= 0.95 as the development data tell them, top to bottom."""
    (study,) = read([ge_exam / "dicom"])
    exam, truth = study.exam, np.load(ge_exam / "vendor_roi.npz")
    assert exam.shape == (4, 256, 256)
    assert exam.acquisition.frequency_hz == 60.0  # and not the 50 Hz of the mains
    assert (exam.acquisition.field_t, exam.acquisition.vendor, exam.acquisition.dimension) == (1.5, "GE", "2D")
    assert exam.flags == ()
    means = []
    for roi, z in zip(truth["roi"].astype(bool), truth["slice_z_mm"], strict=True):
        s = min(exam.slices, key=lambda s: abs(s.plane.origin_mm[2] - z))
        assert s.stiffness_kpa is not None and s.confidence is not None
        means.append(float(s.stiffness_kpa[roi & (s.confidence >= 0.95)].mean()))
    np.testing.assert_allclose(means, [2.15, 1.61, 1.66, 1.61], atol=0.01)


def test_ge_exam_phase_text_and_places(ge_exam: Path) -> None:
    (study,) = read([ge_exam / "dicom"])
    exam = study.exam
    np.testing.assert_allclose(np.diff(exam.positions_mm), 22.0, atol=0.01)  # the header says 11
    for s in exam.slices:
        assert s.phase_rad is not None and s.phase_rad.shape == (1, 1, 4, 256, 256)
        assert 3.13 < np.abs(s.phase_rad).max() <= 3.1416
        assert s.wave_rad is not None and s.wave_rad.shape == (1, 1, 8, 256, 256)
        np.testing.assert_allclose(s.wave_rad[0, 0, :4], -s.wave_rad[0, 0, 4:], atol=0.0011)  # 5-8 repeat 1-4
        assert s.stiffness_kpa is not None and np.nanmax(s.stiffness_kpa) < 12  # text stands at 32.766
        assert s.magnitude.min() >= 0


def test_ge_exam_in_any_order_and_twice(ge_exam: Path, tmp_path: Path) -> None:
    files = sorted((ge_exam / "dicom").rglob("*.dcm"))
    for i, place in enumerate(np.random.default_rng(3).permutation(len(files))):
        (tmp_path / f"{place:03d}").write_bytes(files[i].read_bytes())
    (first,), (shuffled,) = read([ge_exam / "dicom"]), read([tmp_path])
    assert first.inputs_sha256 == shuffled.inputs_sha256
    np.testing.assert_array_equal(first.exam.stiffness_kpa, shuffled.exam.stiffness_kpa)
    (double,) = read([ge_exam / "dicom", tmp_path])
    np.testing.assert_array_equal(first.exam.magnitude, double.exam.magnitude)
    assert [f.message for f in double.exam.flags] == ["72 duplicate image(s) were ignored."]


def test_ge_exam_refuses_a_wrong_unit(ge_exam: Path) -> None:
    with pytest.raises(
        LivermreError, match=r"median stiffness of the body would be 2[0-9]{3}.* kPa, which no tissue has"
    ):
        read([ge_exam / "dicom"], ReadOptions(stiffness_unit="kPa"))


def test_siemens_mosaic_has_its_roles_and_places(siemens_brain: Path) -> None:
    reports = {r.series: r for r in inspect([siemens_brain])}
    assert {n: r.role for n, r in reports.items()} == {45: "magnitude", 46: "phase"}
    assert all(r.confidence > 0.9 and not r.note for r in reports.values())
    (study,) = read([siemens_brain])
    exam = study.exam
    assert exam.shape == (5, 108, 110) and exam.stiffness_kpa is None
    assert exam.acquisition.dimension == "3D" and exam.acquisition.frequency_hz is None
    np.testing.assert_allclose(np.diff(exam.positions_mm), 4.0, atol=1e-3)
    for s in exam.slices:
        assert s.phase_rad is not None and s.phase_rad.shape == (1, 3, 8, 108, 110)
        assert -np.pi <= s.phase_rad.min() and s.phase_rad.max() < np.pi
    # Slice Location of the header is the first slice on the normal, at the centre of the mosaic's image
    assert np.hypot(*(np.array(exam.slices[0].plane.world_mm(53.5, 54.5))[:2])) < 40  # a head lies near the isocentre


def test_every_conformance_file_is_inspected(conformance: Path) -> None:
    reports = inspect([conformance])
    assert {r.role for r in reports} == {"other"}  # none of them is an MRE image, none is damaged
    assert len(reports) > 40


def _values(root: Path, name: str) -> np.ndarray:
    file = open_file(next(root.rglob(name)))
    assert file is not None
    return np.stack([f.stored() for f in frames_of(file)])


@pytest.mark.parametrize(
    ("plain", "packed"),
    [
        ("liver_nonbyte_aligned.dcm", "liver_nonbyte_aligned_rle.dcm"),
        ("liver_nonbyte_aligned.dcm", "liver_nonbyte_aligned_j2k.dcm"),
        ("liver_nonbyte_aligned.dcm", "liver_nonbyte_aligned_deflate.dcm"),
        ("liver_rle.dcm", "liver_j2k.dcm"),
        ("liver_rle.dcm", "liver_deflate.dcm"),
        ("sm_image.dcm", "sm_image_jpegls.dcm"),
        ("sm_image.dcm", "sm_image_jpegls_nobot.dcm"),
        ("JLSL_RGB_ILV0.dcm", "JLSL_RGB_ILV1.dcm"),
        ("JLSL_RGB_ILV0.dcm", "JLSL_RGB_ILV2.dcm"),
    ],
)
def test_compressed_twins_hold_the_same_pixels(conformance: Path, plain: str, packed: str) -> None:
    np.testing.assert_array_equal(_values(conformance, plain), _values(conformance, packed))


def test_every_conformance_image_decodes(conformance: Path) -> None:
    decoded = 0
    for path in conformance.rglob("*"):
        file = open_file(path) if path.is_file() else None
        for frame in frames_of(file)[:2] if file else ():
            assert frame.stored().shape[:2] == frame.shape, path.name
            decoded += 1
    assert decoded > 60


@pytest.mark.slow
def test_one_slice_of_the_real_exam_damaged_in_hundreds_of_ways(ge_exam: Path, tmp_path: Path) -> None:
    """Every harm ends in one of our errors or in an exam whose stiffness is still that of a liver, never in a crash."""
    names = [f"s0005*/IM00{n:02d}.dcm" for n in (5, 6, 7, 8, 37, 38, 39, 40)]
    names += ["s0500*/IM0009.dcm", "s0507*/IM0009.dcm"]
    whole = [next((ge_exam / "dicom").glob(n)).read_bytes() for n in names]
    rng = np.random.default_rng(5)
    outcomes = {"exam": 0, "refused": 0}
    for _ in range(200):
        hit = set(rng.choice(len(whole), int(rng.integers(1, 5)), replace=False).tolist())
        for i, data in enumerate(whole):
            (tmp_path / f"{i}.dcm").write_bytes(damaged(data, rng) if i in hit else data)
        try:
            studies = read([tmp_path])
        except LivermreError as error:
            assert "\n" not in str(error) and len(str(error)) > 20
            outcomes["refused"] += 1
        else:
            outcomes["exam"] += 1
            for kpa in (s.exam.stiffness_kpa for s in studies):
                assert kpa is None or 1.5 < np.nanmedian(kpa) < 3.5
        inspect([tmp_path])
    assert min(outcomes.values()) > 10, outcomes
