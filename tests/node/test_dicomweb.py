"""DICOMweb both ways against a small archive: what is sent is what arrives, and what is known is not fetched."""

import json
import re
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from pydicom import dcmread, dcmwrite
from pydicom.dataset import Dataset

from livermre.apps.node.complete import Completion
from livermre.apps.node.config import PollKeys, Web
from livermre.apps.node.deliver import _stowed
from livermre.apps.node.intake import Intake
from livermre.apps.node.log import Log
from livermre.apps.node.poll import Poller
from livermre.apps.node.sends import Journal
from livermre.apps.node.spool import Spool, study_id
from livermre.apps.node.web import Answer, Root, WebError, parts_of
from node.made import image, uid

FILE = {"type": "application/dicom"}


class Archive(ThreadingHTTPServer):
    """QIDO-RS, WADO-RS and STOW-RS as PS3.18 tells them, as far as a node needs."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[tuple[str, str, str], bytes] = {}
        self.stored: list[bytes] = []
        self.asked: list[str] = []
        self.token = ""
        self.most, self.forgetful = 10**9, False
        self.answer: tuple[int, bytes] | None = None
        self.broken: dict[str, int] = {}
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/dicom-web"

    def add(self, ds: Dataset) -> None:
        out = BytesIO()
        dcmwrite(out, ds, enforce_file_format=True)
        self.files[str(ds.StudyInstanceUID), str(ds.SeriesInstanceUID), str(ds.SOPInstanceUID)] = out.getvalue()


class Handler(BaseHTTPRequestHandler):
    server: Archive

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        if self.server.token and self.headers["Authorization"] != f"Bearer {self.server.token}":
            return self._say(401, "text/plain", b"")
        path = self.path.removeprefix("/dicom-web").partition("?")[0]
        if path == "/studies":
            counts = Counter(k[0] for k in self.server.files)
            return self._page(
                [{"0020000D": {"Value": [s]}, "00201208": {"Value": [counts[s]]}} for s in sorted(counts)]
            )
        if found := re.fullmatch(r"/studies/([^/]+)/instances", path):
            keys = [k for k in self.server.files if k[0] == found[1]]
            return self._page([{"0020000E": {"Value": [k[1]]}, "00080018": {"Value": [k[2]]}} for k in keys])
        found = re.fullmatch(r"/studies/([^/]+)/series/([^/]+)/instances/([^/]+)", path)
        if found and found[3] in self.server.broken:
            return self._say(self.server.broken[found[3]], "text/plain", b"")
        content = self.server.files.get((found[1], found[2], found[3])) if found else None
        if content is None:
            return self._say(404, "text/plain", b"")
        body = b"--B\r\nContent-Type: application/dicom\r\n\r\n" + content + b"\r\n--B--\r\n"
        return self._say(200, 'multipart/related; type="application/dicom"; boundary=B', body)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.stored += parts_of(Answer(200, self.headers["Content-Type"], body))
        status, told = self.server.answer or (200, b"{}")
        self._say(status, "application/dicom+json", told)

    def _page(self, found: list) -> None:
        """`limit` and `offset` of PS3.18, 8.3.4.4; `most` is the archive's own limit, `forgetful` knows no offset."""
        asked = dict(parse_qsl(urlsplit(self.path).query))
        begin = 0 if self.server.forgetful else int(asked.get("offset", 0))
        self._json(found[begin : begin + min(self.server.most, int(asked.get("limit", 10**9)))])

    def _json(self, found: Any) -> None:
        self._say(200 if found else 204, "application/dicom+json", json.dumps(found).encode() if found else b"")

    def _say(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def archive() -> Iterator[Archive]:
    running = Archive()
    yield running
    running.shutdown()
    running.server_close()


@pytest.fixture
def intake(tmp_path: Path) -> Iterator[Intake]:
    spool = Spool(tmp_path / "data")
    spool.open()
    made = Intake(spool, Journal(tmp_path / "data" / "journal.sqlite"), Log(str(tmp_path / "log")))
    yield made
    made.journal.close()
    made.log.close()


def poller(intake: Intake, url: str, most: int = 1 << 20, page: int = 200, **web: Any) -> Poller:
    keys = PollKeys(name="archive", web=Web(url=url, **web), most_studies=page)
    completion = Completion(intake.journal, intake.log, quiet_seconds=3600, on_release=False)
    made = Poller(keys, intake, completion, intake.log, threading.Event(), most)
    made.completion = completion  # type: ignore[attr-defined]
    return made


def test_what_is_new_is_fetched_once(archive: Archive, intake: Intake) -> None:
    images = [image("poll", n) for n in range(3)]
    for ds in images[:2]:
        archive.add(ds)
    looks = poller(intake, archive.url)
    assert looks.step(date(2026, 11, 24)) == 2
    assert "StudyDate=20261122-20261124" in archive.asked[0] and "ModalitiesInStudy=MR" in archive.asked[0]
    assert looks.completion.step() == 1  # all fetched: whole at once, no hour of waiting
    assert looks.step(date(2026, 11, 24)) == 0
    archive.add(images[2])
    assert looks.step(date(2026, 11, 24)) == 1
    for row in intake.journal.ask("SELECT * FROM instances"):
        kept = dcmread(intake.spool.place(row["study"], row["name"]))
        assert kept == next(i for i in images if i.SOPInstanceUID == row["sop_uid"])


@pytest.mark.parametrize(("page", "most"), [(3, 10**9), (200, 2), (1, 10**9)])
def test_more_studies_than_one_answer_holds(archive: Archive, intake: Intake, page: int, most: int) -> None:
    """Pages that we ask for, and an archive that gives fewer than were asked for: every study of both is fetched."""
    archive.most = most
    for n in range(7):
        archive.add(image(f"page {n}", 1))
    for n in range(4):
        archive.add(image("many", n))
    looks = poller(intake, archive.url, page=page)
    assert looks.step(date(2026, 11, 24)) == 11
    assert len(intake.journal.ask("SELECT id FROM studies")) == 8
    archive.asked.clear()
    assert looks.step(date(2026, 11, 24)) == 0
    assert not any("/instances" in a for a in archive.asked)  # counts say that nothing came
    archive.add(image("many", 5))
    assert looks.step(date(2026, 11, 24)) == 1


def test_an_archive_that_knows_no_offset_is_not_asked_for_ever(archive: Archive, intake: Intake) -> None:
    archive.forgetful, archive.most = True, 2
    for n in range(5):
        archive.add(image(f"page {n}", 1))
    assert poller(intake, archive.url, page=2).step(date(2026, 11, 24)) == 2
    assert sum("/studies?" in a for a in archive.asked) == 2


def test_our_own_results_are_not_fetched(archive: Archive, intake: Intake) -> None:
    """Else each result would start the study again, for ever."""
    archive.add(image("poll", 1))
    looks = poller(intake, archive.url)
    looks.step(date(2026, 11, 24))
    ours = image("poll", 2)
    with intake.journal.transaction() as base:
        base.execute("INSERT INTO objects VALUES (?,'s',1,1,'SR','c','t','p','x',0)", (str(ours.SOPInstanceUID),))
    archive.add(ours)
    assert looks.step(date(2026, 11, 24)) == 0


def test_an_archive_that_answers_nonsense(archive: Archive, intake: Intake) -> None:
    """UIDs are put into addresses: what is no UID is never asked for. A wrong file is not taken."""
    ds = image("poll", 1)
    key = (str(ds.StudyInstanceUID), str(ds.SeriesInstanceUID), str(ds.SOPInstanceUID))
    archive.files[key] = b"no DICOM"
    archive.files["../admin", "1.2", "1.3"] = b"x"
    archive.files[key[0], key[1], "1.2.9"] = b"\0" * 128 + b"DICM" + b"\xff" * 300
    assert poller(intake, archive.url).step(date(2026, 11, 24)) == 0
    assert not any("admin" in a for a in archive.asked) and not intake.journal.ask("SELECT 1 FROM instances")
    assert intake.log.counts()["instances_refused_unreadable"] == 2


def test_an_answer_over_the_limit_is_not_read(archive: Archive, intake: Intake) -> None:
    ds = image("poll", 1, side=256)
    archive.add(ds)
    with pytest.raises(WebError, match="longer than 10000 bytes"):
        Root(Web(url=archive.url)).instance(*next(iter(archive.files)), 10000)
    assert poller(intake, archive.url, most=10000).step(date(2026, 11, 24)) == 0
    assert intake.log.counts()["instances_refused_unreadable"] == 1


def asked_for(archive: Archive, ds: Dataset) -> int:
    """How often this instance was asked for."""
    return sum(a.endswith(f"/instances/{ds.SOPInstanceUID}") for a in archive.asked)


@pytest.mark.parametrize("status", [404, 406, 500])
def test_an_instance_that_is_not_given_holds_up_no_other(archive: Archive, intake: Intake, status: int) -> None:
    """It is asked for again a few times, then no more; its study waits for the quiet time, the others do not."""
    bad, beside = image("poll", 1), image("poll", 2)
    others = [image(f"other {n}", 1) for n in range(4)]
    for ds in (bad, beside, *others):
        archive.add(ds)
    archive.broken[str(bad.SOPInstanceUID)] = status
    looks, day = poller(intake, archive.url), date(2026, 11, 24)
    assert looks.step(day) == 5
    assert looks.completion.step() == 4 and intake.journal.in_state("receiving") == [study_id(bad.StudyInstanceUID)]
    for _ in range(9):
        assert looks.step(day) == 0
    assert 2 <= asked_for(archive, bad) < 9 and asked_for(archive, beside) == 1
    archive.add(image("poll", 3))  # something new in it: another chance
    archive.broken.clear()
    assert looks.step(day) == 2 and looks.completion.step() == 1


@pytest.mark.parametrize("status", [401, 403, 503])
def test_an_archive_that_gives_nothing_now_is_not_asked_for_more(archive: Archive, intake: Intake, status: int) -> None:
    images = [image("poll", n) for n in range(3)]
    for ds in images:
        archive.add(ds)
        archive.broken[str(ds.SOPInstanceUID)] = status
    with pytest.raises(WebError, match=f"WADO-RS answered {status}"):
        poller(intake, archive.url).step(date(2026, 11, 24))
    assert sum(asked_for(archive, ds) for ds in images) == 1


def test_credentials_come_from_a_file(archive: Archive, tmp_path: Path) -> None:
    archive.token = "secret"
    (tmp_path / "token").write_text("secret\n")
    assert Root(Web(url=archive.url, token_file=tmp_path / "token")).query("/studies", {}) == []
    with pytest.raises(WebError, match="QIDO-RS answered 401"):
        Root(Web(url=archive.url)).query("/studies", {})


def test_what_is_stored_is_the_file(archive: Archive) -> None:
    content = bytes(range(256)) * 40 + b"\r\n--x\r\n"
    assert Root(Web(url=archive.url)).store(content).status == 200
    assert archive.stored == [content]


def stow(status: int, failed: dict[str, int] | None = None, stored: tuple[str, ...] = ()) -> Answer:
    told: dict[str, Any] = {}
    if failed:
        told["00081198"] = {
            "Value": [{"00081155": {"Value": [u]}, "00081197": {"Value": [r]}} for u, r in failed.items()]
        }
    if stored:
        told["00081199"] = {"Value": [{"00081155": {"Value": [u]}} for u in stored]}
    return Answer(status, "application/dicom+json", json.dumps(told).encode())


@pytest.mark.parametrize(
    ("answer", "what"),
    [
        (stow(200), "sent"),
        (stow(202, stored=("1.2",)), "sent"),  # stored with a warning
        (stow(202, {"1.2": 0xA900}), "refused"),
        (stow(409, {"1.2": 0x0111}), "sent"),  # a duplicate: it has it
        (stow(409, {"1.2": 0x0122}), "refused"),
        (stow(409, {"1.3": 0x0111}), "refused"),  # of another instance
        (stow(503), "away"),
        (stow(401), "away"),
        (stow(404), "away"),
        (Answer(409, "text/html", b"<html>"), "refused"),
    ],
)
def test_answers_of_stow(answer: Answer, what: str) -> None:
    """PS3.18, table 10.5.3-1 and the failure reasons of PS3.7, annex C."""
    assert _stowed(answer, "1.2").what == what


def test_nobody_there() -> None:
    with pytest.raises(WebError, match=r"127\.0\.0\.1:9 cannot be reached \(Connection refused\)"):
        Root(Web(url="http://127.0.0.1:9/")).query("/studies", {})
    assert uid("a") != uid("b")
