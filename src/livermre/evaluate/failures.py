"""Failures counted three ways, over all exams: an exam that failed stays in the denominator."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from livermre.evaluate.proportion import Proportion, proportion
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


def count_failures(outcomes: Iterable[str], *, level: float = 0.95, method: str = "wilson") -> Failures:
    """Table of outcomes with intervals.

    outcomes  one of `OUTCOMES` for every exam that was sent, none left out

    Raises SettingsError for another word: an exam without outcome would vanish from the denominator.
    """
    counts = Counter(outcomes)
    odd = sorted(map(str, counts.keys() - set(OUTCOMES)))
    if odd:
        raise SettingsError(f"an exam ends as one of {', '.join(OUTCOMES)}, found {odd[0]}")
    exams = counts.total()

    def share(count: int) -> Proportion:
        return proportion(count, exams, level=level, method=method)

    measured, acquisition, rejected, software = (counts[o] for o in OUTCOMES)
    return Failures(
        exams, share(measured), share(acquisition), share(rejected), share(software), share(exams - measured)
    )
