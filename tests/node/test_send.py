"""The sending side: a dead PACS is waited for, an object is sent once, and what nobody takes is given up alone."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pynetdicom import build_context

from livermre.apps.cli import main
from livermre.apps.node import deliver
from livermre.apps.node.config import DestinationKeys
from livermre.apps.node.journal import Made
from livermre.apps.node.log import Log
from livermre.apps.node.send import Backoff, Reply, Sender
from livermre.apps.node.sends import Journal
from livermre.apps.node.spool import Spool
from node.made import MR, SC, image
from node.place import Here, Pacs, config_file, destination, free_port, send, until
from node.test_journal import queued


def test_waits_grow_and_end() -> None:
    waits = [Backoff(5, 900).seconds(n) for n in range(1, 60)]
    for n, wait in enumerate(waits):
        assert min(900, 5 * 2**n) <= wait <= 1.1 * min(900, 5 * 2**n)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    made = Journal(tmp_path / "j")
    yield made
    made.close()


def sender(journal: Journal, tmp_path: Path, deliver: object, attempts: int = 3) -> Sender:
    keys = DestinationKeys(name="x", aet="X", host="h", port=1, attempts=attempts, first_wait_seconds=0.01)
    stopping = threading.Event()
    return Sender(keys, deliver, journal, Spool(tmp_path), Log(str(tmp_path / "log")), stopping)  # type: ignore[arg-type]


def due(journal: Journal, *uids: str) -> None:
    for uid in uids:
        queued(journal, uid)
        job = journal.claim()
        assert job is not None
        journal.finish(job, [Made(uid, "SR", "c", "t", "p", "x", ("x",))], "")


def test_what_was_acknowledged_before_the_line_broke_is_not_sent_again(journal: Journal, tmp_path: Path) -> None:
    due(journal, "1", "2", "3")
    tried: list[list[str]] = []

    def deliver(rows: list, folder: Path) -> Iterator[Reply]:
        tried.append([r["sop_uid"] for r in rows])
        yield Reply(rows[0]["sop_uid"], "sent")
        yield Reply("", "away", "connection lost")

    one = sender(journal, tmp_path, deliver)
    while journal.waiting("x"):
        one.step()
    assert tried == [["1", "2", "3"], ["2", "3"], ["3"]] and len(journal.in_state("done")) == 3


def test_a_refused_object_does_not_hold_up_the_others(journal: Journal, tmp_path: Path) -> None:
    due(journal, "1", "2")

    def deliver(rows: list, folder: Path) -> Iterator[Reply]:
        yield from (Reply(r["sop_uid"], "refused" if r["sop_uid"] == "1" else "sent", "0xA900") for r in rows)

    one = sender(journal, tmp_path, deliver)
    one.step()
    assert journal.in_state("done") == ["2"] and journal.in_state("sending") == ["1"]
    until(lambda: one.step() > 0 and journal.in_state("failed") == ["1"])
    assert journal.ask("SELECT attempts, message FROM sends WHERE sop_uid='1'")[0][:] == (3, "0xA900")


def test_pacs_down_then_up_then_busy(tmp_path: Path) -> None:
    """Results wait for a dead PACS, a busy one (0xA700) is tried again, and each object arrives once."""
    busy = [0xA700, 0xA700]
    pacs = Pacs(free_port(), lambda uid: busy.pop() if busy else 0)
    node = Here(config_file(tmp_path, destination("pacs", pacs.port)))
    try:
        for study in "abc":
            send(node.port, [image(f"down {study}", n) for n in range(2)])
        node.wait(sending=3)
        until(lambda: node.node.log.counts().get("send_failures", 0) >= 2)
        assert node.node.gauges()["destinations_away"] == 1
        pacs.open()
        node.wait(done=3)
        assert not busy and sorted(pacs.stored.values()) == [1, 1, 1]
    finally:
        node.stop()
        pacs.close()


def test_a_pacs_that_does_not_take_the_class(tmp_path: Path) -> None:
    """The study fails with the reason, after so many attempts; its results stay here."""
    pacs = Pacs(free_port()).open([MR])
    node = Here(config_file(tmp_path, destination("pacs", pacs.port, "attempts = 2\n")))
    try:
        send(node.port, [image("class", 1)])
        node.wait(failed=1)
        (row,) = node.node.journal.ask("SELECT s.*, o.path FROM sends s JOIN objects o USING (sop_uid)")
        assert (
            row["message"].startswith("it does not take SC objects")
            and (node.node.config.node.data / row["path"]).is_file()
        )
        pacs.close()
        pacs.open([SC])
        assert node.node.journal.retry(row["study"])
        node.wait(done=1)
        assert pacs.stored[row["sop_uid"]] == 1
    finally:
        node.stop()
        pacs.close()


def test_an_answer_reaches_who_waits_for_it() -> None:
    """Found by the load run: pynetdicom's own thread took the answer of a C-STORE, which waited for it in vain."""
    pacs = Pacs(free_port()).open()
    keys = DestinationKeys(name="x", aet="PACS", host="127.0.0.1", port=pacs.port)
    association = deliver.associate("LIVERMRE", keys, [build_context(MR)])
    association.dimse.msg_queue.put((1, "the answer"))
    assert association.dimse.get_msg(block=False) == (None, None)  # as that thread asks
    time.sleep(0.1)  # it asks a hundred times meanwhile
    assert association.dimse.get_msg(block=True) == (1, "the answer")  # as send_c_store asks
    association.release()
    pacs.close()


def test_a_pacs_that_is_away_is_told_with_the_reason(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    """`status` says since when, how often and why; when it is back, nothing of it is left."""
    port = free_port()
    config = config_file(tmp_path, destination("pacs", port))
    node = Here(config)
    try:
        send(node.port, [image("away", 1)])
        until(lambda: bool(node.node.journal.ask("SELECT 1 FROM troubles WHERE attempts > 1")))
        assert main(["node", "status", str(config)]) == 0
        told = capsys.readouterr().out
        assert "pacs: waiting 1" in told and "pacs: away since 20" in told
        assert f"attempt(s): 127.0.0.1 port {port} cannot be reached (Connection refused)" in told
        pacs = Pacs(port).open()
        node.wait(done=1)
        until(lambda: not node.node.journal.ask("SELECT 1 FROM troubles"))
        pacs.close()
    finally:
        node.stop()
