"""The receiving side: C-ECHO, C-STORE and storage commitment (PS3.4, annexes A, B and J)."""

import threading
from dataclasses import dataclass
from typing import Any

from pynetdicom import AE, _config, evt
from pynetdicom.pdu_primitives import A_RELEASE

from livermre.apps.node import wire
from livermre.apps.node.commit import Commitments
from livermre.apps.node.complete import Completion
from livermre.apps.node.config import Config
from livermre.apps.node.guard import GuardedHandler, GuardedServer, Limits
from livermre.apps.node.intake import Arrival, Intake
from livermre.apps.node.log import Log
from livermre.apps.node.spool import MIB, NoRoom
from livermre.apps.node.tls import server_context

OK, NO_ROOM, MISTAKE, UNKNOWN_ACTION = 0x0000, 0xA700, 0xC001, 0x0123
_LARGEST_PDU = 65536
_REJECTED = {
    3: "its AE title is not in [receive] calling",
    7: "it asks for another AE title than ours",
    2: "as many associations as allowed are open",
}
"""What a rejection says (PS3.8 table 9-21, reasons of service user and provider), in words for the log."""


@dataclass(frozen=True)
class Receiver:
    """What happens with each message. An instance is acknowledged when it is on the disk and in the journal."""

    intake: Intake
    completion: Completion
    commitments: Commitments
    log: Log

    def store(self, event: Any) -> int:
        """The status of a C-STORE."""
        request, source = event.request, id(event.assoc)
        try:
            arrival = Arrival(
                str(request.AffectedSOPClassUID), str(request.AffectedSOPInstanceUID),
                str(event.context.transfer_syntax), request.DataSet.getbuffer(), _title(event.assoc),
            )  # fmt: skip
            study, _ = self.intake.take(arrival)
        except NoRoom as error:
            return self._refuse(source, NO_ROOM, "no_room", str(error))
        except wire.Unreadable as error:
            return self._refuse(source, error.status, "unreadable", str(error))
        except Exception as error:
            return self._refuse(source, MISTAKE, "mistake", type(error).__name__)
        self.completion.arrived(study, source)
        return OK

    def _refuse(self, source: int, status: int, kind: str, reason: str) -> int:
        self.completion.refused(source)
        self.log.count(f"instances_refused_{kind}")
        self.log.event("instance_refused", kind=kind, reason=reason, status=f"0x{status:04X}")
        return status

    def echo(self, event: Any) -> int:
        """The status of a C-ECHO."""
        self.log.count("echoes")
        return OK

    def action(self, event: Any) -> tuple[int, None]:
        """The status of a request for storage commitment; the answer follows as an event report."""
        if event.action_type != 1:
            return UNKNOWN_ACTION, None
        try:
            asked = wire.asked_commitment(event.action_information)
            self.commitments.asked(_title(event.assoc), asked, event.assoc)
        except wire.Unreadable as error:
            return error.status, None
        except Exception as error:
            self.log.event("commitment_refused", reason=type(error).__name__)
            return 0x0213, None  # resource limitation
        return OK, None

    def answered(self, event: Any) -> None:
        """We are about to agree to a release: the association ended as it should. (EVT_RELEASED comes too late: by then
        the peer may have closed the connection.)
        """
        if isinstance(event.primitive, A_RELEASE) and event.primitive.result is not None:
            self.completion.ended(id(event.assoc), released=True)

    def broken(self, event: Any) -> None:
        """An association was aborted, or its connection is gone (also after a release, where it changes nothing)."""
        self.completion.ended(id(event.assoc), released=False)


def _title(association: Any) -> str:
    return str(association.requestor.ae_title or "").strip()


class Server:
    """The listening socket and its threads."""

    def __init__(self, config: Config, receiver: Receiver) -> None:
        self._config, self._receiver, self._log = config, receiver, receiver.log
        self._server: Any = None

    def start(self) -> int:
        """Listen; the port. Raises OSError where it is taken, SettingsError where the certificates are wrong."""
        keys = self._config.receive
        ae = _entity(self._config)
        handlers = [
            (evt.EVT_C_STORE, self._receiver.store), (evt.EVT_C_ECHO, self._receiver.echo),
            (evt.EVT_N_ACTION, self._receiver.action), (evt.EVT_ACSE_SENT, self._receiver.answered),
            (evt.EVT_ABORTED, self._receiver.broken), (evt.EVT_CONN_CLOSE, self._receiver.broken),
            (evt.EVT_REJECTED, self._rejected), (evt.EVT_CONN_OPEN, self._opened),
        ]  # fmt: skip
        encrypt = server_context(keys.tls) if keys.tls else None
        address = (self._config.node.host, self._config.node.port)
        server = ae.make_server(
            address, evt_handlers=handlers, server_class=GuardedServer, request_handler=GuardedHandler
        )
        server.limits, server.encrypt = self._limits(), encrypt
        ae._servers.append(server)  # its shutdown looks for itself there
        self._server = server
        threading.Thread(target=server.serve_forever, args=(0.2,), name="receive", daemon=True).start()
        return int(server.server_address[1])

    def _limits(self) -> Limits:
        keys = self._config.receive
        return Limits(
            connections=2 * keys.max_associations + 8, per_minute=keys.max_connections_per_minute, hosts=keys.hosts,
            idle_seconds=keys.idle_seconds, instance_bytes=keys.max_instance_mib * MIB + _LARGEST_PDU,
            memory_bytes=keys.max_memory_mib * MIB, refused=self._turned_away,
        )  # fmt: skip

    def _turned_away(self, why: str, host: str, said: str | None = None) -> None:
        self._log.count(f"connections_ended_{why}")
        self._log.event("connection_ended", reason=why, host=host, error=said)

    def _rejected(self, event: Any) -> None:
        self._log.count("associations_rejected")
        asked, answer = event.assoc.requestor.primitive, event.assoc.acceptor.primitive
        self._log.event(
            "association_rejected", host=str(event.assoc.requestor.address),
            calling=str(getattr(asked, "calling_ae_title", "")).strip(),
            called=str(getattr(asked, "called_ae_title", "")).strip(),
            reason=_REJECTED.get(getattr(answer, "diagnostic", 0), "another reason"),
        )  # fmt: skip

    def _opened(self, event: Any) -> None:
        self._log.count("connections")

    def open_associations(self) -> int:
        """How many associations there are now."""
        return len(self._server.active_associations) if self._server else 0

    def stop(self) -> None:
        """Take no more, and end what is open: what was acknowledged is safe, the rest is the sender's to send again."""
        if self._server is None:
            return
        self._server.shutdown()
        for association in self._server.active_associations:
            association.abort()
        self._server = None


def _entity(config: Config) -> Any:
    _config.LOG_HANDLER_LEVEL = "none"
    _config.STORE_SEND_CHUNKED_DATASET = True  # files go out byte by byte as they lie here
    keys = config.receive
    ae = AE(ae_title=config.node.aet)
    ae.require_called_aet = True
    ae.require_calling_aet = [] if keys.any_calling else list(keys.calling)
    ae.maximum_associations = keys.max_associations
    ae.maximum_pdu_size = _LARGEST_PDU
    ae.acse_timeout = min(30, keys.idle_seconds)  # also for a peer that connects and says nothing
    ae.network_timeout = ae.dimse_timeout = keys.idle_seconds
    ae.add_supported_context(wire.VERIFICATION)
    if keys.commitment:
        ae.add_supported_context(wire.COMMITMENT_CLASS)
    for sop_class in (*wire.SOP_CLASSES, *keys.sop_classes):
        ae.add_supported_context(sop_class, list(wire.TRANSFER_SYNTAXES))
    return ae
