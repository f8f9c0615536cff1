"""Masks as lines: outlines by marching squares and hatching, so that pages draw them sharp at any size."""

import numpy as np
from scipy import ndimage

# Corners of a cell a b / d c; edges T R B L between them. Each segment walks with the inside on one side, so every
# edge crossing starts exactly one segment and the segments link up without a search.
_T, _R, _B, _L = (0, 1), (1, 2), (2, 1), (1, 0)  # (half rows, half columns) from corner a
_SEGMENTS: dict[int, tuple[tuple[tuple[int, int], tuple[int, int]], ...]] = {
    1: ((_L, _T),),
    2: ((_T, _R),),
    4: ((_R, _B),),
    8: ((_B, _L),),
    3: ((_L, _R),),
    6: ((_T, _B),),
    12: ((_R, _L),),
    9: ((_B, _T),),
    7: ((_L, _B),),
    14: ((_T, _L),),
    13: ((_R, _T),),
    11: ((_B, _R),),
    5: ((_L, _T), (_R, _B)),
    10: ((_T, _R), (_B, _L)),
}


def outlines(mask: np.ndarray) -> list[np.ndarray]:
    """Closed outlines of a mask: (N, 2) arrays of (row, column) in pixels, pixel centres at whole numbers.

    The line runs half a pixel outside the outermost centres; stairs are softened by at most a quarter of a pixel.
    """
    links = _links(np.pad(np.asarray(mask, dtype=np.uint8), 1))
    loops = []
    while links:
        loop = _walk(links)
        points = np.array(loop, dtype=float) / 2 - 1  # half steps to pixels, less the padding
        loops.append((np.roll(points, 1, axis=0) + 2 * points + np.roll(points, -1, axis=0)) / 4)
    return loops


def _links(padded: np.ndarray) -> dict[tuple[int, int], tuple[int, int]]:
    code = padded[:-1, :-1] + 2 * padded[:-1, 1:] + 4 * padded[1:, 1:] + 8 * padded[1:, :-1]
    rows, columns = np.nonzero((code > 0) & (code < 15))
    links: dict[tuple[int, int], tuple[int, int]] = {}
    for row, column, c in zip((2 * rows).tolist(), (2 * columns).tolist(), code[rows, columns].tolist()):
        for start, end in _SEGMENTS[c]:
            links[row + start[0], column + start[1]] = (row + end[0], column + end[1])
    return links


def _walk(links: dict[tuple[int, int], tuple[int, int]]) -> list[tuple[int, int]]:
    start, at = links.popitem()
    loop = [start]
    while at != start:
        loop.append(at)
        at = links.pop(at)
    return loop


def hatching(mask: np.ndarray, step: int) -> np.ndarray:
    """Rising diagonal strokes over a mask: (N, 2, 2) of [start, end] (row, column), one stroke in `step` pixels."""
    rows, columns = np.nonzero(mask)
    chosen = (rows + columns) % step == 0
    rows, columns = rows[chosen], columns[chosen]
    if rows.size == 0:
        return np.zeros((0, 2, 2))
    order = np.lexsort((columns, rows + columns))
    rows, columns = rows[order], columns[order]
    breaks = np.nonzero((np.diff(rows + columns) != 0) | (np.diff(columns) != 1))[0]
    first, last = np.concatenate([[0], breaks + 1]), np.concatenate([breaks, [rows.size - 1]])
    starts = np.stack([rows[first] + 0.5, columns[first] - 0.5], axis=1)
    ends = np.stack([rows[last] - 0.5, columns[last] + 0.5], axis=1)
    return np.stack([starts, ends], axis=1)


def body(magnitude: np.ndarray) -> np.ndarray:
    """Where the body is in a magnitude image (R, C): the largest bright thing, holes filled; all True if none."""
    image = np.where(np.isfinite(magnitude), magnitude, 0)
    stride = max(1, max(image.shape) // 128)  # where the skin lies matters to a pixel or two, no more
    coarse = ndimage.uniform_filter(image[::stride, ::stride], 3)
    filled = ndimage.binary_fill_holes(coarse > 0.1 * np.percentile(coarse, 98))
    # opened: ghosts and wrapped arms hang on the body by a thread
    labels, count = ndimage.label(_opened(filled, max(coarse.shape) / 28))
    if count == 0:
        return np.ones(image.shape, dtype=bool)
    filled = labels == 1 + int(np.argmax(np.bincount(labels.ravel())[1:]))
    fine = np.repeat(np.repeat(filled, stride, axis=0), stride, axis=1)
    return fine[: image.shape[0], : image.shape[1]]


def _opened(mask: np.ndarray, radius: float) -> np.ndarray:
    """What a disc of so many pixels can reach inside the mask: thin things go, round edges stay."""
    core = ndimage.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1] > radius
    return ndimage.distance_transform_edt(~core) <= radius if core.any() else core
