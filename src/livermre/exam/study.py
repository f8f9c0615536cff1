"""What a reader hands on: an exam with who, whose headers, and the hash of what was read."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from livermre.exam.errors import SettingsError
from livermre.exam.types import Exam, Identity


@dataclass(frozen=True)
class ReadOptions:
    """What a person may state where headers are silent; never overrides a unit that the file itself states."""

    stiffness_unit: Literal["Pa", "kPa"] | None = None
    """Unit of stiffness maps that do not say theirs; checked against the numbers all the same."""

    frequency_hz: float | None = None
    """Driver frequency where the headers hold none."""

    def __post_init__(self) -> None:
        """Raise SettingsError for a unit that is not Pa or kPa, or a frequency that no driver has."""
        if self.stiffness_unit not in (None, "Pa", "kPa"):
            raise SettingsError(f"the stiffness unit must be Pa or kPa, not {self.stiffness_unit!r}")
        if self.frequency_hz is not None and not 10.0 <= self.frequency_hz <= 500.0:
            raise SettingsError(f"a driver frequency lies between 10 and 500 Hz, not at {self.frequency_hz:g} Hz")


NO_OPTIONS = ReadOptions()
"""Nothing stated: the headers decide."""


@dataclass(frozen=True)
class Study:
    """One exam as read.

    headers        source headers without pixels (pydicom datasets from DICOM, empty from NIfTI): one a slice of the
                   stiffness series first (foot to head), then one a slice of the magnitude series, parsed at first use
    inputs_sha256  hash of the bytes of every file used, whatever their names and order
    series         Series Numbers of the images used, in ascending order: tells the exams of one folder apart; none
                   from NIfTI
    """

    exam: Exam
    identity: Identity
    headers: Sequence[Any] = field(default=(), repr=False)
    inputs_sha256: str = ""
    series: tuple[int, ...] = ()
