"""How well a quality gate finds non-diagnostic exams, at the prevalence of a clinic and beside human observers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from livermre.evaluate.diagnosis import Diagnosis, diagnose
from livermre.evaluate.interval import Interval
from livermre.evaluate.kappa import Kappa, kappa
from livermre.evaluate.prevalence import PredictiveValues, predictive_values
from livermre.evaluate.proportion import Proportion


@dataclass(frozen=True)
class QualityGate:
    """The gate's table; positive means non-diagnostic, called means rejected."""

    exams: int
    table: Diagnosis
    at_prevalence: PredictiveValues
    with_observers: tuple[tuple[str, Kappa], ...]  # gate against each observer
    among_observers: tuple[tuple[str, str, Kappa], ...]  # each pair of observers: the ceiling

    @property
    def recall(self) -> Proportion:
        """Share of non-diagnostic exams that are rejected."""
        return self.table.sensitivity

    @property
    def precision_in_sample(self) -> Proportion:
        """Share of rejected exams that are non-diagnostic, at the prevalence of the sample."""
        return self.table.ppv

    @property
    def precision(self) -> Interval:
        """The same at the stated prevalence."""
        return self.at_prevalence.ppv


def quality_gate(
    nondiagnostic: np.ndarray | Sequence,
    rejected: np.ndarray | Sequence,
    *,
    prevalence: float,
    observers: Mapping[str, np.ndarray | Sequence] | None = None,
    patient: np.ndarray | Sequence | None = None,
    level: float = 0.95,
    method: str = "wilson",
) -> QualityGate:
    """Recall, precision at a stated prevalence, and unweighted kappa against each observer.

    nondiagnostic  (N,) 0, 1 or NaN, the truth (known failure, or consensus)
    rejected       (N,) 0, 1 or NaN, the gate
    prevalence     of non-diagnostic exams where the gate will work; samples for tests hold far more of them, and
                   precision follows the prevalence
    patient        (N,) names where patients have several exams, see `share_of`; None: each exam a patient
    observers      name -> (N,) 0 or 1 (NaN: did not look)

    Raises Contradiction for unequal lengths, SettingsError for odd values.
    """
    table = diagnose(nondiagnostic, rejected, patient=patient, level=level, method=method)
    readers = dict(observers or {})
    names = (0.0, 1.0)
    return QualityGate(
        exams=len(rejected),
        table=table,
        at_prevalence=predictive_values(table.sensitivity, table.specificity, prevalence),
        with_observers=tuple(
            (name, kappa(verdict, rejected, weights="none", categories=names, patient=patient, level=level))
            for name, verdict in readers.items()
        ),
        among_observers=tuple(
            (a, b, kappa(readers[a], readers[b], weights="none", categories=names, patient=patient, level=level))
            for a, b in combinations(readers, 2)
        ),
    )
