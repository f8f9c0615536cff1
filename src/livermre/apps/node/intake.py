"""One instance into the spool and the journal: the same way for what is sent to the node and what it fetches."""

import hashlib
from dataclasses import dataclass
from sqlite3 import Error, IntegrityError

from livermre.apps.node import wire
from livermre.apps.node.journal import Row, Taken
from livermre.apps.node.log import Log
from livermre.apps.node.sends import Journal
from livermre.apps.node.spool import NoRoom, Spool, file_name, study_id


@dataclass(frozen=True)
class Arrival:
    """An instance as it came over the wire: the encoded data set, without file meta information."""

    sop_class: str
    sop_uid: str
    transfer_syntax: str
    data: memoryview
    calling: str


@dataclass(frozen=True)
class Intake:
    """Where instances go. When `take` returns, the instance is on the disk and in the journal."""

    spool: Spool
    journal: Journal
    log: Log

    def take(self, arrival: Arrival) -> tuple[str, Taken]:
        """The study's id and what the instance was; NoRoom or Unreadable where it was not taken: nothing is left."""
        if not wire.is_uid(arrival.sop_uid):
            raise wire.Unreadable("the SOP Instance UID is none", 0xA900)
        header = wire.header(arrival.data, arrival.transfer_syntax, arrival.sop_uid)
        start = wire.file_start(arrival.sop_class, arrival.sop_uid, arrival.transfer_syntax)
        digest = hashlib.sha256(start)
        digest.update(arrival.data)
        sha256, study = digest.hexdigest(), study_id(header.study_uid)
        row = Row(
            file_name(arrival.sop_uid, sha256), study, header.study_uid, arrival.sop_uid, arrival.sop_class,
            arrival.transfer_syntax, header.series, sha256, len(start) + len(arrival.data), arrival.calling,
            header.stated_study, header.stated_series, header.own,
        )  # fmt: skip
        taken = self._keep(row, [start, arrival.data])
        self.log.count(f"instances_{taken}")
        self.log.count("instance_bytes", row.size)
        if taken in {"conflict", "own"}:
            self.log.event(f"instance_{taken}", study=study)
        return study, taken

    def _keep(self, row: Row, parts: list[bytes | memoryview]) -> Taken:
        with self.spool.lock(row.name):
            known = self.journal.known(row.sop_uid, row.sha256)
            if known is not None and not known["removed"] and self.spool.place(known["study"], row.name).is_file():
                return "duplicate"
            self.spool.put(row.study, row.name, parts)
            try:
                return self.journal.take(row)
            except BaseException as error:
                if not self._is_live(row.name):
                    self.spool.drop(row.study, row.name)
                if isinstance(error, Error) and not isinstance(error, IntegrityError):
                    raise NoRoom("the journal could not be written") from error
                raise

    def _is_live(self, name: str) -> bool:
        try:
            return self.journal.is_live(name)
        except Error:
            return True  # in doubt it stays; the next start looks again
