"""Leakage: the same patient under two names, the same pixels or the same study on both sides of a split."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from livermre.exam.errors import Contradiction
from livermre.study.entry import Entry, Problem


def shared(entries: Sequence[Entry]) -> list[Problem]:
    """What two patients of the table share and no two patients can: pixels, a study, a patient ID.

    Every such pair could lie on both sides of a split, so each is an error, whatever the split.
    """
    found = []
    for what, keys in _KEYS.items():
        for names in _groups(entries, keys):
            found.append(
                Problem("error", names, f"{', '.join(names)} are different patients in the table but share {what}")
            )
    return found


_KEYS: Mapping[str, Callable[[Entry], Iterable[str]]] = {
    "the same pixels": lambda e: e.pixels,
    "one DICOM study": lambda e: [e.study],
    "one patient ID in their headers": lambda e: [e.person],
}


def _groups(entries: Sequence[Entry], keys: Callable[[Entry], Iterable[str]]) -> list[tuple[str, ...]]:
    """Exams of different patients that share a key, each group once."""
    holders: dict[str, dict[str, str]] = defaultdict(dict)
    for entry in entries:
        for key in keys(entry):
            if key:
                holders[key][entry.exam] = entry.patient
    return sorted({tuple(sorted(h)) for h in holders.values() if len(set(h.values())) > 1})


def check_split(entries: Sequence[Entry], subset: Mapping[str, str]) -> None:
    """Raise Contradiction where a patient, a study or an image lies in two subsets.

    subset  name of every exam's subset
    """
    for what, keys in {"patient": lambda e: [e.patient], **_KEYS}.items():
        sides: dict[str, dict[str, str]] = defaultdict(dict)
        for entry in entries:
            for key in keys(entry):
                if key:
                    sides[key][entry.exam] = subset[entry.exam]
        for exams in sides.values():
            if len(set(exams.values())) > 1:
                where = ", ".join(f"{e} in {s}" for e, s in sorted(exams.items()))
                raise Contradiction(f"leakage: exams that share {what} lie in different subsets: {where}")
