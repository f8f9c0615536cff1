"""All settings of one analysis in one place: what every road passes on and the provenance records."""

from dataclasses import dataclass, field
from pathlib import Path

from livermre.exam.study import ReadOptions
from livermre.inversion import InversionSettings
from livermre.roi import RoiSettings
from livermre.segment.engine import Device
from livermre.stiffness import CompareSettings, IntervalSettings, MeasureSettings


@dataclass(frozen=True)
class Settings:
    """All that decides a finding beside the files: one settings class a stage, and what a person gave by hand."""

    read: ReadOptions = field(default_factory=ReadOptions)
    roi: RoiSettings = field(default_factory=RoiSettings)
    measure: MeasureSettings = field(default_factory=MeasureSettings)
    interval: IntervalSettings = field(default_factory=IntervalSettings)
    compare: CompareSettings = field(default_factory=CompareSettings)
    table: str = "rdes149"
    """Cut-off table of the stage."""
    model: str | Path = "default"
    """The shipped network, or a file of weights."""
    device: Device = "auto"
    liver_file: Path | None = None
    """A liver mask to use instead of the network's."""
    region_file: Path | None = None
    """A region to measure in instead of livermre's."""
    earlier_file: Path | None = None
    """finding.json of an earlier exam of the same patient."""
    deidentify: bool = False
    """Leave patient ID and study date off the page."""
    key_file: Path | None = None
    """Secret bytes that the names and UIDs of a de-identified exam are made from."""
    dicom: bool = True
    """Write DICOM objects too, of exams that came from DICOM."""
    from_phase: bool = False
    """Measure livermre's own inversion of the acquired phase instead of the scanner's map."""
    inversion: InversionSettings = field(default_factory=InversionSettings)
