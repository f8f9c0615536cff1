"""The DICOM objects of a finding beside its pages; what keeps them from being written becomes a flag, never a loss."""

import struct
from dataclasses import replace
from pathlib import Path

from livermre.dicom.deidentify import NO_SECRET, Secret
from livermre.dicom.headers import SourceHeaders
from livermre.dicom.objects import Pages, write_objects
from livermre.dicom.study import pseudonym
from livermre.exam.errors import InputError
from livermre.exam.flags import Flag, flag
from livermre.exam.study import Study
from livermre.exam.types import Finding
from livermre.report import png

_DAMAGED = (AttributeError, KeyError, TypeError, ValueError, NotImplementedError, OSError, struct.error)
"""What headers that break their own rules end in, pydicom's readers and the writer's fields together."""


def renamed(study: Study, finding: Finding, secret: Secret) -> Finding:
    """The finding under the exam's new name: that of its de-identified copy. The old one is a hash of the old UID: who
    knows that UID could compute it.
    """
    headers = study.headers
    if not isinstance(headers, SourceHeaders) or not len(headers):
        return finding
    name = pseudonym(secret.uid(str(headers[0].get("StudyInstanceUID") or "")))
    return replace(finding, exam=replace(finding.exam, pseudonym=name))


def write(study: Study, finding: Finding, folder: Path, secret: Secret | None = None) -> Flag | None:
    """Write the objects of an exam that came from DICOM; a flag where its headers do not allow it, else None.

    folder  holds report.pdf and overlay.png of the same finding
    secret  what new UIDs and names are made from; None: the objects carry the patient

    Raises OutputError where the disk refuses: then the other files would not be safe either.
    """
    try:
        pages = Pages((folder / "report.pdf").read_bytes(), png.decode((folder / "overlay.png").read_bytes()))
        write_objects(study, finding, folder, pages, deidentify=secret is not None, secret=secret or NO_SECRET)
    except InputError as error:
        return flag("objects_not_written", reason=str(error).rstrip("."))
    except _DAMAGED as error:
        return flag("objects_not_written", reason=f"the source headers are damaged ({type(error).__name__})")
    return None
