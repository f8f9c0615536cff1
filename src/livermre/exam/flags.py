"""The registry of flags: what is poor or unusual in a readable exam, each with one sentence and a severity."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How much a flag weighs."""

    INFO = "info"  # worth knowing
    WARNING = "warning"  # doubt the number
    BLOCKING = "blocking"  # there is no number to report


@dataclass(frozen=True)
class Flag:
    """One remark about an exam or slice: code for programs, sentence for people."""

    code: str
    severity: Severity
    message: str


_REGISTRY: dict[str, tuple[Severity, str]] = {
    # blocking: reportable is false, number, interval and stage are null
    "no_liver": (Severity.BLOCKING, "No liver was found in the magnitude images."),
    "too_little_area": (
        Severity.BLOCKING,
        "The measurable region is {area_cm2:.1f} cm² for the whole exam; at least {minimum_cm2:.1f} cm² are needed.",
    ),
    "no_waves": (
        Severity.BLOCKING,
        "Only {percent:.0f} % of the liver away from its edge has confident waves: "
        "driver off, disconnected or misplaced, or severe motion.",
    ),
    "no_stiffness_values": (Severity.BLOCKING, "The stiffness map holds no value inside the liver."),
    "region_without_vibration": (
        Severity.BLOCKING,
        "Waves do not reach the measured region: they hardly rise above noise ({evidence}; noise: 1).",
    ),
    "implausible_stiffness": (
        Severity.BLOCKING,
        "The mean of {mean_kpa:.2f} kPa lies outside what a liver can have ({low_kpa:g}–{high_kpa:g} kPa).",
    ),
    "interval_too_wide": (
        Severity.BLOCKING,
        "The mean is uncertain by {percent:.0f} % in either direction: the measured pixels do not agree on a number.",
    ),
    "iron_dark_liver": (
        Severity.BLOCKING,
        "The liver is as dark as the noise (signal {ratio:.1f} times the background), as with iron overload; "
        "its phase cannot be trusted.",
    ),
    # warning: a number is reported, doubt it
    "dark_liver": (
        Severity.WARNING,
        "The liver is dark (signal {ratio:.1f} times the background): iron or a weak coil may disturb the waves.",
    ),
    "small_area": (
        Severity.WARNING,
        "The measured region is small ({area_cm2:.1f} cm² for the whole exam).",
    ),
    "no_confidence_map": (
        Severity.WARNING,
        "The exam has no confidence map, so unreliable pixels could not be left out; no interval is given.",
    ),
    "band_uncertain": (
        Severity.WARNING,
        "The chance that the true stiffness lies in the band '{band}' is only {percent:.0f} %: "
        "the interval reaches other bands.",
    ),
    "slice_without_vibration": (
        Severity.WARNING,
        "The slice at {z_mm:.0f} mm is left out: its waves hardly rise above noise ({evidence}; noise: 1).",
    ),
    "noise_left_out": (
        Severity.INFO,
        "{percent:.0f} % of the region's confident pixels hardly rise above noise and were left out.",
    ),
    "slices_disagree": (
        Severity.WARNING,
        "Slice means differ by up to {percent:.0f} % of the exam mean (limit {limit:.0f} %): "
        "look for oblique waves, dome or edge slices.",
    ),
    "few_slices": (Severity.WARNING, "Only {slices} slice(s) could be measured."),
    "missing_slices": (Severity.WARNING, "Slice positions have a gap: {found} slices over {expected} positions."),
    "no_frequency": (Severity.WARNING, "The driver frequency is not known; no stage is given."),
    "segmentation_doubtful": (
        Severity.WARNING,
        "The liver outline is doubtful ({reason}); check it on the page before using the number.",
    ),
    "unit_by_plausibility": (
        Severity.WARNING,
        "The unit of the stiffness map was not stated; {unit} was taken since only it gives a plausible liver.",
    ),
    "vendor_rule_untested": (
        Severity.WARNING,
        "The rule that read this exam ({rule}) has not been tested on a real exam.",
    ),
    "table_frequency_mismatch": (
        Severity.WARNING,
        "Cut-off table {table} holds for {table_hz:g} Hz and {table_dimension}; this exam has "
        "{exam_hz:g} Hz, {exam_dimension}. No stage is given.",
    ),
    "table_unverified": (
        Severity.WARNING,
        "The numbers of cut-off table {table} were not checked in their source.",
    ),
    "phase_not_used": (Severity.WARNING, "The phase images were left out: {reason}."),
    "confidence_not_used": (Severity.WARNING, "The confidence map was left out: {reason}."),
    "other_maps_ignored": (
        Severity.WARNING,
        "The input holds more than one stiffness map of this acquisition; series {used} was measured, not {ignored}.",
    ),
    "simulated": (Severity.WARNING, "This exam was simulated: it shows nobody's liver."),
    "objects_not_written": (Severity.WARNING, "The DICOM objects could not be written: {reason}."),
    "exam_left_out": (Severity.WARNING, "Something else in the input could not be read as an exam: {reason}."),
    # slice level
    "slice_without_liver": (Severity.INFO, "No liver in this slice."),
    "slice_not_measured": (Severity.INFO, "No pixel of this slice passed the rules."),
    "slice_small_area": (Severity.INFO, "The region in this slice is small ({area_cm2:.1f} cm²)."),
    "slice_outlier": (Severity.INFO, "The mean of this slice is {percent:.0f} % away from the exam mean."),
    # info
    "magnitude_resampled": (Severity.INFO, "The magnitude was resampled onto the grid of the stiffness map."),
    "duplicate_images": (Severity.INFO, "{count} duplicate image(s) were ignored."),
    "damaged_files": (Severity.WARNING, "{count} damaged file(s) of this exam were left out."),
    "dimension_assumed": (
        Severity.INFO,
        "The header does not say whether waves were encoded in 2D or 3D; 2D was taken.",
    ),
    "signal_not_checked": (
        Severity.INFO,
        "The images have no empty background to compare with, so a dark liver (iron) could not be recognised.",
    ),
    "mask_outside_body": (
        Severity.WARNING,
        "{percent:.0f} % of the mask given by {option} lies in the air around the body: is it a mask of this exam?",
    ),
    "confidence_from_phase": (
        Severity.INFO,
        "The scanner gave no confidence map; livermre's own from the acquired phase was used.",
    ),
    "interval_calibrated": (
        Severity.INFO,
        "The 95 % interval is calibrated ({calibration}): such intervals held the true stiffness of the measured "
        "region in {percent:.0f} % of {exams} simulated exams of another generator, on "
        "livermre's own maps. Simulated patients are not patients.",
    ),
    "interval_not_calibrated": (
        Severity.INFO,
        "The 95 % interval covers the spread of pixels, between slices and by choice of region, but not a bias of the "
        "inversion: its calibration does not hold here ({reason}).",
    ),
    "roi_given": (Severity.INFO, "The region was given, not drawn by livermre."),
    "liver_given": (Severity.INFO, "The liver outline was given, not found by the network."),
    # inversion
    "phase_without_waves": (
        Severity.BLOCKING,
        "The {start} images hold no confident shear wave in any slice (at most {percent:.1f} % of the body): "
        "driver off, noise, or images of another kind.",
    ),
    "phase_offset_damaged": (
        Severity.WARNING,
        "Phase offset {offset} of the slice at {z_mm:.0f} mm is far noisier than the others; "
        "no pixel of this slice is trusted.",
    ),
    "phase_not_harmonic": (
        Severity.WARNING,
        "Only {percent:.0f} % of the motion in the slice at {z_mm:.0f} mm follows one vibration: offsets in the wrong "
        "order, missing or disturbed; no pixel of this slice is trusted.",
    ),
    "phase_without_vibration": (
        Severity.BLOCKING,
        "The phase does not show a vibration: where a wave seems to be ({area_cm2:.0f} cm²), the driver's frequency "
        "holds {ratio:.1f} times the energy of the noise, as noise alone can: driver off, or offsets out of order.",
    ),
    "vibration_not_known": (
        Severity.BLOCKING,
        "These three phase offsets cannot tell a vibration from noise: their mean was taken off or holds more than "
        "noise, and waves too short for tissue, which would show the noise, are missing. Four offsets are needed.",
    ),
    "phase_offsets_out_of_order": (
        Severity.BLOCKING,
        "The phase offsets seem to be in the wrong order: {given:.0f} % of the motion follows one vibration as they "
        "come, {best:.0f} % in the order {order}. No pixel is trusted.",
    ),
    "components_by_curl": (
        Severity.INFO,
        "The three motion components were joined by their curl, which holds no compression (slices {step_mm:.1f} mm "
        "apart).",
    ),
    "components_summed": (
        Severity.INFO,
        "The {count} motion components were fitted together without a curl, so only the filter parts shear waves from "
        "compression: {reason}.",
    ),
    "several_frequencies": (
        Severity.WARNING,
        "The stiffness is one fit over {frequencies} Hz: it is not |G*| at one frequency, and no cut-off is made "
        "for it.",
    ),
    "slices_without_phase": (Severity.WARNING, "{count} slice(s) have no {start} images and therefore no map."),
    "stiffness_by_livermre": (
        Severity.INFO,
        "Stiffness and confidence were computed by livermre from the {start} images, not by the vendor.",
    ),
    "quantity_not_g": (
        Severity.WARNING,
        "The map holds {quantity}, not |G*|: cut-offs are for |G*|, so no stage is given.",
    ),
    "slice_not_inverted": (Severity.WARNING, "A slice was not inverted ({reason})."),
    "confidence_partly_from_phase": (
        Severity.WARNING,
        "The scanner gave no confidence map; livermre's own from the acquired phase was used in the slices at "
        "{used} mm. The slices at {lacking} mm have none: unreliable pixels there could not be left out.",
    ),
    "phase_contradicts_map": (
        Severity.WARNING,
        "The acquired phase holds no confident shear wave in any slice (at most {percent:.1f} % of the body), so no "
        "pixel of the scanner's map is trusted where there is phase.",
    ),
}


def flag(code: str, **values: object) -> Flag:
    """A flag of the registry with its sentence filled in; KeyError for an unknown code or missing value.

    Areas are given in mm2 (`area_mm2`) and spoken of in cm² (`area_cm2`).
    """
    severity, sentence = _REGISTRY[code]
    areas = {k.replace("_mm2", "_cm2"): float(str(v)) / 100 for k, v in values.items() if k.endswith("_mm2")}
    return Flag(code, severity, sentence.format(**values, **areas))


def known_flags() -> dict[str, tuple[Severity, str]]:
    """Every flag code with its severity and sentence pattern."""
    return dict(_REGISTRY)
