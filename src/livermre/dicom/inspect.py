"""What every series of a folder is, how sure that is, and why; nothing is measured."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from livermre.dicom import units
from livermre.dicom.files import open_all
from livermre.dicom.header import Header, Tag
from livermre.dicom.patterns import vendor
from livermre.dicom.read import with_partners
from livermre.dicom.series import Group, sort

NOT_TESTED = "not tested on a real exam"


@dataclass(frozen=True)
class SeriesReport:
    """One series in one role.

    confidence  how sure the role is, 0..1
    why         the evidence, one sentence
    note        'not tested on a real exam' where no real file stands behind the rule, and what is wrong with the series
    unit        unit of the stored values as stated by the file or the rule; empty where it would be found by numbers
    """

    series: int
    description: str
    vendor: str
    images: int
    role: str
    confidence: float
    why: str
    rule: str
    note: str = ""
    unit: str = ""

    def as_dict(self) -> dict[str, str | int | float]:
        """The report as plain values for JSON."""
        return asdict(self)


def inspect(paths: Sequence[Path]) -> list[SeriesReport]:
    """A report for every series under the given files and folders, in order of series number; damaged files last.

    Raises NothingFound where there is no file at all.
    """
    folder = open_all([Path(p) for p in paths])
    found = sort(folder.files)
    reports = [_report(g) for g in with_partners(found.groups)]
    for file in folder.files:
        if not file.header.integer(Tag.ROWS):
            reports.append(_without_image(file.header))
    reasons = [*(reason for _, reason in folder.damaged), *(reason for _, reason in found.damaged)]
    return reports + [SeriesReport(0, "", "unknown", 1, "damaged", 1.0, reason, "damaged-file") for reason in reasons]


def _without_image(h: Header) -> SeriesReport:
    return SeriesReport(
        series=h.integer(Tag.SERIES_NUMBER),
        description=h.text(Tag.SERIES_DESCRIPTION),
        vendor=vendor(h),
        images=0,
        role="other",
        confidence=1.0,
        why=f"{h.text(Tag.MODALITY) or 'unknown'} object without an image",
        rule="no-image",
    )


def _report(group: Group) -> SeriesReport:
    rule, h = group.rule, group.header
    notes = [] if rule.tested_on_real else [NOT_TESTED]
    why = rule.why
    if group.problem:
        notes.append(group.problem)
    elif group.role != rule.role and rule.needs_mre:
        why = f"{rule.why}, but no phase or stiffness of an MRE at the same slices"
    if group.damaged:
        notes.append(f"{group.damaged} damaged image(s)")
    return SeriesReport(
        series=group.number,
        description=h.text(Tag.SERIES_DESCRIPTION) or h.text(Tag.PROTOCOL),
        vendor=vendor(h),
        images=len(group.frames),
        role=group.role,
        confidence=rule.certainty if not group.problem else 0.5,
        why=why,
        rule=rule.name,
        note="; ".join(notes),
        unit=_unit(group),
    )


def _unit(group: Group) -> str:
    stated = units.stated(group.header).unit
    if group.role == "stiffness":
        return stated or group.rule.unit or ""
    if group.role in ("phase", "wave"):
        return stated or {"milliradian": "mrad", "half_turn_4096": "pi/4096"}.get(group.rule.phase or "", "")
    if group.role == "confidence":
        return stated or ("1/1000" if group.rule.permille else "")
    return ""
