"""What a de-identified MRE image may hold: an allow-list, so that whatever nobody thought of is removed.

Actions are those of PS3.15 Table E.1-1: K keep, Z empty, U another UID, D a dummy (pseudonym), C clean: a date or time
moved, a text reduced to words that tell the kind of image. What is not listed is removed (X). Sections are of PS3.3.
"""

from typing import Literal

Action = Literal["K", "Z", "U", "D", "date", "time", "text"]

_KEEP = (
    # C.12.1 SOP common, C.7.3.1 series, C.7.5.1 equipment (maker and model are in no profile's list of identifiers)
    "SpecificCharacterSet SyntheticData SOPClassUID Modality SeriesNumber Laterality BodyPartExamined "
    "PatientPosition Manufacturer ManufacturerModelName SoftwareVersions "
    # C.7.6.1 general image, C.8.3.1 MR image, C.8.13.1 enhanced MR image
    "ImageType InstanceNumber AcquisitionNumber FrameType ContentQualification BurnedInAnnotation "
    "LossyImageCompression LossyImageCompressionRatio LossyImageCompressionMethod PresentationLUTShape "
    "ScanningSequence SequenceVariant ScanOptions SequenceName AngioFlag MRAcquisitionType RepetitionTime EchoTime "
    "EchoNumbers EchoTrainLength InversionTime TriggerTime NumberOfAverages ImagingFrequency ImagedNucleus "
    "MagneticFieldStrength SpacingBetweenSlices NumberOfPhaseEncodingSteps PercentSampling PercentPhaseFieldOfView "
    "PixelBandwidth AcquisitionMatrix InPlanePhaseEncodingDirection FlipAngle VariableFlipAngleFlag SliceThickness "
    "ReconstructionDiameter TemporalPositionIdentifier NumberOfTemporalPositions TemporalResolution SAR "
    "PixelPresentation VolumetricProperties VolumeBasedCalculationTechnique ComplexImageComponent "
    "AcquisitionContrast ResonantNucleus PulseSequenceName EchoPulseSequence MultipleSpinEcho MultiPlanarExcitation "
    "PhaseContrast SteadyStatePulseSequence EchoPlanarPulseSequence SpectrallySelectedSuppression OversamplingPhase "
    "GeometryOfKSpaceTraversal RectilinearPhaseEncodeReordering SegmentedKSpaceTraversal CoverageOfKSpace "
    "NumberOfKSpaceTrajectories SaturationRecovery Spoiling Tagging T2Preparation "
    # C.7.6.2 image plane, C.7.6.16 functional groups, C.7.6.17 dimensions
    "ImagePositionPatient ImageOrientationPatient PixelSpacing SliceLocation PositionReferenceIndicator StackID "
    "InStackPositionNumber TemporalPositionIndex TemporalPositionTimeOffset FrameAcquisitionNumber "
    "DimensionIndexValues DimensionIndexPointer FunctionalGroupPointer DimensionOrganizationType EffectiveEchoTime "
    "NominalCardiacTriggerDelayTime FrameAcquisitionDuration "
    # C.7.6.3 pixels, C.7.6.16.2.9 and .11 values, C.11.2 window
    "SamplesPerPixel PhotometricInterpretation NumberOfFrames Rows Columns PlanarConfiguration BitsAllocated "
    "BitsStored HighBit PixelRepresentation SmallestImagePixelValue LargestImagePixelValue PixelPaddingValue "
    "PixelPaddingRangeLimit WindowCenter WindowWidth RescaleIntercept RescaleSlope RescaleType "
    "RealWorldValueFirstValueMapped RealWorldValueLastValueMapped RealWorldValueIntercept RealWorldValueSlope "
    "DoubleFloatRealWorldValueFirstValueMapped DoubleFloatRealWorldValueLastValueMapped CodeValue "
    "CodingSchemeDesignator CodeMeaning LongitudinalTemporalInformationModified PixelData FloatPixelData "
    "ExtendedOffsetTable ExtendedOffsetTableLengths "
)  # fmt: skip
_SEQUENCES = (
    "SharedFunctionalGroupsSequence PerFrameFunctionalGroupsSequence PixelMeasuresSequence PlanePositionSequence "
    "PlaneOrientationSequence FrameContentSequence PixelValueTransformationSequence FrameVOILUTSequence "
    "RealWorldValueMappingSequence MeasurementUnitsCodeSequence MRImageFrameTypeSequence MREchoSequence "
    "MRTimingAndRelatedParametersSequence MRFOVGeometrySequence MRAveragesSequence MRModifierSequence "
    "TemporalPositionSequence CardiacSynchronizationSequence DimensionOrganizationSequence DimensionIndexSequence "
)  # fmt: skip
_UIDS = (
    "SOPInstanceUID StudyInstanceUID SeriesInstanceUID FrameOfReferenceUID DimensionOrganizationUID "
    "SynchronizationFrameOfReferenceUID ConcatenationUID "
)  # fmt: skip
_EMPTY = "PatientBirthDate PatientSex StudyID AccessionNumber ReferringPhysicianName"
_DATES = (
    "StudyDate SeriesDate AcquisitionDate ContentDate AcquisitionDateTime FrameAcquisitionDateTime "
    "FrameReferenceDateTime"
)
_TIMES = "StudyTime SeriesTime AcquisitionTime ContentTime"
_TEXTS = "SeriesDescription ProtocolName ImageComments FrameComments LUTLabel LUTExplanation"

ACTIONS: dict[str, Action] = {
    **dict.fromkeys(_KEEP.split(), "K"),
    **dict.fromkeys(_SEQUENCES.split(), "K"),
    **dict.fromkeys(_UIDS.split(), "U"),
    **dict.fromkeys(_EMPTY.split(), "Z"),
    **dict.fromkeys(_DATES.split(), "date"),
    **dict.fromkeys(_TIMES.split(), "time"),
    **dict.fromkeys(_TEXTS.split(), "text"),
    "PatientName": "D",
    "PatientID": "D",
}
"""Keyword -> what is done with it; anything else is removed."""

PRIVATE: dict[tuple[int, str], frozenset[int]] = {
    (0x0019, "GEMS_ACQU_01"): frozenset({0x7E, 0x9C, 0xF2}),  # directions, sequence name, directions
    (0x0043, "GEMS_PARM_01"): frozenset({0xA2}),  # driver frequency
    (0x0019, "SIEMENS MR HEADER"): frozenset({0x0A}),  # slices of a mosaic
    (0x0021, "SIEMENS MR SDS 01"): frozenset({0x8E}),  # encoded directions
}
"""Private attributes without which the exam cannot be read: (group, creator) -> elements; technical values only."""

OPTIONS = {
    "113100": "Basic Application Confidentiality Profile",
    "113101": "Clean Pixel Data Option",
    "113105": "Clean Descriptors Option",
    "113107": "Retain Longitudinal Temporal Information Modified Dates Option",
    "113111": "Retain Safe Private Option",
}
"""De-identification Method Codes (CID 7050): the profile and what is kept beyond it in a clean form."""

WORDS = (
    r"mr[- ]?touch|mre|mmdi(?:2d|3d)?|elasto(?:gram|graphy)?|stiff(?:ness)?|shear|modulus|wave|confiden(?:ce|t)?|"
    r"conf[ _-]?map|phase|phs|phasediff|mag(?:nitude)?|pa|kpa|rad|mrad|gre|epi|ep2d|se|fgre|fgremre|epimre|2d|3d|"
    r"axial|liver|map|image|simulated|storage|loss|damping|curl|hatch(?:ed)?|mask(?:ed)?|overlay|roi|segment\w{0,5}"
)
"""Words of a text that tell what an image is; they are kept, all others are removed."""
