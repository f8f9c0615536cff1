"""Worker processes and their threads: claim a study, hand its folder over, enter the answer. A crash is one attempt."""

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from livermre.apps.node.config import Config
from livermre.apps.node.journal import Job, Made
from livermre.apps.node.log import Log
from livermre.apps.node.sends import Journal
from livermre.apps.node.spool import Spool
from livermre.apps.node.wire import kind_of

REAL = (sys.executable, "-m", "livermre.apps.node.worker")
_SETTINGS = ("table", "stiffness_unit", "frequency_hz", "erode_mm", "from_phase", "deidentify", "deidentify_key",
             "model", "device")  # fmt: skip
_IDLE = 0.2


class Died(Exception):
    """A worker gave no answer; the text is for the study's history."""


class Process:
    """One worker process, started when it is needed and again when it has died."""

    def __init__(self, command: Sequence[str], log: Log) -> None:
        self._command, self._log = command, log
        self._process: subprocess.Popen[str] | None = None
        self._answers: queue.Queue[str] = queue.Queue()

    def ask(self, request: Mapping[str, Any], timeout: float, stopping: threading.Event) -> dict[str, Any]:
        """The answer to one request; Died where the process ends, takes too long or says what is no answer."""
        process = self._running()
        try:
            process.stdin.write(json.dumps(request) + "\n")  # type: ignore[union-attr]
            process.stdin.flush()  # type: ignore[union-attr]
        except OSError as error:
            self.stop()
            raise Died("the worker process was gone") from error
        line = self._wait(timeout, stopping)
        try:
            answer = json.loads(line)
        except ValueError as error:
            code = process.wait(5) if not line else None
            self.stop()
            raise Died(f"the worker process ended ({_ended(code)})") from error
        return dict(answer)

    def _wait(self, timeout: float, stopping: threading.Event) -> str:
        until = time.monotonic() + timeout
        while not stopping.is_set():
            try:
                return self._answers.get(timeout=_IDLE)
            except queue.Empty:
                if time.monotonic() > until:
                    self.stop()
                    raise Died(f"the analysis took longer than {timeout:g} s") from None
        raise InterruptedError

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None or self._process.poll() is not None:
            self.stop()
            self._answers = queue.Queue()
            self._process = subprocess.Popen(
                [*self._command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=_error_output(),
                text=True, encoding="utf-8", start_new_session=True,
            )  # fmt: skip
            threading.Thread(target=_pump, args=(self._process.stdout, self._answers), daemon=True).start()
            self._log.event("worker_started")
        return self._process

    def stop(self) -> None:
        """End the process at once: what it had in hand will be done again."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for stream in (self._process.stdin, self._process.stdout):
                with_errors_ignored(stream)
            self._process = None


def with_errors_ignored(stream: Any) -> None:
    """Close a pipe whose other end may be gone."""
    try:
        stream.close()
    except (OSError, ValueError):
        return


def _error_output() -> int | None:
    """What workers say on standard error may quote headers: only a developer sees it."""
    return None if os.environ.get("LIVERMRE_NODE_DEBUG") else subprocess.DEVNULL


def _pump(stream: Any, answers: "queue.Queue[str]") -> None:
    try:
        for line in stream:
            answers.put(line)
    except (OSError, ValueError):
        pass
    answers.put("")


def _ended(code: int | None) -> str:
    if code is None:
        return "it said what is no answer"
    return f"signal {-code}; out of memory?" if code < 0 else f"status {code}"


@dataclass(frozen=True)
class Desk:
    """What each worker thread works with."""

    config: Config
    spool: Spool
    journal: Journal
    log: Log
    stopping: threading.Event

    def run(self, process: Process) -> None:
        """Claim and analyse, one study after the other, until the node stops."""
        while not self.stopping.is_set():
            job: Job | None = None
            try:
                job = self.journal.claim() if self._room() else None
                if job is None:
                    self.stopping.wait(_IDLE)
                else:
                    self._one(job, process)
            except Exception as error:  # a full disk, say: the study is tried again
                self.log.event("worker_trouble", error=type(error).__name__)
                self._give_back(job)
        process.stop()

    def _room(self) -> bool:
        """Whether the disk has room for results; else studies wait in the queue."""
        return self.spool.free_bytes() >= self.spool.min_free // 2

    def _give_back(self, job: Job | None) -> None:
        """Back into the queue, as soon as the journal can be written again."""
        while job is not None and not self.stopping.wait(2):
            try:
                self.journal.interrupted(self.config.analysis.interruptions, job.run)
                return
            except Exception as error:
                self.log.event("journal_trouble", error=type(error).__name__)

    def _one(self, job: Job, process: Process) -> None:
        keys, began = self.config.analysis, time.monotonic()
        self.log.event("analysis_started", study=job.study, revision=job.revision, run=job.run)
        try:
            answer = process.ask(self._request(job), keys.timeout_seconds, self.stopping)
            state = self._enter(job, answer)
        except InterruptedError:
            process.stop()
            self.journal.interrupted(keys.interruptions, job.run)
            return
        except Died as error:
            state = self.journal.died(job, str(error), keys.attempts)
        finally:
            self.spool.end_run(job.run)
        seconds = time.monotonic() - began
        self.log.count("analysis_seconds_sum", seconds)
        self.log.count("analysis_seconds_count")
        self.log.event(
            "analysis_ended",
            study=job.study,
            revision=job.revision,
            run=job.run,
            state=state,
            seconds=round(seconds, 3),
        )

    def _request(self, job: Job) -> dict[str, Any]:
        keys = asdict(self.config.analysis)
        return {
            "images": str(self.spool.inputs(job.run, job.study, job.names)),
            "out": str(self.spool.result_folder(job.run)),
            "memory_bytes": int(keys["memory_gib"] * (1 << 30)),
            "settings": {k: str(keys[k]) if isinstance(keys[k], Path) else keys[k] for k in _SETTINGS},
        }

    def _enter(self, job: Job, answer: Mapping[str, Any]) -> str:
        """The answer into the journal: results, a refusal, or an attempt that failed on livermre's side."""
        if "failed" in answer:
            return self.journal.died(job, f"the analysis stopped: {answer['failed']}", self.config.analysis.attempts)
        exams = answer["exams"]
        message = "; ".join(dict.fromkeys(e["message"] for e in exams if e["message"]))
        if all(e["status"] == "failed" for e in exams):
            if any(e["ours"] for e in exams):
                return self.journal.died(job, message, self.config.analysis.attempts)
            return self.journal.refuse(job, message or "no exam was found")
        if not answer["objects"]:  # measured, but nothing that a PACS could take: never in silence
            reason = f"no DICOM object could be made of the result {message}".strip()
            return self.journal.died(job, reason, self.config.analysis.attempts)
        objects = [self._made(job, o) for o in answer["objects"]]
        return self.journal.finish(job, [*objects, *self._sources(job)], message)

    def _made(self, job: Job, o: Mapping[str, str]) -> Made:
        kind = kind_of(o["sop_class"])
        path = Path(o["path"]).relative_to(self.spool.root).as_posix()
        return Made(
            o["sop_uid"], kind, o["sop_class"], o["transfer_syntax"], path, o["sha256"], self._places(kind, job)
        )

    def _places(self, kind: str, job: Job) -> tuple[str, ...]:
        return tuple(d.name for d in self.config.destinations if d.wants(kind, job.calling))

    def _sources(self, job: Job) -> list[Made]:
        places = self._places("SOURCE", job)
        if not places:
            return []
        rows = self.journal.ask("SELECT * FROM instances WHERE study=? AND kind='image' AND removed=0", job.study)
        return [
            Made(r["sop_uid"], "SOURCE", r["sop_class"], r["transfer_syntax"],
                 self.spool.place(r["study"], r["name"]).relative_to(self.spool.root).as_posix(), r["sha256"], places)
            for r in rows if r["name"] in set(job.names)
        ]  # fmt: skip


class Workers:
    """The threads, each with its process."""

    def __init__(self, desk: Desk, command: Sequence[str] = REAL) -> None:
        processes = [Process(command, desk.log) for _ in range(desk.config.analysis.workers)]
        self._threads = [
            threading.Thread(target=desk.run, args=(p,), name=f"work {i}") for i, p in enumerate(processes)
        ]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def alive(self) -> bool:
        """Whether all threads live: the watchdog asks."""
        return all(t.is_alive() for t in self._threads)

    def join(self) -> None:
        """Wait for the end, after the desk's `stopping` was set."""
        for thread in self._threads:
            thread.join()
