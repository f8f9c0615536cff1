"""Damaged files for the reader, damaged bytes for the node's parsers, damaged messages for its door.

    .venv/bin/python benchmarks/fuzz.py --minutes 60 [--exam FOLDER]

Found must be nothing: no exception but livermre's own, no step over 5 s of processor time, no memory over 1 GiB, no
exam from a pixel file that was cut short, and the node takes a study afterwards. Each failure names its seed and step;
the same seed makes the same bytes. What is found is mended and goes into tests/node/test_fuzz.py. Needs [node].
"""

import argparse
import json
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))


from dicom.makers import ge_product
from dicom.phantom import phantom
from livermre.apps.node.log import hush_libraries
from node import fuzzing
from node.made import image
from node.place import Away, config_file, send


def main() -> int:
    """Run the three campaigns, a third of the time each; 0 where nothing was found."""
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--minutes", type=float, default=60)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--exam", type=Path, help="DICOM to damage (default: a small simulated exam)")
    o = p.parse_args()
    hush_libraries()
    share = 60 * o.minutes / 3
    with tempfile.TemporaryDirectory() as folder:
        exam = o.exam or ge_product(phantom(slices=2, rows=64, columns=64)).write(Path(folder) / "exam")
        reader = fuzzing.reader(exam, share, o.seed)
        headers = fuzzing.headers(share, o.seed)
        door, well = _door(Path(folder), share, o.seed)
    told = {"reader": asdict(reader), "headers": asdict(headers), "door": asdict(door), "node well afterwards": well}
    print(json.dumps(told, indent=2))
    return 0 if well and not (reader.failures or headers.failures or door.failures) else 1


def _door(folder: Path, seconds: float, seed: int) -> tuple[fuzzing.Found, bool]:
    node = Away(config_file(folder, receive="idle_seconds = 2\nmax_connections_per_minute = 100000"))
    while not node.ready():
        time.sleep(0.05)
    try:
        found = fuzzing.door(node.port, seconds, seed)
        time.sleep(5)  # idle_seconds for the last ones
        well = node.process.poll() is None and send(node.port, [image("after", 1)]) == [0]
        used = Path(f"/proc/{node.process.pid}/status").read_text(encoding="utf-8")
        peak = next(int(line.split()[1]) for line in used.splitlines() if line.startswith("VmHWM")) * 1024
        if peak > fuzzing.MOST_BYTES:
            found.failures.append(f"door: the node used {peak >> 20} MiB")
    finally:
        node.kill()
    return found, well


if __name__ == "__main__":
    raise SystemExit(main())
