"""The journal's tables, and how its file is opened: SQLite, write-ahead log, every commit on the disk."""

import sqlite3
from pathlib import Path

from livermre.apps.node.spool import sync_folder
from livermre.exam.errors import OutputError, SettingsError

VERSION = 1
STATES = ("receiving", "queued", "analysing", "sending", "done", "refused", "failed")

_TABLES = """
CREATE TABLE studies (
    id TEXT PRIMARY KEY, uid TEXT NOT NULL, state TEXT NOT NULL, revision INTEGER NOT NULL DEFAULT 1,
    attempts INTEGER NOT NULL DEFAULT 0, interruptions INTEGER NOT NULL DEFAULT 0, calling TEXT NOT NULL DEFAULT '',
    message TEXT NOT NULL DEFAULT '', created REAL NOT NULL, changed REAL NOT NULL, queued INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX studies_state ON studies (state);
CREATE TABLE instances (
    name TEXT PRIMARY KEY, study TEXT NOT NULL, sop_uid TEXT NOT NULL, kind TEXT NOT NULL, sop_class TEXT NOT NULL,
    transfer_syntax TEXT NOT NULL, series TEXT NOT NULL, sha256 TEXT NOT NULL, size INTEGER NOT NULL,
    stated_study INTEGER, stated_series INTEGER, removed INTEGER NOT NULL DEFAULT 0, revision INTEGER NOT NULL,
    arrived REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX instances_sop ON instances (sop_uid);
CREATE INDEX instances_study ON instances (study);
CREATE TABLE runs (
    id INTEGER PRIMARY KEY AUTOINCREMENT, study TEXT NOT NULL, revision INTEGER NOT NULL, state TEXT NOT NULL,
    started REAL NOT NULL, ended REAL
);
CREATE INDEX runs_study ON runs (study);
CREATE TABLE objects (
    sop_uid TEXT PRIMARY KEY, study TEXT NOT NULL, run INTEGER NOT NULL, revision INTEGER NOT NULL, kind TEXT NOT NULL,
    sop_class TEXT NOT NULL, transfer_syntax TEXT NOT NULL, path TEXT NOT NULL, sha256 TEXT NOT NULL,
    removed INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX objects_study ON objects (study);
CREATE TABLE sends (
    sop_uid TEXT NOT NULL, destination TEXT NOT NULL, study TEXT NOT NULL, state TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0, message TEXT NOT NULL DEFAULT '', PRIMARY KEY (sop_uid, destination)
) WITHOUT ROWID;
CREATE INDEX sends_state ON sends (state, destination);
CREATE INDEX sends_study ON sends (study);
CREATE TABLE commitments (
    id INTEGER PRIMARY KEY AUTOINCREMENT, aet TEXT NOT NULL, content TEXT NOT NULL, state TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0, asked REAL NOT NULL
);
CREATE TABLE history (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, study TEXT NOT NULL, at REAL NOT NULL, event TEXT NOT NULL,
    detail TEXT NOT NULL DEFAULT ''
);
CREATE INDEX history_study ON history (study);
"""
_LATER = """
CREATE TABLE IF NOT EXISTS troubles (
    peer TEXT PRIMARY KEY, since REAL NOT NULL, at REAL NOT NULL, attempts INTEGER NOT NULL, message TEXT NOT NULL
) WITHOUT ROWID;
"""
"""What came after version 1 was first written; an older livermre does not look at it."""


def connect(file: Path) -> sqlite3.Connection:
    """The journal of the running node, made where there is none. SettingsError where another livermre made it."""
    fresh = not file.exists()
    base = sqlite3.connect(file, isolation_level=None, check_same_thread=False, timeout=30)
    try:
        base.row_factory = sqlite3.Row
        base.execute("PRAGMA journal_mode=WAL")
        base.execute("PRAGMA synchronous=FULL")  # a commit is on the disk, not only on its way
        base.execute("PRAGMA fullfsync=ON")
        _prepare(base, file)
    except sqlite3.DatabaseError as error:
        base.close()
        raise OutputError(f"the journal {file} cannot be used ({error}): put the last copy of it back") from error
    except BaseException:
        base.close()
        raise
    if fresh:
        file.chmod(0o600)
        sync_folder(file.parent)
    return base


def _prepare(base: sqlite3.Connection, file: Path) -> None:
    (version,) = base.execute("PRAGMA user_version").fetchone()
    if version == 0:
        base.executescript(f"BEGIN IMMEDIATE; {_TABLES} PRAGMA user_version={VERSION}; COMMIT;")
    elif version != VERSION:
        raise SettingsError(f"the journal {file} is of version {version}, this livermre writes version {VERSION}")
    base.executescript(_LATER)
    (state,) = base.execute("PRAGMA quick_check(1)").fetchone()
    if state != "ok":
        raise sqlite3.DatabaseError(state)


def connect_to_read(file: Path) -> sqlite3.Connection:
    """The journal for looking at it beside a running node. SettingsError where there is none."""
    if not file.is_file():
        raise SettingsError(f"there is no journal {file}: the node has not run with this configuration")
    base = sqlite3.connect(f"file:{file}?mode=rw", uri=True, isolation_level=None, timeout=10, check_same_thread=False)
    base.row_factory = sqlite3.Row
    return base
