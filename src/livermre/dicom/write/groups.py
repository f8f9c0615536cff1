"""Functional groups and sequence attributes that every enhanced file needs, whatever its frames show."""

from typing import Any

from pydicom.dataset import Dataset
from pydicom.tag import BaseTag, Tag

from livermre.dicom.write.header import ENHANCED_MR_IMAGE, number
from livermre.dicom.write.order import SIMULATED, Order

_FRAME_CONTENT, _FRAME_TYPE = Tag(0x0020, 0x9111), Tag(0x0018, 0x9226)


def item(**values: Any) -> Dataset:
    """A dataset with the given DICOM keywords."""
    ds = Dataset()
    for keyword, value in values.items():
        setattr(ds, keyword, value)
    return ds


def code(value: str, scheme: str, meaning: str) -> Dataset:
    """A code sequence item."""
    return item(CodeValue=value, CodingSchemeDesignator=scheme, CodeMeaning=meaning)


def laid_out(ds: Dataset, uid: str, mixed: bool) -> None:
    """The dimensions that order the frames: stack, position in it, offset, and kind where a file holds several."""
    pointers = [(0x00209056, _FRAME_CONTENT), (0x00209057, _FRAME_CONTENT), (0x00209128, _FRAME_CONTENT)]
    if mixed:
        pointers.append((0x00089208, _FRAME_TYPE))
    ds.DimensionOrganizationSequence = [item(DimensionOrganizationUID=uid)]
    ds.DimensionIndexSequence = [
        item(DimensionOrganizationUID=uid, DimensionIndexPointer=BaseTag(tag), FunctionalGroupPointer=group)
        for tag, group in pointers
    ]


def derivation(what: str, source: str) -> Dataset:
    """How a map came about, and the UID of the file that it was made from."""
    purpose = code("121322", "DCM", "Source image for image processing operation")
    return item(
        DerivationDescription=f"{what}, {SIMULATED}",
        DerivationCodeSequence=[code("INVERSION", "99LIVERMRE", "Elastography inversion")],  # none in CID 7203
        SourceImageSequence=[_reference(source, PurposeOfReferenceCodeSequence=[purpose])],
    )


def evidence(order: Order, series: int, source: str) -> Dataset:
    """Where that file lies: study and series."""
    listed = item(SeriesInstanceUID=order.uid("series", series), ReferencedSOPSequence=[_reference(source)])
    return item(StudyInstanceUID=order.uid("study"), ReferencedSeriesSequence=[listed])


def _reference(uid: str, **more: Any) -> Dataset:
    return item(ReferencedSOPClassUID=ENHANCED_MR_IMAGE, ReferencedSOPInstanceUID=uid, **more)


def pulse_sequence(ds: Dataset, order: Order, name: str) -> None:
    """Set what an original image says about its pulse sequence, beside the groups."""
    epi = order.protocol.spin_echo_epi
    ds.PulseSequenceName = name
    ds.EchoPulseSequence = "SPIN" if epi else "GRADIENT"
    ds.EchoPlanarPulseSequence = "YES" if epi else "NO"
    if epi:
        ds.MultipleSpinEcho = "NO"
    ds.MultiPlanarExcitation = ds.PhaseContrast = ds.TimeOfFlightContrast = ds.SaturationRecovery = "NO"
    ds.SteadyStatePulseSequence = ds.SpectrallySelectedSuppression = ds.OversamplingPhase = "NONE"
    ds.GeometryOfKSpaceTraversal, ds.SegmentedKSpaceTraversal = "RECTILINEAR", "SINGLE"
    ds.RectilinearPhaseEncodeReordering, ds.NumberOfKSpaceTrajectories = "LINEAR", 1


def acquisition_groups(order: Order, original: bool) -> Dataset:
    """Shared groups that say how frames were acquired; those of the sequence only where they are original."""
    shared = item(
        FrameAnatomySequence=[
            item(AnatomicRegionSequence=[code("10200004", "SCT", "Liver")], FrameLaterality="U"),
        ]
    )
    if original:
        shared.update(_sequence(order))
    return shared


def _sequence(order: Order) -> Dataset:
    protocol, plane = order.protocol, order.exam.slices[0].plane
    epi = protocol.spin_echo_epi
    return item(
        MRTimingAndRelatedParametersSequence=[
            item(
                RepetitionTime=number(protocol.repetition_ms),
                FlipAngle=number(protocol.flip_deg),
                EchoTrainLength="1",
                RFEchoTrainLength=1 if epi else 0,
                GradientEchoTrainLength=1,
                OperatingModeSequence=[item(OperatingModeType="GRADIENT", OperatingMode="IEC_NORMAL")],
                SpecificAbsorptionRateSequence=[
                    item(SpecificAbsorptionRateDefinition="IEC_WHOLE_BODY", SpecificAbsorptionRateValue=0.0)
                ],
            )
        ],
        MREchoSequence=[item(EffectiveEchoTime=float(protocol.echo_ms))],
        MRAveragesSequence=[item(NumberOfAverages="1")],
        MRFOVGeometrySequence=[
            item(
                InPlanePhaseEncodingDirection="COLUMN",
                MRAcquisitionFrequencyEncodingSteps=plane.shape[1],
                MRAcquisitionPhaseEncodingStepsInPlane=plane.shape[0],
                PercentSampling="100",
                PercentPhaseFieldOfView="100",
            )
        ],
        MRModifierSequence=[_modifier()],
        MRImagingModifierSequence=[
            item(
                MagnetizationTransfer="NONE",
                BloodSignalNulling="NO",
                Tagging="NONE",
                TransmitterFrequency=42.577 * (order.exam.acquisition.field_t or 1.5),
                PixelBandwidth="500",
            )
        ],
        MRReceiveCoilSequence=[
            item(
                ReceiveCoilName=SIMULATED,
                ReceiveCoilManufacturerName=SIMULATED,
                ReceiveCoilType="VOLUME",
                QuadratureReceiveCoil="NO",
            )
        ],
        MRTransmitCoilSequence=[
            item(TransmitCoilName=SIMULATED, TransmitCoilManufacturerName=SIMULATED, TransmitCoilType="BODY")
        ],
    )


def _modifier() -> Dataset:
    return item(
        InversionRecovery="NO",
        FlowCompensation="NONE",
        Spoiling="NONE",
        T2Preparation="NO",
        SpectrallySelectedExcitation="NONE",
        SpatialPresaturation="NONE",
        ParallelAcquisition="NO",
        PartialFourier="NO",
    )
