"""Exams on disk in every style and plane, and findings of them with masks that no flip or turn leaves as they are."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from dicom.makers import VENDORS
from dicom.phantom import phantom
from livermre import stiffness
from livermre.dicom import ReadOptions, read
from livermre.dicom.write import write_exam
from livermre.exam.flags import flag
from livermre.exam.reasons import Reason
from livermre.exam.study import Study
from livermre.exam.types import Exam, Finding, LiverMask, ModelCard, Provenance, Roi

CARD = ModelCard("livermre-liver", "0.2.0", "9f2c" * 16)


def masks(exam: Exam) -> tuple[np.ndarray, np.ndarray]:
    """Liver and region of each slice as what is stiffer there than a number: the source pixels can make them again."""
    kpa = exam.stiffness_kpa
    filled = np.where(np.isfinite(kpa), kpa, 0)
    low, high = (np.array([np.percentile(s[s > 0], q) for s in filled])[:, None, None] for q in (40, 70))
    return filled > low, filled > high


def finding_of(exam: Exam, *, inputs: str = "ab12" * 16, settings: dict | None = None) -> Finding:
    """A finding by the road's own measurement in masks that need no network."""
    liver, keep = masks(exam)
    region = Roi(keep, np.where(liver & ~keep, np.uint16(Reason.EDGE), np.uint16(0)))
    found = LiverMask(liver.astype(np.float32), liver, CARD)
    measured = stiffness.measure(exam, found, region, stiffness.MeasureSettings())
    measured = stiffness.interval(exam, region, measured, [], stiffness.IntervalSettings())
    measured = replace(measured, flags=tuple(f for f in measured.flags if f.severity != "blocking"))
    stage, _ = stiffness.stage(measured, stiffness.load_table("rdes149"), exam.acquisition, exam.quantity)
    made_by = Provenance(
        "0.1.0", f"{CARD.name} {CARD.version}", CARD.sha256, settings or {"erode_mm": 10.0}, inputs,
        exam.stiffness_source,
    )  # fmt: skip
    return Finding(exam, found, region, measured, stage, made_by)


def own_map(finding: Finding) -> Finding:
    """The same finding as if livermre had made the map."""
    made_by = replace(finding.provenance, stiffness_source="livermre")
    return replace(finding, exam=replace(finding.exam, stiffness_source="livermre"), provenance=made_by)


def blocked(finding: Finding) -> Finding:
    """The same finding with a blocking flag, as the road leaves it: numbers inside, none to report."""
    flags = (flag("no_waves", percent=3), *finding.stiffness.flags)
    return replace(finding, stiffness=replace(finding.stiffness, flags=flags))


def simulated(exam: Exam, folder: Path, style: str = "ge", seed: int = 1) -> Study:
    """An exam written in a simulated style and read again."""
    write_exam(exam, folder, style, seed=seed)
    (study,) = read([folder], ReadOptions(frequency_hz=None))
    return study


def vendor_study(name: str, folder: Path, **shape: int) -> Study:
    """The phantom as a vendor is known to write it, read again."""
    maker = next(v for v in VENDORS if v.name == name)
    maker.make(phantom(**shape)).write(folder)
    return read([folder], ReadOptions())[0]
