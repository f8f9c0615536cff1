"""Side by side: a process that dies takes only the exams in hand with it."""

import os
import signal
from pathlib import Path

from livermre import batch
from livermre.pipeline import Settings
from livermre.results import Outcome, error_row


def _die_or_work(task: batch.Task, out: Path, settings: Settings, overwrite: bool) -> list[Outcome]:
    if "bad" in task.name:
        os.kill(os.getpid(), signal.SIGKILL)
    return [Outcome(task.name, "measured", error_row(task.name, ""))]


def test_a_dead_process(tmp_path, monkeypatch):
    monkeypatch.setattr(batch, "_run", _die_or_work)
    paths = [tmp_path / name for name in ("a", "bad", "c", "d", "e", "f")]
    told: list[str] = []
    outcomes = batch.analyze_all(
        paths, tmp_path / "out", Settings(), jobs=2, done=lambda some: told.extend(o.exam for o in some)
    )
    assert [o.exam for o in outcomes] == ["a", "bad", "c", "d", "e", "f"] and sorted(told) == sorted(
        p.name for p in paths
    )
    failed = {o.exam for o in outcomes if o.failed}
    assert "bad" in failed and len(failed) <= 2  # the other process's exam may have been in hand
    assert "a worker process died" in outcomes[1].message
    assert (tmp_path / "out/bad/error.json").exists()
