"""When a study is whole: nothing came for a while, or its association was released and the counts agree.

Time is monotonic and lives in memory: a clock set back stalls nothing, and after a restart the quiet time begins anew.
"""

import threading
import time
from dataclasses import dataclass, field

from livermre.apps.node.log import Log
from livermre.apps.node.sends import Journal


@dataclass
class _Open:
    studies: set[str] = field(default_factory=set)
    failures: int = 0


class Completion:
    """Watches what arrives, and moves studies from receiving to queued."""

    def __init__(self, journal: Journal, log: Log, *, quiet_seconds: float, on_release: bool) -> None:
        self._journal, self._log = journal, log
        self._quiet, self._on_release = quiet_seconds, on_release
        self._last: dict[str, float] = {}
        self._open: dict[int, _Open] = {}
        self._released: set[str] = set()
        self._lock = threading.Lock()

    def arrived(self, study: str, source: int | None = None) -> None:
        """An instance of a study was taken, on an association."""
        with self._lock:
            self._last[study] = time.monotonic()
            self._released.discard(study)
            if source is not None:
                self._open.setdefault(source, _Open()).studies.add(study)

    def refused(self, source: int) -> None:
        """An instance was not taken: its association does not make anything whole."""
        with self._lock:
            self._open.setdefault(source, _Open()).failures += 1

    def ended(self, source: int, *, released: bool) -> None:
        """An association is over; released properly, its studies may be whole, unless another still sends them."""
        with self._lock:
            gone = self._open.pop(source, None)
            if gone is None or not released or gone.failures or not self._on_release:
                return
            busy = {s for o in self._open.values() for s in o.studies}
            self._released |= gone.studies - busy

    def fetched(self, study: str) -> None:
        """All that an archive holds of a study was fetched."""
        with self._lock:
            self._released.add(study)

    def step(self) -> int:
        """Queue every study that is whole now; how many."""
        whole = 0
        for study in self._journal.in_state("receiving"):
            why = self._why(study)
            if why and self._journal.whole(study, why):
                self._log.event("study_whole", study=study, reason=why.split(":")[0])
                whole += 1
                with self._lock:
                    self._last.pop(study, None)
                    self._released.discard(study)
        return whole

    def _why(self, study: str) -> str:
        now = time.monotonic()
        with self._lock:
            quiet = now - self._last.setdefault(study, now)
            released = study in self._released
        if released and self._journal.counts_agree(study):
            return "released: counts agree"
        if quiet < self._quiet:
            return ""
        return "quiet" if self._journal.counts_agree(study) else "quiet: fewer or more images than the headers promise"
