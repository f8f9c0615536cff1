"""The methods text: every setting in a sentence, written from the settings themselves so that it cannot be wrong."""

from dataclasses import asdict
from typing import Any

from livermre.evaluate.empty import RULE
from livermre.report.pictures import flat
from livermre.stiffness import load_table
from livermre.study.measurement import MARGIN
from livermre.study.record import Record
from livermre.study.results import StudyResults
from livermre.study.settings import StudySettings
from livermre.study.staging import PREVALENCES, THRESHOLDS, cutoffs_of
from livermre.study.tables import Table
from livermre.study.trust import PREVALENCE
from livermre.study.writing.document import Bullets, Section, section

_NETWORKS = {
    "unet": "unet: the textbook U-Net, five levels with 64 to 1024 channels, two 3 × 3 convolutions a level, batch "
    "normalisation, transposed convolutions upwards (Ronneberger 2015)",
    "unet-resnext50": "unet-resnext50: a U-Net whose encoder is ResNeXt-50 32x4d (segmentation_models_pytorch)",
}


def methods(results: StudyResults) -> list[Section]:
    """All sections of the methods."""
    record = results.record
    return [
        _design(record), _data(record), _reference(record), _split(record), _networks(record), _training(record),
        _statistics(record), _settings(record),
    ]  # fmt: skip


def _design(record: Record) -> Section:
    kind = (
        "A study on simulated patients: bodies, waves and images are computed, so that the truth is known."
        if record.simulated
        else "A study on the images of an existing cohort; livermre cannot know whether they were gathered for it."
    )
    return section(
        "methods-design", "Methods: design", [
            kind,
            "Two networks that outline the liver are trained under the same conditions and compared as segmenters and "
            "as measuring instruments. All outcomes, cut-offs, metrics and tests are part of the program and were "
            "fixed before any result was seen; the networks read the test exams without knowing their reference.",
        ],
    )  # fmt: skip


def _data(record: Record) -> Section:
    return section(
        "methods-data", "Methods: data", [
            f"Source: the cohort folder “{record.data}”. Every exam in it, in its table or among its masks counts as "
            "identified. An exam is left out only where its images cannot be read, where it has no reference mask, or "
            "where the mask does not lie on its pixels or is empty; the flow diagram counts each reason.",
            "Magnitude images are brought to square pixels by area-weighted linear interpolation, turned front to back "
            "and right to left, and squashed to 0..1 about the median of their bright half; the network sees each "
            "slice with its two neighbours. Stiffness maps are never resampled: the outline is brought back to "
            "their pixels. Where the scanner gave no confidence map, livermre's own from the acquired phase is used.",
            "The report, its tables and all files of the study carry names of exams and patients as the table gives "
            "them, no header value; patient IDs are compared by hash.",
        ],
    )  # fmt: skip


def _reference(record: Record) -> Section:
    s = record.settings.roi
    simulated = "In simulated exams the mask is the simulated liver itself and readers are simulated, too. "
    return section(
        "methods-reference", "Methods: reference and measurement", [
            (simulated if record.simulated else "")
            + "Reference outline: the mask given with each exam. Reference stiffness: the mean inside the region that "
            "the rules below draw in the reference mask, on the same map as for the networks, so that the difference "
            "is the outline's alone. Where readers drew regions of their own, their means are a second reference.",
            f"Region: liver minus a margin of {s.erode_mm:g} mm, vessels, pixels below a confidence of "
            f"{s.confidence_threshold:g}, hot spots under the driver, pixels without value or signal, and islands "
            f"below "
            f"{s.speck_mm2:g} mm². Exam stiffness: mean over all pixels of the region (area-weighted over slices). "
            f"No number is given below {record.settings.measure.minimum_area_mm2:g} mm², without waves, in an "
            "iron-dark liver, for an implausible mean, or for an interval wider than half the mean.",
            "Why this reference: stiffness is read inside hand-drawn regions in clinical practice, and readers of the "
            "same maps agree with ICC 0.955 to 0.993 in cohorts of wide range.",
        ],
    )  # fmt: skip


def _split(record: Record) -> Section:
    s = record.settings
    shares = (
        f"{s.folds}-fold cross-validation; in each fold {100 * s.validation_share:.0f} % of the patients choose the "
        "weights and are neither trained nor tested on"
        if s.folds
        else f"{100 * s.test_share:.0f} % of the patients to test, {100 * s.validation_share:.0f} % to choose the "
        "weights (validation), the others to train"
    )
    return section(
        "methods-split", "Methods: split", [
            f"Patients were drawn whole, spread evenly over stage, vendor and field, seed {s.split_seed}: {shares}. "
            "The split is kept in split.csv. Before training it was checked that no patient, no study and no image "
            "(by the hash of every slice's magnitude) lies in two subsets; a violation ends the study.",
        ],
    )  # fmt: skip


def _networks(record: Record) -> Section:
    starts = [f"{n} began with {w}" for n, w in record.start_from.items()]
    begin = "; ".join(starts) + "; others began at random" if starts else "Both began at random (no pretraining)"
    unfair = len(record.start_from) not in (0, len(record.settings.networks))
    return section(
        "methods-networks", "Methods: networks", [
            Bullets(tuple(_NETWORKS[n] for n in record.settings.networks)),
            f"Input 3 × {record.settings.size} × {record.settings.size} pixels of {384 / record.settings.size:g} mm; "
            f"output the liver's probability, cut at 0.5 and reduced to one liver as in the analysis. {begin}."
            + (" This favours one network." if unfair else ""),
            "The shipped network of livermre, never shown this cohort, is read beside them (“shipped”)"
            + (", and so are the weights that a training began with, as they were (“zero-shot”)." if starts else ".")
            if record.settings.zero_shot else None,
        ],
    )  # fmt: skip


def _training(record: Record) -> Section:
    s = record.settings
    stop = f"after {s.patience} validations without a better one" if s.patience else "never before its end"
    return section(
        "methods-training", "Methods: training", [
            f"The same for every network and seed ({', '.join(map(str, s.seeds))}): {s.steps} steps of {s.batch} "
            f"images "
            f"({s.steps * s.batch} images)"
            + (f" in {s.accumulate} parts" if s.accumulate > 1 else "")
            + f", AdamW with weight decay {s.weight_decay:g}, one-cycle learning rate (warm-up over 6 % of the "
            f"steps to "
            f"{s.peak_rate:g}, then a cosine to a hundredth), gradients clipped at norm 2, moving average of the "
            f"weights ({s.ema:g}). Loss: cross-entropy plus soft Dice of the liver, pooled over the batch. Arithmetic: "
            f"{'bf16 autocast' if s.bf16 else 'fp32'} on {s.device}.",
            "Augmentation: rotation, scaling, shift, two-scale elastic warp, coil shading, Rician noise and a random "
            "tone curve; no mirror image, since the liver lies on the right. Batches follow from seed and step alone.",
            f"The averaged weights are validated every {min(s.validate_every, s.steps)} steps; those with the best "
            f"mean Dice an exam "
            f"on the validation patients are exported ({s.weights} weights) and are what is evaluated. A run stops "
            f"{stop}. The seed with the best validation stands for its network. There is no ensemble.",
        ],
    )  # fmt: skip


def _statistics(record: Record) -> Section:
    s = record.settings
    chances = (
        "Chances of a stage come from a logistic model of stiffness, fitted on the training patients' reference "
        "stiffness: calibration, Brier score, decision curves at thresholds "
        f"{', '.join(f'{t:g}' for t in THRESHOLDS)}."
    )
    compared = (
        "Networks are compared in pairs on the exams where both have a value, whose number every row says beside those "
        "where one or both have none: mean difference, Hodges-Lehmann shift, Cohen's dz, "
        "rank-biserial correlation, Wilcoxon's signed rank test, DeLong's paired test for areas; p values corrected by "
        "Holm over all tests of that table. No sample size was calculated: the cohort decides it."
    )
    return section("methods-statistics", "Methods: statistics", [*statistics_text(s), chances, compared])


def statistics_text(s: StudySettings) -> list[str]:
    """How the statistics of any sample are computed, a paragraph each."""
    table = load_table(s.table)
    cuts = ", ".join(f"≥ F{k} from {v:g} kPa" for k, v in cutoffs_of(table).items())
    prevalences = ", ".join(f"{100 * p:g} %" for p in PREVALENCES)
    return [
        "Outline: Dice, IoU, precision, recall, 95 % Hausdorff distance, mean surface distance and surface Dice "
        f"(tolerance {s.tolerance_mm:g} mm), per slice, per exam and pooled, each named as such. {RULE}",
        "Stiffness: bias and 95 % limits in kPa and percent, proportional slope, ICC(A,1), Lin's concordance, "
        "Passing-Bablok and Deming lines, mean errors, shares within 5, 10 and 19 %, changed bands; correlation "
        f"second. Noninferiority to readers with a margin of {100 * MARGIN:g} %.",
        "Staging: AUROC with DeLong intervals, Obuchowski measure, sensitivity and specificity at the cut-offs of "
        f"table {table.name} ({cuts}; {table.source_sentence}), predictive values at the prevalence of the sample and "
        f"at {prevalences}, quadratic kappa of the bands.",
        "Failures are counted three ways (acquisition, quality control, software) over all exams; an exam without "
        "a number stays in the denominator and is left out of agreement, where its number is given. The quality "
        f"gate's precision is stated at a prevalence of {100 * PREVALENCE:g} %. Nothing is imputed.",
        f"Intervals are 95 % and resample patients with all their exams and slices ({s.draws} draws, seed "
        f"{s.split_seed}) unless a formula is named. Formulas take several exams of a patient for what they are, too: "
        "areas have the variance of Obuchowski 1997 (DeLong's with one exam a patient), shares the interval of Wilson "
        "at the effective number of patients (Rao and Scott 1992), calibration the variance of Liang and Zeger 1986, "
        "repeatability counts patients. Fewer than five patients, or one class: no interval and no test, and the table "
        "says so.",
    ]


def _settings(record: Record) -> Section:
    return section("settings", "All settings", [settings_table(record)])


def settings_table(record: Record) -> Table:
    """Every setting by its name."""
    values: dict[str, Any] = asdict(record.settings)
    rows = tuple((name, _shown(value)) for name, value in flat(values))
    return Table("settings", "Every setting of the study", ("setting", "value"), rows)


def _shown(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(_shown, value))
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
