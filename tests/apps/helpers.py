"""What several tests of the doors look at."""

import os
import signal
from pathlib import Path

from livermre import batch
from livermre.exam.errors import ModelError
from livermre.results import Outcome, error_row
from livermre.settings import Settings


def left_over(out: Path) -> list[str]:
    """Hidden, half-written things in a result folder."""
    return [p.name for p in out.rglob("*") if p.name.startswith(".")]


def die_or_work(task: batch.Task, out: Path, settings: Settings, overwrite: bool) -> list[Outcome]:
    """Work of a process that a bad exam kills; here, because a started process must be able to import it."""
    if "bad" in task.name:
        os.kill(os.getpid(), signal.SIGKILL)
    return [Outcome(task.name, "measured", error_row(task.name, ""))]


def no_network(task: batch.Task, out: Path, settings: Settings, overwrite: bool) -> list[Outcome]:
    """Work of a process whose network does not run."""
    raise ModelError("net is no network")
