"""Completion, limits, retention, the page and the doctor, each without a network where it can be."""

import json
import queue
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from livermre.apps.cli import main
from livermre.apps.node import complete, retention
from livermre.apps.node.complete import Completion
from livermre.apps.node.config import RetentionKeys
from livermre.apps.node.counts import overview
from livermre.apps.node.doctor import Check, examine
from livermre.apps.node.guard import Limits, Messages
from livermre.apps.node.journal import Made, Row
from livermre.apps.node.log import Log
from livermre.apps.node.schema import connect_to_read
from livermre.apps.node.sends import Journal
from livermre.apps.node.spool import Spool
from livermre.apps.node.status import metrics, page
from node.place import Pacs, config_file, destination, free_port
from node.test_journal import queued, row

DAY = 86400.0


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    made = Journal(tmp_path / "journal.sqlite")
    yield made
    made.close()


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    made = Log(str(tmp_path / "log"))
    yield made
    made.close()


class Clock:
    """Monotonic time that a test moves."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr(complete.time, "monotonic", lambda: self.now)


def test_quiet_time_counts_from_the_last_image(journal: Journal, log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, watch = Clock(monkeypatch), Completion(journal, log, quiet_seconds=30, on_release=False)
    for moment in (0, 20, 40):
        clock.now = 1000 + moment
        journal.take(row("a", moment))
        watch.arrived("a", 1)
        assert watch.step() == 0
    clock.now = 1069.9
    assert watch.step() == 0
    clock.now = 1070.0
    assert watch.step() == 1 and journal.in_state("queued") == ["a"]


def test_a_clock_set_back_stalls_nothing(journal: Journal, log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, watch = Clock(monkeypatch), Completion(journal, log, quiet_seconds=30, on_release=False)
    monkeypatch.setattr(time, "time", lambda: 1e9)
    journal.take(row("a", 1))
    watch.step()
    monkeypatch.setattr(time, "time", lambda: 1e9 - 3650 * DAY)
    clock.now += 30
    assert watch.step() == 1
    job = journal.claim()
    assert job is not None and journal.finish(job, [Made("9", "SR", "c", "t", "p", "x", ("x",))], "") == "sending"
    assert journal.sent("9", "x") == "done"


def test_after_a_restart_the_quiet_time_begins_anew(
    journal: Journal, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch)
    journal.take(row("a", 1))
    watch = Completion(journal, log, quiet_seconds=30, on_release=True)  # of a new life: it heard nothing arrive
    assert watch.step() == 0
    clock.now += 30
    assert watch.step() == 1


def test_release_makes_whole_unless_another_association_still_sends(journal: Journal, log: Log) -> None:
    watch = Completion(journal, log, quiet_seconds=3600, on_release=True)
    for number in (1, 2):
        journal.take(row("a", number))
        watch.arrived("a", number)
    watch.ended(1, released=True)
    assert watch.step() == 0
    watch.ended(2, released=True)
    assert watch.step() == 1


@pytest.mark.parametrize("fault", ["aborted", "refused", "too few", "off"])
def test_a_release_that_proves_nothing(journal: Journal, log: Log, fault: str) -> None:
    watch = Completion(journal, log, quiet_seconds=3600, on_release=fault != "off")
    one = row("a", 1)
    journal.take(Row(**{**one.__dict__, "stated_study": 2 if fault == "too few" else None}))
    watch.arrived("a", 1)
    if fault == "refused":
        watch.refused(1)
    watch.ended(1, released=fault != "aborted")
    assert watch.step() == 0


def test_own_results_alone_start_nothing(journal: Journal) -> None:
    """Results of livermre, sent on by a PACS whose study this node never saw or has forgotten."""
    journal.take(Row(**{**row("a", 1).__dict__, "own": True}))
    assert journal.whole("a", "quiet") and journal.claim() is None
    (study,) = journal.ask("SELECT state, message FROM studies")
    assert tuple(study) == ("refused", "only results of livermre came")


def test_limits_of_the_door(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = Limits(connections=3, per_minute=2, hosts=("10.1.0.0/16", "::1/128"), instance_bytes=100, memory_bytes=150)
    assert limits.may_connect("10.2.0.1", 0) == "host" and limits.may_connect("10.1.9.9", 3) == "connections"
    assert [limits.may_connect("10.1.0.1", 0) for _ in range(3)] == ["", "", "rate"]
    assert limits.may_connect("::1", 0) == ""  # each address has its own rate
    later = time.monotonic() + 61
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert limits.may_connect("10.1.0.1", 0) == ""
    assert limits.hold(1, 100) == ""
    assert limits.hold(2, 51) == "memory" and limits.hold(2, 50) == ""
    limits.hold(1, 0)
    assert limits.hold(2, 150) == "" and limits.hold(2, 151) == "memory"


def test_a_message_counts_until_it_is_dealt_with() -> None:
    """Coming, waiting, in hand: in each of them its bytes lie in memory."""
    messages = Messages()
    held = [messages.held()]
    for length in (10, 200):
        messages.coming = length
        held.append(messages.held())
        messages.put((1, "message"))
        held.append(messages.held())
    messages.get(block=False)
    messages.coming = 3000
    held.append(messages.held())
    messages.get(block=False)  # the first one is dealt with: who asks for the next has done it
    held.append(messages.held())
    with pytest.raises(queue.Empty):
        messages.get(block=False)
    held.append(messages.held())
    messages.forget()
    assert held == [0, 10, 10, 210, 210, 3210, 3200, 3000] and messages.held() == 0


class Kept:
    """A done and sent study, a done one that nobody was sent, a sending, a refused and a failed one, with files."""

    def __init__(self, journal: Journal, root: Path) -> None:
        self.journal, self.spool = journal, Spool(root / "data")
        self.spool.open()
        for study in ("sent", "unsent", "sending", "refused", "failed"):
            queued(journal, study)
            job = journal.claim()
            assert job is not None
            self.spool.put(study, job.names[0], [b"x"])
            folder = self.spool.result_folder(job.run)
            folder.mkdir()
            (folder / "sr.dcm").write_bytes(b"x")
            if study == "refused":
                journal.refuse(job, "no exam")
            elif study == "failed":
                journal.died(job, "signal", 1)
            else:
                places = () if study == "unsent" else ("x",)
                journal.finish(job, [Made(f"9.{study}", "SR", "c", "t", "p", "x", places)], "")
        journal.sent("9.sent", "x")

    def here(self) -> set[str]:
        return {study for study, _ in self.spool.stored()}


def test_only_what_is_done_and_sent_is_removed(journal: Journal, log: Log, tmp_path: Path) -> None:
    kept = Kept(journal, tmp_path)
    keys, now = RetentionKeys(keep_days=7), time.time()
    assert retention.retain(keys, journal, kept.spool, log, now + 6.9 * DAY) == 0
    assert retention.retain(keys, journal, kept.spool, log, now + 3000 * DAY) == 1
    assert kept.here() == {"unsent", "sending", "refused", "failed"} and len(kept.spool.result_runs()) == 4
    assert retention.retain(RetentionKeys(keep_refused_days=30), journal, kept.spool, log, now + 31 * DAY) == 1
    assert kept.here() == {"unsent", "sending", "failed"}


def test_what_was_removed_may_come_again_and_is_not_sent_twice(journal: Journal, log: Log, tmp_path: Path) -> None:
    kept = Kept(journal, tmp_path)
    retention.retain(RetentionKeys(keep_days=0), journal, kept.spool, log, time.time() + DAY)
    assert journal.take(row("sent", 1)) == "restored" and journal.in_state("receiving") == ["sent"]
    journal.whole("sent", "quiet")
    job = journal.claim()
    assert job is not None
    assert journal.finish(job, [Made("9.sent", "SR", "c", "t", "p2", "x", ("x",))], "") == "done"  # the PACS has it


def test_a_late_image_after_the_removal_is_not_half_an_exam(journal: Journal, log: Log, tmp_path: Path) -> None:
    """What is left of an exam could give a number that looks like a result: only the whole study is analysed again."""
    kept = Kept(journal, tmp_path)
    retention.retain(RetentionKeys(keep_days=0), journal, kept.spool, log, time.time() + DAY)
    for number, result in ((2, "refused"), (1, "analysing")):  # a late one alone; then the one that had been removed
        journal.take(row("sent", number))
        journal.whole("sent", "quiet")
        job = journal.claim()
        (state,) = journal.ask("SELECT state, message FROM studies WHERE id='sent'")
        assert state["state"] == result
        assert (job is None) == (result == "refused")
    assert job is not None and set(job.names) == {"sent-1-0", "sent-2-0"}
    told = [r["detail"] for r in journal.ask("SELECT detail FROM history WHERE event='refused' AND study='sent'")]
    assert told == ["1 image(s) of it were removed after keep_days: send the whole study again"]


def test_a_removed_image_that_comes_with_other_bytes_is_here_again(journal: Journal, log: Log, tmp_path: Path) -> None:
    """A PACS that mended a header sends the same UID with other bytes: nothing is missing then."""
    kept = Kept(journal, tmp_path)
    retention.retain(RetentionKeys(keep_days=0), journal, kept.spool, log, time.time() + DAY)
    assert journal.take(row("sent", 1, 1)) == "new"
    journal.whole("sent", "quiet")
    job = journal.claim()
    assert job is not None and job.names == ("sent-1-1",)


def test_a_removal_that_was_killed_is_finished_at_the_start(journal: Journal, log: Log, tmp_path: Path) -> None:
    """The journal forgets first: files without a living row go at the next start, acknowledged ones never."""
    kept = Kept(journal, tmp_path)
    journal.forget_files("sent", ["done"])
    kept.spool.put("stranger", "never-acknowledged.dcm", [b"x"])
    assert retention.sweep(journal, kept.spool, log) == 2
    assert kept.here() == {"unsent", "sending", "refused", "failed"} and len(kept.spool.result_runs()) == 4


def test_history_is_forgotten_after_the_files(journal: Journal, log: Log, tmp_path: Path) -> None:
    kept = Kept(journal, tmp_path)
    retention.retain(RetentionKeys(keep_days=1, keep_history_days=30), journal, kept.spool, log, time.time() + 31 * DAY)
    assert {r["id"] for r in journal.ask("SELECT id FROM studies")} == {"unsent", "sending", "refused", "failed"}
    assert not journal.ask("SELECT 1 FROM history WHERE study='sent'")


def test_metrics_are_prometheus_text(journal: Journal, tmp_path: Path) -> None:
    """Each line is a comment or `name{labels} value` (Prometheus exposition formats 0.0.4); each name is told once."""
    Kept(journal, tmp_path)
    base = connect_to_read(tmp_path / "journal.sqlite")
    text = metrics(overview(base), {"instances_new": 5}, {"uptime_seconds": 1.5})
    base.close()
    lines = text.splitlines()
    for line in lines:
        assert re.fullmatch(r'# (HELP|TYPE) \w+ .+|\w+(\{\w+="[^"]*"(,\w+="[^"]*")*\})? [0-9.e+-]+', line), line
    told = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert len(told) == len(set(told)) and text.endswith("\n")
    assert 'livermre_node_studies{state="done"} 2' in lines and "livermre_node_instances_new_total 5" in lines
    assert 'livermre_node_sends{destination="x",state="sent"} 1' in lines


def test_the_page_escapes_and_names_hashes_only(journal: Journal, tmp_path: Path) -> None:
    Kept(journal, tmp_path)
    base = connect_to_read(tmp_path / "journal.sqlite")
    shown = page(overview(base), "<script>", {})
    base.close()
    assert "<script>" not in shown and "no exam" not in shown  # messages may quote headers
    assert shown.count("<tr class=") == 5


def told(checks: list[Check]) -> str:
    return "\n".join(f"{c.state} {c.what}: {c.told}" for c in checks)


def test_the_doctor_says_what_to_mend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from livermre.apps.node import doctor

    monkeypatch.setattr(doctor, "_analysis", lambda config: iter(()))  # the network has tests of its own
    pacs = Pacs(free_port()).open()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        places = [
            destination("good", pacs.port, 'objects = ["SC"]\n'),
            destination("lacks", pacs.port, 'objects = ["SC", "SEG", "PDF"]\n'),
            destination("dead", 9),
            destination("called", pacs.port).replace('"PACS"', '"OTHER"'),
            f'[[destination]]\nname = "web"\nweb = {{ url = "http://127.0.0.1:{port}" , timeout_seconds = 1 }}\n',
            f"[status]\nport = {port}\n",
        ]
        text = told(examine(config_file(tmp_path, *places, port=free_port()))) + told(
            examine(config_file(tmp_path, port=port))
        )
    pacs.close()
    assert "good destination good: PACS answers C-ECHO and takes SC" in text
    assert "bad destination lacks: PACS does not take PDF, SEG: leave them out of objects, or allow them there" in text
    assert "bad destination dead: 127.0.0.1 port 9 cannot be reached (Connection refused): mend host and port" in text
    assert "bad destination called: OTHER at 127.0.0.1" in text and "it has another AE title (called): mend aet" in text
    assert f"bad status port: cannot listen on 127.0.0.1 port {port}" in text
    assert "bad DICOMweb web: " in text and f"bad port: cannot listen on 127.0.0.1 port {port}" in text
    assert "good disk" in text and "doubtful tls: the port speaks no TLS" in text


def test_the_doctor_knows_a_calling_title_that_is_not_known_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from livermre.apps.node import doctor

    monkeypatch.setattr(doctor, "_analysis", lambda config: iter(()))
    pacs = Pacs(free_port()).open(calling="SOMEBODY")
    text = told(examine(config_file(tmp_path, destination("pacs", pacs.port))))
    pacs.close()
    assert "it does not know our AE title (calling): add it there" in text


def test_a_log_that_cannot_be_written_is_said_before_the_start(
    tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    from livermre.apps.node import doctor

    monkeypatch.setattr(doctor, "_analysis", lambda config: iter(()))
    config = config_file(tmp_path)
    assert f"good log: {tmp_path / 'node.log'}" in told(examine(config)) and not (tmp_path / "node.log").exists()
    for name, why in (("none/node.log", f"cannot be written: is {tmp_path / 'none'} there"), ("data", "is a folder")):
        config.write_text(re.sub(r"^log = .*", f'log = "{name}"', config.read_text(), flags=re.M))
        assert f"bad log: {tmp_path / name} {why}" in told(examine(config))
        assert main(["node", "run", str(config)]) == 2
        assert f"[node] log: cannot write {tmp_path / name} (" in capsys.readouterr().err


def test_init_status_and_retry(tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "new.toml"
    assert main(["node", "init", str(target)]) == 0 and "LIVERMRE" in target.read_text()
    assert main(["node", "init", str(target)]) == 2
    assert "is there already: it was left as it is" in capsys.readouterr().err
    config = config_file(tmp_path)
    assert main(["node", "status", str(config)]) == 2
    assert "there is no journal" in capsys.readouterr().err
    (tmp_path / "data").mkdir()
    journal = Journal(tmp_path / "data" / "journal.sqlite")
    Kept(journal, tmp_path)
    journal.rejected("9.sending", "x", "C-STORE status 0xA900", 5)
    for _ in range(3):
        journal.troubled("x", "10.0.0.1 port 104 cannot be reached (Connection refused)")
    journal.close()
    capsys.readouterr()
    assert main(["node", "status", str(config)]) == 0
    out = capsys.readouterr().out
    assert "receiving 0  queued 0  analysing 0  sending 1  done 2  refused 1  failed 1" in out
    assert "x: waiting 1; the last error: C-STORE status 0xA900\n" in out and "x: sent 1\n" in out
    assert re.search(r"x: away since 20\S+Z, 3 attempt\(s\): 10\.0\.0\.1 port 104 cannot be reached \(Conn", out)
    assert main(["node", "status", str(config), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["away"][0]["attempts"] == 3 and told["errors"][0]["message"] == "C-STORE status 0xA900"
    assert main(["node", "status", str(config), "--study", "1.failed"]) == 0
    assert "set aside after 1 attempts: signal" in capsys.readouterr().out
    assert main(["node", "retry", str(config), "fail"]) == 0
    assert main(["node", "retry", str(config), "fail"]) == 2
    assert "is under way" in capsys.readouterr().err
    assert main(["node", "retry", str(config), "none"]) == 2
    assert "no study has the UID or hash 'none'" in capsys.readouterr().err
