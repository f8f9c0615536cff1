"""Between an image's own pixels and the grid that the network was trained on."""

from dataclasses import dataclass

import numpy as np

from livermre.exam.plane import Plane

STRIDE = 32
"""The encoder halves the image five times: both sides of its input must be multiples of 32."""

_KEPT = 0.95
"""The outermost 2.5 % on each side may fall off the network's grid where that saves a third of the work: a 400 mm field
of view then fits 96 cells of 4 mm instead of 128. The liver lies deeper than the skin."""

_AXIAL_LIMIT = 0.7
"""Cosine between the slice normal and the body axis below which a stack is not axial any more."""


@dataclass(frozen=True)
class NetworkGrid:
    """How one stack of images is turned and scaled for the network, and back.

    Images go in as rows front to back and columns right to left, `pixel_mm` apart, centred and padded with zeros.
    """

    shape: tuple[int, int]  # of the image, (rows, columns)
    turn: tuple[bool, bool, bool]  # transpose, then flip rows, flip columns
    to_network: tuple[np.ndarray, np.ndarray]  # (N, rows') and (M, columns') weights, rows sum to 1 inside the image
    to_image: tuple[np.ndarray, np.ndarray]  # (rows', N) and (columns', M) weights

    def down(self, image: np.ndarray) -> np.ndarray:
        """Images (..., R, C) on the network grid (..., N, M) float32, averaged where pixels get larger."""
        a, b = self.to_network
        return (a @ self._turned(image) @ b.T).astype(np.float32)

    def up(self, network_image: np.ndarray) -> np.ndarray:
        """Network output (..., N, M) back on the image's pixels (..., R, C) float32, linear."""
        a, b = self.to_image
        return np.ascontiguousarray(self._turned_back((a @ network_image @ b.T).astype(np.float32)))

    def _turned(self, image: np.ndarray) -> np.ndarray:
        transpose, rows, columns = self.turn
        image = np.swapaxes(image, -1, -2) if transpose else image
        image = image[..., ::-1, :] if rows else image
        return image[..., ::-1] if columns else image

    def _turned_back(self, image: np.ndarray) -> np.ndarray:
        transpose, rows, columns = self.turn
        image = image[..., ::-1, :] if rows else image
        image = image[..., ::-1] if columns else image
        return np.swapaxes(image, -1, -2) if transpose else image


def network_grid(plane: Plane, pixel_mm: float) -> NetworkGrid:
    """The grid for images of one plane."""
    turn = _turn(plane)
    shape, spacing = plane.shape, plane.spacing_mm
    if turn[0]:
        shape, spacing = (shape[1], shape[0]), (spacing[1], spacing[0])
    down, up = zip(*(_axis(n, s, pixel_mm) for n, s in zip(shape, spacing, strict=True)), strict=True)
    return NetworkGrid(plane.shape, turn, (down[0], down[1]), (up[0], up[1]))


def is_axial(plane: Plane) -> bool:
    """Whether the plane lies across the body."""
    return abs(float(plane.normal[2])) >= _AXIAL_LIMIT


def _turn(plane: Plane) -> tuple[bool, bool, bool]:
    """What makes rows run front to back (LPS +y) and columns right to left (LPS +x)."""
    row, column = np.asarray(plane.to_next_row), np.asarray(plane.to_next_column)
    transpose = abs(column[0]) < abs(row[0])
    if transpose:
        row, column = column, row
    return bool(transpose), bool(row[1] < 0), bool(column[0] < 0)


def _axis(pixels: int, spacing_mm: float, pixel_mm: float) -> tuple[np.ndarray, np.ndarray]:
    """Weights of one axis, there (N, pixels) and back (pixels, N)."""
    cells = int(np.ceil(_KEPT * pixels * spacing_mm / pixel_mm / STRIDE)) * STRIDE
    image_mm = (np.arange(pixels) - (pixels - 1) / 2) * spacing_mm
    cell_mm = (np.arange(cells) - (cells - 1) / 2) * pixel_mm
    # a triangle as wide as the larger of the two pixels: linear when refining, averaging when coarsening
    down = _triangle(cell_mm[:, None] - image_mm, max(pixel_mm, spacing_mm))
    reach = np.abs(cell_mm) <= pixels * spacing_mm / 2 + pixel_mm / 2
    down = np.where(reach[:, None], down / np.maximum(down.sum(1, keepdims=True), 1e-9), 0.0)
    # pixels beyond the outermost cells take the value of the last one
    nearest = np.clip(image_mm, cell_mm[0], cell_mm[-1])
    up = _triangle(nearest[:, None] - cell_mm, max(pixel_mm, spacing_mm))
    return down.astype(np.float32), (up / up.sum(1, keepdims=True)).astype(np.float32)


def _triangle(distance: np.ndarray, width: float) -> np.ndarray:
    return np.clip(1 - np.abs(distance) / width, 0.0, None)
