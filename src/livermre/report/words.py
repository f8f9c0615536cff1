"""The sentences and number formats that all pages share."""

import re

from livermre.exam.flags import Severity
from livermre.exam.types import Acquisition, Finding, Identity, Stage, Stiffness, Waves

QUANTITY = "magnitude of the complex shear modulus |G*|"

_QUANTITIES = {"|G*|": QUANTITY, "rho c^2": "density times the square of the wave speed, rho c^2"}

RESEARCH_USE = "For research use only. Not a medical device: a physician must check outline, region and number."

DE_IDENTIFIED = "de-identified"

INTERVAL_COVERS = (
    "The 95 % interval is for the true stiffness of the measured region in this acquisition; a note says whether it is "
    "calibrated on simulated exams, or covers only the spread of the pixels and the choice of region. The repeat "
    "interval adds the published repeatability of MR elastography: where the number could fall if the same person were "
    "measured again."
)

NO_INTERVAL = "No interval is given for this exam."

STAGE_CHANCES = "Chances are for the true stiffness lying in each band, never for a disease; bands overlap by intent."


def quantity(symbol: str) -> str:
    """What the stiffness is, as a phrase that ends in its symbol."""
    return _QUANTITIES.get(symbol, symbol)


def kpa(value: float | None) -> str:
    """Stiffness with two decimals, or a dash."""
    return "–" if value is None else f"{value:.2f}"


def span(interval: tuple[float, float] | None) -> str:
    """An interval, or a dash."""
    return "–" if interval is None else f"{interval[0]:.2f}–{interval[1]:.2f}"


def cm2(area_mm2: float) -> str:
    """An area in cm² with one decimal."""
    return f"{area_mm2 / 100:.1f}"


def percent(share: float) -> str:
    """A share 0..1 in whole percent; below one half percent says so."""
    return "<1" if 0 < share < 0.005 else f"{100 * share:.0f}"


def technique(acquisition: Acquisition, source: str) -> str:
    """How the number came about, in one line: frequency, dimension, sequence, vendor and field, who inverted."""
    parts = (
        frequencies(acquisition),
        acquisition.dimension or "2D or 3D not stated",
        acquisition.sequence or "sequence not stated",
        acquisition.vendor + (f" {acquisition.field_t:g} T" if acquisition.field_t is not None else ""),
        map_by(acquisition, source),
    )
    return " · ".join(parts)


def frequencies(acquisition: Acquisition) -> str:
    """The driver's frequency, or all of them."""
    known = acquisition.frequencies_hz or ((acquisition.frequency_hz,) if acquisition.frequency_hz is not None else ())
    return f"{', '.join(f'{hz:g}' for hz in known)} Hz" if known else "frequency not stated"


def map_by(acquisition: Acquisition, source: str) -> str:
    """Where the stiffness map came from; a simulated one is never called anybody's measurement."""
    if acquisition.vendor == "simulated":
        return "simulated map" if source == "vendor" else "livermre inversion of simulated waves"
    return "vendor inversion" if source == "vendor" else "livermre inversion"


def measured(finding: Finding) -> str:
    """How much was measured: area and slices."""
    counted = sum(1 for s in finding.stiffness.slices if s.pixels > 0)
    total = len(finding.stiffness.slices)
    area = f"{cm2(finding.stiffness.area_mm2)} cm² {kept(finding)}"
    return f"{area} in {counted} of {total} slice{'s' if total != 1 else ''}"


def valid_share(finding: Finding) -> float:
    """Measured share of the outlined liver, 0..1."""
    liver = sum(s.liver_area_mm2 for s in finding.stiffness.slices)
    return finding.stiffness.area_mm2 / liver if liver > 0 else 0.0


def kept(finding: Finding) -> str:
    """What the kept part of the liver is called: it is not a measurement where nothing is reported."""
    return "measured" if finding.reportable else "passed the rules"


def limit_verdict(exceeds: bool | None, limit_percent: float) -> str:
    """What the repeatability limit says about a change."""
    limit = f"limit of {limit_percent:g} %"
    if exceeds is None:
        return f"the {limit} does not apply"
    return (
        f"exceeds the {limit}: a true change with 95 % confidence"
        if exceeds
        else f"within the {limit}: no proven change"
    )


def who(identity: Identity | None) -> tuple[str, str]:
    """(patient ID, study date) as the page prints them."""
    if identity is None:
        return DE_IDENTIFIED, DE_IDENTIFIED
    date = identity.study_date.strip()
    if len(date) == 8 and date.isdigit():
        date = f"{date[:4]}-{date[4:6]}-{date[6:]}"
    return identity.patient_id.strip() or "not stated", date or "not stated"


def band(name: str) -> str:
    """The name of a band as it is printed: a span of stages with an en dash."""
    return re.sub(r"(?<=\d)-(?=\d)", "–", name)


def unbroken(sentence: str) -> str:
    """A sentence whose numbers stay on one line with their units."""
    return re.sub(r"(?<=\d) (?=(%|kPa|Hz|cm²|mm|T)(?!\w))", "\N{NO-BREAK SPACE}", sentence)


def band_range(stage: Stage, index: int) -> str:
    """The kPa range of a band; empty when the table does not list its cut-offs."""
    cuts = stage.cutoffs_kpa
    if len(cuts) + 1 != len(stage.bands) or not cuts:
        return ""
    texts = cutoffs(stage)
    if index == 0:
        return f"< {texts[0]}"
    return f"≥ {texts[-1]}" if index == len(cuts) else f"{texts[index - 1]}–{texts[index]}"


def cutoffs(stage: Stage) -> list[str]:
    """The cut-offs of a table, all with one decimal or, where one needs it, two."""
    fine = any(abs(10 * c - round(10 * c)) > 1e-6 for c in stage.cutoffs_kpa)
    return [f"{c:.2f}" if fine else f"{c:.1f}" for c in stage.cutoffs_kpa]


def band_note(stage: Stage) -> str:
    """Range of the exam's band and the table that it comes from."""
    own = band_range(stage, stage.bands.index(stage.band)) if stage.band in stage.bands else ""
    return f"{own} kPa, table {stage.table}" if own else f"table {stage.table}"


def doubt_title(finding: Finding) -> str:
    """The heading above the flags."""
    if not finding.reportable:
        return "Why not"
    doubts = sum(1 for f in finding.flags if f.severity == Severity.WARNING)
    return f"{doubts} reason{'s' if doubts != 1 else ''} to doubt it" if doubts else "Nothing flagged against it"


def facts(finding: Finding) -> list[tuple[str, str]]:
    """The few figures that say how much the number rests on."""
    found = finding.stiffness
    counted = sum(1 for s in found.slices if s.pixels > 0)
    rows = [
        (kept(finding), f"{cm2(found.area_mm2)} cm²"),
        ("of the liver", f"{percent(valid_share(finding))} %"),
        ("slices", f"{counted} of {len(found.slices)}"),
    ]
    if finding.reportable:
        spreads = (("SD of pixels", found.sd_kpa), ("SD between slices", found.between_slice_sd_kpa))
        rows += [(name, kpa(value)) for name, value in spreads if value is not None]
    return rows


def stage_axis(stage: Stage, found: Stiffness) -> tuple[float, float]:
    """(low, high) kPa of the stage bar: wide enough for all cut-offs, the number and its intervals."""
    values = [v for v in (found.mean_kpa, *(found.interval_95_kpa or ()), *(found.repeat_interval_95_kpa or ())) if v]
    values += list(stage.cutoffs_kpa)
    low = max(0.0, min(1.5, min(values, default=1.5) - 0.2, min(stage.cutoffs_kpa, default=2.5) - 1.0))
    high = max(max(stage.cutoffs_kpa, default=5.0) + 1.0, max(values, default=5.0) + 0.3)
    return low, high


def wave_quality(waves: Waves, index: int) -> str:
    """How good the waves of one slice are, in one line; empty where nothing is known."""
    share, bulk, noise = waves.harmonic_share[index], waves.bulk_ratio[index], waves.noise_rad[index]
    parts = [
        f"{percent(share)} % of the motion at the driver's frequency" if share is not None else "",
        f"bulk motion {bulk:.1f} × the wave" if bulk is not None else "",
        f"phase noise {noise:.2f} rad" if noise is not None else "",
    ]
    return " · ".join(p for p in parts if p)


def wave_agreement(waves: Waves) -> tuple[tuple[str, str], ...]:
    """Names and values of the agreement with the scanner's map; none where nothing was compared."""
    found = waves.agreement
    if not found:
        return ()
    pearson = found["pearson"]
    return (
        ("pixels compared", f"{found['pixels']:.0f}"),
        ("mean difference", f"{found['bias_kpa']:+.2f} kPa ({found['bias_percent']:+.0f} %)"),
        ("95 % of the pixels", f"{found['limit_low_kpa']:+.2f} to {found['limit_high_kpa']:+.2f} kPa"),
        ("correlation r", "–" if pearson is None else f"{pearson:.2f}"),
    )
