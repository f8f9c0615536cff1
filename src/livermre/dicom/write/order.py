"""What is to be written: a simulated exam, whose it claims to be, and names that nobody else has."""

import hashlib
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from livermre.exam.errors import Contradiction, InputError, SettingsError
from livermre.exam.types import Acquisition, Exam, Identity, Slice

SIMULATED = "SIMULATED"
_DATE = "20000101"
_NAMES = uuid.UUID("e2c83d07-85db-4768-9c80-8e7330d6c1f1")
"""Name space of the UIDs of simulated objects."""


@dataclass(frozen=True)
class Protocol:
    """What headers say about the sequence, which an Exam does not carry; the pixels do not depend on it.

    spin_echo_epi  spin-echo EPI instead of gradient echo
    """

    repetition_ms: float = 50.0
    echo_ms: float = 20.0
    flip_deg: float = 30.0
    spin_echo_epi: bool = False

    @classmethod
    def of(cls, acquisition: Acquisition) -> "Protocol":
        """Usual values of the sequence that an acquisition names: gradient echo as on the real GE exam, or SE-EPI."""
        epi = "epi" in acquisition.sequence.lower()
        return cls(1000.0, 60.0, 90.0, spin_echo_epi=True) if epi else cls()


@dataclass(frozen=True)
class Order:
    """One exam to write, checked.

    seed  whatever tells this exam from others: the same exam with the same seed gives the same UIDs and bytes
    """

    exam: Exam
    style: str
    seed: str
    identity: Identity
    protocol: Protocol
    burned_in: bool = False
    _digest: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        """Raise Contradiction for slices of different content, InputError for what no style can say."""
        for name in ("stiffness_kpa", "confidence", "phase_rad", "wave_rad"):
            shapes = {None if (a := getattr(s, name)) is None else a.shape for s in self.exam.slices}
            if len(shapes) > 1:
                raise Contradiction(f"all slices need {name} of one shape or none, found {sorted(map(str, shapes))}")
        for name in ("phase_rad", "wave_rad"):
            array = getattr(self.exam.slices[0], name)
            if array is not None and array.shape[0] != 1:
                raise InputError(f"{name} has {array.shape[0]} driver frequencies; DICOM of one exam holds one")
        date = self.identity.study_date
        if date and not re.fullmatch(r"\d{8}", date):
            raise SettingsError(f"a study date has eight digits (YYYYMMDD), not {date!r}")
        object.__setattr__(self, "_digest", self._hash())

    def _hash(self) -> str:
        said = (self.style, self.seed, self.exam.acquisition, self.patient_id, self.date, self.protocol, self.burned_in)
        sha = hashlib.sha256(repr(said).encode())
        for s in self.exam.slices:
            sha.update(repr(s.plane).encode())
            for array in (s.magnitude, s.stiffness_kpa, s.confidence, s.phase_rad, s.wave_rad):
                sha.update(b"-" if array is None else np.ascontiguousarray(array).data)
        return sha.hexdigest()

    def uid(self, *what: object) -> str:
        """A UID under 2.25 (a UUID as number, PS3.5 B.2) for one thing in this exam."""
        return f"2.25.{uuid.uuid5(_NAMES, '|'.join([self._digest, *map(str, what)])).int}"

    def has(self, name: str) -> bool:
        """Whether the exam has an array of that name."""
        return getattr(self.exam.slices[0], name) is not None

    def array(self, s: Slice, name: str) -> np.ndarray:
        """An array of a slice; Contradiction where it has none."""
        found: np.ndarray | None = getattr(s, name)
        if found is None:
            raise Contradiction(f"the slice at {s.plane.position_mm:.1f} mm has no {name}")
        return found

    @property
    def directions(self) -> int:
        """Motion directions of the acquired phase; 1 without phase."""
        return int(self.array(self.exam.slices[0], "phase_rad").shape[1]) if self.has("phase_rad") else 1

    @property
    def offsets(self) -> int:
        """Offsets of the acquired phase; 1 without phase."""
        return int(self.array(self.exam.slices[0], "phase_rad").shape[2]) if self.has("phase_rad") else 1

    @cached_property
    def patient_id(self) -> str:
        """Patient ID that says that nobody stands behind it."""
        given = self.identity.patient_id or hashlib.sha256(self.seed.encode()).hexdigest()[:8]
        plain = re.sub(r"[^ -\[\]-~]", "_", given)  # ASCII without control signs and the backslash that parts values
        return plain[:64] if plain.upper().startswith(SIMULATED) else f"{SIMULATED}-{plain}"[:64]

    @property
    def patient_name(self) -> str:
        """Family name SIMULATED, given name the letters and digits of the ID."""
        return f"{SIMULATED}^{re.sub(r'[^A-Za-z0-9-]', '', self.patient_id).removeprefix(SIMULATED).strip('-')[:40]}"

    @property
    def date(self) -> str:
        """Study date: the identity's, or a fixed one, never that of the clock."""
        return self.identity.study_date or _DATE

    @property
    def step_mm(self) -> float:
        """Distance of neighbouring slices along the normal; the thickness for a single slice."""
        steps: Sequence[float] = np.diff(self.exam.positions_mm).tolist()
        return float(np.median(steps)) if steps else self.exam.slices[0].plane.thickness_mm

    @property
    def at_frequency(self) -> str:
        """' 60Hz' as vendors write the driver frequency into descriptions; empty where it is not known."""
        hz = self.exam.acquisition.frequency_hz
        return "" if hz is None else f" {hz:g}Hz"
