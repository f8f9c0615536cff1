"""The status page and the metrics, read only: GET / (a page without scripts), /metrics (Prometheus), /health."""

import html
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from livermre.apps.node.counts import Overview
from livermre.apps.node.schema import STATES
from livermre.version import __version__

_HELP = {
    "instances_new": "instances taken in", "instances_duplicate": "instances that were here already",
    "instances_conflict": "instances with the UID of another and other bytes", "objects_sent": "objects acknowledged",
    "objects_refused": "refusals of objects by destinations", "send_failures": "destinations found away",
    "instance_bytes": "bytes taken in", "echoes": "C-ECHO requests", "connections": "connections accepted",
}  # fmt: skip


def metrics(view: Overview, counts: Mapping[str, float], gauges: Mapping[str, float]) -> str:
    """Prometheus text format 0.0.4."""
    lines = [*_metric("studies", "gauge", "studies in each state", [(f'state="{s}"', view.states[s]) for s in STATES])]
    sends = [(f'destination="{_label(d)}",state="{s}"', n) for (d, s), n in sorted(view.sends.items())]
    lines += _metric("sends", "gauge", "objects for each destination", sends)
    stored = {"instances_stored": view.instances, "conflicts_stored": view.conflicts}
    for name, value in {**stored, "commitments_waiting": view.commitments, **gauges}.items():
        lines += _metric(name, "gauge", name.replace("_", " "), [("", value)])
    for name, value in sorted(counts.items()):
        lines += _metric(f"{name}_total", "counter", _HELP.get(name, name.replace("_", " ")), [("", value)])
    return "\n".join(lines) + "\n"


def _metric(name: str, kind: str, told: str, values: Sequence[tuple[str, float]]) -> Iterator[str]:
    full = f"livermre_node_{name}"
    yield f"# HELP {full} {told}"
    yield f"# TYPE {full} {kind}"
    for label, value in values:
        yield f"{full}{{{label}}} {value:.15g}" if label else f"{full} {value:.15g}"


def _label(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def page(view: Overview, title: str, gauges: Mapping[str, float]) -> str:
    """The page for people: counts and the last studies, by their hash; no patient data."""
    states = "".join(f"<tr><th>{s}</th><td>{view.states[s]}</td></tr>" for s in STATES)
    sends = "".join(
        f"<tr><td>{html.escape(d)}</td><td>{s}</td><td>{n}</td></tr>" for (d, s), n in sorted(view.sends.items())
    )
    more = "".join(f"<tr><th>{html.escape(k.replace('_', ' '))}</th><td>{v:g}</td></tr>" for k, v in gauges.items())
    rows = "".join(_row(r) for r in view.recent)
    return f"""<!doctype html><html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="15">
<title>{html.escape(title)}</title>
<style>body{{font:15px/1.4 system-ui,sans-serif;margin:2rem;max-width:70rem}}
table{{border-collapse:collapse;margin:1rem 0}}
td,th{{padding:.2rem .8rem;border-bottom:1px solid #ccc;text-align:left}}.failed,.refused{{color:#a00}}</style>
<h1>{html.escape(title)}</h1><p>livermre {__version__}. For research use only. Studies are named by a hash of their UID:
<code>livermre node status CONFIG --study UID</code> finds one.</p>
<h2>Studies</h2><table>{states}</table><h2>Objects</h2><table>{sends or "<tr><td>none yet</td></tr>"}</table>
<h2>Node</h2><table>{more}</table><h2>Last changed</h2>
<table><tr><th>study</th><th>state</th><th>revision</th><th>images</th><th>conflicts</th><th>changed (UTC)</th></tr>
{rows}</table></html>"""


def _row(row: Any) -> str:
    changed = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(row["changed"]))
    cells = (row["id"][:12], row["state"], row["revision"], row["images"], row["conflicts"], changed)
    return f'<tr class="{row["state"]}">' + "".join(f"<td>{html.escape(str(c))}</td>" for c in cells) + "</tr>"


Answers = Mapping[str, Callable[[], tuple[int, str, str]]]
"""Path -> status, content type, text."""


class StatusServer:
    """Serves the three pages on a port of its own."""

    def __init__(self, host: str, port: int, answers: Answers) -> None:
        self._server = _Limited((host, port), _handler(answers))
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.2,), name="status", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Close the port."""
        self._server.shutdown()
        self._server.server_close()


class _Limited(ThreadingHTTPServer):
    daemon_threads = True
    _free = threading.BoundedSemaphore(16)

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._free.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A reader that goes away is no event."""


def _handler(answers: Answers) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 10
        server_version, sys_version = "livermre", ""

        def do_GET(self) -> None:
            answer = answers.get(self.path.partition("?")[0])
            status, kind, text = answer() if answer else (404, "text/plain", "there are /, /metrics and /health\n")
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
            self.send_header("X-Content-Type-Options", "nosniff")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Requests for the page are not logged."""

    return Handler
