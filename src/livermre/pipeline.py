"""The road: files -> exam -> liver -> region -> stiffness -> stage -> files. Only here is the clinical order known."""

import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cache
from pathlib import Path
from threading import Thread

import numpy as np

from livermre import above_noise, dicom, from_phase, given, nifti, objects_out, report, roi, stiffness
from livermre.deidentifying import read_key
from livermre.dicom import Reading, SeriesReport
from livermre.exam.errors import InputError, LivermreError, ModelError, NothingFound, OutputError, SettingsError
from livermre.exam.flags import Flag, Severity, flag
from livermre.exam.study import ReadOptions, Study
from livermre.exam.types import Change, Exam, Finding, Identity, LiverMask, Provenance, Roi, Stiffness, Waves
from livermre.network import model_card, segmenter
from livermre.provenance import recorded, versions
from livermre.results import Outcome, Status, base_name, earlier_finding, exam_names, failure, finding_row, whole_folder
from livermre.settings import Settings
from livermre.version import __version__


def analyze_study(study: Study, settings: Settings) -> Finding:
    """The finding of one acquisition; raises LivermreError where its files or the settings do not allow one."""
    exam, waves = _with_map(_labelled(study.exam), settings)
    liver = find_liver(exam, settings)
    exam, region, measured = _measure(exam, waves, liver, settings)
    table = stiffness.load_table(settings.table)
    blocked = any(f.severity == Severity.BLOCKING for f in (*exam.flags, *liver.flags, *measured.flags))
    # a number that is withheld has no band, and no doubt about one
    told = replace(measured, mean_kpa=None) if blocked else measured
    stage, flags = stiffness.stage(told, table, exam.acquisition, exam.quantity, settings.interval.calibration)
    measured = replace(measured, flags=(*measured.flags, *flags))
    provenance = _provenance(study, exam, liver, settings)
    waves = waves and from_phase.compared(waves, exam, liver)
    return Finding(exam, liver, region, measured, stage, provenance, _change(exam, measured, settings), waves)


def analyze_path(
    path: Path,
    out: Path,
    settings: Settings,
    *,
    name: str | None = None,
    others: Sequence[str] = (),
    overwrite: bool = False,
) -> list[Outcome]:
    """Every exam of an input, its results in `out/<exam>/`; what went wrong is an outcome too, not an exception.

    Exams that cannot be read come after the others. Raises ModelError: without a network no exam would fare better.

    name    of the results; by default the input's own
    others  names that belong to other inputs
    """
    name = name or base_name(path)
    try:
        reading = read_folder(path, settings.read)
    except Exception as error:
        return [replace(_failed(out / name, error, overwrite), source=str(path))]
    targets = [out / n for n in exam_names(name, len(reading.studies) + len(reading.failures), others)]
    measured = [_analyze_one(s, t, settings, overwrite) for s, t in zip(reading.studies, targets)]
    unread = targets[len(measured) :]
    outcomes = measured + [_failed(t, e, overwrite) for t, e in zip(unread, reading.failures, strict=True)]
    return [replace(o, source=str(path)) for o in outcomes]


def read_folder(path: Path, options: ReadOptions) -> Reading:
    """The acquisitions of a folder or file of DICOM, or of a NIfTI set, and why others cannot be read.

    Raises InputError where there is none.
    """
    return Reading((nifti.read(path, options),)) if nifti.is_set(path) else dicom.read_folder([path], options)


def read_studies(path: Path, options: ReadOptions) -> list[Study]:
    """The acquisitions that can be read; raises InputError where there is none."""
    return [nifti.read(path, options)] if nifti.is_set(path) else dicom.read([path], options)


def find_liver(exam: Exam, settings: Settings) -> LiverMask:
    """The liver by the network, or the mask that a person gave."""
    if settings.liver_file is None:
        return segmenter(settings.model, settings.device).segment(exam)
    mask, doubts = given.mask("--liver", settings.liver_file, exam)
    return LiverMask(mask.astype(np.float32), mask, None, (flag("liver_given"), *doubts))


def _with_map(exam: Exam, settings: Settings) -> tuple[Exam, Waves | None]:
    """The exam with the map to measure: the scanner's, or livermre's from the acquired phase."""
    if settings.from_phase:
        made = from_phase.inverted(exam, settings.inversion)
        return made.exam, made.waves
    if exam.stiffness_kpa is None:
        if any(s.phase_rad is not None for s in exam.slices):
            raise InputError(
                "the exam has no stiffness map, only magnitude and phase were found: add --from-phase to invert the "
                "phase, or export the elastogram in Pa or kPa too"
            )
        raise InputError(
            "the exam has no stiffness map, only magnitude was found: export the elastogram in Pa or kPa too"
        )
    return (exam if exam.confidence is not None else from_phase.with_confidence(exam, settings.inversion)), None


def _labelled(exam: Exam) -> Exam:
    """A simulated exam says so on its page, whatever way it came."""
    return replace(exam, flags=(*exam.flags, flag("simulated"))) if exam.acquisition.vendor == "simulated" else exam


def _measure(exam: Exam, waves: Waves | None, liver: LiverMask, settings: Settings) -> tuple[Exam, Roi, Stiffness]:
    """Region and stiffness, with an interval that counts how much the number hangs on the region.

    The exam comes back without confidence where the region shows noise and no vibration.
    """
    redrawn: Sequence[Roi] = ()
    doubts: Sequence[Flag] = ()
    if settings.region_file is None:
        region, redrawn = roi.draw_with_variants(exam, liver, settings.roi)
        asked = np.any([region.keep, *(r.keep for r in redrawn)], axis=0)
        told = above_noise.without_noise(waves, exam, region.keep, asked)
        if told is not exam:
            exam = told
            region, redrawn = roi.draw_with_variants(exam, liver, settings.roi)
    else:
        mask, doubts = given.mask("--roi", settings.region_file, exam)
        region = roi.given_roi(exam, mask)
    measured = stiffness.measure(exam, liver, region, settings.measure)
    means = [stiffness.mean_kpa(exam, r) for r in redrawn]
    measured = stiffness.calibrated(exam, region, measured, means, settings.interval)
    doubts = (*doubts, *above_noise.region_doubts(waves, exam, region.keep))
    return exam, region, replace(measured, flags=(*measured.flags, *doubts))


def _change(exam: Exam, measured: Stiffness, settings: Settings) -> Change | None:
    if settings.earlier_file is None:
        return None
    earlier = given.earlier_finding(settings.earlier_file)
    source, drawn = exam.stiffness_source, recorded(settings)
    return stiffness.compare(
        measured,
        exam.acquisition,
        earlier,
        settings.compare,
        source,
        drawn,
        quantity=exam.quantity,
        inversion=exam.inversion,
    )


def _analyze_one(study: Study, target: Path, settings: Settings, overwrite: bool) -> Outcome:
    """Finding and files of one exam; a finished one with the same files and settings is left as it is."""
    try:
        earlier = earlier_finding(target)
        if earlier is not None and not overwrite:
            return _skipped(study, target, earlier, settings)
        pages = _preparing_pages()
        finding = analyze_study(study, settings)
        pages.join()
        with whole_folder(target) as folder:
            _write(study, finding, settings, folder)
        return _outcome(target, earlier_finding(target) or {})
    except ModelError:
        raise
    except Exception as error:
        return _failed(target, error, overwrite)


@cache
def _preparing_pages() -> Thread:
    """Once a process, what every page needs, made ready while the network looks at the first exam."""
    thread = Thread(target=_prepare_pages, name="prepare pages")
    thread.start()
    return thread


def _prepare_pages() -> None:
    with suppress(Exception):  # who writes the page hears what is wrong
        report.prepare()


def _write(study: Study, finding: Finding, settings: Settings, folder: Path) -> None:
    secret = read_key(settings.key_file) if settings.deidentify else None
    identity = study.identity if secret is None else Identity()
    finding = finding if secret is None else objects_out.renamed(study, finding, secret)
    report.write(finding, identity, folder)
    for name, mask in (("liver", finding.liver.liver), ("roi", finding.roi.keep)):
        nifti.write_volume(folder / f"{name}.nii.gz", mask.astype(np.uint8), finding.exam)
    nifti.write_volume(folder / "roi_reasons.nii.gz", finding.roi.dropped, finding.exam)
    if finding.waves is not None:
        nifti.write_maps(folder, finding.exam)
    problem = objects_out.write(study, finding, folder, secret) if settings.dicom else None
    if problem is not None:
        doubted = replace(finding.exam, flags=(*finding.exam.flags, problem))
        report.write(replace(finding, exam=doubted), identity, folder)


def _skipped(study: Study, target: Path, earlier: dict, settings: Settings) -> Outcome:
    differ = _differences(study, earlier.get("provenance") or {}, settings)
    if not differ:
        return replace(_outcome(target, earlier), status="skipped")
    raise OutputError(f"{target} holds the finding of {' and '.join(differ)}: choose another --out, or add --overwrite")


def _differences(study: Study, made: Mapping, settings: Settings) -> list[str]:
    """What a finding was made of that is not what would make it now, in words."""
    weights = model_card(settings.model).sha256 if settings.liver_file is None else None
    now = {
        "other files": ("inputs_sha256", study.inputs_sha256),
        "other settings": ("settings", recorded(settings)),
        "other network weights": ("model_sha256", weights),
        f"another livermre ({made.get('livermre')}, this is {__version__})": ("livermre", __version__),
    }
    return [what for what, (key, value) in now.items() if made.get(key) != value]


def _outcome(target: Path, finding: dict) -> Outcome:
    row = finding_row(target.name, finding)
    remarks = tuple(f["message"] for f in finding.get("flags") or ())
    status: Status = "measured" if finding.get("reportable") else "not reportable"
    return Outcome(target.name, status, row, remarks=remarks, change=finding.get("change") or {})


def _failed(target: Path, error: Exception, overwrite: bool) -> Outcome:
    """What goes wrong on purpose speaks for itself; anything else is livermre's mistake and says so."""
    if isinstance(error, LivermreError):
        return failure(target, error, overwrite=overwrite)
    if isinstance(error, MemoryError):
        sentence = "the exam needs more memory than this machine has free"
        return failure(target, LivermreError(sentence), overwrite=overwrite)
    # the kind alone: the text of a strange error may hold a header value
    mistake = LivermreError(f"livermre failed inside ({type(error).__name__}); please report it: --debug shows where")
    return failure(target, mistake, overwrite=overwrite, details="".join(traceback.format_exception(error)))


def _provenance(study: Study, exam: Exam, liver: LiverMask, settings: Settings) -> Provenance:
    model = liver.model
    return Provenance(
        livermre=__version__,
        model=f"{model.name} {model.version}" if model else None,
        model_sha256=model.sha256 if model else None,
        settings=recorded(settings),
        inputs_sha256=study.inputs_sha256,
        stiffness_source=exam.stiffness_source,
        versions=versions(),
        series=study.series,
    )


def inspect(path: Path) -> list[SeriesReport]:
    """What every series of a folder or file of DICOM is, or every volume of a NIfTI set; nothing is measured."""
    if not nifti.is_set(path):
        reports = dicom.inspect([path])
        if not reports:
            raise NothingFound(f"nothing to inspect in {path}: it holds no DICOM and is no NIfTI set")
        return reports
    exam = nifti.read(path).exam
    found = {
        n: any(getattr(s, n) is not None for s in exam.slices)
        for n in ("magnitude", "stiffness_kpa", "confidence", "phase_rad")
    }
    return [
        SeriesReport(
            i, n, exam.acquisition.vendor, len(exam.slices), n.split("_")[0], 1.0, "named by its file", "nifti-set"
        )
        for i, n in enumerate((n for n, there in found.items() if there), start=1)
    ]


def segment_image(image: Path, out: Path, settings: Settings) -> tuple[Path, ...]:
    """Write the liver of a magnitude image: of a NIfTI file on its own array, of DICOM or a NIfTI set as RAS+.

    The files written: one, or one a slice where slices lie irregularly.
    """
    if not out.name.endswith((".nii.gz", ".nii")):
        raise SettingsError(f"the mask is written as NIfTI: {out.name} must end in .nii.gz or .nii")
    if out.resolve() == image.resolve():
        raise SettingsError(f"the mask would replace the image {out.name}: choose another --out")
    given.check_model(settings.model)
    if image.name.endswith((".nii.gz", ".nii")):
        return (nifti.write_like(out, find_liver(nifti.read_image(image), settings).liver, image),)
    exam = nifti.read(image, settings.read).exam if nifti.is_set(image) else dicom.read_image([image])
    return nifti.write_volume(out, find_liver(exam, settings).liver.astype(np.uint8), exam)


def write_exam(folder: Path, exam: Exam) -> Path:
    """An exam as a NIfTI set that `analyze` reads."""
    nifti.write_exam(folder, exam)
    return folder
