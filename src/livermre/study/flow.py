"""Who took part: every exam of the cohort from the folder to a number, or to the reason why not."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from livermre.study.entry import Entry
from livermre.study.reading import REASONS
from livermre.study.splitting import TEST, TRAINING, VALIDATION, Split


@dataclass(frozen=True)
class Count:
    """So many exams of so many patients, and what they have in common."""

    label: str
    exams: int
    patients: int


@dataclass(frozen=True)
class Flow:
    """The flow of a study; `excluded` and `included` together are `identified`.

    folds     how many splits there are; with more than one, `subsets` are those of the first
    outcomes  of every network on the exams that it is tested on: outcome -> exams
    """

    identified: Count
    excluded: tuple[Count, ...]
    included: Count
    subsets: tuple[Count, ...]
    folds: int
    outcomes: Mapping[str, Mapping[str, int]]

    def as_dict(self) -> dict[str, object]:
        """Plain values for flow.json."""
        return asdict(self)


def flow_of(
    entries: Sequence[Entry], splits: Sequence[Split], outcomes: Mapping[str, Sequence[str]] | None = None
) -> Flow:
    """The flow of all exams.

    outcomes  network -> how each of its tested exams ended
    """
    taken = [e for e in entries if e.taken]
    excluded = tuple(
        _count(sentence, [e for e in entries if e.reason == code])
        for code, sentence in REASONS.items()
        if any(e.reason == code for e in entries)
    )
    first = splits[0] if splits else {}
    subsets = tuple(
        _count(name, [e for e in taken if first.get(e.exam) == name]) for name in (TRAINING, VALIDATION, TEST)
    )
    counted = {name: dict(Counter(found)) for name, found in (outcomes or {}).items()}
    return Flow(
        _count("identified", entries),
        excluded,
        _count("included", taken),
        subsets if first else (),
        len(splits),
        counted,
    )


def _count(label: str, entries: Sequence[Entry]) -> Count:
    return Count(label, len(entries), len({e.patient for e in entries}))


def counted(number: int, what: str) -> str:
    """1 exam, 2 exams."""
    return f"{number} {what}" + ("" if number == 1 else "s")
