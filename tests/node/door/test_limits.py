"""Associations that break, hang, lie or ask too much end alone."""

import socket
import struct
import threading
from contextlib import suppress

import pytest

from node.door.asking import state
from node.fuzzing import store_pdus
from node.made import image, uid
from node.place import Here, associate, send, until


def test_an_association_aborted_in_mid_file_leaves_the_rest(node: Here) -> None:
    """What was acknowledged stays, of the other file nothing does; the study waits for the quiet time."""
    association = associate(node.port)
    assert association.send_c_store(image("abort", 1)).Status == 0
    pdus = list(store_pdus(image("abort", 2), association.accepted_contexts[0].context_id, 200))
    sock = association.dul.socket.socket
    sock.sendall(b"".join(pdus[: len(pdus) // 2]) + pdus[-1][:20])
    sock.shutdown(socket.SHUT_RDWR)
    until(lambda: state(node, "abort") == "done")
    rows = node.node.journal.ask(
        "SELECT i.* FROM instances i JOIN studies s ON s.id=i.study WHERE uid=?", uid("study", "abort")
    )
    assert [r["sop_uid"] for r in rows] == [uid("image", "abort", 1)]
    assert not list(node.node.spool.incoming.iterdir())


def _ends(sock: socket.socket) -> bool:
    """Whether the node closes the connection within some seconds."""
    sock.settimeout(30)
    try:
        while sock.recv(4096):
            pass
    except ConnectionResetError:
        return True
    return True


@pytest.mark.parametrize(
    "start", [b"", b"\x01\x00\x00", b"\x01\x00\x00\x00\x01\x00" + b"\x00" * 10], ids=["0", "3", "16"]
)
def test_half_open_connections_end(node: Here, start: bytes) -> None:
    """A peer that says nothing, or half of something, is not waited for longer than idle_seconds."""
    with socket.create_connection(("127.0.0.1", node.port)) as sock:
        sock.sendall(start)
        assert _ends(sock)
    association = associate(node.port)  # and the door is open to others
    assert association.is_established
    association.release()


def test_connections_that_go_again_take_no_place(node: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    """Found by the fuzzing: each held one of max_associations until a timer ended, and senders were turned away."""
    monkeypatch.setattr(node.node.server._server.ae, "_acse_timeout", 3600)
    for n in range(20):
        with socket.create_connection(("127.0.0.1", node.port)) as sock:
            sock.sendall(b"\x01\x00\x00\x00\x01\x00"[: n % 7])
    until(lambda: node.node.server.open_associations() == 0)
    assert send(node.port, [image("place", 1)]) == [0]


def test_a_pdu_that_claims_four_gigabytes_is_not_read(node: Here) -> None:
    with socket.create_connection(("127.0.0.1", node.port)) as sock:
        sock.sendall(struct.pack(">BBL", 1, 0, 0xFFFFFFF0) + b"x" * 1000)
        assert _ends(sock)
    until(lambda: node.node.log.counts().get("connections_ended_pdu", 0) >= 1)


def test_a_damaged_command_ends_its_association(node: Here) -> None:
    """Found by the fuzzing: a command set without CommandDataSetType ended a thread and left the socket open."""
    association = associate(node.port)
    (first, *_) = store_pdus(image("damaged", 1), association.accepted_contexts[0].context_id, 4000)
    sock = association.dul.socket.socket
    sock.sendall(first.replace(b"\x00\x00\x00\x08\x02\x00\x00\x00", b"\x00\x00\x01\x08\x02\x00\x00\x00"))
    until(lambda: node.node.log.counts().get("connections_ended_message", 0) >= 1)
    until(lambda: not association.is_established)


def test_whole_messages_that_wait_for_the_disk_count_too(node: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow disk and peers that do not wait for answers: the limit for all together (8 MiB) holds all the same."""
    go, put = threading.Event(), node.node.spool.put
    monkeypatch.setattr(node.node.spool, "put", lambda *a: put(*a) if go.wait(60) else None)
    before = node.node.log.counts().get("connections_ended_memory", 0)
    associations = [associate(node.port) for _ in range(8)]
    for n, association in enumerate(associations):
        context = association.accepted_contexts[0].context_id
        with suppress(OSError):  # the one that is too much is ended
            for m in range(2):  # 8 * 2 * 0.69 MiB
                association.dul.socket.socket.sendall(
                    b"".join(store_pdus(image(f"memory {n}", m, side=600), context, 60000))
                )
    until(lambda: node.node.log.counts().get("connections_ended_memory", 0) > before)
    go.set()
    for association in associations:
        association.abort()
    until(lambda: not node.node.server._server.limits._held)  # nothing is held for ever
    assert send(node.port, [image("memory after", 1)]) == [0]


def test_an_instance_over_the_limit_ends_its_association(node: Here) -> None:
    before = set(node.node.spool.stored())
    association = associate(node.port)
    big = image("big", 1, side=1024)  # 2 MiB, the limit is 1
    assert "Status" not in association.send_c_store(big)
    until(lambda: node.node.log.counts().get("connections_ended_instance", 0) >= 1)
    assert set(node.node.spool.stored()) == before
