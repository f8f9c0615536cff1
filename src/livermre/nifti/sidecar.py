"""exam.json, the small sidecar of a NIfTI set: how it was acquired, what its map is, what was noticed about it."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from livermre.exam.atomic import write_bytes
from livermre.exam.errors import Contradiction, CorruptFile
from livermre.exam.flags import Flag, known_flags
from livermre.exam.study import ReadOptions
from livermre.exam.types import Acquisition, Exam
from livermre.nifti.volumes import existing

NAME, RECORD = "exam.json", "inversion.json"

MOST_FLAGS, LONGEST_MESSAGE, LONGEST_WORD = 200, 400, 64
"""What is taken over from a file; far more than livermre writes."""

_COMMON = "|G*|"

_DIRECTIONS = 'exam.json: directions must name an axis each, such as ["R", "A", "S"] of R/L, A/P and I/S, not {}'


def write_sidecar(folder: Path, exam: Exam) -> None:
    """Write exam.json of an exam; what Sidecar brings back."""
    a = exam.acquisition
    content: dict[str, object] = {
        "vendor": a.vendor,
        "field_t": a.field_t,
        "frequency_hz": a.frequency_hz,
        "sequence": a.sequence,
        "dimension": a.dimension,
        "pseudonym": exam.pseudonym,
        "stiffness_source": exam.stiffness_source,
        "quantity": exam.quantity,
        "thickness_mm": exam.slices[0].plane.thickness_mm,
        "flags": [{"code": f.code, "severity": f.severity.value, "message": f.message} for f in exam.flags],
    }
    if a.frequencies_hz:
        content["frequencies_hz"] = list(a.frequencies_hz)
    if a.directions:
        content["directions"] = list(a.directions)
    if exam.inversion is not None:
        content["inversion"] = dict(exam.inversion)
    write_bytes(folder / NAME, (json.dumps(content, indent=1) + "\n").encode())


@dataclass(frozen=True)
class Sidecar:
    """What exam.json says, and the record that `invert` leaves beside its maps; both empty where there is no file."""

    said: Mapping[str, Any]
    record: Mapping[str, Any]
    files: tuple[Path, ...]

    @classmethod
    def read(cls, folder: Path) -> "Sidecar":
        """The sidecar of a set; raises CorruptFile where a file is no JSON object."""
        said = _json(folder / NAME, "vendor and frequency_hz") if existing(folder / NAME) else {}
        ours = said.get("stiffness_source") == "livermre"
        record = existing(folder / RECORD) if ours else ()
        return cls(said, _json(record[0], "method and quantity") if record else {}, (*existing(folder / NAME), *record))

    def number(self, key: str) -> float | None:
        """A number of zero or more, or None; raises CorruptFile for anything else."""
        value = self.said.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not np.isfinite(value):
            raise CorruptFile(f"exam.json: {key} must be a number or null, not {value!r}")
        if value < 0:
            raise CorruptFile(f"exam.json: {key} must not be negative, found {value!r}")
        return float(value)

    def acquisition(self, options: ReadOptions) -> Acquisition:
        """How the exam was acquired; raises CorruptFile for impossible values, Contradiction against the options."""
        stated, several = self.number("frequency_hz"), self._frequencies_hz()
        if several and (stated is not None or options.frequency_hz is not None):
            raise Contradiction(
                f"exam.json lists several frequencies ({', '.join(f'{f:g}' for f in several)} Hz): leave the one away"
            )
        if stated == 0:
            raise CorruptFile("exam.json: frequency_hz must be above zero, or null where it is not known; found 0")
        if stated is not None and options.frequency_hz not in (None, stated):
            raise Contradiction(
                f"exam.json says {stated:g} Hz but --frequency-hz says {options.frequency_hz:g}; leave the option away"
            )
        dimension = self.said.get("dimension")
        if dimension not in ("2D", "3D", None):
            raise CorruptFile(f"exam.json: dimension must be 2D, 3D or null, not {dimension!r}")
        return Acquisition(
            vendor=str(self.said.get("vendor") or "unknown")[:LONGEST_WORD],
            field_t=self.number("field_t"),
            frequency_hz=stated if stated is not None else options.frequency_hz,
            sequence=str(self.said.get("sequence") or "")[:LONGEST_WORD],
            dimension=dimension,
            frequencies_hz=several,
            directions=self._directions(),
        )

    def _frequencies_hz(self) -> tuple[float, ...]:
        found = self.said.get("frequencies_hz")
        if found is None:
            return ()
        if not isinstance(found, list) or not 2 <= len(found) <= LONGEST_WORD or not all(map(_is_frequency, found)):
            raise CorruptFile(
                f"exam.json: frequencies_hz must list two or more frequencies of 10 to 500 Hz, not {str(found)[:80]}"
            )
        return tuple(float(f) for f in found)

    def _directions(self) -> tuple[str, ...]:
        """Towards which patient axis each motion direction counts; raises CorruptFile for anything else."""
        found = self.said.get("directions")
        if found is None:
            return ()
        letters = found if isinstance(found, list) else [None]
        named = tuple(d for d in letters if isinstance(d, str) and len(d) == 1 and d in "RLAPIS")
        if len(named) < len(letters) or any(sum(d in axis for d in named) > 1 for axis in ("RL", "AP", "IS")):
            raise CorruptFile(_DIRECTIONS.format(str(found)[:80]))
        return named

    def pseudonym(self, digest: str) -> str:
        """The pseudonym that was given, hashed where it could be a name; else the beginning of the files' hash."""
        given = str(self.said.get("pseudonym") or "")
        if re.fullmatch(r"[\w.-]{1,64}", given):
            return given
        return hashlib.sha256(given.encode()).hexdigest()[:12] if given else digest[:12]

    @property
    def stiffness_source(self) -> Literal["vendor", "livermre"]:
        """Whose inversion made the map."""
        return "livermre" if self.said.get("stiffness_source") == "livermre" else "vendor"

    def quantity(self) -> str:
        """What the map is, by the inversion's own record, else by exam.json; |G*| where neither says."""
        found = (s.get("quantity") for s in (self.record, self.said))
        return next((_quantity(q) for q in found if q is not None), _COMMON)

    def inversion(self) -> dict[str, object] | None:
        """How livermre made the map; None where it did not, or where what is said is not plain."""
        if self.stiffness_source != "livermre":
            return None
        given = self.said.get("inversion")
        found = self.record or (given if isinstance(given, dict) else {})
        method, start, settings = (found.get(k) for k in ("method", "start", "settings"))
        if not isinstance(settings, dict) or not isinstance(method, str) or start not in ("phase", "wave"):
            return None
        if not all(_is_plain(v) for v in (method, *settings, *settings.values())):
            return None
        components = {k: found[k] for k in ("components",) if found.get(k) in ("one", "curl", "sum")}
        return {"method": method, "start": start, **components, "settings": settings}

    def flags(self) -> tuple[Flag, ...]:
        """What was noticed when the set was made; entries that no flag of the registry can be are left out."""
        given = self.said.get("flags")
        found = [_flag(entry) for entry in given[:MOST_FLAGS]] if isinstance(given, list) else []
        return tuple(f for f in found if f is not None)


def _is_frequency(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 10 <= value <= 500


def _json(path: Path, keys: str) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes()[: 2**20])
    except (OSError, ValueError, RecursionError) as error:
        raise CorruptFile(f"{path.name} is not readable ({type(error).__name__})") from error
    if not isinstance(found, dict):
        raise CorruptFile(f"{path.name} must hold one object with keys such as {keys}")
    return found


def _quantity(value: object) -> str:
    if not isinstance(value, str) or not value.isprintable() or not 0 < len(value) <= LONGEST_WORD:
        raise CorruptFile(f"exam.json: quantity must be a short text such as |G*|, not {str(value)[:80]!r}")
    return value


def _flag(entry: object) -> Flag | None:
    """A flag with the registry's severity: a file may not make light of it."""
    if not isinstance(entry, dict):
        return None
    code, message = entry.get("code"), entry.get("message")
    if not isinstance(code, str) or code not in known_flags() or not isinstance(message, str) or not message.strip():
        return None
    shown = "".join(c if c.isprintable() else " " for c in message)
    return Flag(code, known_flags()[code][0], shown[:LONGEST_MESSAGE])


def _is_plain(value: object) -> bool:
    """A setting: null, a number, a short text, or a few of them."""
    if isinstance(value, list):
        return len(value) <= LONGEST_WORD and all(_is_plain(v) and not isinstance(v, list) for v in value)
    if isinstance(value, str):
        return len(value) <= LONGEST_WORD and value.isprintable()
    return value is None or isinstance(value, int | float)
