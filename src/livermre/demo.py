"""The exams of `livermre demo`: simulated from the waves on, written as acquired, so that all of the road is shown."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from livermre.dicom.write import write_exam
from livermre.exam.errors import OutputError
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
        folder, partial = out / name, out / f".{name}.partial-{os.getpid()}"
        make_folder(out)
        made = scan(patient)
        try:
            write_exam(made.exam, partial, "ge", seed=f"demo/{name}")
            _put_in_place(partial, folder)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        yield DemoExam(folder, made.truth.liver_kpa)


def _put_in_place(partial: Path, folder: Path) -> None:
    """Rename a finished exam to its name; the exam of an earlier demo goes, anything else is left alone."""
    strange = _files(folder) - _files(partial)
    if strange:
        raise OutputError(f"{folder} holds {min(strange)}, which no demo wrote: choose another --out")
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)


def _files(folder: Path) -> set[str]:
    return {str(p.relative_to(folder)) for p in folder.rglob("*") if not p.is_dir()}


def _patients() -> dict[str, Patient]:
    return {
        "simulated-soft": simulate_patient(1, stage="F0", field_t=1.5, sequence="GRE"),
        "simulated-stiff": simulate_patient(2, stage="F4", stiffness_kpa=5.5, field_t=1.5, sequence="GRE"),
        "simulated-iron": simulate_patient(3, r2star_per_s=400.0, field_t=1.5, sequence="GRE"),
    }
