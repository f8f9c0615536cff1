"""Each rule by itself, on shapes whose answer is known."""

import numpy as np
import pytest

from livermre.exam.reasons import Reason
from livermre.exam.types import Exam
from livermre.roi import RoiSettings, draw_roi
from livermre.roi.grid import depth_mm, dilate, islands, small_holes
from roi.exams import correlated_noise, disc, exam_of, mask_of, positions_mm

GRIDS = [((128, 128), (1.5625, 1.5625)), ((64, 64), (4.0, 4.0)), ((160, 80), (1.25, 2.5)), ((60, 200), (4.0, 1.0))]
IDS = ["256-like", "coarse", "rows finer", "columns finer"]


def drawn(exam: Exam, liver: np.ndarray, reason: Reason, **settings: object) -> np.ndarray:
    """Where a reason was given."""
    return (draw_roi(exam, mask_of(liver), RoiSettings(**settings)).dropped & reason) > 0


def even(shape: tuple[int, int], spacing: tuple[float, float], **images: list) -> Exam:
    return exam_of(images.pop("stiffness", [np.full(shape, 2.5)]), spacing_mm=spacing, **images)


# ---------------------------------------------------------------- edge


@pytest.mark.parametrize(("shape", "spacing"), GRIDS, ids=IDS)
@pytest.mark.parametrize("margin", [5.0, 10.0, 20.0])
def test_margin_is_in_mm_whatever_the_pixel(shape, spacing, margin) -> None:
    # catches: erosion counted in pixels, or with row and column spacing swapped: the disc would become an ellipse
    liver = disc(shape, spacing, 60.0)
    kept = ~drawn(even(shape, spacing), liver[None], Reason.EDGE, erode_mm=margin)[0] & liver
    area = kept.sum() * spacing[0] * spacing[1]
    rim = 2 * np.pi * (60 - margin) * 0.5 * max(spacing)  # half a pixel around the outline
    assert area == pytest.approx(np.pi * (60 - margin) ** 2, abs=rim)
    r, c = (np.abs(p)[kept].max() for p in positions_mm(shape, spacing))
    assert r == pytest.approx(60 - margin, abs=1.2 * spacing[0])
    assert c == pytest.approx(60 - margin, abs=1.2 * spacing[1])


def test_depth_error_shrinks_with_the_pixel() -> None:
    # catches: half a pixel too much or too little
    errors = []
    for step in (4.0, 2.0, 1.0):
        shape = (round(160 / step),) * 2
        depth = depth_mm(disc(shape, (step, step), 60.0), (step, step))
        true = 60 - np.hypot(*positions_mm(shape, (step, step)))
        inner = true > 10
        errors.append(float(np.abs(depth - true)[inner].mean()) / step)
    assert max(errors) < 0.2  # pixels, at every size


def test_the_image_border_is_no_edge() -> None:
    # catches: a liver cut by the field of view that loses 10 mm along the cut
    liver = np.zeros((1, 60, 60), bool)
    liver[:, :, :40] = True
    kept = ~drawn(even((60, 60), (2.0, 2.0)), liver, Reason.EDGE)[0] & liver[0]
    assert kept[0, 0] and kept[-1, 0]
    assert np.array_equal(kept[30], np.arange(60) < 35)  # column 35 is 9.5 mm deep


def test_a_thin_lobe_disappears() -> None:
    liver = np.zeros((1, 80, 80), bool)
    liver[0, 30:39] = True  # 18 mm thick: nothing is 10 mm deep
    assert not draw_roi(even((80, 80), (2.0, 2.0)), mask_of(liver)).keep.any()


def test_a_small_hole_of_the_mask_costs_a_vessel_margin_not_the_whole_one() -> None:
    # catches: an outline that leaves vessels out and so loses 10 mm around each
    shape, spacing = (100, 100), (2.0, 2.0)
    liver, hole = disc(shape, spacing, 80.0), disc(shape, spacing, 5.0)
    roi = draw_roi(even(shape, spacing), mask_of((liver & ~hole)[None]))
    lost = disc(shape, spacing, 70.0) & ~roi.keep[0] & ~hole
    assert np.all(roi.dropped[0][lost & disc(shape, spacing, 60.0)] & Reason.VESSEL)
    assert lost.sum() * 4 < np.pi * (10**2 - 4**2) + 2 * np.pi * 70 * 2
    large = liver & ~disc(shape, spacing, 20.0)
    kept = draw_roi(even(shape, spacing), mask_of(large[None])).keep[0]
    assert not np.any(kept & disc(shape, spacing, 28.0))  # a hole of 1,250 mm2 is an edge


# ---------------------------------------------------------------- vessels


def shaded(shape: tuple[int, int], spacing: tuple[float, float], slope: float) -> np.ndarray:
    """Coil shading: a factor of about exp(slope) from one side of the liver to the other, bent."""
    r, c = positions_mm(shape, spacing)
    return 100 * np.exp(slope * c / 120) * (1 + 0.3 * (r / 60) ** 2)


@pytest.mark.parametrize("contrast", [1.5, 0.6], ids=["bright", "dark"])
@pytest.mark.parametrize(
    ("shape", "spacing"), [((160, 160), (1.0, 1.0)), ((120, 60), (1.5, 3.0))], ids=["fine", "coarse"]
)
def test_vessels_are_left_out_under_coil_shading(contrast, shape, spacing) -> None:
    # catches: one threshold for the whole liver (shading is as large as the contrast); only bright or only dark vessels
    rng = np.random.default_rng(3)
    r, c = positions_mm(shape, spacing)
    vessels = (np.abs(r - 0.5 * c) < 4) & (np.hypot(r, c) < 40) | (np.hypot(r + 25, c - 20) < 5)
    magnitude = shaded(shape, spacing, 0.8) * np.where(vessels, contrast, 1.0)
    magnitude *= 1 + 0.04 * rng.standard_normal(shape)
    liver = disc(shape, spacing, 65.0)
    found = drawn(even(shape, spacing, magnitude=[magnitude]), liver[None], Reason.VESSEL)[0]
    inner = disc(shape, spacing, 55.0)
    assert (found & vessels & inner).sum() > 0.97 * (vessels & inner).sum()
    near = dilate(vessels, 5.0, spacing)
    assert (found & inner & ~near).sum() < 0.02 * inner.sum()


@pytest.mark.parametrize("contrast", [2.0, 0.3], ids=["bright", "dark"])
def test_a_gallbladder_is_left_out_to_its_middle(contrast: float) -> None:
    # catches: a neighbourhood mean that follows large structures and keeps their inside
    shape, spacing = (140, 140), (1.5, 1.5)
    r, c = positions_mm(shape, spacing)
    gallbladder = np.hypot(r - 20, c - 25) < 18
    magnitude = shaded(shape, spacing, 0.6) * np.where(gallbladder, contrast, 1.0)
    magnitude *= 1 + 0.05 * np.random.default_rng(1).standard_normal(shape)
    found = drawn(even(shape, spacing, magnitude=[magnitude]), disc(shape, spacing, 75)[None], Reason.VESSEL)[0]
    assert np.all(found[gallbladder])
    assert (found & ~dilate(gallbladder, 5.0, spacing) & disc(shape, spacing, 65)).sum() < 60


@pytest.mark.parametrize("snr", [5, 10, 20, 50])
@pytest.mark.parametrize("blur", [0.0, 1.0], ids=["white", "blurred"])
def test_noise_is_no_vessel(snr: int, blur: float) -> None:
    # catches: a threshold that eats noisy but even livers; the bound of 5 % is the demand
    shape, spacing = (128, 128), (1.5625, 1.5625)
    shares = []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        noise = correlated_noise(rng, (1, *shape), blur)[0] if blur else rng.standard_normal(shape)
        magnitude = np.abs(shaded(shape, spacing, 0.8) * (1 + noise / snr))
        inner = disc(shape, spacing, 65.0)
        found = drawn(even(shape, spacing, magnitude=[magnitude]), disc(shape, spacing, 75.0)[None], Reason.VESSEL)[0]
        shares.append((found & inner).sum() / inner.sum())
    assert np.mean(shares) < 0.05


def test_a_perfectly_even_liver_has_no_vessel() -> None:
    # catches: division by a spread of zero
    shape, spacing = (80, 80), (2.0, 2.0)
    for level in (100.0, 0.0):
        exam = even(shape, spacing, magnitude=[np.full(shape, level)])
        assert not drawn(exam, disc(shape, spacing, 60)[None], Reason.VESSEL).any()


# ---------------------------------------------------------------- confidence, value, signal


def test_confidence_of_exactly_the_threshold_is_kept_and_unknown_is_dropped() -> None:
    shape, spacing = (80, 80), (2.0, 2.0)
    confidence = np.full(shape, 0.95)
    confidence[40, 30], confidence[40, 40], confidence[40, 50] = 0.949, np.nan, 1.0
    found = drawn(even(shape, spacing, confidence=[confidence]), disc(shape, spacing, 60)[None], Reason.LOW_CONFIDENCE)
    assert np.argwhere(found[0]).tolist() == [[40, 30], [40, 40]]


def test_without_a_map_the_rule_drops_nothing() -> None:
    shape, spacing = (80, 80), (2.0, 2.0)
    exam = exam_of([np.full(shape, 2.5)] * 2, confidence=[None, np.zeros(shape)], spacing_mm=spacing)
    liver = np.stack([disc(shape, spacing, 60)] * 2)
    found = drawn(exam, liver, Reason.LOW_CONFIDENCE)
    assert not found[0].any()
    assert np.array_equal(found[1], liver[1])


@pytest.mark.parametrize("value", [np.nan, 0.0, -1.0, np.inf])
def test_pixels_without_value_are_dropped(value: float) -> None:
    shape, spacing = (80, 80), (2.0, 2.0)
    stiffness = np.full(shape, 2.5)
    stiffness[40:45, 40:45] = value
    found = drawn(even(shape, spacing, stiffness=[stiffness]), disc(shape, spacing, 60)[None], Reason.NO_VALUE)[0]
    assert np.array_equal(found, ~(np.isfinite(stiffness) & (stiffness > 0)))


def test_a_slice_without_map_is_dropped_whole() -> None:
    shape, spacing = (80, 80), (2.0, 2.0)
    exam = exam_of([np.full(shape, 2.5), None], spacing_mm=spacing)  # type: ignore[list-item]
    liver = np.stack([disc(shape, spacing, 60)] * 2)
    roi = draw_roi(exam, mask_of(liver))
    assert roi.keep[0].any() and not roi.keep[1].any()
    assert np.all(roi.dropped[1][liver[1]] & Reason.NO_VALUE)


def test_pixels_as_dark_as_the_background_are_dropped() -> None:
    # catches: a threshold in absolute numbers; judging without a background to compare with
    shape, spacing = (128, 128), (2.0, 2.0)
    rng = np.random.default_rng(0)
    air = np.hypot(*rng.standard_normal((2, *shape)))
    void = disc(shape, spacing, 12)
    for scale in (1.0, 1e-4, 1e4):
        body = np.where(disc(shape, spacing, 100) & ~void, 40.0, air)
        exam = even(shape, spacing, magnitude=[scale * body])
        found = drawn(exam, disc(shape, spacing, 60)[None], Reason.LOW_SIGNAL)[0]
        assert found[void].mean() > 0.7  # Rayleigh: 0.83 of it lies below 1.5 times its mean
        assert not found[~void].any()
    zeroed = np.where(disc(shape, spacing, 100), body, 0)
    assert not drawn(even(shape, spacing, magnitude=[zeroed]), disc(shape, spacing, 60)[None], Reason.LOW_SIGNAL).any()


# ---------------------------------------------------------------- hot spots


SHAPE, SPACING = (120, 120), (2.0, 2.0)
LIVER = disc(SHAPE, SPACING, 90.0)


def spot(row_mm: float, column_mm: float, radius_mm: float) -> np.ndarray:
    r, c = positions_mm(SHAPE, SPACING)
    return np.hypot(r - row_mm, c - column_mm) <= radius_mm


def liver_with(where: np.ndarray, kpa: float, spread: float = 0.1, seed: int = 0) -> Exam:
    noise = correlated_noise(np.random.default_rng(seed), (1, *SHAPE), 3)[0]
    return even(SHAPE, SPACING, stiffness=[np.where(where, kpa, 2.5 * np.exp(spread * noise))])


def test_a_hot_spot_under_the_driver_is_dropped() -> None:
    where = spot(0, -68, 8)  # the patient's right is where columns are low
    found = drawn(liver_with(where, 6.0), LIVER[None], Reason.HOT_SPOT)[0]
    assert (found & where).sum() > 0.95 * where.sum()
    assert (found & ~where).sum() == 0


@pytest.mark.parametrize(
    ("where", "why"),
    [
        (spot(0, 68, 8), "left side: no driver there"),
        (spot(45, 50, 8), "left back"),
        (spot(0, 0, 8), "deep in the liver: a lesion is for people to see, not for the rule"),
        (spot(0, -70, 2.5), "smaller than any spot"),
    ],
    ids=lambda x: x if isinstance(x, str) else "",
)
def test_other_stiff_places_stay(where: np.ndarray, why: str) -> None:
    assert not drawn(liver_with(where, 6.0), LIVER[None], Reason.HOT_SPOT).any(), why


@pytest.mark.parametrize("seed", range(5))
def test_uneven_stiff_livers_stay_whole(seed: int) -> None:
    # catches: a bare ratio to the median: 1.8 lies within the spread of such a liver
    noise = correlated_noise(np.random.default_rng(seed), (1, *SHAPE), 4)[0]
    exam = even(SHAPE, SPACING, stiffness=[6.0 * np.exp(0.35 * noise)])
    assert drawn(exam, LIVER[None], Reason.HOT_SPOT).sum() < 0.005 * LIVER.sum()


def test_a_stiff_right_half_is_no_hot_spot() -> None:
    where = positions_mm(SHAPE, SPACING)[1] < -35
    assert not drawn(liver_with(where, 6.0), LIVER[None], Reason.HOT_SPOT).any()


# ---------------------------------------------------------------- specks, lobes


def test_islands_below_the_smallest_area_are_specks() -> None:
    # catches: an area counted in pixels; islands dropped without their bit
    for step in (1.0, 2.0):
        shape, spacing = (round(200 / step),) * 2, (step, step)
        r, c = positions_mm(shape, spacing)
        small, large = np.maximum(abs(r), abs(c + 40)) < 4.5, np.maximum(abs(r), abs(c - 40)) < 7
        exam = even(shape, spacing, confidence=[np.where(small | large, 1.0, 0.0)])
        roi = draw_roi(exam, mask_of(disc(shape, spacing, 90)[None]), RoiSettings(speck_mm2=100.0))
        assert np.array_equal(roi.dropped[0] == Reason.SPECK, small)
        assert np.array_equal(roi.keep[0], large)


def test_right_lobe_only_drops_the_patients_left() -> None:
    shape, spacing = (100, 100), (2.0, 2.0)
    c = positions_mm(shape, spacing)[1]
    body = np.where(disc(shape, spacing, 95), 100.0, 1.0)
    exam = even(shape, spacing, magnitude=[body])
    assert not drawn(exam, disc(shape, spacing, 60)[None], Reason.LEFT_LOBE).any()
    found = drawn(exam, disc(shape, spacing, 60)[None], Reason.LEFT_LOBE, right_lobe_only=True)[0]
    assert np.array_equal(found, disc(shape, spacing, 60) & (c > -20))


# ---------------------------------------------------------------- grid operations


def test_dilation_is_a_disc_in_mm() -> None:
    mask = np.zeros((41, 41), bool)
    mask[20, 20] = True
    r, c = (np.arange(41) - 20) * 1.0, (np.arange(41) - 20) * 2.0
    assert np.array_equal(dilate(mask, 6.0, (1.0, 2.0)), np.hypot(r[:, None], c) <= 6.0)
    corner = np.zeros((5, 5), bool)
    corner[0, 0] = True
    assert dilate(corner, 100.0, (1.0, 1.0)).all()


def test_islands_and_holes_by_size() -> None:
    mask = np.zeros((12, 12), bool)
    mask[1:4, 1:4], mask[6:11, 6:11], mask[8, 8], mask[0, 11] = True, True, False, True
    assert islands(mask, 9, at_least=True).sum() == 9 + 24
    assert np.argwhere(islands(mask, 9, at_least=False)).tolist() == [[0, 11]]
    assert np.argwhere(small_holes(mask, 1)).tolist() == [[8, 8]]
    assert not small_holes(np.ones((3, 3), bool), 9).any()
