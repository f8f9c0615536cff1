"""A node in this process or its own, a PACS that remembers everything, and senders."""

import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset
from pynetdicom import AE, _config, build_context, evt

from livermre.apps.node import work
from livermre.apps.node.config import load
from livermre.apps.node.deliver import steady
from livermre.apps.node.node import Node
from node.made import MR, SC
from node.run_node import FAKE

HERE = Path(__file__).parent


def free_port() -> int:
    """A port that nobody has now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def config_file(folder: Path, *more: str, receive: str = "", port: int | None = None) -> Path:
    """A small configuration; `more` are further sections."""
    text = f"""
[node]
aet = "LIVERMRE"
host = "127.0.0.1"
port = {port or free_port()}
data = "data"
log = "{folder / "node.log"}"
[receive]
calling = ["SENDER", "STORESCU", "ECHOSCU"]
complete = "release"
quiet_seconds = 0.5
min_free_mib = 0
{receive}
"""
    path = folder / "node.toml"
    path.write_text(text + "\n".join(more))
    return path


def destination(name: str, port: int, more: str = "") -> str:
    """A section for a PACS on this machine."""
    return (
        f'[[destination]]\nname = "{name}"\naet = "PACS"\nhost = "127.0.0.1"\nport = {port}\n'
        f"first_wait_seconds = 0.2\nlongest_wait_seconds = 0.5\n{more}"
    )


class Here:
    """A node in this process."""

    def __init__(self, config: Path, command: tuple[str, ...] = FAKE) -> None:
        self.node = Node(load(config), command)
        self.node.start()
        self._thread = threading.Thread(target=self.node.run)
        self._thread.start()

    @property
    def port(self) -> int:
        return self.node.port

    def states(self) -> Counter[str]:
        return Counter(r["state"] for r in self.node.journal.ask("SELECT state FROM studies"))

    def wait(self, **states: int) -> None:
        """Until so many studies are in these states."""
        until(lambda: all(self.states()[s] == n for s, n in states.items()), lambda: str(self.states()))

    def stop(self) -> None:
        self.node.stopping.set()
        self._thread.join()
        self.node.stop()


def until(true: Callable[[], bool], told: Callable[[], str] = lambda: "", seconds: float = 60) -> None:
    """Wait for something that must come."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"it did not come: {told()}"
        time.sleep(0.05)


class Away:
    """A node in a process of its own."""

    def __init__(self, config: Path, *more: str) -> None:
        self.config, self.port = config, load(config).node.port
        self.process = subprocess.Popen([sys.executable, str(HERE / "run_node.py"), str(config), *more])

    def ready(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def end(self) -> int:
        self.process.terminate()
        return self.process.wait(60)


class Pacs:
    """Takes what it is sent; `stored` counts every acknowledged object, `bytes` keeps each,
    `altered` names those that came again with other bytes.
    """

    def __init__(self, port: int, status: Callable[[str], int] = lambda uid: 0) -> None:
        self.port, self._status = port, status
        self.stored: Counter[str] = Counter()
        self.bytes: dict[str, bytes] = {}
        self.altered: list[str] = []
        self._server: Any = None
        self._lock = threading.Lock()

    def open(self, classes: Iterable[str] = (SC, MR), calling: str = "LIVERMRE") -> "Pacs":
        _config.LOG_HANDLER_LEVEL = "none"
        ae = AE("PACS")
        ae.require_called_aet, ae.require_calling_aet = True, [calling]
        for sop_class in ("1.2.840.10008.1.1", *classes):
            ae.add_supported_context(sop_class)
        handlers = [(evt.EVT_C_STORE, self._store), (evt.EVT_C_ECHO, lambda event: 0)]
        self._server = ae.start_server(("127.0.0.1", self.port), block=False, evt_handlers=handlers)
        return self

    def _store(self, event: Any) -> int:
        uid = str(event.request.AffectedSOPInstanceUID)
        status = self._status(uid)
        if status == 0:
            with self._lock:
                self.stored[uid] += 1
                content = event.request.DataSet.getvalue()
                if self.bytes.setdefault(uid, content) != content:
                    self.altered.append(uid)
        return status

    def close(self) -> None:
        self._server.shutdown()
        for association in self._server.active_associations:
            association.abort()


def associate(port: int, calling: str = "SENDER", called: str = "LIVERMRE", **more: Any) -> Any:
    """An association with the node, established or not."""
    ae = AE(calling)
    ae.acse_timeout = ae.dimse_timeout = ae.network_timeout = 60
    contexts = [build_context(MR), build_context(SC), build_context("1.2.840.10008.1.1"),
                build_context("1.2.840.10008.1.20.1")]  # fmt: skip
    association = ae.associate("127.0.0.1", port, contexts=contexts, ae_title=called, **more)
    return association if "evt_handlers" in more else steady(association)


def send(port: int, images: Iterable[Dataset], calling: str = "SENDER", **more: Any) -> list[int]:
    """Send over one association that is released; the status of each."""
    association = associate(port, calling, **more)
    assert association.is_established
    found = [int(getattr(association.send_c_store(i), "Status", -1)) for i in images]
    association.release()
    return found


__all__ = [
    "FAKE",
    "Away",
    "Here",
    "Pacs",
    "associate",
    "config_file",
    "destination",
    "free_port",
    "send",
    "until",
    "work",
]
