"""The suite that every vendor's way of writing passes: the same phantom in, the same exam out."""

from pathlib import Path

import numpy as np
import pytest

from dicom.makers import VENDORS, Vendor
from dicom.phantom import Phantom, phantom
from livermre.dicom import ReadOptions, Study, inspect, read

PHANTOM = phantom()


@pytest.fixture(scope="module", params=VENDORS, ids=lambda v: v.name)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Vendor, Path, Study]:
    vendor: Vendor = request.param
    folder = vendor.make(PHANTOM).write(tmp_path_factory.mktemp(vendor.name))
    studies = read([folder])
    assert len(studies) == 1
    return vendor, folder, studies[0]


def foot_to_head(p: Phantom, array: np.ndarray) -> np.ndarray:
    """The phantom is stored head to foot."""
    return array[::-1]


def test_stiffness_is_the_phantoms(made: tuple[Vendor, Path, Study]) -> None:
    vendor, _, study = made
    truth = foot_to_head(PHANTOM, PHANTOM.stiffness_kpa)
    found = study.exam.stiffness_kpa
    assert found is not None
    np.testing.assert_array_equal(np.isnan(found), np.isnan(truth))
    # half a stored step, and float32
    np.testing.assert_allclose(found, truth, atol=vendor.stiffness_step_kpa / 2 + 1e-5)


def test_magnitude_is_the_mean_of_the_offsets(made: tuple[Vendor, Path, Study]) -> None:
    _, _, study = made
    truth = foot_to_head(PHANTOM, PHANTOM.magnitude.mean(axis=1))
    np.testing.assert_allclose(study.exam.magnitude, truth, atol=0.07)  # MMDI stores eighths


def test_confidence_is_the_phantoms(made: tuple[Vendor, Path, Study]) -> None:
    _, _, study = made
    assert study.exam.confidence is not None
    np.testing.assert_allclose(study.exam.confidence, foot_to_head(PHANTOM, PHANTOM.confidence), atol=0.0006)


def test_phase_is_the_phantoms(made: tuple[Vendor, Path, Study]) -> None:
    vendor, _, study = made
    truth = foot_to_head(PHANTOM, PHANTOM.phase_rad)
    for s, expected in zip(study.exam.slices, truth, strict=True):
        if vendor.phase_step_rad is None:
            assert s.phase_rad is None
            continue
        assert s.phase_rad is not None and s.phase_rad.shape == (1, *expected.shape)
        turned = np.angle(np.exp(1j * (s.phase_rad[0] - expected)))  # +pi and -pi are one angle
        assert np.abs(turned).max() <= vendor.phase_step_rad


def test_slices_lie_where_the_phantom_put_them(made: tuple[Vendor, Path, Study]) -> None:
    _, _, study = made
    origins = [s.plane.origin_mm for s in study.exam.slices]
    np.testing.assert_allclose(origins, foot_to_head(PHANTOM, PHANTOM.origins_mm), atol=1e-3)
    np.testing.assert_allclose(np.diff(study.exam.positions_mm), 11.0, atol=1e-3)
    plane = study.exam.slices[0].plane
    assert plane.spacing_mm == PHANTOM.spacing_mm
    np.testing.assert_allclose((*plane.to_next_column, *plane.to_next_row), PHANTOM.cosines, atol=1e-6)


def test_acquisition_is_what_the_headers_say(made: tuple[Vendor, Path, Study]) -> None:
    vendor, _, study = made
    found = study.exam.acquisition
    assert found.vendor == vendor.vendor
    assert found.field_t == 1.5
    assert found.frequency_hz == (60.0 if vendor.frequency else None)


def test_flags_say_what_is_inferred_and_what_is_untested(made: tuple[Vendor, Path, Study]) -> None:
    vendor, _, study = made
    expected = {"unit_by_plausibility"} if vendor.unit_inferred else set()
    if not vendor.real:
        expected.add("vendor_rule_untested")
    assert {f.code for f in study.exam.flags} == expected


def test_nothing_of_the_patient_is_in_the_exam(made: tuple[Vendor, Path, Study]) -> None:
    _, _, study = made
    assert study.identity.patient_id == "PHANTOM-1"
    assert "PHANTOM" not in repr(study)
    assert len(study.exam.pseudonym) == 12


def test_inspect_names_each_role(made: tuple[Vendor, Path, Study]) -> None:
    vendor, folder, _ = made
    reports = inspect([folder])
    roles = {r.role for r in reports}
    assert {"magnitude", "stiffness", "confidence"} <= roles
    assert ("phase" in roles) == (vendor.phase_step_rad is not None)
    assert all(0 < r.confidence <= 1 and r.why and r.rule for r in reports)
    if not vendor.real:
        assert any("not tested on a real exam" in r.note for r in reports)


def test_headers_are_the_sources_without_pixels(made: tuple[Vendor, Path, Study]) -> None:
    _, _, study = made
    assert study.headers
    assert all("PixelData" not in h and h.StudyInstanceUID == study.headers[0].StudyInstanceUID for h in study.headers)


def test_a_stated_frequency_must_not_contradict_the_header(made: tuple[Vendor, Path, Study]) -> None:
    from livermre.exam.errors import Contradiction

    vendor, folder, _ = made
    if vendor.frequency:
        with pytest.raises(Contradiction, match="the header says 60 Hz but --frequency-hz says 40"):
            read([folder], ReadOptions(frequency_hz=40))
    else:
        assert read([folder], ReadOptions(frequency_hz=40))[0].exam.acquisition.frequency_hz == 40
