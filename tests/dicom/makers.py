"""Write a phantom the way each vendor is known (or said) to write an exam.

Sources are those of the rules in livermre.dicom.vendors; makers for vendors without a real exam say what we believe.
"""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from dicom.phantom import Phantom

MR, ENHANCED_MR = "1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.5.1.4.1.1.4.1"


@dataclass
class Writer:
    """Collects the datasets of one exam: one study, one frame of reference, a UID for each series number."""

    phantom: Phantom
    maker: str
    entropy: str = "livermre test"
    files: list[Dataset] = field(default_factory=list)
    _count: Iterator[int] = field(default_factory=itertools.count)

    def uid(self, *what: object) -> str:
        return generate_uid(entropy_srcs=[self.entropy, self.maker, *map(str, what)])

    def image(self, series: int, instance: int, s: int, pixels: np.ndarray, types: str, **more: Any) -> Dataset:
        """One classic image; pixels int16 or uint16 (R, C); more: DICOM keywords."""
        ds = self._base(series, types)
        ds.SOPClassUID = MR
        ds.InstanceNumber = instance
        p = self.phantom
        ds.ImagePositionPatient = [f"{v:.8g}" for v in p.origins_mm[s]]
        ds.ImageOrientationPatient = [f"{v:.9f}" for v in p.cosines]
        ds.PixelSpacing = [str(v) for v in p.spacing_mm]
        ds.SliceThickness = str(p.thickness_mm)
        self._pixels(ds, pixels)
        for key, value in more.items():
            setattr(ds, key, value)
        self.files.append(ds)
        return ds

    def _base(self, series: int, types: str) -> Dataset:
        p = self.phantom
        ds = Dataset()
        ds.file_meta = FileMetaDataset()
        ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        ds.ImageType = types.split()
        ds.Modality, ds.Manufacturer = "MR", self.maker
        ds.PatientID, ds.PatientName, ds.StudyDate = "PHANTOM-1", "Phantom", "20250101"
        ds.StudyInstanceUID = self.uid("study")
        ds.SeriesInstanceUID = self.uid("series", series)
        ds.FrameOfReferenceUID = self.uid("place")
        ds.SOPInstanceUID = self.uid("image", next(self._count))
        ds.SeriesNumber = series
        ds.MagneticFieldStrength = str(p.field_t)
        return ds

    @staticmethod
    def _pixels(ds: Dataset, pixels: np.ndarray) -> None:
        assert pixels.dtype in (np.int16, np.uint16, np.uint8)
        ds.Rows, ds.Columns = pixels.shape[-2:]
        ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
        ds.BitsAllocated = ds.BitsStored = pixels.dtype.itemsize * 8
        ds.HighBit = ds.BitsStored - 1
        ds.PixelRepresentation = int(pixels.dtype == np.int16)
        ds.PixelData = np.ascontiguousarray(pixels.astype(pixels.dtype.newbyteorder("<"))).tobytes()

    def enhanced(self, series: int, types: str, frames: list[tuple[int, np.ndarray, Dataset]], **more: Any) -> Dataset:
        """One enhanced multi-frame file; frames: (slice, pixels, own groups beside the plane)."""
        p = self.phantom
        ds = self._base(series, types)
        ds.SOPClassUID, ds.InstanceNumber = ENHANCED_MR, 1
        shared = Dataset()
        shared.PixelMeasuresSequence = [
            _item(PixelSpacing=list(map(str, p.spacing_mm)), SliceThickness=str(p.thickness_mm))
        ]
        shared.PlaneOrientationSequence = [_item(ImageOrientationPatient=[f"{v:.9f}" for v in p.cosines])]
        ds.SharedFunctionalGroupsSequence = Sequence([shared])
        groups = []
        for s, _, own in frames:
            own.PlanePositionSequence = [_item(ImagePositionPatient=[f"{v:.8g}" for v in p.origins_mm[s]])]
            groups.append(own)
        ds.PerFrameFunctionalGroupsSequence = Sequence(groups)
        stack = np.stack([pixels for _, pixels, _ in frames])
        self._pixels(ds, stack)
        ds.NumberOfFrames = len(frames)
        for key, value in more.items():
            setattr(ds, key, value)
        self.files.append(ds)
        return ds

    def write(self, folder: Path) -> Path:
        """Write every dataset to a folder; names carry no meaning and are in no order."""
        folder.mkdir(parents=True, exist_ok=True)
        order = np.random.default_rng(1).permutation(len(self.files))
        for name, i in enumerate(order):
            ds = self.files[i]
            ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
            ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
            ds.save_as(folder / f"f{name:04d}", enforce_file_format=True)
        return folder


def _item(**values: Any) -> Dataset:
    ds = Dataset()
    for key, value in values.items():
        setattr(ds, key, value)
    return ds


def real_world(slope: float, unit: str, intercept: float = 0.0) -> Sequence:
    """A Real World Value Mapping with a UCUM unit."""
    code = _item(CodeValue=unit, CodingSchemeDesignator="UCUM", CodeMeaning=unit)
    item = _item(MeasurementUnitsCodeSequence=[code], LUTLabel="STIFFNESS", LUTExplanation="stiffness")
    item.RealWorldValueSlope, item.RealWorldValueIntercept = slope, intercept
    item.RealWorldValueFirstValueMapped, item.RealWorldValueLastValueMapped = 0, 32767
    return Sequence([item])


def pa(kpa: np.ndarray) -> np.ndarray:
    """kPa -> int16 Pa, NaN -> 0."""
    return np.nan_to_num(np.round(kpa * 1000)).astype(np.int16)


def permille(confidence: np.ndarray) -> np.ndarray:
    return np.round(confidence * 1000).astype(np.int16)


def mrad(phase: np.ndarray) -> np.ndarray:
    return np.round(phase * 1000).astype(np.int16)


def twelve_bit(phase: np.ndarray) -> np.ndarray:
    """rad -> 0..4095, rescaled by 2 and -4096 to -4096..4094."""
    return np.clip(np.round((phase / np.pi * 4096 + 4096) / 2), 0, 4095).astype(np.uint16)


def _ge_private(ds: Dataset, sequence: str, frequency: float | None, directions: int = 1) -> None:
    block = ds.private_block(0x0019, "GEMS_ACQU_01", create=True)
    block.add_new(0x7E, "SS", directions)
    block.add_new(0x9C, "LO", sequence)
    block.add_new(0xF2, "SS", 0)
    parameters = ds.private_block(0x0043, "GEMS_PARM_01", create=True)
    parameters.add_new(0x82, "LO", ["SRMode=100", "lineFreq=50"])
    if frequency is not None:
        parameters.add_new(0xA2, "DS", [f"{frequency:g}", "4"])


def _ge_maps(w: Writer, base: int, sequence: str) -> None:
    p = w.phantom
    for s in range(p.slices):
        n = 1 + s * p.offsets
        stiffness = pa(p.stiffness_kpa[s])
        stiffness[-2:, 2:6] = 32766
        common = {"types": "DERIVED SECONDARY PROCESSED"}
        maps = (
            w.image(base * 100, n, s, stiffness, ImageComments="Stiffness", SeriesDescription="Stiffness", **common),
            w.image(base * 100 + 7, n, s, permille(p.confidence[s]), ImageComments="Confidence", **common),
        )
        for ds in maps:
            _ge_private(ds, sequence, p.frequency_hz)


def ge_product(p: Phantom) -> Writer:
    """MR-Touch: one series, phases of all slices first, slice-major, then magnitudes; maps in n00 and n07."""
    w = Writer(p, "GE MEDICAL SYSTEMS")
    for half, s, o in itertools.product(range(2), range(p.slices), range(p.offsets)):
        pixels = mrad(p.phase_rad[s, 0, o]) if half == 0 else p.magnitude[s, o].astype(np.int16)
        n = 5 + half * 100 + s * 2 * p.offsets + o  # numbers with gaps, as in the real exam
        _ge_private(w.image(5, n, s, pixels, "ORIGINAL PRIMARY OTHER"), "MR-Touch", p.frequency_hz)
    _ge_maps(w, 5, "MR-Touch")
    return w


def ge_research_gre(p: Phantom) -> Writer:
    """fgremre with unsigned phase, moved by half a turn."""
    w = Writer(p, "GE MEDICAL SYSTEMS")
    for half, s, o in itertools.product(range(2), range(p.slices), range(p.offsets)):
        phase = np.round(p.phase_rad[s, 0, o] * 1000 + 1000 * np.pi).astype(np.uint16)
        pixels = phase if half == 0 else p.magnitude[s, o].astype(np.uint16)
        n = 1 + half * p.slices * p.offsets + s * p.offsets + o
        _ge_private(w.image(5, n, s, pixels, "ORIGINAL PRIMARY OTHER"), "fgremre", p.frequency_hz)
    _ge_maps(w, 5, "fgremre")
    return w


def ge_research_epi(p: Phantom) -> Writer:
    """epimre: raw I/Q in series 5, phase + magnitude derived in 501, maps, and images that nobody needs."""
    w = Writer(p, "GE MEDICAL SYSTEMS")
    for s, o in itertools.product(range(p.slices), range(p.offsets)):
        _ge_private(
            w.image(5, 1 + s * p.offsets + o, s, mrad(p.phase_rad[s, 0, o]), "ORIGINAL PRIMARY OTHER"), "epimre", 60
        )
    for half, s, o in itertools.product(range(2), range(p.slices), range(p.offsets)):
        pixels = mrad(p.phase_rad[s, 0, o]) if half == 0 else p.magnitude[s, o].astype(np.int16)
        n = 1 + half * p.slices * p.offsets + s * p.offsets + o
        _ge_private(
            w.image(501, n, s, pixels, "DERIVED SECONDARY PROCESSED", SeriesDescription="EPI MRE"), "epimre", 60
        )
    for s in range(p.slices):
        extra = w.image(
            510, 1 + s, s, pa(p.stiffness_kpa[s] * 0.7), "DERIVED SECONDARY PROCESSED", SeriesDescription="Loss"
        )
        _ge_private(extra, "epimre", 60)
    _ge_maps(w, 5, "epimre")
    return w


def _siemens_pair(w: Writer, kinds: str, **more: Any) -> None:
    p = w.phantom
    for s, d, o in itertools.product(range(p.slices), range(p.directions), range(p.offsets)):
        n = 1 + (s * p.directions + d) * p.offsets + o
        w.image(20, n, s, p.magnitude[s, o].astype(np.uint16), f"ORIGINAL PRIMARY M {kinds}", **more)
        w.image(
            21, n, s, twelve_bit(p.phase_rad[s, d, o]), f"ORIGINAL PRIMARY P {kinds}",
            RescaleSlope="2", RescaleIntercept="-4096", RescaleType="US", **more,
        )  # fmt: skip


def siemens_classic(p: Phantom) -> Writer:
    """greMR sequence, M and P series; maps with words in the description and no unit."""
    w = Writer(p, "SIEMENS")
    more = {"SequenceName": "*greMRE2d1", "SeriesDescription": "gre_mre_60Hz"}
    _siemens_pair(w, "ND", **more)
    for s in range(p.slices):
        w.image(
            22,
            1 + s,
            s,
            pa(p.stiffness_kpa[s]),
            "DERIVED PRIMARY M ND",
            **{**more, "SeriesDescription": "gre_mre_60Hz_Stiffness"},
        )
        w.image(
            23,
            1 + s,
            s,
            permille(p.confidence[s]),
            "DERIVED PRIMARY M ND",
            **{**more, "SeriesDescription": "gre_mre_60Hz_ConfMap"},
        )
    return w


def siemens_mosaic(p: Phantom) -> Writer:
    """All slices of one offset tiled into one image whose position is that of a single image of the mosaic's size."""
    w = Writer(p, "SIEMENS")
    more = {"SequenceName": "epseMRE", "SeriesDescription": "ep2d_mre 60 Hz", "SpacingBetweenSlices": "11"}
    _check_step(p)
    for d, o in itertools.product(range(p.directions), range(p.offsets)):
        n = 1 + d * p.offsets + o
        comment = f"MRE: fI[0]dI[{d}]az[0]po[0]tI[{o}]VP[16667]"
        m = _mosaic(w, 20, n, p.magnitude[:, o].astype(np.uint16), "ORIGINAL PRIMARY M ND MOSAIC", **more)
        q = _mosaic(
            w, 21, n, twelve_bit(p.phase_rad[:, d, o]), "ORIGINAL PRIMARY P ND MOSAIC", ImageComments=comment, **more
        )
        q.RescaleSlope, q.RescaleIntercept = "2", "-4096"
        assert m.Rows == q.Rows
    stiff = _mosaic(w, 22, 1, pa(p.stiffness_kpa).astype(np.uint16), "DERIVED PRIMARY M MOSAIC", **more)
    stiff.SeriesDescription, stiff.RescaleSlope, stiff.RescaleIntercept, stiff.RescaleType = (
        "mre stiffness 60 Hz",
        "1",
        "0",
        "Pa",
    )
    conf = _mosaic(w, 23, 1, permille(p.confidence).astype(np.uint16), "DERIVED PRIMARY M MOSAIC", **more)
    conf.SeriesDescription = "mre confidence 60 Hz"
    return w


def _check_step(p: Phantom) -> None:
    normal = np.cross(p.cosines[:3], p.cosines[3:])
    assert np.allclose(np.diff(p.origins_mm, axis=0) @ normal, -11.0)


def _mosaic(w: Writer, series: int, instance: int, stack: np.ndarray, types: str, **more: Any) -> Dataset:
    p = w.phantom
    side = int(np.ceil(np.sqrt(p.slices)))
    rows, columns = p.shape
    big = np.zeros((side * rows, side * columns), dtype=stack.dtype)
    for i, image in enumerate(stack[::-1]):  # the mosaic steps along + normal, the phantom is ordered against it
        big[i // side * rows : (i // side + 1) * rows, i % side * columns : (i % side + 1) * columns] = image
    ds = w.image(series, instance, p.slices - 1, big, types, **more)
    to_column, to_row = np.array(p.cosines[:3]), np.array(p.cosines[3:])
    shift = to_column * p.spacing_mm[1] * columns * (side - 1) / 2 + to_row * p.spacing_mm[0] * rows * (side - 1) / 2
    ds.ImagePositionPatient = [f"{v:.8g}" for v in p.origins_mm[-1] - shift]
    ds.private_block(0x0019, "SIEMENS MR HEADER", create=True).add_new(0x0A, "US", p.slices)
    return ds


def siemens_xa(p: Phantom) -> Writer:
    """Enhanced multi-frame, ELASTO and Complex Image Component; stiffness with a Real World Value Mapping in kPa."""
    w = Writer(p, "Siemens Healthineers")
    more = {"SeriesDescription": "MRE 60Hz", "PulseSequenceName": "*epseMRE"}
    magnitude, phase = [], []
    for s, o in itertools.product(range(p.slices), range(p.offsets)):
        magnitude.append(
            (s, p.magnitude[s, o].astype(np.uint16), _frame("ORIGINAL PRIMARY ELASTO NONE", "MAGNITUDE", o))
        )
        own = _frame("ORIGINAL PRIMARY ELASTO NONE", "PHASE", o)
        own.PixelValueTransformationSequence = [_item(RescaleSlope="2", RescaleIntercept="-4096", RescaleType="US")]
        phase.append((s, twelve_bit(p.phase_rad[s, 0, o]), own))
    w.enhanced(20, "ORIGINAL PRIMARY ELASTO NONE", magnitude, **more)
    w.enhanced(21, "ORIGINAL PRIMARY ELASTO NONE", phase, **more)
    stiffness, confidence = [], []
    for s in range(p.slices):
        own = _frame("DERIVED PRIMARY ELASTO STIFFNESS", "MAGNITUDE", 0)
        own.RealWorldValueMappingSequence = real_world(0.001, "kPa")
        stiffness.append((s, pa(p.stiffness_kpa[s]).astype(np.uint16), own))
        confidence.append(
            (
                s,
                permille(p.confidence[s]).astype(np.uint16),
                _frame("DERIVED PRIMARY ELASTO CONFIDENCE", "MAGNITUDE", 0),
            )
        )
    w.enhanced(22, "DERIVED PRIMARY ELASTO STIFFNESS", stiffness, **more)
    w.enhanced(23, "DERIVED PRIMARY ELASTO CONFIDENCE", confidence, **more)
    return w


def _frame(types: str, component: str, offset: int) -> Dataset:
    own = Dataset()
    own.MRImageFrameTypeSequence = [_item(FrameType=types.split(), ComplexImageComponent=component)]
    own.FrameContentSequence = [_item(TemporalPositionIndex=offset + 1)]
    return own


def philips_classic(p: Phantom) -> Writer:
    """Magnitude and phase in one series, told apart by Image Type; phase in mrad; stiffness rescaled to kPa."""
    w = Writer(p, "Philips Medical Systems")
    more = {"ProtocolName": "MRE_60Hz", "NumberOfTemporalPositions": 1}
    slope = 2 * np.pi * 1000 / 4095
    scale = {"RescaleSlope": f"{slope:.12g}", "RescaleIntercept": f"{-np.pi * 1000:.12g}", "RescaleType": "mrad"}
    for s, o in itertools.product(range(p.slices), range(p.offsets)):
        n = 1 + s * p.offsets + o
        w.image(
            301,
            n,
            s,
            p.magnitude[s, o].astype(np.uint16),
            "ORIGINAL PRIMARY M_FFE M FFE",
            TriggerTime=str(o * 4),
            **more,
        )
        stored = np.round((p.phase_rad[s, 0, o] * 1000 + np.pi * 1000) / slope).astype(np.uint16)
        w.image(301, 1000 + n, s, stored, "ORIGINAL PRIMARY PHASE_MAP P MRE", TriggerTime=str(o * 4), **more, **scale)
    for s in range(p.slices):
        kpa = {"RescaleSlope": "0.001", "RescaleIntercept": "0", "RescaleType": "kPa", "SeriesDescription": "Stiffness"}
        w.image(302, 1 + s, s, pa(p.stiffness_kpa[s]).astype(np.uint16), "DERIVED SECONDARY STIFFNESS", **more, **kpa)
        conf = {"RescaleSlope": "0.1", "RescaleIntercept": "0", "RescaleType": "%", "SeriesDescription": "Confidence"}
        w.image(
            303, 1 + s, s, permille(p.confidence[s]).astype(np.uint16), "DERIVED SECONDARY CONFIDENCE", **more, **conf
        )
    return w


def philips_enhanced(p: Phantom) -> Writer:
    """One enhanced file with magnitude and phase frames; stiffness with a Real World Value Mapping in Pa."""
    w = Writer(p, "Philips")
    more = {"ProtocolName": "MRE 60 Hz"}
    slope = 2 * np.pi * 1000 / 4095
    frames = []
    for s, o in itertools.product(range(p.slices), range(p.offsets)):
        frames.append((s, p.magnitude[s, o].astype(np.uint16), _frame("ORIGINAL PRIMARY M_SE M SE", "MAGNITUDE", o)))
        own = _frame("ORIGINAL PRIMARY PHASE_MAP P MRE", "PHASE", o)
        own.PixelValueTransformationSequence = [
            _item(RescaleSlope=f"{slope:.12g}", RescaleIntercept=f"{-np.pi * 1000:.12g}", RescaleType="mrad")
        ]
        frames.append((s, np.round((p.phase_rad[s, 0, o] * 1000 + np.pi * 1000) / slope).astype(np.uint16), own))
    w.enhanced(301, "ORIGINAL PRIMARY M_SE M SE", frames, **more)
    stiffness, confidence = [], []
    for s in range(p.slices):
        own = _frame("DERIVED PRIMARY STIFFNESS NONE", "MAGNITUDE", 0)
        own.RealWorldValueMappingSequence = real_world(2.0, "Pa")
        stiffness.append((s, np.round(np.nan_to_num(p.stiffness_kpa[s]) * 500).astype(np.uint16), own))
        confidence.append(
            (s, permille(p.confidence[s]).astype(np.uint16), _frame("DERIVED PRIMARY CONFIDENCE NONE", "MAGNITUDE", 0))
        )
    w.enhanced(302, "DERIVED PRIMARY STIFFNESS NONE", stiffness, **more)
    w.enhanced(303, "DERIVED PRIMARY CONFIDENCE NONE", confidence, **more)
    return w


def canon(p: Phantom) -> Writer:
    """Kinds only in Image Comments; Pa as rescale type."""
    w = Writer(p, "CANON_MEC")
    more = {"SeriesDescription": "SE-EPI MRE 60Hz"}
    for s, o in itertools.product(range(p.slices), range(p.offsets)):
        n = 1 + s * p.offsets + o
        w.image(8, n, s, p.magnitude[s, o].astype(np.int16), "ORIGINAL PRIMARY", ImageComments="Magnitude", **more)
        w.image(9, n, s, mrad(p.phase_rad[s, 0, o]), "ORIGINAL PRIMARY", ImageComments="PhaseDiff", **more)
    for s in range(p.slices):
        scale = {"RescaleSlope": "1", "RescaleIntercept": "0", "RescaleType": "Pa"}
        w.image(10, 1 + s, s, pa(p.stiffness_kpa[s]), "DERIVED SECONDARY", ImageComments="Stiffness", **more, **scale)
        w.image(11, 1 + s, s, permille(p.confidence[s]), "DERIVED SECONDARY", ImageComments="Confidence", **more)
    return w


def mmdi_2d(p: Phantom) -> Writer:
    """Acquired GE exam, maps made offline by MMDI: only a comment says what they are, no unit, a mask series beside."""
    w = ge_product(p)
    w.files = [ds for ds in w.files if ds.SeriesNumber == 5]
    for s in range(p.slices):
        w.image(600, 1 + s, s, pa(p.stiffness_kpa[s]), "DERIVED SECONDARY MMDI", ImageComments="stiffness")
        w.image(607, 1 + s, s, permille(p.confidence[s]), "DERIVED SECONDARY MMDI", ImageComments="confidence")
        mask = np.where(np.isfinite(p.stiffness_kpa[s]), 255, 0).astype(np.uint8)
        w.image(698, 1 + s, s, mask, "DERIVED SECONDARY", SeriesDescription="ROI")
    return w


def mmdi_3d(p: Phantom) -> Writer:
    """MMDI3D with the kinds in Image Type and a Real World Value Mapping."""
    w = Writer(p, "SIEMENS")
    for s in range(p.slices):
        eighths = np.round(p.magnitude[s].mean(0) * 8).astype(np.uint16)
        w.image(700, 1 + s, s, eighths, "DERIVED SECONDARY MMDI3D MAGRMS",
                RescaleSlope="0.125", RescaleIntercept="0")  # fmt: skip
        w.image(701, 1 + s, s, mrad(p.phase_rad[s, 0, 0]), "DERIVED SECONDARY MMDI3D PHSDIFFZ")
        w.image(702, 1 + s, s, pa(p.stiffness_kpa[s]), "DERIVED SECONDARY MMDI3D STIFFNESS",
                RealWorldValueMappingSequence=real_world(0.001, "kPa"))  # fmt: skip
        w.image(703, 1 + s, s, permille(p.confidence[s]), "DERIVED SECONDARY MMDI3D CONFIDENCE")
        mask = np.where(np.isfinite(p.stiffness_kpa[s]), 255, 0).astype(np.uint8)
        w.image(799, 1 + s, s, mask, "DERIVED SECONDARY", SeriesDescription="MRE Quant")
    return w


@dataclass(frozen=True)
class Vendor:
    """One maker and what the reader must find in what it writes."""

    name: str
    make: Callable[[Phantom], Writer]
    vendor: str
    frequency: bool = True
    phase_step_rad: float | None = 0.001  # None: no phase is written
    stiffness_step_kpa: float = 0.001
    unit_inferred: bool = False
    real: bool = False


VENDORS = (
    Vendor("ge-product", ge_product, "GE", real=True),
    Vendor("ge-research-gre", ge_research_gre, "GE"),
    Vendor("ge-research-epi", ge_research_epi, "GE"),
    Vendor("siemens-classic", siemens_classic, "Siemens", phase_step_rad=np.pi / 2048, unit_inferred=True),
    Vendor("siemens-mosaic", siemens_mosaic, "Siemens", phase_step_rad=np.pi / 2048),
    Vendor("siemens-xa", siemens_xa, "Siemens", phase_step_rad=np.pi / 2048),
    Vendor("philips-classic", philips_classic, "Philips", phase_step_rad=np.pi / 2047),
    Vendor("philips-enhanced", philips_enhanced, "Philips", phase_step_rad=np.pi / 2047, stiffness_step_kpa=0.002),
    Vendor("canon", canon, "Canon"),
    Vendor("mmdi-2d", mmdi_2d, "GE", unit_inferred=True),
    Vendor("mmdi-3d", mmdi_3d, "Siemens", frequency=False, phase_step_rad=None),
)
