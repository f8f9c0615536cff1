"""`livermre node run | status | retry | doctor | init`."""

import argparse
import json
import signal
import time
from contextlib import closing
from dataclasses import asdict
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

from livermre.apps.status import NOTHING, OK
from livermre.exam.errors import OutputError, SettingsError


def node(options: argparse.Namespace) -> int:
    """One of the node's own commands."""
    return {"run": _run, "status": _status, "retry": _retry, "doctor": _doctor, "init": _init}[options.action](options)


def _run(options: argparse.Namespace) -> int:
    """The node until it is asked to stop (SIGTERM, SIGINT); 0 then."""
    _need_pynetdicom()
    from livermre import given
    from livermre.apps.node import config, web
    from livermre.apps.node.log import hush_libraries
    from livermre.apps.node.node import Node, notify_systemd
    from livermre.apps.node.worker import settings_of

    read = config.load(options.config)
    for keys in (*(d.web for d in read.destinations), *(p.web for p in read.polls)):
        if keys is not None:
            web.check(keys)
    given.check(settings_of(asdict(read.analysis)))
    hush_libraries()
    running = Node(read)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: running.stopping.set())
    running.start()
    try:
        running.run(notify_systemd)
    finally:
        running.stop()
    return OK


def _need_pynetdicom() -> None:
    if find_spec("pynetdicom") is None:
        raise SettingsError("the node needs pynetdicom: pip install 'livermre[node]'")


def _status(options: argparse.Namespace) -> int:
    """How the node stands, or what became of one study; works beside a running node."""
    from livermre.apps.node import config, counts
    from livermre.apps.node.schema import connect_to_read

    data = config.load(options.config).node.data
    with closing(connect_to_read(data / "journal.sqlite")) as base:
        if options.study is not None:
            _show_study(base, _one_study(base, options.study), options.json)
            return OK
        view = counts.overview(base, options.last)
    if options.json:
        sends = [{"destination": d, "state": s, "objects": n} for (d, s), n in sorted(view.sends.items())]
        away = [{"peer": t["peer"], "since": _time(t["since"]), "attempts": t["attempts"], "message": t["message"]}
                for t in view.troubles]  # fmt: skip
        errors = [{"destination": d, "state": s, "message": m} for (d, s), m in sorted(view.errors.items())]
        recent = [{k: r[k] for k in ("id", "state", "revision", "images", "conflicts", "message")} for r in view.recent]
        print(
            json.dumps(
                {
                    "studies": view.states,
                    "sends": sends,
                    "away": away,
                    "errors": errors,
                    "conflicts": view.conflicts,
                    "recent": recent,
                },
                indent=2,
            )
        )
        return OK
    print("  ".join(f"{state} {count}" for state, count in view.states.items()))
    for (destination, state), count in sorted(view.sends.items()):
        error = view.errors.get((destination, state))
        print(f"{destination}: {state} {count}" + (f"; the last error: {error}" if error else ""))
    for t in view.troubles:
        print(f"{t['peer']}: away since {_time(t['since'])}, {t['attempts']} attempt(s): {t['message']}")
    if view.conflicts:
        print(f"instances in conflict with another of the same UID: {view.conflicts}")
    for row in view.recent:
        told = f"  {row['message']}" if row["message"] else ""
        counts_ = f"r{row['revision']}  {row['images']:>5} images"
        print(f"{row['id'][:12]}  {row['state']:<9}  {counts_}  {_time(row['changed'])}{told}")
    return OK


def _one_study(base: object, asked: str) -> str:
    from livermre.apps.node import counts

    found = counts.find(base, asked)  # type: ignore[arg-type]
    if len(found) != 1:
        raise SettingsError(f"{'no study' if not found else 'more than one study'} has the UID or hash {asked!r}")
    return found[0]


def _show_study(base: object, study: str, as_json: bool) -> None:
    from livermre.apps.node import counts

    rows = counts.history(base, study)  # type: ignore[arg-type]
    if as_json:
        lines = [{"at": _time(r["at"]), "event": r["event"], "detail": r["detail"]} for r in rows]
        print(json.dumps({"study": study, "history": lines}, indent=2))
        return
    print(study)
    for row in rows:
        print(f"{_time(row['at'])}  {row['event']:<10}  {row['detail']}".rstrip())


def _time(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def _retry(options: argparse.Namespace) -> int:
    """A new chance for a study that was set aside."""
    from livermre.apps.node import config
    from livermre.apps.node.schema import connect_to_read
    from livermre.apps.node.sends import Journal

    file = config.load(options.config).node.data / "journal.sqlite"
    with closing(connect_to_read(file)) as base:
        study = _one_study(base, options.study)
    journal = Journal(file)
    try:
        if not journal.retry(study):
            raise SettingsError(f"study {study[:12]} is under way: one that is done, refused or failed can be retried")
    finally:
        journal.close()
    print(f"{study}  queued")
    return OK


def _doctor(options: argparse.Namespace) -> int:
    """0 where nothing must be mended, else 3."""
    _need_pynetdicom()
    from livermre.apps.node.doctor import examine
    from livermre.apps.node.log import hush_libraries

    hush_libraries()
    checks = examine(options.config)
    for check in checks:
        print(f"{check.state:<8}  {check.what}: {check.told}")
    return NOTHING if any(c.state == "bad" for c in checks) else OK


def _init(options: argparse.Namespace) -> int:
    """Write the example configuration; never over a file."""
    text = (files("livermre.apps.node") / "example.toml").read_text(encoding="utf-8")
    target: Path = options.file
    try:
        with target.open("x", encoding="utf-8") as out:
            out.write(text)
    except FileExistsError as error:
        raise SettingsError(f"{target} is there already: it was left as it is") from error
    except OSError as error:
        raise OutputError(f"cannot write {target} ({error.strerror or error})") from error
    print(f"{target}: mend it, then run `livermre node doctor {target}`")
    return OK
