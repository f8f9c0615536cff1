"""The whole node: what is started in which order, the loop that moves studies on, and the end."""

import fcntl
import os
import resource
import socket
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from livermre.apps.node import retention, status, work
from livermre.apps.node.commit import Commitments
from livermre.apps.node.complete import Completion
from livermre.apps.node.config import Config
from livermre.apps.node.counts import overview
from livermre.apps.node.deliver import deliverer
from livermre.apps.node.intake import Intake
from livermre.apps.node.log import Log
from livermre.apps.node.poll import Poller
from livermre.apps.node.receive import Receiver, Server
from livermre.apps.node.schema import connect_to_read
from livermre.apps.node.send import Sender
from livermre.apps.node.sends import Journal
from livermre.apps.node.spool import MIB, Spool
from livermre.exam.errors import OutputError, SettingsError
from livermre.version import __version__

JOURNAL, LOCK = "journal.sqlite", "lock"
_TICK, _RETAIN_EVERY = 0.1, 600.0


class Node:
    """Everything between the listening port and the last acknowledged object."""

    def __init__(self, config: Config, worker: Sequence[str] = work.REAL) -> None:
        self.config, self._worker = config, worker
        self.log = Log(config.node.log)
        self.stopping = threading.Event()
        self.port = self.status_port = 0
        self._began = time.monotonic()

    def start(self) -> None:
        """Take up what an earlier life left, then listen. Raises LivermreError where something is in the way."""
        data = self.config.node.data
        _make(data)
        self._lock = _only_one(data / LOCK)
        self.spool = Spool(data, self.config.receive.min_free_mib * MIB)
        self.spool.open()
        self.journal = Journal(data / JOURNAL)
        self._recover()
        self._build()
        for keys, listen in ((self.config.node, self._listen), (self.config.status, self._show)):
            try:
                listen()
            except OSError as error:
                where = f"{keys.host} port {keys.port}"
                raise SettingsError(f"cannot listen on {where} ({error.strerror or error})") from error
        self._workers.start()
        for sender in self._senders:
            sender.thread.start()
        for poller in self._pollers:
            poller.thread.start()
        self._answering = threading.Thread(target=self._answer, name="commit")
        self._answering.start()
        self.log.event("started", version=__version__, port=self.port)

    def _recover(self) -> None:
        interrupted = self.journal.interrupted(self.config.analysis.interruptions)
        retention.sweep(self.journal, self.spool, self.log)
        if interrupted:
            self.log.event("resumed", count=interrupted)
        known = {d.name for d in self.config.destinations}
        for name in {
            r["destination"] for r in self.journal.ask("SELECT DISTINCT destination FROM sends WHERE state='waiting'")
        }:
            if name not in known:
                self.log.event("destination_unknown", destination=name)

    def _build(self) -> None:
        config, journal, log = self.config, self.journal, self.log
        keys = config.receive
        intake = Intake(self.spool, journal, log)
        self._completion = Completion(
            journal, log, quiet_seconds=keys.quiet_seconds, on_release=keys.complete == "release"
        )
        self._commitments = Commitments(config.node.aet, config.peers, journal, log)
        self.server = Server(config, Receiver(intake, self._completion, self._commitments, log))
        desk = work.Desk(config, self.spool, journal, log, self.stopping)
        self._workers = work.Workers(desk, self._worker)
        self._senders = [
            Sender(d, deliverer(config.node.aet, d), journal, self.spool, log, self.stopping)
            for d in config.destinations
        ]
        most = keys.max_instance_mib * MIB
        self._pollers = [Poller(p, intake, self._completion, log, self.stopping, most) for p in config.polls]

    def _listen(self) -> None:
        self.port = self.server.start()

    def _show(self) -> None:
        self._status: status.StatusServer | None = None
        keys = self.config.status
        if keys.port:
            self._status = status.StatusServer(keys.host, keys.port, self.answers())
            self._status.start()
            self.status_port = self._status.port

    def answers(self) -> status.Answers:
        """The pages of the status server."""
        return {"/": self._page, "/metrics": self._metrics, "/health": self._health}

    def _page(self) -> tuple[int, str, str]:
        base = connect_to_read(self.config.node.data / JOURNAL)
        try:
            return 200, "text/html", status.page(overview(base), f"livermre node {self.config.node.aet}", self.gauges())
        finally:
            base.close()

    def _metrics(self) -> tuple[int, str, str]:
        base = connect_to_read(self.config.node.data / JOURNAL)
        try:
            text = status.metrics(overview(base, 0), self.log.counts(), self.gauges())
            return 200, "text/plain; version=0.0.4", text
        finally:
            base.close()

    def _health(self) -> tuple[int, str, str]:
        well = self.well()
        return (200 if well else 503), "text/plain", "ok\n" if well else "a worker thread has ended\n"

    def gauges(self) -> dict[str, float]:
        """What is true now and stands in no journal."""
        return {
            "uptime_seconds": time.monotonic() - self._began,
            "disk_free_bytes": float(self.spool.free_bytes()),
            "open_associations": float(self.server.open_associations()),
            "largest_memory_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024.0,
            "destinations_away": float(sum(s.failures > 0 for s in self._senders)),
        }

    def well(self) -> bool:
        """Whether every part that must run runs."""
        threads = [s.thread for s in self._senders] + [p.thread for p in self._pollers]
        return self._workers.alive() and all(t.is_alive() for t in threads)

    def run(self, tell: Callable[[str], None] = lambda state: None) -> None:
        """Move studies on until `stopping` is set; `tell` hears READY=1, WATCHDOG=1 and STOPPING=1."""
        tell("READY=1")
        retained = told = -1e9
        while not self.stopping.wait(_TICK):
            try:
                self._completion.step()
                if time.monotonic() - retained > _RETAIN_EVERY:
                    retention.retain(self.config.retention, self.journal, self.spool, self.log)
                    retained = time.monotonic()
            except Exception as error:  # a full disk: what is on the disk stays, the step comes again
                self.log.event("trouble", error=type(error).__name__)
                self.stopping.wait(1)
            if time.monotonic() - told > 5 and self.well():
                tell("WATCHDOG=1")
                told = time.monotonic()
        tell("STOPPING=1")

    def _answer(self) -> None:
        """Storage commitments, in a thread of their own: a peer that is away must not hold up the studies."""
        while not self.stopping.wait(1):
            try:
                self._commitments.step()
            except Exception as error:
                self.log.event("commitment_trouble", error=type(error).__name__)

    def stop(self) -> None:
        """Take no more, let go of what is in hand, close. A kill instead of this loses nothing either."""
        self.stopping.set()
        self.server.stop()
        if self._status is not None:
            self._status.stop()
        self._workers.join()
        for thread in [self._answering, *(s.thread for s in self._senders), *(p.thread for p in self._pollers)]:
            thread.join(30)
        self.journal.close()
        os.close(self._lock)
        self.log.event("stopped")
        self.log.close()


def _make(data: Path) -> None:
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"[node] data: cannot make the folder {data} ({error.strerror or error})") from error
    if not os.access(data, os.W_OK | os.X_OK):
        raise OutputError(f"[node] data: this user may not write into {data}")


def _only_one(path: Path) -> int:
    """Two nodes on one data folder would do everything twice."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        raise SettingsError(f"another node runs with the data folder {path.parent}") from error
    return handle


def notify_systemd(state: str) -> None:
    """Tell systemd (sd_notify) where it asked to be told."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.connect("\0" + address[1:] if address.startswith("@") else address)
        channel.send(state.encode())
