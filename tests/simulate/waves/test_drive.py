"""What shakes the body: where it pushes, and that bulk motion is smooth where shear is not."""

import numpy as np
import pytest
from scipy import ndimage

from livermre.simulate.waves import Medium, WaveSolver, at_corners
from livermre.simulate.waves.bulk import draw_bulk
from livermre.simulate.waves.drive import angles, capsule_force, draw_drive, drum_spot

MM = 2.0


def disc(radius: float, centre=(60, 80), shape=(120, 160)) -> np.ndarray:
    r, c = np.indices(shape)
    return np.hypot(r - centre[0], c - centre[1]) < radius


TRUNK, LIVER = disc(58), disc(30, (58, 58))
WALL = TRUNK & ~disc(50)


@pytest.mark.parametrize("seed", range(5))
def test_the_drum_lies_at_the_patients_right(seed: int):
    rng = np.random.default_rng(seed)
    row, column = drum_spot(TRUNK, draw_drive(rng).angle_rad)
    assert column < 50  # the image's left
    assert np.hypot(row - 60, column - 80) == pytest.approx(58, abs=3)  # on the skin


def test_the_push_is_strongest_at_the_drum_and_one_for_all_slices():
    drive = draw_drive(np.random.default_rng(3))
    around = np.linspace(-np.pi, np.pi, 721)
    push = np.abs(drive.push(around))
    assert around[np.argmax(push)] == pytest.approx(drive.angle_rad, abs=0.01)
    assert push.min() == pytest.approx(drive.spill, rel=0.05)
    np.testing.assert_allclose(drive.push(around + 2 * np.pi), drive.push(around))


def test_the_capsule_pushes_where_it_touches_the_wall():
    force = np.abs(capsule_force(LIVER, WALL, TRUNK, draw_drive(np.random.default_rng(1)), MM))
    deep = ndimage.binary_erosion(LIVER, iterations=10)
    assert not force[~(LIVER | WALL)].any()
    assert force[deep].max() < 0.05 * force[LIVER].max()
    assert force[LIVER & (angles(TRUNK) ** 2 < 2)].max() == force[LIVER].max()


@pytest.mark.parametrize("seed", range(3))
def test_the_wave_is_free_of_sources_where_regions_are_drawn(seed: int):
    """From 10 mm inside the liver on, lap u = -K2 u: no force acts there, nor beside a hole such as the gallbladder."""
    holed = LIVER & ~disc(6, (58, 58))
    force = capsule_force(holed, WALL, TRUNK, draw_drive(np.random.default_rng(seed)), MM)
    depth = ndimage.distance_transform_edt(LIVER) * MM
    assert np.abs(force[depth >= 10]).max() < 1e-3 * np.abs(force[LIVER]).max()
    solver = WaveSolver(Medium(np.full(TRUNK.shape, 2 + 0.6j), TRUNK.astype(float), MM), 60.0)
    u = solver.solve(solver.body_force(at_corners(force)))
    k2 = (2 * np.pi * 60) ** 2 / (2 + 0.6j) * 1e-6  # rad2/mm2
    found = -ndimage.laplace(u) / MM**2
    ring = (depth >= 12) & (depth < 16)  # the corners around it lie deeper than 10 mm
    ring = np.pad(ring, ((0, 1), (0, 1)))
    # what is left is the error of the second differences, (k h)2 / 12 = 2.3 %
    assert np.abs(found - k2 * u)[ring].max() < 0.03 * np.abs(k2 * u)[ring].max()


@pytest.mark.parametrize("seed", range(8))
def test_bulk_is_far_smoother_than_any_liver_wave(seed: int):
    """A 20 mm high-pass keeps most of a 24 mm wave (2 kPa) and next to nothing of the bulk."""
    rng = np.random.default_rng(seed)
    bulk = draw_bulk(rng).field(TRUNK, drum_spot(TRUNK, 0.4), MM)
    inner = disc(38)
    sigma = 20 / 2.355 / MM

    def kept(u: np.ndarray) -> float:
        rest = u - (ndimage.gaussian_filter(u.real, sigma) + 1j * ndimage.gaussian_filter(u.imag, sigma))
        return float(np.abs(rest[inner]).mean() / np.abs(u[inner]).mean())

    wave = np.exp(2j * np.pi * np.arange(160) * MM / 23.6)[None, :] * np.ones((120, 1))
    assert kept(wave) > 0.85
    assert kept(bulk) < 0.06
    assert not bulk[~TRUNK].any()


def test_bulk_falls_off_from_the_drum():
    rng = np.random.default_rng(0)
    for _ in range(5):
        bulk = np.abs(draw_bulk(rng).field(TRUNK, (60, 22), MM))
        assert bulk[60, 24] > 2 * bulk[60, 70]
