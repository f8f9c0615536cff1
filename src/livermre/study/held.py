"""Do the intervals hold, stratum by stratum, and how wide would they have to be: for a cohort whose truth is known."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from livermre.evaluate.conformal import ConformalQuantile, conformal_quantile, conformal_scores
from livermre.evaluate.coverage import Coverage, coverage
from livermre.evaluate.subgroups import band_labels, band_names, subgroups
from livermre.study.sample import Sample

TRUTH = "true |G*|"
MEASURED_EDGES_KPA = (2.5, 3.5, 5.0)
"""Bands of the measured stiffness: what is known of an exam when its interval is made."""


@dataclass(frozen=True)
class Held:
    """One stratum of one network.

    inside  how often the 95 % interval holds the truth
    needed  half width in logarithms that would have held it in 95 of 100 (split conformal, Vovk 2005), whatever the
            exam; None and why where there are too few
    given   median half width of the intervals that were given, in the same unit; None without one
    reason  why nothing was computed; empty where it was
    """

    by: str
    name: str
    patients: int
    inside: Coverage | None = None
    needed: ConformalQuantile | None = None
    given: float | None = None
    reason: str = ""


def held(sample: Sample, low: np.ndarray, high: np.ndarray) -> tuple[Held, ...]:
    """All, then each band of measured stiffness, stage and vendor; nothing where no truth is known.

    low, high  (N,) float, kPa, ends of the intervals; NaN where there is none
    """
    true = sample.references.get(TRUTH)
    if true is None:
        return ()
    strata: dict[str, tuple[Sequence, tuple[str, ...] | None]] = {
        "all": (["all"] * len(sample), None),
        "measured, kPa": (band_labels(sample.kpa, MEASURED_EDGES_KPA), band_names(MEASURED_EDGES_KPA)),
        "stage": (sample.row("stage"), None),
        "vendor": (sample.row("vendor"), None),
    }
    found: list[Held] = []
    for by, (values, order) in strata.items():
        if all(v in (None, "", "unknown") for v in values):
            continue
        groups = subgroups(
            lambda rows: _one(sample.at(rows), true[rows], low[rows], high[rows]),
            values,
            patient=sample.patients,
            order=order,
        )
        for g in groups:
            none = Held(by, g.name, g.n, reason=g.reason or "")
            found.append(none if g.value is None else Held(by, g.name, g.n, *g.value))
    return tuple(found)


def _one(
    part: Sample, true: np.ndarray, low: np.ndarray, high: np.ndarray
) -> tuple[Coverage, ConformalQuantile, float | None]:
    score = conformal_scores(np.where(true > 0, true, np.nan), part.kpa, kind="log")
    with np.errstate(invalid="ignore", divide="ignore"):
        half = np.log(high / low) / 2
    half = half[np.isfinite(half)]
    return (
        coverage(true, low, high, patient=part.patients),
        conformal_quantile(_one_a_patient(score, part.patients)),
        float(np.median(half)) if half.size else None,
    )


def _one_a_patient(score: np.ndarray, patients: Sequence[str]) -> np.ndarray:
    """The first known score of each patient: exams of one patient are not exchangeable."""
    first: dict[str, float] = {}
    for patient, value in zip(patients, score, strict=True):
        if np.isfinite(value):
            first.setdefault(patient, float(value))
    return np.array(list(first.values()))
