"""The node as a process of its own, with the fake analysis: what the tests kill. Arguments: CONFIG [--real]."""

import signal
import sys
from pathlib import Path

from livermre.apps.node import work
from livermre.apps.node.config import load
from livermre.apps.node.log import hush_libraries
from livermre.apps.node.node import Node

FAKE = (sys.executable, str(Path(__file__).with_name("fake_worker.py")))


def main(config: str, real: str = "") -> None:
    hush_libraries()
    node = Node(load(Path(config)), work.REAL if real else FAKE)
    signal.signal(signal.SIGTERM, lambda *_: node.stopping.set())
    node.start()
    try:
        node.run()
    finally:
        node.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
