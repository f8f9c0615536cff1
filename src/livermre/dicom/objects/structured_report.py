"""The numbers as a structured report: Comprehensive 3D SR by template 1500, a group for the exam and one a slice."""

from collections.abc import Iterator

from livermre.dicom.objects import measurements, tree, words
from livermre.dicom.objects.base import MAKER, Kind, Order, base, by_series
from livermre.dicom.objects.codes import own_scheme, sequence
from livermre.dicom.objects.items import Item
from livermre.dicom.objects.source import copied
from livermre.dicom.objects.uids import uid_of

KIND = Kind("report", "1.2.840.10008.5.1.4.1.1.88.34", "SR", 9020, "livermre liver stiffness")


def structured_report(order: Order, made: list[Item]) -> Item:
    """Comprehensive 3D SR Storage (PS3.3 A.35.13).

    made  objects of this set that the report may refer to; the first is the segmentation
    """
    ds = base(order, KIND)
    ds.CompletionFlag, ds.VerificationFlag = "COMPLETE", "UNVERIFIED"
    ds.ReferencedPerformedProcedureStepSequence = []
    ds.PerformedProcedureCodeSequence = []
    ds.CodingSchemeIdentificationSequence = [own_scheme()]
    ds.CurrentRequestedProcedureEvidenceSequence = [_evidence(order, made)]
    ds.ValueType, ds.ConceptNameCodeSequence = "CONTAINER", sequence(words.REPORT)
    for keyword, value in tree.heading(_content(order, made[0]), "1500").items():
        setattr(ds, keyword, value)
    return ds


def _evidence(order: Order, made: list[Item]) -> Item:
    """Every object that the content refers to (PS3.3 C.17.2.3)."""
    series = [*by_series(order.source), *((d.SeriesInstanceUID, [(d.SOPClassUID, d.SOPInstanceUID)]) for d in made)]
    return Item(
        StudyInstanceUID=order.source.header.StudyInstanceUID,
        ReferencedSeriesSequence=[
            Item(
                SeriesInstanceUID=uid,
                ReferencedSOPSequence=[
                    Item(ReferencedSOPClassUID=c, ReferencedSOPInstanceUID=i) for c, i in dict.fromkeys(images)
                ],
            )
            for uid, images in series
        ],
    )


def _content(order: Order, segmentation: Item) -> Iterator[Item]:
    yield tree.code("HAS CONCEPT MOD", words.LANGUAGE, words.ENGLISH)
    yield from _observer(order)
    yield tree.code("HAS CONCEPT MOD", words.PROCEDURE, words.ELASTOGRAPHY)
    yield tree.container(words.LIBRARY, [tree.container(words.LIBRARY_GROUP, _library(order))])
    yield tree.container(words.MEASUREMENTS, measurements.groups(order, segmentation))


def _observer(order: Order) -> Iterator[Item]:
    """Template 1004: the device that observed, so that nobody takes the number for a person's."""
    made = order.finding.provenance
    yield tree.code("HAS OBS CONTEXT", words.OBSERVER_TYPE, words.DEVICE)
    yield tree.uid("HAS OBS CONTEXT", words.DEVICE_UID, uid_of("device", made.livermre, made.model_sha256))
    yield tree.text("HAS OBS CONTEXT", words.DEVICE_NAME, f"livermre {made.livermre}")
    yield tree.text("HAS OBS CONTEXT", words.DEVICE_MAKER, MAKER)
    yield tree.text("HAS OBS CONTEXT", words.DEVICE_MODEL, "livermre")
    yield tree.text("HAS OBS CONTEXT", words.DEVICE_SERIAL, made.model_sha256 or "no network")


def _library(order: Order) -> Iterator[Item]:
    """Template 1600: every image that was measured."""
    yield tree.code("HAS ACQ CONTEXT", words.MODALITY, words.MR)
    date = copied(order.source.header, ["StudyDate"])["StudyDate"]
    if date:
        yield tree.date("HAS ACQ CONTEXT", words.STUDY_DATE, str(date))
    if order.source.frame_of_reference:
        yield tree.uid("HAS ACQ CONTEXT", words.FRAME_OF_REFERENCE, order.source.frame_of_reference)
    for _, images in by_series(order.source):
        for sop_class, sop_instance in images:
            yield tree.image(None, sop_class, sop_instance)
