"""Intervals: what they cover, proved by simulation with known truth."""

from dataclasses import replace

import numpy as np
import pytest

from livermre.exam.errors import SettingsError
from livermre.exam.types import Exam, Roi
from livermre.stiffness import IntervalSettings, coverage_sentence, interval, measure
from livermre.stiffness.correlation import correlation_area_mm2, wave_area_mm2
from livermre.stiffness.interval import region_variance
from roi.exams import GE_60, correlated_noise, disc, exam_of, mask_of

SHAPE, STEP = (64, 64), 2.0
TRUE_KPA = 2.5


def region(radii_mm: tuple[float, ...]) -> Roi:
    keep = np.stack([disc(SHAPE, (STEP, STEP), r) for r in radii_mm])
    return Roi(keep, np.zeros(keep.shape, np.uint16))


def noisy_exam(rng: np.random.Generator, slices: int, sigma_mm: float, between_kpa: float) -> Exam:
    noise = 0.4 * correlated_noise(rng, (slices, *SHAPE), sigma_mm / STEP)
    steps = between_kpa * rng.standard_normal(slices)
    return exam_of([TRUE_KPA + n + s for n, s in zip(noise, steps, strict=True)], spacing_mm=(STEP, STEP))


@pytest.mark.parametrize(
    ("radii_mm", "sigma_mm", "between_kpa"),
    [
        ((30,) * 4, 3.0, 0.2),
        ((30,) * 4, 6.0, 0.0),
        ((35, 28, 22, 18), 5.0, 0.2),
        ((38,), 5.0, 0.0),  # one slice: pixels alone must carry the interval
    ],
    ids=["fine, slices differ", "smooth", "unequal, slices differ", "one slice"],
)
def test_the_95_percent_interval_covers_the_truth(radii_mm, sigma_mm, between_kpa) -> None:
    # catches: SD / sqrt(pixels) (covers 20-40 % here), spread between slices left out, areas not weighted.
    # 90-99 % is the demand; without spread between slices the interval is wide on purpose (about 98 %)
    rng = np.random.default_rng(11)
    roi = region(radii_mm)
    liver = mask_of(roi.keep)
    covered = naive = 0
    draws = 200
    for _ in range(draws):
        exam = noisy_exam(rng, len(radii_mm), sigma_mm, between_kpa)
        found = interval(exam, roi, measure(exam, liver, roi), [])
        low, high = found.interval_95_kpa
        covered += low <= TRUE_KPA <= high
        naive += abs(found.mean_kpa - TRUE_KPA) <= 1.96 * found.sd_kpa / np.sqrt(found.pixels)
    assert 0.90 <= covered / draws <= 0.995
    assert naive / draws < 0.6


@pytest.mark.parametrize("sigma_mm", [3.0, 5.0, 7.0])
def test_area_of_an_independent_piece(sigma_mm: float) -> None:
    # truth for this region: mean correlation over all pairs of its pixels, times its area
    roi = region((35.0,) * 4)
    points = np.argwhere(roi.keep[0]) * STEP
    squared = ((points[:, None] - points[None]) ** 2).sum(axis=-1)
    truth = np.exp(-squared / (4 * sigma_mm**2)).mean() * len(points) * STEP**2
    rng = np.random.default_rng(2)
    shown = [correlation_area_mm2(noisy_exam(rng, 4, sigma_mm, 0.3), roi) for _ in range(40)]
    assert np.median([s for s in shown if s]) == pytest.approx(truth, rel=0.25)


def test_a_region_too_small_to_show_it_takes_a_wavelength() -> None:
    roi = region((8.0, 8.0))
    exam = noisy_exam(np.random.default_rng(0), 2, 8.0, 0.0)
    assert correlation_area_mm2(exam, roi) is None
    assert wave_area_mm2(2.25, 60.0) == pytest.approx(25.0**2)  # 1.5 m/s at 60 Hz: 25 mm
    assert wave_area_mm2(2.25, 30.0) == pytest.approx(50.0**2)
    settings = (measure(exam, mask_of(roi.keep), roi), [])
    none = interval(replace(exam, acquisition=replace(GE_60, frequency_hz=None)), roi, *settings)
    assert none == interval(exam, roi, *settings)


def test_pixel_size_does_not_change_the_interval() -> None:
    # catches: a count of pixels as the number of samples: four times the pixels would halve the interval
    halves = []
    for step in (2.0, 1.0):
        shape = (round(128 / step),) * 2
        rng = np.random.default_rng(4)
        keep = np.stack([disc(shape, (step, step), 30.0)] * 4)
        roi, liver, found = Roi(keep, np.zeros(keep.shape, np.uint16)), mask_of(keep), []
        for _ in range(30):
            noise = 0.4 * correlated_noise(rng, keep.shape, 5.0 / step)
            exam = exam_of(list(2.5 + noise), spacing_mm=(step, step))
            measured = interval(exam, roi, measure(exam, liver, roi), [])
            found.append(measured.interval_95_kpa[1] - measured.mean_kpa)
        halves.append(np.median(found))
    assert halves[1] == pytest.approx(halves[0], rel=0.1)


def some() -> tuple[Exam, Roi]:
    return noisy_exam(np.random.default_rng(1), 4, 5.0, 0.0), region((30,) * 4)


def test_redraws_and_repeatability_widen() -> None:
    exam, roi = some()
    measured = measure(exam, mask_of(roi.keep), roi)
    quiet = interval(exam, roi, measured, [])
    moved = interval(exam, roi, measured, [measured.mean_kpa + d for d in (0.3, -0.3)])
    assert moved.interval_95_kpa[1] > quiet.interval_95_kpa[1] + 0.2
    for found in (quiet, moved):
        half = found.interval_95_kpa[1] - found.mean_kpa
        repeat = found.repeat_interval_95_kpa[1] - found.mean_kpa
        assert repeat == pytest.approx(np.hypot(half, 1.959964 * 0.086 * found.mean_kpa), rel=1e-6)
    exact = interval(exam, roi, measured, [], IntervalSettings(repeatability_wcv=0.0))
    assert exact.repeat_interval_95_kpa == pytest.approx(exact.interval_95_kpa)


def test_region_variance() -> None:
    assert region_variance(2.0, []) == 0.0
    assert region_variance(2.0, [None, None]) == 0.0
    assert region_variance(2.0, [2.1, 1.9, None]) == pytest.approx(0.01)


def test_no_interval_without_number_or_confidence_map() -> None:
    exam, roi = some()
    liver = mask_of(roi.keep)
    blind = replace(exam, slices=tuple(replace(s, confidence=None) for s in exam.slices))
    found = interval(blind, roi, measure(blind, liver, roi), [2.5])
    assert found.mean_kpa is not None
    assert found.interval_95_kpa is None and found.repeat_interval_95_kpa is None
    small = region((5.0,) * 4)
    withheld = interval(exam, small, measure(exam, mask_of(small.keep), small), [2.5])
    assert (withheld.mean_kpa, withheld.interval_95_kpa, withheld.repeat_interval_95_kpa) == (None, None, None)


def test_an_even_map_has_a_point_interval_and_stays_finite() -> None:
    exam = exam_of([np.full(SHAPE, 2.5)] * 3, spacing_mm=(STEP, STEP))
    roi = region((30,) * 3)
    found = interval(exam, roi, measure(exam, mask_of(roi.keep), roi), [2.5] * 6)
    assert found.interval_95_kpa == pytest.approx((2.5, 2.5))
    assert found.repeat_interval_95_kpa[0] < 2.2


def test_the_sentence_names_source_and_limits() -> None:
    words = coverage_sentence()
    assert "NIMBLE" in words and "8.6 %" in words and "bias of the inversion" in words and "unverified" not in words
    assert "(unverified)" in coverage_sentence(IntervalSettings(repeatability_verified=False))
    with pytest.raises(SettingsError, match="repeatability_wcv"):
        IntervalSettings(repeatability_wcv=1.5)


def test_a_mean_that_its_pixels_do_not_agree_on_is_no_number() -> None:
    # one slice of two halves far apart: 2 and 20 kPa average to what no pixel shows
    keep = disc(SHAPE, (STEP, STEP), 30)
    kpa = np.where(np.indices(SHAPE)[1] < SHAPE[1] / 2, 2.0, 20.0)
    roi = Roi(keep[None], np.zeros((1, *SHAPE), np.uint16))
    exam = exam_of([kpa], spacing_mm=(STEP, STEP))
    found = interval(exam, roi, measure(exam, mask_of(roi.keep), roi), [])
    assert "interval_too_wide" in {f.code for f in found.flags}
    calm = exam_of([np.where(kpa < 10, 2.4, 2.6)], spacing_mm=(STEP, STEP))
    found = interval(calm, roi, measure(calm, mask_of(roi.keep), roi), [])
    assert "interval_too_wide" not in {f.code for f in found.flags}
