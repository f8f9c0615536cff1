"""`livermre node doctor`: tries everything that the configuration names, and says what to mend."""

import ctypes
import json
import os
import shutil
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Literal

from livermre.apps.node import config as configs
from livermre.apps.node.config import Config, DestinationKeys, NodeKeys, Tls, Web
from livermre.apps.node.counts import overview
from livermre.apps.node.schema import connect_to_read
from livermre.apps.node.spool import MIB, write_synced
from livermre.exam.errors import LivermreError

_CLOCK_SECONDS = 30
"""A clock further off than this makes histories of two systems hard to compare (our choice)."""
_CERTIFICATE_DAYS = 30


@dataclass(frozen=True)
class Check:
    """One thing that was looked at."""

    what: str
    state: Literal["good", "doubtful", "bad"]
    told: str


def examine(file: Path) -> list[Check]:
    """Every check of a configuration; where the file itself is wrong, only that."""
    config, problems = configs.examine(file)
    if config is None:
        return [Check("configuration", "bad", p) for p in problems]
    checks = [Check("configuration", "good", str(file))]
    steps: list[Callable[[Config], Iterator[Check]]] = [
        _user,
        _disk,
        _log,
        _clock,
        _analysis,
        _listening,
        _certificates,
    ]
    for step in steps:
        checks += step(config)
    for destination in config.destinations:
        checks.append(_web(destination.name, destination.web) if destination.web else _dicom(config.node, destination))
    checks += [_web(p.name, p.web) for p in config.polls]
    checks += _destinations(config)
    return checks


def _user(config: Config) -> Iterator[Check]:
    if os.geteuid() == 0:
        yield Check("user", "doubtful", "runs as root: give the node a user of its own (deploy/livermre-node.service)")
    else:
        yield Check("user", "good", "not root")


def _disk(config: Config) -> Iterator[Check]:
    data, wanted = config.node.data, config.receive.min_free_mib * MIB
    probe = data / f".doctor-{os.getpid()}"
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_synced(probe, [b"livermre"])
    except OSError as error:
        yield Check("disk", "bad", f"cannot write into {data} ({error.strerror or error}): mend data or its owner")
        return
    finally:
        with suppress(OSError):
            probe.unlink(missing_ok=True)
    free = shutil.disk_usage(data).free
    if free < 2 * wanted:
        yield Check("disk", "bad" if free < wanted else "doubtful", f"{free // MIB} MiB free in {data}, min_free_mib "
                    f"is {wanted // MIB}: make room, or shorten retention.keep_days")  # fmt: skip
    else:
        yield Check("disk", "good", f"{free // MIB} MiB free")
    if data.stat().st_mode & 0o077:
        yield Check("disk", "doubtful", f"others may read {data}: chmod 700 {data}")


def _log(config: Config) -> Iterator[Check]:
    """Looked at only: a file that is made here would belong to whoever asked the doctor."""
    target = config.node.log
    if isinstance(target, Path):
        place = target if target.exists() else target.parent
        if target.is_dir() or not os.access(place, os.W_OK):
            why = "is a folder" if target.is_dir() else f"cannot be written: is {place} there, and whose is it"
            yield Check("log", "bad", f"{target} {why}: mend [node] log")
        else:
            yield Check("log", "good", str(target))


def _clock(config: Config) -> Iterator[Check]:
    if not _kernel_synchronised():
        yield Check("clock", "doubtful", "the kernel does not know the clock as synchronised: run chrony or timesyncd")
    newest = _newest(config.node.data / "journal.sqlite")
    if newest > time.time() + _CLOCK_SECONDS:
        ahead = newest - time.time()
        yield Check("clock", "bad", f"the journal has entries {ahead:.0f} s in the future: the clock was set back")
    else:
        yield Check("clock", "good", time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))


def _kernel_synchronised() -> bool:
    """What adjtimex(2) says; True where it cannot be asked."""
    try:
        libc, buffer = ctypes.CDLL(None), ctypes.create_string_buffer(512)
        return int(libc.adjtimex(buffer)) != 5  # TIME_ERROR
    except (OSError, AttributeError):
        return True


def _newest(journal: Path) -> float:
    try:
        with closing(connect_to_read(journal)) as base:
            return float(base.execute("SELECT coalesce(max(at), 0) FROM history").fetchone()[0])
    except Exception:  # no journal yet, or one that the node itself will complain about
        return 0.0


def _analysis(config: Config) -> Iterator[Check]:
    from dataclasses import asdict

    from livermre import given
    from livermre.apps.node.worker import settings_of

    try:
        given.check(settings_of(asdict(config.analysis)))
        yield Check("analysis", "good", "table and network can be used")
    except LivermreError as error:
        yield Check("analysis", "bad", str(error))


def _listening(config: Config) -> Iterator[Check]:
    """Our own ports are free, or our own node is behind them."""
    yield _own_port("port", config.node.host, config.node.port, config)
    if config.status.port:
        yield _own_port("status port", config.status.host, config.status.port, config)


def _own_port(what: str, host: str, port: int, config: Config) -> Check:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            return Check(what, "good", f"{port} is free: the node does not run now")
        except PermissionError:
            return Check(what, "bad", f"this user may not listen on port {port}: take one above 1023, or give "
                         "the service CAP_NET_BIND_SERVICE")  # fmt: skip
        except OSError as error:
            why = error.strerror or str(error)
    if _node_runs(config.node.data):
        return Check(what, "good", f"the node runs on port {port}")
    return Check(what, "bad", f"cannot listen on {host} port {port} ({why}): another program has it")


def _node_runs(data: Path) -> bool:
    import fcntl

    try:
        handle = os.open(data / "lock", os.O_RDWR)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return False
    except OSError:
        return True
    finally:
        os.close(handle)


def _certificates(config: Config) -> Iterator[Check]:
    from livermre.apps.node.tls import client_context, server_context

    if config.receive.tls is None:
        yield Check("tls", "doubtful", "the port speaks no TLS: see [receive.tls], unless the network is a closed one")
    used: list[tuple[str, Tls, Callable[[Tls], Any]]] = []
    if config.receive.tls:
        used.append(("receive", config.receive.tls, server_context))
    for d in config.destinations:
        tls = d.tls or (d.web.tls if d.web else None)
        if tls:
            used.append((d.name, tls, client_context))
    for name, tls, make in used:
        try:
            make(tls)
            yield _expiry(name, tls)
        except LivermreError as error:
            yield Check(f"tls {name}", "bad", str(error))


def _expiry(name: str, tls: Tls) -> Check:
    if tls.certificate is None:
        return Check(f"tls {name}", "good", "certificates fit together")
    try:
        told = ssl._ssl._test_decode_cert(str(tls.certificate))["notAfter"]  # type: ignore[attr-defined]
        days = (ssl.cert_time_to_seconds(told) - time.time()) / 86400
    except Exception:  # a private function of the standard library: without it the date stays unknown
        return Check(f"tls {name}", "good", "certificates fit together; their end is unknown")
    if days < 0:
        return Check(f"tls {name}", "bad", f"the certificate ended {-days:.0f} days ago: renew {tls.certificate}")
    state: Literal["good", "doubtful"] = "doubtful" if days < _CERTIFICATE_DAYS else "good"
    return Check(f"tls {name}", state, f"the certificate ends in {days:.0f} days")


def _dicom(node: NodeKeys, keys: DestinationKeys) -> Check:
    """C-ECHO, and whether the destination takes the objects that it is to get."""
    from pynetdicom import build_context

    from livermre.apps.node import wire
    from livermre.apps.node.deliver import associate, unreachable, why_not

    what = f"destination {keys.name}"
    gone = unreachable(str(keys.host), int(keys.port or 0))
    if gone:
        return Check(what, "bad", f"{gone}: mend host and port, start it, or open the firewall")
    wanted = {c: k for c, k in wire._KINDS.items() if k in keys.objects and k != "SR"}
    if "SR" in keys.objects:
        wanted["1.2.840.10008.5.1.4.1.1.88.34"] = "SR"
    contexts = [build_context(wire.VERIFICATION), *(build_context(c, wire.TRANSFER_SYNTAXES[0]) for c in wanted)]
    try:
        association = associate(node.aet, keys, contexts)
    except LivermreError as error:
        return Check(what, "bad", str(error))
    if not association.is_established:
        return Check(what, "bad", f"{keys.aet} at {keys.host}:{keys.port}: {why_not(association, keys)}")
    try:
        taken = {c.abstract_syntax for c in association.accepted_contexts}
        status = association.send_c_echo() if wire.VERIFICATION in taken else None
    finally:
        association.release()
    missing = sorted({k for c, k in wanted.items() if c not in taken})
    if missing:
        return Check(what, "bad", f"{keys.aet} does not take {', '.join(missing)}: leave them out of objects, or allow "
                     "them there")  # fmt: skip
    if status is None or getattr(status, "Status", 1) != 0:
        return Check(what, "doubtful", f"{keys.aet} takes our objects but does not answer C-ECHO")
    return Check(what, "good", f"{keys.aet} answers C-ECHO and takes {', '.join(sorted(set(wanted.values())))}")


def _web(name: str, web: Web) -> Check:
    """A question to a DICOMweb root, and its clock."""
    from livermre.apps.node.web import Root, WebError

    what = f"DICOMweb {name}"
    try:
        answer = Root(web).get("/studies?limit=1", "application/dicom+json")
    except (WebError, LivermreError) as error:
        return Check(what, "bad", f"{error}: mend url, credentials or tls")
    if answer.status in {401, 403}:
        return Check(what, "bad", f"it answers {answer.status}: mend user and password_file, or token_file")
    if answer.status not in {200, 204} or not _is_json(answer.body, answer.status):
        return Check(what, "bad", f"{web.url}/studies answers {answer.status}, no DICOM JSON: is url the root?")
    if answer.date:
        with suppress(ValueError, TypeError):
            off = parsedate_to_datetime(answer.date).timestamp() - time.time()
            if abs(off) > _CLOCK_SECONDS:
                return Check(what, "doubtful", f"its clock and ours are {abs(off):.0f} s apart: mend the wrong one")
    return Check(what, "good", f"{web.url} answers")


def _is_json(body: bytes, status: int) -> bool:
    with suppress(ValueError, RecursionError):
        return status == 204 or isinstance(json.loads(body), list)
    return False


def _destinations(config: Config) -> Iterator[Check]:
    if not config.destinations:
        yield Check("destinations", "doubtful", "there is no [[destination]]: results stay in the data folder for good")
    try:
        with closing(connect_to_read(config.node.data / "journal.sqlite")) as base:
            sends = overview(base, 0).sends
    except Exception:  # no journal yet
        return
    known = {d.name for d in config.destinations}
    for (name, state), count in sorted(sends.items()):
        if state == "waiting" and name not in known:
            yield Check("destinations", "bad", f"{count} object(s) wait for {name!r}, which the configuration no "
                        "longer has: put it back until they are sent")  # fmt: skip
