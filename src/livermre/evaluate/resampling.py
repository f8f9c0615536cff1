"""Resamples of whole patients: all rows of a patient (exams, slices) stay together."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from livermre.exam.errors import SettingsError


@dataclass(frozen=True)
class Clusters:
    """Which rows belong to which patient, ready to be drawn."""

    order: np.ndarray  # (N,) int, rows sorted by patient, in their own order within one
    start: np.ndarray  # (C,) int, where a patient's rows begin in `order`
    length: np.ndarray  # (C,) int, how many rows a patient has

    @property
    def number(self) -> int:
        """How many patients there are."""
        return int(self.length.size)

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return int(self.order.size)

    def rows_of(self, chosen: np.ndarray) -> np.ndarray:
        """Row indices of the chosen patients, a patient chosen twice with all rows twice."""
        length = self.length[chosen]
        ahead = np.cumsum(length) - length
        return self.order[np.repeat(self.start[chosen] - ahead, length) + np.arange(int(length.sum()))]

    def without(self, patient: int) -> np.ndarray:
        """Row indices of all patients but one (jackknife)."""
        return self.rows_of(np.delete(np.arange(self.number), patient))

    def sums(self, rows: np.ndarray) -> np.ndarray:
        """(C, K) sums over each patient's rows of (N, K) values."""
        return np.add.reduceat(rows[self.order], self.start, axis=0)


def clusters_of(labels: Sequence[object] | np.ndarray) -> Clusters:
    """Clusters from one label a row (any hashable kind of one type: text or whole numbers).

    Raises SettingsError where labels are not one column or one is missing.
    """
    labels = np.asarray(labels)
    if labels.ndim != 1:
        raise SettingsError(f"patients must be one label a row, found an array of shape {labels.shape}")
    if labels.dtype == object:
        _refuse_missing(np.array([label is None or label != label for label in labels], dtype=bool))
        labels = labels.astype(str)
    elif labels.dtype.kind == "f":
        _refuse_missing(np.isnan(labels))
    if labels.dtype.kind == "U":  # blank cells of a table would all be one patient
        _refuse_missing(np.char.strip(labels) == "")
    _, inverse, length = np.unique(labels, return_inverse=True, return_counts=True)
    return Clusters(np.argsort(inverse, kind="stable"), np.cumsum(length) - length, length)


def _refuse_missing(missing: np.ndarray) -> None:
    if missing.any():
        raise SettingsError(f"every row needs its patient; {int(missing.sum())} of {missing.size} have none")


def drawn(number: int, draws: int, seed: int) -> Iterator[np.ndarray]:
    """`draws` times as many patients as there are, with replacement; the same for the same seed."""
    rng = np.random.default_rng(seed)
    for _ in range(draws):
        yield rng.integers(0, number, number)
