"""Readings and references side by side, exam by exam: the columns that every statistic takes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from livermre.study.entry import Entry
from livermre.study.outcomes import outcome_of
from livermre.study.scores import Reading


@dataclass(frozen=True)
class Sample:
    """So many exams as one network, or one program, read them.

    name      of who read them
    entries   the exams
    readings  of the same exams, in the same order
    """

    name: str
    entries: tuple[Entry, ...]
    readings: tuple[Reading, ...]

    def __len__(self) -> int:
        return len(self.entries)

    @cached_property
    def patients(self) -> list[str]:
        """The patient of every exam."""
        return [e.patient for e in self.entries]

    @cached_property
    def kpa(self) -> np.ndarray:
        """(N,) float, automatic stiffness, kPa; NaN where there is no number."""
        return numbers(r.kpa for r in self.readings)

    @cached_property
    def references(self) -> Mapping[str, np.ndarray]:
        """What the automatic number is held against: name -> (N,) float, kPa, NaN where missing; the first is primary.

        One that no exam has is left out.
        """
        known = [e.reference for e in self.entries]
        readers = max((len(k.readers_kpa) for k in known if k is not None), default=0)
        found = {
            "reference mask": numbers(k.mask_kpa if k else None for k in known),
            "table": numbers(k.table_kpa if k else None for k in known),
            **{
                f"reader {i + 1}": numbers(k.readers_kpa[i] if k and len(k.readers_kpa) > i else None for k in known)
                for i in range(readers)
            },
            "true |G*|": numbers(k.true_kpa if k else None for k in known),
        }
        return {name: values for name, values in found.items() if np.isfinite(values).any()}

    def overlaps(self, name: str) -> np.ndarray:
        """(N,) float of a measure of overlap ("dice", "iou") of every exam; NaN by the rule of evaluate.empty.

        NaN also where a reading has no mask to compare.
        """
        return numbers(getattr(r.whole.overlap, name) if r.whole else None for r in self.readings)

    @cached_property
    def outcomes(self) -> list[str]:
        """How every exam ended: one of evaluate.failures.OUTCOMES."""
        return [outcome_of(r, e.reference) for e, r in zip(self.entries, self.readings, strict=True)]

    @cached_property
    def stages(self) -> np.ndarray:
        """(N,) float 0 to 4, NaN where nobody says."""
        found = (e.stratum("stage") for e in self.entries)
        return numbers(None if s is None else float(str(s).removeprefix("F")) for s in found)

    def row(self, name: str) -> list[object]:
        """A column of the table; None where an exam has no value."""
        return [e.stratum(name) for e in self.entries]

    def where(self, keep: Callable[[Entry], bool]) -> "Sample":
        """The exams for which something holds."""
        chosen = [i for i, e in enumerate(self.entries) if keep(e)]
        return self.at(chosen)

    def at(self, chosen: Sequence[int] | np.ndarray) -> "Sample":
        """The exams in these places."""
        picked = [int(i) for i in chosen]
        return Sample(self.name, tuple(self.entries[i] for i in picked), tuple(self.readings[i] for i in picked))


def numbers(values: object) -> np.ndarray:
    """(N,) float of numbers and None; None becomes NaN."""
    return np.array([np.nan if v is None else float(v) for v in values], dtype=float)  # type: ignore[attr-defined]
