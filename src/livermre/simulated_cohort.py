"""A simulated cohort: many exams, one after the other or side by side, and OUT/truth.csv with a line for each."""

import csv
import io
import multiprocessing
import signal
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from pathlib import Path

from livermre.exam.errors import LivermreError, OutputError, SettingsError
from livermre.results import make_folder, write_text
from livermre.simulation import EXAMS, MASKS, Made, Recipe, Task, simulate_exam, truth_row

TABLE = "truth.csv"


def simulate_cohort(
    patients: int,
    recipe: Recipe,
    out: Path,
    *,
    repeats: int = 0,
    jobs: int = 1,
    done: Callable[[Made], None] = lambda made: None,
) -> list[Made]:
    """Every exam of a cohort, in order of names; `done` hears of each as it is finished.

    repeats  further scans of each patient

    Finished exams of the same recipe are kept. truth.csv is written whatever happens, an interruption included, and
    lists all exams of OUT. Raises SettingsError for numbers that make no cohort, OutputError where OUT holds exams of
    another recipe or the disk refuses.
    """
    if patients < 1 or repeats < 0 or jobs < 1:
        raise SettingsError("a cohort needs at least one patient, 0 or more repeats and at least one process")
    make_folder(out)
    _check_table(out)
    tasks = [Task(recipe, p, r, out) for p in range(1, patients + 1) for r in range(repeats + 1)]
    made: list[Made] = []
    try:
        # closed before the table is written: what was in hand at an interruption belongs into it
        with closing(_in_turn(tasks) if min(jobs, len(tasks)) == 1 else _side_by_side(tasks, jobs)) as work:
            for one in work:
                made.append(one)
                done(one)
    finally:
        _write_truth(out)
    return sorted(made, key=lambda m: m.exam)


def _in_turn(tasks: Sequence[Task]) -> Generator[Made, None, None]:
    yield from map(simulate_exam, tasks)


def _side_by_side(tasks: Sequence[Task], jobs: int) -> Generator[Made, None, None]:
    # spawn as in batch.py; Ctrl-C reaches the parent alone, the exams in hand are finished
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(jobs, context, initializer=signal.signal, initargs=(signal.SIGINT, signal.SIG_IGN))
    try:
        for future in as_completed([pool.submit(simulate_exam, t) for t in tasks]):
            yield future.result()
    except BrokenProcessPool as error:
        raise LivermreError(
            "a worker process died (out of memory?); run again with fewer --jobs, finished exams are kept"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _check_table(out: Path) -> None:
    """Raise OutputError where OUT/truth.csv tells of exams that livermre did not simulate."""
    try:
        with (out / TABLE).open(encoding="utf-8", newline="") as file:
            strangers = [r for r in csv.DictReader(file) if truth_row(out / MASKS / str(r.get("exam"))) is None]
    except FileNotFoundError:
        return
    except (OSError, ValueError, csv.Error) as error:
        raise OutputError(f"{out / TABLE} cannot be read, so it was left alone: choose another --out") from error
    if strangers:
        raise OutputError(
            f"{out / TABLE} tells of exams that livermre did not simulate, so it was left alone: choose another --out"
        )


def _write_truth(out: Path) -> None:
    """OUT/truth.csv: every exam that lies whole in OUT, sorted by name; a column that an exam lacks is empty."""
    names = sorted(p.name for p in (out / EXAMS).glob("[!.]*")) if (out / EXAMS).is_dir() else []
    rows: list[Mapping[str, object]] = [known[0] for n in names if (known := truth_row(out / MASKS / n)) is not None]
    if not rows:
        return
    text = io.StringIO()
    writer = csv.DictWriter(text, list(dict.fromkeys(c for row in rows for c in row)), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(out / TABLE, text.getvalue())
