"""What is shipped for installing: a unit that systemd reads, a container that needs no network and is not root."""

import os
import re
import shlex
import shutil
import socket
import subprocess
import threading
from pathlib import Path

import pytest

from livermre.apps.node.config import load
from livermre.apps.node.node import Node, notify_systemd
from node.place import FAKE, config_file

DEPLOY = Path(__file__).parents[2] / "deploy"


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
def test_systemd_reads_the_unit(tmp_path: Path) -> None:
    text = (DEPLOY / "livermre-node.service").read_text(encoding="utf-8")
    unit = tmp_path / "livermre-node.service"
    unit.write_text(re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", text, flags=re.M))
    done = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False)
    assert "livermre-node.service" not in done.stderr, done.stderr


def test_the_unit_is_not_root_and_starts_again() -> None:
    text = (DEPLOY / "livermre-node.service").read_text(encoding="utf-8")
    keys = dict(line.split("=", 1) for line in text.splitlines() if "=" in line and not line.startswith("#"))
    assert keys["User"] == "livermre" and keys["Restart"] == "always" and keys["Type"] == "notify"
    assert keys["ProtectSystem"] == "strict" and keys["NoNewPrivileges"] == "yes" and keys["UMask"] == "0077"
    assert shlex.split(keys["ExecStart"])[1:3] == ["node", "run"]


def test_the_container_is_built_without_a_network_and_is_not_root() -> None:
    lines = (DEPLOY / "Containerfile").read_text(encoding="utf-8")
    code = "\n".join(line for line in lines.splitlines() if not line.startswith("#"))
    assert "--no-index" in code and "apt" not in code and "curl" not in code and "ADD" not in code
    assert re.search(r"^USER 10001", code, re.M) and code.index("USER 10001") < code.index("ENTRYPOINT")
    assert re.search(r'ENTRYPOINT \["/opt/livermre/bin/livermre", "node"\]', code)


def test_the_script_that_collects_wheels_is_a_shell_script() -> None:
    subprocess.run(["sh", "-n", str(DEPLOY / "wheels.sh")], check=True)


@pytest.mark.parametrize("abstract", [False, True])
def test_systemd_hears_that_it_runs_and_that_it_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, abstract: bool
) -> None:
    """sd_notify(3): datagrams to the socket that NOTIFY_SOCKET names; "@" stands for Linux's abstract names."""
    name = f"@livermre-{tmp_path.name}-{os.getpid()}" if abstract else str(tmp_path / "notify")
    node = Node(load(config_file(tmp_path)), FAKE)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind("\0" + name[1:] if abstract else name)
        heard.settimeout(60)
        monkeypatch.setenv("NOTIFY_SOCKET", name)
        node.start()
        runs = threading.Thread(target=node.run, args=(notify_systemd,))
        runs.start()
        told = [heard.recv(100), heard.recv(100)]
        node.stopping.set()
        runs.join()
        node.stop()
        told.append(heard.recv(100))
    assert told == [b"READY=1", b"WATCHDOG=1", b"STOPPING=1"]
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "nobody"))
    notify_systemd("READY=1")  # nobody listens: no reason to fail
