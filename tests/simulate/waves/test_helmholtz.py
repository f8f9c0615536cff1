"""The wave solver against exact solutions, its order of convergence, and laws that hold in any medium."""

import numpy as np
import pytest
from scipy.special import jv, yv

from livermre.simulate.waves import Medium, WaveSolver, at_centres

HZ = 60.0
OMEGA = 2 * np.pi * HZ
LIVER = 2.0 * np.exp(0.32j)  # kPa, which is m2/s2 at 1000 kg/m3


def solver(modulus, spacing_mm: float, kz: float = 0.0, solid=None) -> WaveSolver:
    solid = np.ones(modulus.shape) if solid is None else solid
    return WaveSolver(Medium(np.asarray(modulus, complex), solid, spacing_mm), HZ, kz)


def slope(steps, errors) -> float:
    return float(np.polyfit(np.log(steps), np.log(errors), 1)[0])


def manufactured_error(step_mm: float) -> float:
    """u = cos(3 pi x/L) cos(2 pi y/L) is traction-free on a square of side L; f makes it a solution."""
    length, n = 0.08, round(80 / step_mm)
    x = np.arange(n + 1) * step_mm * 1e-3
    u = np.cos(3 * np.pi * x / length)[None, :] * np.cos(2 * np.pi * x / length)[:, None]
    k_squared = (3**2 + 2**2) * (np.pi / length) ** 2
    s = solver(np.full((n, n), LIVER), step_mm)
    found = s.solve(s.body_force((LIVER * k_squared - OMEGA**2) * u))
    return float(np.abs(found - u).max())


def test_manufactured_solution_converges_with_the_fourth_power():
    steps = (5.0, 2.5, 1.25)
    errors = [manufactured_error(h) for h in steps]
    assert errors[1] < 0.01
    assert slope(steps, errors) == pytest.approx(4, abs=0.3)


def slab(step_mm: float, kz: float = 0.0, modulus: complex = LIVER, length_mm: float = 90.0) -> np.ndarray:
    """Shape of a slab pushed on its left face, u(x) / u(0)."""
    n = round(length_mm / step_mm)
    s = solver(np.full((3, n), modulus), step_mm, kz)
    load = np.zeros(s.shape, complex)
    load[:, 0] = [0.5, 1, 1, 0.5]
    u = s.solve(load)
    np.testing.assert_allclose(u[0], u[3], rtol=1e-9)  # plane: nothing happens at the free sides
    return u[1] / u[1, 0]


@pytest.mark.parametrize("kz", [0.0, 60.0])
def test_slab_with_free_end(kz: float):
    """u = cos K(L - x), K^2 = rho w^2 / G - kz^2: wavelength, attenuation and obliquity in one formula."""
    wave = np.sqrt(OMEGA**2 / LIVER - kz**2)
    errors = []
    for step in (3.0, 2.0, 1.0):
        x = np.arange(round(90 / step) + 1) * step * 1e-3
        exact = np.cos(wave * (0.09 - x)) / np.cos(wave * 0.09)
        errors.append(np.abs(slab(step, kz) - exact).max())
    assert errors[1] < 0.002  # the simulator works at 2.25 mm
    assert slope((3.0, 2.0, 1.0), errors) == pytest.approx(4, abs=0.3)


@pytest.mark.parametrize(("kpa", "loss"), [(1.5, 0.15), (2.0, 0.3), (4.0, 0.3), (8.0, 0.55)])
def test_wavelength_and_attenuation_of_a_running_wave(kpa: float, loss: float):
    """k = w sqrt(rho/|G|) cos(d/2), alpha = w sqrt(rho/|G|) sin(d/2), at the grid of the simulator."""
    d = np.arctan(loss)
    u = slab(2.25, modulus=kpa * np.exp(1j * d), length_mm=1800.0)
    x = np.arange(len(u)) * 2.25e-3
    near = (x > 0.01) & (x < 0.12)
    k = -np.polyfit(x[near], np.unwrap(np.angle(u[near])), 1)[0]
    alpha = -np.polyfit(x[near], np.log(abs(u[near])), 1)[0]
    assert k == pytest.approx(OMEGA / np.sqrt(kpa) * np.cos(d / 2), rel=0.002)
    assert alpha == pytest.approx(OMEGA / np.sqrt(kpa) * np.sin(d / 2), rel=0.005)


def test_two_layers_reflect_and_transmit_by_impedance():
    """Soft layer 0..a, stiff layer a..L with a free end: continuous u and G u' at a."""
    soft, stiff, a, length = LIVER, 8.0 * np.exp(0.25j), 0.04, 0.1
    k1, k2 = OMEGA / np.sqrt(soft), OMEGA / np.sqrt(stiff)
    errors = []
    for step in (2.0, 1.0, 0.5):
        n = round(100 / step)
        x = np.arange(n + 1) * step * 1e-3
        s = solver(np.tile(np.where(np.arange(n) * step < 40, soft, stiff), (2, 1)), step)
        load = np.zeros(s.shape, complex)
        load[:, 0] = [0.5, 1, 0.5]
        found = s.solve(load)[1]
        # u = cos K2(L - x) behind, A cos K1(a - x) - B sin K1(a - x) before
        first, second = np.cos(k2 * (length - a)), stiff * k2 * np.sin(k2 * (length - a)) / (soft * k1)
        before = first * np.cos(k1 * (a - x)) - second * np.sin(k1 * (a - x))
        exact = np.where(x < a, before, np.cos(k2 * (length - x)))
        errors.append(np.abs(found / found[0] - exact / exact[0]).max())
    assert errors[0] < 0.02 and errors[1] < 0.005
    assert slope((2.0, 1.0, 0.5), errors) == pytest.approx(2, abs=0.3)


def disc_error(step_mm: float, radius_mm: float = 45.0) -> float:
    """A line source in the middle of a disc with a free edge: Y0(Kr) J1(Ka) - J0(Kr) Y1(Ka)."""
    n = 2 * int(np.ceil(radius_mm / step_mm) + 1)
    fine = 8  # sub-pixels that measure how much of a border element is tissue
    at = (np.arange(n * fine) + 0.5) / fine * step_mm - n * step_mm / 2
    inside = np.hypot(at[:, None], at[None, :]) < radius_mm
    solid = inside.reshape(n, fine, n, fine).mean(axis=(1, 3))
    s = solver(np.full((n, n), LIVER), step_mm, solid=solid)
    load = np.zeros(s.shape, complex)
    load[n // 2, n // 2] = 1.0
    found = s.solve(load)
    x = (np.arange(n + 1) - n // 2) * step_mm
    r = np.hypot(x[:, None], x[None, :]) * 1e-3
    wave = OMEGA / np.sqrt(LIVER)
    ka = wave * radius_mm * 1e-3
    where = (r > 0.008) & (r < (radius_mm - 2) * 1e-3)
    c = 1 / (4 * LIVER)  # strength of the source: -G 2 pi r du/dr = 1 as r -> 0
    exact = -c * (yv(0, wave * r[where]) - jv(0, wave * r[where]) * yv(1, ka) / jv(1, ka))
    return float(np.abs(found[where] - exact).max() / np.abs(exact).max())


def test_line_source_in_a_disc_with_a_free_round_edge():
    errors = [disc_error(h) for h in (2.0, 1.0, 0.5)]
    assert errors[0] < 0.03 and errors[1] < 0.01
    assert slope((2.0, 1.0, 0.5), errors) > 1.5


@pytest.fixture(scope="module")
def mixed() -> tuple[Medium, WaveSolver]:
    """A random lossy medium with voids."""
    rng = np.random.default_rng(5)
    modulus = rng.uniform(0.5, 10, (40, 50)) * np.exp(1j * rng.uniform(0.05, 1.2, (40, 50)))
    solid = np.ones((40, 50))
    solid[10:16, 20:28] = 0
    medium = Medium(modulus, solid, 2.0)
    return medium, WaveSolver(medium, HZ, 20.0)


def test_reciprocity(mixed):
    """What a push here moves there is what a push there moves here, whatever lies between."""
    _, s = mixed
    here, there = np.zeros(s.shape, complex), np.zeros(s.shape, complex)
    here[5, 7], there[33, 41] = 1, 1
    assert s.solve(here)[33, 41] == pytest.approx(s.solve(there)[5, 7], rel=1e-9)


def test_power_put_in_is_power_lost():
    """Im <u, f> = integral of G'' |grad u|^2, the gradient taken by plain differences."""
    n, step = 120, 1.0
    rows, columns = np.indices((n, n))
    modulus = (3 + np.cos(rows / 9) + np.sin(columns / 11)) * np.exp(0.35j)
    s = solver(modulus, step)
    force = np.exp(-((np.indices(s.shape)[0] - 30) ** 2 + (np.indices(s.shape)[1] - 40) ** 2) / 60.0)
    load = s.body_force(force)
    u = s.solve(load)
    h = step * 1e-3
    dx = (np.diff(u, axis=1)[:-1] + np.diff(u, axis=1)[1:]) / (2 * h)
    dy = (np.diff(u, axis=0)[:, :-1] + np.diff(u, axis=0)[:, 1:]) / (2 * h)
    lost = np.sum(modulus.imag * (abs(dx) ** 2 + abs(dy) ** 2)) * h**2
    assert np.vdot(u, load).imag == pytest.approx(lost, rel=0.01)


def test_nothing_crosses_a_void():
    solid = np.ones((20, 30))
    solid[:, 15] = 0
    s = solver(np.full((20, 30), LIVER), 2.0, solid=solid)
    load = np.zeros(s.shape, complex)
    load[10, 5] = 1
    u = s.solve(load)
    assert np.abs(u[:, :16]).max() > 0 and not u[:, 16:].any()


def test_wrong_media_are_refused():
    good = np.full((4, 4), LIVER)
    with pytest.raises(ValueError, match="no tissue"):
        Medium(good, np.zeros((4, 4)), 1.0)
    with pytest.raises(ValueError, match="one modulus an element"):
        Medium(good, np.ones((4, 5)), 1.0)
    with pytest.raises(ValueError, match="positive storage"):
        Medium(good.conj(), np.ones((4, 4)), 1.0)
    assert at_centres(np.ones((5, 6))).shape == (4, 5)
