"""Coverage-guided fuzzing of the reader, the reader of masks, the node's parsers, and the node's port.

    .venv/bin/python benchmarks/fuzz.py --minutes 60 [--exam FOLDER ...] [--out DIR]

Found must be nothing: no exception but livermre's own, no step over 5 s of processor time, no memory over 1 GiB, no
exam from a pixel file that was cut short, every connection ended by the node, and the node takes a study afterwards.
The engine is libFuzzer where atheris is installed, else the loop of tests/node/guided.py; both keep what reaches new
code and change it again. Each campaign is a process of its own: a crash is a failure too. With --out, the inputs of
failures stay there. What is found is mended and goes into tests/node/test_fuzz.py. Needs [node].
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "tests"))
SHARES = {"reader": 0.4, "masks": 0.15, "parsers": 0.1, "door": 0.35}
WATCHED = ["livermre", "pydicom", "pynetdicom"]
"""Packages whose branches libFuzzer sees."""


def main() -> int:
    """Run the campaigns one after the other; 0 where nothing was found."""
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--minutes", type=float, default=60)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--exam", type=Path, action="append", default=[], help="DICOM to change (default: every style)")
    p.add_argument("--engine", choices=["atheris", "lines"], default="atheris" if find_spec("atheris") else "lines")
    p.add_argument("--out", type=Path, help="folder for the inputs of failures")
    p.add_argument("--only", choices=list(SHARES), help="one campaign, all of the time")
    p.add_argument("--here", type=Path, help=argparse.SUPPRESS)  # a campaign in this process: where its numbers go
    o = p.parse_args()
    if o.here:
        return _here(o)
    told = {}
    for name, share in SHARES.items() if o.only is None else [(o.only, 1.0)]:
        told[name] = _apart(o, name, o.minutes * share)
        print(json.dumps({name: told[name]}), flush=True)
    good = all(t["exit status"] == 0 and not t["failures"] for t in told.values())
    print(json.dumps({"engine": o.engine, "minutes": o.minutes, "seed": o.seed, **told, "good": good}, indent=2))
    return 0 if good else 1


def _apart(o: argparse.Namespace, name: str, minutes: float) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder) / "told.json"
        more = [w for e in o.exam for w in ("--exam", str(e))]
        began = time.monotonic()
        done = subprocess.run(
            [sys.executable, __file__, "--only", name, "--minutes", str(minutes), "--seed", str(o.seed), "--engine",
             o.engine, "--here", str(told), *more, *(["--out", str(o.out)] if o.out else [])],
            cwd=folder, check=False,
        )  # fmt: skip
        found = json.loads(told.read_text(encoding="utf-8")) if told.is_file() else {"failures": ["it never began"]}
        if done.returncode != 0 and o.out:  # libFuzzer leaves the input of a crash in its folder
            o.out.mkdir(parents=True, exist_ok=True)
            for left in Path(folder).glob("*-*"):
                left.rename(o.out / left.name)
        return {**found, "exit status": done.returncode, "wall seconds": round(time.monotonic() - began)}


def _here(o: argparse.Namespace) -> int:
    if o.engine == "atheris":
        import atheris

        with atheris.instrument_imports(include=WATCHED, enable_loader_override=False):
            return _campaign(o)
    return _campaign(o)


def _campaign(o: argparse.Namespace) -> int:
    from livermre.apps.node.log import hush_libraries

    hush_libraries()
    base = Path("/dev/shm") if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=base) as folder, _target(o, Path(folder)) as target:
        if o.engine == "lines":
            from node.guided import guided

            _write(o, target, guided(target, 60 * o.minutes, o.seed))
        else:
            _libfuzzer(o, target, Path(folder))
    return 0


@contextmanager
def _target(o: argparse.Namespace, folder: Path) -> Iterator:
    from node import fuzzing

    if o.only == "reader":
        yield fuzzing.Reader(folder, o.exam)
    elif o.only == "masks":
        from dicom.objects import cases
        from dicom.write.exams import exam, oblique
        from node.mask_files import mask_files

        study = cases.simulated(exam(vectors=oblique()), folder / "exam")
        (folder / "masks").mkdir()
        yield fuzzing.Masks(study, mask_files(study, folder / "masks"), folder)
    elif o.only == "parsers":
        yield fuzzing.Parsers()
    else:
        from node.made import image
        from node.place import Here, config_file, send

        limits = "idle_seconds = 4\nmax_connections_per_minute = 100000\nmax_associations = 50"
        node = Here(config_file(folder, receive=limits))
        try:
            target = fuzzing.Door(node.port)
            target.well = lambda: (
                fuzzing.settled(node.node.server.open_associations)
                and send(node.port, [image("after", 1)]) == [0]
                and node.node.well()
            )
            yield target
        finally:
            node.stop()


def _write(o: argparse.Namespace, target: object, found: object) -> None:
    """What was found until now; the inputs of failures beside it."""
    told = {k: v for k, v in asdict(found).items() if k not in {"inputs", "before_bytes"}}
    from node.found import peak_bytes

    told["read"], told["seeds"], told["peak MiB"] = target.read, len(target.seeds), peak_bytes() >> 20
    told["processor seconds"] = round(time.process_time())
    o.here.write_text(json.dumps(told), encoding="utf-8")
    if o.out:
        o.out.mkdir(parents=True, exist_ok=True)
        for n, data in enumerate(found.inputs):
            (o.out / f"{target.name}-{n}.input").write_bytes(data)


def _libfuzzer(o: argparse.Namespace, target: object, folder: Path) -> None:
    """Give the target to libFuzzer. It never comes back: the end of the time is an exit from within."""
    import atheris
    import numpy as np

    from node.found import Found
    from node.guided import attempt

    found, kept = Found(), folder / "corpus"
    kept.mkdir()
    for n, seed in enumerate(target.seeds):
        (kept / f"seed{n:04d}").write_bytes(seed)
    end, told = time.monotonic() + 60 * o.minutes, [0.0]
    chance = np.random.default_rng(o.seed)

    def one(data: bytes) -> None:
        before = len(found.failures)
        attempt(target, data, found, f"{target.name} step {found.tried}")
        now = time.monotonic()
        if now - told[0] > 5 or now > end or len(found.failures) > before:
            told[0] = now
            found.kept = len(list(kept.iterdir())) - len(target.seeds)
            if now > end and hasattr(target, "well") and not target.well():
                found.fail("afterwards the node is not well")
            _write(o, target, found)
        if now > end:
            os._exit(0)

    def change(data: bytes, most: int, seed: int) -> bytes:
        if chance.random() < 0.3:
            return atheris.Mutate(data, most)
        return target.mutate(data, np.random.default_rng([o.seed, seed]))[:most]

    largest = 2 * max(map(len, target.seeds)) + 4096
    atheris.Setup(
        [sys.argv[0], str(kept), f"-max_len={largest}", f"-seed={o.seed}", "-timeout=60", "-rss_limit_mb=3000",
         "-len_control=0", "-print_final_stats=1", "-verbosity=1"],
        one, custom_mutator=change, internal_libfuzzer=True,
    )  # fmt: skip
    atheris.Fuzz()


if __name__ == "__main__":
    raise SystemExit(main())
