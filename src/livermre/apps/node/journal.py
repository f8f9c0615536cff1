"""The journal: the one truth about every study. Each method is one transaction, so a kill falls between two of them.

receiving -> queued -> analysing -> sending -> done; and from analysing
- to refused: no exam in it that livermre can read,
- to failed: set aside after so many attempts (also from sending: an object that its destination does not want),
- back to queued: a worker died, or the node did.
From every later state back to receiving: an image arrived late; a new revision, unless nothing had begun.
"""

import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from livermre.apps.node.schema import connect

Kind = Literal["image", "conflict", "own"]
Taken = Literal["new", "duplicate", "conflict", "own", "restored"]


@dataclass(frozen=True)
class Row:
    """One instance as the journal keeps it; `stated_*` are counts that the header promises, None where it does not.

    own  a result of livermre, whichever node made it: it is kept and starts nothing
    """

    name: str
    study: str
    study_uid: str
    sop_uid: str
    sop_class: str
    transfer_syntax: str
    series: str
    sha256: str
    size: int
    calling: str
    stated_study: int | None = None
    stated_series: int | None = None
    own: bool = False


@dataclass(frozen=True)
class Job:
    """One attempt at one revision of a study, and the files that it may see."""

    study: str
    revision: int
    run: int
    names: tuple[str, ...]
    calling: str


@dataclass(frozen=True)
class Made:
    """A DICOM object that a run wrote (or an image to pass on), and where it is to go."""

    sop_uid: str
    kind: str
    sop_class: str
    transfer_syntax: str
    path: str
    sha256: str
    destinations: tuple[str, ...]


class Base:
    """One connection for all threads, one transaction at a time."""

    def __init__(self, file: Path) -> None:
        self._base = connect(file)
        self._lock = threading.RLock()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing, and on the disk at the end."""
        with self._lock:
            self._base.execute("BEGIN IMMEDIATE")
            try:
                yield self._base
                self._base.execute("COMMIT")
            except BaseException:
                if self._base.in_transaction:
                    self._base.execute("ROLLBACK")
                raise

    def ask(self, query: str, *values: object) -> list[sqlite3.Row]:
        """Rows of a question."""
        with self._lock:
            return self._base.execute(query, values).fetchall()

    def close(self) -> None:
        """No more questions."""
        with self._lock:
            self._base.close()

    @staticmethod
    def note(base: sqlite3.Connection, study: str, event: str, detail: str = "") -> int:
        """A line of a study's history; its number."""
        row = base.execute(
            "INSERT INTO history (study, at, event, detail) VALUES (?, ?, ?, ?)", (study, time.time(), event, detail)
        )
        return int(row.lastrowid or 0)

    @staticmethod
    def move(base: sqlite3.Connection, study: str, state: str, message: str = "", **also: object) -> None:
        """A study into another state, with its line of history."""
        extra = "".join(f", {key}=?" for key in also)
        base.execute(
            f"UPDATE studies SET state=?, message=?, changed=?{extra} WHERE id=?",
            (state, message, time.time(), *also.values(), study),
        )
        Base.note(base, study, state, message)


class Arrivals(Base):
    """Instances come in, and studies are whole."""

    def known(self, sop_uid: str, sha256: str) -> sqlite3.Row | None:
        """The row of exactly this instance, if it is here."""
        rows = self.ask("SELECT * FROM instances WHERE sop_uid=? AND sha256=?", sop_uid, sha256)
        return rows[0] if rows else None

    def has(self, sop_uid: str) -> bool:
        """Whether an instance was ever taken in or made here, whatever its bytes (also after its removal)."""
        return bool(
            self.ask("SELECT 1 FROM instances WHERE sop_uid=?", sop_uid)
            or self.ask("SELECT 1 FROM objects WHERE sop_uid=?", sop_uid)
        )

    def holds(self, sop_uid: str) -> bool:
        """Whether an instance lies here on the disk now: what storage commitment promises."""
        return bool(self.ask("SELECT 1 FROM instances WHERE sop_uid=? AND removed=0", sop_uid))

    def take(self, row: Row) -> Taken:
        """Enter an instance whose file is on the disk; a study that had gone on starts again as a new revision."""
        with self.transaction() as base:
            known = base.execute("SELECT * FROM instances WHERE name=?", (row.name,)).fetchone()
            if known is not None and not known["removed"]:
                return "duplicate"
            kind = self._kind(base, row)
            self._insert(base, row, kind)
            if kind == "image":
                self._reopen(base, row)
                return "new" if known is None else "restored"
            self._first(base, row)
            self.note(base, row.study, "conflict" if kind == "conflict" else "own object came back", row.name)
            return kind

    @staticmethod
    def _kind(base: sqlite3.Connection, row: Row) -> Kind:
        if (
            row.own
            or base.execute("SELECT 1 FROM objects WHERE sop_uid=? AND kind!='SOURCE'", (row.sop_uid,)).fetchone()
        ):
            return "own"
        other = base.execute(
            "SELECT 1 FROM instances WHERE sop_uid=? AND kind='image' AND removed=0 AND name!=?",
            (row.sop_uid, row.name),
        )
        return "conflict" if other.fetchone() else "image"

    @staticmethod
    def _insert(base: sqlite3.Connection, row: Row, kind: Kind) -> None:
        base.execute(
            "INSERT OR REPLACE INTO instances VALUES (?,?,?,?,?,?,?,?,?,?,?,0,"
            "coalesce((SELECT revision FROM studies WHERE id=?), 1),?)",
            (row.name, row.study, row.sop_uid, kind, row.sop_class, row.transfer_syntax, row.series, row.sha256,
             row.size, row.stated_study, row.stated_series, row.study, time.time()),
        )  # fmt: skip

    def _first(self, base: sqlite3.Connection, row: Row) -> bool:
        now = time.time()
        done = base.execute(
            "INSERT OR IGNORE INTO studies (id, uid, state, calling, created, changed) VALUES (?,?,'receiving',?,?,?)",
            (row.study, row.study_uid, row.calling, now, now),
        )
        if done.rowcount:
            self.note(base, row.study, "receiving")
        return bool(done.rowcount)

    def _reopen(self, base: sqlite3.Connection, row: Row) -> None:
        if self._first(base, row):
            return
        study = base.execute("SELECT state, revision FROM studies WHERE id=?", (row.study,)).fetchone()
        if study["state"] == "queued":
            self.move(base, row.study, "receiving", "an image arrived late")
        elif study["state"] != "receiving":
            revision = study["revision"] + 1
            self.move(
                base, row.study, "receiving", f"an image arrived late: revision {revision}",
                revision=revision, attempts=0, interruptions=0,
            )  # fmt: skip
            base.execute("UPDATE instances SET revision=? WHERE name=?", (revision, row.name))

    def in_state(self, state: str) -> list[str]:
        """The studies in a state, longest first."""
        return [r["id"] for r in self.ask("SELECT id FROM studies WHERE state=? ORDER BY changed, id", state)]

    def counts_agree(self, study: str) -> bool:
        """Whether as many images are here as the headers promise, where they promise anything."""
        images = self.ask("SELECT * FROM instances WHERE study=? AND kind='image' AND removed=0", study)
        for key, group in [("stated_study", None), *(("stated_series", s) for s in {r["series"] for r in images})]:
            members = [r for r in images if group is None or r["series"] == group]
            if any(r[key] is not None and r[key] != len(members) for r in members):
                return False
        return bool(images)

    def whole(self, study: str, why: str) -> bool:
        """A study that was being received goes into the queue."""
        with self.transaction() as base:
            row = base.execute("SELECT state FROM studies WHERE id=?", (study,)).fetchone()
            if row is None or row["state"] != "receiving":
                return False
            self._queue(base, study, why)
            return True

    def _queue(self, base: sqlite3.Connection, study: str, why: str, **also: object) -> None:
        self.move(base, study, "queued", why, **also)
        base.execute("UPDATE studies SET queued=(SELECT max(seq) FROM history) WHERE id=?", (study,))


class Work(Arrivals):
    """Studies are analysed."""

    def claim(self) -> Job | None:
        """The next study to analyse: one that never failed before one that did, then the one that waits longest."""
        with self.transaction() as base:
            row = base.execute(
                "SELECT * FROM studies WHERE state='queued' ORDER BY attempts + interruptions, queued LIMIT 1"
            ).fetchone()
            if row is None:
                return None
            images = base.execute(
                "SELECT name, sop_uid FROM instances WHERE study=? AND kind='image' AND removed=0 ORDER BY name",
                (row["id"],),
            ).fetchall()
            why = self._why_not(base, row["id"], {r["sop_uid"] for r in images})
            if why:
                self.move(base, row["id"], "refused", why)
                return None
            run = base.execute(
                "INSERT INTO runs (study, revision, state, started) VALUES (?, ?, 'running', ?)",
                (row["id"], row["revision"], time.time()),
            ).lastrowid
            self.move(base, row["id"], "analysing", f"run {run}", attempts=row["attempts"] + 1)
            return Job(row["id"], row["revision"], int(run or 0), tuple(r["name"] for r in images), row["calling"])

    @staticmethod
    def _why_not(base: sqlite3.Connection, study: str, here: set[str]) -> str:
        """Why a study is not analysed; empty where it is: half an exam could give a number that looks like a result."""
        rows = base.execute("SELECT sop_uid, kind, removed FROM instances WHERE study=?", (study,)).fetchall()
        if not here:
            only_own = all(r["kind"] == "own" for r in rows)
            return "only results of livermre came" if only_own else "no image is here: removed, or in conflict"
        gone = {r["sop_uid"] for r in rows if r["kind"] == "image" and r["removed"]} - here
        if gone:
            return f"{len(gone)} image(s) of it were removed after keep_days: send the whole study again"
        return ""

    def finish(self, job: Job, objects: Sequence[Made], message: str) -> str:
        """A run gave results; the study's new state, or 'superseded' where a late image had started it again."""
        with self.transaction() as base:
            if not self._still(base, job, "finished"):
                return "superseded"
            for made in objects:
                self._enter(base, job, made)
            waiting = self._outdate(base, job, {m.sop_uid for m in objects})
            self.move(base, job.study, "sending" if waiting else "done", message, attempts=0)
            return "sending" if waiting else "done"

    def refuse(self, job: Job, message: str) -> str:
        """A run found no exam that livermre can read: another attempt would find none either."""
        with self.transaction() as base:
            if not self._still(base, job, "refused"):
                return "superseded"
            self.move(base, job.study, "refused", message)
            return "refused"

    def died(self, job: Job, reason: str, limit: int) -> str:
        """A run ended without an answer: back into the queue, or aside after `limit` attempts."""
        with self.transaction() as base:
            if not self._still(base, job, "died"):
                return "superseded"
            (attempts,) = base.execute("SELECT attempts FROM studies WHERE id=?", (job.study,)).fetchone()
            if attempts < limit:
                self._queue(base, job.study, f"attempt {attempts} of {limit}: {reason}")
                return "queued"
            self.move(base, job.study, "failed", f"set aside after {attempts} attempts: {reason}")
            return "failed"

    def interrupted(self, limit: int, run: int | None = None) -> int:
        """Runs that the end of the node interrupted go back into the queue; how many (`run`: only this one)."""
        with self.transaction() as base:
            runs = base.execute(
                "SELECT * FROM runs WHERE state='running' AND (? IS NULL OR id=?)", (run, run)
            ).fetchall()
            for row in runs:
                base.execute("UPDATE runs SET state='interrupted', ended=? WHERE id=?", (time.time(), row["id"]))
                study = base.execute("SELECT * FROM studies WHERE id=?", (row["study"],)).fetchone()
                if study["state"] != "analysing" or study["revision"] != row["revision"]:
                    continue
                count = study["interruptions"] + 1
                if count < limit:
                    before = max(0, study["attempts"] - 1)  # the study is not to blame, unless it goes on
                    self._queue(base, row["study"], "the node stopped", attempts=before, interruptions=count)
                else:
                    self.move(base, row["study"], "failed", f"set aside: the node stopped {count} times while at it")
            return len(runs)

    def retry(self, study: str) -> bool:
        """A study that was set aside, or whose sending was, gets a new chance."""
        with self.transaction() as base:
            row = base.execute("SELECT state FROM studies WHERE id=?", (study,)).fetchone()
            if row is None or row["state"] not in {"failed", "refused", "done"}:
                return False
            base.execute("UPDATE sends SET state='waiting', attempts=0 WHERE study=? AND state='rejected'", (study,))
            self._queue(base, study, "asked for by a person", attempts=0, interruptions=0)
            return True

    @staticmethod
    def _still(base: sqlite3.Connection, job: Job, ended: str) -> bool:
        """Whether a run is still what the study waits for; it is entered as ended either way."""
        run = base.execute("SELECT state FROM runs WHERE id=?", (job.run,)).fetchone()
        study = base.execute("SELECT state, revision FROM studies WHERE id=?", (job.study,)).fetchone()
        still = run["state"] == "running" and study["state"] == "analysing" and study["revision"] == job.revision
        base.execute(
            "UPDATE runs SET state=?, ended=? WHERE id=?", (ended if still else "superseded", time.time(), job.run)
        )
        if not still:
            Base.note(base, job.study, "superseded", f"run {job.run}")
        return still

    @staticmethod
    def _enter(base: sqlite3.Connection, job: Job, made: Made) -> None:
        base.execute(
            "INSERT INTO objects VALUES (?,?,?,?,?,?,?,?,?,0) ON CONFLICT (sop_uid) DO UPDATE SET "
            "run=excluded.run, revision=excluded.revision, path=excluded.path, sha256=excluded.sha256, removed=0",
            (made.sop_uid, job.study, job.run, job.revision, made.kind, made.sop_class, made.transfer_syntax,
             made.path, made.sha256),
        )  # fmt: skip
        for destination in made.destinations:  # what was sent once stays sent
            base.execute(
                "INSERT INTO sends (sop_uid, destination, study, state) VALUES (?, ?, ?, 'waiting') "
                "ON CONFLICT DO UPDATE SET state='waiting', attempts=0 WHERE state IN ('superseded', 'rejected')",
                (made.sop_uid, destination, job.study),
            )

    @staticmethod
    def _outdate(base: sqlite3.Connection, job: Job, now: set[str]) -> int:
        """Unsent results of an earlier revision give way to those of this one; how many sends wait."""
        rows = base.execute("SELECT sop_uid FROM sends WHERE study=? AND state='waiting'", (job.study,)).fetchall()
        if now:
            for uid in {r["sop_uid"] for r in rows} - now:
                base.execute("UPDATE sends SET state='superseded' WHERE sop_uid=? AND state='waiting'", (uid,))
        (count,) = base.execute("SELECT count(*) FROM sends WHERE study=? AND state='waiting'", (job.study,)).fetchone()
        return int(count)
