"""The modules that every object has: patient, study, series, equipment and what the object is."""

from collections.abc import Iterable
from dataclasses import dataclass

from pydicom.dataset import Dataset

from livermre.dicom.objects.codes import Code, sequence
from livermre.dicom.objects.items import Item
from livermre.dicom.objects.source import KIND, PATIENT, STUDY, Source, copied
from livermre.dicom.objects.uids import Names
from livermre.exam.types import Finding

MAKER = "The livermre developers"
RESEARCH = "For research use only; not a medical device."


@dataclass(frozen=True)
class Order:
    """What one set of objects is made of."""

    finding: Finding
    source: Source
    names: Names


@dataclass(frozen=True)
class Kind:
    """One kind of object.

    name       what its UIDs are made from
    series     Series Number; MRE/Quant's +98 and +99 stay free
    """

    name: str
    sop_class: str
    modality: str
    series: int
    description: str


def base(order: Order, kind: Kind) -> Item:
    """A dataset with the modules that all objects share: PS3.3 C.7.1.1, C.7.2.1, C.7.3.1, C.7.5.1, C.7.5.2, C.12.1."""
    header, made = order.source.header, order.finding.provenance
    ds = Item(**copied(header, (*PATIENT, *STUDY, *KIND)))
    ds.SpecificCharacterSet = "ISO_IR 192"
    _say_deidentified(ds, header)
    ds.SOPClassUID = kind.sop_class
    ds.SOPInstanceUID = order.names.uid("instance", kind.name)
    ds.SeriesInstanceUID = order.names.uid("series", kind.name)
    ds.Modality, ds.SeriesNumber, ds.InstanceNumber = kind.modality, kind.series, 1
    ds.SeriesDescription = kind.description
    ds.SeriesDate, ds.SeriesTime = order.source.date, order.source.time
    ds.ContentDate, ds.ContentTime = order.source.date, order.source.time
    ds.Manufacturer, ds.ManufacturerModelName = MAKER, "livermre"
    ds.DeviceSerialNumber, ds.SoftwareVersions = made.model_sha256 or "no network", made.livermre
    return ds


def _say_deidentified(ds: Item, header: Dataset) -> None:
    """What the source says of its de-identification beside the words (PS3.3 C.7.1.1, C.12.1.1.7)."""
    methods = header.get("DeidentificationMethodCodeSequence") or ()
    codes = [
        tuple(str(m.get(k) or "") for k in ("CodeValue", "CodingSchemeDesignator", "CodeMeaning")) for m in methods
    ]
    whole = [Code(*c) for c in codes if all(c)]
    if whole:
        ds.DeidentificationMethodCodeSequence = sequence(*whole)
    if header.get("LongitudinalTemporalInformationModified"):
        ds.LongitudinalTemporalInformationModified = str(header.LongitudinalTemporalInformationModified)


def placed(ds: Item, order: Order) -> None:
    """Frame of Reference: the source's; one of our own where it has none, for positions must refer to something."""
    ds.FrameOfReferenceUID = order.source.frame_of_reference or order.names.uid("frame of reference")
    ds.PositionReferenceIndicator = ""


def refer_to_source(ds: Item, order: Order) -> None:
    """Common Instance Reference (PS3.3 C.12.2): the source images, by series."""
    ds.ReferencedSeriesSequence = [
        Item(
            SeriesInstanceUID=series,
            ReferencedInstanceSequence=[
                Item(ReferencedSOPClassUID=c, ReferencedSOPInstanceUID=i) for c, i in dict.fromkeys(images)
            ],
        )
        for series, images in by_series(order.source)
    ]


def by_series(source: Source) -> Iterable[tuple[str, list[tuple[str, str]]]]:
    """(Series Instance UID, [(SOP class, SOP instance), ...]) of the source images, each once, in slice order."""
    found: dict[str, list[tuple[str, str]]] = {}
    for image in source.images:
        members = found.setdefault(image.series, [])
        if (image.sop_class, image.sop_instance) not in members:
            members.append((image.sop_class, image.sop_instance))
    return found.items()
