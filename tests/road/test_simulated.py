"""Simulated patients, written as a scanner would, are read, inverted and measured back to their truth."""

from pathlib import Path

import pytest

from livermre import nifti, pipeline
from livermre.dicom.write import write_exam
from livermre.exam.study import ReadOptions
from livermre.settings import Settings
from livermre.simulate.scan import ScanSettings, SimulatedScan, scan, simulate_patient

TWO_SLICES = ScanSettings(slices=2)


def analysed(made: SimulatedScan, folder: Path):
    """The finding from the acquired phase alone, inside the true liver: the network is not what is asked here."""
    write_exam(made.exam, folder, "ge", seed="test")
    liver = nifti.write_volume(folder.parent / "liver.nii.gz", made.liver, made.exam)[0]
    (study,) = pipeline.read_studies(folder, ReadOptions())
    return pipeline.analyze_study(study, Settings(from_phase=True, liver_file=liver))


@pytest.mark.parametrize(("seed", "stage", "kpa"), [(1, "F0", 2.2), (2, "F4", 5.5)])
def test_the_true_stiffness_is_measured_back(seed: int, stage: str, kpa: float, tmp_path: Path) -> None:
    patient = simulate_patient(seed, stage=stage, stiffness_kpa=kpa, field_t=1.5, sequence="GRE")
    made = scan(patient, settings=TWO_SLICES)
    finding = analysed(made, tmp_path / "exam")
    assert finding.reportable
    # vessels, obliquity and bulk motion move single exams: docs/physics.md; a factor or a wrong unit does more
    assert finding.stiffness.mean_kpa == pytest.approx(made.truth.liver_kpa, rel=0.12)
    assert "simulated" in {f.code for f in finding.flags}
    assert finding.provenance.stiffness_source == "livermre"


def test_an_iron_liver_gives_no_number(tmp_path: Path) -> None:
    patient = simulate_patient(3, r2star_per_s=400.0, field_t=1.5, sequence="GRE")
    finding = analysed(scan(patient, settings=TWO_SLICES), tmp_path / "exam")
    assert not finding.reportable and finding.stiffness.mean_kpa is None
    assert {"iron_dark_liver", "no_waves"} & {f.code for f in finding.flags}
