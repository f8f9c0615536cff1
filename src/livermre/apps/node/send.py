"""The sending side: one thread a destination. What is not acknowledged waits and is sent again, ever more seldom."""

import random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from sqlite3 import Row
from typing import Literal

from livermre.apps.node.config import DestinationKeys
from livermre.apps.node.log import Log
from livermre.apps.node.sends import Journal
from livermre.apps.node.spool import Spool

_IDLE = 0.2


@dataclass(frozen=True)
class Reply:
    """What became of one object: sent, refused (this object), or away (the destination is not to be had now)."""

    sop_uid: str
    what: Literal["sent", "refused", "away"]
    why: str = ""


Deliver = Callable[[list[Row], Path], Iterator[Reply]]
"""Objects, the data folder -> a reply for each, in order; it may end early where the destination is away."""


@dataclass(frozen=True)
class Backoff:
    """Twice as long after each failure, with a tenth of chance so that nodes do not knock together."""

    first: float
    longest: float

    def seconds(self, failures: int) -> float:
        """How long to wait after so many failures in a row."""
        wait = min(self.longest, self.first * 2 ** min(failures - 1, 40))
        return wait * (1 + 0.1 * random.random())


class Sender:
    """Brings objects to one destination."""

    def __init__(
        self,
        keys: DestinationKeys,
        deliver: Deliver,
        journal: Journal,
        spool: Spool,
        log: Log,
        stopping: threading.Event,
    ) -> None:
        self._keys, self._deliver = keys, deliver
        self._journal, self._spool, self._log, self._stopping = journal, spool, log, stopping
        self._backoff = Backoff(keys.first_wait_seconds, keys.longest_wait_seconds)
        self._not_before: dict[str, float] = {}
        self.failures = 0
        self._troubled = True  # perhaps, in an earlier life
        self.thread = threading.Thread(target=self._run, name=f"send {keys.name}")

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                wait = self.step()
            except Exception as error:
                self._log.event("sender_trouble", destination=self._keys.name, error=type(error).__name__)
                wait = 2
            self._stopping.wait(wait)

    def step(self) -> float:
        """Send what is due; the seconds to wait before the next look."""
        now = time.monotonic()
        due = [r for r in self._journal.waiting(self._keys.name) if self._not_before.get(r["sop_uid"], 0) <= now]
        if not due:
            return _IDLE
        away = ""
        for reply in self._deliver(due, self._spool.root):
            if reply.what == "away":
                away = reply.why
                self._last_in_line(reply.sop_uid)
                break
            self._enter(reply)
            if self._stopping.is_set():
                break
        if not away:
            self.failures = 0
            self._tell("")
            return _IDLE
        self.failures += 1
        self._tell(away)
        self._log.count("send_failures")
        self._log.event("destination_away", destination=self._keys.name, reason=away, attempt=self.failures)
        return self._backoff.seconds(self.failures)

    def _tell(self, away: str) -> None:
        """What `status` shows of this destination; where the journal cannot be written, the log must do."""
        with suppress(sqlite3.Error):
            if away:
                self._journal.troubled(self._keys.name, away)
            elif self._troubled:
                self._journal.well(self._keys.name)
            self._troubled = bool(away)

    def _last_in_line(self, uid: str) -> None:
        """An object on which the destination broke off waits for the others: it may be the object, not the PACS."""
        if uid:
            self._not_before[uid] = time.monotonic() + 2 * self._backoff.seconds(self.failures + 1)

    def _enter(self, reply: Reply) -> None:
        uid, name = reply.sop_uid, self._keys.name
        self.failures = 0
        if reply.what == "sent":
            state = self._journal.sent(uid, name)
            self._not_before.pop(uid, None)
            self._log.count("objects_sent")
        else:
            state = self._journal.rejected(uid, name, reply.why, self._keys.attempts)
            tries = [r["attempts"] for r in self._journal.ask("SELECT attempts FROM sends WHERE sop_uid=?", uid)]
            self._not_before[uid] = time.monotonic() + self._backoff.seconds(max(tries))
            self._log.count("objects_refused")
            self._log.event("object_refused", destination=name, reason=reply.why)
        if state in {"done", "failed"}:
            (row,) = self._journal.ask("SELECT study FROM objects WHERE sop_uid=?", uid)
            self._log.event(f"study_{state}", study=row["study"], destination=name)
