"""Kill the node again and again while studies arrive: 0 lost, 0 duplicated, the results of an undisturbed run.

    .venv/bin/python benchmarks/node_kill.py --kills 200 --studies 50 --associations 8

The images are small and simulated, the analysis is the one of tests/node/fake_worker.py (every input byte decides the
object): the node is what is tried here, not the measurement. Images are held back so that they arrive until the last
kill. Needs the extra [node].
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from node.killing import run


def main() -> int:
    """Run both campaigns and compare; 0 where all is as it should be."""
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--kills", type=int, default=200)
    p.add_argument("--studies", type=int, default=50)
    p.add_argument("--images", type=int, default=12, help="of each study (default %(default)s)")
    p.add_argument("--associations", type=int, default=8)
    p.add_argument("--workers", type=int, default=2)
    p.add_argument("--quiet", type=float, default=120.0, help="quiet_seconds (default %(default)s)")
    p.add_argument("--seed", type=int, default=1)
    o = p.parse_args()
    plan = {"studies": o.studies, "images": o.images, "associations": o.associations, "seed": o.seed,
            "quiet": o.quiet, "workers": o.workers}  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        calm = run(Path(folder) / "calm", kills=0, **plan)
        wild = run(Path(folder) / "wild", kills=o.kills, **plan)
    doubled = len(wild.objects) - o.studies
    told = {
        **plan, "kills": wild.kills, "acknowledged": wild.acknowledged, "lost": len(wild.lost),
        "altered": len(wild.altered), "states": wild.states, "objects": len(wild.objects), "doubled": doubled,
        "identical": wild.objects == calm.objects, "sent again after a kill, same UID and bytes": wild.sent_again,
        "seconds": round(wild.seconds, 1), "seconds undisturbed": round(calm.seconds, 1),
    }  # fmt: skip
    print(json.dumps(told, indent=2))
    good = not wild.lost and not wild.altered and told["identical"] and wild.states == {"done": o.studies}
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
