"""Storage commitment: the answer says what lies on the disk now, and is given also after a restart (PS3.4, annex J)."""

import json
import threading
import time
from collections.abc import Sequence
from typing import Any

from pynetdicom import AE, build_role

from livermre.apps.node import wire
from livermre.apps.node.config import PeerKeys
from livermre.apps.node.deliver import steady
from livermre.apps.node.log import Log
from livermre.apps.node.sends import Journal
from livermre.apps.node.tls import client_context

_MOST = 100_000
_PAUSE = 0.3
"""Seconds between our response and the report on the same association: the response must have left."""


class Commitments:
    """Requests and their answers: to the peer's own port where the configuration knows it, else on the association."""

    def __init__(self, aet: str, peers: Sequence[PeerKeys], journal: Journal, log: Log) -> None:
        self._aet, self._peers = aet, {p.aet: p for p in peers}
        self._journal, self._log = journal, log
        self._open: dict[int, Any] = {}
        self._next: dict[int, float] = {}

    def asked(self, aet: str, content: dict, association: Any) -> None:
        """Remember a request; Unreadable where it is too long."""
        if len(content["items"]) > _MOST:
            raise wire.Unreadable("the request names too many instances", 0x0213)
        number = self._journal.ask_commitment(aet, content)
        self._log.event("commitment_asked", count=len(content["items"]))
        if aet not in self._peers:
            self._open[number] = association
            threading.Thread(target=self._later, args=(number,), daemon=True).start()

    def _later(self, number: int) -> None:
        time.sleep(_PAUSE)
        row = next((r for r in self._journal.commitments() if r["id"] == number), None)
        association = self._open.pop(number, None)
        if row is not None and association is not None:
            self._journal.answer_commitment(number, self._report(row, association), limit=1)

    def step(self) -> None:
        """Answer what waits, on a new association to each peer that we know; others give up with their association."""
        now = time.monotonic()
        for row in self._journal.commitments():
            number, peer = row["id"], self._peers.get(row["aet"])
            if number in self._open or self._next.get(number, 0) > now:
                continue
            answered = peer is not None and self._call(row, peer)
            self._journal.answer_commitment(number, answered, 1000 if peer else 1)
            self._next[number] = time.monotonic() + min(3600, 5 * 2 ** min(row["attempts"], 12))
            if answered:
                self._next.pop(number, None)

    def _call(self, row: Any, peer: PeerKeys) -> bool:
        ae = AE(ae_title=self._aet)
        ae.acse_timeout = ae.dimse_timeout = ae.network_timeout = ae.connection_timeout = 20
        ae.add_requested_context(wire.COMMITMENT_CLASS)
        secure = {"tls_args": (client_context(peer.tls), peer.host)} if peer.tls else {}
        role = build_role(wire.COMMITMENT_CLASS, scp_role=True)
        association = steady(ae.associate(peer.host, peer.port, ae_title=peer.aet, ext_neg=[role], **secure))
        if not association.is_established:
            self._log.event("commitment_unanswered", aet=peer.aet)
            return False
        try:
            return self._report(row, association)
        finally:
            association.release()

    def _report(self, row: Any, association: Any) -> bool:
        items = json.loads(row["content"])["items"]
        held = {uid: self._journal.holds(uid) for _, uid in items}
        answer, kind = wire.commitment_answer(row["content"], held)
        try:
            status, _ = association.send_n_event_report(
                answer, kind, wire.COMMITMENT_CLASS, wire.COMMITMENT_INSTANCE, msg_id=1
            )
        except (RuntimeError, ValueError):  # the peer has gone, or did not negotiate the service
            return False
        answered = getattr(status, "Status", None) == 0
        self._log.event("commitment_answered" if answered else "commitment_unanswered", count=len(items))
        return answered
