"""How many studies a minute the node sustains beside what analysis alone would allow, and its memory over all of them.

    .venv/bin/python benchmarks/node_load.py --studies 2000                   the node's own work (fake analysis)
    .venv/bin/python benchmarks/node_load.py --studies 60 --exam FOLDER       with the real analysis of one exam

With --exam the exam is sent under new UIDs each time. Numbers hold for the machine and its load: it prints the
processor seconds of the node and its workers beside the wall clock. Needs the extra [node].
"""

import argparse
import json
import os
import sys
import tempfile
import threading
import time
from contextlib import closing, suppress
from pathlib import Path

from pydicom import dcmread
from pydicom.dataset import Dataset

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from livermre.apps.node.counts import overview
from livermre.apps.node.schema import connect_to_read
from livermre.apps.node.wire import SOP_CLASSES
from node.made import image, uid
from node.place import Away, Pacs, config_file, destination, free_port, send


def main() -> int:
    """Load the node and print what it did."""
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--studies", type=int, default=2000)
    p.add_argument("--images", type=int, default=20, help="of each study, without --exam (default %(default)s)")
    p.add_argument("--exam", type=Path, help="folder of one exam: analysed for real")
    p.add_argument("--associations", type=int, default=4)
    p.add_argument("--workers", type=int, default=2)
    o = p.parse_args()
    files = [dcmread(f) for f in sorted(o.exam.rglob("*")) if f.is_file()] if o.exam else []
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(_load(Path(folder), o, files), indent=2))
    return 0


def _load(folder: Path, o: argparse.Namespace, files: list[Dataset]) -> dict:
    pacs = Pacs(free_port()).open(SOP_CLASSES)
    more = "max_connections_per_minute = 100000\n"
    config = config_file(folder, destination("pacs", pacs.port), f"[analysis]\nworkers = {o.workers}\n", receive=more)
    node = Away(config, *(["--real"] if files else []))
    while not node.ready():
        time.sleep(0.05)
    numbers, lock, began = iter(range(o.studies)), threading.Lock(), time.monotonic()

    def sender() -> None:
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            images = (
                _renamed(files, number) if files else [image(f"load {number}", n, side=64) for n in range(o.images)]
            )
            if any(send(node.port, images)):
                raise SystemExit("an image was not acknowledged")

    threads = [threading.Thread(target=sender) for _ in range(o.associations)]
    for thread in threads:
        thread.start()
    try:
        memory, spent = _watch(node, folder / "data", o.studies)
    except BaseException:
        node.kill()
        raise
    seconds = time.monotonic() - began
    for thread in threads:
        thread.join()
    runs = _run_seconds(folder / "data")
    node.end()
    pacs.close()
    half = len(memory) // 2
    return {
        "studies": o.studies, "images each": len(files) or o.images, "workers": o.workers,
        "analysis": "real" if files else "fake", "seconds": round(seconds, 1),
        "studies per minute": round(60 * o.studies / seconds, 1),
        "studies per minute by the analyses alone": round(60 * o.workers * o.studies / max(runs, 1e-9), 1),
        "processor seconds of node and workers": round(spent, 1),
        "node's memory MiB: start, half, end, most": [memory[min(5, half)], memory[half], memory[-1], max(memory)],
        "objects in the PACS": len(pacs.stored), "sent twice": sum(pacs.stored.values()) - len(pacs.stored),
    }  # fmt: skip


def _watch(node: Away, data: Path, studies: int) -> tuple[list[int], float]:
    """The node's resident memory every half second until all is done, MiB; and the processor time of its tree."""
    pid, memory, spent = node.process.pid, [], 0.0
    with closing(connect_to_read(data / "journal.sqlite")) as base:
        while overview(base, 0).states["done"] < studies:
            memory.append(_resident_mib(pid))
            spent = max(spent, sum(_processor_seconds(p) for p in _family(pid)))
            time.sleep(0.5)
    return memory or [_resident_mib(pid)], spent


def _resident_mib(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) >> 10


def _family(pid: int) -> list[int]:
    found = [pid]
    with suppress(OSError):  # a thread or process that ended while we looked
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text(encoding="utf-8").split():
                found += _family(int(child))
    return found


def _processor_seconds(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _run_seconds(data: Path) -> float:
    with closing(connect_to_read(data / "journal.sqlite")) as base:
        return float(base.execute("SELECT sum(ended - started) FROM runs WHERE state='finished'").fetchone()[0] or 0)


def _renamed(files: list[Dataset], number: int) -> list[Dataset]:
    """The exam under new UIDs, the same ones for the same number; pixels are shared."""
    return [_copy(ds, number) for ds in files]


def _copy(ds: Dataset, number: int) -> Dataset:
    new = Dataset()
    new.update(ds)  # the elements; those below are replaced, the others shared
    new.file_meta = ds.file_meta
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "FrameOfReferenceUID"):
        if keyword in ds:
            del new[keyword]
            setattr(new, keyword, uid(str(ds.get(keyword)), number))
    return new


if __name__ == "__main__":
    raise SystemExit(main())
