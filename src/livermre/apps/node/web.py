"""DICOMweb (PS3.18) by the standard library: credentials, limits and time-outs; redirects are not followed."""

import base64
import http.client
import json
import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode, urlsplit

from livermre.apps.node.config import Web
from livermre.apps.node.tls import client_context
from livermre.exam.errors import SettingsError

_LARGEST_JSON = 64 << 20
_MOST_PAGES = 10_000
ACCEPT_DICOM = 'multipart/related; type="application/dicom"; transfer-syntax=*'


_AWAY = {401, 403, 407, 408, 429, 502, 503, 504}
"""What a server answers whatever it is asked for: RFC 9110, 15.5 and 15.6, and RFC 6585, 4."""


class WebError(Exception):
    """A root that cannot be reached or answers what it should not; the text is for a person."""


class NotGivenError(WebError):
    """One thing cannot be had; the next one may be."""


@dataclass(frozen=True)
class Answer:
    """What a server said."""

    status: int
    kind: str
    body: bytes
    date: str | None = None


class Root:
    """A DICOMweb root."""

    def __init__(self, web: Web) -> None:
        self._web, self._parts = web, urlsplit(web.url.rstrip("/"))

    def query(self, path: str, values: Mapping[str, str] | list[tuple[str, str]]) -> list[dict]:
        """QIDO-RS: the matches; an empty list where there are none."""
        answer = self.get(f"{path}?{urlencode(values)}", "application/dicom+json")
        if answer.status == 204:
            return []
        if answer.status != 200:
            raise WebError(f"QIDO-RS answered {answer.status}")
        try:
            found = json.loads(answer.body)
        except (ValueError, RecursionError) as error:
            raise WebError("QIDO-RS answered what is no JSON") from error
        if not isinstance(found, list) or not all(isinstance(f, dict) for f in found):
            raise WebError("QIDO-RS answered JSON of another kind")
        return found

    def pages(self, path: str, values: Mapping[str, str], key: str, size: int) -> Iterator[dict]:
        """QIDO-RS page by page (PS3.18, 8.3.4.4: limit and offset): every match once, told by the UID in `key`.

        The end is a page with nothing new: an archive may give fewer than were asked for, or not know `offset`.
        """
        seen: set[str] = set()
        offset = 0
        for _ in range(_MOST_PAGES):
            page = self.query(path, {**values, "limit": str(size), "offset": str(offset)})
            new = [f for f in page if text_of(f, key) not in seen]
            seen.update(text_of(f, key) for f in new)
            yield from new
            if not new:
                return
            offset += len(page)

    def instance(self, study: str, series: str, sop: str, most: int) -> bytes:
        """WADO-RS: one instance as a DICOM file; NotGivenError where the archive has it but does not give it."""
        path = "/studies/{}/series/{}/instances/{}".format(*(quote(u, safe="") for u in (study, series, sop)))
        answer = self.get(path, ACCEPT_DICOM, most)
        if answer.status != 200:
            kind = WebError if answer.status in _AWAY else NotGivenError
            raise kind(f"WADO-RS answered {answer.status}")
        parts = parts_of(answer)
        if len(parts) != 1:
            raise NotGivenError(f"WADO-RS answered {len(parts)} parts for one instance")
        return parts[0]

    def store(self, content: bytes) -> Answer:
        """STOW-RS: one DICOM file (PS3.18, 10.5)."""
        mark = secrets.token_hex(16)
        body = b"\r\n".join(
            [f"--{mark}".encode(), b"Content-Type: application/dicom", b"", content, f"--{mark}--".encode(), b""]
        )
        kind = f'multipart/related; type="application/dicom"; boundary={mark}'
        return self._ask("POST", "/studies", {"Content-Type": kind, "Accept": "application/dicom+json"}, body)

    def get(self, path: str, accept: str, most: int = _LARGEST_JSON) -> Answer:
        """The answer to a GET below the root."""
        return self._ask("GET", path, {"Accept": accept}, None, most)

    def _ask(
        self, method: str, path: str, headers: dict[str, str], body: bytes | None, most: int = _LARGEST_JSON
    ) -> Answer:
        connection = self._connection()
        try:
            connection.request(method, self._parts.path + path, body, {**headers, **self._credentials()})
            reply = connection.getresponse()
            content = reply.read(most + 1)
            if len(content) > most:
                raise NotGivenError(f"the answer is longer than {most} bytes")
            return Answer(reply.status, reply.getheader("Content-Type") or "", content, reply.getheader("Date"))
        except (OSError, http.client.HTTPException) as error:
            raise WebError(f"{self._parts.netloc} cannot be reached ({_reason(error)})") from error
        finally:
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        host, port, wait = self._parts.hostname or "", self._parts.port, self._web.timeout_seconds
        if self._parts.scheme == "https":
            return http.client.HTTPSConnection(host, port, timeout=wait, context=client_context(self._web.tls))
        return http.client.HTTPConnection(host, port, timeout=wait)

    def _credentials(self) -> dict[str, str]:
        web = self._web
        try:
            if web.token_file is not None:
                return {"Authorization": f"Bearer {web.token_file.read_text(encoding='utf-8').strip()}"}
            if web.user is not None and web.password_file is not None:
                secret = f"{web.user}:{web.password_file.read_text(encoding='utf-8').strip()}"
                return {"Authorization": f"Basic {base64.b64encode(secret.encode()).decode()}"}
        except OSError as error:
            raise WebError(f"the file of the credentials cannot be read ({error.strerror})") from error
        return {}


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or getattr(error, "reason", None) or type(error).__name__


def parts_of(answer: Answer) -> list[bytes]:
    """The bodies of a multipart answer (RFC 2046); the whole body where it is a single file."""
    if answer.kind.startswith("application/dicom"):
        return [answer.body]
    found = re.search(r'boundary="?([^";,\s]+)"?', answer.kind)
    if not answer.kind.startswith("multipart/related") or not found:
        raise WebError("the answer is neither multipart nor DICOM")
    mark = b"--" + found[1].encode()
    pieces = (b"\r\n" + answer.body).split(b"\r\n" + mark)[1:-1]
    return [piece.partition(b"\r\n\r\n")[2] for piece in pieces]


def text_of(found: Mapping, tag: str) -> str:
    """The first value of a tag in DICOM JSON (PS3.18, F.2), as text; empty where there is none."""
    value = (found.get(tag) or {}).get("Value") if isinstance(found.get(tag), dict) else None
    return str(value[0]) if isinstance(value, list) and value else ""


def check(web: Web) -> None:
    """SettingsError where the credentials or certificates of a root cannot be read."""
    try:
        Root(web)._credentials()
    except WebError as error:
        raise SettingsError(f"{web.url}: {error}") from error
    if web.url.startswith("https"):
        client_context(web.tls)
