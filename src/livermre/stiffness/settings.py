"""Settings of the measurement: limits below which a number is doubted or refused, and what the intervals add."""

from dataclasses import dataclass, fields

from livermre.exam.errors import SettingsError


@dataclass(frozen=True)
class MeasureSettings:
    """When an exam can be measured. Limits without a source are this project's choice."""

    minimum_area_mm2: float = 1000.0
    """Less measured area in the whole exam gives no number (project's choice)."""

    small_area_mm2: float = 2500.0
    """Less measured area in the whole exam gives a warning (project's choice)."""

    slice_small_area_mm2: float = 300.0
    """A slice with less area is marked, and is not asked whether it agrees with the others (project's choice)."""

    few_slices: int = 2
    """A number from fewer slices gives a warning; four are customary (project's choice)."""

    wave_confidence: float = 0.95
    """Confidence that counts as a wave (the failure definition of Wagner, Radiology 2017;284:401, unverified)."""

    wave_share: float = 0.05
    """A smaller share of confident pixels in the liver away from its edge means: no waves. Wagner 2017 counts
    'no pixel at all'; 5 % leaves room for chance (project's choice)."""

    lowest_kpa: float = 0.5
    """A lower mean is not a liver: wrong unit, or no waves (project's choice)."""

    highest_kpa: float = 20.0
    """A higher mean is not a liver: wrong unit (project's choice)."""

    disagree_percent: float = 20.0
    """Slice means further from the exam mean are marked (project's choice; a between-slice spread is the only
    sign of oblique waves in 2-D)."""

    iron_ratio: float = 1.5
    """A liver darker than this many times the background gives no number (project's choice)."""

    dark_ratio: float = 4.0
    """A liver darker than this many times the background gives a warning (project's choice)."""

    def __post_init__(self) -> None:
        """Raise SettingsError for numbers below zero or limits in the wrong order."""
        for f in fields(self):
            if not 0 <= getattr(self, f.name) < float("inf"):
                raise SettingsError(f"{f.name} must be zero or more, found {getattr(self, f.name)}")
        if self.lowest_kpa >= self.highest_kpa:
            raise SettingsError(f"lowest_kpa {self.lowest_kpa} must lie below highest_kpa {self.highest_kpa}")


@dataclass(frozen=True)
class IntervalSettings:
    """What the two 95 % intervals are made of."""

    repeatability_wcv: float = 0.086
    """Within-patient coefficient of variation of repeated exams: 0.75 kPa / 2.77 / 3.15 kPa."""

    repeatability_source: str = (
        "NIMBLE 1.2, PMC10625902: 17 patients with NAFLD, different days on the same scanner, "
        "repeatability coefficient 0.75 kPa (95 % CI 0.60-0.99) at a mean of 3.15 kPa, so a wCV of 8.6 %"
    )
    """Where that comes from; printed with the interval."""

    repeatability_verified: bool = True
    """Whether the number was read in its source."""

    widest_share: float = 0.5
    """An exam whose interval reaches further from its mean than this share of it gives no number (project's choice)."""

    assumed_frequency_hz: float = 60.0
    """Only for the size of a resolution cell where the region is too small to show it and no frequency is known."""

    calibration: str | None = "simulated-60hz"
    """Which counted calibration widens or narrows the intervals (docs/trust.md); None leaves the plain spread."""

    def __post_init__(self) -> None:
        """Raise SettingsError for a variation outside 0..1 or a frequency of zero."""
        if not 0 <= self.repeatability_wcv < 1:
            raise SettingsError(f"repeatability_wcv must lie between 0 and 1, found {self.repeatability_wcv}")
        if not self.widest_share > 0:
            raise SettingsError(f"widest_share must be above zero, found {self.widest_share}")
        if not self.assumed_frequency_hz > 0:
            raise SettingsError(f"assumed_frequency_hz must be above zero, found {self.assumed_frequency_hz}")
