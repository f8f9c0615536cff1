"""The four-target box: the solver's field holds the nominal values in the matrix, and shows what no inversion can."""

import numpy as np
import pytest

from livermre.simulate.box import DISCS, simulate_box


@pytest.fixture(scope="module")
def box():
    return simulate_box(60.0)


def direct(u: np.ndarray, pixel_mm: float, hz: float = 60.0) -> np.ndarray:
    """|G*| of the plain Helmholtz quotient, kPa, fourth-order second differences."""
    h, lap = pixel_mm * 1e-3, 0
    for axis in (0, 1):
        near, far = (np.roll(u, s, axis) + np.roll(u, -s, axis) for s in (1, 2))
        lap = lap + (-far + 16 * near - 30 * u) / (12 * h**2)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.abs(-((2 * np.pi * hz) ** 2) * u / lap)


def test_truth_and_geometry(box):
    assert box.exam.shape == (1, 100, 120) and box.exam.acquisition.frequency_hz == 60
    loss = 2 * np.pi * 60 * 1e-3
    assert box.stiffness_true_kpa[box.regions == 1].mean() == pytest.approx(np.hypot(3, loss), rel=1e-5)
    for number, (_, _, radius) in enumerate(DISCS, 2):
        disc = box.regions == number
        assert disc.sum() == pytest.approx(np.pi * radius**2, rel=0.25)
        np.testing.assert_allclose(box.stiffness_true_kpa[disc], np.hypot(10, loss), rtol=1e-5)
    assert np.isnan(box.stiffness_true_kpa[box.regions == 0]).all() and not box.wave_rad[box.regions == 0].any()


def test_phase_is_the_wave(box):
    turns = np.exp(2j * np.pi * np.arange(4) / 4)[:, None, None]
    phase = box.exam.slices[0].phase_rad[0, 0]
    np.testing.assert_allclose(np.exp(1j * phase), np.exp(1j * (box.wave_rad * turns).real), atol=1e-5)


def test_the_field_obeys_the_matrix_where_it_is_alone(box):
    """Far from discs and edges -rho w^2 u / lap u is the matrix' modulus: the wave is physics, not a picture."""
    rows, columns = np.indices(box.regions.shape) - 10.0
    alone = (box.regions == 1) & (rows > 4) & (rows < 24) & (columns > 55) & (columns < 95)
    found = direct(box.wave_rad, 1.0)[alone]
    assert np.median(found) == pytest.approx(3.02, rel=0.03)


def test_a_small_disc_is_not_seen(box):
    """Honest limit: the local quotient reads the discs of 3 and 2 mm far below 10 kPa."""
    found = direct(box.wave_rad, 1.0)
    for number in (4, 5):
        assert np.nanmedian(found[box.regions == number]) < 8


@pytest.mark.parametrize("hz", [50.0, 100.0])
def test_wavelength_follows_the_frequency(hz):
    """The standing pattern of a box without discs' influence: rows far from them at both ends of the range."""
    found = simulate_box(hz, pixel_mm=1.0)
    rows, columns = np.indices(found.regions.shape) - 10.0
    alone = (found.regions == 1) & (rows > 4) & (rows < 22) & (columns > 60) & (columns < 95)
    true = np.hypot(3, 2 * np.pi * hz * 1e-3)
    assert np.median(direct(found.wave_rad, 1.0, hz)[alone]) == pytest.approx(true, rel=0.05)


def test_pixels_must_fit():
    with pytest.raises(ValueError, match="pixel_mm must be a multiple"):
        simulate_box(pixel_mm=0.7)


def test_noise_is_repeatable_and_sized():
    a, b = (simulate_box(snr=20, seed=3) for _ in range(2))
    assert a.exam.slices[0].phase_rad.tobytes() == b.exam.slices[0].phase_rad.tobytes()
    noise = a.exam.slices[0].phase_rad - simulate_box().exam.slices[0].phase_rad
    assert np.angle(np.exp(1j * noise))[..., a.regions > 0].std() == pytest.approx(np.sqrt(2) / 20, rel=0.03)
