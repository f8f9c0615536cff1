"""finding.json: the promised keys for people's scripts; no identity, no NaN, the same bytes for the same finding."""

import json
import math
from collections.abc import Mapping, Sequence
from enum import Enum

from livermre.exam.flags import Flag
from livermre.exam.types import Change, Finding, SliceStiffness, Stage, Waves
from livermre.report.words import RESEARCH_USE, quantity


def finding_json(finding: Finding) -> dict[str, object]:
    """The finding as plain JSON values; number, intervals, stage and slice numbers are null when not reportable."""
    found, ok = finding.stiffness, finding.reportable
    plain = {
        "exam": finding.exam.pseudonym,
        "quantity": quantity(finding.exam.quantity),
        "reportable": ok,
        "stiffness_kpa": _kpa(found.mean_kpa) if ok else None,
        "stiffness_sd_kpa": _kpa(found.sd_kpa) if ok else None,
        "between_slice_sd_kpa": _kpa(found.between_slice_sd_kpa) if ok else None,
        "interval_95_kpa": _interval(found.interval_95_kpa) if ok else None,
        "repeat_interval_95_kpa": _interval(found.repeat_interval_95_kpa) if ok else None,
        "roi_area_mm2": round(found.area_mm2, 2),
        "roi_pixels": found.pixels,
        "stage": _stage(finding.stage) if ok and finding.stage is not None else None,
        "slices": [_slice(s, ok) for s in found.slices],
        "flags": [_flag(f) for f in finding.flags],
        "acquisition": _acquisition(finding),
        "provenance": _provenance(finding),
        "research_use": RESEARCH_USE,
    }
    if finding.change is not None:
        plain["change"] = _change(finding.change) if ok else None
    if finding.waves is not None:
        plain["inversion"] = _inversion(finding.waves, [s.z_mm for s in found.slices])
    cleaned = _plain(plain)
    return cleaned if isinstance(cleaned, dict) else {}


def finding_bytes(finding: Finding) -> bytes:
    """finding.json as UTF-8 text, readable and deterministic."""
    text = json.dumps(finding_json(finding), indent=2, ensure_ascii=False, allow_nan=False)
    # a lone surrogate from a damaged header has no UTF-8 form
    return (text + "\n").encode("utf-8", errors="replace")


def _kpa(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _interval(interval: tuple[float, float] | None) -> list[float | None] | None:
    return None if interval is None else [_kpa(interval[0]), _kpa(interval[1])]


def _flag(flag: Flag) -> dict[str, object]:
    return {"code": flag.code, "severity": flag.severity.value, "message": flag.message}


def _slice(row: SliceStiffness, reportable: bool) -> dict[str, object]:
    return {
        "z_mm": round(row.z_mm, 3),
        "mean_kpa": _kpa(row.mean_kpa) if reportable else None,
        "sd_kpa": _kpa(row.sd_kpa) if reportable else None,
        "median_kpa": _kpa(row.median_kpa) if reportable else None,
        "iqr_kpa": _interval(row.iqr_kpa) if reportable else None,
        "area_mm2": round(row.area_mm2, 2),
        "pixels": row.pixels,
        "liver_area_mm2": round(row.liver_area_mm2, 2),
        "valid_fraction": round(row.valid_fraction, 4),
        "flags": [_flag(f) for f in row.flags],
    }


def _stage(stage: Stage) -> dict[str, object]:
    chances = stage.probabilities
    return {
        "table": stage.table,
        "frequency_hz": stage.frequency_hz,
        "band": stage.band,
        "probabilities": None if chances is None else {k: round(v, 4) for k, v in chances.items()},
        "margin_kpa": _kpa(stage.margin_kpa),
        "cutoffs_kpa": list(stage.cutoffs_kpa),
        "bands": list(stage.bands),
        "source": stage.source,
    }


def _acquisition(finding: Finding) -> dict[str, object]:
    acquired = finding.exam.acquisition
    return {
        "vendor": acquired.vendor,
        "field_t": acquired.field_t,
        "frequency_hz": acquired.frequency_hz,
        "frequencies_hz": list(acquired.frequencies_hz) or None,
        "sequence": acquired.sequence,
        "dimension": acquired.dimension,
    }


def _provenance(finding: Finding) -> dict[str, object]:
    made, inversion = finding.provenance, finding.exam.inversion
    return {
        "livermre": made.livermre,
        "model": made.model,
        "model_sha256": made.model_sha256,
        "settings": made.settings,
        "inputs_sha256": made.inputs_sha256,
        "series": list(made.series),
        "stiffness_source": made.stiffness_source,
        "versions": made.versions,
        "region_by": finding.roi.author,
        **({} if inversion is None else {"inversion": inversion}),
    }


def _inversion(waves: Waves, heights_mm: Sequence[float]) -> dict[str, object]:
    quality = zip(heights_mm, waves.harmonic_share, waves.bulk_ratio, waves.noise_rad, strict=True)
    names = ("z_mm", "harmonic_share", "bulk_ratio", "noise_rad")
    rounded = [[None if v is None else round(v, 4) for v in row] for row in quality]
    agreement = waves.agreement and {k: v if v is None else round(v, 4) for k, v in waves.agreement.items()}
    return {
        "method": waves.method,
        "quantity": waves.quantity,
        "slices": [dict(zip(names, row, strict=True)) for row in rounded],
        "agreement_with_vendor": agreement,
    }


def _change(change: Change) -> dict[str, object]:
    return {
        "earlier_kpa": _kpa(change.earlier_kpa),
        "change_kpa": _kpa(change.change_kpa),
        "change_percent": round(change.change_percent, 2),
        "exceeds_limit": change.exceeds_limit,
        "limit_percent": change.limit_percent,
        "remark": change.remark,
    }


def _plain(value: object) -> object:
    """Settings and the like as what JSON knows: NaN and infinity become null, unknown things their text."""
    if value is None or isinstance(value, bool | str):
        return value.value if isinstance(value, Enum) else value
    if isinstance(value, Enum):
        return _plain(value.value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, set | frozenset):
        return sorted((_plain(v) for v in value), key=str)
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    item = getattr(value, "item", None)  # numpy scalars
    return _plain(item()) if callable(item) and getattr(value, "ndim", 1) == 0 else str(value)
