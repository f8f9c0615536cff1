"""The interval that holds: the spread of an exam turned into an interval that was counted on exams of known stiffness.

Split conformal prediction (Vovk 2005; Lei 2018, JASA 113:1094) on simulated exams. Each gave the score

    z = |ln(true / measured)| / scale,   scale = sqrt(floor^2 + (slope s)^2)

where s is the standard deviation of the exam's mean by pixels, slices and choice of region, over the mean. The
quantiles of z, by group of the measured stiffness, are kept in a file with its card. A new exam's interval is
measured / exp(z95 scale) to measured * exp(z95 scale). True is the mean |G*| of the measured region. The score has no
sign: one generator of exams reads a little too stiff, the other too soft, so no shift is known.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import resources

import numpy as np
from scipy import special

from livermre.exam.errors import SettingsError
from livermre.exam.flags import flag
from livermre.exam.types import Exam, Roi, Stiffness
from livermre.stiffness.interval import has_interval, interval, spread, with_spread
from livermre.stiffness.settings import IntervalSettings
from livermre.stiffness.table import CutoffTable

LEVEL = 0.95


@dataclass(frozen=True)
class Group:
    """Exams whose measured stiffness is below a limit, kPa, and not in an earlier group.

    quantiles  rising scores z, above 0, at the levels of the calibration
    """

    below_kpa: float
    exams: int
    quantiles: tuple[float, ...]


@dataclass(frozen=True)
class Calibration:
    """What was counted, on what, and for which exams it is meant; the rest of the file is the card."""

    name: str
    floor: float
    slope: float
    levels: tuple[float, ...]
    groups: tuple[Group, ...]
    frequency_hz: tuple[float, float]
    exams: int
    covered: tuple[int, int]
    """Of so many other simulated exams so many truths lay inside: (inside, exams)."""
    card: Mapping[str, object] = field(repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        """Raise SettingsError for a file that contradicts itself."""
        whole = self.floor > 0 and self.slope >= 0 and _rises(self.levels) and _rises(g.below_kpa for g in self.groups)
        if not whole or LEVEL not in self.levels or self.groups[-1].below_kpa != np.inf:
            raise SettingsError(f"calibration {self.name} contradicts itself: levels, groups or scale")
        for g in self.groups:
            if len(g.quantiles) != len(self.levels) or not _rises((0.0, *g.quantiles)):
                raise SettingsError(f"calibration {self.name}: quantiles must rise, one a level")

    def scale(self, relative_sd: float) -> float:
        """Scale of the score of an exam, in units of ln."""
        return float(np.hypot(self.floor, self.slope * relative_sd))

    def group(self, stiffness_kpa: float) -> Group:
        """The group of a measured stiffness."""
        return next(g for g in self.groups if stiffness_kpa < g.below_kpa)

    def why_not(self, exam: Exam) -> str | None:
        """Why it does not hold for an exam, in words; None where it does."""
        acquired = exam.acquisition
        if exam.quantity != "|G*|":
            return f"the map holds {exam.quantity}"
        if acquired.dimension == "3D":
            return "the waves were encoded in 3D"
        low, high = self.frequency_hz
        if acquired.frequency_hz is None or not low <= acquired.frequency_hz <= high:
            return f"the driver ran at {_hz(acquired.frequency_hz)}, not at {low:g}-{high:g} Hz"
        return None


def calibrated(
    exam: Exam,
    roi: Roi,
    stiffness: Stiffness,
    sensitivity_means_kpa: Sequence[float | None],
    settings: IntervalSettings | None = None,
) -> Stiffness:
    """What `interval` gives, but widened or narrowed to what was counted, with the flag that says so.

    An exam for which the calibration does not hold keeps the plain intervals, and the flag says why. Whether an exam is
    too uncertain to report is decided by the plain one.
    """
    settings = settings or IntervalSettings()
    if settings.calibration is None or not has_interval(stiffness):
        return interval(exam, roi, stiffness, sensitivity_means_kpa, settings)
    found, mean = load_calibration(settings.calibration), stiffness.mean_kpa or 0.0
    sources = spread(exam, roi, stiffness, sensitivity_means_kpa, settings)
    stiffness = with_spread(stiffness, sources, settings)
    why = found.why_not(exam)
    if why is not None:
        return replace(stiffness, flags=(*stiffness.flags, flag("interval_not_calibrated", reason=why)))
    low, high = interval_of(found, mean, sources.sd_kpa / mean)
    again = special.ndtri((1 + LEVEL) / 2) * settings.repeatability_wcv * mean
    repeat = max(0.0, mean - float(np.hypot(mean - low, again))), mean + float(np.hypot(high - mean, again))
    inside, exams = found.covered
    said = flag("interval_calibrated", percent=100 * inside / exams, exams=exams, calibration=found.name)
    return replace(
        stiffness, flags=(*stiffness.flags, said), interval_95_kpa=(low, high), repeat_interval_95_kpa=repeat
    )


def interval_of(calibration: Calibration, mean_kpa: float, relative_sd: float) -> tuple[float, float]:
    """The 95 % interval, kPa."""
    score = calibration.group(mean_kpa).quantiles[calibration.levels.index(LEVEL)]
    half = score * calibration.scale(relative_sd)
    return mean_kpa * float(np.exp(-half)), mean_kpa * float(np.exp(half))


def band_chances(calibration: Calibration, mean_kpa: float, relative_sd: float, table: CutoffTable) -> dict[str, float]:
    """Chance that the true |G*| of the region lies in each band, read off the same scores; sums to 1.

    Between the levels the distribution runs straight; beyond the last it falls like the normal one through it.
    """
    return _chances(calibration, mean_kpa, calibration.scale(relative_sd), table)


def chances_within(calibration: Calibration, mean_kpa: float, high_kpa: float, table: CutoffTable) -> dict[str, float]:
    """The same from the upper end of the calibrated interval."""
    score = calibration.group(mean_kpa).quantiles[calibration.levels.index(LEVEL)]
    return _chances(calibration, mean_kpa, float(np.log(high_kpa / mean_kpa)) / score, table)


def _chances(calibration: Calibration, mean_kpa: float, scale: float, table: CutoffTable) -> dict[str, float]:
    scores = np.array((0.0, *calibration.group(mean_kpa).quantiles))
    edges = np.log(np.array(table.cutoffs_kpa) / mean_kpa) / scale
    last = calibration.levels[-1]
    tail = 2 * special.ndtr(np.abs(edges) * special.ndtri((1 + last) / 2) / scores[-1]) - 1
    within = np.where(np.abs(edges) > scores[-1], tail, np.interp(np.abs(edges), scores, (0.0, *calibration.levels)))
    below = (1 + np.sign(edges) * within) / 2
    chance = np.diff(np.concatenate([[0.0], below, [1.0]]))
    return {band: float(p) for band, p in zip(table.bands, chance, strict=True)}


@cache
def load_calibration(name: str) -> Calibration:
    """The calibration of a name; SettingsError where there is none or its file is damaged."""
    file = resources.files(__package__).joinpath("calibrations", f"{name}.json")
    try:
        return calibration_from(name, json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SettingsError(f"no usable calibration of the interval is called {name!r}") from error


def calibration_from(name: str, content: Mapping) -> Calibration:
    """The calibration that a file's content tells."""
    groups = tuple(
        Group(np.inf if g["below_kpa"] is None else float(g["below_kpa"]), int(g["exams"]), tuple(g["quantiles"]))
        for g in content["groups"]
    )
    return Calibration(
        name=name,
        floor=float(content["scale"]["floor"]),
        slope=float(content["scale"]["slope"]),
        levels=tuple(content["levels"]),
        groups=groups,
        frequency_hz=(float(content["frequency_hz"][0]), float(content["frequency_hz"][1])),
        exams=sum(g.exams for g in groups),
        covered=(int(content["checked"]["inside"]), int(content["checked"]["exams"])),
        card=content["card"],
    )


def _rises(values: Iterable[float]) -> bool:
    return bool(np.all(np.diff(np.array(list(values), float)) > 0))


def _hz(frequency_hz: float | None) -> str:
    return "an unknown frequency" if frequency_hz is None else f"{frequency_hz:g} Hz"
