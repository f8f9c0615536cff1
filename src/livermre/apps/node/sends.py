"""The journal's second half: one row for each object and destination, storage commitments, retention, and counts."""

import json
import sqlite3
import time
from collections.abc import Sequence

from livermre.apps.node.journal import Work


class Journal(Work):
    """The whole journal of a running node."""

    def waiting(self, destination: str, most: int = 200) -> list[sqlite3.Row]:
        """Objects that a destination has not got yet, those of one study together, tried ones last."""
        return self.ask(
            "SELECT o.*, s.attempts FROM sends s JOIN objects o USING (sop_uid) WHERE s.destination=? AND "
            "s.state='waiting' ORDER BY s.attempts, o.run, o.sop_uid LIMIT ?",
            destination, most,
        )  # fmt: skip

    def sent(self, sop_uid: str, destination: str) -> str:
        """A destination has acknowledged an object; the study's state."""
        return self._settle(sop_uid, destination, "sent", "")

    def rejected(self, sop_uid: str, destination: str, message: str, limit: int) -> str:
        """A destination refused an object: try again later, or give up after `limit` attempts; the study's state."""
        return self._settle(sop_uid, destination, "waiting", message, limit)

    def _settle(self, sop_uid: str, destination: str, state: str, message: str, limit: int = 0) -> str:
        with self.transaction() as base:
            row = base.execute(
                "SELECT * FROM sends WHERE sop_uid=? AND destination=?", (sop_uid, destination)
            ).fetchone()
            if state == "waiting" and row["attempts"] + 1 >= limit:
                state = "rejected"
            base.execute(
                "UPDATE sends SET state=?, attempts=attempts+1, message=? WHERE sop_uid=? AND destination=?",
                (state, message, sop_uid, destination),
            )
            if state == "rejected":
                self.note(base, row["study"], "rejected", f"{destination}: {message}")
            return self._close_study(base, row["study"])

    def _close_study(self, base: sqlite3.Connection, study: str) -> str:
        """A study whose last object is sent is done; one with an object that nobody takes has failed."""
        (state,) = base.execute("SELECT state FROM studies WHERE id=?", (study,)).fetchone()
        left = dict(base.execute("SELECT state, count(*) FROM sends WHERE study=? GROUP BY state", (study,)).fetchall())
        if state != "sending" or left.get("waiting"):
            return str(state)
        if left.get("rejected"):
            self.move(base, study, "failed", f"{left['rejected']} object(s) were refused by their destination")
            return "failed"
        self.move(base, study, "done", "")
        return "done"

    def troubled(self, peer: str, message: str) -> None:
        """A destination or an archive cannot be had: `status` tells since when, how often and why."""
        now = time.time()
        with self.transaction() as base:
            base.execute(
                "INSERT INTO troubles VALUES (?, ?, ?, 1, ?) ON CONFLICT (peer) DO UPDATE SET at=excluded.at, "
                "attempts=attempts+1, message=excluded.message",
                (peer, now, now, message),
            )

    def well(self, peer: str) -> None:
        """It can be had again."""
        with self.transaction() as base:
            base.execute("DELETE FROM troubles WHERE peer=?", (peer,))

    def ask_commitment(self, aet: str, content: dict) -> int:
        """Remember a request for storage commitment until it is answered."""
        with self.transaction() as base:
            row = base.execute(
                "INSERT INTO commitments (aet, content, state, asked) VALUES (?, ?, 'waiting', ?)",
                (aet, json.dumps(content), time.time()),
            )
            return int(row.lastrowid or 0)

    def commitments(self) -> list[sqlite3.Row]:
        """Requests that wait for their answer."""
        return self.ask("SELECT * FROM commitments WHERE state='waiting' ORDER BY id")

    def answer_commitment(self, number: int, answered: bool, limit: int = 1000) -> None:
        """A request was answered, or the attempt failed."""
        with self.transaction() as base:
            base.execute(
                "UPDATE commitments SET attempts=attempts+1, state=CASE WHEN ? THEN 'answered' "
                "WHEN attempts+1>=? THEN 'unanswered' ELSE state END WHERE id=?",
                (answered, limit, number),
            )

    def removable(self, states: Sequence[str], before: float) -> list[str]:
        """Studies in these states since before a time that nothing waits for; a done one only if it was sent."""
        marks = ",".join("?" * len(states))
        return [
            r["id"]
            for r in self.ask(
                f"SELECT id FROM studies WHERE state IN ({marks}) AND changed<? AND "
                "NOT EXISTS (SELECT 1 FROM sends WHERE study=id AND state IN ('waiting', 'rejected')) AND "
                "(state!='done' OR EXISTS (SELECT 1 FROM sends WHERE study=id AND state='sent')) AND "
                "EXISTS (SELECT 1 FROM instances WHERE study=id AND removed=0)",
                *states, before,
            )
        ]  # fmt: skip

    def forget_files(self, study: str, states: Sequence[str]) -> tuple[list[str], list[int]]:
        """Mark a study's files as removed, if it is still in these states; their names and runs, to be unlinked."""
        with self.transaction() as base:
            row = base.execute("SELECT state FROM studies WHERE id=?", (study,)).fetchone()
            if row is None or row["state"] not in states:
                return [], []
            names = [
                r["name"] for r in base.execute("SELECT name FROM instances WHERE study=? AND removed=0", (study,))
            ]
            runs = [r["id"] for r in base.execute("SELECT id FROM runs WHERE study=?", (study,))]
            base.execute("UPDATE instances SET removed=1 WHERE study=?", (study,))
            base.execute("UPDATE objects SET removed=1 WHERE study=?", (study,))
            self.note(base, study, "files removed", f"{len(names)} images")
            return names, runs

    def forget_history(self, before: float) -> int:
        """Drop the rows of studies whose files are gone and that nothing happened to since; how many."""
        gone = self.ask(
            "SELECT id FROM studies WHERE changed<? AND state IN ('done', 'refused') AND "
            "NOT EXISTS (SELECT 1 FROM instances WHERE study=id AND removed=0)",
            before,
        )
        with self.transaction() as base:
            for row in gone:
                base.execute("DELETE FROM studies WHERE id=?", (row["id"],))
                for table in ("instances", "runs", "objects", "sends", "history"):
                    base.execute(f"DELETE FROM {table} WHERE study=?", (row["id"],))
            base.execute("DELETE FROM commitments WHERE asked<? AND state!='waiting'", (before,))
        return len(gone)

    def is_live(self, name: str) -> bool:
        """Whether a file in studies/ is one that was acknowledged and not removed since."""
        return bool(self.ask("SELECT 1 FROM instances WHERE name=? AND removed=0", name))

    def live_runs(self) -> set[int]:
        """Runs whose results are still needed."""
        return {r["run"] for r in self.ask("SELECT DISTINCT run FROM objects WHERE removed=0")} | {
            r["run"]
            for r in self.ask(
                "SELECT max(r.id) AS run FROM runs r WHERE EXISTS "
                "(SELECT 1 FROM instances i WHERE i.study=r.study AND i.removed=0) GROUP BY r.study"
            )
        }
