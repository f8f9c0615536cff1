"""The way to the network grid and back."""

import itertools

import numpy as np
import pytest

from livermre.exam.plane import Plane
from livermre.segment.grid import STRIDE, is_axial, network_grid

AXIAL = Plane((60, 80), (2.0, 1.5), (0, 0, 0), (0, 1, 0), (1, 0, 0), 5)


def blob(plane: Plane, centre_mm: tuple[float, float], width_mm: float = 25.0) -> np.ndarray:
    """A Gaussian at a world place, as this plane sees it."""
    r, c = np.meshgrid(*(np.arange(n) for n in plane.shape), indexing="ij")
    world = plane.world_mm(r, c)
    d2 = (world[..., 0] - centre_mm[0]) ** 2 + (world[..., 1] - centre_mm[1]) ** 2
    return np.exp(-d2 / 2 / width_mm**2)


def test_sides_are_multiples_of_the_stride_for_any_matrix() -> None:
    for shape, spacing in itertools.product(((48, 64), (100, 256), (317, 211)), ((1.0, 1.0), (4.4, 1.1))):
        plane = Plane(shape, spacing, (0, 0, 0), (0, 1, 0), (1, 0, 0), 5)
        assert all(n % STRIDE == 0 for n in network_grid(plane, 4.0).down(np.ones(shape)).shape)


def test_a_flat_image_stays_flat_inside_and_zero_outside() -> None:
    plane = Plane((50, 60), (2.0, 1.5), (0, 0, 0), (0, 1, 0), (1, 0, 0), 5)
    down = network_grid(plane, 4.0).down(np.full(plane.shape, 7.0))
    assert set(np.unique(np.round(down, 4))) == {np.float32(0.0), np.float32(7.0)}
    rows, columns = (down > 0).any(1).sum(), (down > 0).any(0).sum()
    # cells whose centre lies within half a cell of the 100 x 90 mm image
    assert (rows, columns) == (26, 24)


@pytest.mark.parametrize("spacing", [(1.5, 1.5), (4.0, 4.0), (6.0, 5.0)])
def test_there_and_back_keeps_a_smooth_image_in_place(spacing: tuple[float, float]) -> None:
    shape = (round(360 / spacing[0]), round(330 / spacing[1]))
    plane = Plane(shape, spacing, (0, 0, 0), (0, 1, 0), (1, 0, 0), 5)
    image = blob(plane, (150, 170), 40)
    back = (grid := network_grid(plane, 4.0)).up(grid.down(image))
    # twice triangle filtering of a 40 mm Gaussian lowers its peak by about (w^2/6 + w^2/6) / 40^2 for w = 4..6 mm
    assert np.abs(back - image).max() < 0.02


@pytest.mark.parametrize("transpose,rows,columns", list(itertools.product((False, True), repeat=3)))
def test_every_storage_order_of_one_body_reaches_the_network_alike(transpose: bool, rows: bool, columns: bool) -> None:
    """A mirrored liver would be the worst silent fault: the same world must give the same network image."""
    image = blob(AXIAL, (40, 70))
    reference = network_grid(AXIAL, 4.0).down(image)
    row, column = np.array([0.0, 1, 0]), np.array([1.0, 0, 0])
    origin, shape, spacing, stored = np.zeros(3), AXIAL.shape, AXIAL.spacing_mm, image
    if rows:
        origin, row, stored = origin + row * (shape[0] - 1) * spacing[0], -row, stored[::-1]
    if columns:
        origin, column, stored = origin + column * (shape[1] - 1) * spacing[1], -column, stored[:, ::-1]
    if transpose:
        row, column, stored, shape, spacing = column, row, stored.T, shape[::-1], spacing[::-1]
    plane = Plane(shape, spacing, tuple(origin), tuple(row), tuple(column), 5)
    grid = network_grid(plane, 4.0)
    np.testing.assert_allclose(grid.down(stored), reference, atol=1e-6)
    assert np.unravel_index(grid.up(reference).argmax(), plane.shape) == np.unravel_index(stored.argmax(), plane.shape)


def test_a_coronal_plane_is_not_axial() -> None:
    assert is_axial(AXIAL)
    assert not is_axial(Plane((10, 10), (1, 1), (0, 0, 0), (0, 0, -1), (1, 0, 0), 5))


def test_the_way_back_is_linear_interpolation_between_cells() -> None:
    plane = Plane((90, 120), (2.0, 1.5), (0, 0, 0), (0, 1, 0), (1, 0, 0), 5)
    cells = np.random.default_rng(0).random((64, 64), dtype=np.float32)
    row, column = ((np.arange(n) - (n - 1) / 2) * step for n, step in zip(plane.shape, plane.spacing_mm, strict=True))
    cell = (np.arange(64) - 31.5) * 4.0
    across = np.stack([np.interp(column, cell, line) for line in cells])
    expected = np.stack([np.interp(row, cell, line) for line in across.T], axis=1)
    np.testing.assert_allclose(network_grid(plane, 4.0).up(cells), expected, atol=1e-6)


@pytest.mark.parametrize("transpose,rows,columns", list(itertools.product((False, True), repeat=3)))
def test_a_window_is_cut_from_the_same_image(transpose: bool, rows: bool, columns: bool) -> None:
    row, column, shape, spacing = (0, 1 - 2 * rows, 0), (1 - 2 * columns, 0, 0), (60, 80), (2.0, 1.5)
    if transpose:
        row, column, shape, spacing = column, row, shape[::-1], spacing[::-1]
    grid = network_grid(Plane(shape, spacing, (0, 0, 0), row, column, 5), 4.0)
    cells = np.random.default_rng(0).random(grid.down(np.ones(shape)).shape, dtype=np.float32)
    for window in ((slice(5, 31), slice(12, 58)), (slice(0, 0), slice(3, 4)), (slice(None), slice(40, None))):
        assert np.array_equal(grid.up(cells, window), grid.up(cells)[window])
