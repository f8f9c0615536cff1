"""Each step against its formula."""

import numpy as np
import pytest
from scipy import fft

from inversion.sources import SHAPE, SPACING_MM, body, places_mm, plane_wave, wavenumber
from livermre.inversion import InversionSettings, first_harmonic, harmonics, noise_rad, offsets_of, unwrap
from livermre.inversion.aide import squared_wavenumber_of
from livermre.inversion.components import curl
from livermre.inversion.confidence import confidence_of
from livermre.inversion.gradient import gradient_wavenumber
from livermre.inversion.helmholtz import coherence, squared_wavenumber, sums_of
from livermre.inversion.lfe import local_wavenumber
from livermre.inversion.scales import _shares
from livermre.inversion.spectrum import (
    Grid,
    band_gain,
    cropped,
    direction_gains,
    embedded,
    highpass_gain,
    lowpass_gain,
    without_background,
)
from livermre.inversion.wave import harmonic_share, roughest_offset

SETTINGS = InversionSettings()
GRID = Grid.of(SHAPE, (SPACING_MM, SPACING_MM), 60.0, 2)
MIDDLE = (slice(50, -50), slice(60, -60))


@pytest.mark.parametrize("count", [3, 4, 6, 8])
def test_first_harmonic_is_exact_for_any_number_of_offsets(count: int) -> None:
    rng = np.random.default_rng(count)
    wave = rng.normal(size=SHAPE) + 1j * rng.normal(size=SHAPE)
    phase = offsets_of(wave, count) + rng.normal(size=SHAPE)  # a static phase must not matter
    np.testing.assert_allclose(first_harmonic(phase), wave, atol=1e-5)
    if count > 3:  # the second harmonic is not seen
        second = np.exp(4j * np.pi * np.arange(count) / count)[:, None, None]
        np.testing.assert_allclose(first_harmonic(phase + (second * wave).real), wave, atol=1e-5)
        np.testing.assert_allclose(np.abs(harmonics(phase)[1]), np.abs(wave), atol=1e-5)


@pytest.mark.parametrize("count", [4, 6, 8])
def test_noise_is_found_beside_a_wave(count: int) -> None:
    rng = np.random.default_rng(0)
    phase = offsets_of(plane_wave(0.2, 0.3), count) + 0.15 * rng.normal(size=(count, *SHAPE))
    found = noise_rad(phase)
    assert found is not None
    assert np.sqrt((found**2).mean()) == pytest.approx(0.15, rel=0.02)
    assert noise_rad(phase[:3]) is None


def test_unwrap_gives_back_a_wave_of_several_turns_and_aligns_offsets() -> None:
    inside = body()
    y, x = places_mm()
    true = np.stack([6 * np.exp(-((x - 20 * o) ** 2 + y**2) / 60**2) + 2 * o for o in range(4)])
    found = unwrap(np.angle(np.exp(1j * true)), inside)
    turns = (found - true)[:, inside] / (2 * np.pi)
    np.testing.assert_allclose(turns, np.round(turns), atol=1e-4)
    assert np.ptp(np.round(turns), axis=1).max() == 0  # one turn number an offset
    assert np.all(np.abs(np.median(np.diff(found[:, inside], axis=0), axis=1)) <= np.pi)
    assert not found[:, ~inside].any()


def test_share_of_the_first_harmonic_tells_order_and_noise_apart() -> None:
    rng, wave = np.random.default_rng(1), plane_wave(0.2, 0.3)
    good = offsets_of(wave, 4) + 0.1 * rng.normal(size=(4, *SHAPE))
    assert harmonic_share(good, body()) > 0.95
    # two offsets exchanged: half of the energy leaves the first harmonic
    assert harmonic_share(good[[0, 2, 1, 3]], body()) == pytest.approx(0.5, abs=0.05)
    assert harmonic_share(good[:3], body()) is None


def test_roughest_offset_names_the_noisy_one() -> None:
    rng, phase = np.random.default_rng(1), offsets_of(plane_wave(0.2, 0.3), 4)
    phase += 0.1 * rng.normal(size=phase.shape)
    assert roughest_offset(phase[None, None], body())[1] > 0.8
    phase[2] = rng.uniform(-np.pi, np.pi, SHAPE)
    worst, likeness = roughest_offset(phase[None, None], body())
    assert worst == 2 and likeness < 0.3


def test_gains_are_a_half_at_their_length_and_one_at_the_peak() -> None:
    k, _ = GRID.wavenumbers
    near = np.unravel_index(np.argmin(np.abs(k - 1 / 30.0)), k.shape)
    assert highpass_gain(GRID, 1 / k[near], 3)[near] == pytest.approx(0.5, abs=1e-4)
    assert lowpass_gain(GRID, 1 / k[near], 3)[near] == pytest.approx(0.5, abs=1e-4)
    assert highpass_gain(GRID, 30, 3)[0, 0] == 0 and lowpass_gain(GRID, 30, 3)[0, 0] == 1
    assert band_gain(GRID, (27, 2.26), (17.5, 3.27)).max() == pytest.approx(1, abs=2e-3)


@pytest.mark.parametrize("count", [4, 8])
def test_directions_add_up(count: int) -> None:
    total = direction_gains(GRID, count).sum(0)
    np.testing.assert_allclose(total[GRID.wavenumbers[0] > 0], count / 4, rtol=1e-5)


def test_coarser_grid_holds_the_same_image() -> None:
    wave, coarse = plane_wave(0.2, 0.4) * body(), GRID.coarser(2)
    smooth = GRID.transform(wave.astype(np.complex64)) * lowpass_gain(GRID, 12, 8)
    few = cropped(smooth, GRID, coarse)
    exact = GRID.back(embedded(few, coarse, GRID))
    np.testing.assert_allclose(coarse.back(few), exact[::2, ::2], atol=1e-4)
    np.testing.assert_allclose(exact, GRID.back(smooth), atol=2e-3)  # what the crop lost


def test_background_takes_smooth_motion_and_leaves_the_wave() -> None:
    y, x = places_mm()
    smooth = 3 + x / 100 + 1j * y / 100
    wave = plane_wave(2 * np.pi / 25, 0.3)
    both = without_background(smooth + wave, body(), GRID, 150.0)
    assert np.abs(both - wave)[MIDDLE].mean() < 0.15  # of 3


@pytest.mark.parametrize("loss", [0.0, 0.15, 0.3])
@pytest.mark.parametrize("kpa", [1.5, 3.0, 8.0])
def test_fit_is_exact_for_an_attenuated_wave(kpa: float, loss: float) -> None:
    k = wavenumber(kpa * np.exp(1j * np.arctan(loss)))
    y, x = places_mm()
    taper = np.exp(-((y / 90) ** 8) - (x / 105) ** 8)  # so that the transform sees no edge
    wave = (plane_wave(k, 0.4) * taper).astype(np.complex64)
    sums = sums_of(GRID.transform(wave)[None], np.ones(SHAPE, np.float32), GRID, 0, 4.7)
    found = squared_wavenumber(sums)[75:85, 90:100]
    np.testing.assert_allclose(found.mean(), k * k, rtol=0.01)  # the taper
    assert coherence(sums)[75:85, 90:100].min() > 0.98


def test_fit_sees_through_interference_with_directions() -> None:
    k = wavenumber(3.0)
    standing = sum(plane_wave(k, a) for a in (0.0, np.pi, 1.5))
    y, x = places_mm()
    wave = (standing * np.exp(-((y / 90) ** 8) - (x / 105) ** 8)).astype(np.complex64)
    sums = sums_of(GRID.transform(wave)[None], np.ones(SHAPE, np.float32), GRID, 4, 4.7)
    np.testing.assert_allclose(squared_wavenumber(sums)[MIDDLE].real, (k * k).real, rtol=0.03)


def test_coherence_of_noise_is_low() -> None:
    rng = np.random.default_rng(2)
    noise = (rng.normal(size=SHAPE) + 1j * rng.normal(size=SHAPE)).astype(np.complex64)
    spectrum = GRID.transform(noise)[None] * band_gain(GRID, (27, 2.26), (17.5, 3.27))
    share = coherence(sums_of(spectrum, np.ones(SHAPE, np.float32), GRID, 0, 4.7))
    assert np.median(share[MIDDLE]) < 0.45
    assert (confidence_of(share, SETTINGS)[MIDDLE] >= 0.95).mean() < 0.03


@pytest.mark.parametrize("stretch", [1.0, 0.5])
@pytest.mark.parametrize(
    ("lengths", "taken"),
    [
        ((18.0, 30.0), 0),  # soft: shorter than any filter costs nothing at the shortest, and much at the longer
        ((40.0, 54.0), 1),  # stiff: the longer one sees a wave as long as its high-pass
        ((30.0, 110.0), 0),  # what the longer filter lets in is longer than itself: bulk motion
    ],
)
def test_a_region_takes_the_scale_whose_wave_is_as_long_as_its_filter(lengths, taken: int, stretch: float) -> None:
    """High-pass of 27 and 54 mm; the longer obeys the wave equation better each time, by more than its cost."""
    inside = np.ones((40, 40), np.float32)
    coarse = Grid.of((40, 40), (3.0, 3.0), 60.0)
    better = 0.5 + SETTINGS.scale_cost + 0.1
    fits = [
        (np.full((40, 40), (2 * np.pi / (stretch * mm)) ** 2, np.complex64), np.full((40, 40), fit, np.float32))
        for mm, fit in zip(lengths, (0.5, better), strict=True)
    ]
    shares = _shares(fits, (stretch, 2 * stretch), inside, coarse, SETTINGS)
    np.testing.assert_allclose(shares.sum(0), 1, rtol=1e-5)
    assert shares[taken].min() > 0.99


def test_confidence_is_monotone_and_means_what_it_says() -> None:
    quality = np.linspace(0, 1, 101, dtype=np.float32)
    found = confidence_of(quality, SETTINGS)
    assert np.all(np.diff(found) >= 0) and found[0] == pytest.approx(0, abs=1e-6) and found[-1] == pytest.approx(1)
    half = np.array([SETTINGS.confidence_half])
    assert confidence_of(half, SETTINGS)[0] == pytest.approx(0.5, abs=1e-6)


def test_aide_is_the_second_difference_formula() -> None:
    """A plane wave along a row gives 2 (1 - cos k h) / h2, whose error falls with the square of the step."""
    k, errors = 2 * np.pi / 24, []
    for h in (3.0, 1.5, 0.75):
        wave = plane_wave(k, 0.0, shape=(16, 64), spacing_mm=h)
        found = squared_wavenumber_of(wave, (h, h))[4:-4, 4:-4]
        np.testing.assert_allclose(found, 2 * (1 - np.cos(k * h)) / h**2, rtol=1e-5)
        errors.append(abs(found[4, 4].real / k**2 - 1))
    np.testing.assert_allclose(np.log2(np.array(errors[:-1]) / errors[1:]), 2, atol=0.1)


@pytest.mark.parametrize("length_mm", [16.0, 24.0, 40.0])
def test_lfe_and_phase_gradient_find_the_wavenumber_of_a_plane_wave(length_mm: float) -> None:
    n = 160
    grid = Grid((n, n), (SPACING_MM, SPACING_MM), (n, n))
    cycles = round(n * SPACING_MM / length_mm)  # periodic, so that nothing but the formula is tested
    k = 2 * np.pi * cycles / (n * SPACING_MM)
    wave = np.exp(1j * k * SPACING_MM * np.arange(n))[None].repeat(n, 0).astype(np.complex64)
    middle = (slice(60, 100), slice(60, 100))
    np.testing.assert_allclose(local_wavenumber(wave, grid, SETTINGS)[middle], k, rtol=0.01)
    np.testing.assert_allclose(gradient_wavenumber(wave, grid, SETTINGS)[middle], k, rtol=1e-4)


def test_curl_of_a_gradient_is_zero_and_of_a_rotation_is_two() -> None:
    z, y, x = np.indices((5, 12, 14)).astype(float)
    z, y, x = 4 * z, 2 * y, 1.5 * x
    compression = np.stack([2 * x + y * z, 2 * y + x * z, 2 * z + x * y])  # gradient of x2 + y2 + z2 + xyz
    inner = (slice(None), slice(1, -1), slice(1, -1), slice(1, -1))
    np.testing.assert_allclose(curl(compression, (2, 1.5), 4)[inner], 0, atol=1e-5)
    turning = np.stack([-y, x, np.zeros_like(x)])  # about z
    np.testing.assert_allclose(curl(turning, (2, 1.5), 4)[2], 2, atol=1e-6)


def test_fft_sizes_are_kept_small() -> None:
    assert GRID.padded == tuple(2 * fft.next_fast_len(n // 2 + 20) for n in SHAPE)
