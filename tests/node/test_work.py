"""Workers: a study that kills, hangs or fails costs its own attempts and nobody else's."""

import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from livermre.apps.node.log import Log
from livermre.apps.node.work import Died, Process
from livermre.apps.node.worker import settings_of
from node.made import image, uid, written
from node.place import FAKE, Here, config_file, send, until


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Here]:
    analysis = "[analysis]\nattempts = 2\n"
    running = Here(config_file(tmp_path_factory.mktemp("work"), analysis))
    yield running
    running.stop()


def study(node: Here, name: str) -> tuple[str, str]:
    found = node.node.journal.ask("SELECT state, message FROM studies WHERE uid=?", uid("study", name))
    return (found[0]["state"], found[0]["message"]) if found else ("", "")


@pytest.mark.parametrize(
    ("note", "state", "message"),
    [
        ("poison", "failed", "set aside after 2 attempts: the worker process ended (signal 9; out of memory?)"),
        ("mistake", "failed", "set aside after 2 attempts: the analysis stopped: RuntimeError"),
        ("no exam", "refused", "no exam was found"),
    ],
)
def test_a_bad_study_goes_aside_and_the_next_one_is_done(node: Here, note: str, state: str, message: str) -> None:
    send(node.port, [image(note, 1, note=note)])
    until(lambda: study(node, note)[0] == state, lambda: str(study(node, note)))
    assert study(node, note)[1] == message
    send(node.port, [image(f"after {note}", 1)])
    until(lambda: study(node, f"after {note}")[0] == "done")
    until(lambda: not list(node.node.spool.runs.iterdir()))


def test_a_worker_that_hangs_is_ended(tmp_path: Path) -> None:
    """However slow the machine: an analysis that never ends is over after its time, and its process is gone."""
    written(tmp_path / "images", [image("hang", 1, note="hang")])
    log = Log(str(tmp_path / "log"))
    process = Process(FAKE, log)
    with pytest.raises(Died, match=r"the analysis took longer than 0\.5 s"):
        process.ask({"images": str(tmp_path / "images"), "out": str(tmp_path / "out")}, 0.5, threading.Event())
    assert process._process is None
    log.close()


def test_the_worker_process_is_kept_for_the_next_study(node: Here) -> None:
    """One process, one loading of the network."""
    before = node.node.log.counts().get("event_worker_started", 0)
    for n in range(3):
        send(node.port, [image(f"kept {n}", 1)])
        until(lambda n=n: study(node, f"kept {n}")[0] == "done")
    assert node.node.log.counts()["event_worker_started"] - before <= 1


def test_a_late_image_during_the_analysis_starts_it_again(node: Here) -> None:
    """The result of the first images alone is not sent; the last result is of all."""
    send(node.port, [image("moving", 1, note="gate")])
    until(lambda: study(node, "moving")[0] == "analysing")
    send(node.port, [image("moving", 2)])
    (node.node.config.node.data / "gate").touch()
    until(lambda: study(node, "moving")[0] == "done")
    key = uid("study", "moving")
    runs = node.node.journal.ask(
        "SELECT r.state FROM runs r JOIN studies s ON s.id=r.study WHERE uid=? ORDER BY r.id", key
    )
    objects = node.node.journal.ask("SELECT o.revision FROM objects o JOIN studies s ON s.id=o.study WHERE uid=?", key)
    assert [r["state"] for r in runs] == ["superseded", "finished"] and [o["revision"] for o in objects] == [2]


def test_a_worker_dies_with_its_node(tmp_path: Path) -> None:
    """A worker whose parent is gone ends by itself: its run will be done anew."""
    parent = subprocess.Popen(
        [FAKE[0], "-c", "import subprocess, sys, time\np = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE)\n"
         "print(p.pid, flush=True)\ntime.sleep(600)", *FAKE],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert parent.stdout is not None
    worker = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    until(lambda: not _alive(worker))


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2][:3]
    except (ProcessLookupError, FileNotFoundError):
        return False


def test_settings_of_a_configuration() -> None:
    keys = {"table": "rdes149", "stiffness_unit": "Pa", "frequency_hz": 40.0, "erode_mm": 5.0, "model": "m.onnx",
            "device": "cpu", "deidentify": True, "deidentify_key": "k", "from_phase": True}  # fmt: skip
    made = settings_of(keys)
    assert (made.read.stiffness_unit, made.read.frequency_hz, made.roi.erode_mm) == ("Pa", 40.0, 5.0)
    assert (made.model, made.deidentify, made.from_phase) == (Path("m.onnx"), True, True)
    assert made.key_file == Path("k") and settings_of({**keys, "deidentify_key": None}).key_file is None
    assert signal.SIGKILL == 9
