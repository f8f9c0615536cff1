"""Nested dissection: a permutation, and less fill than the grid's own order."""

import numpy as np
import pytest
from scipy import sparse
from scipy.sparse import linalg

from livermre.simulate.waves.ordering import elimination_rank


@pytest.mark.parametrize("shape", [(1, 1), (7, 3), (40, 55), (131, 166)])
def test_every_node_has_its_place(shape):
    rank = elimination_rank(*shape)
    np.testing.assert_array_equal(np.sort(rank.ravel()), np.arange(rank.size))


def test_less_fill():
    rows, columns = 40, 50
    line = lambda n: sparse.diags([np.ones(n - 1), np.ones(n), np.ones(n - 1)], [-1, 0, 1])  # noqa: E731
    matrix = (sparse.kron(line(rows), line(columns)) + 10 * sparse.eye(rows * columns)).tocsc()

    def fill(order: np.ndarray) -> int:
        ordered = matrix[order][:, order].tocsc()
        as_given = {"permc_spec": "NATURAL", "diag_pivot_thresh": 0.0, "options": {"SymmetricMode": True}}
        return linalg.splu(ordered, **as_given).L.nnz

    assert fill(np.argsort(elimination_rank(rows, columns).ravel())) < 0.6 * fill(np.arange(rows * columns))
