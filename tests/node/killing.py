"""Studies arrive over several associations while the node is killed again and again; then everything is counted.

Used by tests/node/test_kill.py in its short form and by benchmarks/node_kill.py in its long one.
"""

import hashlib
import random
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from pydicom.dataset import Dataset

from livermre.apps.node.counts import overview
from livermre.apps.node.schema import connect_to_read
from node.made import image
from node.place import Away, Pacs, associate, config_file, destination, free_port


@dataclass
class Campaign:
    """What was found. Every list must be empty and every study done."""

    kills: int = 0
    acknowledged: int = 0
    lost: list[str] = field(default_factory=list)
    altered: list[str] = field(default_factory=list)
    states: dict[str, int] = field(default_factory=dict)
    objects: dict[str, bytes] = field(default_factory=dict)
    sent_again: int = 0
    seconds: float = 0.0


def images_of(study: int, count: int) -> list[Dataset]:
    """The images of one study; their headers say how many there are."""
    return [image(f"kill {study}", n, NumberOfStudyRelatedInstances=count) for n in range(count)]


def run(
    folder: Path, *, studies: int, images: int, associations: int, kills: int, seed: int, quiet: float, workers: int = 1
) -> Campaign:
    """One campaign; without kills it is the undisturbed run."""
    folder.mkdir(parents=True)
    found, began = Campaign(), time.monotonic()
    pacs = Pacs(free_port()).open()
    more = f"quiet_seconds = {quiet}\nmax_associations = {associations + 8}\nmax_connections_per_minute = 100000"
    analysis = f"[analysis]\nworkers = {workers}\ninterruptions = 1000\n"
    config = config_file(folder, destination("pacs", pacs.port), analysis, receive=more)
    config.write_text(config.read_text().replace("quiet_seconds = 0.5\n", "", 1))
    node = _Restarted(config)
    order = random.Random(seed).sample(range(studies), studies)
    work = [(s, part) for s in order for part in (0, 1)]  # each study over two associations at a time
    lock, told = threading.Lock(), {s: images_of(s, images) for s in range(studies)}

    def acknowledged() -> None:
        """Count one, and never be further with the images than with the kills: they arrive until the last of these."""
        with lock:
            found.acknowledged += 1
        while found.kills < kills and found.acknowledged / (studies * images) > (found.kills + 1) / (kills + 1):
            time.sleep(0.02)

    def sender() -> None:
        while True:
            with lock:
                if not work:
                    return
                study, part = work.pop()
            _send_all(node, told[study][part::2], acknowledged)

    threads = [threading.Thread(target=sender) for _ in range(associations)]
    for thread in threads:
        thread.start()
    chance = random.Random(seed)
    while found.kills < kills:
        time.sleep(chance.uniform(0.1, 1.5))
        node.kill_and_start()
        found.kills += 1
    for thread in threads:
        thread.join()
    _settle(folder / "data", studies, found)
    node.away.end()
    pacs.close()
    _count(folder / "data", told, found)
    found.objects, found.altered = dict(pacs.bytes), [*found.altered, *pacs.altered]
    found.sent_again = sum(pacs.stored.values()) - len(pacs.stored)
    found.seconds = time.monotonic() - began
    return found


class _Restarted:
    """A node that is killed and started again; senders ask `port` and try until it answers."""

    def __init__(self, config: Path) -> None:
        self.config = config
        self.away = Away(config)
        self.port = self.away.port
        self._ready()

    def _ready(self) -> None:
        end = time.monotonic() + 120
        while not self.away.ready():
            assert self.away.process.poll() is None, "the node ended by itself"
            assert time.monotonic() < end, "the node does not start"
            time.sleep(0.05)

    def kill_and_start(self) -> None:
        self.away.kill()
        self.away = Away(self.config)
        self._ready()


def _send_all(node: _Restarted, images: list[Dataset], acknowledged: Callable[[], None]) -> None:
    """Send until every image is acknowledged, as a modality does: again on a new association what was not."""
    left, end = list(images), time.monotonic() + 3600
    while left:
        assert time.monotonic() < end
        try:
            association = associate(node.port)
            while left and association.is_established:
                if getattr(association.send_c_store(left[0]), "Status", None) != 0:
                    break
                left.pop(0)
                acknowledged()
            if association.is_established:
                association.release()
        except (RuntimeError, ValueError, OSError):
            pass
        if left:
            time.sleep(0.1)


def _settle(data: Path, studies: int, found: Campaign) -> None:
    """Wait until nothing is under way."""
    end = time.monotonic() + 600
    with closing(connect_to_read(data / "journal.sqlite")) as base:
        while True:
            view = overview(base, 0)
            over = sum(view.states[s] for s in ("done", "refused", "failed"))
            if over == studies or time.monotonic() > end:
                found.states = {s: n for s, n in view.states.items() if n}
                return
            time.sleep(0.2)


def _count(data: Path, told: dict[int, list[Dataset]], found: Campaign) -> None:
    """Every acknowledged instance is on the disk with the bytes that the journal and the sender know."""
    with closing(connect_to_read(data / "journal.sqlite")) as base:
        rows = {r["sop_uid"]: r for r in base.execute("SELECT * FROM instances WHERE kind='image'")}
        for images in told.values():
            for ds in images:
                row = rows.get(str(ds.SOPInstanceUID))
                path = data / "studies" / row["study"] / row["name"] if row else None
                if row is None or path is None or not path.is_file():
                    found.lost.append(str(ds.SOPInstanceUID))
                elif (
                    hashlib.sha256(path.read_bytes()).hexdigest() != row["sha256"]
                    or ds.PixelData not in path.read_bytes()
                ):
                    found.altered.append(str(ds.SOPInstanceUID))
