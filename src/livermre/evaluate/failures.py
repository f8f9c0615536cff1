"""Failures counted three ways, over all exams: an exam that failed stays in the denominator."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from livermre.evaluate.proportion import Proportion, share_of
from livermre.exam.errors import SettingsError

OUTCOMES = ("measured", "acquisition", "quality_control", "software")


@dataclass(frozen=True)
class Failures:
    """How all exams ended; the four shares add up to 1."""

    exams: int
    measured: Proportion
    acquisition: Proportion  # no valid wave: nobody could have measured
    quality_control: Proportion  # our gate rejected it
    software: Proportion  # a person could measure, we could not
    failed: Proportion  # any of the three


def count_failures(
    outcomes: Iterable[str],
    *,
    patient: np.ndarray | Sequence | None = None,
    level: float = 0.95,
    method: str = "wilson",
) -> Failures:
    """Table of outcomes with intervals.

    outcomes  one of `OUTCOMES` for every exam that was sent, none left out
    patient   of each exam, where patients have several (`share_of`)

    Raises SettingsError for another word: an exam without outcome would vanish from the denominator.
    """
    ended = list(outcomes)
    odd = sorted(map(str, set(ended) - set(OUTCOMES)))
    if odd:
        raise SettingsError(f"an exam ends as one of {', '.join(OUTCOMES)}, found {odd[0]}")

    def share(hits: list[bool]) -> Proportion:
        return share_of(np.array(hits, dtype=bool), patient=patient, level=level, method=method)

    measured, acquisition, rejected, software = (share([e == o for e in ended]) for o in OUTCOMES)
    return Failures(len(ended), measured, acquisition, rejected, software, share([e != OUTCOMES[0] for e in ended]))
