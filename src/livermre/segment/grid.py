"""Between an image's own pixels and the grid that the network was trained on."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from livermre.exam.plane import Plane

STRIDE = 32
"""The encoder halves the image five times: both sides of its input must be multiples of 32."""

_KEPT = 0.95
"""The outermost 2.5 % on each side may fall off the network's grid where that saves a third of the work: a 400 mm field
of view then fits 96 cells of 4 mm instead of 128. The liver lies deeper than the skin."""

EVERYWHERE = (slice(None), slice(None))

_AXIAL_LIMIT = 0.7
"""Cosine between the slice normal and the body axis below which a stack is not axial any more."""


@dataclass(frozen=True)
class Taps:
    """Weighted means along one axis: few of the pixels there are count for each that is made.

    Added up one after the other, not by a matrix product: an image has 250 pixels, five of which count, and the sums
    are the same to the last bit whatever library multiplies matrices.

    places   (N, K) int, neighbouring pixels, among them all that count
    weights  (N, K) float32, their weights
    """

    places: np.ndarray
    weights: np.ndarray

    def rows(self, image: np.ndarray) -> np.ndarray:
        """Means (..., N, C) down the columns of images (..., R, C)."""
        return _summed(image[..., p, :] * w[:, None] for p, w in self._each())

    def columns(self, image: np.ndarray) -> np.ndarray:
        """Means (..., R, N) along the rows of images (..., R, C)."""
        return _summed(image[..., p] * w for p, w in self._each())

    def part(self, window: slice) -> "Taps":
        """Those for a part of what is made."""
        return Taps(self.places[window], self.weights[window])

    def _each(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        return zip(self.places.T, self.weights.T, strict=True)


def _summed(parts: Iterator[np.ndarray]) -> np.ndarray:
    total = next(parts)
    for part in parts:
        total += part
    return total


@dataclass(frozen=True)
class NetworkGrid:
    """How one stack of images is turned and scaled for the network, and back.

    Images go in as rows front to back and columns right to left, `pixel_mm` apart, centred and padded with zeros.
    """

    shape: tuple[int, int]  # of the image, (rows, columns)
    turn: tuple[bool, bool, bool]  # transpose, then flip rows, flip columns
    to_network: tuple[Taps, Taps]  # rows' to N and columns' to M; weights sum to 1 inside the image
    to_image: tuple[Taps, Taps]  # N to rows' and M to columns'

    def down(self, image: np.ndarray) -> np.ndarray:
        """Images (..., R, C) on the network grid (..., N, M) float32, averaged where pixels get larger."""
        rows, columns = self.to_network
        return columns.columns(rows.rows(self._turned(image))).astype(np.float32)

    def up(self, network_image: np.ndarray, window: tuple[slice, slice] = EVERYWHERE) -> np.ndarray:
        """Network output (..., N, M) back on the image's pixels (..., R, C) float32, linear; or on a window of them."""
        rows, columns = (taps.part(w) for taps, w in zip(self.to_image, self._turned_window(window), strict=True))
        # the columns first: there are fewer rows then
        return np.ascontiguousarray(self._turned_back(rows.rows(columns.columns(network_image)).astype(np.float32)))

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

    def _turned_window(self, window: tuple[slice, slice]) -> tuple[slice, slice]:
        """The rows and columns, as they lie for the network, of a window of the image."""
        sizes = self.shape
        if self.turn[0]:
            window, sizes = window[::-1], sizes[::-1]
        first, second = (_mirrored(*turn) for turn in zip(window, sizes, self.turn[1:], strict=True))
        return first, second


def _mirrored(window: slice, size: int, mirror: bool) -> slice:
    start, stop, _ = window.indices(size)
    return slice(size - stop, size - start) if mirror else slice(start, stop)


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


def _axis(pixels: int, spacing_mm: float, pixel_mm: float) -> tuple[Taps, Taps]:
    """Of one axis, the way there and back."""
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
    return _taps(down), _taps(up / up.sum(1, keepdims=True))


def _taps(weights: np.ndarray) -> Taps:
    """Of a matrix of weights (N, pixels), in each row neighbours alone above 0."""
    counts = weights > 0
    most = max(int(counts.sum(1).max()), 1)
    places = np.minimum(counts.argmax(1), weights.shape[1] - most)[:, None] + np.arange(most)
    return Taps(places, np.take_along_axis(weights, places, axis=1).astype(np.float32))


def _triangle(distance: np.ndarray, width: float) -> np.ndarray:
    return np.clip(1 - np.abs(distance) / width, 0.0, None)
