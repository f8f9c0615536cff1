"""Vibration against noise: the share that noise leaves over is known exactly, and the right order leaves least."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import fft, ndimage

from inversion.sources import SPACING_MM, bulk, exam_of, plane_wave, shaken, wavenumber
from livermre.exam.types import Exam
from livermre.inversion import InversionSettings, invert, offsets_of
from livermre.inversion.short_waves import LEAST_EVEN, ring_of, shares
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
    weaker_turn,
)
from livermre.inversion.wave import has_mean

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
        alone[0, component, offset] = motion[0, component, offset]
        single, _ = band_passed(alone, body, (3.0, 3.0), (60.0,), SETTINGS)
        np.testing.assert_allclose(single[0, component, offset], both[0, component, offset], atol=2e-4)
        single[0, component, offset] = 0
        np.testing.assert_allclose(single, 0, atol=2e-4)


@pytest.mark.parametrize("spacing", [SPACING_MM, 3.0])
def test_three_offsets_tell_a_wave_from_noise_by_shorter_waves(spacing: float) -> None:
    rng = np.random.default_rng(5)
    shape = (int(300 / spacing), int(360 / spacing))
    noise = rng.normal(size=(1, 1, *shape)) + 1j * rng.normal(size=(1, 1, *shape))
    wave = plane_wave(wavenumber(2.0), 0.3, shape=shape, spacing_mm=spacing)
    body = np.ones(shape, bool)

    def share(field: np.ndarray) -> float:
        found = ring_of(field.astype(np.complex64), body, (spacing, spacing), (60.0,), SETTINGS)
        return shares(found, np.ones(found.share.shape[1:], bool)).mean

    assert share(noise) == pytest.approx(0.5, abs=0.05)
    assert share(noise + 3 * wave) > 0.85
    assert ring_of(noise.astype(np.complex64), body, (5.0, 5.0), (60.0,), SETTINGS) is None


def smoothed(images: np.ndarray, spacing_mm: float, sigma_mm: float = 3.0) -> np.ndarray:
    sigma = [0.0] * (images.ndim - 2) + [sigma_mm / spacing_mm] * 2
    return ndimage.gaussian_filter(images, sigma)


def of_few_lines(images: np.ndarray, kept: int = 64) -> np.ndarray:
    """Only the middle lines of k-space along both axes: what a coarse acquisition leaves, interpolated."""
    spectrum = fft.fft2(images)
    far = [np.abs(fft.fftfreq(n, 1 / n)) >= kept / 2 for n in images.shape[-2:]]
    spectrum[..., far[0][:, None] | far[1]] = 0
    return fft.ifft2(spectrum).real


COLOURS = {
    "white": lambda p: p,
    "smoothed": lambda p: smoothed(p, 400 / 256),
    "64 lines": of_few_lines,
    "64 lines, smoothed": lambda p: smoothed(of_few_lines(p), 400 / 256),
}


@pytest.mark.parametrize("colour", COLOURS)
def test_noise_of_three_offsets_fills_their_mean_like_their_harmonic_whatever_its_colour(colour: str) -> None:
    """Twenty times each, images of 400 mm: none is taken for a vibration, and each wave among the same noise is."""
    shape, spacing = (256, 256), 400 / 256
    body = np.ones(shape, bool)
    wave = offsets_of(plane_wave(wavenumber(2.0), 0.3, shape=shape, spacing_mm=spacing), 3)
    ratios = []
    for seed in range(20):
        noise = np.random.default_rng(seed).normal(size=(1, 1, 3, *shape)).astype(np.float32)
        noise = COLOURS[colour](noise)
        noise *= 0.3 / noise.std()
        for motion in (noise, noise + COLOURS[colour](wave)[None, None]):
            passed, factor = band_passed(motion.astype(np.float32), body, (spacing, spacing), (60.0,), SETTINGS)
            found = moments(passed, np.ones(passed.shape[-2:], bool), still=True)
            sure = deviations(found, (factor * spacing) ** 2, CELL_MM2)
            ratios.append((against_noise(found), sure, weaker_turn(found)))
    silent, shaking = np.array(ratios[0::2]), np.array(ratios[1::2])
    assert silent[:, 0].max() < 1.4 and silent[:, 0].mean() == pytest.approx(1, abs=0.05)
    assert shaking[:, 0].min() > 2 and shaking[:, 1].min() > 4 and shaking[:, 2].min() > 1.8


@pytest.mark.parametrize("count", [3, 4])
def test_a_pattern_of_changing_strength_is_no_wave_though_it_lies_in_the_harmonic(count: int) -> None:
    """A ghost that is strongest in offset 1 and weakest half a period later: all of it is first harmonic, one way."""
    rng = np.random.default_rng(count)
    everywhere = np.ones((60, 60), bool)
    strength = np.cos(2 * np.pi * np.arange(count) / count)[:, None, None]
    ghost = strength * rng.normal(size=(60, 60)) + 0.3 * rng.normal(size=(count, 60, 60))
    wave = offsets_of(plane_wave(0.9, 0.3, shape=(60, 60)), count) + 0.3 * rng.normal(size=(count, 60, 60))
    found = [moments(x[None, None], everywhere, still=True) for x in (ghost, wave)]
    assert min(against_noise(f) for f in found) > 3
    assert weaker_turn(found[0]) == pytest.approx(1, abs=0.1)
    assert weaker_turn(found[1]) == pytest.approx(against_noise(found[1]), rel=0.1)
    assert weaker_turn(moments(ghost[None, None, :3], everywhere)) is None  # nothing left over


def test_the_mean_adds_a_dimension_and_what_stands_still_only_makes_it_harder() -> None:
    rng = np.random.default_rng(6)
    noise = rng.normal(size=(1, 1, 4, 60, 60))
    alone, whole = (moments(noise, np.ones((60, 60), bool), still) for still in (False, True))
    assert (alone.spare, whole.spare) == (1, 2)
    assert left_over(alone) == pytest.approx(1 / 3, abs=0.02) and left_over(whole) == pytest.approx(1 / 2, abs=0.02)
    still = moments(noise + rng.normal(size=(60, 60)), np.ones((60, 60), bool), still=True)
    assert against_noise(still) < 0.8 < against_noise(whole)
    np.testing.assert_allclose(moments(noise + 9.0, np.ones((60, 60), bool)).sums, alone.sums)


def test_a_mean_that_was_taken_off_is_noticed() -> None:
    rng = np.random.default_rng(7)
    noise = rng.normal(0, 0.02, (1, 1, 3, 80, 80))
    wave = offsets_of(plane_wave(0.2, 0.3), 3)[None, None]
    empty = noise - noise.mean(2, keepdims=True)
    turned = np.angle(np.exp(1j * (0.4 + 3 * (noise + wave[..., :80, :80]))))  # beyond pi
    without = turned - turned.mean(2, keepdims=True)
    assert has_mean(noise) and has_mean(wave + 0.4) and has_mean(turned)
    assert not has_mean(empty) and not has_mean(wave)
    assert not has_mean(np.round(empty * 4096 / (2 * np.pi)) * 2 * np.pi / 4096)  # 12 bits
    assert not has_mean(np.angle(np.exp(1j * without))) and not has_mean(np.zeros((1, 1, 3, 8, 8)))


def test_short_waves_tell_no_noise_of_smoothed_images() -> None:
    rng = np.random.default_rng(8)
    noise = rng.normal(size=(1, 1, 200, 240)) + 1j * rng.normal(size=(1, 1, 200, 240))
    soft = smoothed(noise.real, SPACING_MM) + 1j * smoothed(noise.imag, SPACING_MM)
    found = []
    for field in (noise, soft):
        ring = ring_of(field.astype(np.complex64), np.ones((200, 240), bool), (1.5, 1.5), (60.0,), SETTINGS)
        found.append(shares(ring, np.ones(ring.share.shape[1:], bool)))
    assert found[0].evenness == pytest.approx(1, abs=0.15)
    assert found[1].evenness < 0.6 < LEAST_EVEN and found[1].mean > 0.8  # as a wave would have
    np.testing.assert_allclose((found[0] + found[1]).halves, found[0].halves + found[1].halves)


def blurred(exam: Exam, sigma_mm: float = 4.0) -> Exam:
    """The exam with its complex images smoothed."""

    def one(s):
        signal = s.magnitude * np.exp(1j * np.asarray(s.phase_rad))
        both = smoothed(signal.real, SPACING_MM, sigma_mm) + 1j * smoothed(signal.imag, SPACING_MM, sigma_mm)
        return replace(s, phase_rad=np.angle(both).astype(np.float32))

    return replace(exam, slices=tuple(one(s) for s in exam.slices))


def without_mean(exam: Exam) -> Exam:
    def one(s):
        moved = s.phase_rad - s.phase_rad.mean(2, keepdims=True)
        return replace(s, phase_rad=np.angle(np.exp(1j * moved)).astype(np.float32))

    return replace(exam, slices=tuple(one(s) for s in exam.slices))


def test_smoothed_noise_of_three_offsets_has_no_number_and_a_smoothed_wave_keeps_it() -> None:
    rng = np.random.default_rng(9)
    silent = exam_of(np.zeros((160, 192)), rng, 0.5, offsets=3, slices=2)
    shaking = exam_of(shaken(2.0, rng) + bulk(rng, 1.0), rng, 0.5, offsets=3, slices=2)
    exams = {
        "phase_without_vibration": blurred(silent),
        "vibration_not_known": without_mean(blurred(silent)),
        "": blurred(shaking),
    }
    for code, exam in exams.items():
        found = invert(exam).exam
        told = {f.code for f in found.flags} & {"phase_without_vibration", "vibration_not_known"}
        assert told == ({code} if code else set())
        assert bool((found.confidence >= 0.95).any()) == (code == "")
        assert bool(np.isfinite(found.stiffness_kpa).any()) == (code == "")
