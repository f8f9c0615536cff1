"""A real exam through every style and back: images as a scanner makes them, not as we imagine them."""

from pathlib import Path

import numpy as np
import pytest

from livermre.dicom import read
from livermre.dicom.write import STYLES, write_exam

pytestmark = pytest.mark.data


@pytest.mark.parametrize("style", STYLES)
def test_the_real_exam_survives(ge_exam: Path, style: str, tmp_path: Path) -> None:
    (given,) = read([ge_exam / "dicom"])
    write_exam(given.exam, tmp_path, style, seed=1)
    (found,) = read([tmp_path])
    assert found.exam.acquisition.frequency_hz == 60.0
    np.testing.assert_allclose(found.exam.positions_mm, given.exam.positions_mm, atol=1e-4)
    for s, truth in zip(found.exam.slices, given.exam.slices, strict=True):
        np.testing.assert_allclose(s.magnitude, truth.magnitude, atol=0.5001)
        np.testing.assert_allclose(s.stiffness_kpa, truth.stiffness_kpa, atol=1e-6)
        np.testing.assert_allclose(s.confidence, truth.confidence, atol=1e-6)
        assert s.phase_rad is not None and truth.phase_rad is not None
        turned = np.angle(np.exp(1j * (s.phase_rad.astype(float) - truth.phase_rad)))
        assert np.abs(turned).max() < 1.001 * np.pi / 4096
        assert s.wave_rad is not None and truth.wave_rad is not None
        np.testing.assert_allclose(s.wave_rad, truth.wave_rad, atol=5.1e-4)
