"""How one destination is spoken to: C-STORE (PS3.4, annex B) or STOW-RS (PS3.18, 10.5)."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from sqlite3 import Row
from typing import Any

from pynetdicom import AE, build_context

from livermre.apps.node.config import DestinationKeys
from livermre.apps.node.send import Deliver, Reply
from livermre.apps.node.tls import client_context, reason
from livermre.apps.node.web import Answer, Root, WebError
from livermre.exam.errors import SettingsError

_DUPLICATE = 0x0111
"""Duplicate SOP instance (PS3.7, annex C): it has the object already, which is what we want."""
_FAILED, _STORED, _REASON = "00081198", "00081199", "00081197"
_SOP_UID = "00081155"
_MOST_CONTEXTS = 120
_ALERT_SECONDS = 3
"""So long is waited for a TLS alert; who agrees says nothing before it is asked."""


def deliverer(aet: str, keys: DestinationKeys) -> Deliver:
    """What brings objects to a destination."""
    if keys.web is not None:
        root = Root(keys.web)
        return lambda rows, folder: _stow(root, rows, folder)
    return lambda rows, folder: _store(aet, keys, rows, folder)


def associate(aet: str, keys: DestinationKeys, contexts: list[Any]) -> Any:
    """An association with a destination, established or not."""
    ae = AE(ae_title=aet)
    ae.acse_timeout = ae.connection_timeout = 20
    ae.dimse_timeout = ae.network_timeout = 120
    secure = {"tls_args": (client_context(keys.tls), keys.host)} if keys.tls else {}
    return steady(ae.associate(keys.host, keys.port, contexts=contexts, ae_title=keys.aet, **secure))


def steady(association: Any) -> Any:
    """An association on which we ask only: answers reach who waits for them.

    pynetdicom's thread of an association looks for messages too, without waiting; on a busy machine it took an answer
    now and then (one of some thousand), and the C-STORE waited for it until its time was over.
    """
    get = association.dimse.get_msg

    def get_if_awaited(block: bool = False) -> Any:
        return get(block=True) if block else (None, None)

    association.dimse.get_msg = get_if_awaited
    return association


def unreachable(host: str, port: int) -> str:
    """Why nothing listens there, in the words of the operating system; empty where something does."""
    try:
        socket.create_connection((host, port), timeout=5).close()
    except OSError as error:
        return f"{host} port {port} cannot be reached ({error.strerror or error})"
    return ""


def why_not(association: Any, keys: DestinationKeys) -> str:
    """Why an association was not established, and what to mend."""
    if association.is_rejected:
        primitive = association.acceptor.primitive
        place = (primitive.result_source, primitive.diagnostic) if primitive is not None else (0, 0)
        return {
            (1, 3): "it does not know our AE title (calling): add it there",
            (1, 7): "it has another AE title (called): mend aet",
            (3, 1): "it is busy: too many associations",
            (3, 2): "it is busy: its local limit of associations is reached",
        }.get(place, "it rejected the association")
    gone = unreachable(str(keys.host), int(keys.port or 0))  # pynetdicom calls that aborted, too
    if gone:
        return gone
    if not keys.tls:
        return "it aborted the association: does it speak TLS only?"
    fault = _tls_fault(keys)
    return f"TLS failed ({fault}): mend ca, certificate, key or check_name" if fault else "it aborted the association"


def _tls_fault(keys: DestinationKeys) -> str:
    """What TLS itself says of a destination; empty where it agrees."""
    try:
        context = client_context(keys.tls)
        with (
            socket.create_connection((keys.host, keys.port), timeout=_ALERT_SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=keys.host) as secure,
        ):
            secure.recv(1)  # in TLS 1.3 a missing certificate is told only behind the handshake (RFC 8446, 4.4.2)
    except TimeoutError:
        return ""
    except (OSError, SettingsError) as error:
        return str(error) if isinstance(error, SettingsError) else reason(error)
    return ""


def _store(aet: str, keys: DestinationKeys, rows: list[Row], folder: Path) -> Iterator[Reply]:
    pairs = sorted({(r["sop_class"], r["transfer_syntax"]) for r in rows})[:_MOST_CONTEXTS]
    rows = [r for r in rows if (r["sop_class"], r["transfer_syntax"]) in pairs]
    try:
        association = associate(aet, keys, [build_context(*pair) for pair in pairs])
    except (SettingsError, OSError) as error:
        yield Reply("", "away", type(error).__name__)
        return
    if not association.is_established:
        yield from _nothing_accepted(association, keys, rows)
        return
    try:
        accepted = {(c.abstract_syntax, c.transfer_syntax[0]) for c in association.accepted_contexts}
        for number, row in enumerate(rows, start=1):
            reply = _one(association, accepted, row, folder, number)
            yield reply
            if reply.what == "away":
                return
    finally:
        if association.is_established:
            association.release()


def _nothing_accepted(association: Any, keys: DestinationKeys, rows: list[Row]) -> Iterator[Reply]:
    """An acceptor that takes none of our contexts is there, but does not want these objects."""
    if association.is_aborted and association.rejected_contexts and not association.accepted_contexts:
        yield from (Reply(r["sop_uid"], "refused", f"it does not take {r['kind']} objects") for r in rows)
    else:
        yield Reply("", "away", why_not(association, keys))


def _one(association: Any, accepted: set, row: Row, folder: Path, number: int) -> Reply:
    uid, path = row["sop_uid"], folder / row["path"]
    if (row["sop_class"], row["transfer_syntax"]) not in accepted:
        return Reply(uid, "refused", f"it does not take {row['kind']} objects in this transfer syntax")
    if not path.is_file():
        return Reply(uid, "refused", "the file of the object is gone from the data folder")
    try:
        status = association.send_c_store(path, msg_id=number % 65535 + 1)
    except (RuntimeError, ValueError, OSError) as error:
        return Reply(uid, "away", type(error).__name__)
    code = getattr(status, "Status", None)
    if code is None:
        return Reply(uid, "away", "no answer to C-STORE: connection lost or timed out")
    if code == 0 or code == _DUPLICATE or code in range(0xB000, 0xC000):
        return Reply(uid, "sent")
    if code in range(0xA700, 0xA800):
        return Reply(uid, "away", f"it is out of resources (0x{code:04X})")
    return Reply(uid, "refused", f"C-STORE status 0x{code:04X}")


def _stow(root: Root, rows: list[Row], folder: Path) -> Iterator[Reply]:
    for row in rows:
        try:
            content = (folder / row["path"]).read_bytes()
        except OSError:
            yield Reply(row["sop_uid"], "refused", "the file of the object is gone from the data folder")
            continue
        try:
            reply = _stowed(root.store(content), row["sop_uid"])
        except (WebError, SettingsError) as error:
            reply = Reply(row["sop_uid"], "away", str(error))
        yield reply
        if reply.what == "away":
            return


def _stowed(answer: Answer, uid: str) -> Reply:
    if answer.status in {401, 403, 404, 405, 429} or answer.status >= 500:
        hint = {401: ": mend the credentials", 403: ": our user may not store", 404: ": mend the url"}
        return Reply(uid, "away", f"STOW-RS answered {answer.status}{hint.get(answer.status, '')}")
    if answer.status == 200:
        return Reply(uid, "sent")
    stored, reason = _read(answer, uid)
    if stored or reason == _DUPLICATE:
        return Reply(uid, "sent")
    return Reply(uid, "refused", f"STOW-RS answered {answer.status}" + (f", reason 0x{reason:04X}" if reason else ""))


def _read(answer: Answer, uid: str) -> tuple[bool, int]:
    """Whether the answer lists the instance as stored, and else the reason of its failure."""
    try:
        found = json.loads(answer.body)
        found = found[0] if isinstance(found, list) else found
        stored = [_first(i, _SOP_UID) for i in found.get(_STORED, {}).get("Value", [])]
        failed = {_first(i, _SOP_UID): _first(i, _REASON) for i in found.get(_FAILED, {}).get("Value", [])}
        return uid in stored, int(failed.get(uid) or 0)
    except (ValueError, AttributeError, TypeError, IndexError, KeyError):
        return False, 0


def _first(item: dict, tag: str) -> Any:
    return (item.get(tag, {}).get("Value") or [None])[0]
