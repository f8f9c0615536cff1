"""Rows of the trust benchmark as columns, and what was declared of them before any was looked at."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from livermre.simulate.failures import IRON_SIGNAL

LIMIT_PERCENT = 19.0
"""A number further off than this is no diagnosis: the change that the QIBA profile calls a true one."""
HOPELESS_MM2 = 1000.0
"""Less parenchyma where the shear wave is twice its noise: nobody could measure (the area that a number needs)."""
ALWAYS = ("driver off", "iron", "ascites", "wrong series", "liver out of view")
"""Kinds that leave nothing to measure, whatever number comes out."""
BANDS_KPA = (2.5, 3.5, 5.0)


@dataclass(frozen=True)
class Columns:
    """Exams with a number, one route: measured and true kPa, raw interval; rows as they came."""

    rows: tuple[dict, ...]
    mean: np.ndarray
    true: np.ndarray
    low: np.ndarray
    high: np.ndarray

    relative_sd: np.ndarray
    """SD of the mean by pixels, slices and choice of region, over the mean."""

    def at(self, keep: np.ndarray) -> "Columns":
        """Some of the exams."""
        rows = tuple(r for r, k in zip(self.rows, keep, strict=True) if k)
        kept = (v[keep] for v in (self.mean, self.true, self.low, self.high, self.relative_sd))
        return Columns(rows, *kept)

    def of(self, name: str) -> np.ndarray:
        """A column of the rows."""
        return np.array([r[name] for r in self.rows], dtype=object)


def columns(rows: Sequence[dict], wanted: str, route: str = "own") -> Columns:
    """The reportable exams of a set by a route, with the truth of their region."""
    known = tuple(
        r for r in rows if r["set"] == wanted and r.get(route, {}).get("reportable") and r[route]["true"] is not None
    )
    v = [(r[route]["mean"], r[route]["true"], *r[route]["interval"], relative_sd(r[route])) for r in known]
    return Columns(known, *np.array(v, float).reshape(-1, 5).T)


def relative_sd(found: dict) -> float:
    """SD of an exam's mean by all its sources, over the mean."""
    s = found["sources"]
    return float(np.sqrt(sum(s[k] ** 2 for k in ("pixels", "slices", "region"))) / found["mean"])


def band_of(kpa: np.ndarray) -> np.ndarray:
    """Name of the band of each measured stiffness."""
    names = np.array(["< 2.5", "2.5-3.5", "3.5-5", ">= 5"], dtype=object)
    return names[np.digitize(kpa, BANDS_KPA)]


def error_percent(row: dict) -> float | None:
    """How far the number lies from the truth of its region that would come if nothing were withheld, %."""
    found, true = row["own"].get("ungated"), row["own"].get("true")
    return None if found is None or not true else 100 * abs(found / true - 1)


def nondiagnostic(row: dict) -> bool:
    """Whether an exam cannot be measured: by its kind, by its physics, or since its number is off by more than 19 %."""
    if row["kind"] in ALWAYS or row["area_wave_2"] < HOPELESS_MM2:
        return True
    if row["iron_signal"] is not None and row["iron_signal"] <= IRON_SIGNAL:
        return True
    off = error_percent(row)
    if off is None:
        return row["kind"] is not None  # an ordinary exam without region counts against the gate
    return off > LIMIT_PERCENT


def unmeasurable(row: dict) -> bool:
    """The stricter ground of a second look: waves five times their noise, not twice, over the area of a number.

    Named after the first results were seen, so it stands beside `nondiagnostic` and never in its place.
    """
    return nondiagnostic(row) or row["area_wave_5"] < HOPELESS_MM2


def refused(row: dict) -> bool:
    """Whether the pipeline gave no number."""
    return not row["own"].get("reportable")
