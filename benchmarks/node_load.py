"""How many studies a minute the node sustains beside what analysis alone would allow, and its memory over all of them.

    .venv/bin/python benchmarks/node_load.py --studies 2000                   the node's own work (fake analysis)
    .venv/bin/python benchmarks/node_load.py --studies 60 --exam FOLDER       with the real analysis of one exam

With --exam the exam is sent under new UIDs each time. Numbers hold for the machine and its load: it prints the
processor seconds of the node and its workers beside the wall clock. Exit status 1 where a study was not done, a sender
was turned away, or nothing moved for --patience seconds: then what stands still is told. Needs the extra [node].
"""

import argparse
import json
import os
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import closing, suppress
from pathlib import Path

from pydicom import dcmread
from pydicom.dataset import Dataset
from pynetdicom import AE, build_context

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from livermre.apps.node.counts import overview
from livermre.apps.node.deliver import steady
from livermre.apps.node.schema import connect_to_read
from livermre.apps.node.wire import SOP_CLASSES
from node.made import image, uid
from node.place import Away, Pacs, config_file, destination, free_port


def main() -> int:
    """Load the node and print what it did."""
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--studies", type=int, default=2000)
    p.add_argument("--images", type=int, default=20, help="of each study, without --exam (default %(default)s)")
    p.add_argument("--exam", type=Path, help="folder of one exam: analysed for real")
    p.add_argument("--associations", type=int, default=4)
    p.add_argument("--workers", type=int, default=2)
    p.add_argument("--patience", type=float, default=300, help="seconds without progress that are too many")
    o = p.parse_args()
    files = [dcmread(f) for f in sorted(o.exam.rglob("*")) if f.is_file()] if o.exam else []
    with tempfile.TemporaryDirectory() as folder:
        told = _load(Path(folder), o, files)
    print(json.dumps(told, indent=2))
    return 0 if told["states"] == {"done": o.studies} and not told["senders that failed"] else 1


def _load(folder: Path, o: argparse.Namespace, files: list[Dataset]) -> dict:
    pacs = Pacs(free_port()).open(SOP_CLASSES)
    more = "max_connections_per_minute = 100000\n"
    config = config_file(folder, destination("pacs", pacs.port), f"[analysis]\nworkers = {o.workers}\n", receive=more)
    config.write_text(config.read_text().replace("quiet_seconds = 0.5\n", "quiet_seconds = 30\n", 1))
    node = Away(config, *(["--real"] if files else []))
    while not node.ready():
        time.sleep(0.05)
    numbers, lock, began = iter(range(o.studies)), threading.Lock(), time.monotonic()
    wrong: list[str] = []

    def sender() -> None:
        try:
            send_all()
        except Exception as error:  # in a thread of its own: without a word the node would be waited for in vain
            wrong.append(f"{type(error).__name__}: {error}")

    def send_all() -> None:
        while not wrong:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            images = (
                _renamed(files, number) if files else [image(f"load {number}", n, side=64) for n in range(o.images)]
            )
            _send(node.port, images)

    threads = [threading.Thread(target=sender) for _ in range(o.associations)]
    for thread in threads:
        thread.start()
    try:
        memory, tree, spent, states = _watch(node, folder / "data", o, wrong)
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
        "states": states, "senders that failed": wrong,
        "studies": o.studies, "images each": len(files) or o.images, "workers": o.workers,
        "analysis": "real" if files else "fake", "seconds": round(seconds, 1),
        "studies per minute": round(60 * o.studies / seconds, 1),
        "studies per minute by the analyses alone": round(60 * o.workers * o.studies / max(runs, 1e-9), 1),
        "processor seconds of node and workers": round(spent, 1),
        "node's memory MiB: start, half, end, most": [memory[min(5, half)], memory[half], memory[-1], max(memory)],
        "node's memory MiB after each tenth of the studies": _tenths(memory),
        "with its workers": _tenths(tree),
        "what the node logged": _events(folder / "node.log"),
        "objects in the PACS": len(pacs.stored), "sent twice": sum(pacs.stored.values()) - len(pacs.stored),
    }  # fmt: skip


def _send(port: int, images: list[Dataset]) -> None:
    """A study over one association with the contexts that it needs; RuntimeError where an image is not acknowledged."""
    ae = AE("SENDER")
    ae.acse_timeout = ae.dimse_timeout = ae.network_timeout = 300
    pairs = {(i.SOPClassUID, i.file_meta.TransferSyntaxUID) for i in images}
    contexts = [build_context(*p) for p in sorted(pairs)]
    association = steady(ae.associate("127.0.0.1", port, contexts=contexts, ae_title="LIVERMRE"))
    if not association.is_established:
        raise RuntimeError("no association")
    for ds in images:
        status = getattr(association.send_c_store(ds), "Status", None)
        if status != 0:
            raise RuntimeError(f"C-STORE was answered {status}")
    association.release()


def _tenths(memory: list[int]) -> list[int]:
    return [memory[len(memory) * n // 10 - 1] for n in range(1, 11)]


def _watch(
    node: Away, data: Path, o: argparse.Namespace, wrong: list[str]
) -> tuple[list[int], list[int], float, dict[str, int]]:
    """Resident memory, MiB, of the node and of the node with its workers, each time that a hundredth of the studies is
    over; the processor time of its tree; and the states of the studies at the end.
    """
    pid, spent, moved, last = node.process.pid, 0.0, time.monotonic(), -1
    memory: list[int] = []
    tree: list[int] = []
    with closing(connect_to_read(data / "journal.sqlite")) as base:
        while True:
            view = overview(base, 0)
            over = sum(view.states[s] for s in ("done", "refused", "failed"))
            if over > last:
                moved, last = time.monotonic(), over
                lacking = 100 * over // o.studies - len(memory)
                memory += [_resident_mib(pid)] * lacking
                tree += [sum(map(_resident_mib, _family(pid)))] * lacking
            spent = max(spent, sum(_processor_seconds(p) for p in _family(pid)))
            stuck = time.monotonic() - moved > o.patience
            if over == o.studies or wrong or stuck:
                if stuck:
                    wrong.append(f"nothing moved for {o.patience:g} s")
                states = {s: n for s, n in view.states.items() if n}
                return memory or [_resident_mib(pid)], tree or [0], spent, states
            time.sleep(0.5)


def _events(log: Path) -> dict[str, int]:
    """How often each event came; those that tell of trouble with their reason."""
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    return dict(Counter(" ".join(str(e[k]) for k in ("event", "state", "reason", "error") if k in e) for e in lines))


def _resident_mib(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    except OSError:  # a worker that ended while we looked
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmRSS")), 0) >> 10


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
