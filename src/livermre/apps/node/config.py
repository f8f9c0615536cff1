"""The node's configuration: one TOML file, checked as a whole before anything starts."""

# ruff: noqa: RUF009 - the functions of keys.py return dataclasses.field()

import tomllib
from dataclasses import dataclass, fields
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from livermre.apps.node import keys
from livermre.apps.node.keys import Problems
from livermre.exam.errors import SettingsError

KINDS = ("SEG", "SR", "PMAP", "PDF", "SC", "SOURCE", "OTHER")
"""Kinds of objects that a destination may want; SOURCE are the images that were received."""
RESULTS = ("SEG", "SR", "PMAP", "PDF", "SC", "OTHER")


@dataclass(frozen=True)
class Tls:
    """Certificates of one side. `ca`: who signed the other side's; without it a server lets any client in."""

    certificate: Path | None = keys.path(None)
    key: Path | None = keys.path(None)
    ca: Path | None = keys.path(None)
    check_name: bool = keys.switch(True)


@dataclass(frozen=True)
class NodeKeys:
    """Who the node is and where its data lie."""

    aet: str = keys.title()
    port: int = keys.port()
    data: Path = keys.path()
    host: str = keys.text("0.0.0.0")
    log: str | Path = keys.path("-", word="-")


@dataclass(frozen=True)
class ReceiveKeys:
    """Who may send, how much, and when a study is whole."""

    calling: tuple[str, ...] = keys.titles()
    any_calling: bool = keys.switch(False)
    hosts: tuple[str, ...] = keys.texts()
    complete: str = keys.text("quiet", ("quiet", "release"))
    quiet_seconds: float = keys.number(30, low=0.1, high=86400)
    max_associations: int = keys.number(16, low=1, high=200, whole=True)
    max_connections_per_minute: int = keys.number(600, low=1, high=100000, whole=True)
    max_instance_mib: int = keys.number(256, low=1, high=4000, whole=True)
    max_memory_mib: int = keys.number(768, low=1, high=64000, whole=True)
    idle_seconds: float = keys.number(60, low=1, high=3600)
    min_free_mib: int = keys.number(1024, low=0, high=10_000_000, whole=True)
    commitment: bool = keys.switch(True)
    sop_classes: tuple[str, ...] = keys.texts(pattern=keys.UID)
    tls: Tls | None = keys.table(Tls, None)

    def __post_init__(self) -> None:
        if not self.calling and not self.any_calling:
            raise ValueError("calling is empty: name the AE titles that may send, or say any_calling = true")
        for host in self.hosts:
            try:
                ip_network(host)
            except ValueError as error:
                raise ValueError(f"hosts must be addresses or networks such as 10.1.0.0/16: {error}") from error
        if self.tls and not (self.tls.certificate and self.tls.key):
            raise ValueError("tls needs certificate and key")
        if self.max_memory_mib < self.max_instance_mib:
            raise ValueError("max_memory_mib must not be less than max_instance_mib")


@dataclass(frozen=True)
class PeerKeys:
    """Where an AE title listens: for the answer to its storage commitment request."""

    aet: str = keys.title()
    host: str = keys.text()
    port: int = keys.port()
    tls: Tls | None = keys.table(Tls, None)


@dataclass(frozen=True)
class AnalysisKeys:
    """How studies are analysed: the options of `livermre analyze`, and the limits of a worker process."""

    workers: int = keys.number(1, low=1, high=64, whole=True)
    attempts: int = keys.number(3, low=1, high=100, whole=True)
    interruptions: int = keys.number(25, low=1, high=10000, whole=True)
    timeout_seconds: float = keys.number(600, low=1, high=86400)
    memory_gib: float = keys.number(0, low=0, high=1024)
    table: str = keys.text("rdes149")
    stiffness_unit: str | None = keys.text(None, ("Pa", "kPa"))
    frequency_hz: float | None = keys.number(None, low=1, high=1000)
    erode_mm: float | None = keys.number(None, low=0, high=100)
    from_phase: bool = keys.switch(False)
    deidentify: bool = keys.switch(False)
    deidentify_key: Path | None = keys.path(None)
    model: str | Path = keys.path("default", word="default")
    device: str = keys.text("auto", ("auto", "cpu", "cuda"))

    def __post_init__(self) -> None:
        if self.deidentify_key is not None and not self.deidentify:
            raise ValueError("deidentify_key is there but deidentify = true is not")


@dataclass(frozen=True)
class Web:
    """A DICOMweb root and how to speak to it. Secrets stand in files of their own, never in the configuration."""

    url: str = keys.text()
    user: str | None = keys.text(None)
    password_file: Path | None = keys.path(None)
    token_file: Path | None = keys.path(None)
    tls: Tls | None = keys.table(Tls, None)
    timeout_seconds: float = keys.number(60, low=1, high=3600)

    def __post_init__(self) -> None:
        if not self.url.startswith(("http://", "https://")):
            raise ValueError(f"url must start with http:// or https://, found {self.url!r}")
        if (self.user is None) != (self.password_file is None):
            raise ValueError("user and password_file belong together")


@dataclass(frozen=True)
class DestinationKeys:
    """One place that results go to: a DICOM node (aet, host, port) or a DICOMweb root (web)."""

    name: str = keys.text()
    aet: str | None = keys.title(None)
    host: str | None = keys.text(None)
    port: int | None = keys.port(None)
    tls: Tls | None = keys.table(Tls, None)
    web: Web | None = keys.table(Web, None)
    objects: tuple[str, ...] = keys.texts(RESULTS, KINDS)
    calling: tuple[str, ...] = keys.titles(())
    attempts: int = keys.number(20, low=1, high=100000, whole=True)
    first_wait_seconds: float = keys.number(5, low=0.01, high=3600)
    longest_wait_seconds: float = keys.number(900, low=0.01, high=86400)

    def __post_init__(self) -> None:
        dicom = [self.aet, self.host, self.port]
        if self.web is None and None in dicom:
            raise ValueError("needs aet, host and port of a DICOM node, or a section web with the url of a root")
        if self.web is not None and dicom != [None, None, None]:
            raise ValueError("has both a DICOM node and a section web: make two destinations of it")

    def wants(self, kind: str, calling: str) -> bool:
        """Whether an object of this kind, from a study that `calling` sent, goes here."""
        return kind in self.objects and (not self.calling or calling in self.calling)


@dataclass(frozen=True)
class PollKeys:
    """A DICOMweb archive to ask for new studies."""

    name: str = keys.text()
    web: Web = keys.table(Web)
    every_seconds: float = keys.number(60, low=0.2, high=86400)
    days: int = keys.number(2, low=1, high=36500, whole=True)
    query: tuple[tuple[str, str], ...] = keys.words((("ModalitiesInStudy", "MR"),))
    most_studies: int = keys.number(200, low=1, high=10000, whole=True)


@dataclass(frozen=True)
class StatusKeys:
    """The page and the metrics; port 0 means none."""

    host: str = keys.text("127.0.0.1")
    port: int = keys.number(0, low=0, high=65535, whole=True)


@dataclass(frozen=True)
class RetentionKeys:
    """How long files stay after a study is done and sent. Nothing else is ever removed, unless said here."""

    keep_days: float = keys.number(7, low=0, high=36500)
    keep_refused_days: float | None = keys.number(None, low=0, high=36500)
    keep_history_days: float = keys.number(365, low=0, high=36500)


@dataclass(frozen=True)
class Config:
    """The whole file."""

    node: NodeKeys
    receive: ReceiveKeys
    analysis: AnalysisKeys
    status: StatusKeys
    retention: RetentionKeys
    destinations: tuple[DestinationKeys, ...]
    peers: tuple[PeerKeys, ...]
    polls: tuple[PollKeys, ...]


SECTIONS: dict[str, type] = {
    "node": NodeKeys, "receive": ReceiveKeys, "analysis": AnalysisKeys, "status": StatusKeys,
    "retention": RetentionKeys,
}  # fmt: skip
LISTS: dict[str, type] = {"destination": DestinationKeys, "peer": PeerKeys, "poll": PollKeys}


def load(file: Path) -> Config:
    """The configuration of a file; SettingsError with the first problem, and how many more there are."""
    config, problems = examine(file)
    if config is None or problems:
        more = f" (and {len(problems) - 1} more: `livermre node doctor {file}` names them all)" * (len(problems) > 1)
        raise SettingsError(f"{file}: {problems[0]}{more}")
    return config


def examine(file: Path) -> tuple[Config | None, Problems]:
    """The configuration, or None and every problem found."""
    problems = Problems()
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        problems.add("", f"cannot be read ({error.strerror or error}); `livermre node init` writes an example")
        return None, problems
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        problems.add("", f"is no TOML: {error}")
        return None, problems
    known = {**SECTIONS, **LISTS}
    for name in content.keys() - known.keys():
        problems.add("", f"there is no section [{name}]{keys.suggestion(name, known)}")
    base = file.resolve().parent
    found: dict[str, Any] = {
        n: keys.read(cls, content.get(n, {}), f"[{n}]", base, problems) for n, cls in SECTIONS.items()
    }
    lists = {n: _list(n, cls, content.get(n, []), base, problems) for n, cls in LISTS.items()}
    _names(lists, problems)
    _ports(found["node"], found["status"], problems)
    if problems:
        return None, problems
    return Config(**found, destinations=lists["destination"], peers=lists["peer"], polls=lists["poll"]), problems


def _list(name: str, cls: type, content: Any, base: Path, problems: Problems) -> tuple:
    if not isinstance(content, list):
        problems.add(f"[{name}]", f"is written [[{name}]], with two brackets: there may be several")
        return ()
    return tuple(
        keys.read(cls, entry, f"[{name} {_called(entry, number)}]", base, problems)
        for number, entry in enumerate(content, start=1)
    )


def _called(entry: Any, number: int) -> str:
    return str(entry.get("name") or entry.get("aet") or number) if isinstance(entry, dict) else str(number)


def _names(lists: dict[str, tuple], problems: Problems) -> None:
    """Names are what the journal remembers a destination by: each must be one only."""
    for section, key in (("destination", "name"), ("poll", "name"), ("peer", "aet")):
        for name in keys.doubled([getattr(e, key) for e in lists[section] if e is not None]):
            problems.add(f"[[{section}]]", f"{key} {name!r} stands twice: each must have its own")


def _ports(node: NodeKeys | None, status: StatusKeys | None, problems: Problems) -> None:
    """The two ports that we listen on ourselves must be two."""
    if node is None or status is None or status.port != node.port:
        return
    if node.host == status.host or {node.host, status.host} & {"0.0.0.0", "::", ""}:
        problems.add("[status]", f"port {status.port} is that of [node], where DICOM is spoken: take another")


def keys_of(cls: type) -> list[str]:
    """The keys of a section, for the tests of the example and the manual."""
    return [f.name for f in fields(cls)]
