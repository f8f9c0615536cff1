"""The region as a whole: laws that hold for every exam."""

from dataclasses import replace

import numpy as np
import pytest

from livermre.exam.errors import Contradiction, SettingsError
from livermre.exam.reasons import Reason
from livermre.exam.types import Exam, LiverMask, Roi
from livermre.roi import RoiSettings, draw_roi, draw_with_variants, given_roi, variants
from roi.exams import correlated_noise, disc, exam_of, mask_of

SHAPE, SPACING = (120, 120), (1.5, 1.5)


def busy_exam(seed: int = 0) -> tuple[Exam, LiverMask]:
    """Two slices with everything in it: vessels, low confidence, missing values, a hot spot, a slice without liver."""
    rng = np.random.default_rng(seed)
    stiffness = 2.5 + 0.3 * correlated_noise(rng, (3, *SHAPE), 4)
    magnitude = 100 + 3 * rng.standard_normal((3, *SHAPE))
    confidence = np.clip(0.985 + 0.02 * correlated_noise(rng, (3, *SHAPE), 4), 0, 1)
    magnitude[:, 55:60, 50:75] = 170
    stiffness[0, 40:50, 40:50], confidence[0, 45:55, 40:50] = np.nan, 0.5
    stiffness[1, 50:60, 28:36] = 9
    confidence[0, 72:90, 72:90], confidence[0, 80:84, 80:84] = 0.5, 1.0
    liver = np.stack([disc(SHAPE, SPACING, 60), disc(SHAPE, SPACING, 60), np.zeros(SHAPE, bool)])
    exam = exam_of(list(stiffness), list(magnitude), list(confidence), SPACING)
    return exam, mask_of(liver)


def test_every_liver_pixel_is_kept_or_has_a_reason() -> None:
    # catches: a rule that drops without a bit, a bit on a kept pixel, bits or kept pixels outside the liver
    exam, liver = busy_exam()
    roi = draw_roi(exam, liver)
    assert np.array_equal(roi.keep | (roi.dropped > 0), liver.liver)
    assert not np.any(roi.keep & (roi.dropped > 0))
    seen = np.bitwise_or.reduce(roi.dropped, axis=None)
    expected = Reason.EDGE | Reason.VESSEL | Reason.LOW_CONFIDENCE | Reason.NO_VALUE | Reason.HOT_SPOT | Reason.SPECK
    assert Reason(int(seen)) == expected


def test_a_pixel_carries_all_its_reasons() -> None:
    # catches: the first rule wins, or bits added so that two make a third
    exam, liver = busy_exam()
    roi = draw_roi(exam, liver)
    missing = np.isnan(exam.stiffness_kpa) & liver.liver
    low = (exam.confidence < 0.95) & liver.liver
    assert np.array_equal((roi.dropped & Reason.NO_VALUE) > 0, missing)
    assert np.array_equal((roi.dropped & Reason.LOW_CONFIDENCE) > 0, low)
    assert np.any(missing & low)


@pytest.mark.parametrize("turn", [lambda a: a[..., ::-1], lambda a: a[:, ::-1]], ids=["columns", "rows"])
def test_mirrored_array_with_its_plane_gives_the_mirrored_region(turn) -> None:
    # catches: "right" or "front" taken from the array instead of from the patient; a crop off by one
    exam, liver = busy_exam()
    mirrored = Exam(tuple(mirror(s, turn) for s in exam.slices), exam.acquisition, exam.pseudonym)
    there = draw_roi(exam, liver, RoiSettings(right_lobe_only=True))
    back = draw_roi(mirrored, mask_of(turn(liver.liver)), RoiSettings(right_lobe_only=True))
    different = np.count_nonzero(turn(back.keep) != there.keep)
    assert different <= 0.005 * there.keep.sum()  # box filters of even size lie half a pixel off after a mirror
    assert np.array_equal(turn(back.dropped) & Reason.HOT_SPOT, there.dropped & Reason.HOT_SPOT)
    assert np.array_equal(turn(back.dropped) & Reason.LEFT_LOBE, there.dropped & Reason.LEFT_LOBE)
    assert np.any(there.dropped & Reason.HOT_SPOT)


def mirror(slice_, turn):
    plane = slice_.plane
    if turn(np.arange(4).reshape(1, 2, 2)).ravel()[0] == 1:  # columns
        corner, direction = (0, plane.shape[1] - 1), "to_next_column"
    else:
        corner, direction = (plane.shape[0] - 1, 0), "to_next_row"
    flipped = tuple(-x for x in getattr(plane, direction))
    moved = replace(plane, origin_mm=tuple(plane.world_mm(*corner)), **{direction: flipped})
    images = [turn(getattr(slice_, n)[None])[0] for n in ("magnitude", "stiffness_kpa", "confidence")]
    return replace(slice_, plane=moved, magnitude=images[0], stiffness_kpa=images[1], confidence=images[2])


def test_same_input_gives_the_same_bytes() -> None:
    exam, liver = busy_exam()
    first, second = draw_roi(exam, liver), draw_roi(exam, liver)
    assert first.keep.tobytes() == second.keep.tobytes()
    assert first.dropped.tobytes() == second.dropped.tobytes()


def test_inputs_are_left_alone() -> None:
    exam, liver = busy_exam()
    before = [a.copy() for a in (liver.liver, exam.magnitude, exam.stiffness_kpa)]
    draw_with_variants(exam, liver)
    for old, new in zip(before, (liver.liver, exam.magnitude, exam.stiffness_kpa), strict=True):
        assert np.array_equal(old, new, equal_nan=old.dtype != bool)


def test_mask_of_another_shape_is_refused() -> None:
    exam, _ = busy_exam()
    small = mask_of(np.ones((1, 10, 10), bool))
    with pytest.raises(Contradiction, match=r"liver mask is 1 x 10 x 10 .* but the exam is 3 x 120 x 120"):
        draw_roi(exam, small)
    with pytest.raises(Contradiction, match=r"the region is 1 x 10 x 10"):
        given_roi(exam, small.liver)


@pytest.mark.parametrize("change", [{"erode_mm": -1.0}, {"erode_mm": float("nan")}, {"confidence_threshold": 1.2}])
def test_impossible_settings_are_refused(change: dict) -> None:
    with pytest.raises(SettingsError, match=next(iter(change))):
        RoiSettings(**change)


def test_a_given_region_is_measured_as_it_is_but_never_without_value() -> None:
    # catches: margin or confidence applied to what a person drew; NaN pixels counted
    exam, liver = busy_exam()
    roi = given_roi(exam, liver.liver.astype(np.uint8))
    missing = np.isnan(exam.stiffness_kpa)
    assert roi.author == "given"
    assert np.array_equal(roi.keep, liver.liver & ~missing)
    assert np.array_equal(roi.dropped == Reason.NO_VALUE, liver.liver & missing)


def test_variants_move_one_choice_each() -> None:
    # catches: changes that pile up, a wrong sign, a redraw that loses the other settings
    exam, liver = busy_exam()
    roi, redraws = draw_with_variants(exam, liver)
    assert [same(a, b) for a, b in zip(redraws, variants(exam, liver), strict=True)] == [True] * 6
    assert same(roi, draw_roi(exam, liver))
    settings = [replace(RoiSettings(), erode_mm=m) for m in (8.0, 12.0, 7.0, 13.0)]
    assert all(same(r, rules_of(exam, liver, s)) for r, s in zip(redraws, settings, strict=False))
    area = [int(r.keep.sum()) for r in redraws]
    assert area[2] > area[0] > roi.keep.sum() > area[1] > area[3]
    assert area[4] > roi.keep.sum() > area[5]


def rules_of(exam: Exam, liver: LiverMask, settings: RoiSettings) -> Roi:
    """Redraw with hot spots as the unchanged settings see them: the variants share that costly rule."""
    from livermre.roi.region import compose, prepare

    return compose(prepare(exam, liver, RoiSettings()), exam.shape, settings)


def same(a: Roi, b: Roi) -> bool:
    return np.array_equal(a.keep, b.keep) and np.array_equal(a.dropped, b.dropped)


def test_an_empty_liver_gives_an_empty_region() -> None:
    exam, liver = busy_exam()
    roi, redraws = draw_with_variants(exam, mask_of(np.zeros_like(liver.liver)))
    assert not any(r.keep.any() or r.dropped.any() for r in (roi, *redraws))
