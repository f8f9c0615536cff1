"""A simulated exam as one vendor's scanner would have stored it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

from livermre.dicom.write.classic import Written
from livermre.dicom.write.ge import ge
from livermre.dicom.write.order import Order, Protocol
from livermre.dicom.write.philips import philips_enhanced
from livermre.dicom.write.siemens import siemens
from livermre.dicom.write.siemens_enhanced import siemens_enhanced
from livermre.exam.atomic import write_bytes
from livermre.exam.errors import OutputError, SettingsError
from livermre.exam.types import Exam, Identity

Style = Literal["ge", "siemens", "siemens-enhanced", "philips-enhanced"]

_STYLES: dict[str, Callable[[Order], Iterator[Written]]] = {
    "ge": ge,
    "siemens": siemens,
    "siemens-enhanced": siemens_enhanced,
    "philips-enhanced": philips_enhanced,
}
STYLES: tuple[str, ...] = tuple(_STYLES)
"""Names of the styles that can be written."""


def write_exam(
    exam: Exam,
    folder: Path,
    style: Style,
    *,
    seed: int | str,
    identity: Identity | None = None,
    protocol: Protocol | None = None,
    burned_in: bool = False,
) -> list[Path]:
    """The files of a simulated exam in a vendor's style, in the order written; the folder is made.

    seed       what tells this exam from others: the same exam with the same seed gives the same UIDs and bytes
    identity   patient ID and study date to put into the headers; SIMULATED is put before the ID
    protocol   what headers say about the sequence; by default usual values of the one that the exam names
    burned_in  GE: write text into the stiffness pixels, as the scanner does

    Phase is written as it was acquired, the mean magnitude once an offset, and of stiffness, confidence and wave what
    the exam has; values as `livermre.dicom.write.pixels` says. Raises SettingsError for an unknown style, InputError
    for what it cannot hold (several motion directions, GE without phase), OutputError where the disk refuses.
    """
    if style not in _STYLES:
        raise SettingsError(f"there is no DICOM style {style!r}; there are {', '.join(STYLES)}")
    order = Order(exam, style, str(seed), identity or Identity(), protocol or Protocol.of(exam.acquisition), burned_in)
    written = []
    for name, data in _STYLES[style](order):
        path = folder / name
        _make(path.parent)
        write_bytes(path, data)
        written.append(path)
    return written


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot make the folder {folder}: {error.strerror or error}") from error
