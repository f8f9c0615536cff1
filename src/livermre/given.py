"""What a person gave by hand: masks, an earlier finding, a network; checked before any exam is read where possible."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from livermre import nifti, stiffness
from livermre.deidentifying import read_key
from livermre.dicom import masks
from livermre.exam.errors import InputError, ModelError, SettingsError
from livermre.exam.flags import Flag, flag
from livermre.exam.types import Exam
from livermre.network import model_card
from livermre.report.outline import body
from livermre.settings import Settings

OUTSIDE_WRONG, OUTSIDE_DOUBTFUL = 0.9, 0.1
"""Share of a mask outside the body from which it belongs to another exam, and from which it is flagged (our choice)."""


def check(settings: Settings) -> None:
    """Raise what no exam could be analysed with.

    SettingsError for an unknown table, a file that is missing or of another kind, and a network named by the user that
    cannot be used; ModelError where the shipped network cannot be used.
    """
    stiffness.load_table(settings.table)
    if settings.key_file is not None and not settings.deidentify:
        raise SettingsError("--key: a key is for --deidentify, which was not asked for")
    read_key(settings.key_file)
    for option, path in (("--liver", settings.liver_file), ("--roi", settings.region_file)):
        if path is not None:
            check_mask(option, path)
    if settings.earlier_file is not None:
        earlier_finding(settings.earlier_file)
    if settings.liver_file is None or settings.model != "default":
        check_model(settings.model)


def check_model(model: str | Path) -> None:
    """Raise SettingsError where a network named by the user cannot be used, ModelError where it is the shipped one."""
    try:
        model_card(model)
    except ModelError as error:
        if model == "default":
            raise
        raise SettingsError(f"--model: {error}") from error


def check_mask(option: str, path: Path) -> None:
    """Raise SettingsError where a file that an option names is missing, damaged or empty."""
    parts = (path,) if masks.is_dicom(path) else nifti.files_of(path)
    if not parts:
        raise SettingsError(f"{option}: there is no file {path}")
    try:
        if masks.is_dicom(path):
            masks.check_mask(path, _wanted(option))
            return
        filled = any(bool(nifti.read_image(part).magnitude.any()) for part in parts)
    except InputError as error:
        raise SettingsError(f"{option}: {error}") from error
    if not filled:
        raise SettingsError(f"{option}: the mask {path.name} is empty")


def mask(option: str, path: Path, exam: Exam) -> tuple[np.ndarray, Sequence[Flag]]:
    """A mask (S, R, C) bool on the exam's grid, and what is doubtful about it.

    Raises SettingsError where it does not fit the exam, lies outside the body or is empty: the exam is not at fault.
    """
    try:
        found = masks.read_mask(path, exam, _wanted(option)) if masks.is_dicom(path) else nifti.read_mask(path, exam)
    except InputError as error:
        raise SettingsError(f"{option}: {error}") from error
    if not found.any():
        raise SettingsError(f"{option}: the mask {path.name} is empty")
    outside = _share_outside(found, exam)
    if outside >= OUTSIDE_WRONG:
        raise SettingsError(
            f"{option}: {100 * outside:.0f} % of the mask {path.name} lies in the air around the body; "
            "it must be a mask of this exam, in the same place of the patient"
        )
    doubtful = outside >= OUTSIDE_DOUBTFUL
    return found, (flag("mask_outside_body", option=option, percent=100 * outside),) if doubtful else ()


def _wanted(option: str) -> str:
    """Which of several segments of a DICOM object an option means."""
    return masks.REGION if option in ("--roi", "--phantom") else masks.LIVER


def _share_outside(found: np.ndarray, exam: Exam) -> float:
    """Share of a mask's pixels (S, R, C) outside the body; the body has no holes, so that a dark liver is inside."""
    inside = sum(np.count_nonzero(m & body(s.magnitude)) for m, s in zip(found, exam.slices, strict=True) if m.any())
    return 1 - inside / np.count_nonzero(found)


def earlier_finding(path: Path) -> dict:
    """The content of an earlier finding.json with a number; SettingsError in one sentence for any other file."""
    try:
        earlier = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise SettingsError(f"--compare: there is no file {path}") from error
    except OSError as error:
        raise SettingsError(f"--compare: {path} cannot be read ({error.strerror or error})") from error
    except (ValueError, RecursionError) as error:  # the parser's own words help nobody
        raise SettingsError(f"--compare: {path} is no finding.json of livermre: it is not JSON") from error
    if not isinstance(earlier, dict):
        raise SettingsError(f"--compare: {path} is no finding.json of livermre: it is JSON of another kind")
    try:
        stiffness.earlier_kpa(earlier)
    except InputError as error:
        raise SettingsError(f"--compare: {path}: {error}") from error
    return earlier
