"""The split: patients drawn whole, alike in stage, vendor and field, the same for the same seed."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from livermre.exam.errors import InputError
from livermre.study.entry import Entry
from livermre.study.leakage import check_split
from livermre.study.settings import StudySettings
from livermre.study.table import words

TRAINING, VALIDATION, TEST = "training", "validation", "test"
STRATA = ("stage", "vendor", "field_t")
LEAST_PATIENTS = 3
"""One patient each to train, to choose the weights and to test."""

Split = Mapping[str, str]
"""Exam -> training, validation or test."""


def splits(entries: Sequence[Entry], settings: StudySettings) -> list[Split]:
    """One split, or one a fold; with folds every patient is tested exactly once.

    Raises InputError for too few patients, Contradiction where exams that belong together were torn apart.
    """
    patients = sorted({e.patient for e in entries})
    needed = max(LEAST_PATIENTS, settings.folds if settings.folds > 2 else 0)
    if len(patients) < needed:
        raise InputError(f"a study needs exams of at least {needed} patients, found {len(patients)}")
    order = _spread(entries, settings.split_seed)
    made: list[Split] = []
    for test in _test_sets(order, settings):
        rest = [p for p in order if p not in test]
        count = max(1, round(settings.validation_share * len(order)))
        validation = set(_every(rest, min(count, len(rest) - 1)))
        sides = {p: TEST if p in test else VALIDATION if p in validation else TRAINING for p in order}
        split = {e.exam: sides[e.patient] for e in entries}
        check_split(entries, split)
        made.append(split)
    return made


def _test_sets(order: Sequence[str], settings: StudySettings) -> list[set[str]]:
    if settings.folds:
        return [set(order[k :: settings.folds]) for k in range(settings.folds)]
    return [set(_every(order, max(1, round(settings.test_share * len(order)))))]


def _every(order: Sequence[str], count: int) -> list[str]:
    """So many of an ordered list, evenly spread over it: strata that lie together are shared out alike."""
    return [order[int((i + 0.5) * len(order) / count)] for i in range(count)]


def _spread(entries: Sequence[Entry], seed: int) -> list[str]:
    """All patients, those of one stratum together, drawn at random within it."""
    rng = np.random.default_rng(seed)
    strata: dict[tuple[str, ...], list[str]] = defaultdict(list)
    of_patient = {e.patient: tuple(words(e.stratum(s)) for s in STRATA) for e in reversed(entries)}
    for patient in sorted(of_patient):
        strata[of_patient[patient]].append(patient)
    return [p for key in sorted(strata) for p in rng.permutation(np.array(strata[key], dtype=object)).tolist()]


def balance(entries: Sequence[Entry], split: Split) -> list[dict[str, object]]:
    """Patients and exams of every subset, and its patients by stratum: one row a subset and value."""
    rows: list[dict[str, object]] = []
    for subset in (TRAINING, VALIDATION, TEST):
        own = [e for e in entries if split[e.exam] == subset]
        rows.append(_counted(subset, "all", "all", own))
        for name in STRATA:
            for value in sorted({words(e.stratum(name)) for e in entries}):
                rows.append(_counted(subset, name, value, [e for e in own if words(e.stratum(name)) == value]))
    return rows


def _counted(subset: str, name: str, value: str, own: Sequence[Entry]) -> dict[str, object]:
    return {
        "subset": subset, "stratum": name, "value": value, "patients": len({e.patient for e in own}), "exams": len(own)
    }  # fmt: skip
