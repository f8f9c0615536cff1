"""Vibration against noise: the share that noise leaves over is known exactly, and the right order leaves least."""

import math

import numpy as np
import pytest

from inversion.sources import SPACING_MM, bulk, plane_wave, wavenumber
from livermre.inversion import InversionSettings, offsets_of
from livermre.inversion.short_waves import band_shares, shares
from livermre.inversion.vibration import (
    CELL_MM2,
    Moments,
    _orders,
    against_noise,
    band_passed,
    better_order,
    deviations,
    left_over,
    moments,
)

SETTINGS = InversionSettings()
EVERYWHERE = np.ones((160, 192), bool)


def uneven_noise(count: int, seed: int) -> np.ndarray:
    """Noise (1, 1, N, R, C) of heavy tails whose strength differs a hundredfold from pixel to pixel; a static phase."""
    rng = np.random.default_rng(seed)
    strength = 10 ** rng.uniform(-1, 1, (60, 60))
    return (rng.standard_t(2, (1, 1, count, 60, 60)) * strength + rng.normal(0, 9, (60, 60))).astype(np.float32)


def of(motion: np.ndarray) -> Moments:
    return moments(motion - motion.mean(-3, keepdims=True), np.ones(motion.shape[-2:], bool))


@pytest.mark.parametrize("count", [4, 5, 6, 8])
def test_noise_of_any_kind_leaves_its_share_of_the_dimensions_over(count: int) -> None:
    found = of(uneven_noise(count, count))
    assert found.pixels == 3600 and np.trace(found.sums) == pytest.approx(3600)
    assert left_over(found) == pytest.approx((count - 3) / (count - 1), abs=0.02)
    assert against_noise(found) == pytest.approx(1, abs=0.08)


def test_one_bad_offset_looks_like_noise_not_like_a_vibration() -> None:
    """However strong it is, it lies equally in all three dimensions of four offsets."""
    motion = np.zeros((1, 1, 4, 60, 60), np.float32)
    motion[:, :, 2] = np.random.default_rng(0).normal(size=(60, 60))
    assert left_over(of(motion)) == pytest.approx(1 / 3, abs=1e-6)


@pytest.mark.parametrize("count", [4, 6, 8])
def test_deviations_of_noise_have_a_spread_of_one(count: int) -> None:
    """As many cells as pixels: independent noise."""
    rng = np.random.default_rng(count)
    found = [deviations(of(rng.normal(size=(1, 1, count, 12, 12))), 1.0, 1.0) for _ in range(300)]
    assert np.std(found) == pytest.approx(1, abs=0.12) and np.mean(found) == pytest.approx(0, abs=0.2)
    few = deviations(of(rng.normal(size=(1, 1, count, 12, 12))), 1.0, 4.0)
    assert abs(few) < 3


@pytest.mark.parametrize("count", [4, 5, 6, 8, 12])
def test_the_given_order_is_found_again(count: int) -> None:
    rng = np.random.default_rng(count)
    wave = 0.5 * plane_wave(wavenumber(3.0), 0.4) + bulk(rng, 1.0)
    motion = offsets_of(wave, count)[None, None] + 0.05 * rng.normal(size=(1, 1, count, *wave.shape))
    right, gain = better_order(of(motion))
    assert gain == 0 and right == tuple(range(count))
    for same in (np.roll(np.arange(count), 1), np.arange(count)[::-1]):  # another start, the other way round
        assert left_over(of(motion[:, :, same])) == pytest.approx(left_over(of(motion)), rel=1e-6)
    swapped = np.arange(count)
    swapped[[1, 2]] = 2, 1
    found = of(motion[:, :, swapped])
    order, gain = better_order(found)
    assert gain > (0.3 if count == 4 else 0.04)
    assert left_over(of(motion[:, :, swapped][:, :, np.argsort(order)])) == pytest.approx(
        left_over(of(motion)), rel=1e-6
    )


def test_orders_are_counted_up_to_start_and_direction() -> None:
    for count in (4, 5, 6, 8):
        orders = {tuple(o) for o in _orders(count).tolist()}
        assert len(orders) == math.factorial(count - 1) // 2 and tuple(_orders(count)[0]) == tuple(range(count))
    assert len(_orders(12)) == 67


def test_three_offsets_have_no_order_and_leave_nothing_over() -> None:
    found = of(np.random.default_rng(0).normal(size=(1, 1, 3, 30, 30)))
    assert left_over(found) == pytest.approx(0, abs=1e-9)
    assert against_noise(found) is None and better_order(found) is None


@pytest.mark.parametrize("spacing", [1.5, 3.0, 4.0])
def test_band_passed_noise_keeps_the_share_on_fine_and_coarse_pixels(spacing: float) -> None:
    """What the confidence does not: the same wavelengths, whatever the pixels."""
    rng = np.random.default_rng(3)
    shape = (int(400 / spacing), int(480 / spacing))
    noise = rng.normal(size=(1, 1, 4, *shape)).astype(np.float32)
    passed, factor = band_passed(noise, np.ones(shape, bool), (spacing, spacing), (60.0,), SETTINGS)
    found = moments(passed, np.ones(passed.shape[-2:], bool))
    assert left_over(found) == pytest.approx(1 / 3, abs=0.03)
    assert abs(deviations(found, (spacing * factor) ** 2, CELL_MM2)) < 3


def test_band_passed_is_the_band_pass_of_each_offset() -> None:
    """Offsets travel in pairs through complex filters: what comes back must be each one's own."""
    rng = np.random.default_rng(4)
    motion = rng.normal(size=(1, 2, 5, 80, 90)).astype(np.float32)
    body = np.ones((80, 90), bool)
    both, _ = band_passed(motion, body, (3.0, 3.0), (60.0,), SETTINGS)
    for component, offset in ((0, 0), (1, 3), (1, 4)):
        alone = np.zeros_like(motion)
        alone[0, component, offset] = (motion - motion.mean(2, keepdims=True))[0, component, offset]
        single, _ = band_passed(alone, body, (3.0, 3.0), (60.0,), SETTINGS)
        # the mean over time is taken off inside: the difference to an empty offset is the filtered offset itself
        np.testing.assert_allclose(
            single[0, component, offset] - single[0, component, (offset + 1) % 5], both[0, component, offset], atol=2e-4
        )


@pytest.mark.parametrize("spacing", [SPACING_MM, 3.0])
def test_three_offsets_tell_a_wave_from_noise_by_shorter_waves(spacing: float) -> None:
    rng = np.random.default_rng(5)
    shape = (int(300 / spacing), int(360 / spacing))
    noise = rng.normal(size=(1, 1, *shape)) + 1j * rng.normal(size=(1, 1, *shape))
    wave = plane_wave(wavenumber(2.0), 0.3, shape=shape, spacing_mm=spacing)
    body = np.ones(shape, bool)

    def share(field: np.ndarray) -> float:
        found = band_shares(field.astype(np.complex64), body, (spacing, spacing), (60.0,), SETTINGS)
        return shares(found, np.ones(found.shape[1:], bool)).mean

    assert share(noise) == pytest.approx(0.5, abs=0.05)
    assert share(noise + 3 * wave) > 0.85
    assert band_shares(noise.astype(np.complex64), body, (5.0, 5.0), (60.0,), SETTINGS) is None
