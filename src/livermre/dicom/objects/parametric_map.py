"""livermre's own stiffness and confidence as Parametric Maps in floating point, where livermre made them."""

import numpy as np

from livermre.dicom.objects import planes
from livermre.dicom.objects.base import RESEARCH, Kind, Order, base, placed, refer_to_source
from livermre.dicom.objects.codes import (
    CALCULATED,
    CONFIDENCE,
    ELASTICITY,
    KPA,
    LIVER,
    NO_UNIT,
    QUANTITY,
    Code,
    sequence,
)
from livermre.dicom.objects.items import Item

_CLASS = "1.2.840.10008.5.1.4.1.1.30"
STIFFNESS = Kind("stiffness map", _CLASS, "MR", 9030, "livermre stiffness map, kPa")
CONFIDENT = Kind("confidence map", _CLASS, "MR", 9040, "livermre confidence map, 0 to 1")
_OURS = {"confidence_from_phase", "confidence_partly_from_phase"}
_TYPE = ["DERIVED", "PRIMARY", "VOLUME", "QUANTITY"]


def stiffness_map(order: Order) -> Item | None:
    """Livermre's stiffness, kPa; None where the scanner's map was measured."""
    exam = order.finding.exam
    if exam.stiffness_source != "livermre" or exam.stiffness_kpa is None:
        return None
    name = "Magnitude of complex shear modulus |G*|" if exam.quantity == "|G*|" else exam.quantity
    return _map(order, STIFFNESS, exam.stiffness_kpa, _mapping(ELASTICITY, KPA, "STIFFNESS", name), (4.0, 8.0))


def confidence_map(order: Order) -> Item | None:
    """Livermre's confidence, 0 to 1; None where the scanner's was used or there is none."""
    exam = order.finding.exam
    own = exam.stiffness_source == "livermre" or bool(_OURS & {f.code for f in order.finding.flags})
    if not own or exam.confidence is None:
        return None
    return _map(
        order, CONFIDENT, exam.confidence, _mapping(CONFIDENCE, NO_UNIT, "CONFIDENCE", CONFIDENCE.meaning), (0.5, 1.0)
    )


def _map(order: Order, kind: Kind, values: np.ndarray, mapping: Item, window: tuple[float, float]) -> Item:
    """Parametric Map Storage (PS3.3 A.75) of (S, R, C) float32; NaN where there is no value: no mean can hide that."""
    ds = base(order, kind)
    placed(ds, order)
    refer_to_source(ds, order)
    ds.ImageType = _TYPE
    ds.NumberOfFrames, ds.Rows, ds.Columns = values.shape
    ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.BitsAllocated = 1, "MONOCHROME2", 32
    ds.PresentationLUTShape, ds.LossyImageCompression, ds.BurnedInAnnotation = "IDENTITY", "00", "NO"
    ds.BodyPartExamined = "LIVER"
    ds.PixelPresentation, ds.RecognizableVisualFeatures = "MONOCHROME", "NO"
    ds.ContentQualification, ds.ImageComments = "RESEARCH", RESEARCH
    ds.ContentLabel, ds.ContentDescription, ds.ContentCreatorName = mapping.LUTLabel, kind.description, ""
    ds.AcquisitionContextSequence = []
    count = range(len(values))
    shared, frames = planes.groups(order, CALCULATED, [(i + 1,) for i in count], list(count))
    # dcmqi's reader wants it; U: an organ without a side (PS3.3 C.7.6.16.2.8)
    shared.FrameAnatomySequence = [Item(FrameLaterality="U", AnatomicRegionSequence=sequence(LIVER))]
    shared.ParametricMapFrameTypeSequence = [Item(FrameType=_TYPE)]
    shared.RealWorldValueMappingSequence = [mapping]
    shared.PixelValueTransformationSequence = [Item(RescaleIntercept="0", RescaleSlope="1", RescaleType="US")]
    shared.FrameVOILUTSequence = [Item(WindowCenter=str(window[0]), WindowWidth=str(window[1]))]
    ds.SharedFunctionalGroupsSequence, ds.PerFrameFunctionalGroupsSequence = [shared], frames
    planes.dimensions(ds, order, planes.POSITION)
    ds.FloatPixelData = np.ascontiguousarray(values, dtype="<f4").tobytes()
    return ds


def _mapping(quantity: Code, unit: Code, label: str, explanation: str) -> Item:
    """Real World Value Mapping (PS3.3 C.7.6.16.2.11): stored value = real value."""
    return Item(
        LUTExplanation=explanation,
        LUTLabel=label,
        DoubleFloatRealWorldValueFirstValueMapped=0.0,
        DoubleFloatRealWorldValueLastValueMapped=1.0 if unit is NO_UNIT else 1000.0,
        RealWorldValueIntercept=0.0,
        RealWorldValueSlope=1.0,
        MeasurementUnitsCodeSequence=sequence(unit),
        QuantityDefinitionSequence=[
            Item(ValueType="CODE", ConceptNameCodeSequence=sequence(QUANTITY), ConceptCodeSequence=sequence(quantity))
        ],
    )
