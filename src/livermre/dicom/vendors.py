"""One table: which image is which, why, who says so, and what brings it to kPa, rad or 0..1.

Rules are tried from the top; the first that matches names the image. Sources:
  [exam]  read on one real exam each: GE MR-Touch at 1.5 T (liver), Siemens mosaic at 3 T (brain)
  [rules] github.com/Resoundant/hepsort_rules, rules/rules_mre.py: patterns that a vendor-neutral lab sorts exams by
  [dicom] the DICOM standard, PS3.3
  [words] plain words in a description; no vendor document known
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from livermre.dicom.header import Header, Tag
from livermre.dicom.patterns import (
    CONF,
    GE_MRE,
    MASKED,
    STIFF,
    WAVE,
    canon,
    captured,
    coloured,
    companion,
    ge,
    ge_directions,
    ge_epi_extra,
    ge_map,
    has_type,
    mask,
    mre_named,
    named,
    other,
    philips,
    philips_magnitude,
    says,
    siemens,
    siemens_mre,
    vendor,
)
from livermre.exam.types import Dimension

Role = Literal["magnitude", "phase", "wave", "stiffness", "confidence", "phase_then_magnitude", "other"]

PhaseScale = Literal["milliradian", "half_turn_4096"]
"""px/1000, unsigned pixels moved by half a turn; rescaled value * pi/4096."""


@dataclass(frozen=True)
class Rule:
    """One convention of one vendor.

    certainty    how sure the rule is of the role, 0..1
    unit         unit of stiffness after rescaling, when the vendor is known to write that; None: find out
    phase        scale of phase or wave, when known
    permille     confidence is written 0..1000
    needs_mre    the pattern also fits images of other methods: it holds only beside phase or stiffness of an MRE
    """

    name: str
    role: Role
    matches: Callable[[Header], bool]
    why: str
    source: str
    certainty: float
    tested_on_real: bool = False
    unit: Literal["Pa", "kPa"] | None = None
    phase: PhaseScale | None = None
    permille: bool = False
    needs_mre: bool = False
    dimension: Dimension | None = None


def rule_of(header: Header) -> Rule:
    """The first rule of the table that matches a header; the last one matches everything."""
    return next(rule for rule in RULES if rule.matches(header))


_MMDI = "[rules] MMDI writes its name and the kind into Image Type"
_REAL = "[exam] GE MR-Touch exam, 1.5 T; [rules]"

RULES: tuple[Rule, ...] = (
    # display only: never measured
    Rule("not-mr", "other", other, "the modality is not MR", "[dicom] Modality", 1.0, tested_on_real=True),
    Rule(
        "colour",
        "other",
        coloured,
        "coloured picture, for display only",
        "[dicom] Photometric Interpretation",
        1.0,
        True,
    ),
    Rule("capture", "other", captured, "secondary capture, for display only", "[dicom] SOP Class", 1.0, True),
    Rule(
        "mask-series", "other", mask, "8-bit mask saved as images (MRE/Quant)", "[rules] series base + 98 or + 99", 0.9
    ),
    Rule(
        "masked-stiffness",
        "other",
        lambda h: says(h, MASKED),
        "stiffness with hatching or a mask drawn in",
        "[words]",
        0.8,
    ),
    Rule("pdff", "other", companion, "fat, water or R2* image", "[rules] Image Type; IDEAL in (0019,109C)", 0.9),
    # reconstructions by MMDI, whatever the scanner
    Rule(
        "mmdi3d-stiffness",
        "stiffness",
        lambda h: has_type(h, "MMDI3D", "STIFFNESS"),
        "Image Type MMDI3D STIFFNESS",
        _MMDI,
        0.95,
        dimension="3D",
    ),
    Rule(
        "mmdi3d-confidence",
        "confidence",
        lambda h: has_type(h, "MMDI3D", "CONFIDENCE"),
        "Image Type MMDI3D CONFIDENCE",
        _MMDI,
        0.95,
        dimension="3D",
    ),
    Rule(
        "mmdi3d-magnitude",
        "magnitude",
        lambda h: has_type(h, "MMDI3D", "MAGRMS"),
        "Image Type MMDI3D MAGRMS",
        _MMDI,
        0.95,
        dimension="3D",
    ),
    Rule(
        "mmdi3d-phase",
        "other",
        lambda h: has_type(h, "MMDI3D"),
        "MMDI3D image that is not needed (phase difference of one direction, storage, loss …)",
        _MMDI,
        0.8,
        dimension="3D",
    ),
    # GE
    Rule(
        "ge-mrtouch-stiffness",
        "stiffness",
        ge_map(STIFF),
        "DERIVED image of a GE MRE sequence with 'Stiffness' in comment or description; 16-bit Pa",
        _REAL,
        0.98,
        True,
        unit="Pa",
    ),
    Rule(
        "ge-mrtouch-confidence",
        "confidence",
        ge_map(CONF),
        "DERIVED image of a GE MRE sequence with 'Confidence' in comment or description; 0-1000",
        _REAL,
        0.98,
        True,
        permille=True,
    ),
    Rule(
        "ge-mrtouch-wave",
        "wave",
        ge_map(WAVE),
        "DERIVED image of a GE MRE sequence with 'Wave' in comment or description; taken as milliradian",
        _REAL,
        0.95,
        True,
        phase="milliradian",
    ),
    Rule(
        "ge-mrtouch",
        "phase_then_magnitude",
        lambda h: ge(h, "mr-touch", "mr touch") and not has_type(h, "DERIVED"),
        "(0019,109C) MR-Touch, not derived: first half phase, second half magnitude by Instance Number",
        _REAL,
        0.98,
        True,
        phase="milliradian",
        dimension="2D",
    ),
    Rule(
        "ge-research-extra",
        "other",
        ge_epi_extra,
        "GE research image that is not needed (PE, FE, SS, storage, loss …)",
        "[rules] series descriptions",
        0.8,
    ),
    Rule(
        "ge-fgremre",
        "phase_then_magnitude",
        lambda h: ge(h, "fgremre") and not has_type(h, "SECONDARY"),
        "(0019,109C) fgremre: first half phase, second half magnitude",
        "[rules] mayo_ge_fgre_mre",
        0.9,
        phase="milliradian",
    ),
    Rule(
        "ge-epimre-magnitude",
        "magnitude",
        lambda h: ge(h, "epimre") and (has_type(h, "MAG") or says(h, r"magnitude")),
        "(0019,109C) epimre and MAG in Image Type",
        "[rules] mayo_ge_epi_mre_mag",
        0.9,
    ),
    Rule(
        "ge-epimre-phase",
        "phase",
        lambda h: ge(h, "epimre") and has_type(h, "PHASE"),
        "(0019,109C) epimre and PHASE in Image Type",
        "[rules] mayo_ge_epi_mre_phs",
        0.9,
        phase="milliradian",
    ),
    Rule(
        "ge-epimre",
        "phase_then_magnitude",
        lambda h: (
            ge(h, "epimre")
            and has_type(h, "PROCESSED")
            and h.integer(Tag.SERIES_NUMBER) % 10 == 1
            and ge_directions(h) <= 2
        ),
        "(0019,109C) epimre, PROCESSED, series number ending in 1: first half phase, second half magnitude",
        "[rules] mayo_ge_epi_mre",
        0.8,
        phase="milliradian",
    ),
    Rule(
        "ge-raw-iq",
        "other",
        lambda h: ge(h, *GE_MRE),
        "GE research image without a known meaning (raw I/Q …)",
        "[rules] mayo_ge_epi_mre_iq",
        0.7,
    ),
    # Siemens
    Rule(
        "siemens-stiffness",
        "stiffness",
        lambda h: siemens_mre(h) and (says(h, STIFF) or has_type(h, "STIFFNESS")),
        "Siemens MRE with 'stiffness' in its description or type",
        "[words]",
        0.8,
    ),
    Rule(
        "siemens-confidence",
        "confidence",
        lambda h: siemens_mre(h) and (says(h, CONF) or has_type(h, "CONFIDENCE")),
        "Siemens MRE with 'confidence' in its description or type",
        "[words]",
        0.8,
    ),
    Rule(
        "siemens-wave",
        "wave",
        lambda h: siemens_mre(h) and (has_type(h, "P", "WV") or says(h, WAVE)),
        "Siemens MRE, Image Type P with WV: computed wave, not acquired phase",
        "[rules] WV excluded from phase",
        0.8,
        phase="half_turn_4096",
    ),
    Rule(
        "siemens-mosaic-phase",
        "phase",
        lambda h: siemens("P", "PHASE")(h) and has_type(h, "MOSAIC"),
        "Siemens MRE mosaic, Image Type P",
        "[exam] Siemens 3 T brain MRE",
        0.95,
        True,
        phase="half_turn_4096",
    ),
    Rule(
        "siemens-mosaic-magnitude",
        "magnitude",
        lambda h: siemens("M", "MAGNITUDE")(h) and has_type(h, "MOSAIC"),
        "Siemens MRE mosaic, Image Type M",
        "[exam] Siemens 3 T brain MRE",
        0.95,
        True,
    ),
    Rule(
        "siemens-phase",
        "phase",
        siemens("P", "PHASE"),
        "Siemens MRE sequence (greMR, epiMR, epseM, ELASTO …), Image Type P or complex component PHASE",
        "[rules] siemens_gre_mre_phs, siemens_epi_mre_phs_xa61",
        0.9,
        phase="half_turn_4096",
    ),
    Rule(
        "siemens-magnitude",
        "magnitude",
        siemens("M", "MAGNITUDE"),
        "Siemens MRE sequence (greMR, epiMR, epseM, ELASTO …), Image Type M or complex component MAGNITUDE",
        "[rules] siemens_gre_mre_mag, siemens_seepi_mre_mag_xa61",
        0.9,
    ),
    # Philips
    Rule(
        "philips-stiffness",
        "stiffness",
        lambda h: (
            vendor(h) == "Philips" and not has_type(h, "ORIGINAL") and (says(h, STIFF) or has_type(h, "STIFFNESS"))
        ),
        "Philips derived image with 'stiffness' in description or type",
        "[words]",
        0.8,
    ),
    Rule(
        "philips-confidence",
        "confidence",
        lambda h: (
            vendor(h) == "Philips" and not has_type(h, "ORIGINAL") and (says(h, CONF) or has_type(h, "CONFIDENCE"))
        ),
        "Philips derived image with 'confidence' in description or type",
        "[words]",
        0.8,
    ),
    Rule(
        "philips-wave",
        "wave",
        lambda h: vendor(h) == "Philips" and not has_type(h, "ORIGINAL") and says(h, WAVE) and mre_named(h),
        "Philips derived image with 'wave' in description",
        "[words]",
        0.7,
    ),
    Rule(
        "philips-phase",
        "phase",
        lambda h: philips(h, "P", "MRE"),
        "Philips ORIGINAL, Image Type P and MRE",
        "[rules] philips_mre_phs",
        0.9,
    ),
    Rule(
        "philips-magnitude",
        "magnitude",
        philips_magnitude,
        "Philips ORIGINAL, Image Type M with M_SE, SE or FFE",
        "[rules] philips_seepi_mre_mag, philips_gre_mre_mag",
        0.7,
        needs_mre=True,
    ),
    # Canon
    Rule(
        "canon-stiffness",
        "stiffness",
        canon("stiffness"),
        "Canon Image Comments 'Stiffness'",
        "[rules] (commented out)",
        0.7,
    ),
    Rule("canon-confidence", "confidence", canon("confidence"), "Canon Image Comments 'Confidence'", "[words]", 0.7),
    Rule(
        "canon-phase", "phase", canon("phasediff"), "Canon Image Comments 'PhaseDiff'", "[rules] (commented out)", 0.7
    ),
    Rule(
        "canon-magnitude",
        "magnitude",
        canon("magnitude"),
        "Canon Image Comments 'Magnitude'",
        "[rules] (commented out)",
        0.6,
        needs_mre=True,
    ),
    # any vendor, by words
    Rule(
        "mmdi2d-stiffness",
        "stiffness",
        lambda h: re.match(r"stiffness\b", h.text(Tag.COMMENTS).lower()) is not None,
        "Image Comments 'stiffness' (MMDI 2-D)",
        "[rules]",
        0.8,
    ),
    Rule(
        "mmdi2d-confidence",
        "confidence",
        lambda h: re.match(r"confidence\b", h.text(Tag.COMMENTS).lower()) is not None,
        "Image Comments 'confidence' (MMDI 2-D)",
        "[rules]",
        0.8,
    ),
    Rule(
        "words-stiffness", "stiffness", named(STIFF, "STIFFNESS"), "'stiffness' in an MRE description", "[words]", 0.6
    ),
    Rule(
        "words-confidence",
        "confidence",
        named(CONF, "CONFIDENCE"),
        "'confidence' in an MRE description",
        "[words]",
        0.6,
    ),
    Rule("words-wave", "wave", named(WAVE, "WAVE"), "'wave' in an MRE description", "[words]", 0.5),
    Rule("words-phase", "phase", named(r"\bphase|\bphs\b", "P"), "'phase' in an MRE description", "[words]", 0.6),
    Rule("words-magnitude", "magnitude", named(r"\bmag", "M"), "'magnitude' in an MRE description", "[words]", 0.6),
    Rule("no-rule", "other", lambda h: True, "no rule of an MRE image fits", "", 0.5, tested_on_real=True),
)
