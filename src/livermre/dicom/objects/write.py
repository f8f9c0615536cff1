"""Every object of a finding, in one call."""

from collections.abc import Iterator
from pathlib import Path

from livermre.dicom.deidentify.clean import NO_SECRET, Secret
from livermre.dicom.files import quiet_pydicom
from livermre.dicom.objects.base import Order
from livermre.dicom.objects.items import Item, file_bytes
from livermre.dicom.objects.pages import Pages, encapsulated_pdf, secondary_capture
from livermre.dicom.objects.parametric_map import confidence_map, stiffness_map
from livermre.dicom.objects.segmentation import segmentation
from livermre.dicom.objects.source import source_of
from livermre.dicom.objects.structured_report import structured_report
from livermre.dicom.objects.uids import names_of
from livermre.exam.atomic import write_bytes
from livermre.exam.study import Study
from livermre.exam.types import Finding

NAMES = ("seg.dcm", "sr.dcm", "stiffness_pmap.dcm", "confidence_pmap.dcm", "report_pdf.dcm", "report_sc.dcm")
"""File names of the objects, in the order in which they are written."""

NO_PAGES = Pages()


def write_objects(
    study: Study,
    finding: Finding,
    folder: Path,
    pages: Pages = NO_PAGES,
    *,
    deidentify: bool = False,
    secret: Secret = NO_SECRET,
) -> list[Path]:
    """Write the DICOM objects of a finding into a folder that exists; the files written, in the order of NAMES.

    Empty where the exam did not come from DICOM. Same study, finding and pages: same bytes and UIDs; anything else gets
    new UIDs. Raises OutputError where the disk refuses, InputError where the source headers cannot be used.

    deidentify  no patient; UIDs and dates as `livermre deidentify` changes those of the source with the same secret
    """
    written = []
    for name, data in object_bytes(study, finding, pages, deidentify=deidentify, secret=secret).items():
        write_bytes(folder / name, data)
        written.append(folder / name)
    return written


def object_bytes(
    study: Study, finding: Finding, pages: Pages = NO_PAGES, *, deidentify: bool = False, secret: Secret = NO_SECRET
) -> dict[str, bytes]:
    """The objects of a finding as files, by name, without writing them; InputError as `write_objects`."""
    with quiet_pydicom():
        source = source_of(study, finding, deidentify=deidentify, secret=secret)
        if source is None:
            return {}
        who = secret.fingerprint or True if deidentify else False
        order = Order(finding, source, names_of(finding, pages.pdf, pages.picture, who))
        made = dict(_objects(order, pages, identified=not deidentify))
        return {name: file_bytes(made[name]) for name in NAMES if name in made}


def _objects(order: Order, pages: Pages, *, identified: bool) -> Iterator[tuple[str, Item]]:
    outline = segmentation(order)
    maps = {"stiffness_pmap.dcm": stiffness_map(order), "confidence_pmap.dcm": confidence_map(order)}
    found = {name: ds for name, ds in maps.items() if ds is not None}
    yield "seg.dcm", outline
    yield "sr.dcm", structured_report(order, [outline, *found.values()])
    yield from found.items()
    if pages.pdf is not None:
        yield "report_pdf.dcm", encapsulated_pdf(order, pages.pdf, identified=identified)
    if pages.picture is not None:
        yield "report_sc.dcm", secondary_capture(order, pages.picture)
