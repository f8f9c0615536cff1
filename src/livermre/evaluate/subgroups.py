"""Any statistic, stratum by stratum: vendor, field, stage, BMI class, iron."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Generic, TypeVar

import numpy as np

from livermre.evaluate.inputs import MINIMUM_ROWS, binary, column, labels, owners
from livermre.exam.errors import SettingsError

T = TypeVar("T")

UNKNOWN = "unknown"
BMI_EDGES = (18.5, 25.0, 30.0)  # kg/m2, classes of the WHO (Technical Report 894, 2000)
R2STAR_EDGES_PER_S = (101.0, 289.0)  # above: failure of 2D GRE and of SE-EPI at 3 T (reference clinical.md 2.7)


@dataclass(frozen=True)
class Subgroup(Generic[T]):
    """One stratum; value None where it was not computed, and the reason says why."""

    name: str
    n: int  # patients, or rows where no patients were named
    value: T | None
    reason: str | None = None


def subgroups(
    statistic: Callable[[np.ndarray], T],
    strata: np.ndarray | Sequence,
    *,
    positive: np.ndarray | Sequence | None = None,
    patient: np.ndarray | Sequence | None = None,
    order: Sequence[str] | None = None,
    minimum: int = MINIMUM_ROWS,
) -> tuple[Subgroup[T], ...]:
    """The statistic of each stratum's rows.

    statistic  takes row indices (M,) int and gives any result of this room
    strata     (N,) names or numbers; None, NaN and "" go into the stratum "unknown", the last
    positive   (N,) 0, 1 or NaN where the statistic needs both classes: a stratum with one is not computed
    patient    (N,) names where patients have several rows; n and the minimum then count patients
    order      all strata in the order of the table; one without rows is listed, too. None: those seen, sorted
    minimum    fewer patients than this: not computed

    Raises Contradiction for unequal lengths, SettingsError for a stratum that the order does not have.
    """
    names = stratum_names(strata)
    truth = None if positive is None else binary(labels(positive, names.size, "positive"), "positive")
    owner = owners(patient, np.ones(names.size, dtype=bool))
    seen = set(names.tolist())
    listed = sorted(seen - {UNKNOWN}, key=_by_number) if order is None else list(order)
    odd = sorted(seen - set(listed) - {UNKNOWN})
    if odd:
        raise SettingsError(f"a stratum is missing in the order of the table: found {odd[0]}")
    found = []
    for name in [*(x for x in listed if x != UNKNOWN), *([UNKNOWN] if UNKNOWN in seen else [])]:
        rows = np.flatnonzero(names == name)
        n = int(np.unique(owner[rows]).size)
        why = _too_few(n, minimum) or (None if truth is None else _one_class(truth[rows]))
        found.append(Subgroup(name, n, None if why else statistic(rows), why))
    return tuple(found)


def band_labels(values: np.ndarray | Sequence, edges: Sequence[float]) -> list[str]:
    """Name of each value's band ("< 25", "25-30", ">= 30"; an edge opens the band above it); "unknown" for NaN."""
    names = band_names(edges)
    found = column(values, "values")
    return [UNKNOWN if np.isnan(v) else names[int(np.digitize(v, edges))] for v in found]


def band_names(edges: Sequence[float]) -> tuple[str, ...]:
    """All bands of these edges in rising order, for `subgroups(order=...)`; SettingsError for edges out of order."""
    if not len(edges) or np.any(np.diff(edges) <= 0):
        raise SettingsError(f"edges of bands are at least one and rise, found {list(edges)}")
    between = [f"{a:g}-{b:g}" for a, b in pairwise(edges)]
    return (f"< {edges[0]:g}", *between, f">= {edges[-1]:g}")


def stratum_names(strata: np.ndarray | Sequence) -> np.ndarray:
    """(N,) str, numbers written short (1.5, 3), missing ones as "unknown"."""
    return np.array([_name(s) for s in strata], dtype=object)


def _name(stratum: object) -> str:
    if stratum is None or stratum != stratum or str(stratum).strip() == "":
        return UNKNOWN
    if isinstance(stratum, float | np.floating):
        return f"{stratum:g}"
    return str(stratum)


def _by_number(name: str) -> tuple[int, float, str]:
    try:
        return 0, float(name), name
    except ValueError:
        return 1, 0.0, name


def _too_few(n: int, minimum: int) -> str | None:
    return f"not computed: {n} patients, fewer than {minimum}" if n < minimum else None


def _one_class(truth: np.ndarray) -> str | None:
    known = truth[~np.isnan(truth)]
    if known.size and known.min() != known.max():
        return None
    return f"not computed: only one class ({int(known.sum())} positive, {int((known == 0).sum())} negative)"
