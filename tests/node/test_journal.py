"""The journal's laws, tried on random histories: nothing acknowledged is ever dropped, and every study goes on."""

import sqlite3
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from livermre.apps.node.journal import Job, Made, Row
from livermre.apps.node.schema import STATES, connect
from livermre.apps.node.sends import Journal
from livermre.exam.errors import OutputError, SettingsError

LIMIT = 3


def row(study: str, number: int, content: int = 0) -> Row:
    return Row(
        f"{study}-{number}-{content}", study, f"1.{study}", f"1.{study}.{number}", "c", "t", "s", f"{content}", 1, "MR"
    )


def made(uid: str, *destinations: str) -> Made:
    return Made(uid, "SR", "c", "t", f"results/{uid}", "x", destinations)


class Histories(RuleBasedStateMachine):
    """Any order of arrivals, runs, deaths, kills of the node, and answers of two destinations."""

    @initialize()
    def begin(self) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self.file = Path(self._folder.name) / "j"
        self.journal = Journal(self.file)
        self.taken: dict[str, set[str]] = {}
        self.jobs: list[Job] = []
        self.sent: set[tuple[str, str]] = set()

    def teardown(self) -> None:
        if hasattr(self, "journal"):
            self.journal.close()
            self._folder.cleanup()

    def state(self, study: str) -> sqlite3.Row:
        return self.journal.ask("SELECT * FROM studies WHERE id=?", study)[0]

    @rule(study=st.sampled_from("ab"), number=st.integers(1, 3), content=st.integers(0, 1))
    def arrive(self, study: str, number: int, content: int) -> None:
        before = self.journal.ask("SELECT * FROM studies WHERE id=?", study)
        what = self.journal.take(row(study, number, content))
        names = self.taken.setdefault(study, set())
        name = f"{study}-{number}-{content}"
        other = f"{study}-{number}-{1 - content}"
        assert what == ("duplicate" if name in names else "conflict" if other in names else "new")
        names.add(name)
        if what == "new":
            assert self.state(study)["state"] == "receiving"
            if before:
                began = before[0]["state"] not in {"receiving", "queued"}
                assert self.state(study)["revision"] == before[0]["revision"] + began
        elif before:
            assert tuple(self.state(study)) == tuple(before[0])

    @rule(study=st.sampled_from("ab"))
    def whole(self, study: str) -> None:
        was = study in self.taken and self.state(study)["state"]
        assert self.journal.whole(study, "quiet") == (was == "receiving")

    @rule()
    def claim(self) -> None:
        waiting = set(self.journal.in_state("queued"))
        job = self.journal.claim()
        assert (job is None) == (not waiting)
        if job is not None:
            images = self.journal.ask("SELECT name FROM instances WHERE study=? AND kind='image'", job.study)
            assert set(job.names) == {r["name"] for r in images}
            self.jobs.append(job)

    @precondition(lambda self: self.jobs)
    @rule(data=st.data(), how=st.sampled_from(["finish", "empty", "refuse", "die"]))
    def end(self, data: st.DataObject, how: str) -> None:
        job = self.jobs.pop(data.draw(st.integers(0, len(self.jobs) - 1)))
        current = self.state(job.study)
        due = (current["state"], current["revision"]) == ("analysing", job.revision)
        if how == "finish":
            got = self.journal.finish(job, [made(f"9.{job.study}.{job.revision}", "x", "y")], "")
        elif how == "empty":
            got = self.journal.finish(job, [], "")
        elif how == "refuse":
            got = self.journal.refuse(job, "no exam")
        else:
            got = self.journal.died(job, "signal", LIMIT)
            assert not due or got == ("failed" if current["attempts"] >= LIMIT else "queued")
        assert (got == "superseded") == (not due)
        if due:
            assert self.state(job.study)["state"] == got
        else:
            assert tuple(self.state(job.study)) == tuple(current)  # a run that nobody waits for changes nothing

    @rule(destination=st.sampled_from("xy"), good=st.booleans())
    def answer(self, destination: str, good: bool) -> None:
        for waiting in self.journal.waiting(destination, 1):
            key = (waiting["sop_uid"], destination)
            assert key not in self.sent  # what was acknowledged is never sent again
            if good:
                self.journal.sent(*key)
                self.sent.add(key)
            else:
                self.journal.rejected(*key, "no", 2)

    @rule()
    def kill_and_start_again(self) -> None:
        """A kill: the connection goes without a word, runs in hand are forgotten."""
        self.journal.close()
        self.journal = Journal(self.file)
        self.journal.interrupted(100)
        self.jobs.clear()
        assert not self.journal.in_state("analysing")

    @rule(study=st.sampled_from("ab"))
    def retry(self, study: str) -> None:
        was = study in self.taken and self.state(study)["state"]
        assert self.journal.retry(study) == (was in {"done", "refused", "failed"})

    @invariant()
    def laws(self) -> None:
        if not hasattr(self, "journal"):
            return
        kept = self.journal.ask("SELECT study, name FROM instances WHERE removed=0")
        assert {(r["study"], r["name"]) for r in kept} == {(s, n) for s, names in self.taken.items() for n in names}
        for study in self.journal.ask("SELECT * FROM studies"):
            assert study["state"] in STATES
            sends = {r["state"] for r in self.journal.ask("SELECT state FROM sends WHERE study=?", study["id"])}
            assert study["state"] != "done" or "waiting" not in sends
            assert study["state"] != "sending" or "waiting" in sends
            running = [j for j in self.jobs if (j.study, j.revision) == (study["id"], study["revision"])]
            assert study["state"] != "analysing" or running  # nobody waits for a run that is not there
            last = self.journal.ask(
                "SELECT event FROM history WHERE study=? AND event IN "
                f"({','.join('?' * len(STATES))}) ORDER BY seq DESC LIMIT 1", study["id"], *STATES,
            )  # fmt: skip
            assert last[0]["event"] == study["state"]  # the history tells the state


TestHistories = Histories.TestCase
TestHistories.settings = settings(
    max_examples=25, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "j")


def queued(journal: Journal, study: str) -> None:
    journal.take(row(study, 1))
    assert journal.whole(study, "quiet")


def test_every_commit_is_on_the_disk(tmp_path: Path) -> None:
    """WAL and synchronous=FULL (2): the log is synced at each commit, sqlite.org/pragma.html#pragma_synchronous."""
    base = connect(tmp_path / "j")
    assert base.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    assert base.execute("PRAGMA synchronous").fetchone()[0] == 2
    assert (tmp_path / "j").stat().st_mode & 0o077 == 0


def test_a_poisonous_study_goes_aside_and_the_others_go_on(journal: Journal) -> None:
    for study in ("bad", "good", "better"):
        queued(journal, study)
    order = []
    while (job := journal.claim()) is not None:
        order.append(job.study)
        if job.study == "bad":
            journal.died(job, "signal 9", LIMIT)
        else:
            journal.finish(job, [], "")
    assert order == ["bad", "good", "better", "bad", "bad"]  # it waits behind those that never failed
    assert journal.in_state("failed") == ["bad"] and len(journal.in_state("done")) == 2


def test_a_study_is_not_blamed_for_the_end_of_the_node_but_not_for_ever(journal: Journal) -> None:
    queued(journal, "a")
    for _ in range(4):
        assert journal.claim() is not None
        journal.interrupted(5)
        assert journal.ask("SELECT attempts FROM studies")[0]["attempts"] == 0
    assert journal.claim() is not None
    journal.interrupted(5)
    assert journal.in_state("failed") == ["a"]


def test_unsent_results_of_an_earlier_revision_give_way(journal: Journal) -> None:
    queued(journal, "a")
    first = journal.claim()
    assert first is not None
    journal.finish(first, [made("9.1", "x"), made("9.same", "x")], "")
    journal.take(row("a", 2))
    journal.whole("a", "quiet")
    second = journal.claim()
    assert second is not None
    journal.finish(second, [made("9.2", "x"), made("9.same", "x")], "")
    assert {r["sop_uid"] for r in journal.waiting("x")} == {"9.2", "9.same"}


def test_results_stay_due_where_the_new_revision_gave_none(journal: Journal) -> None:
    queued(journal, "a")
    first = journal.claim()
    assert first is not None
    journal.finish(first, [made("9.1", "x")], "")
    journal.take(row("a", 2))
    journal.whole("a", "quiet")
    second = journal.claim()
    assert second is not None
    journal.refuse(second, "contradiction")
    assert [r["sop_uid"] for r in journal.waiting("x")] == ["9.1"]
    assert journal.sent("9.1", "x") == "refused"


def test_an_object_that_nobody_takes_fails_its_study_alone(journal: Journal) -> None:
    for study in "ab":
        queued(journal, study)
        job = journal.claim()
        assert job is not None
        journal.finish(job, [made(f"9.{study}", "x")], "")
    assert journal.rejected("9.a", "x", "0xA900", 2) == "sending"
    assert journal.rejected("9.a", "x", "0xA900", 2) == "failed"
    assert journal.sent("9.b", "x") == "done"
    assert journal.retry("a")  # and a person can give it a new chance
    assert journal.ask("SELECT state, attempts FROM sends WHERE sop_uid='9.a'")[0]["state"] == "waiting"


def test_a_journal_of_another_version_or_kind_is_left_alone(tmp_path: Path) -> None:
    connect(tmp_path / "j").execute("PRAGMA user_version=99")
    with pytest.raises(SettingsError, match="is of version 99, this livermre writes version 1"):
        connect(tmp_path / "j")
    (tmp_path / "k").write_bytes(b"no data base" * 100)
    with pytest.raises(OutputError, match="cannot be used"):
        connect(tmp_path / "k")
    assert (tmp_path / "k").read_bytes() == b"no data base" * 100
