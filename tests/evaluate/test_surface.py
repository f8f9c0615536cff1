"""Distances between borders against numbers known by hand, MONAI's, and a brute force that shares no code."""

import itertools

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from livermre.evaluate.surface import distance_of_slices, exam_distance, slice_distance
from livermre.exam.errors import Contradiction, SettingsError


def squares() -> tuple[np.ndarray, np.ndarray]:
    a, b = np.zeros((2, 30, 40), bool)
    a[5:15, 5:15] = True
    b[5:15, 8:18] = True
    return a, b


def ellipses() -> tuple[np.ndarray, np.ndarray]:
    y, x = np.mgrid[:48, :64]
    return ((y - 24) / 15) ** 2 + ((x - 30) / 22) ** 2 <= 1, ((y - 22) / 14) ** 2 + ((x - 33) / 20) ** 2 <= 1


def balls() -> tuple[np.ndarray, np.ndarray]:
    z, y, x = np.mgrid[:12, :40, :44] * np.array([5, 1.5, 1.8]).reshape(3, 1, 1, 1)
    a = ((z - 30) / 25) ** 2 + ((y - 30) / 25) ** 2 + ((x - 36) / 25) ** 2 <= 1
    return a, ((z - 30) / 20) ** 2 + ((y - 31.5) / 22) ** 2 + ((x - 39.6) / 24) ** 2 <= 1


def slab() -> tuple[np.ndarray, np.ndarray]:
    z, y, x = np.mgrid[:4, :40, :44]
    a = ((y - 20 - z) / 14) ** 2 + ((x - 20) / 16) ** 2 <= 1
    return a, ((y - 21) / 13) ** 2 + ((x - 22 + z) / 15) ** 2 <= 1


def brute(a: np.ndarray, b: np.ndarray, spacing: tuple, tolerance: float, axes: tuple) -> tuple:
    """Border pixel by pixel, distance pair by pair, percentile by its definition."""

    def border(mask: np.ndarray) -> list:
        points = []
        for place in itertools.product(*map(range, mask.shape)):
            if not mask[place]:
                continue
            for axis, step in itertools.product(axes, (-1, 1)):
                near = list(place)
                near[axis] += step
                if not 0 <= near[axis] < mask.shape[axis] or not mask[tuple(near)]:
                    points.append([p * s for p, s in zip(place, spacing, strict=True)])
                    break
        return points

    def directed(from_: list, to: list) -> list:
        return sorted(min(sum((u - v) ** 2 for u, v in zip(p, q, strict=True)) ** 0.5 for q in to) for p in from_)

    def percentile(d: list) -> float:
        k = 0.95 * (len(d) - 1)
        low = int(k)
        return d[low] + (k - low) * (d[min(low + 1, len(d) - 1)] - d[low])

    there, back = directed(border(a), border(b)), directed(border(b), border(a))
    both = there + back
    return (
        max(percentile(there), percentile(back)),
        max(both),
        sum(both) / len(both),
        sum(d <= tolerance + 1e-9 for d in both) / len(both),
    )


def numbers(found) -> tuple:
    return found.hd95_mm, found.hd_mm, found.assd_mm, found.surface_dice


def test_shifted_squares_are_known_by_hand() -> None:
    """10 x 10 squares, 3 columns of 2 mm apart: 36 border points each, 18 at 6 mm or nearly, counted on paper."""
    found = slice_distance(*squares(), (1.5, 2.0), tolerance_mm=3)
    # of a's points: 14 on rows shared with b at 0; columns 5, 6, 7 of two rows at 6, 4, 2; column 5's other 8 at 6;
    # column 14's other 8: to the nearer of b's rows (1.5, 3, 4.5, 6 mm) or columns (6 mm)
    own = [0] * 14 + [6, 4, 2] * 2 + [6] * 8 + [1.5, 3, 4.5, 6] * 2
    assert numbers(found) == pytest.approx((6, 6, np.mean(own), np.mean(np.array(own) <= 3)))


@pytest.mark.parametrize(
    ("shapes", "spacing", "monai"),
    [  # compute_hausdorff_distance (percentile 95, then none), compute_average_surface_distance (symmetric),
        # compute_surface_dice at 3 mm, of MONAI 1.6.1, float32
        (squares, (1.5, 2.0), (6.0, 6.0, 2.8333332538604736, 0.5555555820465088)),
        (ellipses, (1.7, 1.3), (7.283543109893799, 7.335529804229736, 3.3316469192504883, 0.4650000035762787)),
        (balls, (5.0, 1.5, 1.8), (5.830951690673828, 6.852736473083496, 3.43149733543396, 0.38856303691864014)),
        (slab, (10.0, 1.5, 1.8), (3.4985711574554443, 5.762811660766602, 0.439668744802475, 0.9561042785644531)),
    ],
)
def test_the_numbers_are_monais(shapes, spacing: tuple, monai: tuple) -> None:
    a, b = shapes()
    if a.ndim == 2:
        found = slice_distance(a, b, spacing, tolerance_mm=3)
    else:
        found = exam_distance(a, b, spacing, tolerance_mm=3, neighbours="volume")
    assert numbers(found) == pytest.approx(monai, rel=1e-6)


def test_the_cut_faces_of_a_slab_are_no_border_by_default() -> None:
    """Four slices 10 mm apart: as a volume their faces, at distance 0 from each other, hide the contours' 2 mm."""
    contours = exam_distance(*slab(), (10, 1.5, 1.8), tolerance_mm=3)
    volume = exam_distance(*slab(), (10, 1.5, 1.8), tolerance_mm=3, neighbours="volume")
    slices = distance_of_slices(*slab(), (1.5, 1.8), tolerance_mm=3)
    assert contours.assd_mm == pytest.approx(np.mean([s.assd_mm for s in slices]), rel=0.02)
    assert volume.assd_mm < 0.25 * contours.assd_mm


@pytest.mark.parametrize("pixel_mm", [1, 0.5])
def test_concentric_balls_lie_apart_by_the_difference_of_their_radii(pixel_mm: float) -> None:
    n = int(22 / pixel_mm) + 1
    z, y, x = np.mgrid[-n // 2 - 1 : n // 2 + 2, -n : n + 1, -n : n + 1] * pixel_mm
    r = np.sqrt((2 * z) ** 2 + y**2 + x**2)
    spacing = (2 * pixel_mm, pixel_mm, pixel_mm)
    found = exam_distance(r <= 20, r <= 15, spacing, tolerance_mm=7, neighbours="volume")
    # border pixels lie up to one step across a face (here 2 pixels along z) inside their sphere: the error is of the
    # order of half a pixel and falls with it
    assert found.assd_mm == pytest.approx(5, abs=0.45 * pixel_mm)
    assert found.hd95_mm == pytest.approx(5, abs=0.45 * pixel_mm)
    assert found.surface_dice == 1
    assert exam_distance(r <= 20, r <= 15, spacing, tolerance_mm=3, neighbours="volume").surface_dice == 0


def test_a_missed_slice_lies_a_slice_away_in_the_exam_and_nowhere_in_itself() -> None:
    a = np.zeros((3, 12, 12), bool)
    a[:, 3:9, 3:9] = True
    b = a.copy()
    b[2] = False
    exam = exam_distance(b, a, (10, 1, 1), tolerance_mm=1)
    assert exam.hd_mm == 10
    last = distance_of_slices(b, a, (1, 1), tolerance_mm=1)[2]
    assert (last.hd95_mm, last.assd_mm, last.surface_dice, last.case) == (None, None, 0, "missed")


@settings(max_examples=40, deadline=None)
@given(arrays.arrays(bool, (2, 3, 5, 5)), st.sampled_from([(1, 1, 1), (10, 1.5, 0.7)]), st.sampled_from([0.7, 1.5, 3]))
def test_a_brute_force_gives_the_same(both: np.ndarray, spacing: tuple, tolerance: float) -> None:
    a, b = both
    assume(a.any() and b.any())
    for neighbours, axes in (("slice", (1, 2)), ("volume", (0, 1, 2))):
        found = exam_distance(a, b, spacing, tolerance_mm=tolerance, neighbours=neighbours)
        assert numbers(found) == pytest.approx(brute(a, b, spacing, tolerance, axes))
    if a[0].any() and b[0].any():
        flat = slice_distance(a[0], b[0], spacing[1:], tolerance_mm=tolerance)
        assert numbers(flat) == pytest.approx(brute(a[0], b[0], spacing[1:], tolerance, (0, 1)))


@settings(max_examples=40, deadline=None)
@given(arrays.arrays(bool, (2, 6, 6)), st.floats(0.2, 5))
def test_laws_of_distance(both: np.ndarray, scale: float) -> None:
    a, b = both
    assume(a.any() and b.any())
    one = slice_distance(a, b, (1, 2), tolerance_mm=1)
    assert numbers(one) == pytest.approx(numbers(slice_distance(b, a, (1, 2), tolerance_mm=1)))
    larger = slice_distance(a, b, (scale, 2 * scale), tolerance_mm=scale)
    assert (larger.hd95_mm, larger.assd_mm) == pytest.approx((scale * one.hd95_mm, scale * one.assd_mm))
    assert larger.surface_dice == pytest.approx(one.surface_dice)
    moved = slice_distance(*(np.pad(m, 4) for m in (a, b)), (1, 2), tolerance_mm=1)
    assert numbers(moved) == pytest.approx(numbers(one))
    assert max(one.assd_mm, one.hd95_mm) <= one.hd_mm + 1e-9
    assert numbers(slice_distance(a, a, (1, 2), tolerance_mm=0)) == (0, 0, 0, 1)


@pytest.mark.parametrize(
    ("found", "true", "case", "share"), [(0, 0, "empty", None), (0, 1, "missed", 0), (1, 0, "invented", 0)]
)
def test_the_rule_for_empty_masks(found: int, true: int, case: str, share: float | None) -> None:
    made = slice_distance(np.full((4, 4), found), np.full((4, 4), true), (1, 1), tolerance_mm=1)
    assert (made.hd95_mm, made.hd_mm, made.assd_mm, made.surface_dice, made.case) == (None, None, None, share, case)
    assert made.reason is not None and "empty" in made.reason


def test_wrong_input_is_refused() -> None:
    one = np.ones((4, 4))
    with pytest.raises(Contradiction, match="one shape"):
        slice_distance(one, np.ones((4, 5)), (1, 1), tolerance_mm=1)
    with pytest.raises(Contradiction, match=r"\[row, column\], found an array of shape \(2, 4, 4\)"):
        slice_distance(np.ones((2, 4, 4)), np.ones((2, 4, 4)), (1, 1), tolerance_mm=1)
    with pytest.raises(SettingsError, match="above 0 mm"):
        slice_distance(one, one, (1, -1), tolerance_mm=1)
    with pytest.raises(SettingsError, match="length in mm"):
        slice_distance(one, one, (1, 1), tolerance_mm=float("nan"))
    with pytest.raises(SettingsError, match='"slice" or "volume"'):
        exam_distance(one[None], one[None], (1, 1, 1), tolerance_mm=1, neighbours="face")  # type: ignore[arg-type]
