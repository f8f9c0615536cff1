"""Numbers per slice and exam, and when there is none."""

from dataclasses import replace

import numpy as np
import pytest

from livermre.exam.background import background_level
from livermre.exam.errors import Contradiction, SettingsError
from livermre.exam.flags import Severity
from livermre.exam.types import Exam, LiverMask, Roi, Stiffness
from livermre.roi import draw_roi, given_roi
from livermre.stiffness import MeasureSettings, mean_kpa, measure
from roi.exams import correlated_noise, disc, exam_of, mask_of

SHAPE, SPACING = (120, 120), (1.5, 1.5)
LIVER = disc(SHAPE, SPACING, 60.0)


def whole(keep: np.ndarray) -> Roi:
    return Roi(keep, np.zeros(keep.shape, np.uint16))


def discs_exam(radii_mm: tuple[float, ...], means_kpa: tuple[float, ...], **changes) -> tuple[Exam, LiverMask, Roi]:
    """Slices with discs of known radius and stiffness; the region is the disc."""
    keep = np.stack([disc(SHAPE, SPACING, r) for r in radii_mm])
    noise = np.random.default_rng(0).normal(0, 0.3, keep.shape)
    stiffness = [m + n for m, n in zip(means_kpa, noise, strict=True)]
    return exam_of(stiffness, spacing_mm=SPACING, **changes), mask_of(keep), whole(keep)


def codes(found: Stiffness) -> set[str]:
    return {f.code for f in found.flags}


def test_area_of_a_disc() -> None:
    found = measure(*discs_exam((30.0, 50.0), (2.0, 3.0)))
    for s, radius in zip(found.slices, (30.0, 50.0), strict=True):
        assert s.area_mm2 == pytest.approx(np.pi * radius**2, rel=0.01)  # pixel counting on a circle of 40-67 pixels
        assert s.area_mm2 == s.pixels * 2.25 == s.liver_area_mm2
        assert s.valid_fraction == 1.0
    assert found.area_mm2 == sum(s.area_mm2 for s in found.slices)


def test_exam_mean_is_the_mean_of_all_pixels_not_of_slices() -> None:
    # catches: an unweighted mean of slice means
    exam, liver, roi = discs_exam((20.0, 50.0, 35.0), (2.0, 5.0, 3.0))
    found = measure(exam, liver, roi)
    pooled = exam.stiffness_kpa[roi.keep].astype(float)
    assert found.mean_kpa == pytest.approx(pooled.mean(), rel=1e-12)
    assert mean_kpa(exam, roi) == pytest.approx(pooled.mean(), rel=1e-12)
    assert found.mean_kpa != pytest.approx(np.mean([s.mean_kpa for s in found.slices]), rel=0.05)


def test_spreads() -> None:
    # catches: SD over all pixels (which holds the steps between slices too), population instead of sample SD
    exam, liver, roi = discs_exam((40.0, 40.0, 20.0), (2.0, 3.0, 4.0))
    found = measure(exam, liver, roi)
    kept = [k[m].astype(float) for k, m in zip(exam.stiffness_kpa, roi.keep, strict=True)]
    within = sum(((k - k.mean()) ** 2).sum() for k in kept) / sum(k.size - 1 for k in kept)
    assert found.sd_kpa == pytest.approx(np.sqrt(within), rel=1e-9)
    means, share = np.array([k.mean() for k in kept]), np.array([k.size for k in kept]) / sum(k.size for k in kept)
    between = np.cov(means, aweights=share)  # numpy's weighted sample variance is the second opinion
    assert found.between_slice_sd_kpa == pytest.approx(np.sqrt(between), rel=1e-9)
    equal = measure(*discs_exam((40.0, 40.0, 40.0), (2.0, 3.0, 4.0)))
    assert equal.between_slice_sd_kpa == pytest.approx(np.std([s.mean_kpa for s in equal.slices], ddof=1), rel=1e-9)
    assert found.slices[0].median_kpa == pytest.approx(np.median(kept[0]))
    assert found.slices[0].iqr_kpa == pytest.approx(tuple(np.percentile(kept[0], [25, 75])))
    assert found.slices[0].sd_kpa == pytest.approx(kept[0].std(ddof=1))


def test_an_eroded_disc_gives_the_mean_of_its_inside() -> None:
    # catches: margin or mask shifted: the rim has another stiffness by a factor of three
    stiffness = np.where(disc(SHAPE, SPACING, 51.0), 2.5, 7.5)
    exam = exam_of([stiffness] * 2, spacing_mm=SPACING)
    liver = mask_of(np.stack([LIVER] * 2))
    found = measure(exam, liver, draw_roi(exam, liver))
    assert found.mean_kpa == pytest.approx(2.5, rel=1e-6)
    assert found.area_mm2 == pytest.approx(2 * np.pi * 50**2, rel=0.02)


def test_pixels_without_value_never_count() -> None:
    exam, liver, roi = discs_exam((40.0, 40.0), (2.0, 3.0))
    stiffness = exam.stiffness_kpa.copy()
    stiffness[:, :60] = np.nan
    holed = exam_of(list(stiffness), spacing_mm=SPACING)
    found = measure(holed, liver, given_roi(holed, roi.keep))
    assert found.slices[0].valid_fraction == pytest.approx(0.5, abs=0.01)
    assert found.mean_kpa == pytest.approx(2.5, abs=0.02)
    assert measure(holed, liver, roi).mean_kpa == found.mean_kpa


def assert_no_number(found: Stiffness) -> None:
    """None everywhere, never 0 and never NaN; areas stay."""
    numbers = [found.mean_kpa, found.sd_kpa, found.between_slice_sd_kpa]
    numbers += [x for s in found.slices for x in (s.mean_kpa, s.sd_kpa, s.median_kpa, s.iqr_kpa)]
    assert numbers == [None] * len(numbers)
    assert any(f.severity == Severity.BLOCKING for f in found.flags)


def test_no_liver() -> None:
    exam, _, roi = discs_exam((40.0,), (2.0,))
    nothing = np.zeros_like(roi.keep)
    found = measure(exam, mask_of(nothing), whole(nothing))
    assert_no_number(found)
    assert codes(found) == {"no_liver"}
    assert [f.code for f in found.slices[0].flags] == ["slice_without_liver"]


@pytest.mark.parametrize("radius", [10.0, 17.0, 18.5])
def test_too_little_area(radius: float) -> None:
    # two discs: 628, 1,816 and 2,150 mm2 - a pixel count instead of mm2 would move the limit by 2.25
    exam, liver, roi = discs_exam((radius, radius), (2.0, 2.0))
    found = measure(exam, liver, roi)
    if found.area_mm2 < 1000:
        assert_no_number(found)
        assert "at least 10.0 cm² are needed" in next(f.message for f in found.flags if f.code == "too_little_area")
        assert found.area_mm2 == pytest.approx(2 * np.pi * radius**2, rel=0.05)
    else:
        assert found.mean_kpa == pytest.approx(2.0, abs=0.05)
        assert "small_area" in codes(found)
    assert "too_little_area" not in codes(measure(exam, liver, roi, MeasureSettings(minimum_area_mm2=0)))


@pytest.mark.parametrize(("share", "waves"), [(0.0, False), (0.03, False), (0.2, True)])
def test_no_waves(share: float, waves: bool) -> None:
    # catches: the share taken of the kept region (always 1) or of the whole liver with its edge
    confidence = np.where(np.arange(120) < 120 * share / 2 + 30, 0.99, 0.5) * np.ones(SHAPE)
    inner = disc(SHAPE, SPACING, 50.0)
    while (confidence[inner] >= 0.95).mean() > share:
        confidence[:, np.flatnonzero((confidence >= 0.95).any(axis=0)).max()] = 0.5
    exam = exam_of([np.full(SHAPE, 2.5)] * 4, confidence=[confidence] * 4, spacing_mm=SPACING)
    liver = mask_of(np.stack([LIVER] * 4))
    found = measure(exam, liver, draw_roi(exam, liver))
    assert ("no_waves" in codes(found)) is not waves
    assert (found.mean_kpa is not None) is waves


def test_no_confidence_map_is_said_and_measured() -> None:
    exam, liver, roi = discs_exam((40.0, 40.0), (2.0, 2.0), confidence=[None, None])
    found = measure(exam, liver, roi)
    assert found.mean_kpa is not None and "no_confidence_map" in codes(found)
    exam, liver, roi = discs_exam((40.0, 40.0), (2.0, 2.0), confidence=[None, np.ones(SHAPE)])
    assert "no_confidence_map" in codes(measure(exam, liver, roi))


@pytest.mark.parametrize("kpa", [0.002, 0.3, 25.0, 2500.0])
def test_implausible_means_are_withheld(kpa: float) -> None:
    # catches: a map in Pa or MPa that reached the measurement
    exam = exam_of([np.full(SHAPE, kpa)] * 2, spacing_mm=SPACING)
    keep = np.stack([LIVER] * 2)
    found = measure(exam, mask_of(keep), whole(keep))
    assert_no_number(found)
    assert "implausible_stiffness" in codes(found)


def test_no_values_at_all() -> None:
    for stiffness in (np.full(SHAPE, np.nan), np.zeros(SHAPE)):
        exam = exam_of([stiffness] * 2, spacing_mm=SPACING)
        liver = mask_of(np.stack([LIVER] * 2))
        found = measure(exam, liver, draw_roi(exam, liver))
        assert_no_number(found)
        assert {"no_stiffness_values", "too_little_area"} <= codes(found)


def test_slices_that_disagree() -> None:
    found = measure(*discs_exam((40.0, 40.0, 40.0), (2.0, 2.0, 3.5)))
    assert "slices_disagree" in codes(found)
    assert "40 % of the exam mean" in next(f.message for f in found.flags if f.code == "slices_disagree")
    assert [f.code for f in found.slices[2].flags] == ["slice_outlier"]
    assert "slices_disagree" not in codes(measure(*discs_exam((40.0, 40.0, 40.0), (2.0, 2.1, 2.2))))
    # a slice of a few pixels says nothing about agreement
    assert "slices_disagree" not in codes(measure(*discs_exam((40.0, 40.0, 5.0), (2.0, 2.0, 3.5))))


def test_few_slices() -> None:
    assert "few_slices" in codes(measure(*discs_exam((50.0,), (2.0,))))
    assert "few_slices" not in codes(measure(*discs_exam((50.0, 40.0), (2.0, 2.0))))


def test_given_region_is_said_and_needs_no_liver() -> None:
    exam, _, roi = discs_exam((40.0, 40.0), (2.0, 2.0))
    found = measure(exam, mask_of(np.zeros_like(roi.keep)), given_roi(exam, roi.keep))
    assert found.mean_kpa == pytest.approx(2.0, abs=0.02)
    assert "roi_given" in codes(found)


def iron_exam(liver_signal: float, scale: float = 1.0, zeroed: bool = False) -> tuple[Exam, LiverMask]:
    """A body of signal 60 in Rayleigh noise of sigma 1 with a liver of the given signal."""
    rng = np.random.default_rng(5)
    body, liver = disc(SHAPE, SPACING, 80), disc(SHAPE, SPACING, 55)
    images = []
    for _ in range(2):
        clean = np.where(liver, liver_signal, np.where(body, 60.0, 0.0))
        noisy = np.hypot(clean + rng.standard_normal(SHAPE), rng.standard_normal(SHAPE))
        images.append(scale * np.where(body | (not zeroed), noisy, 0.0))
    return exam_of([np.full(SHAPE, 2.5)] * 2, magnitude=images, spacing_mm=SPACING), mask_of(np.stack([liver] * 2))


@pytest.mark.parametrize("scale", [1.0, 1e-3, 1e4])
@pytest.mark.parametrize(
    ("signal", "expected"), [(0.5, "iron_dark_liver"), (3.0, "dark_liver"), (20.0, None)], ids=["iron", "dark", "good"]
)
def test_iron(signal: float, expected: str | None, scale: float) -> None:
    # catches: thresholds in scanner units
    exam, liver = iron_exam(signal, scale)
    found = measure(exam, liver, whole(liver.liver))
    assert codes(found) & {"iron_dark_liver", "dark_liver", "signal_not_checked"} == ({expected} - {None})
    assert (found.mean_kpa is None) == (expected == "iron_dark_liver")


def test_a_zeroed_background_is_no_yardstick() -> None:
    exam, liver = iron_exam(20.0, zeroed=True)
    assert background_level(exam.magnitude) is None
    assert "signal_not_checked" in codes(measure(exam, liver, whole(liver.liver)))


def test_a_partly_zeroed_background_still_is_one() -> None:
    exam, _ = iron_exam(20.0)
    magnitude = exam.magnitude.copy()
    level = background_level(magnitude)
    magnitude[:, :, :20] = 0
    assert level == pytest.approx(np.sqrt(np.pi / 2), rel=0.15)  # mean of Rayleigh noise of sigma 1
    assert background_level(magnitude) == pytest.approx(level, rel=0.1)


def test_a_body_that_fills_the_image_is_no_background() -> None:
    noise = correlated_noise(np.random.default_rng(0), (2, *SHAPE), 3)
    assert background_level(100 + 30 * noise) is None
    assert background_level(np.ones((1, 3, 3))) is None


def test_shapes_and_settings_are_checked() -> None:
    exam, liver, _ = discs_exam((40.0,), (2.0,))
    with pytest.raises(Contradiction, match="region is"):
        measure(exam, liver, whole(np.zeros((1, 5, 5), bool)))
    with pytest.raises(SettingsError, match="minimum_area_mm2"):
        MeasureSettings(minimum_area_mm2=-1)
    with pytest.raises(SettingsError, match="must lie below"):
        replace(MeasureSettings(), lowest_kpa=30.0)
