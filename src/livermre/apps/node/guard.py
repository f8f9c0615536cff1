"""The server's outer door: what a peer can use up before it has said anything true is limited here.

pynetdicom reads a message of any announced length, waits for the rest of a PDU for ever, shakes hands (TLS) in the
accepting thread, and leaves a socket behind where a damaged message ends a thread; so these are replaced.
"""

import queue
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Any

from pynetdicom import evt
from pynetdicom.transport import AssociationSocket, RequestHandler, ThreadedAssociationServer

from livermre.apps.node.tls import reason as tls_reason

_CHUNK = 1 << 18
LARGEST_PDU = 1 << 20
"""We announce 64 KiB (PS3.8, D.1); an association request may be larger, but nothing is larger than this."""


@dataclass
class Limits:
    """What one peer, and all together, may use."""

    connections: int = 40
    per_minute: int = 600
    hosts: tuple[str, ...] = ()
    idle_seconds: float = 60
    instance_bytes: int = 256 << 20
    memory_bytes: int = 768 << 20
    refused: Callable[..., None] = lambda why, host, said=None: None
    _recent: dict[str, deque[float]] = field(default_factory=dict)
    _held: dict[int, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def may_connect(self, host: str, open_now: int) -> str:
        """Why a connection is not taken; empty where it is."""
        if self.hosts and not any(ip_address(host) in ip_network(n) for n in self.hosts):
            return "host"
        if open_now >= self.connections:
            return "connections"
        now = time.monotonic()
        with self._lock:
            for other in [h for h, times in self._recent.items() if not times or now - times[-1] > 60]:
                del self._recent[other]
            times = self._recent.setdefault(host, deque())
            while times and now - times[0] > 60:
                times.popleft()
            if len(times) >= self.per_minute:
                return "rate"
            times.append(now)
        return ""

    def hold(self, who: int, length: int) -> str:
        """Remember how much of what a peer sent lies in memory; why that is too much for all together, or empty."""
        with self._lock:
            if length:
                self._held[who] = length
            else:
                self._held.pop(who, None)
            return "memory" if sum(self._held.values()) > self.memory_bytes else ""


class Messages(queue.Queue):
    """A peer's whole messages until they are dealt with: their bytes count too, or a fast peer would use up what a slow
    disk cannot take.
    """

    def __init__(self) -> None:
        super().__init__()
        self.coming = 0
        self._lengths: deque[int] = deque()
        self._in_hand = 0

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        """A message is whole: what came of it until now is its length."""
        self._lengths.append(self.coming)
        self.coming = 0
        super().put(item, block, timeout)

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """The next message; who asks for it has dealt with the one before."""
        self._in_hand = 0
        item = super().get(block, timeout)
        self._in_hand = self._lengths.popleft()
        return item

    def held(self) -> int:
        """Bytes of the message that is coming, of those that wait, and of the one that is dealt with."""
        return self.coming + sum(self._lengths.copy()) + self._in_hand

    def forget(self) -> None:
        """Nobody will ask any more."""
        self._lengths.clear()
        self.coming = self._in_hand = 0


class GuardedSocket(AssociationSocket):
    """A socket that ends what is too long, too slow or too much."""

    limits: Limits
    messages: Messages
    peer: str = ""

    @property
    def ready(self) -> bool:
        """Whether to read: not before the last message is dealt with, so that a fast peer waits."""
        if self.messages.qsize():
            self._hold()
            return False
        return bool(super().ready)

    def recv(self, nr_bytes: int) -> bytearray:
        """That many bytes; OSError where the peer takes too long over them or they are too many."""
        self._count(nr_bytes)
        data, until = bytearray(), time.monotonic() + self.limits.idle_seconds
        while len(data) < nr_bytes:
            left = until - time.monotonic()
            if left <= 0 or self.socket is None:
                self._end("slow")
            self.socket.settimeout(left)  # type: ignore[union-attr]
            part = self.socket.recv(min(_CHUNK, nr_bytes - len(data)))  # type: ignore[union-attr]
            if not part:
                break
            data += part
        if self.socket is not None:
            self.socket.settimeout(self.limits.idle_seconds)
        return data

    def _count(self, nr_bytes: int) -> None:
        if nr_bytes > LARGEST_PDU:
            self._end("pdu")
        coming = nr_bytes + (0 if self.assoc.dimse.message is None else self.messages.coming)
        self.messages.coming = coming
        why = "instance" if coming > self.limits.instance_bytes else self._hold()
        if why:
            self._end(why)

    def _hold(self) -> str:
        return self.limits.hold(id(self), self.messages.held())

    def _end(self, why: str) -> None:
        self.messages.coming = 0
        self._hold()
        self.limits.refused(why, self.peer)
        raise OSError(f"limit: {why}")

    def close(self) -> None:
        """Close; only what is dealt with just now is still held."""
        self.messages.coming = 0
        self._hold()
        super().close()

    def forget(self) -> None:
        """The association is over: it holds nothing."""
        self.messages.forget()
        self.limits.hold(id(self), 0)


class GuardedHandler(RequestHandler):
    """Gives each association the guarded socket."""

    def _create_association(self) -> Any:
        association = super()._create_association()
        sock = association.dul.socket
        sock.__class__ = GuardedSocket
        sock.limits, sock.peer = self.server.limits, str(self.client_address[0])
        sock.messages = association.dimse.msg_queue = Messages()
        _end_with_its_threads(association, sock)
        return association


def _end_with_its_threads(association: Any, sock: GuardedSocket) -> None:
    """What ends one of pynetdicom's two threads (a damaged message, a peer that goes) ends the other and the socket."""
    act, serve, dul = association.dul.state_machine.do_action, association.run_reactor, association.dul

    def end() -> None:
        sock.limits.refused("message", sock.peer)
        sock.close()
        evt.trigger(association, evt.EVT_CONN_CLOSE, {"address": (sock.peer, 0)})
        dul.kill_dul()

    def careful_act(event: str) -> None:
        try:
            act(event)
        except Exception:
            end()
        if association.requestor.primitive is None and dul.state_machine.current_state == "Sta1":
            dul.to_user_queue.put(None)  # gone before it asked for anything: do not wait for its request

    def careful_serve() -> None:
        try:
            serve()
        except Exception:
            end()
        finally:
            sock.forget()

    dul.state_machine.do_action = careful_act
    association._target = careful_serve


class GuardedServer(ThreadedAssociationServer):
    """Accepts quickly and never waits for a peer in the accepting thread."""

    limits: Limits
    request_queue_size = 128
    daemon_threads = True
    encrypt: ssl.SSLContext | None = None  # not pynetdicom's own ssl_context, which shakes hands while accepting

    def get_request(self) -> tuple[socket.socket, Any]:
        """The next connection, with a time limit on all that it does."""
        client, address = self.socket.accept()
        client.settimeout(self.limits.idle_seconds)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        return client, address

    def verify_request(self, request: Any, client_address: Any) -> bool:
        """Whether the peer may speak at all."""
        why = self.limits.may_connect(str(client_address[0]), self._busy())
        if why:
            self.limits.refused(why, str(client_address[0]))
        return not why

    def _busy(self) -> int:
        return len(self.active_associations) + self._shaking

    _shaking = 0

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Shake hands, then speak DICOM."""
        if self.encrypt is not None:
            self._shaking += 1
            try:
                request = self.encrypt.wrap_socket(request, server_side=True)
            except (OSError, ValueError) as error:
                self.limits.refused("tls", str(client_address[0]), tls_reason(error))
                self.shutdown_request(request)
                return
            finally:
                self._shaking -= 1
        super().process_request_thread(request, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A traceback may hold a header: only that there was one is told."""
        self.limits.refused("error", str(client_address[0]))
