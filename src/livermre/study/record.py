"""What a study writes down of itself: settings, cohort, split and flow, and what it refuses to mix."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from livermre.exam.errors import CorruptFile, InputError, OutputError, SettingsError
from livermre.provenance import sha256, versions
from livermre.results import make_folder, write_text
from livermre.roi import RoiSettings
from livermre.stiffness import IntervalSettings, MeasureSettings
from livermre.study.entry import Entry, Inspection, Problem, entry_from
from livermre.study.settings import StudySettings
from livermre.study.splitting import Split, balance
from livermre.study.tables import Table, to_csv
from livermre.version import __version__

STUDY, COHORT, SPLIT, BALANCE = "study.json", "cohort.json", "split.csv", "split-balance.csv"
_MAY_CHANGE = ("device", "threads")
"""Settings of the machine: a study may go on under others."""


@dataclass(frozen=True)
class Record:
    """A study as its folder tells it.

    start_from  network -> name and SHA-256 of the weights that it began with
    made_by     versions of what made it
    """

    settings: StudySettings
    data: str
    simulated: bool
    start_from: Mapping[str, str]
    made_by: Mapping[str, str]
    quick: bool = False


def make_record(
    settings: StudySettings, data: Path, simulated: bool, start_from: Mapping[str, Path], quick: bool
) -> Record:
    """The record of a study that begins now; InputError where starting weights cannot be read."""
    starts = {network: f"{path.name} {sha256(path)}" for network, path in start_from.items()}
    return Record(settings, data.resolve().name, simulated, starts, {"livermre": __version__, **versions()}, quick)


def open_record(out: Path, record: Record) -> Record:
    """Write the record, or check that the folder's own says the same; gives the one that holds.

    Raises SettingsError where DIR holds a study of other settings or data, OutputError where it holds something else.
    """
    make_folder(out)
    if not (out / STUDY).is_file():
        if (out / "runs").exists():
            raise OutputError(f"{out} holds runs but no {STUDY}, so it was left alone: choose another --out")
        write_text(out / STUDY, json.dumps(asdict(record), indent=1) + "\n")
        return record
    known = read_record(out)
    changed = [f"{k} ({a} there, {b} now)" for k, a, b in _differences(known, record)]
    if changed:
        raise SettingsError(f"{out} holds a study with another {', '.join(changed)}: choose another --out")
    settings = replace(known.settings, **{k: getattr(record.settings, k) for k in _MAY_CHANGE})
    return replace(known, settings=settings)


def _differences(known: Record, wanted: Record) -> list[tuple[str, object, object]]:
    a, b = ({**asdict(r.settings), "data": r.data, "start_from": dict(r.start_from)} for r in (known, wanted))
    return [(k, a[k], b[k]) for k in b if k not in _MAY_CHANGE and a[k] != b[k]]


def read_record(out: Path) -> Record:
    """The record of a study folder; InputError where there is none."""
    try:
        values = json.loads((out / STUDY).read_text(encoding="utf-8"))
        return Record(**(values | {"settings": settings_from(values["settings"])}))
    except FileNotFoundError as error:
        raise InputError(f"{out} holds no study ({STUDY} is missing): run it without --report-only first") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CorruptFile(f"{out / STUDY} is damaged ({type(error).__name__})") from error


def settings_from(values: Mapping) -> StudySettings:
    """Settings after JSON."""
    plain: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
    plain |= {
        "roi": RoiSettings(**values["roi"]),
        "measure": MeasureSettings(**values["measure"]),
        "interval": IntervalSettings(**values["interval"]),
    }
    return StudySettings(**plain)


def write_cohort(out: Path, inspection: Inspection) -> None:
    """cohort.json: every exam as it was found, and what did not fit."""
    content = {
        "entries": [e.as_dict() for e in inspection.entries],
        "problems": [asdict(p) for p in inspection.problems],
    }
    write_text(out / COHORT, json.dumps(content, indent=1) + "\n")


def read_cohort(out: Path) -> Inspection | None:
    """The cohort that a study began with; None where it did not get so far, CorruptFile where it is damaged."""
    if not (out / COHORT).is_file():
        return None
    try:
        content = json.loads((out / COHORT).read_text(encoding="utf-8"))
        problems = tuple(Problem(**(p | {"exams": tuple(p["exams"])})) for p in content["problems"])
        return Inspection(tuple(entry_from(e) for e in content["entries"]), problems)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CorruptFile(f"{out / COHORT} is damaged ({type(error).__name__})") from error


def write_split(out: Path, entries: Sequence[Entry], splits: Sequence[Split]) -> None:
    """split.csv: the subset of every exam, a column a fold; split-balance.csv: how alike the subsets are."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    columns = ["subset"] if len(splits) == 1 else [f"fold_{k + 1}" for k in range(len(splits))]
    writer.writerow(["exam", "patient", *columns])
    for e in entries:
        writer.writerow([e.exam, e.patient, *(split[e.exam] for split in splits)])
    write_text(out / SPLIT, text.getvalue())
    rows = balance(entries, splits[0])
    table = Table("split-balance", "", tuple(rows[0]), tuple(tuple(r.values()) for r in rows))  # type: ignore[arg-type]
    write_text(out / BALANCE, to_csv(table))
