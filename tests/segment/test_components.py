"""One liver out of a probability map."""

import numpy as np
import pytest
from scipy import ndimage

from livermre.segment.components import one_liver


def disc(shape: tuple[int, int], centre: tuple[int, int], radius: float) -> np.ndarray:
    r, c = np.ogrid[: shape[0], : shape[1]]
    return (r - centre[0]) ** 2 + (c - centre[1]) ** 2 <= radius**2


def test_a_small_loop_of_bowel_far_away_is_left_out_and_a_left_lobe_kept() -> None:
    p = np.zeros((1, 100, 100))
    p[0][disc((100, 100), (40, 30), 20)] = 0.9
    p[0][disc((100, 100), (30, 70), 8)] = 0.8
    p[0][disc((100, 100), (85, 85), 4)] = 0.9
    liver = one_liver(p, 4.0)
    assert liver[0, 40, 30] and liver[0, 30, 70] and not liver[0, 85, 85]


def test_pieces_of_one_liver_joined_in_the_next_slice_stay() -> None:
    p = np.zeros((2, 60, 60))
    p[0, 5:50, 10:40] = 0.9
    p[1, 5:9, 10:14] = 0.9  # touches the first slice's liver from above
    assert one_liver(p, 4.0)[1].sum() == 16


def test_specks_beside_a_slices_liver_go_even_where_the_next_slice_joins_them() -> None:
    p = np.zeros((2, 60, 60))
    p[0, 5:50, 10:40] = 0.9
    p[1, 5:30, 10:25] = 0.9
    p[1, 40:46, 30:36] = 0.9  # 36 px of 4 mm2: a speck above the first slice's liver
    p[1, 40:47, 12:19] = 0.9  # 49 px: larger than a speck
    liver = one_liver(p, 4.0)
    assert not liver[1, 42, 32] and liver[1, 42, 14] and liver[1, 10, 12]


def test_vessel_holes_are_filled_and_a_fissure_is_not() -> None:
    p = np.zeros((1, 80, 80))
    p[0, 10:70, 10:70] = 0.9
    p[0, 20:24, 20:24] = 0.1  # 16 px of 4 mm2: a vessel
    p[0, 40:60, 30:50] = 0.1  # 1600 mm2: no vessel
    liver = one_liver(p, 4.0)[0]
    assert liver[21, 21] and not liver[50, 40]


def test_nothing_stays_nothing() -> None:
    assert not one_liver(np.zeros((2, 9, 9)), 1.0).any()


def plainly(probability: np.ndarray, pixel_mm2: float) -> np.ndarray:
    """The same rules over the whole images, piece by piece."""
    pieces, count = ndimage.label(probability >= 0.5, ndimage.generate_binary_structure(3, 2))
    sizes = [int((pieces == i).sum()) for i in range(1, count + 1)]
    liver = np.isin(pieces, [i for i, n in enumerate(sizes, 1) if n >= 0.1 * max(sizes)])
    for mask in liver:
        parts, count = ndimage.label(mask, np.ones((3, 3)))
        sizes = [int((parts == i).sum()) for i in range(1, count + 1)]
        for i, n in enumerate(sizes, 1):
            if n * pixel_mm2 <= 150 and n < max(sizes):
                mask[parts == i] = False
        around, count = ndimage.label(~mask)
        for i in range(1, count + 1):
            hole = around == i
            rim = hole[0].any() or hole[-1].any() or hole[:, 0].any() or hole[:, -1].any()
            if not rim and hole.sum() * pixel_mm2 <= 150:
                mask[hole] = True
    return liver


@pytest.mark.parametrize("seed", range(8))
def test_the_rules_hold_wherever_the_liver_lies_and_whatever_the_image_cuts_off(seed: int) -> None:
    """Odd seeds lie across a corner of the image; every one has holes, bays, specks and second pieces."""
    rng = np.random.default_rng(seed)
    noise = ndimage.gaussian_filter(rng.standard_normal((3, 60, 70)), (0.5, 1.5, 1.5))
    r, c = np.ogrid[:60, :70]
    centre = rng.uniform(0, 12, 2) if seed % 2 else rng.uniform(25, 35, 2)
    p = 0.5 + noise / noise.std() / 2 + 1.2 - np.hypot(r - centre[0], c - centre[1]) / 14
    found, expected = one_liver(p, 20.0), plainly(p, 20.0)
    assert expected.any() and (expected != (p >= 0.5)).any()
    assert np.array_equal(found, expected)
