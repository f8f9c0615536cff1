"""What a person asks the journal: how many, and what became of a study. Needs only a connection, so `status` works
beside a running node and without one.
"""

import sqlite3
from dataclasses import dataclass

from livermre.apps.node.schema import STATES


@dataclass(frozen=True)
class Overview:
    """How the node stands.

    states    studies in each state
    sends     (destination, state) -> objects
    recent    the last studies that changed: id, state, revision, images, conflicts, message, changed
    troubles  destinations and archives that cannot be had: peer, since, at, attempts, message
    errors    (destination, state) -> what the destination said last of an object that it does not take
    """

    states: dict[str, int]
    sends: dict[tuple[str, str], int]
    instances: int
    conflicts: int
    commitments: int
    recent: list[sqlite3.Row]
    troubles: list[sqlite3.Row]
    errors: dict[tuple[str, str], str]


def overview(base: sqlite3.Connection, most: int = 50) -> Overview:
    """The counts of a journal and its most recent studies."""

    def one(query: str) -> int:
        return int(base.execute(query).fetchone()[0])

    found = dict(base.execute("SELECT state, count(*) FROM studies GROUP BY state").fetchall())
    sends = base.execute("SELECT destination, state, count(*) FROM sends GROUP BY destination, state").fetchall()
    return Overview(
        {state: found.get(state, 0) for state in STATES},
        {(d, s): n for d, s, n in sends},
        one("SELECT count(*) FROM instances WHERE kind='image' AND removed=0"),
        one("SELECT count(*) FROM instances WHERE kind='conflict'"),
        one("SELECT count(*) FROM commitments WHERE state='waiting'"),
        base.execute(
            "SELECT s.*, (SELECT count(*) FROM instances i WHERE i.study=s.id AND kind='image') AS images, "
            "(SELECT count(*) FROM instances i WHERE i.study=s.id AND kind='conflict') AS conflicts "
            "FROM studies s ORDER BY changed DESC, id LIMIT ?",
            (most,),
        ).fetchall(),
        _troubles(base),
        _errors(base),
    )


def _troubles(base: sqlite3.Connection) -> list[sqlite3.Row]:
    if not base.execute("SELECT 1 FROM sqlite_master WHERE name='troubles'").fetchone():
        return []  # a journal that an older livermre wrote
    return base.execute("SELECT * FROM troubles ORDER BY peer").fetchall()


def _errors(base: sqlite3.Connection) -> dict[tuple[str, str], str]:
    rows = base.execute(
        "SELECT destination, state, message, max(attempts) FROM sends WHERE state IN ('waiting', 'rejected') AND "
        "message!='' GROUP BY destination, state"
    )
    return {(d, s): message for d, s, message, _ in rows}


def history(base: sqlite3.Connection, study: str) -> list[sqlite3.Row]:
    """What happened to a study, in order."""
    return base.execute("SELECT * FROM history WHERE study=? ORDER BY seq", (study,)).fetchall()


def find(base: sqlite3.Connection, asked: str) -> list[str]:
    """The ids of studies by the start of their hash or by their Study Instance UID."""
    rows = base.execute(
        "SELECT id FROM studies WHERE uid=? OR substr(id, 1, ?)=? LIMIT 10", (asked, len(asked), asked)
    ).fetchall()
    return [r["id"] for r in rows]
