"""The scanner: noise, wraps, few lines and iron by their formulas."""

import numpy as np
import pytest

from livermre.simulate import priors
from livermre.simulate.contrast import Shine, paint
from livermre.simulate.mri import Encoding, acquire, offsets_of
from livermre.simulate.tissue import Tissue as T

N = 96
PLAIN = Encoding(lines=N, columns=N, noise=0.0, wobble_rad=0.0, pulsation=0.0, ghost_lines=8)
FLAT, NO_VESSELS = np.ones((N, N), np.float32), np.zeros((N, N), np.float32)


def encode(motion: np.ndarray, how: Encoding = PLAIN, seed: int = 0):
    return acquire(FLAT, NO_VESSELS, motion, how, np.random.default_rng(seed))


def test_phase_is_the_motion_wrapped():
    motion = np.broadcast_to(np.linspace(-9, 9, N)[:, None], (1, N, N)).astype(np.float32)
    magnitude, phase = encode(motion)
    np.testing.assert_allclose(np.exp(1j * phase), np.exp(1j * motion), atol=2e-4)
    assert np.abs(phase).max() <= np.pi + 1e-6
    np.testing.assert_allclose(magnitude, 1, atol=1e-4)


@pytest.mark.parametrize(("lines", "columns"), [(N, N), (48, N), (48, 60)])
def test_noise_of_the_phase_is_sqrt_2_over_snr(lines: int, columns: int):
    how = Encoding(lines, columns, noise=0.05, wobble_rad=0, pulsation=0, ghost_lines=8)
    _, phase = encode(np.zeros((8, N, N), np.float32), how)
    assert phase.std() == pytest.approx(np.sqrt(2) * 0.05, rel=0.05)
    assert phase.mean() == pytest.approx(0, abs=0.003)


def test_noise_only_is_a_uniform_phase():
    how = Encoding(N, N, noise=0.05, wobble_rad=0, pulsation=0, ghost_lines=8)
    magnitude, phase = acquire(0 * FLAT, NO_VESSELS, np.zeros((4, N, N), np.float32), how, np.random.default_rng(1))
    assert phase.std() == pytest.approx(np.pi / np.sqrt(3), rel=0.01)
    assert magnitude.mean() == pytest.approx(0.05 * np.sqrt(np.pi / 2), rel=0.02)  # Rayleigh


def test_few_lines_blur_rows_and_not_columns():
    image = FLAT.copy()
    image[: N // 2] = 0
    how = Encoding(32, N, 0.0, 0.0, 0.0, 8)
    still = np.zeros((1, N, N), np.float32)
    across, _ = acquire(image, NO_VESSELS, still, how, np.random.default_rng(0))
    along, _ = acquire(image.T.copy(), NO_VESSELS, still, how, np.random.default_rng(0))
    assert np.abs(np.diff(across[:, 40])).max() < 0.5
    assert np.abs(np.diff(along[40])).max() > 0.9


def test_ghosts_of_pulsating_vessels_lie_along_the_phase_encoding():
    vessel = NO_VESSELS.copy()
    vessel[44:52, 44:52] = 1.0
    how = Encoding(N, N, 0.0, 0.0, pulsation=0.5, ghost_lines=6)
    ghost, _ = acquire(vessel, vessel, np.zeros((4, N, N), np.float32), how, np.random.default_rng(2))
    rows, columns = ghost[:, 48], ghost[48]
    assert rows[48 - 16] > 0.1 and rows[48 + 16] > 0.1  # N / 6 = 16 rows away
    assert columns[:40].max() < 1e-3


def test_rows_outside_the_field_of_view_are_blank():
    how = Encoding(N, N, 0.05, 0.0, 0.0, 8, shown=0.5)
    magnitude, phase = encode(np.ones((3, N, N), np.float32), how)
    assert not magnitude[:24].any() and not phase[:, 72:].any() and magnitude[24:72].all()


@pytest.mark.parametrize("offsets", [3, 4, 6, 8])
def test_offsets_give_back_the_harmonic(offsets: int):
    rng = np.random.default_rng(offsets)
    u = rng.normal(size=(5, 7)) + 1j * rng.normal(size=(5, 7))
    turns = np.exp(-2j * np.pi * np.arange(offsets) / offsets)
    found = 2 / offsets * np.tensordot(turns, offsets_of(u, offsets), axes=1)
    np.testing.assert_allclose(found, u, rtol=1e-5)


def test_iron_kills_the_signal_of_the_liver_alone():
    labels = np.full((1, 40, 40), T.MUSCLE, np.uint8)
    labels[0, 10:30, 10:30] = T.LIVER
    gas = np.zeros(labels.shape, bool)
    plain, iron = (paint(labels, gas, 2.0, Shine("GRE", f, 0.0, 7)) for f in (1.0, 0.13))
    np.testing.assert_allclose(iron[labels == T.LIVER], 0.13 * plain[labels == T.LIVER], rtol=1e-5)
    np.testing.assert_array_equal(iron[labels == T.MUSCLE], plain[labels == T.MUSCLE])


@pytest.mark.parametrize(("sequence", "limit"), [("GRE", 101), ("SE-EPI", 289)])
def test_iron_takes_the_signal_at_the_published_limits(sequence, limit):
    """exp(-TE R2*) at the R2* where half the exams fail: the same seventh of the signal for both sequences."""
    assert np.exp(-limit * priors.IRON_TIME_MS[sequence] / 1000) == pytest.approx(0.125, abs=0.01)
