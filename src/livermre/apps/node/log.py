"""The log: one JSON object a line, without patient data. A study is named by its hash only."""

import json
import logging
import logging.handlers
import sys
import threading
import time
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

from livermre.exam.errors import SettingsError

SAFE = frozenset({
    "study", "revision", "run", "state", "destination", "poll", "kind", "count", "seconds", "bytes", "status", "error",
    "attempt", "peer", "port", "version", "reason", "worker", "code", "what", "associations", "host", "aet", "calling",
    "called",
})  # fmt: skip
"""Fields that may be logged; any other is a mistake of ours and is dropped, since it could hold a header value."""


class Log:
    """Writes events and counts them; the counts are the metrics."""

    def __init__(self, target: str | Path = "-") -> None:
        handler: logging.Handler
        try:
            handler = (
                logging.StreamHandler(sys.stdout)
                if target == "-"
                else logging.handlers.WatchedFileHandler(target, encoding="utf-8")
            )
        except OSError as error:
            raise SettingsError(f"[node] log: cannot write {target} ({error.strerror or error})") from error
        handler.setFormatter(logging.Formatter("%(message)s"))
        self._handler = handler
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()

    def event(self, name: str, **details: Any) -> None:
        """One line: time in UTC, the event, and those details that may be told."""
        now = time.time()
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now % 1 * 1000):03d}Z"
        line = {"time": stamp, "event": name, **{k: v for k, v in details.items() if k in SAFE and v is not None}}
        record = logging.LogRecord("livermre.node", logging.INFO, "", 0, json.dumps(line), None, None)
        try:
            self._handler.handle(record)
        except (OSError, ValueError):  # a full disk or a closed pipe must not stop the node
            self.count("log_lines_lost")
        self.count(f"event_{name}")

    def count(self, name: str, by: float = 1) -> None:
        """Add to a metric."""
        with self._lock:
            self._counts[name] += by  # type: ignore[assignment]

    def counts(self) -> dict[str, float]:
        """All metrics now."""
        with self._lock:
            return dict(self._counts)

    def close(self) -> None:
        """Let go of the file."""
        self._handler.close()


def hush_libraries() -> None:
    """Keep the libraries' own messages from every log: they quote headers, and headers are patient data."""
    warnings.simplefilter("ignore")
    logging.raiseExceptions = False
    for name in ("pynetdicom", "pydicom", "highdicom"):
        logger = logging.getLogger(name)
        logger.handlers[:] = [logging.NullHandler()]
        logger.propagate = False
        logger.setLevel(logging.CRITICAL)
    threading.excepthook = lambda args: None  # its traceback could quote a header; what it ended is told by /health
