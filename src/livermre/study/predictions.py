"""What a run leaves of every exam: readings.json, outlines as NIfTI, and measurements.csv for other programs."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from livermre import nifti
from livermre.exam.atomic import write_bytes
from livermre.exam.errors import CorruptFile
from livermre.exam.types import Exam
from livermre.results import make_folder, write_text
from livermre.study.scores import Reading, reading_from

PREDICTIONS, OUTLINES, READINGS, MEASUREMENTS = "predictions", "outlines", "readings", "measurements.csv"


def write_reading(folder: Path, reading: Reading, outline: np.ndarray, exam: Exam) -> None:
    """One exam of a run: its outline in predictions/NAME/liver.nii.gz, packed for the report, and its numbers last."""
    for path in (folder / PREDICTIONS / reading.exam, folder / OUTLINES, folder / READINGS):
        make_folder(path)
    nifti.write_volume(folder / PREDICTIONS / reading.exam / "liver.nii.gz", outline, exam)
    write_bytes(folder / OUTLINES / f"{reading.exam}.bin", np.packbits(outline).tobytes())
    text = json.dumps(asdict(reading), indent=1) + "\n"
    write_text(folder / READINGS / f"{reading.exam}.json", text)


def has_reading(folder: Path, exam: str) -> bool:
    """Whether this exam was read by this run already."""
    return (folder / READINGS / f"{exam}.json").is_file()


def read_readings(folder: Path, exams: Sequence[str]) -> dict[str, Reading]:
    """The readings of a run; CorruptFile where one is missing or damaged."""
    found = {}
    for exam in exams:
        path = folder / READINGS / f"{exam}.json"
        try:
            found[exam] = reading_from(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CorruptFile(
                f"{folder.name}/{READINGS}/{path.name} is missing or damaged: run the study again without --report-only"
            ) from error
    return found


def read_outline(folder: Path, exam: str, shape: tuple[int, ...]) -> np.ndarray:
    """(S, R, C) bool outline of a run."""
    packed = np.frombuffer((folder / OUTLINES / f"{exam}.bin").read_bytes(), np.uint8)
    return np.unpackbits(packed, count=int(np.prod(shape))).reshape(shape).astype(bool)


def write_measurements(folder: Path, readings: Mapping[str, Reading]) -> None:
    """predictions/measurements.csv, as `livermre evaluate` takes it."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["exam", "stiffness_kpa", "interval_95_low_kpa", "interval_95_high_kpa", "flags"])
    for name in sorted(readings):
        r = readings[name]
        low, high = r.interval_95 or (None, None)
        writer.writerow([name, *("" if v is None else repr(v) for v in (r.kpa, low, high)), " ".join(r.blocking)])
    write_text(folder / PREDICTIONS / MEASUREMENTS, text.getvalue())
