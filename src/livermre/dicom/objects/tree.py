"""Content items of a structured report (PS3.3 C.17.3): one function a value type."""

from collections.abc import Iterable
from typing import Any, Literal

from livermre.dicom.objects.codes import Code, sequence
from livermre.dicom.objects.items import Item
from livermre.dicom.objects.planes import decimal

Relation = Literal["CONTAINS", "HAS OBS CONTEXT", "HAS CONCEPT MOD", "HAS ACQ CONTEXT", "HAS PROPERTIES"]


def code(relation: Relation, name: Code, value: Code) -> Item:
    """A coded answer."""
    return _named(relation, "CODE", name, ConceptCodeSequence=sequence(value))


def text(relation: Relation, name: Code, value: str) -> Item:
    """Words."""
    return _named(relation, "TEXT", name, TextValue=value)


def uid(relation: Relation, name: Code, value: str) -> Item:
    """A UID."""
    return _named(relation, "UIDREF", name, UID=value)


def date(relation: Relation, name: Code, value: str) -> Item:
    """A date, YYYYMMDD."""
    return _named(relation, "DATE", name, Date=value)


def number(name: Code, value: float, unit: Code, *children: Item) -> Item:
    """A measured number with what it is modified by."""
    measured = Item(NumericValue=decimal(value), MeasurementUnitsCodeSequence=sequence(unit))
    ds = _named("CONTAINS", "NUM", name, MeasuredValueSequence=[measured])
    if children:
        ds.ContentSequence = list(children)
    return ds


def image(
    name: Code | None, sop_class: str, sop_instance: str, *, frame: int | None = None, segment: int | None = None
) -> Item:
    """A stored image, one frame of it, or one segment."""
    reference = Item(ReferencedSOPClassUID=sop_class, ReferencedSOPInstanceUID=sop_instance)
    if frame is not None:
        reference.ReferencedFrameNumber = frame
    if segment is not None:
        reference.ReferencedSegmentNumber = segment
    return _named("CONTAINS", "IMAGE", name, ReferencedSOPSequence=[reference])


def container(name: Code, content: Iterable[Item], template: str = "", relation: Relation = "CONTAINS") -> Item:
    """A heading with its content; template: the TID that it follows."""
    ds = _named(relation, "CONTAINER", name, **heading(content, template))
    return ds


def heading(content: Iterable[Item], template: str = "") -> dict[str, Any]:
    """What a container holds, as keywords: the root of a report is one too."""
    values: dict[str, Any] = {"ContinuityOfContent": "SEPARATE", "ContentSequence": list(content)}
    if template:
        values["ContentTemplateSequence"] = [Item(MappingResource="DCMR", TemplateIdentifier=template)]
    return values


def _named(relation: Relation, kind: str, name: Code | None, **values: Any) -> Item:
    ds = Item(RelationshipType=relation, ValueType=kind)
    if name is not None:
        ds.ConceptNameCodeSequence = sequence(name)
    for keyword, value in values.items():
        setattr(ds, keyword, value)
    return ds
