"""The rule for empty masks, in one place: overlap and distances both follow it.

both empty      nothing was there to find and nothing was found: no value (None), counted as "empty". Taken as perfect,
                slices without liver would lift every mean.
truth only      "missed": Dice, IoU, recall and surface Dice are 0, precision and distances have no value
found only      "invented": Dice, IoU, precision and surface Dice are 0, recall and distances have no value
both there      "compared": everything has a value

What has no value is left out of a mean and counted beside it; a mean distance without its count of missed slices is
too good by those slices.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from livermre.exam.errors import Contradiction, SettingsError

RULE = (
    "Empty in both masks: no value, left out and counted. Empty in one of the two: Dice, IoU and surface Dice 0, "
    "no distance."
)
"""The rule in a sentence, for tables and methods."""

COMPARED, MISSED, INVENTED, EMPTY = "compared", "missed", "invented", "empty"


@dataclass(frozen=True)
class Cases:
    """How many slices or exams there were of each kind."""

    compared: int
    missed: int
    invented: int
    empty: int


def case_of(found: float | bool, true: float | bool) -> str:
    """Which of the four cases two masks are, from their sizes."""
    if found > 0:
        return COMPARED if true > 0 else INVENTED
    return MISSED if true > 0 else EMPTY


def count_cases(cases: Iterable[str]) -> Cases:
    """The four cases counted."""
    counted = Counter(cases)
    return Cases(counted[COMPARED], counted[MISSED], counted[INVENTED], counted[EMPTY])


def two_masks(found: np.ndarray, true: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both as bool arrays; Contradiction for different shapes, SettingsError for values that are no mask's."""
    found, true = _mask(found), _mask(true)
    if found.shape != true.shape:
        raise Contradiction(f"masks to compare must have one shape, found {found.shape} and {true.shape}")
    return found, true


def _mask(values: np.ndarray) -> np.ndarray:
    """Probabilities or labels must be made a mask by the one who knows the threshold or the label."""
    values = np.asarray(values)
    if values.dtype == bool:
        return values
    odd = values[(values != 0) & (values != 1)]
    if odd.size:
        raise SettingsError(
            f"a mask holds 0 and 1 only, found {odd[0]}; threshold probabilities or choose a label first"
        )
    return values.astype(bool)
