"""Many inputs: one after the other here, or side by side in processes that load the model once each."""

import multiprocessing
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from livermre.exam.errors import LivermreError, OutputError
from livermre.given import check
from livermre.pipeline import analyze_path
from livermre.results import (
    SUMMARY,
    Outcome,
    check_places,
    error_row,
    failure,
    input_names,
    make_folder,
    write_summary,
)
from livermre.settings import Settings

Report = Callable[[list[Outcome]], None]


@dataclass(frozen=True)
class Task:
    """One input and the name of its results; `others` are names that other inputs have."""

    path: Path
    name: str
    others: tuple[str, ...]


def analyze_all(
    paths: Sequence[Path],
    out: Path,
    settings: Settings,
    *,
    jobs: int = 1,
    overwrite: bool = False,
    done: Report = lambda outcomes: None,
) -> list[Outcome]:
    """Outcomes of every exam in the inputs, in their order; `done` hears of each input as it is finished.

    Before any work: SettingsError where no exam could be analysed or results would touch an input, ModelError without
    a network. After that summary.csv is written whatever happens, an interruption included.
    """
    check(settings)
    check_places(paths, out)
    make_folder(out)
    names = input_names(paths)
    tasks = [Task(path, name, tuple(names)) for path, name in zip(paths, names, strict=True)]
    finished: dict[str, list[Outcome]] = {}
    work = _in_turn if min(jobs, len(tasks)) <= 1 else _side_by_side
    try:
        for task, outcomes in work(tasks, out, settings, jobs, overwrite):
            finished[task.name] = outcomes
            done(outcomes)
    except BaseException:
        _summarise(out, finished)
        raise
    lost = _summarise(out, finished)
    if lost:
        done(lost)
    return [*chain.from_iterable(finished[name] for name in names), *lost]


def _summarise(out: Path, finished: Mapping[str, list[Outcome]]) -> list[Outcome]:
    """Write summary.csv; where that fails the exams keep their results, and the failure is one more outcome."""
    try:
        write_summary(out, [o.row for o in chain.from_iterable(finished.values())])
    except OutputError as error:
        return [Outcome(SUMMARY, "failed", error_row(SUMMARY, str(error)), str(error))]
    return []


Results = Iterator[tuple[Task, list[Outcome]]]


def _in_turn(tasks: Sequence[Task], out: Path, settings: Settings, jobs: int, overwrite: bool) -> Results:
    for task in tasks:
        yield task, _run(task, out, settings, overwrite)


def _run(task: Task, out: Path, settings: Settings, overwrite: bool) -> list[Outcome]:
    return analyze_path(task.path, out, settings, name=task.name, others=task.others, overwrite=overwrite)


def _side_by_side(tasks: Sequence[Task], out: Path, settings: Settings, jobs: int, overwrite: bool) -> Results:
    """Never more exams in hand than processes, since an interruption waits for those; a dead process is replaced."""
    pool, broken = _pool(jobs), False
    waiting = list(reversed(tasks))
    running: dict[Future[list[Outcome]], Task] = {}
    try:
        while waiting or running:
            while waiting and len(running) < jobs and not broken:
                try:
                    with _deaf_to_interrupts():
                        future = pool.submit(_run, waiting[-1], out, settings, overwrite)
                except BrokenProcessPool:  # it died since we looked
                    broken = True
                else:
                    running[future] = waiting.pop()
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                task = running.pop(future)
                broken = broken or isinstance(future.exception(), BrokenProcessPool)
                yield task, _result(future, out / task.name, overwrite)
            if broken and not running:  # the death of one process takes the exams in hand of all with it, no others
                pool, broken = _pool(jobs), False
    except BaseException:
        _stop(pool)
        raise
    pool.shutdown()


def _pool(jobs: int) -> ProcessPoolExecutor:
    # spawn: a forked copy of a process with OpenVINO's threads can hang
    return ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"))


def _result(future: Future[list[Outcome]], target: Path, overwrite: bool) -> list[Outcome]:
    try:
        return future.result()
    except BrokenProcessPool:
        sentence = "a worker process died (out of memory?); run again with fewer --jobs, finished exams are kept"
        return [failure(target, LivermreError(sentence), overwrite=overwrite)]


@contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """Processes started meanwhile ignore Ctrl-C: they finish the exam in hand, and only their parent stops."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _stop(pool: ProcessPoolExecutor) -> None:
    """Let exams in hand come to their end; a second interruption ends them at once."""
    try:
        pool.shutdown(cancel_futures=True)
    except KeyboardInterrupt:
        for process in multiprocessing.active_children():
            process.terminate()
