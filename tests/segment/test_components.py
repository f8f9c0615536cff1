"""One liver out of a probability map."""

import numpy as np

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
