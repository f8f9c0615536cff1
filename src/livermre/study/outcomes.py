"""How every exam ended: measured, or one of three kinds of failure (clinical definition: Wagner 2017)."""

from livermre.study.entry import Reference
from livermre.study.scores import Reading

ACQUISITION = {
    "no_waves",
    "phase_without_waves",
    "phase_contradicts_map",
    "iron_dark_liver",
    "no_stiffness_values",
    "no_map",
}
"""Flags that say: nobody could have measured this exam."""

QUALITY = {"interval_too_wide", "implausible_stiffness"}
"""Flags by which livermre refuses a number that it has."""


def outcome_of(reading: Reading, reference: Reference | None) -> str:
    """One of evaluate.failures.OUTCOMES.

    What cannot be measured inside the reference mask either is a failure of the acquisition, or of the quality gate;
    what can, but not by this network, is the software's, unless the gate refused it. A prediction that is missing or
    cannot be read is the software's, too: nobody refused the exam.
    """
    if reading.kpa is not None:
        return "measured"
    if reading.error:
        return "software"
    by_reference = set(reference.blocking) if reference is not None else set()
    if by_reference and reference is not None and not reference.measurable:
        return "acquisition" if by_reference & ACQUISITION else "quality_control"
    return "quality_control" if set(reading.blocking) & QUALITY else "software"
