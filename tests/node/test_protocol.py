"""The node and its peers on a real socket: what is acknowledged, what is refused, and what ends."""

import json
import shutil
import socket
import struct
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pynetdicom import AE, evt

from node.fuzzing import store_pdus
from node.made import image, implicit, uid, written
from node.place import Here, Pacs, associate, config_file, destination, free_port, send, until

COMMITMENT = "1.2.840.10008.1.20.1"


@pytest.fixture(scope="module")
def peer_port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def pacs() -> Iterator[Pacs]:
    running = Pacs(free_port()).open()
    yield running
    running.close()


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory, pacs: Pacs, peer_port: int) -> Iterator[Here]:
    limits = "max_instance_mib = 1\nmax_memory_mib = 8\nidle_seconds = 4"
    peer = f'[[peer]]\naet = "STORESCU"\nhost = "127.0.0.1"\nport = {peer_port}'
    config = config_file(tmp_path_factory.mktemp("node"), destination("pacs", pacs.port), peer, receive=limits)
    running = Here(config)
    yield running
    running.stop()


def state(node: Here, study: object) -> str:
    found = node.node.journal.ask("SELECT state FROM studies WHERE uid=?", uid("study", study))
    return found[0]["state"] if found else ""


def data(node: Here) -> Path:
    return node.node.config.node.data


def test_a_study_goes_the_whole_way(node: Here, pacs: Pacs) -> None:
    images = [image("way", n) for n in range(4)]
    assert send(node.port, images) == [0, 0, 0, 0]
    until(lambda: state(node, "way") == "done")
    (row,) = node.node.journal.ask(
        "SELECT o.* FROM objects o JOIN studies s ON s.id=o.study WHERE uid=?", uid("study", "way")
    )
    assert pacs.stored[row["sop_uid"]] == 1
    lies = dcmread(data(node) / row["path"])
    assert lies.StudyInstanceUID == images[0].StudyInstanceUID


def test_what_lies_on_the_disk_is_what_was_sent(node: Here) -> None:
    """The data set byte by byte, in the transfer syntax it came in, under names that no header decides."""
    one, two = image("bytes", 1), implicit(image("bytes", 2))
    ae = AE("SENDER")
    ae.add_requested_context(one.SOPClassUID, one.file_meta.TransferSyntaxUID)
    ae.add_requested_context(two.SOPClassUID, two.file_meta.TransferSyntaxUID)
    association = ae.associate("127.0.0.1", node.port, ae_title="LIVERMRE")
    assert [association.send_c_store(i).Status for i in (one, two)] == [0, 0]
    association.release()
    rows = node.node.journal.ask(
        "SELECT * FROM instances WHERE sop_uid IN (?, ?)", one.SOPInstanceUID, two.SOPInstanceUID
    )
    assert len(rows) == 2
    for row in rows:
        sent = one if row["sop_uid"] == one.SOPInstanceUID else two
        kept = dcmread(node.node.spool.place(row["study"], row["name"]))
        assert kept == sent and kept.file_meta.TransferSyntaxUID == sent.file_meta.TransferSyntaxUID
        assert set(row["name"]) <= set("0123456789abcdef-.dcm") and row["study"] not in str(sent)


def test_echo(node: Here) -> None:
    association = associate(node.port)
    assert association.send_c_echo().Status == 0
    association.release()


@pytest.mark.parametrize(("calling", "called"), [("STRANGER", "LIVERMRE"), ("SENDER", "OTHER")])
def test_strangers_are_turned_away(node: Here, calling: str, called: str) -> None:
    association = associate(node.port, calling, called)
    assert association.is_rejected and not association.is_established
    log = (data(node).parent / "node.log").read_text().splitlines()
    (said,) = [e for e in map(json.loads, log) if e["event"] == "association_rejected" and e["calling"] == calling][-1:]
    assert said["called"] == called
    assert said["reason"].startswith("its AE title" if calling == "STRANGER" else "it asks for another")


def test_a_header_that_cannot_be_filed_is_refused_and_leaves_nothing(node: Here, tmp_path: Path) -> None:
    before = set(node.node.spool.stored())
    nameless, other = image("none", 1), image("none", 2)
    del nameless.StudyInstanceUID
    association = associate(node.port)
    assert association.send_c_store(nameless).Status == 0xC000
    (path,) = written(tmp_path, [other])
    file = dcmread(path)
    file.file_meta.MediaStorageSOPInstanceUID = uid("another")  # the message says this, the data set something else
    file.save_as(path, enforce_file_format=False)
    assert association.send_c_store(path).Status == 0xA900
    association.release()
    assert set(node.node.spool.stored()) == before and not list(node.node.spool.incoming.iterdir())


@pytest.mark.parametrize("study", ["../../../etc", "/etc/passwd", "1.2.3/../4", "a\0b", "x" * 3000])
def test_no_path_from_a_header_is_a_path_on_disk(node: Here, study: str) -> None:
    """A Study Instance UID that is none is refused; one that looks like a UID becomes a hash."""
    ds = image("path", 1)
    ds["StudyInstanceUID"]._value = study  # no library would send this
    assert send(node.port, [ds]) == [0xC000]


def test_disk_full_is_out_of_resources(node: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    before = set(node.node.spool.stored())
    monkeypatch.setattr(node.node.spool, "min_free", 1 << 60)
    assert send(node.port, [image("full", 1)]) == [0xA700]
    monkeypatch.setattr(node.node.spool, "min_free", 0)
    assert set(node.node.spool.stored()) == before
    assert send(node.port, [image("full", 1)]) == [0]  # and afterwards it is taken


def test_twice_the_same_is_one(node: Here) -> None:
    assert send(node.port, [image("twice", 1), image("twice", 1)]) == [0, 0]
    until(lambda: state(node, "twice") == "done")
    assert send(node.port, [image("twice", 1)]) == [0]
    rows = node.node.journal.ask("SELECT * FROM instances WHERE sop_uid=?", uid("image", "twice", 1))
    history = node.node.journal.ask("SELECT event FROM history WHERE study=?", rows[0]["study"])
    assert len(rows) == 1 and [h["event"] for h in history].count("analysing") == 1


def test_same_uid_with_other_bytes_is_kept_apart_and_flagged(node: Here) -> None:
    assert send(node.port, [image("double", 1), image("double", 1, seed=9)]) == [0, 0]
    until(lambda: state(node, "double") == "done")
    rows = node.node.journal.ask("SELECT * FROM instances WHERE sop_uid=? ORDER BY arrived", uid("image", "double", 1))
    assert [r["kind"] for r in rows] == ["image", "conflict"]
    assert all(node.node.spool.place(r["study"], r["name"]).is_file() for r in rows)
    made = node.node.journal.ask("SELECT path FROM objects WHERE study=?", rows[0]["study"])
    alone = node.node.journal.ask(
        "SELECT count(*) AS n FROM history WHERE study=? AND event='conflict'", rows[0]["study"]
    )
    assert len(made) == 1 and alone[0]["n"] == 1


def test_a_late_image_makes_a_new_revision(node: Here, pacs: Pacs) -> None:
    send(node.port, [image("late", 1)])
    until(lambda: state(node, "late") == "done")
    send(node.port, [image("late", 2)])
    until(
        lambda: (
            node.node.journal.ask("SELECT revision FROM studies WHERE uid=?", uid("study", "late"))[0]["revision"] == 2
        )
    )
    until(lambda: state(node, "late") == "done")
    objects = node.node.journal.ask(
        "SELECT o.* FROM objects o JOIN studies s ON s.id=o.study WHERE uid=? ORDER BY run", uid("study", "late")
    )
    assert [o["revision"] for o in objects] == [1, 2] and all(pacs.stored[o["sop_uid"]] == 1 for o in objects)


def test_our_own_result_coming_back_starts_nothing(node: Here) -> None:
    send(node.port, [image("back", 1)])
    until(lambda: state(node, "back") == "done")
    (row,) = node.node.journal.ask(
        "SELECT o.* FROM objects o JOIN studies s ON s.id=o.study WHERE uid=?", uid("study", "back")
    )
    ours = dcmread(data(node) / row["path"])
    ours.InstitutionName = "coerced by the PACS"
    assert send(node.port, [ours]) == [0]
    (study,) = node.node.journal.ask("SELECT * FROM studies WHERE uid=?", uid("study", "back"))
    assert (study["state"], study["revision"]) == ("done", 1)


def test_results_of_another_livermre_start_nothing(node: Here) -> None:
    """A PACS that passes on what `livermre analyze` or another node sent: neither a new study nor a new revision."""
    send(node.port, [image("other", 1)])
    until(lambda: state(node, "other") == "done")
    made = {"Manufacturer": "The livermre developers", "ManufacturerModelName": "livermre"}
    assert send(node.port, [image("other", 2, **made), image("never seen", 1, **made)]) == [0, 0]
    until(lambda: state(node, "never seen") == "refused")
    (study,) = node.node.journal.ask("SELECT * FROM studies WHERE uid=?", uid("study", "other"))
    assert (study["state"], study["revision"]) == ("done", 1)
    assert send(node.port, [image("other", 3, **{**made, "ManufacturerModelName": "livermre imitation"})]) == [0]
    until(lambda: state(node, "other") == "done")
    (study,) = node.node.journal.ask("SELECT * FROM studies WHERE uid=?", uid("study", "other"))
    assert study["revision"] == 2


def asked(*images: Dataset) -> Dataset:
    request = Dataset()
    request.TransactionUID = uid("transaction", *(i.SOPInstanceUID for i in images))
    request.ReferencedSOPSequence = []
    for i in images:
        item = Dataset()
        item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = i.SOPClassUID, i.SOPInstanceUID
        request.ReferencedSOPSequence.append(item)
    return request


def test_commitment_on_the_same_association(node: Here) -> None:
    here, nowhere, reports = image("commit", 1), image("commit", 99), []

    def report(event: Any) -> tuple[int, None]:
        reports.append((event.event_type, event.event_information))
        return 0, None

    association = associate(node.port, evt_handlers=[(evt.EVT_N_EVENT_REPORT, report)])
    assert association.send_c_store(here).Status == 0
    status, _ = association.send_n_action(asked(here, nowhere), 1, COMMITMENT, f"{COMMITMENT}.1")
    assert status.Status == 0
    until(lambda: bool(reports) and not node.node.journal.commitments())
    association.release()
    ((kind, told),) = reports
    assert kind == 2  # some are not here
    assert [i.ReferencedSOPInstanceUID for i in told.ReferencedSOPSequence] == [here.SOPInstanceUID]
    failed = told.FailedSOPSequence[0]
    assert (failed.ReferencedSOPInstanceUID, failed.FailureReason) == (nowhere.SOPInstanceUID, 0x0112)
    assert told.TransactionUID == asked(here, nowhere).TransactionUID


def test_commitment_is_answered_on_the_peers_own_port(node: Here, peer_port: int) -> None:
    """Also when the peer was not listening at first."""
    here, reports = image("commit", 2), []
    association = associate(node.port, "STORESCU")
    assert association.send_c_store(here).Status == 0
    assert association.send_n_action(asked(here), 1, COMMITMENT, f"{COMMITMENT}.1")[0].Status == 0
    association.release()

    def report(event: Any) -> tuple[int, None]:
        reports.append((event.event_type, event.event_information))
        return 0, None

    ae = AE("STORESCU")
    ae.add_supported_context(COMMITMENT, scu_role=True, scp_role=True)
    server = ae.start_server(("127.0.0.1", peer_port), block=False, evt_handlers=[(evt.EVT_N_EVENT_REPORT, report)])
    until(lambda: bool(reports))
    server.shutdown()
    assert reports[0][0] == 1 and "FailedSOPSequence" not in reports[0][1]
    until(lambda: not node.node.journal.commitments())


def test_commitment_with_nonsense(node: Here) -> None:
    association = associate(node.port)
    nameless = asked(image("x", 1))
    del nameless.TransactionUID
    assert association.send_n_action(nameless, 1, COMMITMENT, f"{COMMITMENT}.1")[0].Status == 0x0115
    assert association.send_n_action(asked(image("x", 1)), 7, COMMITMENT, f"{COMMITMENT}.1")[0].Status == 0x0123
    association.release()


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


def test_counts_of_the_header_are_checked_at_release(node: Here) -> None:
    """A series that promises two images is not whole after one, only after its quiet time; with both it is at once."""
    send(node.port, [image("counted", 1, NumberOfSeriesRelatedInstances=2)])
    until(lambda: state(node, "counted") not in {"", "receiving"})
    send(node.port, [image("right", n, NumberOfSeriesRelatedInstances=2) for n in (1, 2)])
    until(lambda: state(node, "right") not in {"", "receiving"})

    def why(study: str) -> str:
        rows = node.node.journal.ask(
            "SELECT h.detail FROM history h JOIN studies s ON s.id=h.study WHERE uid=? AND event='queued'",
            uid("study", study),
        )
        return str(rows[0]["detail"])

    assert why("counted").startswith("quiet: fewer or more") and why("right") == "released: counts agree"


def test_nothing_of_the_patient_is_logged_or_shown(node: Here) -> None:
    send(node.port, [image("private", 1)])
    until(lambda: state(node, "private") == "done")
    log = (data(node).parent / "node.log").read_text()
    shown = "".join(answer()[2] for answer in node.node.answers().values())
    for secret in ("Simulated", "SIM-0815", uid("study", "private"), uid("image", "private", 1), "20261124"):
        assert secret not in log and secret not in shown
    assert all("event" in json.loads(line) for line in log.splitlines())


@pytest.mark.skipif(not shutil.which("storescu"), reason="DCMTK (storescu, echoscu) is not installed")
def test_dcmtk_sends(node: Here, tmp_path: Path) -> None:
    files = written(tmp_path / "in", [image("dcmtk", n) for n in range(3)])
    place = ["-aec", "LIVERMRE", "127.0.0.1", str(node.port)]
    subprocess.run(["echoscu", *place], check=True)
    subprocess.run(["storescu", *place, *map(str, files)], check=True)
    refused = subprocess.run(["storescu", "-aet", "STRANGER", *place, str(files[0])], capture_output=True, check=False)
    assert refused.returncode != 0
    until(lambda: state(node, "dcmtk") == "done")
    rows = node.node.journal.ask(
        "SELECT i.* FROM instances i JOIN studies s ON s.id=i.study WHERE uid=?", uid("study", "dcmtk")
    )
    for row in rows:
        assert (
            dcmread(node.node.spool.place(row["study"], row["name"])).PixelData
            == image("dcmtk", _number(row)).PixelData
        )


def _number(row: Any) -> int:
    return next(n for n in range(3) if uid("image", "dcmtk", n) == row["sop_uid"])
