"""The result folder: names of exams, folders that are there whole or not at all, error.json, summary.csv."""

import csv
import io
import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from livermre.exam.errors import InputError, LivermreError, OutputError, SettingsError
from livermre.version import __version__

FINDING, ERROR, SUMMARY, RECORD, TRUTH = "finding.json", "error.json", "summary.csv", "inversion.json", "truth.json"
COLUMNS = (
    "exam", "status", "reportable", "stiffness_kpa", "stiffness_sd_kpa", "interval_95_low_kpa", "interval_95_high_kpa",
    "roi_area_mm2", "table", "band", "slices", "series", "frequency_hz", "flags", "message",
)  # fmt: skip
_DICOM = r"(seg|sr|stiffness_pmap|confidence_pmap|report_pdf|report_sc)\.dcm"
_OWN = {
    FINDING: re.compile(r"(finding|error)\.json|report\.(html|pdf)|overlay\.png|" + _DICOM),
    RECORD: re.compile(r"(exam|inversion)\.json|inversion\.png|regions\.csv"),
    TRUTH: re.compile(r"truth\.json"),
}
"""Names of the files that livermre puts into a result folder, by its record; with any other it is never replaced."""
_OWN_VOLUMES = {
    FINDING: r"liver|roi|roi_reasons|stiffness_kpa|confidence|wave_rad",
    RECORD: r"magnitude|stiffness_kpa|confidence|wave_rad",
    TRUTH: r"liver|parenchyma|labels|stiffness_true_kpa|reader_\d+",
}
"""Volumes beside a record; without that record they are a person's own masks and maps."""
_KIND = {FINDING: "a finding", RECORD: "an inversion", TRUTH: "the truth of a simulated exam"}
_NAME_LENGTH = 80  # file systems allow 255 bytes; room for "-2", the partial folder's mark and four-byte letters

Status = Literal["measured", "not reportable", "skipped", "failed"]


@dataclass(frozen=True)
class Outcome:
    """What became of one exam.

    row      its line of summary.csv
    remarks  the sentences of its flags
    change   the `change` of its finding.json; empty where nothing was compared or there is no number
    source   the input as it was given, for the terminal where its name alone would not tell which; never in a file
    details  the traceback of an unexpected failure, else empty; for --debug, never in a file
    """

    exam: str
    status: Status
    row: Mapping[str, object]
    message: str = ""
    remarks: tuple[str, ...] = ()
    change: Mapping[str, object] = field(default_factory=dict)
    source: str = field(default="", repr=False)
    details: str = field(default="", repr=False)

    @property
    def failed(self) -> bool:
        """Whether this exam has no finding."""
        return self.status == "failed"


def base_name(path: Path) -> str:
    """A name for the results of an input: the input's own name without endings or unusual characters."""
    name = path.name or path.resolve().name
    if not path.is_dir():
        name = re.sub(r"(\.nii)?\.(dcm|dicom|ima|gz|nii|zip)$", "", name, flags=re.IGNORECASE)
    return re.sub(r"[^\w.-]+", "_", name).strip("._-")[:_NAME_LENGTH] or "exam"


def input_names(paths: Sequence[Path]) -> list[str]:
    """One name an input, in order; a name met again gets -2, -3 …"""
    names: list[str] = []
    for path in paths:
        names.append(_free(base_name(path), {n.casefold() for n in names}))
    return names


def exam_names(name: str, count: int, others: Iterable[str] = ()) -> list[str]:
    """Names of the exams found in one input: its own, then -2, -3 …, none that another input has."""
    taken = {n.casefold() for n in others} - {name.casefold()}
    names: list[str] = []
    for _ in range(count):
        names.append(_free(name, taken))
        taken.add(names[-1].casefold())
    return names


def _free(name: str, taken: set[str]) -> str:
    if name.casefold() not in taken:
        return name
    number = 2
    while f"{name}-{number}".casefold() in taken:
        number += 1
    return f"{name}-{number}"


def check_places(paths: Sequence[Path], out: Path) -> None:
    """Raise SettingsError where results would lie on, in or around an input: those folders belong to the patient."""
    for name in input_names(paths):
        check_place(paths, out / name)


def check_place(paths: Sequence[Path], target: Path) -> None:
    """Raise SettingsError where one result folder would lie on, in or around an input."""
    place = _real(target)
    for path in paths:
        given = _real(path)
        if place == given or place in given.parents or given in place.parents:
            raise SettingsError(
                f"results would go to {target}, which is, holds or lies in the input {path}: choose an --out elsewhere"
            )


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))  # unlike Path.resolve, no exception for links in a ring


def make_folder(out: Path) -> None:
    """The folder of the results, made before any work is done.

    Raises SettingsError where it is something else or may not be made, OutputError where the disk fails.
    """
    if out.exists() and not out.is_dir():
        raise SettingsError(f"--out must be a folder, {out} is a file")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except (NotADirectoryError, FileExistsError, PermissionError) as error:
        raise SettingsError(f"--out: cannot make the folder {out}: {error.strerror}") from error
    except OSError as error:
        raise OutputError(f"cannot make the folder {out}: {error.strerror or error}") from error


@contextmanager
def whole_folder(target: Path, record: str = FINDING) -> Iterator[Path]:
    """A folder to write into that becomes `target` at the end, or never existed; replaces earlier results there.

    record  the file that says what the folder is: FINDING, RECORD of an inversion, TRUTH of a simulated exam

    Raises OutputError where `target` holds results of another kind, or anything that livermre did not write.
    """
    partial = target.with_name(f".{target.name}.partial-{os.getpid()}")
    try:
        with _output_errors(target):
            _check_own(target, record)
            shutil.rmtree(partial, ignore_errors=True)  # of a process of the same number that was killed
            partial.mkdir(parents=True)
            yield partial
            _put_in_place(partial, target, record)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _check_own(target: Path, record: str) -> None:
    """Raise OutputError unless nothing, an empty folder or one of earlier results of this kind lies there."""
    if target.is_symlink() or (target.exists() and not target.is_dir()):
        raise OutputError(f"{target} is no folder that livermre made, so it was left alone: choose another --out")
    other = [kind for name, kind in _KIND.items() if name != record and (target / name).is_file()]
    if other:
        raise OutputError(f"{target} holds {other[0]}, so it was left alone: choose another --out")
    strange = _strange(target, record) if target.exists() else []
    if strange:
        raise OutputError(
            f"{target} holds what livermre did not write ({strange[0]}), so it was left alone: choose another --out"
        )


def _strange(folder: Path, record: str) -> list[str]:
    """What lies in a folder that livermre did not put there."""
    recorded = (folder / record).is_file()
    return sorted(p.name for p in folder.iterdir() if not _is_own(p, record, recorded))


def _is_own(path: Path, record: str, recorded: bool) -> bool:
    if not path.is_file() or path.is_symlink():
        return False
    volume = re.fullmatch(rf"({_OWN_VOLUMES[record]})(_z\d{{3,}})?\.nii\.gz", path.name)
    return _OWN[record].fullmatch(path.name) is not None or (recorded and volume is not None)


def _put_in_place(partial: Path, target: Path, record: str) -> None:
    """Rename `partial` to `target`; what lay there goes, if it is livermre's own."""
    _check_own(target, record)  # again: the analysis took its time
    if not target.exists():
        partial.rename(target)
        return
    old = partial.with_name(f"{partial.name}-old")
    target.rename(old)
    try:
        partial.rename(target)
    except BaseException:  # an interruption between the two renames, too
        old.rename(target)
        raise
    _remove_results(old, record)


def _remove_results(folder: Path, record: str) -> None:
    """Remove livermre's own files, and the folder if nothing else is in it."""
    with suppress(OSError):
        for path in sorted(folder.iterdir(), key=lambda p: p.name == record):  # the record last
            if _is_own(path, record, True):
                path.unlink()
        folder.rmdir()


@contextmanager
def _output_errors(place: Path) -> Iterator[None]:
    try:
        yield
    except OutputError as error:  # of a room that was given the hidden folder: its name helps nobody
        raise OutputError(re.sub(r"\.([^/\\]+)\.partial-\d+", r"\1", str(error))) from error
    except OSError as error:
        raise OutputError(f"cannot write results to {place}: {error.strerror or error}") from error


def write_text(path: Path, text: str) -> None:
    """A text file that is there whole or not at all."""
    partial = path.with_name(f".{path.name}.partial-{os.getpid()}")
    with _output_errors(path):
        try:
            partial.write_text(text, encoding="utf-8", newline="")
            partial.replace(path)
        finally:
            with suppress(OSError):
                partial.unlink(missing_ok=True)


def write_error(target: Path, error: LivermreError) -> None:
    """Put error.json where the finding would have been; an earlier result is replaced."""
    content = {"error": type(error).__name__, "message": str(error), "livermre": __version__}
    with whole_folder(target) as folder:
        (folder / ERROR).write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def failure(target: Path, error: LivermreError, *, overwrite: bool = False, details: str = "") -> Outcome:
    """The outcome of an exam without a finding, its error.json written where that takes nothing away.

    A finding that lies there already stays, unless it was to be overwritten and the exam's files are at fault. Its line
    of summary.csv stays too, with what failed as its message.
    """
    message = str(error)
    if earlier_finding(target) is None or (overwrite and _exam_is_at_fault(error)):
        with suppress(OutputError):  # a full disk: the sentence still reaches standard error and the summary
            write_error(target, error)
    row = error_row(target.name, message)
    kept = earlier_finding(target)
    if kept is not None:
        row = finding_row(target.name, kept) | {"message": f"{_EARLIER}; a later run failed: {message}"}
    return Outcome(target.name, "failed", row, message, details=details)


_EARLIER = "these are the numbers of the finding that lies here"


def _exam_is_at_fault(error: LivermreError) -> bool:
    """Whether the files of the exam are what is wrong, not the settings, the network, the machine or livermre."""
    return isinstance(error, InputError) and not isinstance(error.__cause__, MemoryError | OSError)


def earlier_finding(target: Path) -> dict | None:
    """The finding that already lies in a result folder; None where there is none or it cannot be read."""
    try:
        content = json.loads((target / FINDING).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def finding_row(exam: str, finding: Mapping) -> dict[str, object]:
    """The line of summary.csv for a finding.json."""
    low, high = finding.get("interval_95_kpa") or (None, None)
    stage = finding.get("stage") or {}
    measured = bool(finding.get("reportable"))
    acquired, made = finding.get("acquisition") or {}, finding.get("provenance") or {}
    return {
        "exam": exam,
        "status": "measured" if measured else "not reportable",
        "reportable": str(measured).lower(),
        "stiffness_kpa": finding.get("stiffness_kpa"),
        "stiffness_sd_kpa": finding.get("stiffness_sd_kpa"),
        "interval_95_low_kpa": low,
        "interval_95_high_kpa": high,
        "roi_area_mm2": finding.get("roi_area_mm2"),
        "table": stage.get("table"),
        "band": stage.get("band"),
        "slices": len(finding.get("slices") or ()),
        "series": " ".join(str(number) for number in made.get("series") or ()),
        "frequency_hz": acquired.get("frequency_hz"),
        "flags": " ".join(f["code"] for f in finding.get("flags") or ()),
        "message": "",
    }


def error_row(exam: str, message: str) -> dict[str, object]:
    """The line of summary.csv for an exam without a finding."""
    return {"exam": exam, "status": "failed", "message": message}


def write_summary(out: Path, rows: Iterable[Mapping[str, object]]) -> None:
    """DIR/summary.csv: every exam that lies in DIR, and the rows of this run; sorted by name."""
    all_rows = {row["exam"]: row for row in _rows_in(out)} | {row["exam"]: row for row in rows}
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(all_rows[exam] for exam in sorted(all_rows, key=str))
    write_text(out / SUMMARY, text.getvalue())


def _rows_in(out: Path) -> Iterator[dict[str, object]]:
    folders = [p for p in out.iterdir() if p.is_dir() and not p.name.startswith(".")] if out.is_dir() else []
    for folder in folders:
        finding = earlier_finding(folder)
        if finding is not None:
            yield finding_row(folder.name, finding)
        elif (folder / ERROR).is_file():
            with suppress(OSError, ValueError, AttributeError):
                yield error_row(
                    folder.name, str(json.loads((folder / ERROR).read_text(encoding="utf-8")).get("message", ""))
                )
