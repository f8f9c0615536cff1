"""TLS both ways with certificates made for the test."""

import json
import re
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pynetdicom import AE, evt

from livermre.apps.node import doctor
from livermre.apps.node.config import Tls
from livermre.apps.node.tls import client_context, server_context
from livermre.exam.errors import SettingsError
from node.made import SC, image
from node.place import Here, associate, config_file, destination, free_port, send

pytestmark = pytest.mark.skipif(
    not shutil.which("openssl"), reason="openssl is not installed: no certificate to test with"
)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two that sign themselves: node.pem and other.pem, each for localhost."""
    folder = tmp_path_factory.mktemp("tls")
    for name in ("node", "other"):
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
             "2", "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.pem", "-subj", f"/CN={name}",
             "-addext", "subjectAltName=IP:127.0.0.1"],
            check=True, capture_output=True,
        )  # fmt: skip
    return folder


class SecurePacs:
    """A PACS that speaks TLS only."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self.stored: list[str] = []
        ae = AE("PACS")
        ae.add_supported_context(SC)
        self.port = free_port()
        self._server: Any = ae.start_server(
            ("127.0.0.1", self.port), block=False, ssl_context=context, evt_handlers=[(evt.EVT_C_STORE, self._store)]
        )

    def _store(self, event: Any) -> int:
        self.stored.append(str(event.request.AffectedSOPInstanceUID))
        return 0

    def close(self) -> None:
        self._server.shutdown()


@pytest.fixture
def pacs(certificates: Path) -> Iterator[SecurePacs]:
    c = certificates
    running = SecurePacs(server_context(Tls(c / "other.pem", c / "other.key", c / "node.pem")))
    yield running
    running.close()


def test_there_and_on_over_tls(tmp_path: Path, certificates: Path, pacs: SecurePacs) -> None:
    """Mutual certificates at the door and at the destination; plain text and strangers' certificates get nothing."""
    c = certificates
    tls = f'tls = {{ ca = "{c}/other.pem", certificate = "{c}/node.pem", key = "{c}/node.key" }}'
    door = f'tls = {{ certificate = "{c}/node.pem", key = "{c}/node.key", ca = "{c}/other.pem" }}'
    node = Here(config_file(tmp_path, destination("pacs", pacs.port, tls), receive=door))
    try:
        good = client_context(Tls(c / "other.pem", c / "other.key", c / "node.pem"))
        assert send(node.port, [image("tls", 1)], tls_args=(good, "127.0.0.1")) == [0]
        node.wait(done=1)
        assert len(pacs.stored) == 1
        nameless = client_context(Tls(ca=c / "node.pem"))
        assert not associate(node.port, tls_args=(nameless, "127.0.0.1")).is_established
        assert not associate(node.port).is_established
        strange = client_context(Tls(c / "node.pem", c / "node.key", c / "node.pem"))
        assert not associate(node.port, tls_args=(strange, "127.0.0.1")).is_established
        assert send(node.port, [image("tls", 1)], tls_args=(good, "127.0.0.1")) == [0]  # the door is still open
        log = [json.loads(line) for line in (tmp_path / "node.log").read_text().splitlines()]
        told = [line["error"] for line in log if line["event"] == "connection_ended" and line["reason"] == "tls"]
        assert [t for t in told if t.startswith("PEER_DID_NOT_RETURN_A_CERTIFICATE")], told
        assert [t for t in told if re.match(r"CERTIFICATE_VERIFY_FAILED \(self.signed certificate\)", t)], told
        assert len(told) == 3, told  # and the one that spoke no TLS
    finally:
        node.stop()


def test_a_destination_with_another_certificate_gets_nothing(
    tmp_path: Path, certificates: Path, pacs: SecurePacs
) -> None:
    c = certificates
    tls = f'tls = {{ ca = "{c}/node.pem", certificate = "{c}/node.pem", key = "{c}/node.key" }}'
    node = Here(config_file(tmp_path, destination("pacs", pacs.port, tls)))
    try:
        send(node.port, [image("tls", 1)])
        node.wait(sending=1)
        while node.node.log.counts().get("send_failures", 0) < 2:
            node.node.stopping.wait(0.05)
        assert not pacs.stored and node.states()["sending"] == 1  # it waits, nothing is lost
    finally:
        node.stop()


@pytest.mark.parametrize(
    ("keys", "host", "told"),
    [
        (
            "ca = 'other.pem', certificate = 'node.pem', key = 'node.key'",
            "127.0.0.1",
            "destination pacs: PACS takes our objects",
        ),
        ("ca = 'node.pem', certificate = 'node.pem', key = 'node.key'", "127.0.0.1", "TLS failed (CERTIFICATE_VERIFY_"),
        ("ca = 'other.pem'", "127.0.0.1", "TLS failed (TLSV13_ALERT_CERTIFICATE_REQUIRED): mend ca, certificate"),
        ("ca = 'other.pem', certificate = 'node.pem', key = 'node.key'", "localhost", "Hostname mismatch"),
        ("ca = 'none.pem'", "127.0.0.1", "tls: cannot read"),
        ("", "127.0.0.1", "it aborted the association: does it speak TLS only?"),
    ],
)
def test_the_doctor_says_which_certificate_is_wrong(
    certificates: Path,
    pacs: SecurePacs,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    keys: str,
    host: str,
    told: str,
) -> None:
    monkeypatch.setattr(doctor, "_analysis", lambda config: iter(()))
    tls = re.sub(r"'(\S+)'", rf'"{certificates}/\1"', f"tls = {{ {keys} }}" if keys else "")
    place = destination("pacs", pacs.port, f'{tls}\nobjects = ["SC"]\n').replace("127.0.0.1", host)
    said = [f"{c.state} {c.what}: {c.told}" for c in doctor.examine(config_file(tmp_path, place))]
    assert [s for s in said if told in s], said


def test_certificates_that_do_not_fit_are_told(tmp_path: Path, certificates: Path) -> None:
    c = certificates
    with pytest.raises(SettingsError, match="do not fit together or are no PEM"):
        server_context(Tls(c / "node.pem", c / "other.key"))
    with pytest.raises(SettingsError, match=r"cannot read .*none\.pem \(No such file"):
        client_context(Tls(ca=c / "none.pem"))
    assert server_context(Tls(c / "node.pem", c / "node.key")).minimum_version >= ssl.TLSVersion.TLSv1_2
