"""The window that the network looks at: the body stays in it, air does not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livermre.segment.body import body_window
from livermre.segment.grid import STRIDE

SIDE = 96


def body(row: float, column: float, half_rows: float, half_columns: float, noise: float = 0.0) -> np.ndarray:
    """One squashed slice (1, 96, 96) of an ellipse at the foreground's level in Rician noise."""
    r, c = np.mgrid[:SIDE, :SIDE]
    inside = ((r - row) / half_rows) ** 2 + ((c - column) / half_columns) ** 2 <= 1
    rng = np.random.default_rng(0)
    image = np.hypot(inside + noise * rng.standard_normal(inside.shape), noise * rng.standard_normal(inside.shape))
    return (image / (image + 1))[None].astype(np.float32)


@given(st.floats(40, 56), st.floats(45, 51), st.floats(12, 40), st.floats(30, 44))
def test_the_body_is_inside_but_for_its_skin_and_the_sides_fit_the_network(
    row: float, column: float, half_rows: float, half_columns: float
) -> None:
    squashed = body(row, column, half_rows, half_columns)
    rows, columns = body_window(squashed)
    size = rows.stop - rows.start, columns.stop - columns.start
    assert all(n % STRIDE == 0 and n > 0 for n in size)
    assert rows.start >= 0 and rows.stop <= SIDE and columns.start >= 0 and columns.stop <= SIDE
    lost = squashed > 0.4
    lost[:, rows, columns] = False
    at = np.argwhere(lost[0])
    depth = 1 - np.hypot((at[:, 0] - row) / half_rows, (at[:, 1] - column) / half_columns)
    # one line, and the curved cap of a line that is too short to count, lie within a tenth of the smaller half axis
    assert depth.size == 0 or depth.max() * half_rows <= 3.0


def test_a_third_of_the_rows_is_saved_for_a_body_of_250_mm() -> None:
    rows, columns = body_window(body(47, 48, 31, 44))
    assert (rows.stop - rows.start, columns.stop - columns.start) == (64, 96)


def test_every_slice_counts() -> None:
    two = np.concatenate([body(30, 48, 15, 40), body(60, 48, 15, 40)])
    rows, _ = body_window(two)
    assert rows.start <= 16 and rows.stop >= 74


@pytest.mark.parametrize("squashed", [np.zeros((2, SIDE, SIDE)), body(48, 48, 0.1, 0.1, noise=1.0)])
def test_where_no_body_is_told_from_air_the_network_sees_all(squashed: np.ndarray) -> None:
    assert body_window(squashed.astype(np.float32)) == (slice(0, SIDE), slice(0, SIDE))


def test_noise_and_specks_of_air_do_not_widen_the_window() -> None:
    squashed = body(47, 48, 28, 40, noise=0.06)
    squashed[0, 2, 10:12] = 0.6
    assert body_window(squashed)[0] == body_window(body(47, 48, 28, 40))[0]
