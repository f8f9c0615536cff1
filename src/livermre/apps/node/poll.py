"""For sites that prefer pull: ask a DICOMweb archive for new studies (QIDO-RS) and fetch them (WADO-RS)."""

import sqlite3
import threading
from collections import Counter
from contextlib import suppress
from datetime import date, timedelta

from livermre.apps.node import wire
from livermre.apps.node.complete import Completion
from livermre.apps.node.config import PollKeys
from livermre.apps.node.intake import Arrival, Intake
from livermre.apps.node.log import Log
from livermre.apps.node.spool import NoRoom
from livermre.apps.node.web import NotGivenError, Root, WebError, text_of
from livermre.exam.errors import SettingsError

_STUDY, _SERIES, _SOP, _COUNT = "0020000D", "0020000E", "00080018", "00201208"
_INSTANCES = 1000
"""Instances that are asked for at a time."""
_TRIES = 5
"""So often is a study looked into that holds an instance which the archive does not give (our choice)."""


class Poller:
    """Looks into one archive every so often. What is in the journal is never fetched again, our own results neither."""

    def __init__(
        self,
        keys: PollKeys,
        intake: Intake,
        completion: Completion,
        log: Log,
        stopping: threading.Event,
        most_bytes: int,
    ) -> None:
        self._keys, self._root = keys, Root(keys.web)
        self._intake, self._completion, self._log = intake, completion, log
        self._stopping, self._most = stopping, most_bytes
        self._listed: dict[str, str] = {}
        self._tries: Counter[str] = Counter()
        self._asked = False
        self.thread = threading.Thread(target=self._run, name=f"poll {keys.name}")

    def _run(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            try:
                self.step(date.today())
                self._tell("", failures)
                failures = 0
            except (WebError, SettingsError, NoRoom) as error:
                failures += 1
                self._log.event("poll_failed", poll=self._keys.name, reason=str(error), attempt=failures)
                self._tell(str(error), failures)
            except Exception as error:
                failures += 1
                self._log.event("poll_failed", poll=self._keys.name, error=type(error).__name__, attempt=failures)
                self._tell(type(error).__name__, failures)
            self._stopping.wait(min(3600, self._keys.every_seconds * 2 ** min(failures, 6)))

    def _tell(self, why: str, failures: int) -> None:
        """What `status` shows of this archive."""
        with suppress(sqlite3.Error):
            if why:
                self._intake.journal.troubled(f"poll {self._keys.name}", why)
            elif failures or not self._asked:
                self._intake.journal.well(f"poll {self._keys.name}")
                self._asked = True

    def step(self, today: date) -> int:
        """Fetch what is new; how many instances."""
        since = today - timedelta(days=self._keys.days)
        values = {"StudyDate": f"{since:%Y%m%d}-{today:%Y%m%d}", **dict(self._keys.query)}
        fetched, listed = 0, {}
        for found in self._root.pages("/studies", values, _STUDY, self._keys.most_studies):
            study, count = text_of(found, _STUDY), text_of(found, _COUNT)
            if not wire.is_uid(study) or self._stopping.is_set():
                continue
            if not count or self._listed.get(study) != count:  # else nothing came since we had all of it
                here, lacking = self._study(study)
                fetched += here
                self._tries[study] += 1
                if lacking and self._tries[study] < _TRIES:
                    continue  # and ask again
                del self._tries[study]
            listed[study] = count
        self._listed = listed
        return fetched

    def _study(self, study: str) -> tuple[int, int]:
        """How many instances were fetched, and how many the archive did not give: the others are not held up."""
        count, lacking, known = 0, 0, ""
        for found in self._root.pages(f"/studies/{study}/instances", {}, _SOP, _INSTANCES):
            series, sop = text_of(found, _SERIES), text_of(found, _SOP)
            if not (wire.is_uid(series) and wire.is_uid(sop)) or self._intake.journal.has(sop):
                continue
            if self._stopping.is_set():
                return count, lacking
            try:
                known = self._fetch(study, series, sop) or known
                count += bool(known)
            except NotGivenError as error:
                lacking += 1
                self._refused(str(error))
        if known and not lacking:  # else only the quiet time makes it whole
            self._completion.fetched(known)
        return count, lacking

    def _fetch(self, study: str, series: str, sop: str) -> str:
        """One instance; the study's id, or nothing where the archive's file cannot be filed."""
        part = self._root.instance(study, series, sop, self._most)
        try:
            file = wire.part10(part)
            arrival = Arrival(file.sop_class, file.sop_uid, file.transfer_syntax, file.data, self._keys.name)
            if file.transfer_syntax not in wire.TRANSFER_SYNTAXES or file.sop_uid != sop:
                raise wire.Unreadable("another instance or transfer syntax than asked for")
            name, _ = self._intake.take(arrival)
        except wire.Unreadable as error:
            self._refused(str(error))
            return ""
        self._completion.arrived(name)
        return name

    def _refused(self, why: str) -> None:
        self._log.count("instances_refused_unreadable")
        self._log.event("instance_refused", poll=self._keys.name, reason=why)
