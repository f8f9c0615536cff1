"""Nested dissection of a rectangular grid: the order in which a sparse LU eliminates its nodes with little fill.

A line of nodes parts the grid in two halves that do not see each other; the halves come first, each cut the same way,
the line last (George 1973, doi 10.1137/0710032). Any subset of the grid's nodes keeps the property.
"""

from functools import lru_cache

import numpy as np

_LEAF = 5


@lru_cache(maxsize=32)
def elimination_rank(rows: int, columns: int) -> np.ndarray:
    """Place of each node of the grid in the order of elimination: (rows, columns) int32, read-only."""
    rank = np.empty((rows, columns), np.int32)
    _number(rank, 0)
    rank.flags.writeable = False
    return rank


def _number(part: np.ndarray, start: int) -> None:
    """Fill a view of the grid with the ranks start, start + 1, ..."""
    rows, columns = part.shape
    if rows <= _LEAF and columns <= _LEAF:
        part[...] = np.arange(start, start + part.size).reshape(part.shape)
        return
    turned = part if rows >= columns else part.T
    middle = turned.shape[0] // 2
    first, line, second = turned[:middle], turned[middle], turned[middle + 1 :]
    _number(first, start)
    _number(second, start + first.size)
    line[...] = np.arange(start + first.size + second.size, start + part.size)
