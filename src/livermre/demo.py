"""The exams of `livermre demo`: simulated from the waves on, written as acquired, so that all of the road is shown."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from livermre.dicom.write import write_exam
from livermre.results import make_folder
from livermre.simulate.scan import Patient, scan, simulate_patient


@dataclass(frozen=True)
class DemoExam:
    """One simulated exam on disk: acquired phase and magnitude, no map; and what is true of it."""

    folder: Path
    liver_kpa: float | None  # |G*| of the parenchyma


def demo_exams(out: Path) -> Iterator[DemoExam]:
    """Write a soft liver, a stiff one and one that iron makes unmeasurable, as DICOM in GE's style."""
    for name, patient in _patients().items():
        folder = out / name
        make_folder(folder)
        made = scan(patient)
        write_exam(made.exam, folder, "ge", seed=f"demo/{name}")
        yield DemoExam(folder, made.truth.liver_kpa)


def _patients() -> dict[str, Patient]:
    return {
        "simulated-soft": simulate_patient(1, stage="F0", field_t=1.5, sequence="GRE"),
        "simulated-stiff": simulate_patient(2, stage="F4", stiffness_kpa=5.5, field_t=1.5, sequence="GRE"),
        "simulated-iron": simulate_patient(3, r2star_per_s=400.0, field_t=1.5, sequence="GRE"),
    }
