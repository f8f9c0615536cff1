"""What is removed, and when: files of studies that are done and sent, after keep_days; never anything unsent.

A refused study stays unless keep_refused_days says otherwise; a failed one stays until a person retries it.
"""

import time

from livermre.apps.node.config import RetentionKeys
from livermre.apps.node.log import Log
from livermre.apps.node.sends import Journal
from livermre.apps.node.spool import Spool, remove

_DAY = 86400.0


def sweep(journal: Journal, spool: Spool, log: Log) -> int:
    """Before anything starts: remove files that were never acknowledged, or whose removal a kill interrupted."""
    gone = 0
    for study, name in list(spool.stored()):
        if not journal.is_live(name):
            spool.drop(study, name)
            gone += 1
    live = journal.live_runs()
    for run in spool.result_runs():
        if run not in live:
            remove(spool.result_folder(run))
    if gone:
        log.event("swept", count=gone)
    return gone


def retain(keys: RetentionKeys, journal: Journal, spool: Spool, log: Log, now: float | None = None) -> int:
    """Remove what is old enough; how many studies. First the journal forgets the files, then they are unlinked."""
    now = time.time() if now is None else now
    removed = _remove(["done"], now - keys.keep_days * _DAY, journal, spool, log)
    if keys.keep_refused_days is not None:
        removed += _remove(["refused"], now - keys.keep_refused_days * _DAY, journal, spool, log)
    journal.forget_history(now - keys.keep_history_days * _DAY)
    return removed


def _remove(states: list[str], before: float, journal: Journal, spool: Spool, log: Log) -> int:
    studies = journal.removable(states, before)
    for study in studies:
        names, runs = journal.forget_files(study, states)
        for name in names:
            with spool.lock(name):
                if not journal.is_live(name):  # it may have come again meanwhile
                    spool.drop(study, name)
        for run in runs:
            remove(spool.result_folder(run))
        if names:
            log.event("study_removed", study=study, count=len(names))
    return len(studies)
